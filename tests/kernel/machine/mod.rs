//! What happens to the machine while it records: the clock is set.
//!
//! These tests do that to the machine that they run on. tests/matrix/run gives them one of their own;
//! elsewhere they are left out by `--skip machine::`, and refuse.

mod clock;

use std::env;

/// Asserts that nobody else uses this machine.
#[track_caller]
fn ours() {
    let ours = env::var_os("TRACELOOP_TEST_MACHINE").is_some_and(|whose| whose == "own");
    assert!(ours, "this test sets the clock: run tests/matrix/run, and here add `--skip machine::`");
}
