//! What rings have taken is kept when they overwrite it: all of it, in order, once; and what is missing is stated.

use std::{fs, os::unix::fs::MetadataExt, path::PathBuf, thread::sleep, time::Duration};

use serde_json::Value;

use super::{
    rings::offsets,
    served::{Group, Served, shown},
    support::{Scratch, compile, wait_until},
};

/// The first line of a dump as JSON: its header.
fn head(served: &Served, group: &Group) -> Value {
    let text = served.told(&["dump", group.name(), "--format", "json"]);
    serde_json::from_str(text.lines().next().expect("a line")).expect("JSON")
}

/// The gaps that a window states, by their numbers of records.
fn gaps(window: &Value) -> Vec<u64> {
    let stretches = window["stretches"].as_array().into_iter().flatten();
    stretches.filter_map(|stretch| stretch["state"]["gap"]["records"].as_u64()).collect()
}

/// A program that writes numbers for longer than its rings hold has them all in one dump, in order, each once,
/// whoever takes dumps meanwhile.
#[test]
#[ignore = "needs root and BPF"]
fn numbered_calls_are_all_in_one_dump_in_order() {
    let served = Served::start("buffer-size = \"64K\"", "");
    let group = served.cgroup_with_rings("numbered.service");
    let scratch = Scratch::new();
    // 3,000 a second, of which a ring holds some 600.
    let mut child = group.numbers(&scratch, "8 200");
    for _ in 0..5 {
        sleep(Duration::from_secs(1));
        let found = offsets(&served.told(&["dump", group.name(), "--format", "strace"]));
        assert!(found.windows(2).all(|pair| pair[1].1 == pair[0].1 + 1), "{} calls", found.len());
    }
    assert!(child.wait().expect("wait for it").success());
    let found = offsets(&served.told(&["dump", group.name(), "--format", "strace"]));
    assert!(found.len() > 3000, "{} calls", found.len());
    let expected = (0..).zip(&found).find(|(n, found)| found.1 != *n);
    assert_eq!(expected, None, "in {} calls", found.len());
    let window = head(&served, &group)["window"].clone();
    assert!(window["complete_from"].is_null() && window["overwritten"] == 0, "{window}");
}

/// What was overwritten while nobody could copy it is a gap, at its place, with its number of records.
#[test]
#[ignore = "needs root and BPF"]
fn what_a_stopped_daemon_misses_is_a_gap_with_its_number() {
    use nix::sys::signal::Signal::{SIGCONT, SIGSTOP};
    let served = Served::start("buffer-size = \"64K\"", "");
    let group = served.cgroup_with_rings("missed.service");
    let scratch = Scratch::new();
    let mut child = group.numbers(&scratch, "7 200");
    sleep(Duration::from_secs(2));
    served.signal(SIGSTOP);
    sleep(Duration::from_secs(3));
    served.signal(SIGCONT);
    assert!(child.wait().expect("wait for it").success());
    let found = offsets(&served.told(&["dump", group.name(), "--format", "strace"]));
    let breaks: Vec<_> = found.windows(2).filter(|pair| pair[1].1 != pair[0].1 + 1).collect();
    // What it misses beside, since others had the CPU, is a gap like that.
    assert_eq!((found[0].1, breaks.is_empty()), (0, false), "{breaks:?} in {} calls", found.len());
    let window = head(&served, &group)["window"].clone();
    let gaps = gaps(&window);
    assert_eq!(gaps.len(), breaks.len(), "{window}");
    for (pair, gap) in breaks.iter().zip(&gaps) {
        // pwrite and the sleep behind it, each time.
        let missing = 2 * (pair[1].1 - pair[0].1 - 1);
        assert!(gap.abs_diff(missing) <= 2, "{gap} of {missing}: {window}");
    }
    assert_eq!(window["overwritten"].as_u64(), Some(gaps.iter().sum()), "{window}");
}

