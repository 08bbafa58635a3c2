use std::{
    ffi::CStr,
    sync::atomic::{AtomicU32, Ordering},
};

use super::{
    role::{self, Role},
    *,
};
use crate::{
    decode::{History, Style},
    model::{Block, Dump, Each, File, Identity, Module},
    render::{self, Format},
    syscall::{self, Abi},
    wire::{OwnedPiece, Part, Piece, inflight},
};

fn texts(list: &[&str]) -> Vec<String> {
    list.iter().map(|text| (*text).to_owned()).collect()
}

fn patterns(environment: &[&str], arguments: &[&str], paths: &[&str]) -> Patterns {
    Patterns::new(&texts(environment), &texts(arguments), &texts(paths), 32).unwrap()
}

static NEXT: AtomicU32 = AtomicU32::new(7);

fn record(name: &str, args: [u64; 6], nargs: u8, pieces: &[OwnedPiece]) -> Vec<u8> {
    let nr = syscall::number(Abi::X86_64, name).unwrap().into();
    // Calls in flight are each of another thread.
    let tid = NEXT.fetch_add(1, Ordering::Relaxed);
    let call = inflight { nr, tid, tgid: 7, args, entered: 1, ..Default::default() };
    wire::in_flight_record(&call, nargs, pieces)
}

/// The record as it is at the call's end.
fn ended(mut record: Vec<u8>, ret: i64) -> Vec<u8> {
    record[6..8].copy_from_slice(&[1, 0]);
    record[32..40].copy_from_slice(&ret.to_ne_bytes());
    record
}

fn item(arg: u8, text: &CStr) -> OwnedPiece {
    (arg, Part::PART_ITEM, Ok(text.to_bytes_with_nul().to_vec()))
}

fn data(arg: u8, bytes: &[u8]) -> OwnedPiece {
    (arg, Part::PART_DATA, Ok(bytes.to_vec()))
}

/// What a dump says after the rules, in strace's words, and the dump itself.
fn shown(redaction: &Redaction, cgroup: &str, records: &[Vec<u8>]) -> (String, Dump) {
    let identities = vec![Identity { cgroup: cgroup.into(), ..Identity::default() }];
    let dump = Dump { arch: "x86_64".into(), identities, ..Dump::default() };
    let recording = Recording { dump, blocks: vec![Block::of(None, 0, records.concat())] };
    let recording = redaction.apply(recording);
    let history = History::of(&recording, &Style::default()).unwrap();
    let mut out = Vec::new();
    render::dump(&mut out, Format::STRACE, &recording.dump, history.events()).unwrap();
    drop(history);
    (String::from_utf8(out).unwrap(), recording.dump)
}

fn execve() -> Vec<u8> {
    let argv = [c"mysql", c"--password", c"hunter2", c"-pgeheim", c"DB_PASSWORD=tr0ub4dor", c"HOME=/root"];
    let pieces: Vec<_> =
        std::iter::once(data(0, b"/usr/bin/mysql\0")).chain(argv.iter().map(|text| item(1, text))).collect();
    record("execve", [0x1000, 0x2000, 0x3000, 0, 0, 0], 3, &pieces)
}

#[test]
fn what_is_named_is_shown_as_taken_out() {
    let patterns = patterns(&["*PASSWORD*"], &[r"--password[= ](\S+)", r"\s-p(\S+)"], &[]);
    let redaction = Redaction::new([], patterns).unwrap();
    let (text, dump) = shown(&redaction, "/a", &[execve()]);
    let wanted = r#"["mysql", "--password", "<redacted>", "-p<redacted>", "DB_PASSWORD=<redacted>", "HOME=/root"]"#;
    assert!(text.contains(wanted), "{text}");
    assert_eq!(dump.redacted, ["3 values are shown as <redacted>"]);
    let told = render::window(&dump).join("\n");
    assert!(told.contains("redacted by the configuration: 3 values"), "{told}");
}

#[test]
fn without_rules_nothing_changes() {
    let before = execve();
    let redaction = Redaction::default();
    assert_eq!(redaction.records("/a", &before), None);
    let (text, dump) = shown(&redaction, "/a", &[before]);
    assert!(text.contains("hunter2") && dump.redacted.is_empty(), "{text}");
}

