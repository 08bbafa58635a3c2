//! JSON of real calls keeps to its schema, and names arguments as the kernel does.

use std::{collections::BTreeMap, fs, process::Command};

use traceloop::syscall::{self, Abi};

use super::support::{Recording, Scratch, compile};

#[test]
#[ignore = "needs root and BPF"]
fn every_line_of_a_large_dump_keeps_to_the_schema() {
    let schema = serde_json::from_str(traceloop::render::SCHEMA).expect("a JSON object");
    let schema = jsonschema::draft202012::new(&schema).expect("a JSON Schema");
    let scratch = Scratch::new();
    let place = scratch.files.path();
    let file = place.join("dump.json");
    let options = ["cgroups", "--dump-on-exit", "--format", "json", "--buffer-size", "16M"];
    let recording = Recording::start(&file, &options, &[&scratch.cgroup]);
    let programs = [
        "find /usr/share/doc".to_owned(),
        compile(&scratch, "same", &["-lrt"]).display().to_string(),
        compile(&scratch, "killed", &[]).display().to_string(),
        compile(&scratch, "compat", &["-m32"]).display().to_string(),
        compile(&scratch, "threads", &[]).display().to_string(),
        format!("{} /etc/hostname", compile(&scratch, "uring", &[]).display()),
        format!("head -c 100000 /bin/sh > {}/binary", place.display()),
        format!("cat {0}/binary {0}/$(printf '\\377\\n')", place.display()),
        "sh -c 'kill -SEGV $$'".to_owned(),
    ];
    for program in programs {
        scratch
            .command(&format!("sh -c '{}' > /dev/null 2>&1", program.replace('\'', "'\\''")))
            .status()
            .expect("run it");
    }
    // It reads the file that it was told to write.
    drop(recording.dump());
    let text = fs::read_to_string(&file).expect("read the dump");
    let mut types: BTreeMap<String, usize> = BTreeMap::new();
    let mut with_bytes = 0;
    for line in text.lines() {
        let line: serde_json::Value = serde_json::from_str(line).expect("JSON");
        if let Err(error) = schema.validate(&line) {
            panic!("{error} at {}: {line}", error.instance_path());
        }
        *types.entry(line["type"].as_str().unwrap_or_default().to_owned()).or_default() += 1;
        with_bytes += line["args"].as_array().into_iter().flatten().filter(|arg| arg.get("bytes").is_some()).count();
    }
    assert!(types.get("call").is_some_and(|calls| *calls > 10_000), "{types:?}");
    for kind in ["dump", "call", "signal", "exit", "exec", "fork", "join"] {
        assert!(types.contains_key(kind), "no {kind} in {types:?}");
    }
    assert!(with_bytes > 20, "{with_bytes} arguments are not UTF-8");
}

/// The kernel tells its calls' signatures in tracefs.
#[test]
#[ignore = "needs root and BPF"]
fn arguments_are_named_as_the_kernel_names_them() {
    let place = tempfile::tempdir().expect("a directory");
    let script = "mount -t tracefs none \"$1\" && cd \"$1/events/syscalls\" && \
                  for call in sys_enter_*; do echo \"name $call\"; cat \"$call/format\"; done";
    let output = Command::new("unshare")
        .args(["-m", "sh", "-c", script, "sh"])
        .arg(place.path())
        .output()
        .expect("read tracefs");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let mut signatures: BTreeMap<String, Vec<String>> = BTreeMap::new();
    let mut call = String::new();
    for line in String::from_utf8_lossy(&output.stdout).lines() {
        if let Some(name) = line.strip_prefix("name sys_enter_") {
            call = name.to_owned();
        } else if let Some(field) = line.strip_prefix("\tfield:").and_then(|line| line.split(';').next()) {
            let name = field.rsplit([' ', '*']).next().unwrap_or_default();
            if !name.starts_with("common_") && name != "__syscall_nr" {
                signatures.entry(call.clone()).or_default().push(name.to_owned());
            }
        }
    }
    assert!(signatures.len() > 300, "{} calls have a signature", signatures.len());
    let mut wrong = Vec::new();
    for row in (0..syscall::NUMBERS).filter_map(|nr| syscall::row(Abi::X86_64, nr)) {
        let Some(signature) = signatures.get(kernels_name(row.name)) else { continue };
        let cases = row.cases.iter().flat_map(|cases| cases.list).map(|case| case.args);
        for arg in cases.chain([row.args]).flatten() {
            match signature.get(usize::from(arg.index)) {
                Some(name) if name == arg.name => {}
                name => wrong.push(format!("{}: {} is {name:?}", row.name, arg.name)),
            }
        }
    }
    wrong.sort();
    wrong.dedup();
    assert!(wrong.is_empty(), "{wrong:#?}");
}

/// What the kernel calls a call by in its own source, where that differs.
fn kernels_name(name: &str) -> &str {
    match name {
        "stat" => "newstat",
        "fstat" => "newfstat",
        "lstat" => "newlstat",
        "uname" => "newuname",
        "sendfile" => "sendfile64",
        "umount2" => "umount",
        name => name,
    }
}
