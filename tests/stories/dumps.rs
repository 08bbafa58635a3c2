//! A dump file is read on any machine, also when it is torn, foreign or hostile.

use std::fs;

use super::support::{dump, openat, openat_by, reading, stderr, stdout, task, traceloop, writing};

/// Writes a file and shows it.
fn shown(bytes: &[u8], options: &[&str]) -> std::process::Output {
    let place = tempfile::tempdir().expect("a directory");
    let file = place.path().join("a.dump");
    fs::write(&file, bytes).expect("write a file");
    traceloop(&[&["show"], options, &[file.to_str().expect("a path")]].concat())
}

#[test]
fn a_dump_reads_like_strace() {
    let output = shown(&dump(&[openat("/etc/missing", 2_000_002_500)]), &["--format", "strace"]);
    let line = r#"7     1700000002.000000 openat(AT_FDCWD, "/etc/missing", O_RDONLY) = -1 ENOENT (No such file or directory) <0.000002>"#;
    assert!(output.status.success(), "{}", stderr(&output));
    assert_eq!(stdout(&output).lines().next(), Some(line));
}

#[test]
fn every_line_of_json_is_an_object() {
    let output = shown(&dump(&[openat("/a\x1b[31m\n\"b", 2_000_002_500)]), &["--format", "json"]);
    let text = stdout(&output);
    let lines: Vec<serde_json::Value> =
        text.lines().map(|line| serde_json::from_str(line).expect("an object")).collect();
    assert_eq!(lines[0]["type"], "dump");
    assert_eq!((&lines[1]["type"], &lines[1]["errno"]), (&"call".into(), &"ENOENT".into()));
    let file = dump(&[openat("/a\x1b[31m\n\"b", 2_000_002_500)]);
    assert_eq!(stdout(&shown(&file, &["--json"])), text);
    let pretty = stdout(&shown(&file, &["--json=pretty"]));
    let objects =
        serde_json::Deserializer::from_str(&pretty).into_iter().collect::<Result<Vec<serde_json::Value>, _>>();
    assert_eq!(objects.expect("objects"), lines);
    assert!(pretty.lines().count() > 20 && !pretty.contains('\x1b'), "{pretty}");
    assert_eq!(shown(&file, &["--json", "--format", "text"]).status.code(), Some(2));
}

#[test]
fn control_characters_do_not_reach_the_terminal() {
    let file = dump(&[openat("/a\x1b[31mred\n", 2_000_002_500)]);
    for format in ["text", "strace", "json"] {
        let output = shown(&file, &["--format", format]);
        assert!(!output.stdout.contains(&0x1b), "{format}: {}", stdout(&output));
    }
}

#[test]
fn a_torn_dump_shows_what_stands_before_the_tear() {
    let file = dump(&[openat("/etc/missing", 2_000_002_500)]);
    let output = shown(&file[..file.len() - 10], &["--format", "strace"]);
    assert_eq!(output.status.code(), Some(1));
    assert!(stdout(&output).contains("/etc/missing"));
    assert!(stderr(&output).contains("the dump is damaged"), "{}", stderr(&output));
}

#[test]
fn what_is_no_dump_is_told_in_one_line() {
    for bytes in [&b""[..], b"x", b"traceloop\0", &[0xff; 5000], b"traceloop\0\xff\xff"] {
        let output = shown(bytes, &[]);
        assert_eq!(output.status.code(), Some(1));
        assert_eq!(stderr(&output).lines().count(), 1, "{}", stderr(&output));
    }
    let output = traceloop(&["show", "/nonexistent.dump"]);
    assert!(stderr(&output).contains("show /nonexistent.dump: No such file"), "{}", stderr(&output));
}

#[test]
fn only_what_is_asked_for_is_shown() {
    let file = dump(&[openat("/one", 2_000_002_500), openat("/two", 3_000_002_500)]);
    let lines = |options: &[&str]| {
        let output = shown(&file, &[&["--format", "strace"], options].concat());
        stdout(&output).matches("openat(").count()
    };
    assert_eq!(lines(&[]), 2);
    assert_eq!(lines(&["-n", "1"]), 1);
    assert_eq!(lines(&["-e", "trace=!openat"]), 0);
    assert_eq!(lines(&["-z"]), 0);
    assert_eq!(lines(&["-Z"]), 2);
    assert_eq!(lines(&["-P", "/two"]), 1);
    assert_eq!(lines(&["--duration", "1s"]), 0);
}

