//! What each program costs the kernel's verifier and each run of it: a table, so that a change that
//! doubles it is seen.

use std::time::{Duration, Instant};

use traceloop::{
    cgroup::{Cgroup, Rules},
    kernel::{Features, Figures},
    model::Stacks,
    profile::Profiles,
    recorder::{Budget, Recorder, Settings, Watching},
    syscall::plan::Wanted,
};

use crate::support::Scratch;

/// Each program, and the instructions that the verifier processed for it on Linux 6.18 with all features: where cgroups or
/// processes are given, and where the tree is watched and slots have profiles.
const VERIFIED: [(&str, u32, u32); 33] = [
    ("flush", 107, 107),
    ("enter_plain", 4_715, 7_574),
    ("enter_capture", 4_715, 7_574),
    ("enter_vector", 15_711, 55_827),
    ("enter_behind", 5_892, 8_864),
    ("sys_enter", 32_017, 28_213),
    ("exit_capture", 26_851, 132_413),
    ("exit_vector", 23_363, 74_955),
    ("exit_behind", 10_524, 17_377),
    ("exit_iovec", 13_624, 26_964),
    ("exit_message", 22_747, 57_040),
    ("exit_dirents", 33_078, 86_302),
    ("exit_file", 25_228, 35_310),
    ("sys_exit", 48_873, 169_140),
    ("on_fork", 442, 506),
    ("on_prepare_exec", 15_745, 56_130),
    ("on_exec", 496, 645),
    ("on_task_exit", 576, 1_451),
    ("on_free", 40, 0),
    ("on_rename", 435, 504),
    ("on_signal", 731, 748),
    ("on_kill", 721, 1_003),
    ("in_flight", 554, 653),
    ("on_mkdir", 77, 119_897),
    ("on_rmdir", 21, 55),
    ("on_attach", 54_057, 140_981),
    ("on_capable", 50, 50),
    ("on_capable_end", 54, 54),
    ("exit_stack", 24_127, 24_538),
    ("enter_stack", 23_849, 24_144),
    ("uring_req", 867, 816),
    ("uring_sqe", 654, 654),
    ("uring_complete", 595, 696),
];

/// Per cent of that: other verifiers and compilers count a little differently, twice as many is another program.
const HEADROOM: u32 = 150;
/// Loading and attaching everything, with a machine that has other things to do.
const LOADED_WITHIN: Duration = Duration::from_secs(8);
/// A run may take so long on average, nanoseconds: tens of times what is usual.
const RUN_MOST: u64 = 20_000;

fn settings(stacks: Stacks) -> Settings {
    let budget = Budget { ring: 256 << 10, total: 64 << 20 };
    Settings {
        wanted: Wanted { descriptors: true, stacks, ..Wanted::default() },
        budget,
        history: Default::default(),
        without: vec![],
    }
}

fn load(scratch: &Scratch, stacks: Stacks) -> Recorder {
    let mut recorder = Recorder::prepare(1, &settings(stacks)).expect("a recorder");
    recorder.record(vec![Cgroup::open(&scratch.cgroup).expect("a cgroup")]).expect("record it");
    recorder
}

#[test]
#[ignore = "needs root and BPF"]
fn programs_cost_what_the_table_says() {
    // SAFETY: takes no pointers; counting ends when the descriptor is closed.
    let counting = unsafe { libbpf_rs::libbpf_sys::bpf_enable_stats(libbpf_rs::libbpf_sys::BPF_STATS_RUN_TIME) };
    let scratch = Scratch::new();
    let began = Instant::now();
    let recorder = load(&scratch, Stacks::None);
    let loaded = began.elapsed();
    let script = "sh -c 'find /etc | head -2000; cat /etc/passwd; kill -TERM $$'";
    let _ = scratch.command(script).output().expect("run the programs");
    let mut figures = recorder.kernel().programs().expect("the programs' figures");
    assert!(figures.iter().all(|program| !program.name.ends_with("_stack")), "nobody asked for stacks");
    // Programs that are loaded only where stacks are wanted.
    let stacks = load(&scratch, Stacks::Failed).kernel().programs().expect("the programs' figures");
    let usual: Vec<String> = figures.iter().map(|program| program.name.clone()).collect();
    figures.extend(stacks.into_iter().filter(|program| !usual.contains(&program.name)));
    // The same programs cost no more where processes are followed, and one is added.
    let following = Recorder::prepare_following(&settings(Stacks::None)).expect("a recorder");
    figures.extend(following.kernel().programs().expect("the programs' figures"));
    // Nor where units have profiles, which the verifier knows nothing of.
    let rules = Rules::new(&["/traceloop-test-nothing".to_owned()], &[]).expect("rules");
    let profiles = Profiles::default();
    let watching = Watching { rules, keep: Duration::from_secs(1), ready: 1, profiles, keeper: None };
    let watching = Recorder::watch(&settings(Stacks::None), watching).expect("a recorder").0;
    let watched = watching.kernel().programs().expect("the programs' figures");
    // SAFETY: a descriptor that is ours, or -1, which close refuses.
    unsafe { libc::close(counting) };
    println!("| program | instructions verified | bytes | runs | ns a run |\n|---|---|---|---|---|");
    figures.iter().chain(&watched).for_each(print);
    println!("\nloaded in {:.2} s", loaded.as_secs_f64());
    // The fall-backs are other code, and are what older verifiers get.
    let Features { typed_task, cgroup_storage, task_storage, task_registers, .. } = recorder.features();
    let whole = typed_task && cgroup_storage && task_storage && task_registers;
    let all = figures.iter().map(|program| (program, false)).chain(watched.iter().map(|program| (program, true)));
    for (program, watched) in all {
        let known = VERIFIED.iter().find(|(name, ..)| *name == program.name);
        let (_, given, tree) =
            known.unwrap_or_else(|| panic!("{} is not in the table: enter its figure", program.name));
        let usual = if watched { tree } else { given };
        let most = usual * HEADROOM / 100;
        assert!(
            !whole || program.verified <= most,
            "{}: {} instructions verified, usually {usual}",
            program.name,
            program.verified
        );
        let run = program.run_time.checked_div(program.runs).unwrap_or(0);
        assert!(program.runs < 100 || run <= RUN_MOST, "{}: {run} ns a run", program.name);
    }
    assert!(figures.iter().any(|program| program.name == "sys_exit" && program.runs > 1000), "nothing ran");
    assert!(loaded < LOADED_WITHIN, "loading took {loaded:?}");
}

fn print(program: &Figures) {
    let Figures { name, verified, bytes, runs, run_time, .. } = program;
    println!("| {name} | {verified} | {bytes} | {runs} | {} |", run_time.checked_div(*runs).unwrap_or(0));
}
