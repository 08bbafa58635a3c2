//! Histories of a few events, and what is said of them.

use super::of;
use crate::model::{self, Call, Cause, Comm, Dump, Event, Exit, Memory, OomKill, Outcome, Sent, Signal, What, Why};

const MILLI: u64 = 1_000_000;

fn name(text: &str) -> Comm {
    let mut comm = [0; 16];
    comm[..text.len()].copy_from_slice(text.as_bytes());
    Comm(comm)
}

/// An event of a thread of a process at so many milliseconds.
fn event(at: u64, pid: u32, tid: u32, comm: &str, what: What) -> Event {
    Event { start: at * MILLI, end: at * MILLI, tid, pid, comm: name(comm), whose: 0, cpu: None, what }
}

fn call(at: u64, pid: u32, comm: &str, call: Call) -> Event {
    event(at, pid, pid, comm, What::Call(call.into()))
}

fn failed(name: &'static str, path: &str, errno: i32) -> Call {
    let paths = if path.is_empty() { vec![] } else { vec![path.as_bytes().into()] };
    Call { paths, outcome: Outcome::Failed { errno, text: "".into() }, ..Call::of(name) }
}

fn says(text: &str) -> Call {
    let outcome = Outcome::Returned { value: i64::try_from(text.len()).unwrap(), text: "".into() };
    Call { said: Some(text.as_bytes().into()), outcome, ..Call::of("write") }
}

fn fork(at: u64, parent: u32, child: u32) -> Event {
    event(at, child, child, "sh", What::Fork { parent })
}

fn exits(at: u64, pid: u32, comm: &str, status: u8) -> Event {
    event(at, pid, pid, comm, What::Exit(Exit::Status(status)))
}

fn killed(at: u64, pid: u32, tid: u32, comm: &str, signo: i32, sent: Option<Sent>) -> Event {
    event(at, pid, tid, comm, What::Exit(Exit::Killed { signo, core: false, sent, why: Why::Signal }))
}

fn fault(at: u64, pid: u32, tid: u32, comm: &str, address: &str) -> Event {
    let info = format!("{{si_signo=SIGSEGV, si_code=SEGV_MAPERR, si_addr={address}}}").into();
    let signal = Signal { signo: libc::SIGSEGV, name: "SIGSEGV".into(), info, stops: false, sender: None };
    event(at, pid, tid, comm, What::Signal(signal))
}

fn text(events: &[Event]) -> String {
    let taken = events.iter().map(|event| event.start).max().unwrap_or(0) + MILLI;
    of(&Dump { cause: Cause::Command, taken, ..Dump::default() }, &[], events).0.text
}

#[test]
fn a_child_whose_status_is_passed_on_comes_first() {
    let events = [
        call(1, 7, "sh", Call::of("getpid")),
        fork(2, 7, 8),
        call(3, 8, "cat", failed("openat", "/etc/ld.so.preload", libc::ENOENT)),
        call(4, 8, "cat", failed("openat", "/no/file", libc::ENOENT)),
        call(5, 8, "cat", says("cat: /no/file: No such file or directory\n")),
        exits(6, 8, "cat", 1),
        exits(7, 7, "sh", 1),
    ];
    assert_eq!(
        text(&events),
        "cat[8] exited with 1, 2.0 ms after open of /no/file failed with ENOENT (No such file or directory). \
         It had said: `cat: /no/file: No such file or directory`. \
         sh[7], which had started it, exited with 1 1.0 ms later."
    );
}

#[test]
fn a_child_that_failed_is_not_blamed_for_another_status() {
    let events = [fork(1, 7, 8), call(2, 7, "sh", Call::of("wait4")), exits(3, 8, "false", 1), exits(4, 7, "sh", 3)];
    assert_eq!(text(&events), "sh[7] exited with 3.");
    let events = [fork(1, 7, 8), call(2, 7, "sh", Call::of("wait4")), exits(3, 8, "false", 1), exits(4, 7, "sh", 0)];
    assert_eq!(text(&events), "sh[7] exited with 0.");
    // The same where whoever started it is not recorded.
    let events = [&[fork(0, 3, 7)], &events[..]].concat();
    assert_eq!(text(&events), "sh[7] exited with 0.");
}

