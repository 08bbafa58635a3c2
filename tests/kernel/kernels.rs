//! What differs from kernel to kernel: which ways load, and how far the verifier had to go.
//!
//! tests/matrix/run boots other kernels and runs these and other tests of this binary there.

use traceloop::{
    kernel::{Kernel, Options},
    syscall::plan::Wanted,
};

/// The most instructions that a verifier looks at (BPF_COMPLEXITY_LIMIT_INSNS).
const LIMIT: u32 = 1_000_000;

/// Kernels before 5.16 do not tell how many instructions they looked at: they loaded the program.
#[test]
#[ignore = "needs root and BPF"]
fn no_program_is_near_the_verifier_s_limit() {
    for wanted in [Wanted::default(), Wanted { descriptors: true, verbose: true, ..Wanted::default() }] {
        let kernel = Kernel::load(&Options { wanted, slots: 1, watching: None, without: vec![] }).expect("load");
        for program in kernel.programs().expect("the programs' figures") {
            println!("{} {}", program.name, program.verified);
            assert!(program.verified < LIMIT / 2, "{} takes {} instructions", program.name, program.verified);
        }
    }
}
