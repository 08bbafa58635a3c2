//! Tests against the running kernel: root and BPF are needed, so each is ignored unless asked for
//! (`cargo test --test kernel -- --ignored`), which CI does.
//!
//! | file | what it holds traceloop to |
//! |---|---|
//! | `calls` | a program's calls are there, from execve to exit, with their arguments |
//! | `ends` | how a process died: status, signal, fault, killer, and the call it died in |
//! | `witness` | strace and traceloop on one execution: no call missing, none twice |
//! | `parity` | the very lines are strace's, over programs of many kinds |
//! | `cgroups` | cgroups below, cgroups made later, tasks that join, cgroups that are not recorded |
//! | `rings` | snapshots under full load: no gap, no torn record, every loss told |
//! | `schema` | JSON of real calls keeps to its schema, and names arguments as the kernel does |
//! | `verifier` | what each program costs the kernel to check and to run |
//! | `views` | only slow calls are kept, and calls are counted without recording |
//! | `watch` | the whole tree: new cgroups from their first call, histories that outlive them, the budget |
//! | `daemon` | the daemon: names from the first call on, dumps of what died, limits, bad clients, its idle cost |
//! | `command` | the command line: ready line, signals, exit codes, errors |
//! | `faults` | hostile programs: memory that goes away, names, numbers of threads, processes and cgroups |
//! | `kernels` | what differs from kernel to kernel |
//!
//! Each test of the recorder runs with every way of finding tracks and threads that a kernel may
//! force (`support::WAYS`).

mod calls;
mod cgroups;
mod command;
mod daemon;
mod ends;
mod faults;
mod kernels;
mod parity;
mod rings;
mod schema;
mod served;
mod support;
mod verifier;
mod views;
mod watch;
mod witness;