#[test]
fn paths_are_taken_out_wherever_they_stand() {
    let redaction = Redaction::new([], patterns(&[], &[], &["/etc/shadow", "**/id_*", "/run/secret.sock"])).unwrap();
    let address = [&1_u16.to_ne_bytes()[..], b"/run/secret.sock\0"].concat();
    let records = [
        record("openat", [0xffff_ff9c, 0x1000, 0, 0, 0, 0], 3, &[data(1, b"/etc/shadow\0")]),
        record("openat", [0xffff_ff9c, 0x1000, 0, 0, 0, 0], 3, &[data(1, b".ssh/id_rsa\0")]),
        record("openat", [0xffff_ff9c, 0x1000, 0, 0, 0, 0], 3, &[data(1, b"/etc/hosts\0")]),
        record("connect", [3, 0x1000, address.len() as u64, 0, 0, 0], 3, &[data(1, &address)]),
        ended(record("readlink", [0x1000, 0x2000, 100, 0, 0, 0], 3, &[data(0, b"/a\0"), data(1, b"/root/id_rsa")]), 12),
        record(
            "execve",
            [0x1000, 0x2000, 0, 0, 0, 0],
            3,
            &[data(0, b"/bin/cat\0"), item(1, c"cat"), item(1, c"/etc/shadow")],
        ),
    ];
    let (text, dump) = shown(&redaction, "/a", &records);
    assert_eq!(text.matches("<redacted>").count(), 5, "{text}");
    assert!(text.contains("/etc/hosts") && !text.contains("shadow") && !text.contains("id_rsa"), "{text}");
    assert!(!text.contains("secret.sock") && text.contains("AF_UNIX"), "{text}");
    assert_eq!(dump.redacted, ["5 values are shown as <redacted>"]);
    let file = |path: &str| File { path: path.into(), ..File::default() };
    let mut files = [Files {
        pid: 1,
        directory: Some(file("/")),
        descriptors: vec![(3, file("/etc/shadow")), (4, file("/dev/null"))],
    }];
    redaction.files(&mut files);
    assert_eq!(files[0].descriptors[0].1.path, "<redacted>");
    assert_eq!(files[0].descriptors[1].1.path, "/dev/null");
}

#[test]
fn files_that_stacks_lead_through_are_paths_too() {
    let redaction = Redaction::new([], patterns(&[], &[], &["/srv/secret/**"])).unwrap();
    let module = |number, path: &str| Module { number, build_id: Some("ab".repeat(20)), path: path.to_owned() };
    let modules = vec![module(1, "/usr/lib/libc.so.6"), module(2, "/srv/secret/plan-b"), module(3, "")];
    let dump = Dump { modules: modules.clone(), ..Dump::default() };
    let dump = redaction.apply(Recording { dump, blocks: Vec::new() }).dump;
    let paths: Vec<_> = dump.modules.iter().map(|module| module.path.as_str()).collect();
    assert_eq!(paths, ["/usr/lib/libc.so.6", "<redacted>", ""]);
    assert_eq!(dump.redacted, ["1 values are shown as <redacted>"]);
    let mut followed = modules;
    redaction.modules(&mut followed);
    assert_eq!(followed, dump.modules);
}

#[test]
fn contents_are_kept_as_the_first_rule_for_the_cgroup_says() {
    let rules = [
        (texts(&["vault.service"]), Payload::None),
        (texts(&["/kubepods/*"]), Payload::Head),
        (texts(&["*"]), Payload::Full),
    ];
    let redaction = Redaction::new(rules, Patterns::default()).unwrap();
    let long = [b'x'; 60];
    let iovec: Vec<u8> = [0x3000_u64, 60].iter().flat_map(|word| word.to_ne_bytes()).collect();
    let records = [
        record("write", [1, 0x1000, 60, 0, 0, 0], 3, &[data(1, &long)]),
        record("openat", [0xffff_ff9c, 0x1000, 0, 0, 0, 0], 3, &[data(1, b"/etc/hosts\0")]),
        record("writev", [1, 0x2000, 1, 0, 0, 0], 3, &[data(1, &iovec), (1, Part::PART_ITEM, Ok(long.to_vec()))]),
    ];
    let bytes = |cgroup: &str| {
        let all = redaction.records(cgroup, &records.concat());
        let all = all.unwrap_or_else(|| records.concat());
        assert_eq!(wire::records(&all).count(), 3);
        all.iter().filter(|byte| **byte == b'x').count()
    };
    assert_eq!(bytes("/system.slice/web.service"), 120);
    assert_eq!(bytes("/kubepods/pod1"), 2 * (HEAD + 1));
    assert_eq!(bytes("/system.slice/vault.service"), 0);
    let (text, dump) = shown(&redaction, "/system.slice/vault.service", &records);
    assert!(text.contains("write(1, 0x1000, 60") && text.contains("/etc/hosts"), "{text}");
    assert!(text.contains("iov_len=60"), "{text}");
    assert_eq!(dump.redacted, ["the contents of reads, writes and messages are not kept"]);
}

