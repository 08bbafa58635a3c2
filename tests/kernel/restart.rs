//! A daemon that is killed loses nothing: the recording goes on, and what is stored is whole or absent.

use std::{
    fs::File,
    io::BufReader,
    process::{Command, Stdio},
    thread::sleep,
    time::Duration,
};

use super::{
    rings::offsets,
    served::{Served, shown},
    support::{Scratch, TRACELOOP, compile},
};

/// Offsets that do not follow each other.
fn gaps(found: &[(u32, u64)]) -> usize {
    found.windows(2).filter(|pair| pair[1].1 != pair[0].1 + 1).count()
}

#[test]
#[ignore = "needs root and BPF"]
fn a_dump_reaches_across_the_death_of_the_daemon() {
    let mut served = Served::start("buffer-size = \"4M\"\nmemory-max = \"128M\"\nready = 4", "");
    let group = served.cgroup("across.service");
    let scratch = Scratch::new();
    let mut child = group.numbers(&scratch, "120 100");
    sleep(Duration::from_millis(500));
    let before = offsets(&served.told(&["dump", group.name(), "--format", "strace"]));
    served.kill();
    // Nobody is there, and cgroups come and go.
    let away = served.cgroup("away.service");
    away.command("exec cat /nonexistent-away").status().expect("run it");
    away.remove();
    sleep(Duration::from_millis(500));
    served.run();
    let found = offsets(&served.told(&["dump", group.name(), "--format", "strace"]));
    assert_eq!(gaps(&found), 0, "in {} writes", found.len());
    assert_eq!(found.first().map(|first| first.1), Some(0), "the history is whole");
    assert!(found.len() > before.len() + 500, "{} before and {} after", before.len(), found.len());
    assert!(served.told(&["dump", away.name(), "--format", "strace"]).contains("/nonexistent-away"));
    let listed = served.told(&["ps", group.name()]);
    assert!(listed.contains("recording"), "{listed}");
    child.kill().expect("end it");
    child.wait().expect("wait for it");
}

/// What rings hold goes on over the daemon's death, whether or not more is kept.
#[test]
#[ignore = "needs root and BPF"]
fn at_full_speed_no_record_is_missing_after_a_kill() {
    let mut served = Served::start("", "[history]\nhistory-cpu = \"0%\"");
    let group = served.cgroup("full.service");
    let scratch = Scratch::new();
    let mut child = group.numbers(&scratch, "120");
    for _ in 0..3 {
        sleep(Duration::from_millis(300));
        served.kill();
        served.run();
        let text = served.told(&["dump", group.name(), "--format", "strace"]);
        let found = offsets(&text);
        assert!(found.len() > 500 && gaps(&found) == 0, "{} gaps in {}", gaps(&found), found.len());
    }
    child.kill().expect("end it");
    child.wait().expect("wait for it");
}

#[test]
#[ignore = "needs root and BPF"]
fn fifty_kills_while_dumping_leave_whole_dumps_or_none() {
    let mut served = Served::start("", "");
    let group = served.cgroup("busy.service");
    let scratch = Scratch::new();
    let program = compile(&scratch, "offsets", &[]);
    let mut child = group.command(&format!("exec {} 300", program.display())).spawn().expect("start it");
    for n in 0..50_u64 {
        let mut asking = Command::new(TRACELOOP);
        asking.args(["dump", "--save", group.name(), "--socket"]).arg(served.socket());
        asking.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        let mut asking = asking.spawn().expect("ask for a dump");
        // Spread over the time that a dump takes.
        sleep(Duration::from_millis(5 + n * 7 % 90));
        served.kill();
        let _ = asking.kill();
        asking.wait().expect("wait for the client");
        served.run();
    }
    let stored = served.stored();
    for path in &stored {
        let file = BufReader::new(File::open(path).expect("open a dump"));
        let (_, damage) = traceloop::store::read(file).unwrap_or_else(|error| panic!("{}: {error:#}", path.display()));
        assert_eq!(damage, None, "{}", path.display());
    }
    if let Some(last) = stored.last() {
        assert!(shown(last).contains("pwrite64("));
    }
    println!("{} dumps of 50 reached the disk, all whole", stored.len());
    child.kill().expect("end it");
    child.wait().expect("wait for it");
}
