//! Why a dump was made.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::{LastCall, signal_name};

/// Why a dump was made.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Cause {
    /// The recorder ends.
    Exit,
    /// The recorded command ended.
    Command,
    /// The processes that were followed ended, and their children.
    Ended,
    /// A recorder with other programs or settings has taken its place.
    Replaced,
    /// SIGUSR2 or a request.
    #[default]
    Request,
    /// A systemd unit failed.
    Unit {
        /// systemd's Result: `signal`, `core-dump`, `exit-code`, `timeout`, `watchdog`, `oom-kill` ...
        result: String,
        /// What its main process ended with, as `wait(2)` tells it; `None`: not known.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        status: Option<i32>,
        /// For how long it had been active when it failed or was stopped, nanoseconds; 0: it never was. `None`: not
        /// known.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        active: Option<u64>,
    },
    /// A process was killed by a signal.
    Killed {
        /// The process.
        pid: u32,
        /// Its name, escaped.
        comm: String,
        /// The signal's number.
        signal: i32,
        /// Whether it left a core dump.
        core: bool,
    },
    /// The last process of the cgroup ended with a status other than 0.
    Status {
        /// The process.
        pid: u32,
        /// Its name, escaped.
        comm: String,
        /// Its exit status.
        status: i32,
    },
    /// A call matched a rule.
    Call {
        /// The thread.
        tid: u32,
        /// The rule as it stands in the configuration: `openat=EACCES`.
        rule: String,
        /// The call itself; `None`: an older recorder made the dump.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        call: Option<Box<LastCall>>,
    },
}

impl Cause {
    /// One word for names and lists: `unit`, `killed`, `status`, `call`, `request`, `exit`, `command`, `ended`, `replaced`.
    pub fn word(&self) -> &'static str {
        match self {
            Self::Exit => "exit",
            Self::Command => "command",
            Self::Ended => "ended",
            Self::Replaced => "replaced",
            Self::Request => "request",
            Self::Unit { .. } => "unit",
            Self::Killed { .. } => "killed",
            Self::Status { .. } => "status",
            Self::Call { .. } => "call",
        }
    }
}

impl fmt::Display for Cause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Exit => f.write_str("the recorder ends"),
            Self::Command => f.write_str("the command ended"),
            Self::Ended => f.write_str("the processes ended"),
            Self::Replaced => f.write_str("a recorder with other programs or settings took over"),
            Self::Request => f.write_str("on request"),
            Self::Unit { result, status, .. } => {
                write!(f, "the unit failed: {result}")?;
                match status.map(|status| (libc::WTERMSIG(status), libc::WEXITSTATUS(status))) {
                    Some((0, 0)) | None => Ok(()),
                    Some((0, status)) => write!(f, " (status {status})"),
                    Some((signal, _)) => write!(f, " ({})", signal_name(signal)),
                }
            }
            Self::Killed { pid, comm, signal, core } => {
                let core = if *core { " (core dumped)" } else { "" };
                write!(f, "{comm}[{pid}] was killed by {}{core}", signal_name(*signal))
            }
            Self::Status { pid, comm, status } => write!(f, "{comm}[{pid}] exited with {status}"),
            Self::Call { rule, call: Some(call), .. } => {
                let LastCall { pid, tid, comm, text, .. } = &**call;
                let pid = if *pid == 0 { tid } else { pid };
                let who = if comm.is_empty() { format!("process {pid}") } else { format!("{comm}[{pid}]") };
                write!(f, "{who} called {text}, which the rule {rule} asks for")
            }
            Self::Call { tid, rule, call: None } => write!(f, "thread {tid} made a call that the rule {rule} asks for"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn causes_of_older_dumps_are_understood() {
        assert_eq!(serde_json::from_str::<Cause>("\"exit\"").unwrap(), Cause::Exit);
        let killed = Cause::Killed { pid: 7, comm: "a".into(), signal: 11, core: true };
        let text = serde_json::to_string(&killed).unwrap();
        assert_eq!(serde_json::from_str::<Cause>(&text).unwrap(), killed);
        assert_eq!(killed.to_string(), "a[7] was killed by SIGSEGV (core dumped)");
        let failed = |result: &str, status| Cause::Unit { result: result.into(), status, active: None }.to_string();
        assert_eq!(failed("exit-code", Some(3 << 8)), "the unit failed: exit-code (status 3)");
        assert_eq!(failed("core-dump", Some(0x8b)), "the unit failed: core-dump (SIGSEGV)");
        assert_eq!(failed("timeout", None), "the unit failed: timeout");
        let call = serde_json::from_str::<Cause>("{\"call\":{\"tid\":7,\"rule\":\"openat=EACCES\"}}").unwrap();
        assert_eq!(call.to_string(), "thread 7 made a call that the rule openat=EACCES asks for");
        let Cause::Call { tid, rule, .. } = call else { panic!() };
        let made = LastCall { tid: 7, pid: 5, comm: "cat".into(), text: "openat(..) = -1 EACCES".into(), start: 0 };
        let told = Cause::Call { tid, rule, call: Some(made.into()) }.to_string();
        assert_eq!(told, "cat[5] called openat(..) = -1 EACCES, which the rule openat=EACCES asks for");
    }
}
