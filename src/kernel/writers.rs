//! The programs that others call: what kind they are of, and where the calls find them.

use std::os::fd::{AsFd, AsRawFd, BorrowedFd};

use anyhow::{Context, Result};
use libbpf_rs::{
    Link, MapCore, MapFlags, MapMut, ProgramType,
    skel::{OpenSkel, Skel},
};

use super::attach::{self, CLASSIC};
use crate::skel::{OpenTraceloopSkel, TraceloopSkel, types};

/// Programs that others call.
pub(super) const BY_TAIL_CALL: [&str; 13] = [
    "enter_plain",
    "enter_capture",
    "enter_vector",
    "enter_behind",
    "exit_capture",
    "exit_vector",
    "exit_behind",
    "exit_iovec",
    "exit_message",
    "exit_dirents",
    "exit_file",
    "exit_stack",
    "enter_stack",
];

/// The programs that can be a classic tracepoint's, and those that they call, as such.
pub(super) fn make_classic(open: &mut OpenTraceloopSkel<'_>) {
    let attached = CLASSIC.map(|(program, _)| program);
    for mut program in open.open_object_mut().progs_mut() {
        if attached.iter().chain(&BY_TAIL_CALL).any(|name| program.name() == *name) {
            program.set_prog_type(ProgramType::Tracepoint);
        }
    }
}

/// Attaches the former, in their order.
pub(super) fn attach_classic(skel: &mut TraceloopSkel<'_>) -> Result<Vec<(String, Link)>> {
    let mut attach = |((name, tracepoint), number): ((&str, &str), u64)| {
        let program = skel.object_mut().progs_mut().find(|program| program.name() == name);
        let program = program.with_context(|| format!("the BPF object has no program {name}"))?;
        let link = attach::attach(&program, number).with_context(|| format!("attach to {tracepoint}"))?;
        Ok((name.to_owned(), link))
    };
    CLASSIC.into_iter().zip(attach::numbers()?).map(&mut attach).collect()
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
        let exit = [(W::WRITER_STACK, progs.exit_stack.as_fd()), (W::WRITER_CAPTURE, progs.exit_capture.as_fd())];
        put(&maps.exit_writers, &exit)?;
    }
    Ok(())
}

fn put(map: &MapMut<'_>, writers: &[(types::writer, BorrowedFd<'_>)]) -> Result<()> {
    writers.iter().try_for_each(|(writer, program)| {
        map.update(&u32::from(writer.0).to_ne_bytes(), &program.as_raw_fd().to_ne_bytes(), MapFlags::ANY)
            .context("fill the array of writers")
    })
}
