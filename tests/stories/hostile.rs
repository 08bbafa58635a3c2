//! Dump files that were made to do harm, through every verb: a clear word, and bounded memory.

use std::{
    fs::{self, File},
    io::Write,
    path::{Path, PathBuf},
    process::{Command, Output, Stdio},
};

use traceloop::{
    decode,
    model::{Cause, Container, Counts, Dump, Ended, Identity, LastCall, LastWords, Loss, Module, Pod, Process, Window},
    store,
    wire::{self, Place},
};

use super::{
    stored::Dumps,
    support::{dump, dump_of, header, openat, recording_of, stderr, stdout},
};

/// A file that looks stored.
fn plant(dumps: &Dumps, n: u32, bytes: &[u8]) -> PathBuf {
    let path = dumps.directory().join(format!("20260101T000000.{n:06}Z-planted-exit-{n:012x}.dump"));
    fs::write(&path, bytes).expect("write a file");
    path
}

/// Runs a verb with at most so much memory.
fn within(mib: u32, args: &[&str]) -> Output {
    let limited = format!("ulimit -v {}; exec \"$0\" \"$@\"", mib * 1024);
    Command::new("sh")
        .args(["-c", &limited, env!("CARGO_BIN_EXE_traceloop")])
        .args(args)
        .stdin(Stdio::null())
        .output()
        .expect("run traceloop")
}

#[track_caller]
fn must_end_well(output: &Output, what: &str) {
    let code = output.status.code();
    assert!(matches!(code, Some(0 | 1)), "{what} ended with {:?}: {}", output.status, stderr(output));
    assert!(!stderr(output).contains("panicked"), "{what}: {}", stderr(output));
}

#[test]
fn garbage_of_any_size_is_told_and_removed() {
    let dumps = Dumps::new();
    dumps.store();
    let whole = dump(&[openat("/etc/missing", 2_000_002_500)]);
    let end = whole.len() - 40;
    let large: Vec<PathBuf> = [
        plant(&dumps, 1, b""),
        plant(&dumps, 2, b"x"),
        plant(&dumps, 3, b"traceloop\0\x01\0"),
        // Sparse files of 4 GiB: nothing, and nothing behind a good beginning.
        plant(&dumps, 4, b""),
        plant(&dumps, 5, &whole[..end]),
    ]
    .into();
    for path in &large[3..] {
        File::options().write(true).open(path).and_then(|file| file.set_len(4 << 30)).expect("make it large");
    }
    let directory = dumps.directory();
    let place = ["--directory", directory.to_str().expect("a path")];
    for verb in ["list", "info"] {
        for options in [&[][..], &["--json"]] {
            let output = within(400, &[&[verb], options, &place[..]].concat());
            assert!(output.status.success(), "{verb}: {}", stderr(&output));
            assert!(stdout(&output).contains("000000000004"), "{verb}: {}", stdout(&output));
        }
    }
    for path in &large {
        let output = within(400, &["show", path.to_str().expect("a path")]);
        assert_eq!(output.status.code(), Some(1), "{}", path.display());
        assert_eq!(stderr(&output).lines().count(), 1, "{}: {}", path.display(), stderr(&output));
    }
    let shown = within(400, &["show", "--format", "strace", large[4].to_str().expect("a path")]);
    assert!(stderr(&shown).contains("is damaged behind"), "{}", stderr(&shown));
    let output = within(400, &[&["vacuum", "--max-age", "0s"], &place[..]].concat());
    assert_eq!(stdout(&output).lines().count(), 5, "{}{}", stdout(&output), stderr(&output));
}

#[test]
fn a_dump_cut_at_any_byte_is_told_by_every_verb() {
    let dumps = Dumps::new();
    dumps.store();
    let recording = decode::summed_up(recording_of(header(), &[openat("/etc/missing", 2_000_002_500)]));
    let mut whole = Vec::new();
    store::write(&mut whole, &recording).expect("write a dump");
    for length in 0..=whole.len() {
        plant(&dumps, u32::try_from(length).expect("a small file"), &whole[..length]);
    }
    let list = stdout(&dumps.run(&["list", "-q"]));
    assert_eq!(list.lines().count(), whole.len() + 1);
    let sound = list.lines().filter(|line| !line.contains(" torn") && !line.contains(" unreadable")).count();
    assert_eq!(sound, 1, "{list}");
    let info = stdout(&dumps.run(&["info"]));
    assert_eq!(info.matches(" ID: ").count(), whole.len() + 1);
    assert!(info.contains("its end is missing") && info.contains("this is not a traceloop dump"), "{info}");
    for length in 0..whole.len() {
        match store::read(&whole[..length]) {
            Ok((_, damage)) => assert!(damage.is_some(), "{length} bytes"),
            Err(error) => assert!(!format!("{error:#}").is_empty()),
        }
    }
    for length in (0..whole.len()).step_by(37) {
        let id = format!("{length:012x}");
        for verb in ["show", "export"] {
            must_end_well(&dumps.run(&[verb, &id]), verb);
        }
        let output = dumps.run(&["show", &id]);
        assert_eq!(output.status.code(), Some(1), "{length} bytes: {}", stdout(&output));
    }
    let output = dumps.run(&["delete", "--since", "2025-12-31"]);
    assert_eq!(stdout(&output).lines().count(), whole.len() + 1);
}

