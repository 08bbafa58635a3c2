//! What io_uring does inside the kernel, where no system call tells of it.

use super::Value;

/// A request of io_uring's: it was submitted, or it has completed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Uring {
    /// Which ring: the same number for all of a ring's requests.
    pub ring: u32,
    /// The ring's count of submissions; `None`: the submission was not seen.
    pub number: Option<u32>,
    /// The operation by name: `IORING_OP_READ`; `None`: the submission was not seen.
    pub op: Option<Box<str>>,
    /// The operation's number.
    pub opcode: Option<u8>,
    /// What the program gave with it.
    pub user_data: u64,
    /// Which of the two.
    pub step: Step,
}

/// What happened to a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    /// It was submitted.
    Submitted {
        /// What was asked for, in the order in which it is written; `None`: the program had written over it.
        fields: Option<Vec<Field>>,
    },
    /// It has completed.
    Completed {
        /// The result, or the errno.
        result: Result<i32, i32>,
        /// The result in words: `4096`, `-EIO (Input/output error)`.
        text: Box<str>,
        /// Flags of the completion by name; empty: none.
        flags: Box<str>,
        /// Nanoseconds since it was submitted, if that was seen.
        duration: Option<u64>,
    },
}

/// Something that a submission says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Field {
    /// Its name: `fd`.
    pub name: &'static str,
    /// Its text.
    pub text: Box<str>,
    /// Its value for programs.
    pub value: Value,
}
