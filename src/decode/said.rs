//! What a call writes for people: to descriptor 2, /dev/log or the journal.

use super::raw::{Raw, int};
use crate::wire::Part;

/// The calls, and which argument has the data.
const CALLS: [(&str, u8); 5] = [("write", 1), ("writev", 1), ("sendto", 1), ("send", 1), ("sendmsg", 1)];
/// Where loggers listen, and what the kernel's log is.
const LOGS: [&str; 5] =
    ["/run/systemd/journal/", "/dev/log", "/run/systemd/journal/socket", "/dev/kmsg", "/dev/console"];
const STDERR: i32 = 2;

/// What was captured of it; `None`: it is for nobody to read, or nothing was captured.
pub(super) fn of(raw: &Raw<'_>) -> Option<Box<[u8]>> {
    let (_, data) = CALLS.iter().find(|(name, _)| Some(*name) == raw.name())?;
    let fd = int(raw.register(0));
    if fd != STDERR && !is_log(raw, fd) {
        return None;
    }
    let pieces = raw.pieces(*data).filter(|piece| matches!(piece.part, Part::PART_ITEM));
    let bytes = match raw.data(*data).filter(|_| matches!(raw.name(), Some("write" | "sendto" | "send"))) {
        Some(bytes) => bytes.to_vec(),
        None => pieces.filter_map(|piece| piece.bytes.ok()).flatten().copied().collect(),
    };
    (!bytes.is_empty()).then(|| bytes.into())
}

fn is_log(raw: &Raw<'_>, fd: i32) -> bool {
    let Some(file) = raw.fds.and_then(|view| view.before(fd)) else { return false };
    let names = [Some(&file.path), file.socket.as_ref()];
    names.into_iter().flatten().any(|name| LOGS.iter().any(|log| name.contains(log)))
}
