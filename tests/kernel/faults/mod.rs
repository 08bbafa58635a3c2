//! Hostile programs: whatever they do to their memory, their names and their number, the dump stays true.

mod memory;
mod names;
mod numbers;
mod times;

use super::support::{Dump, Scratch, compile};

/// Runs one of programs/hostile.c's faults in a recorded cgroup.
fn hostile(options: &[&str], fault: &str) -> Dump {
    let scratch = Scratch::new();
    let program = compile(&scratch, "hostile", &[]);
    let dump = scratch.run(options, &format!("{} {fault}", program.display()));
    dump.must_be_complete();
    dump
}
