//! The journal entry of a dump: what `journalctl -u UNIT` shows of it, and by which fields it is found.

use std::path::Path;

use super::journal::Entry;
use crate::model::{Cause, Dump, plain};

/// The MESSAGE_ID of all entries that tell of a dump: `journalctl MESSAGE_ID=...` lists them.
pub const DUMP_MESSAGE_ID: &str = "0d9f4f6b8a7d4c1fa6f2c7f1b7f52e3c";

/// journald's "warning": something failed, but not we.
const FAILED: &str = "4";
/// journald's "info".
const ASKED_FOR: &str = "6";

/// The entry of a dump that is stored as `path` under `id`; `last_words` are its last lines.
pub fn report(dump: &Dump, id: &str, path: &Path, last_words: &str) -> Entry {
    let who = dump.identities.first();
    let name = who.map(ToString::to_string).or_else(|| dump.cgroups.first().cloned()).unwrap_or_default();
    let mut entry = Entry::default();
    let mut message = format!("The last calls of {name} are kept: {}. `traceloop show {id}` prints them.", dump.cause);
    let cores = dump.core_dumps();
    if let Some(pid) = cores.last() {
        message.push_str(&format!(" `coredumpctl info {pid}` tells of the core dump."));
    }
    let summary = dump.summary.as_ref().map(|summary| plain(&summary.text));
    for line in summary.iter().map(AsRef::as_ref).chain(last_words.lines()) {
        message.push_str("\n    ");
        message.push_str(line);
    }
    let asked = matches!(dump.cause, Cause::Request | Cause::Exit | Cause::Command | Cause::Ended | Cause::Replaced);
    entry
        .field("MESSAGE", message)
        .field("MESSAGE_ID", DUMP_MESSAGE_ID)
        .field("PRIORITY", if asked { ASKED_FOR } else { FAILED })
        .field("SYSLOG_IDENTIFIER", "traceloop")
        .field("TRACELOOP_DUMP", id)
        .field("TRACELOOP_PATH", path.as_os_str().as_encoded_bytes())
        .field("TRACELOOP_REASON", dump.cause.word())
        .field("TRACELOOP_RECORDS", dump.window.records.to_string())
        .field("TRACELOOP_LOST", dump.window.lost_in_all().to_string())
        .field("TRACELOOP_LAST_WORDS", last_words);
    if let Some(summary) = &summary {
        entry.field("TRACELOOP_SUMMARY", summary.as_ref());
    }
    // As systemd-coredump's own entries have it: `journalctl COREDUMP_PID=...` shows both.
    for pid in cores {
        entry.field("COREDUMP_PID", pid.to_string());
    }
    for cgroup in &dump.cgroups {
        entry.field("TRACELOOP_CGROUP", cgroup);
    }
    match &dump.cause {
        Cause::Unit { result, .. } => {
            entry.field("TRACELOOP_RESULT", result);
        }
        Cause::Killed { pid, comm, signal, .. } => {
            entry.field("TRACELOOP_PID", pid.to_string()).field("TRACELOOP_COMM", comm);
            entry.field("TRACELOOP_SIGNAL", signal.to_string());
        }
        Cause::Status { pid, comm, status } => {
            entry.field("TRACELOOP_PID", pid.to_string()).field("TRACELOOP_COMM", comm);
            entry.field("TRACELOOP_STATUS", status.to_string());
        }
        Cause::Call { rule, .. } => {
            entry.field("TRACELOOP_RULE", rule);
        }
        Cause::Exit | Cause::Command | Cause::Ended | Cause::Replaced | Cause::Request => (),
    }
    let Some(who) = who else { return entry };
    if let Some(unit) = &who.unit {
        // `journalctl -u` believes OBJECT_SYSTEMD_UNIT= from root, `--user-unit` the other from root.
        entry.field("TRACELOOP_UNIT", unit);
        entry.field(if who.user.is_some() { "OBJECT_SYSTEMD_USER_UNIT" } else { "OBJECT_SYSTEMD_UNIT" }, unit);
    }
    let texts = [
        ("TRACELOOP_SLICE", who.slice.as_ref()),
        ("TRACELOOP_INVOCATION_ID", who.invocation.as_ref()),
        ("TRACELOOP_CONTAINER_ID", who.container.as_ref().map(|container| &container.id)),
        ("TRACELOOP_CONTAINER_NAME", who.container.as_ref().and_then(|container| container.name.as_ref())),
        ("TRACELOOP_POD_NAMESPACE", who.pod.as_ref().and_then(|pod| pod.namespace.as_ref())),
        ("TRACELOOP_POD_NAME", who.pod.as_ref().and_then(|pod| pod.name.as_ref())),
    ];
    for (name, text) in texts {
        if let Some(text) = text {
            entry.field(name, text);
        }
    }
    if let Some(user) = who.user {
        entry.field("TRACELOOP_USER", user.to_string());
    }
    entry
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Identity;

    fn dump(cause: Cause) -> Dump {
        let who = Identity {
            cgroup: "/system.slice/a.service".into(),
            unit: Some("a.service".into()),
            invocation: Some("01".repeat(16)),
            ..Identity::default()
        };
        Dump { cause, cgroups: vec![who.cgroup.clone()], identities: vec![who], ..Dump::default() }
    }

    fn has(entry: &Entry, name: &str, value: &str) -> bool {
        let mut one = Entry::default();
        one.field(name, value);
        entry.bytes().windows(one.bytes().len()).any(|window| window == one.bytes())
    }

    #[test]
    fn a_unit_is_found_by_its_name() {
        let failed = Cause::Unit { result: "signal".into(), status: Some(11), active: None };
        let entry = report(&dump(failed), "7f3a", Path::new("/var/lib/traceloop/x"), "read(3) = ?");
        let message = "The last calls of a.service are kept: the unit failed: signal (SIGSEGV). `traceloop show 7f3a` prints them.\n    read(3) = ?";
        assert!(has(&entry, "MESSAGE", message));
        assert!(has(&entry, "OBJECT_SYSTEMD_UNIT", "a.service"));
        assert!(has(&entry, "TRACELOOP_INVOCATION_ID", &"01".repeat(16)));
        assert!(has(&entry, "TRACELOOP_RESULT", "signal"));
        assert!(has(&entry, "PRIORITY", FAILED));
    }

    #[test]
    fn a_core_dump_is_named_where_it_is_kept() {
        let killed = Cause::Killed { pid: 7, comm: "a".into(), signal: 11, core: true };
        let kept = Dump { cores_kept: true, ..dump(killed.clone()) };
        let entry = report(&kept, "1", Path::new("/x"), "");
        let message = "The last calls of a.service are kept: a[7] was killed by SIGSEGV (core dumped). \
            `traceloop show 1` prints them. `coredumpctl info 7` tells of the core dump.";
        assert!(has(&entry, "MESSAGE", message) && has(&entry, "COREDUMP_PID", "7"));
        assert!(!has(&report(&dump(killed), "1", Path::new("/x"), ""), "COREDUMP_PID", "7"));
    }

    #[test]
    fn a_request_is_no_warning() {
        assert!(has(&report(&dump(Cause::Request), "1", Path::new("/x"), ""), "PRIORITY", ASKED_FOR));
    }
}