#[test]
fn a_dump_file_is_whole_or_the_choice_is_refused() {
    let place = tempfile::tempdir().expect("a directory");
    let (file, copy) = (place.path().join("a.dump"), place.path().join("copy"));
    fs::write(&file, dump(&[openat("/one", 2_000_002_500)])).expect("write a file");
    let (file, to) = (file.to_str().expect("a path"), copy.to_str().expect("a path"));
    for choice in [
        &["-Z"][..],
        &["-n", "1"],
        &["-e", "openat"],
        &["--duration", "1s"],
        &["--last", "1s"],
        &["--tid", "7"],
        &["--pid", "7"],
        &["--comm", "cat"],
        &["--errno", "ENOENT"],
        &["--fd", "3"],
        &["-P", "/one"],
        &["-C"],
    ] {
        let output = traceloop(&[&["show", "--format", "raw", "-o", to, file], choice].concat());
        assert_eq!(output.status.code(), Some(2), "{choice:?}");
        assert!(stderr(&output).contains(&format!("for {} give --format text", choice[0])), "{}", stderr(&output));
        assert!(!copy.exists(), "{choice:?}");
    }
    // What is not about calls takes nothing away.
    assert!(traceloop(&["show", "--format", "raw", "-o", to, "-y", "-qq", file]).status.success());
    assert!(stdout(&traceloop(&["show", to])).contains("/one"));
}

#[test]
fn what_is_followed_says_what_it_cannot_do() {
    for (option, instead) in [
        (&["-n", "1"][..], "traceloop dump takes it"),
        (&["--last", "1s"], "traceloop dump takes it"),
        (&["--since", "10:00"], "traceloop dump takes it"),
        (&["--format", "html"], "traceloop dump takes it"),
        (&["--format", "raw"], "traceloop dump takes it"),
    ] {
        let output = traceloop(&[&["follow", "x", "--socket", "/nonexistent"], option].concat());
        assert_eq!(output.status.code(), Some(2), "{option:?}");
        assert!(stderr(&output).contains(instead), "{}", stderr(&output));
        assert!(!stderr(&output).contains("--dump-on-exit"), "{}", stderr(&output));
    }
    let output = traceloop(&["cgroups", "-n", "1", "/nonexistent"]);
    assert!(stderr(&output).contains("give --dump-on-exit"), "{}", stderr(&output));
}

