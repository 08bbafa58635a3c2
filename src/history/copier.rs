//! The thread that copies rings before they are overwritten. It sleeps until the kernel side says that half of a ring
//! is new, and its work is short: late copies are lost history.

use std::{
    os::fd::{AsFd, OwnedFd},
    sync::{Arc, atomic::Ordering::Relaxed},
};

use nix::{
    errno::Errno,
    poll::{PollFd, PollFlags, PollTimeout, poll},
};

use super::{Half, Halves, Shared, level};

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
            Ok(halves) => halves.into_iter().for_each(|half| copy(shared, half)),
            Err(error) => return tracing::error!(%error, "nothing is copied out of the rings any more"),
        }
    }
}

fn copy(shared: &Shared, half: Half) {
    // A slot that is not kept.
    let Some(shelf) = shared.shelf(half) else { return };
    if !shared.keeps() {
        return;
    }
    if level(&shared.waiting) >= shared.waiting_most() {
        return shelf.leave_out();
    }
    shared.settle(shelf.copy(shared.written.as_ref()));
    shared.queue(&shelf);
}
