//! The recorder sees by itself whether it records: what attaches its programs is taken from it and from its keeper.
#![cfg(target_arch = "x86_64")]

use std::{fs, io, mem::zeroed, ptr::null_mut, thread::sleep, time::Duration};

use libc::{c_long, user_regs_struct};
use serde_json::Value;
use traceloop::keeper::Keeper;

use super::{
    rings::offsets,
    served::Served,
    support::{Scratch, wait_until},
};

fn ptrace(request: libc::c_uint, pid: i32, data: *mut libc::c_void) -> io::Result<c_long> {
    // SAFETY: each request here takes no address, and as its data nothing or a struct that is large enough.
    let result = unsafe { libc::ptrace(request, pid, null_mut::<libc::c_void>(), data) };
    if result < 0 { Err(io::Error::last_os_error()) } else { Ok(result) }
}

fn registers(pid: i32) -> user_regs_struct {
    // SAFETY: numbers, of which any bits are a value.
    let mut registers: user_regs_struct = unsafe { zeroed() };
    ptrace(libc::PTRACE_GETREGS, pid, (&raw mut registers).cast()).expect("read registers");
    registers
}

fn set(pid: i32, mut registers: user_regs_struct) {
    ptrace(libc::PTRACE_SETREGS, pid, (&raw mut registers).cast()).expect("write registers");
}

fn stopped(pid: i32) {
    let mut status = 0;
    // SAFETY: `status` is written to.
    assert_eq!(unsafe { libc::waitpid(pid, &raw mut status, libc::__WALL) }, pid);
    assert!(libc::WIFSTOPPED(status), "{status:#x}");
}

/// Has a process that waits in a system call put its standard input in the place of descriptors. False: it did not wait.
fn replace(pid: u32, fds: &[u64]) -> bool {
    let pid = i32::try_from(pid).expect("a pid");
    ptrace(libc::PTRACE_ATTACH, pid, null_mut()).expect("attach to it");
    stopped(pid);
    let before = registers(pid);
    let waits = before.orig_rax != u64::MAX;
    for fd in fds.iter().filter(|_| waits) {
        let flags = u64::try_from(libc::O_CLOEXEC).expect("a flag");
        let call = user_regs_struct {
            // The instruction before this one has made the call.
            rip: before.rip - 2,
            rax: u64::try_from(libc::SYS_dup3).expect("a number"),
            orig_rax: u64::MAX,
            rdi: 0,
            rsi: *fd,
            rdx: flags,
            ..before
        };
        set(pid, call);
        ptrace(libc::PTRACE_SINGLESTEP, pid, null_mut()).expect("have it make the call");
        stopped(pid);
        assert_eq!(registers(pid).rax, *fd);
    }
    set(pid, before);
    ptrace(libc::PTRACE_DETACH, pid, null_mut()).expect("let it go");
    waits
}

/// The descriptors of a process by which programs are attached.
fn links(pid: u32) -> Vec<u64> {
    let entries = fs::read_dir(format!("/proc/{pid}/fd")).expect("its descriptors").flatten();
    let is_link =
        |path: &std::path::Path| fs::read_link(path).is_ok_and(|to| to.to_string_lossy().contains("bpf_link"));
    let links = entries.map(|entry| entry.path()).filter(|path| is_link(path));
    links.filter_map(|path| path.file_name()?.to_str()?.parse().ok()).collect()
}

fn detach(pid: u32) {
    let links = links(pid);
    assert!(links.len() > 5, "{links:?}");
    wait_until("it waits", || replace(pid, &links));
}

#[test]
#[ignore = "needs root and BPF"]
fn a_recording_that_has_stopped_is_said_and_begun_again() {
    let mut served = Served::start("buffer-size = \"1M\"", "");
    let group = served.cgroup_with_rings("goes-on.service");
    let scratch = Scratch::new();
    let mut child = group.numbers(&scratch, "300 500");
    sleep(Duration::from_millis(300));
    // The next daemon holds what another one has attached.
    served.kill();
    served.run();
    let keeper = Keeper::connect(&served.place.path().join("keeper.sock")).expect("look").expect("a keeper");
    detach(keeper.pid().expect("its process"));
    drop(keeper);
    detach(served.pid());
    wait_until("it is said", || served.log().contains("nothing is recorded: a call of ours was not seen"));
    wait_until("it goes on", || served.log().contains("it is recorded again"));
    sleep(Duration::from_millis(300));
    let status: Value = serde_json::from_str(&served.asked("/v1")).expect("an object");
    assert_eq!((&status["recording"], &status["held"]), (&true.into(), &true.into()), "{status}");
    let silence = &status["silences"][0];
    let long = silence["to"].as_f64().expect("an end") - silence["from"].as_f64().expect("a beginning");
    assert!((1.0..60.0).contains(&long), "{silence}");
    let listed = served.verb(&["ps"]);
    let told = String::from_utf8_lossy(&listed.stderr).into_owned();
    assert!(told.contains("# nothing was recorded from "), "{told}");
    let page = served.asked("/metrics");
    assert!(page.contains("traceloop_recording 1\n") && page.contains("traceloop_held 1\n"), "{page}");
    // What was called meanwhile is missing and said to be; before and behind it each call is there, once.
    let dump = served.told(&["dump", group.name()]);
    let said = dump.lines().find(|line| line.contains("nothing was recorded: the programs did not run"));
    assert!(said.is_some(), "{}", dump.lines().take(20).collect::<Vec<_>>().join("\n"));
    let breaks = |found: &[(u32, u64)]| found.windows(2).filter(|pair| pair[1].1 != pair[0].1 + 1).count();
    let found = offsets(&served.told(&["dump", group.name(), "--format", "strace"]));
    assert!(found.is_sorted_by_key(|call| call.1), "in their order, and none twice");
    assert_eq!(breaks(&found), 1, "in {} calls", found.len());
    // The keeper has what is attached now.
    served.kill();
    served.run();
    let later = offsets(&served.told(&["dump", group.name(), "--format", "strace"]));
    assert!(later.len() > 100 && later.last() > found.last(), "{} calls", later.len());
    assert!(breaks(&later) <= 1, "{} breaks", breaks(&later));
    child.kill().expect("end it");
    child.wait().expect("wait for it");
}