#[test]
fn what_a_failed_child_had_said_is_told_where_the_status_is_another() {
    let events = [
        fork(1, 7, 8),
        call(2, 8, "gzip", says("gzip: stdin: not in gzip format\n")),
        exits(3, 8, "gzip", 1),
        call(4, 7, "tar", says("tar: Child returned status 1\ntar: Error is not recoverable: exiting now\n")),
        exits(5, 7, "tar", 2),
    ];
    assert_eq!(
        text(&events),
        "tar[7] exited with 2. It had said: `tar: Child returned status 1`. Its child gzip[8] had exited with 1 and said: \
         `gzip: stdin: not in gzip format`."
    );
    // Who ends by a closed pipe says nothing of why another fails.
    let own = Sent { pid: 8, comm: name("yes"), by_kernel: false, code: None };
    let events = [
        fork(1, 7, 8),
        call(1, 7, "sh", Call::of("wait4")),
        killed(2, 8, 8, "yes", libc::SIGPIPE, Some(own)),
        exits(3, 7, "sh", 7),
    ];
    assert_eq!(text(&events), "sh[7] exited with 7.");
}

#[test]
fn who_made_whom_is_known_from_older_events() {
    let older = [call(1, 7, "sh", Call::of("getpid")), fork(2, 7, 8)];
    let events = [exits(6, 8, "cat", 1), exits(7, 7, "sh", 1)];
    let dump = Dump { cause: Cause::Command, taken: 8 * MILLI, ..Dump::default() };
    let told = of(&dump, &older, &events).0.text;
    assert_eq!(told, "cat[8] exited with 1. sh[7], which had started it, exited with 1 1.0 ms later.");
}

#[test]
fn the_end_of_a_leader_is_not_the_end_of_its_process() {
    let events = [
        event(1, 7, 9, "pool", What::Fork { parent: 7 }),
        call(2, 7, "server", Call::of("getpid")),
        exits(3, 7, "server", 0),
        fault(8, 7, 9, "pool", "0x8"),
        killed(9, 7, 9, "pool", libc::SIGSEGV, None),
    ];
    assert_eq!(text(&events), "server[7] died of SIGSEGV at address 0x8 (SEGV_MAPERR) in its thread pool[9].");
    let (_, ended) = of(&Dump::default(), &[], &events);
    assert_eq!((ended.len(), ended[0].signal, ended[0].comm.as_str()), (1, Some(libc::SIGSEGV), "server"));
    // Its threads go on: it has not ended.
    let (_, ended) = of(&Dump::default(), &[], &events[..3]);
    assert!(ended.is_empty(), "{ended:?}");
}

#[test]
fn the_first_fault_is_told_where_a_handler_raises_it_again() {
    let own = Sent { pid: 7, comm: name("redis"), by_kernel: false, code: Some(libc::SI_TKILL) };
    let mut events = vec![
        fault(1, 7, 7, "redis", "0x10"),
        call(2, 7, "redis", says("=== BUG REPORT ===\n")),
        killed(5, 7, 7, "redis", libc::SIGSEGV, Some(own)),
    ];
    assert!(text(&events).starts_with("redis[7] died of SIGSEGV at address 0x10 (SEGV_MAPERR)."), "{}", text(&events));
    // It is blocked while the handler runs, and delivered when that returns.
    events.insert(2, call(3, 7, "redis", Call::of("rt_sigreturn")));
    assert!(text(&events).starts_with("redis[7] died of SIGSEGV at address 0x10 (SEGV_MAPERR)."), "{}", text(&events));
    // A handler that returns has dealt with it.
    let back = events.remove(2);
    events.insert(1, back);
    assert!(text(&events).starts_with("redis[7] sent itself SIGSEGV and died of it."), "{}", text(&events));
}

#[test]
fn who_sent_a_signal() {
    let sent = |pid, comm: &str, by_kernel| Some(Sent { pid, comm: name(comm), by_kernel, code: Some(0) });
    let events = [call(1, 7, "app", Call::of("pause")), killed(2, 7, 7, "app", 9, sent(3, "killer", false))];
    let told = text(&events);
    assert!(told.starts_with("app[7] was killed by SIGKILL, sent by killer[3]; its last call was pause()."), "{told}");
    let events = [killed(2, 7, 7, "app", libc::SIGALRM, sent(3, "other", true))];
    assert_eq!(text(&events), "app[7] was killed by SIGALRM: a timer of its own ran out.");
    let events = [killed(2, 7, 7, "app", 9, None)];
    assert_eq!(text(&events), "app[7] was killed by SIGKILL; who sent it is not in the record.");
}

fn of_unit(result: &str, active: Option<u64>, events: &[Event]) -> String {
    let cause = Cause::Unit { result: result.into(), status: None, active };
    of(&Dump { cause, taken: 60_000 * MILLI, ..Dump::default() }, &[], events).0.text
}