/// The rings that a process has mapped, by their bytes.
fn rings(pid: u32) -> Vec<u64> {
    let maps = fs::read_to_string(format!("/proc/{pid}/maps")).expect("its maps");
    let of_rings = maps.lines().filter(|line| line.ends_with("[perf_event]"));
    let mut sizes: Vec<u64> = of_rings
        .map(|line| {
            let (from, to) = line.split(' ').next().and_then(|range| range.split_once('-')).expect("a range");
            let number = |text| u64::from_str_radix(text, 16).expect("an address");
            number(to) - number(from) - 4096
        })
        .collect();
    sizes.sort_unstable();
    sizes
}

/// A busy ring grows while it is written to, and nothing of what it took is lost, or there twice; neither is it when the
/// ring shrinks again, nor when the daemon is killed and goes on.
#[test]
#[ignore = "needs root and BPF"]
fn the_ring_of_a_busy_cgroup_grows_and_shrinks_again() {
    let mut served = Served::start("buffer-size = \"64K\"", "");
    let group = served.cgroup_with_rings("busy.service");
    let scratch = Scratch::new();
    // The lobby's are larger from the beginning.
    let larger = || rings(served.pid()).into_iter().filter(|size| *size > 64 << 10).count();
    let usual = larger();
    let mut child = group.numbers(&scratch, "6 20");
    wait_until("a ring grows", || larger() > usual);
    assert!(child.wait().expect("wait for it").success());
    let told = |served: &Served| offsets(&served.told(&["dump", group.name(), "--format", "strace"]));
    let must_be_whole = |found: &[(u32, u64)], window: &Value| {
        let breaks: u64 = found.windows(2).map(|pair| pair[1].1 - pair[0].1 - 1).sum();
        assert!(found.windows(2).all(|pair| pair[1].1 > pair[0].1), "in order, and none twice");
        assert!(window["overwritten"].as_u64() >= Some(breaks), "{breaks} are missing: {window}");
    };
    let found = told(&served);
    must_be_whole(&found, &head(&served, &group)["window"]);
    wait_until("the rings shrink", || larger() == usual);
    assert_eq!(told(&served), found);
    // Rings that have gone, and what they held: the next daemon has it.
    served.kill();
    served.run();
    assert_eq!(told(&served), found);
}

/// What was packed, what waits for that and what is in the ring: a daemon that is killed, again and again, has lost none of
/// it, nor has anything twice; one that is stopped and started as by an upgrade neither.
#[test]
#[ignore = "needs root and BPF"]
fn the_history_outlives_the_daemon() {
    let mut served = Served::start("", "");
    let group = served.cgroup_with_rings("outlives.service");
    let scratch = Scratch::new();
    // 900 a second, of which a ring holds some 1,200.
    let mut child = group.numbers(&scratch, "16 1000");
    for _ in 0..4 {
        sleep(Duration::from_secs(1));
        served.kill();
        // Longer than a ring lasts: the keeper stands in.
        sleep(Duration::from_secs(2));
        served.run();
        let found = offsets(&served.told(&["dump", group.name(), "--format", "strace"]));
        let expected = (0..).zip(&found).find(|(n, found)| found.1 != *n);
        assert_eq!(expected, None, "in {} calls: {}", found.len(), served.log());
    }
    assert!(child.wait().expect("wait for it").success());
    let before = served.told(&["dump", group.name(), "--format", "strace"]);
    let found = offsets(&before);
    assert!(found.len() > 4000, "{} calls", found.len());
    assert_eq!((0..).zip(&found).find(|(n, found)| found.1 != *n), None);
    let window = head(&served, &group)["window"].clone();
    assert!(window["complete_from"].is_null() && window["overwritten"] == 0, "{window}");
    // A recording that cannot go on leaves what it kept, too, in a dump that is stored.
    served.kill();
    let config = served.place.path().join("config");
    let other =
        fs::read_to_string(&config).expect("the configuration").replace("[record]", "[record]\nbuffer-size = \"128K\"");
    fs::write(&config, other).expect("change the configuration");
    served.run();
    let of_it = || served.stored().into_iter().find(|path| path.to_string_lossy().contains("outlives.service"));
    wait_until("its dump is stored", || of_it().is_some());
    let dump = shown(&of_it().expect("its dump"));
    assert_eq!(offsets(&dump).len(), found.len());
}

