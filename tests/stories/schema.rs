//! Every line of JSON keeps to the schema that `explain --schema` prints.

use std::{collections::BTreeMap, fs};

use serde_json::{Value, json};
use traceloop::model::{
    Cause, Completeness, Container, Dump, Each, File, Files, Identity, LastCall, Loss, Pod, Process, Reach, Stretch,
    Wait, WaitsOn, Window,
};

use super::support::{dump_of, header, openat, signal, stderr, stdout, task, traceloop};

const SIGNAL: u8 = 3;
const KILL: u8 = 4;
const FORK: u8 = 5;
const EXEC: u8 = 6;
const EXIT: u8 = 7;
const COMM: u8 = 8;
const JOIN: u8 = 9;

fn validator() -> jsonschema::Validator {
    let schema = serde_json::from_str(&stdout(&traceloop(&["explain", "--schema"]))).expect("a JSON object");
    jsonschema::draft202012::meta::validate(&schema).expect("a JSON Schema");
    jsonschema::draft202012::new(&schema).expect("a JSON Schema")
}

/// The lines of a dump, each held against the schema.
fn lines(dump: Dump, records: &[Vec<u8>]) -> Vec<Value> {
    let place = tempfile::tempdir().expect("a directory");
    let file = place.path().join("a.dump");
    fs::write(&file, dump_of(dump, records)).expect("write a file");
    let output = traceloop(&["show", "--format", "json", file.to_str().expect("a path")]);
    assert!(output.status.success(), "{}", stderr(&output));
    let schema = validator();
    let lines: Vec<Value> = stdout(&output).lines().map(|line| serde_json::from_str(line).expect("JSON")).collect();
    for line in &lines {
        if let Err(error) = schema.validate(line) {
            panic!("{error} at {}: {line}", error.instance_path());
        }
    }
    lines
}

#[test]
fn every_type_of_line() {
    let second = 1_000_000_000;
    let gap = Completeness::Gap { records: 5, reason: "nobody was there".into() };
    let lines = lines(
        Dump {
            window: Window {
                lost: vec![Loss { count: 3, reason: "no room".into() }],
                stretches: vec![
                    Stretch { from: second, to: 4 * second + 1, state: Completeness::Complete },
                    Stretch { from: 4 * second + 1, to: 5 * second, state: gap },
                    Stretch { from: 5 * second, to: 9 * second, state: Completeness::InPart },
                ],
                left_out: 4,
                ..Window::default()
            },
            ..header()
        },
        &[
            task(JOIN, second, 7, [0; 3], b"sh"),
            openat("/etc/missing", 2 * second),
            task(FORK, 3 * second, 8, [7, 0, 0], b"sh"),
            task(EXEC, 4 * second, 8, [0, 8, 0], b"cat"),
            task(COMM, 5 * second, 8, [0; 3], b"dog"),
            signal(KILL, 6 * second, 7, 15, 8, b"sh"),
            signal(SIGNAL, 7 * second, 8, 9, 8, b""),
            task(EXIT, 8 * second, 8, [7, 0, 15], b"dog"),
            task(EXIT, 9 * second, 7, [1, 0, 3 << 8], b"sh"),
        ],
    );
    let types: Vec<_> = lines.iter().filter_map(|line| line["type"].as_str()).collect();
    let expected = ["dump", "join", "call", "fork", "exec", "gap", "rename", "signal", "exit", "exit", "loss"];
    assert_eq!(types, expected);
    assert_eq!((&lines[7]["signal"], &lines[7]["sender_pid"]), (&json!("SIGTERM"), &json!(7)));
    assert_eq!((&lines[8]["signal"], &lines[9]["status"]), (&json!("SIGTERM"), &json!(3)));
}

#[test]
fn what_is_not_utf_8_has_its_bytes_beside_it() {
    let records = [
        task(COMM, 1_000_000_000, 7, [0; 3], b"a\xff\n"),
        openat(b"/a\xff\xfe", 2_000_000_000),
        openat("/ü\n", 3_000_000_000),
    ];
    let lines = lines(header(), &records);
    let call = &lines[2];
    assert_eq!((&call["comm"], &call["comm_bytes"]), (&json!("a\\xff\\n"), &json!("Yf8K")));
    let path = &call["args"][1];
    assert_eq!(path["name"], "filename");
    assert_eq!((&path["value"], &path["bytes"]), (&json!("/a\u{fffd}\u{fffd}"), &json!("L2H//g==")));
    let path = &lines[3]["args"][1];
    assert_eq!((&path["value"], path.get("bytes")), (&json!("/ü\n"), None));
}

