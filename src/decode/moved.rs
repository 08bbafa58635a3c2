//! What a call moves through a descriptor, for strace's `-e read=` and `-e write=`. Calls with several buffers are left
//! out: what each had room for is not captured.

use super::raw::{Raw, int};
use crate::model::{Moved, REDACTED};

/// The calls that read and those that write, all into or out of their second argument.
const READS: [&str; 4] = ["read", "pread64", "recv", "recvfrom"];
const WRITES: [&str; 4] = ["write", "pwrite64", "send", "sendto"];

/// What was captured of it, if it is asked for.
pub(super) fn of(raw: &Raw<'_>) -> Option<Moved> {
    let fd = int(raw.register(0));
    let asked = [(&raw.style.reads, READS), (&raw.style.writes, WRITES)];
    let is_asked_for = asked.iter().any(|(fds, names)| {
        fds.as_ref().is_some_and(|fds| fds.has(&fd)) && raw.name().is_some_and(|name| names.contains(&name))
    });
    let moved = raw.ret.filter(|_| is_asked_for && !raw.failed()).and_then(|moved| u64::try_from(moved).ok())?;
    let bytes = raw.data(1).filter(|bytes| *bytes != REDACTED.as_bytes()).unwrap_or_default();
    let most = usize::try_from(moved).map_or(bytes.len(), |moved| moved.min(bytes.len()));
    Some(Moved { bytes: bytes[..most].into(), of: moved })
}
