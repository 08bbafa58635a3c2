//! Snapshots under full load: no gap, no torn record, every loss told.

use std::{fs, thread::sleep, time::Duration};

use nix::sys::signal::Signal;

use super::support::{Recording, Scratch, compile, own_way_only};

/// The offsets of the pwrite64 calls in a dump, by thread, in order.
pub(crate) fn offsets(text: &str) -> Vec<(u32, u64)> {
    let offset = |line: &str| {
        let pid = line.split_whitespace().next()?.parse().ok()?;
        let call = line.split_once(" pwrite64(")?.1;
        let number = call.split(')').next()?.rsplit(", ").next()?;
        number.split(' ').next()?.parse().ok().map(|offset| (pid, offset))
    };
    text.lines().filter(|line| !line.contains("resumed>")).filter_map(offset).collect()
}

/// Twenty dumps (under emulation, four) while pwrite() runs at full speed hold consecutive offsets only.
#[test]
#[ignore = "needs root and BPF"]
fn twenty_dumps_under_full_load_have_no_gap() {
    let scratch = Scratch::new();
    let program = compile(&scratch, "offsets", &[]);
    let file = scratch.files.path().join("dump");
    let options = ["cgroups", "--dump-on-exit", "--format", "strace", "--buffer-size", "256K"];
    let recording = Recording::start(&file, &options, &[&scratch.cgroup]);
    // One CPU: a thread that moves leaves its history in two rings, of which one reaches back further.
    let mut child = scratch.command(&format!("taskset -c 0 {} 300", program.display())).spawn().expect("start it");
    sleep(Duration::from_secs(1));
    let mut size = 0;
    let (dumps, quiet) = if own_way_only() { (4, Duration::from_secs(3)) } else { (20, Duration::from_millis(300)) };
    for dump in 0..dumps {
        recording.signal(Signal::SIGUSR2);
        // The dump is whole when the file has grown and then kept its size for a while.
        let mut before = size;
        for _ in 0..100 {
            sleep(quiet);
            let now = fs::metadata(&file).map_or(0, |file| file.len());
            if now > size && now == before {
                break;
            }
            before = now;
        }
        let text = fs::read_to_string(&file).expect("the dump");
        let new = &text[usize::try_from(size).expect("small")..];
        size = text.len() as u64;
        let found = offsets(new);
        assert!(found.len() > 500, "dump {dump} has {} calls only", found.len());
        // The process's earlier offsets on other CPUs come first; from the last break on, none may miss.
        let breaks = found.windows(2).filter(|pair| pair[1].1 != pair[0].1 + 1).count();
        assert_eq!(breaks, 0, "dump {dump}: {breaks} gaps in {} calls", found.len());
    }
    child.kill().expect("end it");
    child.wait().expect("wait for it");
    let told = recording.dump().told;
    assert_eq!(told.matches("nothing lost; ").count(), dumps + 1, "{told}");
    assert!(!told.contains("traceloop: lost "), "{told}");
}

/// The window says from when on a dump is complete: nothing older than that is missing on any CPU.
#[test]
#[ignore = "needs root and BPF"]
fn the_window_tells_what_was_overwritten() {
    let scratch = Scratch::new();
    let program = compile(&scratch, "offsets", &[]);
    let file = scratch.files.path().join("dump");
    let options = ["cgroups", "--dump-on-exit", "--format", "json", "--buffer-size", "64K"];
    let recording = Recording::start(&file, &options, &[&scratch.cgroup]);
    let status = scratch.command(&format!("{} 1", program.display())).status().expect("run it");
    assert!(status.success());
    let text = recording.dump().text;
    let head: serde_json::Value = serde_json::from_str(text.lines().next().expect("a line")).expect("JSON");
    let window = &head["window"];
    assert!(window["overwritten"].as_u64().expect("a number") > 1000, "{window}");
    assert!(window["complete_from"].as_u64().is_some(), "{window}");
    assert_eq!(window["lost"].as_array().map(Vec::len), Some(0), "{window}");
}