/// A header in which every text drives the terminal, and every number lies.
fn lies() -> Dump {
    let bad = || "\u{1b}[2J\u{9b}31m\u{202e}\r\nx\u{7}".to_owned();
    let last_call = || LastCall { start: u64::MAX, tid: u32::MAX, pid: 0, comm: bad(), text: bad() };
    let ended = Ended {
        comm: bad(),
        signal: Some(i32::MIN),
        info: Some(bad()),
        last_call: Some(bad()),
        pid: 7,
        ..Ended::default()
    };
    Dump {
        id: Some(bad()),
        traceloop: bad(),
        host: bad(),
        boot_id: bad(),
        kernel: bad(),
        arch: bad(),
        clock_offset: i64::MIN,
        taken: u64::MAX,
        began: u64::MAX,
        cgroups: vec![bad()],
        identities: vec![Identity {
            cgroup: bad(),
            unit: Some(bad()),
            slice: Some(bad()),
            invocation: Some(bad()),
            container: Some(Container { id: bad(), name: Some(bad()), image: Some(bad()), ..Container::default() }),
            pod: Some(Pod { uid: bad(), namespace: Some(bad()), name: Some(bad()), container: Some(bad()) }),
            ..Identity::default()
        }],
        cause: Cause::Killed { pid: u32::MAX, comm: bad(), signal: i32::MAX, core: true },
        window: Window {
            complete_from: Some(0),
            lost: vec![Loss { count: u64::MAX, reason: bad() }, Loss { count: u64::MAX, reason: bad() }],
            records: u64::MAX,
            overwritten: u64::MAX,
            ..Window::default()
        },
        counts: Some(Counts { calls: u64::MAX, failed: u64::MAX, first: u64::MAX, last: 0 }),
        last_words: Some(LastWords {
            in_flight: vec![last_call()],
            more_in_flight: usize::MAX,
            failed: vec![last_call()],
            ended: vec![ended],
            more_ended: usize::MAX,
            programs: vec![bad()],
        }),
        processes: vec![Process { tid: 7, pid: 7, comm: bad() }],
        interfaces: [(1, bad())].into(),
        generic_families: [(1, bad())].into(),
        ..Dump::default()
    }
}

#[test]
fn a_header_that_lies_harms_nobody() {
    let dumps = Dumps::new();
    dumps.store();
    for (n, mutate) in [
        |_: &mut Dump| {},
        |dump: &mut Dump| dump.clock_offset = i64::MAX,
        |dump: &mut Dump| (dump.taken, dump.began) = (0, u64::MAX),
        |dump: &mut Dump| dump.cause = Cause::Call { tid: 0, rule: "\u{1b}]0;x\u{7}".into(), call: None },
        |dump: &mut Dump| {
            dump.cause = Cause::Unit { result: "\u{1b}c".into(), status: Some(i32::MIN), active: Some(u64::MAX) }
        },
        |dump: &mut Dump| dump.identities.clear(),
        |dump: &mut Dump| dump.last_words = None,
    ]
    .into_iter()
    .enumerate()
    {
        let mut header = lies();
        mutate(&mut header);
        let n = u32::try_from(n).expect("a small number");
        plant(&dumps, n, &dump_of(header, &[openat("/\u{1b}[2J", 2_000_002_500)]));
    }
    let mut told = Vec::new();
    for args in [&["list"][..], &["list", "--json"], &["info"], &["info", "--json"]] {
        told.push(dumps.run(args));
    }
    for n in 1..=7 {
        let nth = format!("-{n}");
        for format in ["text", "strace", "json", "summary"] {
            told.push(dumps.run(&["show", "--format", format, &nth]));
        }
        let page = dumps.run(&["show", "--format", "html", &nth]);
        assert!(stdout(&page).contains(&format!("\"lost\":{},", u64::MAX)));
        told.push(page);
        // What is no text has no terminal to act on.
        must_end_well(&dumps.run(&["show", "--format", "perfetto", &nth]), "show");
        told.push(dumps.run(&["export", &nth, "--format", "text"]));
    }
    told.push(dumps.run(&["list", "REASON=\u{1b}"]));
    told.push(dumps.run(&["delete", "--since", "2025-12-31"]));
    for output in told {
        must_end_well(&output, "a verb");
        for text in [stdout(&output), stderr(&output)] {
            let acts = |char: &char| traceloop::model::acts(*char) && *char != '\n';
            assert!(!text.chars().any(|char| acts(&char)), "{text:?}");
        }
    }
}

