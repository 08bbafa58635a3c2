//! The programs that others call: what kind they are of, and where the calls find them.

use std::os::fd::{AsFd, AsRawFd, BorrowedFd};

use anyhow::{Context, Result};
use libbpf_rs::{Link, MapCore, MapFlags, MapMut, ProgramType, skel::OpenSkel};

use super::attach::Numbers;
use crate::skel::{OpenTraceloopSkel, TraceloopSkel, types};

/// Programs that others call.
pub(super) const BY_TAIL_CALL: [&str; 12] = [
    "enter_plain",
    "enter_capture",
    "enter_vector",
    "enter_behind",
    "exit_vector",
    "exit_behind",
    "exit_iovec",
    "exit_message",
    "exit_dirents",
    "exit_file",
    "exit_stack",
    "enter_stack",
];

/// Programs that the kernel calls at system calls.
const AT_CALLS: [&str; 2] = ["sys_enter", "sys_exit"];

/// The programs of system calls as the classic tracepoint's.
pub(super) fn make_classic(open: &mut OpenTraceloopSkel<'_>) {
    for mut program in open.open_object_mut().progs_mut() {
        if AT_CALLS.iter().chain(&BY_TAIL_CALL).any(|name| program.name() == *name) {
            program.set_prog_type(ProgramType::Tracepoint);
        }
    }
}

/// The end of a call first: a call whose start alone was seen would be told as one that has not ended.
pub(super) fn attach_classic(skel: &TraceloopSkel<'_>) -> Result<Vec<(String, Link)>> {
    let numbers = Numbers::read()?;
    let exit = ("sys_exit".to_owned(), numbers.attach_exit(&skel.progs.sys_exit)?);
    let enter = ("sys_enter".to_owned(), numbers.attach_enter(&skel.progs.sys_enter)?);
    Ok(vec![exit, enter])
}

/// Puts the programs behind the tail calls, those that take stacks too if they are wanted.
pub(super) fn fill(skel: &TraceloopSkel<'_>, stacks: bool) -> Result<()> {
    use types::writer as W;
    let (progs, maps) = (&skel.progs, &skel.maps);
    let enter = [
        (W::WRITER_PLAIN, progs.enter_plain.as_fd()),
        (W::WRITER_CAPTURE, progs.enter_capture.as_fd()),
        (W::WRITER_VECTOR, progs.enter_vector.as_fd()),
        (W::WRITER_BEHIND, progs.enter_behind.as_fd()),
    ];
    let exit = [
        (W::WRITER_VECTOR, progs.exit_vector.as_fd()),
        (W::WRITER_BEHIND, progs.exit_behind.as_fd()),
        (W::WRITER_IOVEC, progs.exit_iovec.as_fd()),
        (W::WRITER_MESSAGE, progs.exit_message.as_fd()),
        (W::WRITER_DIRENTS, progs.exit_dirents.as_fd()),
        (W::WRITER_FILE, progs.exit_file.as_fd()),
    ];
    put(&maps.enter_writers, &enter)?;
    put(&maps.exit_writers, &exit)?;
    if stacks {
        put(&maps.enter_writers, &[(W::WRITER_STACK, progs.enter_stack.as_fd())])?;
        put(&maps.exit_writers, &[(W::WRITER_STACK, progs.exit_stack.as_fd())])?;
    }
    Ok(())
}

fn put(map: &MapMut<'_>, writers: &[(types::writer, BorrowedFd<'_>)]) -> Result<()> {
    writers.iter().try_for_each(|(writer, program)| {
        map.update(&u32::from(writer.0).to_ne_bytes(), &program.as_raw_fd().to_ne_bytes(), MapFlags::ANY)
            .context("fill the array of writers")
    })
}
