//! Descriptors on their way between processes, over unix sockets whose ends the history shows.

use super::{Descriptors, Life, Slot};
use crate::model::File;

/// Messages with descriptors that wait at one socket; older ones went to somebody who was not seen.
const WAITING_MOST: usize = 64;

impl Descriptors {
    /// A process sends descriptors.
    pub(super) fn sent(&mut self, pid: u32, over: i32, descriptors: &[i32]) {
        let Some(peer) = self.file(pid, over).and_then(|file| super::naming::peer(file.socket.as_deref()?)) else {
            return;
        };
        let lives = descriptors.iter().map(|fd| self.life(pid, *fd)).collect();
        let waiting = self.passing.entry(peer).or_default();
        if waiting.len() == WAITING_MOST {
            waiting.pop_front();
        }
        waiting.push_back(lives);
    }

    /// What waits at a process's socket, for so many descriptors.
    fn waiting(&self, pid: u32, over: i32, count: usize) -> Option<(u64, &Vec<Option<Life>>)> {
        let inode = self.file(pid, over)?.path.strip_prefix("socket:[")?.strip_suffix(']')?.parse().ok()?;
        Some((inode, self.passing.get(&inode)?.front().filter(|lives| lives.len() == count)?))
    }

    /// What a descriptor stands for that a process is about to receive.
    pub(in crate::decode) fn coming(&self, pid: u32, over: i32, descriptors: &[i32], fd: i32) -> Option<&File> {
        let (_, lives) = self.waiting(pid, over, descriptors.len())?;
        let at = descriptors.iter().position(|descriptor| *descriptor == fd)?;
        self.of((*lives.get(at)?)?)
    }

    /// A process has received descriptors.
    pub(super) fn received(&mut self, pid: u32, over: i32, descriptors: &[i32], cloexec: bool) {
        let (inode, lives) = match self.waiting(pid, over, descriptors.len()) {
            Some((inode, lives)) => (Some(inode), lives.clone()),
            None => (None, vec![None; descriptors.len()]),
        };
        if let Some(waiting) = inode.and_then(|inode| self.passing.get_mut(&inode)) {
            waiting.pop_front();
        }
        for (fd, life) in descriptors.iter().zip(lives) {
            // What nobody told of stays a number, and is not what the number stood for before.
            let life = life.unwrap_or_else(|| {
                self.made += 1;
                Life::Made(self.made)
            });
            self.table(pid).slots.insert(*fd, Slot { life: Some(life), cloexec });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::*;

    fn socket(descriptors: &mut Descriptors, pid: u32, fd: i32, own: u32, peer: u32) {
        let file = File {
            path: format!("socket:[{own}]"),
            socket: Some(format!("UNIX-STREAM:[{own}->{peer}]")),
            ..File::default()
        };
        descriptors.apply(pid, Change::Opened { fd, file: Some(file), cloexec: false, sure: true });
    }

    #[test]
    fn a_descriptor_goes_to_another_process() {
        let mut descriptors = Descriptors::default();
        socket(&mut descriptors, 1, 3, 7, 8);
        socket(&mut descriptors, 2, 4, 8, 7);
        let file = File { path: "/a".to_owned(), ..File::default() };
        descriptors.apply(1, Change::Opened { fd: 9, file: Some(file), cloexec: false, sure: true });
        descriptors.apply(1, Change::Sent { over: 3, descriptors: vec![9] });
        descriptors.apply(1, Change::Closed { from: 9, to: 9 });
        assert_eq!(descriptors.coming(2, 4, &[5], 5).map(|file| &*file.path), Some("/a"));
        descriptors.apply(2, Change::Received { over: 4, descriptors: vec![5], cloexec: true });
        assert_eq!(descriptors.file(2, 5).map(|file| &*file.path), Some("/a"));
        descriptors.apply(2, Change::Received { over: 4, descriptors: vec![5], cloexec: true });
        assert_eq!(descriptors.file(2, 5), None);
    }
}