#[test]
fn of_several_cgroups_each_keeps_what_its_rule_says() {
    let rules = [(texts(&["vault.service"]), Payload::None)];
    let redaction = Redaction::new(rules, Patterns::default()).unwrap();
    let identity = |cgroup: &str| Identity { cgroup: cgroup.into(), ..Identity::default() };
    let wrote = record("write", [1, 0x1000, 60, 0, 0, 0], 3, &[data(1, &[b'x'; 60])]);
    let block = |whose| Block::of(None, whose, wrote.clone());
    let dump = Dump {
        identities: vec![identity("/system.slice/web.service"), identity("/system.slice/vault.service")],
        each: vec![Each::default(); 2],
        ..Dump::default()
    };
    let recording = redaction.apply(Recording { dump, blocks: vec![block(0), block(1)] });
    let held = |place: usize| recording.blocks[place].plain().unwrap().iter().filter(|byte| **byte == b'x').count();
    assert_eq!((held(0), held(1)), (60, 0));
    let told = "the contents of reads, writes and messages are not kept: /system.slice/vault.service";
    assert_eq!(recording.dump.redacted, [told]);
    // Where blocks do not tell whose they are, none keeps more than one of them may.
    let dump = Dump { each: Vec::new(), redacted: Vec::new(), ..recording.dump };
    let recording = redaction.apply(Recording { dump, blocks: vec![block(0), block(0)] });
    assert!(recording.blocks.iter().all(|block| !block.plain().unwrap().contains(&b'x')));
}

fn words(redaction: &Redaction, argv: &[&CStr]) -> String {
    let pieces: Vec<_> = std::iter::once(data(0, b"/bin/sh\0")).chain(argv.iter().map(|text| item(1, text))).collect();
    let (text, _) = shown(redaction, "/a", &[record("execve", [0x1000, 0x2000, 0x3000, 0, 0, 0], 3, &pieces)]);
    let from = text.find('[').unwrap();
    text[from..=text.find(']').unwrap()].to_owned()
}

#[test]
fn a_variable_is_one_wherever_it_stands_in_a_word() {
    let redaction = Redaction::new([], patterns(&["DB_PASSWORD", "*_TOKEN"], &[], &[])).unwrap();
    for (word, wanted) in [
        (c"--env=DB_PASSWORD=x", "--env=DB_PASSWORD=<redacted>"),
        (c"A=1 DB_PASSWORD=x B=y", "A=1 DB_PASSWORD=<redacted>"),
        (c"-eDB_PASSWORD=x", "-eDB_PASSWORD=<redacted>"),
        (c"a=b;'API_TOKEN=x y'", "a=b;'API_TOKEN=<redacted>"),
        (c"OLD_DB_PASSWORD=x", "OLD_DB_PASSWORD=x"),
        (c"API_TOKEN", "API_TOKEN"),
    ] {
        assert_eq!(words(&redaction, &[c"sh", word]), format!("[\"sh\", \"{wanted}\"]"));
    }
}

#[test]
fn a_path_is_one_as_a_part_of_a_word() {
    let redaction = Redaction::new([], patterns(&[], &[], &["/etc/shadow"])).unwrap();
    let argv = [c"--file=/etc/shadow", c"-f/etc/shadow", c"cat </etc/shadow >/a", c"/etc/shadow.old"];
    let wanted = r#"["--file=<redacted>", "-f<redacted>", "cat <<redacted> >/a", "/etc/shadow.old"]"#;
    assert_eq!(words(&redaction, &argv), wanted);
}

