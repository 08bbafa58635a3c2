//! Calls that are refused name the capability that the kernel looked for, and those that are refused to everybody none.

use serde_json::Value;

use super::support::{Recording, Scratch, WAYS, compile};
use traceloop::kernel::Capabilities;

/// By call and errno: what the kernel looks for.
const REFUSED: [(&str, &str, &[&str]); 12] = [
    ("bind", "EACCES", &["CAP_NET_BIND_SERVICE"]),
    ("socket", "EPERM", &["CAP_NET_RAW"]),
    ("mount", "EPERM", &["CAP_SYS_ADMIN"]),
    ("chroot", "EPERM", &["CAP_SYS_CHROOT"]),
    ("setuid", "EPERM", &["CAP_SETUID"]),
    ("kill", "EPERM", &["CAP_KILL"]),
    ("setpriority", "EACCES", &["CAP_SYS_NICE"]),
    ("openat", "EACCES", &["CAP_DAC_OVERRIDE", "CAP_DAC_READ_SEARCH"]),
    ("chmod", "EPERM", &["CAP_FOWNER"]),
    ("mmap", "EACCES", &[]),
    ("epoll_ctl", "EPERM", &[]),
    ("write", "EPERM", &[]),
];

#[test]
#[ignore = "needs root and BPF"]
fn a_refused_call_names_what_the_kernel_looked_for() {
    let seen = Capabilities::probe();
    println!("  {seen}");
    for way in WAYS {
        let scratch = Scratch::new();
        let program = compile(&scratch, "unprivileged", &[]);
        let options = [&["cgroups", "--dump-on-exit", "--format", "json"], way].concat();
        let recording = Recording::start(&scratch.files.path().join("dump"), &options, &[&scratch.cgroup]);
        let command = format!("{} {}", program.display(), scratch.files.path().display());
        assert!(scratch.command(&command).status().expect("run it").success());
        let dump = recording.dump();
        let calls: Vec<Value> = dump.text.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect();
        for (name, errno, capabilities) in REFUSED {
            let refused = |call: &&Value| call["syscall"] == name && call["errno"] == errno;
            let call =
                calls.iter().find(refused).unwrap_or_else(|| panic!("{way:?}: no {name} = {errno}: {}", dump.text));
            let named: Vec<&str> =
                call["capabilities"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
            let capabilities = if seen == Capabilities::Unseen { &[] } else { capabilities };
            assert_eq!(named, capabilities, "{way:?}: {call}");
        }
        // Neither does one that was not refused.
        let others = calls.iter().filter(|call| !matches!(call["errno"].as_str(), Some("EPERM" | "EACCES")));
        assert!(others.clone().count() > 10 && others.clone().all(|call| call["capabilities"].is_null()), "{way:?}");
    }
}
