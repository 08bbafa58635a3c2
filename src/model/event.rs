//! One thing that happened, decoded. Times are CLOCK_BOOTTIME nanoseconds, as in the records.

use std::{borrow::Cow, fmt};

use super::{Stack, Uring};

/// A thread's name: up to 15 bytes, whatever they are.
#[derive(Clone, Copy, Default, PartialEq, Eq, Hash)]
pub struct Comm(pub [u8; 16]);

impl Comm {
    /// The name's bytes, without the NULs behind it.
    pub fn bytes(&self) -> &[u8] {
        let end = self.0.iter().position(|byte| *byte == 0).unwrap_or(self.0.len());
        &self.0[..end]
    }
}

impl Comm {
    /// Appends the name as `Display` writes it.
    pub fn push_to(&self, text: &mut String) {
        match std::str::from_utf8(self.bytes()) {
            Ok(plain) if plain.bytes().all(|byte| (b' '..=b'~').contains(&byte)) => text.push_str(plain),
            _ => text.push_str(&self.to_string()),
        }
    }
}

impl fmt::Display for Comm {
    /// Control bytes and what is not UTF-8 come out escaped: a name must not drive a terminal.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for chunk in self.bytes().utf8_chunks() {
            for char in chunk.valid().chars() {
                if super::acts(char) { write!(f, "{}", char.escape_default())? } else { write!(f, "{char}")? }
            }
            for byte in chunk.invalid() {
                write!(f, "\\x{byte:02x}")?;
            }
        }
        Ok(())
    }
}

impl fmt::Debug for Comm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "\"{self}\"")
    }
}

/// One thing that happened.
#[derive(Clone, Debug)]
pub struct Event {
    /// When it began.
    pub start: u64,
    /// When it ended; for what has no length, when it happened.
    pub end: u64,
    /// The thread.
    pub tid: u32,
    /// Its process; 0 if the records do not tell.
    pub pid: u32,
    /// The thread's name at that time; empty if the records do not tell.
    pub comm: Comm,
    /// Whose it is, by the place in the dump's `identities`; 0 where there is one.
    pub whose: u16,
    /// The CPU that wrote its record: of a call that has ended, where it ended. `None`: that is not known.
    pub cpu: Option<u32>,
    /// What happened.
    pub what: What,
}

/// What happened.
#[derive(Clone, Debug)]
pub enum What {
    /// A system call.
    Call(Box<Call>),
    /// A signal was delivered.
    Signal(Signal),
    /// The thread ended.
    Exit(Exit),
    /// A new program runs.
    Exec {
        /// The thread id that the caller had before.
        former: u32,
    },
    /// A new thread or process began: this event's thread is the new one.
    Fork {
        /// The thread that made it.
        parent: u32,
    },
    /// The process moved into the recorded cgroup.
    Join,
    /// The thread's name changed to the event's `comm`.
    Rename,
    /// A request of io_uring's was submitted, or has completed.
    Uring(Box<Uring>),
    /// Records are missing, from the event's start to its end; of no thread.
    Gap(Box<Gap>),
}

impl What {
    /// In a word, as formats for programs have it.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Call(_) => "call",
            Self::Signal(_) => "signal",
            Self::Exit(_) => "exit",
            Self::Exec { .. } => "exec",
            Self::Fork { .. } => "fork",
            Self::Join => "join",
            Self::Rename => "rename",
            Self::Uring(_) => "uring",
            Self::Gap(_) => "gap",
        }
    }
}

/// Records that are missing where they would stand.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Gap {
    /// How many; 0: nobody knows.
    pub records: u64,
    /// Why, in words.
    pub reason: String,
}

/// A system call with its arguments in strace's words.
#[derive(Clone, Debug)]
pub struct Call {
    /// Its name as strace prints it.
    pub name: &'static str,
    /// The name where the number is unknown: `syscall_0x1f4`.
    pub unknown: Option<Box<str>>,
    /// Its number, an int as the kernel has it.
    pub nr: i32,
    /// Whether it came in by the 32-bit ABI.
    pub compat: bool,
    /// All arguments' texts, with `, ` between them.
    pub text: String,
    /// The arguments, in printing order.
    pub args: Vec<Argument>,
    /// How many bytes of `text` were known when the call began.
    pub known_at_start: usize,
    /// How it ended.
    pub outcome: Outcome,
    /// Nanoseconds; `None` if the start was not seen.
    pub duration: Option<u64>,
    /// Captured memory that did not fit was left out.
    pub cut: bool,
    /// An execve: the thread that called it, where the program goes on under its process's id.
    pub caller: Option<u32>,
    /// The paths that it touches by argument or descriptor, if they were asked for.
    pub paths: Vec<Box<[u8]>>,
    /// The descriptors that it takes or returns, if they were asked for.
    pub fds: Vec<i32>,
    /// What it wrote to descriptor 2, as far as it was captured, if it was asked for.
    pub said: Option<Box<[u8]>>,
    /// What it read or wrote, if it was asked for.
    pub moved: Option<Moved>,
    /// Capabilities that the kernel looked for in it and did not find, if it then refused it.
    pub denied: Vec<Cow<'static, str>>,
    /// Where in the program it was made, if that was recorded.
    pub stack: Option<Box<Stack>>,
}

