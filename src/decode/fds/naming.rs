//! Names that change under open descriptors: what is deleted, moved, reset or gets a peer.
//!
//! A name is followed as the calls say it: one that leads elsewhere by a link changes nothing here.

use std::rc::Rc;

use super::{Descriptors, Life};
use crate::model::File;

impl Descriptors {
    /// Nothing leads to a file by this path any more.
    pub(super) fn gone(&mut self, path: &str) {
        self.rename(|file| (file.path == path).then(|| File { deleted: true, device: None, ..file.clone() }));
    }

    /// A file, or a directory with what is below, has another path now; what had that path is gone.
    pub(super) fn moved(&mut self, from: &str, to: &str) {
        self.rename(|file| {
            if file.path == to {
                return Some(File { deleted: true, device: None, ..file.clone() });
            }
            let below = file.path.strip_prefix(from).filter(|below| below.is_empty() || below.starts_with('/'))?;
            Some(File { path: format!("{to}{below}"), ..file.clone() })
        });
    }

    /// A connection is no more: the socket has its inode only.
    pub(super) fn reset(&mut self, pid: u32, fd: i32) {
        let Some(life) = self.life(pid, fd) else { return };
        let Some(file) = self.file(pid, fd) else { return };
        let Some(inode) = file.path.strip_prefix("socket:") else { return };
        let Some((protocol, _)) = file.socket.as_deref().and_then(|socket| socket.split_once(':')) else { return };
        if protocol.starts_with("TCP") {
            let file = File { socket: Some(format!("{protocol}:{inode}")), ..file.clone() };
            self.known.insert(life, Rc::new(file));
        }
    }

    /// A connection was accepted: the socket at its other end has a peer now, which is this one.
    pub(super) fn accepted(&mut self, socket: &str) {
        let Some((own, peer)) = pair(socket) else { return };
        let other = format!("socket:[{peer}]");
        self.rename(|file| {
            let text = file.socket.as_deref().filter(|text| file.path == other && !text.contains("->"))?;
            let at = text.find(['[']).map(|at| at + 1 + peer.len())?;
            let (head, rest) = text.split_at_checked(at)?;
            Some(File { socket: Some(format!("{head}->{own}{rest}")), ..file.clone() })
        });
    }

    /// Gives the files of all open descriptors other names.
    fn rename(&mut self, new: impl Fn(&File) -> Option<File>) {
        let open = self.tables.values().flat_map(|table| table.slots.values().filter_map(|slot| slot.life));
        let before = self.known.keys().copied().filter(|life| matches!(life, Life::Before(..)));
        let renamed: Vec<(Life, File)> = open
            .chain(before)
            .filter_map(|life| {
                let file = self.known.get(&life).or_else(|| self.foreknown.get(&life))?;
                Some((life, new(file).filter(|_| !file.deleted)?))
            })
            .collect();
        // A life of several descriptors is renamed once: the new name comes from the old one.
        self.known.extend(renamed.into_iter().map(|(life, file)| (life, Rc::new(file))));
    }
}

/// The inode of a unix socket's peer.
pub(super) fn peer(socket: &str) -> Option<u64> {
    pair(socket)?.1.parse().ok()
}

/// The inodes of `UNIX-STREAM:[12->13,"/run/socket"]`: its own and its peer's.
fn pair(socket: &str) -> Option<(&str, &str)> {
    let (own, rest) = socket.strip_prefix("UNIX")?.split_once('[')?.1.split_once("->")?;
    Some((own, rest.split([',', ']']).next()?))
}

#[cfg(test)]
mod tests {
    use super::super::*;

    fn open(descriptors: &mut Descriptors, fd: i32, path: &str, socket: Option<&str>) {
        let file = File { path: path.to_owned(), socket: socket.map(str::to_owned), ..File::default() };
        descriptors.apply(1, Change::Opened { fd, file: Some(file), cloexec: false, sure: true });
    }

    fn shown(descriptors: &Descriptors, fd: i32) -> String {
        descriptors.file(1, fd).map_or_else(String::new, |file| {
            file.socket.clone().unwrap_or_else(|| file.path.clone()) + if file.deleted { "!" } else { "" }
        })
    }

    #[test]
    fn files_are_deleted_and_moved() {
        let mut descriptors = Descriptors::default();
        for (fd, path) in [(3, "/a/b"), (4, "/a"), (5, "/ab"), (6, "/n"), (7, "/a/x")] {
            open(&mut descriptors, fd, path, None);
        }
        descriptors.apply(1, Change::Gone { path: "/a/x".to_owned() });
        descriptors.apply(2, Change::Moved { from: "/a".to_owned(), to: "/n".to_owned() });
        assert_eq!([3, 4, 5, 6, 7].map(|fd| shown(&descriptors, fd)), ["/n/b", "/n", "/ab", "/n!", "/a/x!"]);
    }

    #[test]
    fn what_was_so_before_the_history_is_so_again_the_second_time() {
        let mut first = Descriptors::default();
        let file = File { path: "/a".to_owned(), ..File::default() };
        first.begin(&[Files { pid: 1, directory: None, descriptors: vec![(3, file)] }]);
        first.apply(1, Change::Gone { path: "/a".to_owned() });
        assert_eq!(shown(&first, 3), "/a!");
        assert_eq!(shown(&first.again(&[]), 3), "/a");
    }

    #[test]
    fn sockets_lose_their_addresses_and_get_peers() {
        let mut descriptors = Descriptors::default();
        open(&mut descriptors, 3, "socket:[9]", Some("TCP:[127.0.0.1:1->127.0.0.1:2]"));
        descriptors.apply(1, Change::Reset { fd: 3 });
        assert_eq!(shown(&descriptors, 3), "TCP:[9]");
        open(&mut descriptors, 4, "socket:[7]", Some("UNIX-STREAM:[7]"));
        open(&mut descriptors, 5, "socket:[8]", Some("UNIX-STREAM:[8->7,\"/s\"]"));
        assert_eq!(shown(&descriptors, 4), "UNIX-STREAM:[7->8]");
    }
}
