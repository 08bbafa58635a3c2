//! Who may talk to the daemon: root, and members of the group `traceloop` where there is one. Everybody else may ask for
//! what is his own of stored dumps, and for nothing else.

use std::{fs, io, mem::size_of_val, os::fd::AsRawFd};

use nix::unistd::Group;
use tokio::net::UnixStream;

/// The group whose members may use the socket.
pub(super) const GROUP: &str = "traceloop";

/// Who a client is, as the kernel told when it connected.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Peer {
    /// Its user.
    pub uid: u32,
    /// Its process; 0: of another pid namespace.
    pub pid: u32,
    /// What its process was called then.
    pub comm: String,
    /// Whether it is given only what is its own; of no use to root.
    pub only: Option<Groups>,
}

/// The groups of a client: it is given nothing of what ran with another.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Groups(Vec<u32>);

impl Groups {
    /// These.
    pub fn of(groups: impl IntoIterator<Item = u32>) -> Self {
        Self(groups.into_iter().collect())
    }

    /// Whether that is one of them.
    pub fn have(&self, gid: u32) -> bool {
        self.0.contains(&gid)
    }
}

impl Peer {
    /// The one at the other end; `None`: the kernel does not say who that is.
    pub(super) fn of(stream: &UnixStream, group: Option<u32>) -> Option<Self> {
        let peer = stream.peer_cred().ok()?;
        let mut all = groups(stream).unwrap_or_default();
        all.push(peer.gid());
        let may = peer.uid() == 0 || group.is_some_and(|group| all.contains(&group));
        let only = (!may).then_some(Groups(all));
        let pid = peer.pid().and_then(|pid| u32::try_from(pid).ok()).unwrap_or(0);
        let comm = fs::read(format!("/proc/{pid}/comm")).unwrap_or_default();
        let comm = String::from_utf8_lossy(comm.strip_suffix(b"\n").unwrap_or(&comm)).into_owned();
        Some(Self { uid: peer.uid(), pid, comm, only })
    }
}

/// The group's number, if this machine has the group.
pub(super) fn group() -> Option<u32> {
    Group::from_name(GROUP).ok().flatten().map(|group| group.gid.as_raw())
}

/// The supplementary groups that the peer had when it connected.
fn groups(stream: &UnixStream) -> io::Result<Vec<u32>> {
    /// Linux' NGROUPS_MAX.
    const MOST: usize = 65_536;
    let mut groups = vec![0_u32; 64];
    loop {
        let mut length = libc::socklen_t::try_from(size_of_val(groups.as_slice())).map_err(io::Error::other)?;
        // SAFETY: `groups` is `length` bytes long, and the kernel writes no more than that.
        let failed = unsafe {
            libc::getsockopt(
                stream.as_raw_fd(),
                libc::SOL_SOCKET,
                libc::SO_PEERGROUPS,
                groups.as_mut_ptr().cast(),
                &raw mut length,
            )
        };
        if failed == 0 {
            groups.truncate(usize::try_from(length).unwrap_or(0) / 4);
            return Ok(groups);
        }
        let error = io::Error::last_os_error();
        if error.raw_os_error() != Some(libc::ERANGE) || groups.len() >= MOST {
            return Err(error);
        }
        groups.resize(groups.len() * 8, 0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn the_kernel_tells_who_it_is() {
        let (one, _two) = UnixStream::pair().unwrap();
        let (me, group) = (nix::unistd::getuid(), nix::unistd::getgid().as_raw());
        let peer = Peer::of(&one, None).unwrap();
        assert_eq!((peer.uid, peer.pid, peer.only.is_none()), (me.as_raw(), std::process::id(), me.is_root()));
        assert!(peer.only.is_none_or(|groups| groups.have(group) && !groups.have(group + 1)));
        assert_eq!(Peer::of(&one, Some(group)).unwrap().only, None);
        let mine: Vec<u32> = nix::unistd::getgroups().unwrap().iter().map(|gid| gid.as_raw()).collect();
        assert_eq!(groups(&one).unwrap(), mine);
    }
}