#[test]
fn a_stored_dump_that_changes_while_it_is_read_does_no_harm() {
    let dumps = Dumps::new();
    dumps.store();
    let whole = dump(&[openat("/etc/missing", 2_000_002_500)]);
    let path = plant(&dumps, 1, &whole);
    let shaken = std::thread::spawn(move || shake(&path, &whole));
    while !shaken.is_finished() {
        for verb in ["list", "info", "show"] {
            must_end_well(&dumps.run(&[verb]), verb);
        }
    }
    shaken.join().expect("shake the file");
}

fn shake(path: &Path, whole: &[u8]) {
    for n in 0..200 {
        let file = File::options().write(true).truncate(n % 2 == 0).open(path);
        let _ = file.and_then(|mut file| file.write_all(&whole[..whole.len() * (n % 10) / 10]));
        std::thread::sleep(std::time::Duration::from_millis(2));
    }
}

/// Stacks whose files are devices, pipes, other files, or none at all: nothing of them is opened that is no plain file.
#[test]
fn stacks_through_files_that_are_none_end_well() {
    let place = tempfile::tempdir().expect("a directory");
    let pipe = place.path().join("pipe");
    nix::unistd::mkfifo(&pipe, nix::sys::stat::Mode::S_IRWXU).expect("make a pipe");
    let garbage = place.path().join("garbage");
    fs::write(&garbage, b"\x7fELF\x02\x01\x01garbage").expect("write a file");
    let own = std::env::current_exe().expect("this program");
    let paths = [
        pipe.to_string_lossy().into_owned(),
        garbage.to_string_lossy().into_owned(),
        own.to_string_lossy().into_owned(),
        "/dev/zero".to_owned(),
        "/proc/self/mem".to_owned(),
        "../relative".to_owned(),
        String::new(),
        "/a\u{1b}[2Jb\nc".to_owned(),
    ];
    let ids = [None, Some("ab".repeat(20)), Some("../../x".to_owned()), Some(String::new())];
    let modules = paths.iter().flat_map(|path| ids.iter().map(move |id| (path.clone(), id.clone())));
    let modules = modules.zip(1..).map(|((path, build_id), number)| Module { number, build_id, path });
    let boot_id = fs::read_to_string("/proc/sys/kernel/random/boot_id").expect("the boot's id").trim().to_owned();
    let header = Dump { modules: modules.collect(), boot_id, stacks: Some("\u{1b}all".into()), ..header() };
    let mut records = Vec::new();
    for number in 0..40_u16 {
        let time = 2_000_000_000 + u64::from(number) * 10_000;
        let frames = [0, 1, 0xffff_ffff_ffff].map(|offset| Place::Module(number, offset));
        records.push(wire::stack_record(7, time, &frames, Some(Place::Module(number, 77)), b"[<0>] a\x1b[2J\nb\n"));
        records.push(openat("/etc/missing", time + 2_500));
    }
    let file = place.path().join("dump");
    fs::write(&file, dump_of(header, &records)).expect("write a dump");
    for format in ["text", "strace", "json", "html", "perfetto"] {
        let output = within(400, &["show", "--format", format, file.to_str().expect("a path")]);
        assert!(output.status.success(), "{format}: {}", stderr(&output));
        assert!(!stderr(&output).contains('\u{1b}'), "{format}");
        // Perfetto's traces are no text.
        assert!(format == "perfetto" || !stdout(&output).contains('\u{1b}'), "{format}");
        assert!(format != "text" || stdout(&output).contains("() [0x1]"), "{}", stdout(&output));
    }
}
