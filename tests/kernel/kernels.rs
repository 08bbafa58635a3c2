//! What differs from kernel to kernel: which ways load, and how far the verifier had to go.
//!
//! tests/matrix/run boots other kernels and runs these and other tests of this binary there.

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
        let kernel = Kernel::load(&Options { wanted, slots: 1, watching: None, counting: false, without: vec![] })
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
    let lost = window["lost"].as_array().expect("an array").iter().map(|loss| number(&loss["count"])).sum();
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

/// With the other way of attaching too, each call is either recorded or counted as missed.
#[test]
#[ignore = "needs root and BPF"]
fn what_typed_programs_miss_is_counted() {
    for way in [["--without", "classic-tracepoints"], ["--without", "typed-tracepoints"]] {
        // Kernels before 5.15 have no registers for the classic way: they miss nothing either.
        if way[1] == "typed-tracepoints" && !Features::probe(&[]).expect("ask the kernel").task_registers {
            continue;
        }
        let (records, lost) = six_processes_on_one_cpu(&way);
        println!("  misses told: {} {}: {records} records, {lost} lost", way[0], way[1]);
        assert!(records + lost >= CALLS, "{way:?}: {records} records and {lost} losses of {CALLS} calls");
    }
}

#[test]
#[ignore = "needs root and BPF"]
fn what_descriptors_stand_for_is_told() {
    Scratch::new().run(&["-y"], "cat /etc/hostname").must_have("read(3</etc/hostname>, ");
}