#[test]
fn all_that_a_dump_can_say_of_itself() {
    let causes = [
        Cause::Exit,
        Cause::Command,
        Cause::Ended,
        Cause::Replaced,
        Cause::Request,
        Cause::Unit { result: "signal".into(), status: Some(11), active: Some(u64::MAX) },
        Cause::Unit { result: "timeout".into(), status: None, active: None },
        Cause::Killed { pid: 7, comm: "a".into(), signal: 11, core: true },
        Cause::Status { pid: 7, comm: "a".into(), status: 3 },
        Cause::Call { tid: 7, rule: "openat=EACCES".into(), call: None },
        Cause::Call {
            tid: 7,
            rule: "openat=EACCES".into(),
            call: Some(Box::new(LastCall { tid: 7, pid: 7, ..LastCall::default() })),
        },
    ];
    let file = File { path: "/a".into(), deleted: true, device: Some("char 1:3".into()), ..File::default() };
    let files = Files { pid: 7, directory: Some(file.clone()), descriptors: vec![(3, file)] };
    let labels = BTreeMap::from([("app".to_owned(), "shop".to_owned())]);
    let container = Container {
        runtime: "podman".into(),
        id: "0123".into(),
        name: Some("web".into()),
        cgroup: "/a".into(),
        labels,
        ..Container::default()
    };
    let pod = Pod { uid: "u".into(), namespace: Some("shop".into()), ..Pod::default() };
    let identity = Identity {
        cgroup: "/a".into(),
        cgroup_id: u64::MAX,
        unit: Some("a.service".into()),
        user: Some(1000),
        slice: Some("system.slice".into()),
        invocation: Some("00".into()),
        container: Some(container),
        pod: Some(pod),
        outer: vec![Container { id: "box".into(), ..Container::default() }],
    };
    let whom = vec![Process { tid: 7, pid: 7, comm: "a".into() }];
    let on = [
        WaitsOn::Pipe { reads: true },
        WaitsOn::Socket,
        WaitsOn::FileLock,
        WaitsOn::Mutex,
        WaitsOn::Thread,
        WaitsOn::Child,
        WaitsOn::Descriptors(vec![3]),
    ];
    let waits: Vec<Wait> = on.into_iter().map(|on| Wait { tid: 7, on, whom: whom.clone(), more: 1 }).collect();
    for cause in causes {
        let window = Window {
            complete_from: Some(5),
            further: vec![Reach { cpu: 1, from: Some(3) }, Reach { cpu: 2, from: None }],
            ..Window::default()
        };
        let dump = Dump {
            cause,
            each: vec![Each { began: 1, window: window.clone() }, Each::default()],
            window,
            identities: vec![identity.clone(), Identity::default()],
            processes: vec![Process { tid: 7, pid: 7, comm: "a".into() }],
            waits: waits.clone(),
            followed: vec![Process { tid: 7, pid: 7, comm: "a".into() }],
            interfaces: BTreeMap::from([(1, "lo".to_owned())]),
            generic_families: BTreeMap::from([(16, "nlctrl".to_owned())]),
            files_before: vec![files.clone()],
            files: vec![files.clone()],
            ..header()
        };
        assert_eq!(lines(dump, &[]).len(), 1);
    }
}

#[test]
fn the_schema_refuses_what_is_none_of_ours() {
    let schema = validator();
    let call = json!({"type": "call", "ts": 1.5, "ts_ns": 1_500_000_000, "pid": 7, "tid": 7, "comm": "a", "syscall": "getpid", "nr": 39, "args": [], "ret": 7, "result": "7"});
    assert!(schema.is_valid(&call));
    for (field, value) in [
        ("type", json!("cal")),
        ("more", json!(1)),
        ("ts", json!("1.5")),
        ("nr", json!(1_u64 << 31)),
        ("in_flight", json!(false)),
        ("errno", json!("ENOENT")),
        ("args", json!([{"name": "a-b", "value": 1, "text": "1"}])),
        ("args", json!([{"name": "a", "value": null, "text": "1"}])),
        ("args", json!([{"name": "a", "value": 1, "bytes": "AA==", "text": "1"}])),
    ] {
        let mut wrong = call.clone();
        wrong[field] = value;
        assert!(!schema.is_valid(&wrong), "{wrong}");
    }
}
