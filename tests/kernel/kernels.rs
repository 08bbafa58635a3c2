//! What differs from kernel to kernel: which ways load, and how far the verifier had to go.
//!
//! tests/matrix/run boots other kernels and runs these and other tests of this binary there.

use std::fs;

use super::support::{Recording, Scratch, compile};
use traceloop::{
    kernel::{Features, Kernel, Options},
    syscall::plan::Wanted,
};

/// The most instructions that a verifier looks at (BPF_COMPLEXITY_LIMIT_INSNS).
const LIMIT: u32 = 1_000_000;

/// Kernels before 5.16 do not tell how many instructions they looked at: they loaded the program.
#[test]
#[ignore = "needs root and BPF"]
fn no_program_is_near_the_verifier_s_limit() {
    for wanted in [Wanted::default(), Wanted { descriptors: true, verbose: true, ..Wanted::default() }] {
        let kernel = Kernel::load(&Options {
            wanted,
            slots: 1,
            watching: None,
            counting: false,
            following: None,
            half: 0,
            without: vec![],
        })
        .expect("load");
        for program in kernel.programs().expect("the programs' figures") {
            println!("{} {}", program.name, program.verified);
            assert!(program.verified < LIMIT / 2, "{} takes {} instructions", program.name, program.verified);
        }
    }
}

/// What the recorder counted of six processes that make 40,000 calls each on one CPU: records, and losses.
fn six_processes_on_one_cpu(way: &[&str]) -> (u64, u64) {
    let scratch = Scratch::new();
    let program = compile(&scratch, "contend", &[]);
    let options = [&["cgroups", "--dump-on-exit", "--format", "json", "--syscalls", "getppid"], way].concat();
    let recording = Recording::start(&scratch.files.path().join("dump"), &options, &[&scratch.cgroup]);
    let status = scratch.command(&format!("{} 40000", program.display())).status().expect("run it");
    assert!(status.success());
    let dump = recording.dump();
    let head: serde_json::Value = serde_json::from_str(dump.text.lines().next().expect("a line")).expect("JSON");
    let window = &head["window"];
    let number = |value: &serde_json::Value| value.as_u64().expect("a number");
    let losses = window["lost"].as_array().expect("an array");
    losses.iter().for_each(|loss| println!("  {}: {}", loss["count"], loss["reason"]));
    let lost = losses.iter().map(|loss| number(&loss["count"])).sum();
    (number(&window["records"]) + number(&window["overwritten"]), lost)
}

const CALLS: u64 = 240_000;
/// Records of other kinds that the six and their parent leave: joins, forks, names, ends.
const OTHERS: u64 = 100;

#[test]
#[ignore = "needs root and BPF"]
fn six_processes_on_one_cpu_lose_nothing() {
    let (records, lost) = six_processes_on_one_cpu(&[]);
    println!("  contention: {records} records, {lost} lost");
    assert!((CALLS..CALLS + OTHERS).contains(&records), "{records} records of {CALLS} calls");
}

/// With the way of attaching that this kernel does not get by itself, each call is recorded or counted as missed.
#[test]
#[ignore = "needs root and BPF"]
fn what_typed_programs_miss_is_counted() {
    let own = Features::probe(&[]).expect("ask the kernel");
    let way: &[&str] = match own.attach.is_classic() {
        true => &["--without", "classic-tracepoints"],
        false if own.task_registers => &["--without", "typed-tracepoints"],
        // Before 5.15 there are no registers for the classic way.
        false => &[],
    };
    let (records, lost) = six_processes_on_one_cpu(way);
    println!("  misses told: {}: {records} records, {lost} lost", way.join(" "));
    assert!(records + lost >= CALLS, "{way:?}: {records} records and {lost} losses of {CALLS} calls");
}

/// A ring stays with its mapping and the kernel's array: thousands of them take no descriptors.
#[test]
#[ignore = "needs root and BPF"]
fn rings_take_no_descriptors() {
    let scratch = Scratch::new();
    let recording = scratch.record(&[]);
    let fds = fs::read_dir(format!("/proc/{}/fd", recording.pid())).expect("its descriptors");
    let events =
        fds.flatten().filter(|fd| fs::read_link(fd.path()).is_ok_and(|to| to.to_string_lossy().contains("perf_event")));
    // Classic tracepoints are events themselves.
    let classic = Features::probe(&[]).expect("ask the kernel").attach.is_classic();
    assert_eq!(events.count(), if classic { 3 } else { 0 });
    assert!(scratch.command("/bin/true as-ever").status().expect("run it").success());
    recording.dump().must_have("\"as-ever\"");
}

#[test]
#[ignore = "needs root and BPF"]
fn what_descriptors_stand_for_is_told() {
    Scratch::new().run(&["-y"], "cat /etc/hostname").must_have("read(3</etc/hostname>, ");
}
