//! What people write to choose calls and dumps is understood or refused with a word: the values of options, as
//! the command line takes them, and MATCH.
//!
//! The first byte chooses the option, the rest is its value.

use std::{ffi::OsString, os::unix::ffi::OsStringExt};

use traceloop::{
    cli,
    identity::Target,
    model::{duration, size},
    select::{Condition, Signals, Statuses, When},
    store::Match,
    syscall::Filter,
};

const OPTIONS: [&str; 8] =
    ["-e", "--status=", "--signal=", "--duration=", "--since=", "--tid=", "--last=", "--const-print-style="];

/// Reads an expression.
pub(crate) fn check(data: &[u8]) {
    let Some((choice, value)) = data.split_first() else { return };
    // No argument holds a NUL.
    let value: Vec<u8> = value.iter().copied().filter(|byte| *byte != 0).collect();
    if let Some(option) = OPTIONS.get(usize::from(*choice)) {
        let argument = OsString::from_vec([option.as_bytes(), &value].concat());
        if let Err(error) = cli::understood(["traceloop".into(), "show".into(), argument]) {
            assert!(!error.is_empty());
        }
        return;
    }
    let Ok(text) = std::str::from_utf8(&value) else { return };
    let _ = (Filter::parse(text), Statuses::parse(text), Signals::parse(text), When::parse(text));
    let _ = (duration(text), size(text), Target::parse(text), Match::parse(text), Condition::parse(text));
}