/// What a call moved through a descriptor.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Moved {
    /// What was captured.
    pub bytes: Box<[u8]>,
    /// How many bytes it moved.
    pub of: u64,
}

impl Call {
    /// The name, known or not.
    pub fn name(&self) -> &str {
        self.unknown.as_deref().unwrap_or(self.name)
    }

    /// Whether the kernel side saw its end. A thread that dies in a call leaves it first.
    pub fn has_ended(&self) -> bool {
        !matches!(self.outcome, Outcome::Never | Outcome::InFlight { .. } | Outcome::EndMissing)
    }

    /// What of the arguments was known when the call began, as it is written while it runs.
    pub fn known(&self) -> Cow<'_, str> {
        let (known, rest) = self.text.split_at(self.known_at_start);
        if rest.starts_with(", ") { format!("{known}, ").into() } else { known.into() }
    }

    /// One argument's text.
    pub fn text_of(&self, arg: &Argument) -> &str {
        self.text.get(arg.from..arg.to).unwrap_or_default()
    }
}

impl Call {
    /// A call of which no more is known than its name.
    pub fn of(name: &'static str) -> Self {
        Self {
            name,
            unknown: None,
            nr: 0,
            compat: false,
            text: String::new(),
            args: vec![],
            known_at_start: 0,
            outcome: Outcome::Never,
            duration: None,
            cut: false,
            caller: None,
            paths: vec![],
            fds: vec![],
            said: None,
            moved: None,
            denied: vec![],
            stack: None,
        }
    }
}

/// One argument of a call.
#[derive(Clone, Debug)]
pub struct Argument {
    /// Its name in the kernel's signature.
    pub name: &'static str,
    /// Where its text begins in the call's.
    pub from: usize,
    /// Where it ends.
    pub to: usize,
    /// Its value for programs.
    pub value: Value,
}

/// An argument's value for programs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Value {
    /// A signed number.
    Signed(i64),
    /// An unsigned number, an address, a bit set.
    Unsigned(u64),
    /// A string or data, as captured.
    Bytes(Box<[u8]>),
}

/// How a call ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// It returned.
    Returned {
        /// The raw result.
        value: i64,
        /// strace's text of it, with what stands behind it.
        text: Cow<'static, str>,
    },
    /// It failed.
    Failed {
        /// The errno.
        errno: i32,
        /// strace's text: `-1 ENOENT (No such file or directory)`.
        text: Cow<'static, str>,
    },
    /// The kernel was to restart it, or its thread died in it: `?` and the reason.
    Interrupted {
        /// strace's text: `? ERESTARTSYS (To be restarted if SA_RESTART is set)`.
        text: Cow<'static, str>,
    },
    /// It never returns: `?`.
    Never,
    /// Its thread was killed in it: `?`.
    Died {
        /// Whether strace tells something of this call only when it has returned.
        untold: bool,
    },
    /// It had not ended when the dump was made.
    InFlight {
        /// Whether its start was seen: it did not begin before the recording.
        start_seen: bool,
    },
    /// It began, and was not found in flight; what was written at its end is overwritten or lost.
    EndMissing,
}

impl Outcome {
    /// strace's text of it; `?` where the call never returned.
    pub fn text(&self) -> &str {
        match self {
            Self::Returned { text, .. } | Self::Failed { text, .. } | Self::Interrupted { text } => text,
            Self::Never | Self::Died { .. } | Self::InFlight { .. } | Self::EndMissing => "?",
        }
    }
}

/// A delivered signal.
#[derive(Clone, Debug)]
pub struct Signal {
    /// Its number.
    pub signo: i32,
    /// Its name: `SIGSEGV`.
    pub name: Box<str>,
    /// strace's text of its siginfo, in braces.
    pub info: Box<str>,
    /// Whether it stopped the process.
    pub stops: bool,
    /// Who sent it, if somebody was seen to.
    pub sender: Option<(u32, Comm)>,
}

/// Who sent a fatal signal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sent {
    /// The process that ran when it was sent.
    pub pid: u32,
    /// Its name, or its thread's.
    pub comm: Comm,
    /// The kernel sent it by itself, whoever ran then.
    pub by_kernel: bool,
    /// si_code, if the signal came with details.
    pub code: Option<i32>,
}

/// Why a signal ended a thread, where only the kernel knows it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Why {
    /// The signal says all.
    #[default]
    Signal,
    /// The OOM killer chose its process.
    Memory,
    /// SIGSYS without a signal that was delivered: its seccomp filter forbade this call.
    Forbidden(&'static str),
}

/// A thread's end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exit {
    /// It called exit.
    Status(u8),
    /// A signal ended it.
    Killed {
        /// The signal.
        signo: i32,
        /// Whether a core was dumped.
        core: bool,
        /// Who sent the signal, if that was seen.
        sent: Option<Sent>,
        /// What only the kernel knows of it.
        why: Why,
    },
    /// Another thread of its process called execve: it lives on under the process's id.
    Superseded {
        /// The thread whose execve it was.
        by: u32,
    },
}
