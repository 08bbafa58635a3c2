//! Snapshots under full load: no gap, no torn record, every loss told.

use super::support::{Recording, Scratch, compile, may_be_lost, wait_until};

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

/// Dumps of rings, of which nothing else is kept, while pwrite() runs at full speed hold consecutive offsets only.
#[test]
#[ignore = "needs root and BPF"]
fn twenty_dumps_under_full_load_have_no_gap() {
    let scratch = Scratch::new();
    let program = compile(&scratch, "offsets", &[]);
    let mut recording = scratch.record(&["--buffer-size", "256K", "--memory-max", "512K"]);
    // One CPU: a thread that moves leaves its history in two rings, of which one reaches back further.
    let mut child = scratch.command(&format!("taskset -c 0 {} 3000", program.display())).spawn().expect("start it");
    // The first of them is of a ring that is not full yet.
    let mut early = 0;
    wait_until("five hundred calls", || {
        early += 1;
        offsets(&recording.dump_now().text).len() > 500
    });
    for dump in 0..20 {
        let found = offsets(&recording.dump_now().text);
        assert!(found.len() > 500, "dump {dump} has {} calls only", found.len());
        // The process's earlier offsets on other CPUs come first; from the last break on, none may miss.
        let breaks = found.windows(2).filter(|pair| pair[1].1 != pair[0].1 + 1).count();
        assert_eq!(breaks, 0, "dump {dump}: {breaks} gaps in {} calls", found.len());
    }
    child.kill().expect("end it");
    child.wait().expect("wait for it");
    let told = recording.dump().told;
    let windows = [", nothing lost", ", with losses"].map(|how| told.matches(how).count());
    assert_eq!(windows.iter().sum::<usize>(), early + 20 + 1, "{told}");
    let mut lost = told.lines().filter(|line| line.starts_with("traceloop: lost "));
    assert!(lost.clone().count() >= windows[1] && lost.all(may_be_lost), "{told}");
}

/// The window says from when on a dump is complete: nothing older than that is missing on any CPU.
#[test]
#[ignore = "needs root and BPF"]
fn the_window_tells_what_was_overwritten() {
    let scratch = Scratch::new();
    let program = compile(&scratch, "offsets", &[]);
    let file = scratch.files.path().join("dump");
    let options = ["cgroups", "--dump-on-exit", "--format", "json", "--buffer-size", "64K", "--memory-max", "256K"];
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