/// At full speed on a busy machine copies may come late: every break is a gap that is stated, and nothing is there
/// twice.
#[test]
#[ignore = "needs root and BPF"]
fn at_full_speed_every_break_is_a_stated_gap() {
    let served = Served::start("", "");
    let group = served.cgroup_with_rings("fast.service");
    let scratch = Scratch::new();
    let program = compile(&scratch, "offsets", &[]);
    let status = group.command(&format!("exec taskset -c 0 {} 1", program.display())).status().expect("run it");
    assert!(status.success());
    let found = offsets(&served.told(&["dump", group.name(), "--format", "strace"]));
    let window = head(&served, &group)["window"].clone();
    let stated = gaps(&window);
    assert!(found.windows(2).all(|pair| pair[1].1 > pair[0].1), "in order, and none twice");
    let breaks: Vec<u64> =
        found.windows(2).map(|pair| pair[1].1 - pair[0].1 - 1).filter(|missing| *missing > 0).collect();
    assert!(breaks.len() <= stated.len(), "{} breaks, {} gaps", breaks.len(), stated.len());
    let missing: u64 = breaks.iter().sum();
    // A sample that was under way when its ring was read is counted in the next gap.
    assert!(stated.iter().sum::<u64>().abs_diff(missing) <= 200, "{missing} are missing: {window}");
    // More than its ring holds, and it made more than that however busy the machine is.
    assert!(found.len() > 3_000, "{} calls of {}", found.len(), found.last().map_or(0, |last| last.1));
}

/// What the rule wants is found again when all else of its time is gone, and the dump says for which time which holds.
#[test]
#[ignore = "needs root and BPF"]
fn a_failed_open_outlives_the_load_that_pushes_its_time_out() {
    let record = "buffer-size = \"256K\"\nmemory-max = \"8M\"\nready = 1\nstring-limit = 4096";
    let served = Served::start_with("[history]\nhistory-cpu = \"100%\"", record, "");
    let group = served.cgroup_with_rings("loaded.service");
    // Contents that do not pack, and so slowly that a busy machine can copy them.
    let burst = "dd if=/dev/urandom of=/dev/null bs=4000 count=6 2>/dev/null; sleep 0.05";
    let load = format!("cat /nonexistent/before; for n in $(seq 160); do {burst}; done");
    let load = format!("taskset -p -c 0 $$ >/dev/null; {load}");
    assert!(group.command(&load).status().expect("run it").success());
    let json = served.told(&["dump", group.name(), "--format", "json"]);
    let mut lines = json.lines().map(|line| serde_json::from_str::<Value>(line).expect("JSON"));
    let head = lines.next().expect("a line");
    let window = &head["window"];
    let complete_from = window["complete_from"].as_f64().unwrap_or_else(|| panic!("nothing was pushed out: {window}"));
    let stretches = window["stretches"].as_array().expect("stretches");
    let (first, last) = (&stretches[0], &stretches[stretches.len() - 1]);
    assert!(first["state"] == "in-part" && last["state"] == "complete", "{window}");
    assert!(first["from"].as_f64() < Some(complete_from) && last["to"].as_f64() > Some(complete_from), "{window}");
    // Of that time there is what failed, and not what did not.
    let calls: Vec<Value> = lines.filter(|line| line["type"] == "call" && line["comm"] == "cat").collect();
    let names: Vec<&str> = calls.iter().filter_map(|call| call["syscall"].as_str()).collect();
    let is_it = |call: &&Value| call["args"][1]["value"] == "/nonexistent/before" && call["errno"] == "ENOENT";
    assert_eq!(calls.iter().filter(is_it).count(), 1, "{names:?} in {window}");
    assert!(["execve", "exit_group"].iter().all(|name| names.contains(name)), "{names:?}");
    assert!(!["mmap", "close", "read"].iter().any(|name| names.contains(name)), "{names:?}");
    let text = served.told(&["dump", group.name(), "--format", "text", "-n", "1"]);
    let said = text.lines().find(|line| line.starts_with("# complete from ")).expect("a window");
    assert!(said.contains("; before that, from ") && said.contains(" on, only what [history] keep names"), "{said}");
    let track = served.told(&["ps", group.name(), "--json"]);
    let track: Value = serde_json::from_str(track.lines().next().expect("a track")).expect("JSON");
    let seconds = |name: &str| track[name].as_f64().expect("a number");
    assert!(seconds("reach") > seconds("window"), "{track}");
}

