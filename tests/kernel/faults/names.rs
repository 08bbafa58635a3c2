//! Names that are made for whoever prints them.

use std::{fs, process::Stdio};

use super::super::support::{Recording, Scratch, compile};

#[test]
#[ignore = "needs root and BPF"]
fn names_reach_no_terminal_and_json_stays_json() {
    for format in ["text", "strace", "json"] {
        let scratch = Scratch::new();
        let program = compile(&scratch, "hostile", &[]);
        let cgroup = scratch.cgroup.join("a\u{1b}[2J\u{9b}b");
        fs::create_dir(&cgroup).expect("a cgroup");
        let file = scratch.files.path().join("dump");
        let options = ["cgroups", "--dump-on-exit", "--format", format];
        let recording = Recording::start(&file, &options, &[&cgroup]);
        let procs = scratch.files.path().join("procs");
        std::os::unix::fs::symlink(cgroup.join("cgroup.procs"), &procs).expect("a link without such a name");
        let script = format!("echo $$ > {}; exec {} names", procs.display(), program.display());
        let status = std::process::Command::new("sh").args(["-c", &script]).stdin(Stdio::null()).status();
        assert!(status.expect("run it").success());
        let dump = recording.dump();
        let raw = dump.text.chars().find(|char| char.is_control() && *char != '\n');
        assert_eq!(raw, None, "{format}: {}", dump.text);
        assert!(dump.has("owned"), "{format}: {}", dump.text);
        assert!(!dump.told.contains('\u{1b}'), "{}", dump.told);
        let ended = dump.text.lines().filter(|line| line.starts_with('b') || line.trim().is_empty()).count();
        assert_eq!(ended, 0, "a newline in a name begins a line:\n{}", dump.text);
        if format == "json" {
            for line in dump.text.lines() {
                serde_json::from_str::<serde_json::Value>(line).expect("JSON");
            }
        }
    }
}