#[test]
fn what_systemd_ended_and_why() {
    let by = |pid, comm: &str| Some(Sent { pid, comm: name(comm), by_kernel: false, code: Some(0) });
    let died = |signo, sent| [call(1, 7, "app", Call::of("pause")), killed(4_000, 7, 7, "app", signo, sent)];
    let manager = by(1, "systemd");
    assert_eq!(
        of_unit("watchdog", Some(3_000 * MILLI), &died(libc::SIGABRT, manager)),
        "systemd's watchdog ended it after the unit had been active for 3.0 s: app[7] was killed by SIGABRT, sent by \
         systemd[1]; its last call was pause()."
    );
    // A user's, or a container's.
    assert_eq!(
        of_unit("timeout", Some(0), &died(libc::SIGTERM, by(55, "systemd"))),
        "A timeout of systemd ended it before the unit was active: app[7] was killed by SIGTERM, sent by systemd[55]; its \
         last call was pause()."
    );
    // Who ended by itself, or by another's signal, meanwhile, was not ended by that.
    let told = of_unit("timeout", None, &[exits(4_000, 7, "app", 1)]);
    assert_eq!(told, "A timeout of systemd ran out. app[7] exited with 1.");
    let told = of_unit("watchdog", None, &died(libc::SIGABRT, by(9, "gdb")));
    assert!(told.starts_with("systemd's watchdog ran out. app[7] was killed by SIGABRT, sent by gdb[9]"), "{told}");
    // The kernel has no part in what systemd-oomd does.
    let told = of_unit("oom-kill", None, &died(libc::SIGKILL, manager));
    assert!(told.starts_with("systemd says that the unit was short of memory (oom-kill). app[7]"), "{told}");
    let told = of_unit("signal", None, &died(libc::SIGTERM, manager));
    assert!(told.starts_with("app[7] was killed by SIGTERM, sent by systemd[1]; "), "{told}");
}

#[test]
fn what_was_asked_to_end_before_it_was_killed() {
    let by = |pid, comm: &str| Some(Sent { pid, comm: name(comm), by_kernel: false, code: Some(0) });
    let asked = |at, signo: i32, pid, comm: &str| {
        let (info, sender) = ("{}".into(), Some((pid, name(comm))));
        let signal = Signal { signo, name: crate::model::signal_name(signo).into(), info, stops: false, sender };
        event(at, 7, 7, "app", What::Signal(signal))
    };
    let killed_by =
        |asked: Event, pid, comm: &str| vec![asked, killed(4_000, 7, 7, "app", libc::SIGKILL, by(pid, comm))];
    let events = killed_by(asked(2_000, libc::SIGTERM, 1, "systemd"), 1, "systemd");
    assert_eq!(
        of_unit("timeout", Some(20_000 * MILLI), &events),
        "A timeout of systemd ended it after the unit had been active for 20.0 s: app[7] was killed by SIGKILL, sent by \
         systemd[1]: it had not ended 2.0 s after SIGTERM."
    );
    // By another process of the same runtime.
    let told = text(&killed_by(asked(1_000, libc::SIGQUIT, 8, "runc"), 9, "runc"));
    assert!(told.ends_with("sent by runc[9]: it had not ended 3.0 s after SIGQUIT from runc[8]."), "{told}");
    // By others, by itself, or to have it read its configuration: no such thing.
    for before in [
        asked(1_000, libc::SIGTERM, 8, "sh"),
        asked(1_000, libc::SIGHUP, 9, "runc"),
        call(1_000, 7, "app", Call::of("pause")),
    ] {
        let told = text(&killed_by(before, 9, "runc"));
        assert!(told.contains("sent by runc[9]") && !told.contains("had not ended"), "{told}");
    }
}

#[test]
fn a_death_whose_records_are_overwritten_is_not_taken_for_another() {
    let cause = Cause::Killed { pid: 7, comm: "app".into(), signal: libc::SIGSEGV, core: false };
    let dump = Dump { cause, taken: 300 * MILLI, ..Dump::default() };
    let events = [call(1, 7, "app", Call::of("getpid")), exits(280, 9, "other", 1)];
    assert_eq!(
        of(&dump, &[], &events).0.text,
        "app[7] was killed by SIGSEGV; the records of its end are not there; its last recorded call is \
         getpid(), 299 ms before the dump."
    );
    let told = of(&dump, &[], &events[1..]).0.text;
    assert_eq!(told, "app[7] was killed by SIGSEGV; the records of its end are not there.");
}