#[test]
fn calls_are_chosen_by_process_name_error_and_descriptor() {
    let bare = |tid| [tid, 0, 0];
    let named = |tid, comm: &[u8]| task(8, 1_000_000_000, tid, bare(tid), comm);
    let file = dump(&[
        named(7, b"cat"),
        named(8, b"worker-1"),
        task(6, 1_000_000_001, 9, bare(9), b"idle"),
        openat_by(7, "/one", 2_000_002_500, 2_500),
        openat_by(8, "/two", 3_000_002_500, 900_000_000),
        reading(9, 4_000_000_000),
        task(7, 5_000_000_000, 7, bare(7), b"cat"),
        task(7, 5_000_000_001, 8, bare(8), b"worker-1"),
    ]);
    let calls = |options: &[&str]| {
        let output = shown(&file, &[&["--format", "strace"], options].concat());
        assert!(output.status.success(), "{options:?}: {}", stderr(&output));
        let text = stdout(&output);
        (text.matches("openat(").count(), text.matches("read(").count(), text.matches("+++ exited").count())
    };
    assert_eq!(calls(&[]), (2, 1, 2));
    assert_eq!(calls(&["--comm", "cat"]), (1, 0, 1));
    assert_eq!(calls(&["--comm", "work*", "--comm", "idle"]), (1, 1, 1));
    assert_eq!(calls(&["--pid", "8"]), (1, 0, 1));
    assert_eq!(calls(&["--pid", "!8"]), (1, 1, 1));
    assert_eq!(calls(&["--errno", "ENOENT"]), (2, 0, 2));
    assert_eq!(calls(&["--errno", "!ENOENT"]), (0, 0, 0));
    assert_eq!(calls(&["--fd", "5"]), (0, 1, 0));
    assert_eq!(calls(&["-e", "fd=4"]), (0, 0, 0));
    let condition = r#"comm == "worker-1" && errno == "ENOENT" && path.startsWith("/tw")"#;
    assert_eq!(calls(&["--where", condition]), (1, 0, 0));
    assert_eq!(calls(&["--where", "duration_ns > 1000000", "--where", "tid == 7"]), (0, 0, 0));
    assert_eq!(calls(&["--where", r#"comm.matches("^(cat|idle)$") && type != "exit""#]), (1, 1, 0));
    assert_eq!(calls(&["--where", "5 in fds"]), (0, 1, 0));
    assert_eq!(calls(&["--where", r#"errno != "EACCES""#]), (2, 0, 0), "what did not fail has no error");
    assert_eq!(calls(&["--where", r#"args.exists(arg, arg.name == "filename" && arg.value == "/one")"#]), (1, 0, 0));
    assert_eq!(calls(&["--duration", "500ms"]), (1, 0, 1), "who made no such call is not heard of");
}

#[test]
fn a_condition_means_the_same_to_every_verb_and_is_refused_by_each() {
    let place = tempfile::tempdir().expect("a directory");
    let path = place.path().join("a.dump");
    fs::write(&path, dump(&[openat("/one", 2_000_002_500), openat("/two", 3_000_002_500)])).expect("write a file");
    let (file, nowhere) = (path.to_str().expect("a path"), place.path().join("nothing"));
    let nowhere = nowhere.to_str().expect("a path");
    let one = ["--where", r#"path == "/one""#];
    let said = |args: &[&str]| stdout(&traceloop(&[args, &one].concat()));
    assert_eq!(said(&["show", "--format", "strace", file]).matches("openat(").count(), 1);
    assert_eq!(said(&["export", "--format", "json", file]).matches("\"syscall\":\"openat\"").count(), 1);
    assert!(said(&["stats", "--json", file]).contains("\"calls\":1"), "{}", said(&["stats", "--json", file]));
    assert_eq!(traceloop(&["diff", file, file, one[0], one[1]]).status.code(), Some(0));
    let raw = traceloop(&["export", "-o", nowhere, file, one[0], one[1]]);
    assert!(stderr(&raw).contains("for --where give --format text"), "{}", stderr(&raw));
    for verb in [
        &["show", nowhere][..],
        &["export", "--format", "json", nowhere],
        &["stats", nowhere],
        &["diff", nowhere, nowhere],
        &["dump", "x", "--socket", nowhere],
        &["follow", "x", "--socket", nowhere],
        &["cgroups", "--dump-on-exit", nowhere],
        &["run", "--", nowhere],
    ] {
        let refused = traceloop(&[&verb[..1], &["--where", r#"pid == 7 && command == "cat""#], &verb[1..]].concat());
        let said = stderr(&refused);
        assert!(refused.status.code() == Some(2) && said.contains("at 13 (\"command == "), "{verb:?}: {said}");
        assert!(said.contains("no field \"command\"; it has type, pid") && !said.contains("No such file"), "{said}");
    }
}

#[test]
fn what_was_read_is_dumped_and_arguments_are_numbers_as_strace_does() {
    let file = dump(&[openat("/one", 2_000_002_500), writing(b"hello world, this is\n", 36, 3_000_000_000)]);
    let lines = stdout(&shown(&file, &["--format", "strace", "-e", "raw=openat"]));
    assert!(lines.contains("openat(0xffffff9c, 0x7fff0000, 0, 0) = -1 ENOENT (No such file"), "{lines}");
    for format in ["text", "strace"] {
        let lines = stdout(&shown(&file, &["--format", format, "-e", "write=1"]));
        let dumped =
            " | 00000  68 65 6c 6c 6f 20 77 6f  72 6c 64 2c 20 74 68 69  hello world, thi |\n | 00010  73 20 69 73 0a ";
        assert!(lines.contains(&format!(" = 36 <0.000002>\n{dumped}")), "{lines}");
        assert!(lines.contains(" | 21 of 36 bytes were recorded: see --string-limit |\n"), "{lines}");
    }
    assert!(!stdout(&shown(&file, &["-e", "read=1", "-e", "write=!1"])).contains(" | "));
    let recorded = traceloop(&["cgroups", "--syscalls", "read@x32", "/nonexistent"]);
    assert!(stderr(&recorded).contains("x32 calls are not told apart"), "{}", stderr(&recorded));
    assert_eq!(shown(&file, &["-e", "inject=read:error=EIO"]).status.code(), Some(2));
}

#[test]
fn a_dump_becomes_one_page_that_asks_nobody() {
    let output = shown(&dump(&[openat("/etc/</script><script>", 2_000_002_500)]), &["--format", "html"]);
    let page = stdout(&output);
    assert!(output.status.success(), "{}", stderr(&output));
    assert!(page.starts_with("<!doctype html>") && page.ends_with("</html>\n"));
    assert!(page.contains(r"/etc/\u003c/script>\u003cscript>") && !page.contains("/etc/<"), "{page}");
    assert!(!page.contains("://"), "the page names an address");
    let events: Vec<serde_json::Value> = page
        .split(r#"<script type="application/json" class="events">"#)
        .skip(1)
        .map(|rest| serde_json::from_str(rest.split("</script>").next().expect("an end")).expect("columns"))
        .collect();
    assert_eq!(events[0]["start"], serde_json::json!([1_000_000_000]));
    assert_eq!(events[0]["length"], serde_json::json!([2_500]));
}

/// protoc reads the bytes without knowing our messages.
#[test]
fn perfetto_is_protobuf_with_a_slice_for_the_call() {
    use std::{io::Write, process::Stdio};
    let output = shown(&dump(&[openat("/etc/missing", 2_000_002_500)]), &["--format", "perfetto"]);
    assert!(output.status.success(), "{}", stderr(&output));
    let mut protoc = std::process::Command::new("protoc")
        .arg("--decode_raw")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("protoc, of protobuf-compiler");
    protoc.stdin.take().expect("a pipe").write_all(&output.stdout).expect("write to protoc");
    let text = stdout(&protoc.wait_with_output().expect("protoc ends"));
    // TracePacket.timestamp, TrackEvent.type of a beginning and of an end, and the interned name.
    for word in ["  8: 2000000000\n", "  8: 2000002500\n", "    9: 1\n", "    9: 2\n", "\"openat\"", "ENOENT"] {
        assert!(text.contains(word), "{word:?} is not in:\n{text}");
    }
}

#[test]
fn two_runs_are_compared_by_what_they_did() {
    let place = tempfile::tempdir().expect("a directory");
    let file = |name: &str, records: &[Vec<u8>]| {
        let file = place.path().join(name);
        fs::write(&file, dump(records)).expect("write a file");
        file.to_str().expect("a path").to_owned()
    };
    let good = file("good", &[openat("/one", 2_000_002_500)]);
    let later = file("later", &[openat("/one", 5_000_002_500), openat("/one", 6_000_002_500)]);
    let bad = file("bad", &[openat("/one", 2_000_002_500), openat("/two", 3_000_002_500)]);
    let same = traceloop(&["diff", &good, &later]);
    assert_eq!(same.status.code(), Some(0), "{}", stdout(&same));
    let output = traceloop(&["diff", &good, &bad]);
    assert_eq!(output.status.code(), Some(1));
    let told: serde_json::Value =
        serde_json::from_str(&stdout(&traceloop(&["diff", "--json", &good, &bad]))).expect("an object");
    assert_eq!((&told["only"], &told["b"]["times"], &told["a"]), (&"b".into(), &1.into(), &().into()), "{told}");
    assert_eq!(traceloop(&["diff", "--json", &good, &later]).status.code(), Some(0));
    let only: Vec<_> = stdout(&output).lines().filter(|line| line.starts_with("+  ")).map(str::to_owned).collect();
    assert_eq!(only.len(), 1);
    assert!(only[0].ends_with(r#"openat(AT_FDCWD, "/two", O_RDONLY) = ENOENT"#), "{only:?}");
    assert_eq!(traceloop(&["diff", &good, "/nonexistent"]).status.code(), Some(2));
}

#[test]
fn a_dump_becomes_a_table_for_parquets_readers() {
    use parquet::{file::reader::FileReader, record::RowAccessor};
    let place = tempfile::tempdir().expect("a directory");
    let (file, table) = (place.path().join("a.dump"), place.path().join("a.parquet"));
    let records = [openat("/one", 2_000_002_500), writing(b"x", 1, 3_000_000_000), reading(9, 4_000_000_000)];
    fs::write(&file, dump(&records)).expect("write a file");
    let (file, to) = (file.to_str().expect("a path"), table.to_str().expect("a path"));
    let output = traceloop(&["export", "--format", "parquet", "-o", to, file]);
    assert!(output.status.success(), "{}", stderr(&output));
    let opened = fs::File::open(&table).expect("a table");
    let reader = parquet::file::reader::SerializedFileReader::new(opened).expect("Parquet");
    let about = reader.metadata().file_metadata().key_value_metadata().expect("metadata");
    let about = about.iter().find(|about| about.key == "traceloop.dump").and_then(|about| about.value.clone());
    assert!(about.is_some_and(|about| about.contains("\"host\":\"elsewhere\"")));
    let rows: Vec<_> = reader.get_row_iter(None).expect("rows").map(|row| row.expect("a row")).collect();
    let texts = |column: usize| -> Vec<Option<&str>> {
        rows.iter().map(|row| row.get_string(column).ok().map(|text| text.as_str())).collect()
    };
    assert_eq!(texts(7), [Some("openat"), Some("write"), Some("read")]);
    assert_eq!(texts(11), [Some("ENOENT"), None, None]);
    assert_eq!((rows[1].get_long(10).ok(), rows[1].get_int(5).is_ok()), (Some(1), true));
    assert_eq!((rows[0].get_long(13).ok(), rows[2].get_long(13).ok()), (Some(2_500), None));
    // As a number or as a moment: that is up to its readers.
    let begun = rows[0].to_string();
    assert!(begun.contains("1700000002000000000") || begun.contains("2023-11-14 22:13:22"), "{begun}");
    let output = traceloop(&["follow", "x", "--format", "parquet", "--socket", "/nonexistent"]);
    assert!(stderr(&output).contains("traceloop dump takes it"), "{}", stderr(&output));
}

#[test]
fn a_dumps_calls_are_counted() {
    let place = tempfile::tempdir().expect("a directory");
    let file = place.path().join("a.dump");
    fs::write(&file, dump(&[openat("/one", 2_000_002_500), openat("/two", 3_000_002_500)])).expect("write a file");
    let output = traceloop(&["stats", "--errno-summary", file.to_str().expect("a path")]);
    let text = stdout(&output);
    let line = |word: &str| text.lines().find(|line| line.contains(word)).unwrap_or_default().to_owned();
    let words: Vec<_> = line("openat").split_whitespace().map(str::to_owned).collect();
    assert_eq!(words, ["openat", "2", "2", "0.005", "0.003", "0.003", "0.003", "0.00%"], "{text}");
    assert_eq!(line("ENOENT").trim(), "2 ENOENT");
    let file = file.to_str().expect("a path");
    let told = stdout(&traceloop(&["stats", "--json", "--errno-summary", "--histogram", file]));
    let told: serde_json::Value = serde_json::from_str(&told).expect("an object");
    assert_eq!((&told["tid"], &told["calls"]), (&7.into(), &2.into()), "{told}");
    let call = &told["syscalls"][0];
    assert_eq!(
        (&call["total_ns"], &call["errnos"]["ENOENT"], &call["histogram"]["2048"]),
        (&5_000.into(), &2.into(), &2.into())
    );
    assert_eq!(traceloop(&["stats", "--json", "-c", file]).status.code(), Some(2));
}
