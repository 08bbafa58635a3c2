//! Tests against the running kernel: root and BPF are needed, so each is ignored unless asked for
//! (`cargo test --test kernel -- --ignored`), which CI does.
//!
//! | file | what it holds traceloop to |
//! |---|---|
//! | `calls` | a program's calls are there, from execve to exit, with their arguments |
//! | `ends` | how a process died: status, signal, fault, killer, and the call it died in |
//! | `witness` | strace and traceloop on one execution: no call missing, none twice |
//! | `parity` | the very lines are strace's, over programs of many kinds |
//! | `attached` | processes that are there already, where they are: threads, new children, and nobody else |
//! | `attack` | what is recorded and mounted stops nobody; threads that number their calls and are moved about lose none |
//! | `cgroups` | cgroups below, cgroups made later, tasks that join, cgroups that are not recorded |
//! | `networks` | interfaces by the names that they have where the call was made |
//! | `rings` | snapshots under full load: no gap, no torn record, every loss told |
//! | `schema` | JSON of real calls keeps to its schema, and names arguments as the kernel does |
//! | `secrets` | what leaves the recorder and who gets it: rules for secrets, clients, names that mean harm |
//! | `verifier` | what each program costs the kernel to check and to run |
//! | `views` | only slow calls are kept, and calls are counted without recording |
//! | `answers` | what is told of deaths and of calls that hang is true: killers, rules, lives, who waits for whom |
//! | `asking` | top, stats, follow and ps as clients of the daemon: true, and gone when the client is |
//! | `history` | what rings have taken is kept, all of it, in order, once; what is missing is stated |
//! | `restart` | a killed daemon loses nothing: recording goes on, dumps are whole or absent |
//! | `keeper` | a keeper that is killed or stopped costs nothing, and takes nobody's socket |
//! | `alive` | a recording that stops is said, and begun again |
//! | `watch` | the whole tree: new cgroups from their first call, histories that outlive them, the budget |
//! | `daemon` | the daemon: names from the first call on, dumps of what died, limits, bad clients, its idle cost |
//! | `several` | a slice: one dump, one stream of all of its units, each line with its name |
//! | `command` | the command line: ready line, signals, exit codes, errors |
//! | `faults` | hostile programs: memory that goes away, names, numbers of threads, processes and cgroups |
//! | `fuzzed` | real records hold to what the fuzzer asks of any |
//! | `kernels` | what differs from kernel to kernel |
//! | `machine` | CPUs that go and come, a clock that is set, a machine that sleeps: needs one of its own |
//! | `refused` | a call that is refused names the capability that it lacked |
//! | `stacks` | where in the program calls were made, also after its death |
//! | `units` | units by settings of their own: what is recorded, since when, and that it is said |
//! | `stored` | dumps on disks that are full, read-only or broken |
//! | `triggers` | rates, rules of units, rules that come and go, and what is run for each dump |
//! | `uring` | what io_uring does is told as lines of its own, whoever does it |
//!
//! What traceloop promises, and the tests that hold it to that:
//!
//! | promise | held by |
//! |---|---|
//! | the recorded program is never stopped, signalled or changed | `ends::forty_of_forty_runs_hold_their_execve_and_pass_the_status_on`, `witness` |
//! | nothing is lost silently | `rings`, `kernels::six_processes_on_one_cpu_lose_nothing`, `kernels::what_typed_programs_miss_is_counted` |
//! | what is printed is true | `parity`, `unread`, `networks`, `faults::memory::what_crosses_into_memory_that_is_not_there_is_told_as_far_as_it_is_true` |
//! | a call in flight, and the call a thread died in, are shown | `ends::a_call_in_flight_is_shown_with_its_arguments`, `ends::a_process_killed_in_sleep_shows_the_sleep` |
//! | a cgroup's storm costs no other its history | `daemon::a_storm_does_not_shorten_the_window_of_another` |
//! | memory stays within the budget | `watch::the_budget_holds_and_the_longest_dead_go_first` |
//!
//! Each test of the recorder runs with every way of finding tracks and threads that a kernel may
//! force (`support::WAYS`).

mod alive;
mod answers;
mod asking;
mod attached;
mod attack;
mod calls;
mod cgroups;
mod command;
mod daemon;
mod ends;
mod faults;
mod fuzzed;
mod history;
mod keeper;
mod kernels;
mod machine;
mod networks;
mod parity;
mod refused;
mod restart;
mod rings;
mod schema;
mod secrets;
mod served;
mod several;
mod stacks;
mod stored;
mod support;
mod triggers;
mod units;
mod unread;
mod uring;
mod verifier;
mod views;
mod watch;
mod witness;
