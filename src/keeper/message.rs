//! What daemon and keeper say to each other: one packet a message, with at most one descriptor.

use std::{
    io::{IoSlice, IoSliceMut},
    os::fd::{AsRawFd, BorrowedFd, FromRawFd, OwnedFd, RawFd},
};

use anyhow::{Context, Result, ensure};
use nix::{
    cmsg_space,
    errno::Errno,
    sys::socket::{ControlMessage, ControlMessageOwned, MsgFlags, recvmsg, sendmsg},
};
use serde::{Deserialize, Serialize};

/// No packet is larger.
const MOST: usize = 128 << 10;

/// The note by which a keeper's answer says that somebody stands in for the daemon.
pub(super) const STANDS_IN: &str = "stands-in";

/// What the daemon asks, and what the keeper answers to `Fetch`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub(super) enum Message {
    /// Keep the descriptor that comes with this; a ring's is mapped, too: its bytes without the first page.
    Hold { name: String, ring: Option<usize> },
    /// Let go what bears this name.
    LetGo { name: String },
    /// Keep a note in place of the one of that name.
    Note { name: String, text: String },
    /// Throw a note away.
    Forget { name: String },
    /// Tell all that is held: `Hold` and `Note` for each, then `Done`.
    Fetch,
    /// End who stands in for the daemon, and answer `Done`; said only to a keeper where somebody does.
    Relieve,
    /// That was all.
    Done,
    /// Let go everything.
    Clear,
    /// The recording is over: end.
    End,
}

/// Sends a message, as soon as the other end has room for it.
pub(super) fn send(socket: BorrowedFd<'_>, message: &Message, with: Option<BorrowedFd<'_>>) -> Result<()> {
    pass(socket, &packet(message)?, with, MsgFlags::MSG_NOSIGNAL)?;
    Ok(())
}

/// A message as it is sent.
pub(super) fn packet(message: &Message) -> Result<Vec<u8>> {
    let packet = serde_json::to_vec(message).context("write a message")?;
    ensure!(packet.len() <= MOST, "a message of {} bytes is too long", packet.len());
    Ok(packet)
}

/// Sends it without waiting; false: there is no room for it now.
pub(super) fn offer(socket: BorrowedFd<'_>, packet: &[u8], with: Option<BorrowedFd<'_>>) -> Result<bool, Errno> {
    match pass(socket, packet, with, MsgFlags::MSG_NOSIGNAL | MsgFlags::MSG_DONTWAIT) {
        Ok(()) => Ok(true),
        Err(Errno::EAGAIN | Errno::EINTR) => Ok(false),
        Err(error) => Err(error),
    }
}

fn pass(socket: BorrowedFd<'_>, packet: &[u8], with: Option<BorrowedFd<'_>>, how: MsgFlags) -> Result<(), Errno> {
    let fds: Vec<RawFd> = with.iter().map(AsRawFd::as_raw_fd).collect();
    let control = [ControlMessage::ScmRights(&fds)];
    let control = if fds.is_empty() { &[][..] } else { &control };
    sendmsg::<()>(socket.as_raw_fd(), &[IoSlice::new(packet)], control, how, None).map(drop)
}

/// The next message; `None`: the other end is gone.
pub(super) fn receive(socket: BorrowedFd<'_>) -> Result<Option<(Message, Option<OwnedFd>)>> {
    let mut bytes = vec![0; MOST];
    let mut room = cmsg_space!([RawFd; 1]);
    let (length, cut, fd) = {
        let mut slices = [IoSliceMut::new(&mut bytes)];
        let got = recvmsg::<()>(socket.as_raw_fd(), &mut slices, Some(&mut room), MsgFlags::MSG_CMSG_CLOEXEC)?;
        let mut fds = Vec::new();
        for message in got.cmsgs()? {
            if let ControlMessageOwned::ScmRights(received) = message {
                // SAFETY: the kernel just gave us these descriptors; nobody else has them.
                fds.extend(received.into_iter().map(|fd| unsafe { OwnedFd::from_raw_fd(fd) }));
            }
        }
        (got.bytes, got.flags.intersects(MsgFlags::MSG_TRUNC | MsgFlags::MSG_CTRUNC), fds.pop())
    };
    if length == 0 {
        return Ok(None);
    }
    ensure!(!cut, "a message came cut");
    let message = serde_json::from_slice(&bytes[..length]).context("understand a message")?;
    Ok(Some((message, fd)))
}