#[test]
fn which_memory_ran_out() {
    let end = Exit::Killed { signo: libc::SIGKILL, core: false, sent: None, why: Why::Memory };
    let events = [event(2, 7, 7, "app", What::Exit(end))];
    let told = |kills: &[(u32, &str, Memory)]| {
        let kill = |(pid, comm, memory): &(u32, &str, Memory)| OomKill {
            pid: *pid,
            comm: (*comm).to_owned(),
            memory: memory.clone(),
        };
        let dump = Dump { cause: Cause::Command, oom_kills: kills.iter().map(kill).collect(), ..Dump::default() };
        let text = of(&dump, &[], &events).0.text;
        text.strip_prefix("app[7] was killed by SIGKILL: the kernel's OOM killer chose it ").unwrap().to_owned()
    };
    let cgroup = |path: Option<&str>, limit, with_swap| Memory::Cgroup { path: path.map(Into::into), limit, with_swap };
    let limited = |memory| told(&[(7, "app", Memory::Machine), (7, "app", memory), (8, "app", Memory::Machine)]);
    assert_eq!(
        limited(cgroup(Some("/a"), Some(32 << 20), false)),
        "when cgroup /a was at its limit of 32 MiB for memory."
    );
    assert_eq!(
        limited(cgroup(Some("/a"), Some(32 << 20), true)),
        "when cgroup /a was at its limit of 32 MiB for memory and swap together."
    );
    assert_eq!(limited(cgroup(None, None, false)), "when a cgroup was at its limit for memory.");
    assert_eq!(told(&[(7, "app", Memory::Machine)]), "when the machine's memory ran out.");
    assert_eq!(told(&[(7, "app", Memory::Nodes)]), "when the memory of the NUMA nodes that could be used ran out.");
    // Of another process, or of who had the number before.
    for kills in [&[][..], &[(8, "app", Memory::Machine), (7, "other", Memory::Machine)]] {
        assert_eq!(
            told(kills),
            "when memory ran out; whether the machine's or what a cgroup may use is not in the record."
        );
    }
}

#[test]
fn what_was_looked_for_along_a_path() {
    let seek = |at, place: &str| call(at, 7, "sh", failed("newfstatat", place, libc::ENOENT));
    let mut events = vec![
        seek(1, "/usr/local/bin/frob"),
        seek(2, "/usr/bin/frob"),
        call(3, 7, "sh", says("sh: 1: frob: not found\n")),
    ];
    events.push(exits(4, 7, "sh", 127));
    assert!(
        text(&events).contains("frob was found in none of 2 places, /usr/bin/frob the last (ENOENT)"),
        "{}",
        text(&events)
    );
    // Found further on: no failure.
    let found = Call { outcome: Outcome::Returned { value: 0, text: "0".into() }, ..failed("execve", "/bin/frob", 0) };
    events.insert(2, call(2, 7, "sh", found));
    assert!(!text(&events).contains("places"), "{}", text(&events));
}

#[test]
fn a_connection_is_named_where_its_error_comes_later() {
    let address = "3, {sa_family=AF_INET, sin_port=htons(6392), sin_addr=inet_addr(\"127.0.0.1\")}, 16";
    let fd = || vec![crate::model::Argument { name: "fd", from: 0, to: 1, value: crate::model::Value::Signed(3) }];
    let connect = Call { text: address.into(), args: fd(), ..failed("connect", "", libc::EINPROGRESS) };
    let asked = Call {
        text: "3, SOL_SOCKET, SO_ERROR, [ECONNREFUSED], [4]".into(),
        args: fd(),
        outcome: Outcome::Returned { value: 0, text: "0".into() },
        ..Call::of("getsockopt")
    };
    let events = [call(1, 7, "app", connect), call(2, 7, "app", asked), exits(3, 7, "app", 1)];
    assert_eq!(
        text(&events),
        "app[7] exited with 1, 1.0 ms after connect to 127.0.0.1:6392 was refused (ECONNREFUSED)."
    );
}

#[test]
fn what_nobody_spoke_of_is_not_named_when_something_else_was_said() {
    let events = [
        call(1, 7, "app", failed("openat", "/etc/app.d/extra", libc::ENOENT)),
        call(2, 7, "app", says("ValueError: boom\n")),
        exits(3, 7, "app", 1),
    ];
    assert_eq!(text(&events), "app[7] exited with 1. It had said: `ValueError: boom`.");
}