#[test]
fn of_what_was_cut_nothing_is_guessed() {
    let argv = [
        c"a-program-of-a-name-that-was-cut-",
        c"seen",
        c"--database-administrator-password",
        c"hunter2",
        c"--of-thirty-two-bytes-and-whole-",
        c"end",
    ];
    let cut = Redaction::new([], patterns(&[], &[r"--database-administrator-password-of-(\S+)"], &[])).unwrap();
    let wanted = r#"["<redacted>", "seen", "<redacted>", "<redacted>", "--of-thirty-two-bytes-and-whole-", "end"]"#;
    assert_eq!(words(&cut, &argv), wanted);
    // Values of variables are behind their names: what was cut off takes nothing of a name that is there.
    let variables = Redaction::new([], patterns(&["*PASSWORD*"], &[], &[])).unwrap();
    assert!(words(&variables, &argv).contains("hunter2"));
}

#[test]
fn paths_go_from_requests_attributes_and_structures_too() {
    let redaction = Redaction::new([], patterns(&[], &[], &["/srv/secret/**", "/run/secret.sock"])).unwrap();
    let path = b"/srv/secret/a";
    let mut info = vec![0; 232];
    info[56..56 + path.len()].copy_from_slice(path);
    let mut mounted = vec![0; 512];
    mounted.extend(b"ext4\0/srv/secret/disk\0/mnt\0");
    let records = [
        record("bpf", [7, 0x1000, 24, 0, 0, 0], 3, &[(1, Part::PART_FIRST, Ok([path, &b"\0"[..]].concat()))]),
        record("ioctl", [3, 0x4c04, 0x1000, 0, 0, 0], 3, &[data(2, &info)]),
        record("statmount", [0x1000, 0x2000, 600, 0, 0, 0], 4, &[data(1, &mounted)]),
        record("mount", [0x1000, 0x2000, 0x3000, 0, 0x4000, 0], 5, &[data(4, b"ro,lowerdir=/srv/secret/b\0")]),
    ];
    let bytes = redaction.records("/a", &records.concat()).unwrap();
    assert_eq!(wire::records(&bytes).count(), records.len());
    let text = String::from_utf8_lossy(&bytes);
    assert!(!text.contains("secret") && text.contains("ext4") && text.contains("/mnt"), "{text}");
    assert_eq!(text.matches("<redacted>").count(), 4, "{text}");
    let mut uring = vec![0; 152];
    uring[4..8].copy_from_slice(&[176, 0, wire::Kind::RECORD_URING.0, 0]);
    uring[70..72].copy_from_slice(&14_u16.to_ne_bytes());
    uring.extend([&path[..], &[0; 11]].concat());
    let bytes = redaction.records("/a", &uring).unwrap();
    let told = wire::records(&bytes).next().unwrap().uring().unwrap().path().map(<[u8]>::to_vec);
    assert_eq!(told.as_deref(), Some(&b"<redacted>"[..]));
}

#[test]
fn what_a_descriptor_stands_for_is_hidden_as_it_is_written() {
    let redaction = Redaction::new([], patterns(&[], &[], &["/srv/**", "/run/secret.sock"])).unwrap();
    let style = Style { descriptors: crate::decode::Descriptors::PATHS, ..Style::default() };
    let openat = ended(record("openat", [0xffff_ff9c, 0x1000, 0, 0, 0, 0], 3, &[data(1, b"/srv/secret\0")]), 3);
    let bytes = redaction.records("/a", &openat).unwrap();
    let recording =
        Recording { dump: Dump { arch: "x86_64".into(), ..Dump::default() }, blocks: vec![Block::of(None, 0, bytes)] };
    let history = History::of(&recording, &style).unwrap();
    let mut out = Vec::new();
    render::dump(&mut out, Format::STRACE, &recording.dump, history.events()).unwrap();
    let text = String::from_utf8(out).unwrap();
    assert!(text.contains("\"<redacted>\", O_RDONLY) = 3<<redacted>>"), "{text}");
}

#[test]
fn keys_are_contents_too() {
    let none = Redaction::new([(texts(&["*"]), Payload::None)], Patterns::default()).unwrap();
    let option = |level: i32, name: i32| {
        let args = [3, level as u64, name as u64, 0x1000, 40, 0];
        record("setsockopt", args, 5, &[data(3, &[b'k'; 40])])
    };
    let strings = [data(0, b"user\0"), data(1, b"name\0"), data(2, b"kkkk\0")];
    let secret = [
        option(libc::SOL_TCP, libc::TCP_MD5SIG),
        option(libc::SOL_TLS, 1),
        option(libc::SOL_ALG, libc::ALG_SET_KEY),
        record("request_key", [0x1000, 0x2000, 0x3000, 0, 0, 0], 4, &strings),
    ];
    for record in secret {
        let bytes = none.records("/a", &record).unwrap();
        assert_eq!(wire::records(&bytes).count(), 1);
        assert!(!bytes.contains(&b'k'), "{}", String::from_utf8_lossy(&bytes));
    }
    let congestion = option(libc::SOL_TCP, libc::TCP_CONGESTION);
    assert_eq!(none.records("/a", &congestion).unwrap(), congestion);
}

