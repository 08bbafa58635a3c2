//! The thread that copies rings before they are overwritten. It sleeps until the kernel side says that half of a ring
//! is new, and its work is short: late copies are lost history.

use std::{
    os::fd::{AsFd, OwnedFd},
    sync::{Arc, atomic::Ordering::Relaxed},
    time::Duration,
};

use nix::{
    errno::Errno,
    poll::{PollFd, PollFlags, PollTimeout, poll},
};

use super::{Halves, Shared, Shelf, level};

/// Copies until `end` is written to or closed.
pub(super) fn run(shared: &Arc<Shared>, halves: &dyn Halves, end: &OwnedFd) {
    loop {
        let mut wait = [PollFd::new(halves.fd(), PollFlags::POLLIN), PollFd::new(end.as_fd(), PollFlags::POLLIN)];
        match poll(&mut wait, PollTimeout::NONE) {
            Ok(_) | Err(Errno::EINTR) => {}
            Err(error) => return tracing::error!(%error, "nothing is copied out of the rings any more"),
        }
        if shared.stopping.load(Relaxed) {
            return;
        }
        match halves.take() {
            // A slot that is not kept has none.
            Ok(halves) => {
                halves.into_iter().filter_map(|half| shared.shelf(half)).for_each(|shelf| copy(shared, &shelf))
            }
            Err(error) => return tracing::error!(%error, "nothing is copied out of the rings any more"),
        }
    }
}

/// Between two looks at all rings: at least, and where nothing is new.
const PAUSES: (Duration, Duration) = (Duration::from_millis(2), Duration::from_millis(32));

/// The same where nobody says which rings are half new: all are looked at.
pub(super) fn look(shared: &Arc<Shared>, end: &OwnedFd) {
    let mut pause = PAUSES.0;
    while !shared.stopping.load(Relaxed) {
        let mut is_busy = false;
        for shelf in shared.all() {
            let (unread, size) = (shelf.unread(), shelf.ring().size() as u64);
            is_busy |= unread >= size / 8;
            if unread >= size / 2 {
                copy(shared, &shelf);
            }
        }
        pause = if is_busy { PAUSES.0 } else { (2 * pause).min(PAUSES.1) };
        let wait = &mut [PollFd::new(end.as_fd(), PollFlags::POLLIN)];
        let _ = poll(wait, PollTimeout::try_from(pause).unwrap_or(PollTimeout::MAX));
    }
}

fn copy(shared: &Shared, shelf: &Arc<Shelf>) {
    if !shared.keeps() {
        return;
    }
    if level(&shared.waiting) >= shared.waiting_most() {
        return shelf.leave_out();
    }
    shared.settle(shelf.copy(shared.written.as_ref()));
    shared.queue(shelf);
}