#[test]
fn whoever_waits_is_named_and_not_who_waits_for_him() {
    let waits = |at, pid, comm: &str, name: &'static str| {
        let outcome = Outcome::InFlight { start_seen: true };
        let mut event = call(at, pid, comm, Call { outcome, ..Call::of(name) });
        event.end = u64::MAX;
        event
    };
    let events = [
        fork(1, 7, 8),
        waits(2, 7, "sh", "wait4"),
        waits(3, 8, "backup", "flock"),
        call(9_000, 9, "other", Call::of("getpid")),
    ];
    let dump = Dump { cause: Cause::Request, taken: 20_003 * MILLI, ..Dump::default() };
    let told = of(&dump, &[], &events).0.text;
    assert_eq!(told, "backup[8] waits for a lock: flock() for 20.0 s. One more thread waits.");
}

#[test]
fn who_waits_for_each_other_is_named_together() {
    let waits = |at, pid, tid, comm: &str| {
        let outcome = Outcome::InFlight { start_seen: true };
        let mut event = event(at, pid, tid, comm, What::Call(Call { outcome, ..Call::of("futex") }.into()));
        event.end = u64::MAX;
        event
    };
    let on = |tid, on, pid, whom| {
        let whom = vec![model::Process { tid: whom, pid, comm: "x".into() }];
        model::Wait { tid, on, whom, more: 0 }
    };
    let told = |events: &[Event], waits: Vec<model::Wait>| {
        let dump = Dump { cause: Cause::Request, taken: 20_003 * MILLI, waits, ..Dump::default() };
        let (summary, _) = of(&dump, &[], events);
        (summary.text, summary.events.len())
    };
    use model::WaitsOn::{FileLock, Mutex};
    let events = [waits(2, 7, 8, "a"), waits(3, 7, 9, "b"), waits(4, 7, 7, "main")];
    // The main thread waits for one of the two, and is not what it hangs on.
    let (text, rests_on) = told(&events, vec![on(7, Mutex, 7, 8), on(8, Mutex, 7, 9), on(9, Mutex, 7, 8)]);
    assert_eq!(
        text,
        "The threads a[8] and b[9] of main[7] wait for each other for 20.0 s: each for a mutex that the other one holds. \
         One more thread waits."
    );
    assert_eq!(rests_on, 2);
    let events = [waits(2, 7, 7, "a"), waits(2, 8, 8, "b"), waits(3, 9, 9, "c")];
    let (text, _) = told(&events, vec![on(7, FileLock, 8, 8), on(8, FileLock, 9, 9), on(9, FileLock, 7, 7)]);
    assert_eq!(
        text,
        "a[7], b[8] and c[9] wait for each other for 20.0 s: each for a lock of a file that the next one holds."
    );
    // One that gets its lock sooner or later is no deadlock.
    let (text, _) = told(&events, vec![on(7, FileLock, 8, 8), on(8, FileLock, 4, 4)]);
    assert!(!text.contains("each other"), "{text}");
}

#[test]
fn nothing_is_said_where_nothing_is_known() {
    assert_eq!(text(&[]), "The record shows no process that ended badly, and no call that waits.");
}

#[test]
fn what_the_kernel_looked_for_in_vain_is_named_where_it_refused_the_call() {
    let refused = |name, path, errno, denied: &[&'static str]| Call {
        denied: denied.iter().map(|name| (*name).into()).collect(),
        ..failed(name, path, errno)
    };
    for (call_, told) in [
        (
            refused("setuid", "", libc::EPERM, &["CAP_SETUID"]),
            "setuid() failed with EPERM (Operation not permitted), without CAP_SETUID",
        ),
        (
            refused("perf_event_open", "", libc::EACCES, &["CAP_PERFMON", "CAP_SYS_ADMIN"]),
            "perf_event_open() failed with EACCES (Permission denied), without CAP_PERFMON or CAP_SYS_ADMIN",
        ),
        // Its mode comes first there.
        (
            refused("openat", "/etc/shadow", libc::EACCES, &["CAP_DAC_READ_SEARCH", "CAP_DAC_OVERRIDE"]),
            "open of /etc/shadow failed with EACCES (Permission denied), by the permissions on its path and without \
             CAP_DAC_READ_SEARCH or CAP_DAC_OVERRIDE",
        ),
        (
            refused("openat", "/etc/shadow", libc::EACCES, &[]),
            "open of /etc/shadow failed with EACCES (Permission denied)",
        ),
    ] {
        let events = [call(1, 7, "app", call_), exits(3, 7, "app", 1)];
        assert_eq!(text(&events), format!("app[7] exited with 1, 2.0 ms after {told}."));
    }
}