/// What the kernel side is told to copy where no contents are recorded has nothing that redaction takes for contents, and
/// what may be left out unit by unit is marked as contents.
#[test]
fn what_is_not_recorded_is_what_redaction_takes_out() {
    use syscall::plan::{self, Wanted};

    use crate::skel::types;
    use types::what as W;
    let vectors = [W::WHAT_IOVEC, W::WHAT_MESSAGE, W::WHAT_MESSAGES, W::WHAT_STRUCTS];
    // Where they are recorded of some units, the kernel side knows what they are.
    for payload in [false, true] {
        let mut plans = vec![types::plan::default(); 2048];
        let mut values = vec![types::case_value::default(); 4096];
        let (plans, values) = (plans.first_chunk_mut().unwrap(), values.first_chunk_mut().unwrap());
        plan::fill(plans, values, &Wanted { payload, ..Wanted::default() });
        let check = |name: &str, abi: Abi, args: &[syscall::Arg], plan: &types::plan| {
            let start = plan.enter[..plan.enter_grabs.into()].iter().map(|grab| (grab, Part::PART_START));
            for (grab, part) in plan.grab[..plan.grabs.into()].iter().map(|grab| (grab, grab.part)).chain(start) {
                let piece = Piece { arg: grab.arg, part, bytes: Ok(&[]) };
                let mut role = Role::default();
                let own = args.iter().filter(|arg| arg.index == grab.arg);
                own.for_each(|arg| role::see(&arg.kind, abi, &piece, &mut role));
                // Of vectors and messages the kernel side leaves out the buffers.
                let is_left_out = payload && (grab.contents != 0 || vectors.contains(&grab.what));
                assert!(!role.contents || is_left_out, "{name}: argument {} as {part:?}", grab.arg);
                assert!(!role.option || grab.flags.0 & types::grab_flag::GRAB_NO_KEY.0 != 0, "{name}");
            }
        };
        for compat in [false, true] {
            let (abi, base) = (Abi::native(compat), if compat { usize::from(syscall::NUMBERS) } else { 0 });
            for nr in 0..syscall::NUMBERS {
                let Some(row) = syscall::row(abi, i32::from(nr)) else { continue };
                let plan = &plans[base + usize::from(nr)];
                check(row.name, abi, row.args, plan);
                let Some(cases) = row.cases else { continue };
                for entry in &values[plan.first_case.into()..][..plan.cases.into()] {
                    let of = |case: &&syscall::Case| {
                        case.values.iter().any(|value| *value & u64::from(cases.mask) == u64::from(entry.value))
                    };
                    let case = cases.list.iter().find(of).unwrap();
                    check(row.name, abi, case.args, &plans[entry.plan as usize]);
                }
            }
        }
    }
}

/// Records of any bytes stay records, and what is taken out is gone.
#[test]
fn whatever_a_record_holds_it_stays_one() {
    use proptest::prelude::*;
    let patterns = patterns(&["*"], &["x+", r"(\S+)"], &["**"]);
    let redaction = Redaction::new([(texts(&["*"]), Payload::None)], patterns).unwrap();
    let memory = prop::collection::vec((0_u8..6, 0_u8..20, prop::collection::vec(any::<u8>(), 0..90)), 0..6);
    let mut runner = proptest::test_runner::TestRunner::new(ProptestConfig::with_cases(2000));
    runner
        .run(&(0_u16..480, prop::array::uniform6(any::<u64>()), memory), |(nr, args, pieces)| {
            let call = inflight { nr: nr.into(), args, ..Default::default() };
            let pieces: Vec<_> = pieces.into_iter().map(|(arg, part, bytes)| (arg, Part(part), Ok(bytes))).collect();
            let bytes = wire::in_flight_record(&call, 6, &pieces);
            let redacted = redaction.records("/a", &bytes).unwrap();
            let back: Vec<_> = wire::records(&redacted).collect();
            prop_assert_eq!(back.len(), 1);
            prop_assert_eq!(back[0].bytes().len(), redacted.len());
            Ok(())
        })
        .unwrap();
}