/// Memory of the daemon that others cannot have, KiB, with that which outlives it.
fn own_memory(pid: u32) -> u64 {
    let fds = fs::read_dir(format!("/proc/{pid}/fd")).expect("its descriptors").filter_map(Result::ok);
    let is_history =
        |path: &PathBuf| fs::read_link(path).is_ok_and(|to| to.to_string_lossy().starts_with("/memfd:traceloop-"));
    let files = fds.map(|fd| fd.path()).filter(is_history).filter_map(|path| fs::metadata(path).ok());
    let outlives: u64 = files.map(|file| file.blocks() / 2).sum();
    let text = fs::read_to_string(format!("/proc/{pid}/smaps_rollup")).expect("its memory");
    let of = |name: &str| {
        let line = text.lines().find_map(|line| line.strip_prefix(name)).expect("a figure");
        line.trim().strip_suffix(" kB").and_then(|kib| kib.trim().parse::<u64>().ok()).expect("KiB")
    };
    outlives + of("Private_Clean:") + of("Private_Dirty:") + of("Shared_Dirty:")
}

/// What memory-max says holds while three hundred cgroups write and go, whatever it is, for what the daemon counts and for
/// what it takes beside what it takes idle.
#[test]
#[ignore = "needs root and BPF"]
fn a_budget_holds_under_three_hundred_that_write_and_go() {
    for budget in [16_u64 << 20, 64 << 20] {
        let served = Served::start(&format!("memory-max = \"{budget}\""), "");
        let idle = own_memory(served.pid());
        let rings_idle: u64 = rings(served.pid()).iter().sum();
        let page = || served.asked("/metrics");
        let metric = |name: &str| {
            let page = page();
            let line = page.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' '));
            line.and_then(|value| value.parse::<f64>().ok()).unwrap_or_else(|| panic!("no {name} in {page}"))
        };
        let most = metric("traceloop_memory_max_bytes");
        let writes = "for n in $(seq 40); do dd if=/dev/urandom of=/dev/null bs=4000 count=20 2>/dev/null; done";
        let mut highest = 0;
        for round in 0..30 {
            let groups: Vec<Group> = (0..10).map(|n| served.cgroup(&format!("{round}-{n}.service"))).collect();
            let children: Vec<_> =
                groups.iter().map(|group| group.command(writes).spawn().expect("start it")).collect();
            for mut child in children {
                assert!(child.wait().expect("wait for it").success());
            }
            let now = metric("traceloop_memory_bytes");
            // What was copied and waits to be packed has a little more time.
            let page = page();
            let lines: Vec<&str> = page.lines().filter(|line| line.starts_with("traceloop_history_")).collect();
            assert!(now <= most, "round {round}: {now} of {most}: {lines:#?}");
            highest = highest.max(own_memory(served.pid()));
        }
        let took = (highest.saturating_sub(idle) << 10) + rings_idle;
        // Tables of three hundred tracks, and what an allocator keeps.
        assert!(took <= budget + (24 << 20), "{took} of {budget}");
        let kept = metric("traceloop_history_bytes{state=\"packed\"}");
        assert!(kept > 0.0, "nothing was kept");
    }
}
