//! What printers ask of descriptors: answered as they stood when the call began, and when it had ended.

use super::fds::{Change, Descriptors};
use crate::model::File;

/// The descriptors before and after a call.
#[derive(Clone, Copy, Debug)]
pub(super) struct Moment<'a> {
    pub(super) descriptors: &'a Descriptors,
    pub(super) pid: u32,
    pub(super) changes: &'a [Change],
}

/// Who answers a printer.
pub(super) type View<'a> = &'a Moment<'a>;

impl<'a> Moment<'a> {
    /// What a descriptor stood for when the call began.
    pub(super) fn before(&self, fd: i32) -> Option<&'a File> {
        self.descriptors.file(self.pid, fd)
    }

    /// What it stands for now that the call has ended.
    pub(super) fn after(&self, fd: i32) -> Option<&'a File> {
        for change in self.changes.iter().rev() {
            match change {
                Change::Opened { fd: opened, file, sure: true, .. } if *opened == fd => return file.as_ref(),
                Change::Opened { fd: opened, file, .. } if *opened == fd => {
                    return self.descriptors.foreknown_next(self.changes, fd).or(file.as_ref());
                }
                Change::Copied { from, to, .. } if *to == fd => return self.before(*from),
                Change::Received { over, descriptors, .. } if descriptors.contains(&fd) => {
                    return self.descriptors.coming(self.pid, *over, descriptors, fd);
                }
                _ => {}
            }
        }
        self.before(fd)
    }
}
