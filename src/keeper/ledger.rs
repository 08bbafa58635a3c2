//! All that the keeper is to hold, and what of it the present one has yet to be told.

use std::{
    collections::{BTreeMap, HashMap},
    os::fd::{AsFd, BorrowedFd, OwnedFd},
};

use super::message::Message;

/// What is to be held under a name.
#[derive(Debug)]
enum Item {
    /// A descriptor; a ring's with the size of its data. `None`: the keeper has it, and it is not kept here.
    Fd(Option<OwnedFd>, Option<usize>),
    Note(String),
}

/// Something that the keeper has yet to be told.
#[derive(Debug)]
enum Change {
    /// What is to be held under this name now.
    Hold(String),
    LetGo(String),
    Forget(String),
    Clear,
    End,
}

impl Change {
    fn name(&self) -> &str {
        match self {
            Self::Hold(name) | Self::LetGo(name) | Self::Forget(name) => name,
            Self::Clear | Self::End => "",
        }
    }
}

/// There is at most one change a name: of what is told again before it was sent, the last is sent, in its place in time.
/// So this is as long as what is held, whatever becomes of the keeper.
#[derive(Debug, Default)]
pub(super) struct Ledger {
    items: BTreeMap<String, Item>,
    changes: BTreeMap<u64, Change>,
    places: HashMap<String, u64>,
    told: u64,
}

impl Ledger {
    pub(super) fn hold(&mut self, name: &str, fd: OwnedFd, ring: Option<usize>) {
        self.items.insert(name.to_owned(), Item::Fd(Some(fd), ring));
        self.change(Change::Hold(name.to_owned()));
    }

    pub(super) fn note(&mut self, name: &str, text: String) {
        self.items.insert(name.to_owned(), Item::Note(text));
        self.change(Change::Hold(name.to_owned()));
    }

    pub(super) fn drop(&mut self, name: &str) {
        match self.items.remove(name) {
            Some(Item::Fd(..)) => self.change(Change::LetGo(name.to_owned())),
            Some(Item::Note(_)) => self.change(Change::Forget(name.to_owned())),
            None => {}
        }
    }

    /// Holds nothing any more.
    pub(super) fn clear(&mut self) {
        *self = Self { told: self.told, ..Self::default() };
        self.change(Change::Clear);
    }

    /// The recording is over. A keeper that stays all the same holds what it was told for another daemon.
    pub(super) fn end(&mut self) {
        self.change(Change::End);
    }

    /// The keeper holds this already.
    pub(super) fn is_held(&mut self, fds: BTreeMap<String, (OwnedFd, Option<usize>)>, notes: BTreeMap<String, String>) {
        self.items.extend(fds.into_iter().map(|(name, (fd, ring))| (name, Item::Fd(Some(fd), ring))));
        self.items.extend(notes.into_iter().map(|(name, text)| (name, Item::Note(text))));
    }

    /// Another keeper is to be told everything, `last` after all else: a keeper that holds it holds the rest. False:
    /// something cannot be told again, and so nothing is.
    pub(super) fn tell_again(&mut self, last: &str) -> bool {
        (self.changes, self.places) = Default::default();
        self.change(Change::Clear);
        if self.items.values().any(|item| matches!(item, Item::Fd(None, _))) {
            return false;
        }
        let names = self.items.keys().filter(|name| *name != last);
        let names: Vec<String> = names.chain(self.items.keys().filter(|name| *name == last)).cloned().collect();
        names.into_iter().for_each(|name| self.change(Change::Hold(name)));
        true
    }

    fn change(&mut self, change: Change) {
        self.told += 1;
        let former = self.places.insert(change.name().to_owned(), self.told).filter(|_| !change.name().is_empty());
        if let Some(former) = former {
            self.changes.remove(&former);
        }
        self.changes.insert(self.told, change);
    }

    pub(super) fn is_empty(&self) -> bool {
        self.changes.is_empty()
    }

    /// The next message, and the descriptor that goes with it.
    pub(super) fn next(&self) -> Option<(Message, Option<BorrowedFd<'_>>)> {
        let (_, change) = self.changes.first_key_value()?;
        Some(match change {
            Change::Hold(name) => match self.items.get(name)? {
                Item::Fd(fd, ring) => (Message::Hold { name: name.clone(), ring: *ring }, fd.as_ref().map(AsFd::as_fd)),
                Item::Note(text) => (Message::Note { name: name.clone(), text: text.clone() }, None),
            },
            Change::LetGo(name) => (Message::LetGo { name: name.clone() }, None),
            Change::Forget(name) => (Message::Forget { name: name.clone() }, None),
            Change::Clear => (Message::Clear, None),
            Change::End => (Message::End, None),
        })
    }

    /// That one was sent, or cannot be. A descriptor that is not to be `kept` is closed here.
    pub(super) fn sent(&mut self, kept: bool) {
        let Some((_, change)) = self.changes.pop_first() else { return };
        self.places.remove(change.name());
        if let Change::Hold(name) = change
            && !kept
            && let Some(Item::Fd(fd, Some(_))) = self.items.get_mut(&name)
        {
            *fd = None;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fd() -> OwnedFd {
        std::fs::File::open("/dev/null").expect("a descriptor").into()
    }

    fn sent(ledger: &mut Ledger) -> Vec<String> {
        let mut shown = Vec::new();
        while let Some((message, fd)) = ledger.next() {
            let with = if fd.is_some() { "+" } else { "" };
            shown.push(match message {
                Message::Hold { name, .. } => format!("hold {name}{with}"),
                Message::LetGo { name } => format!("let go {name}"),
                Message::Note { name, text } => format!("{name}: {text}"),
                Message::Forget { name } => format!("forget {name}"),
                other => format!("{other:?}"),
            });
            ledger.sent(true);
        }
        assert!(ledger.is_empty() && ledger.places.is_empty());
        shown
    }

    #[test]
    fn what_is_told_twice_before_it_is_sent_is_sent_once_and_in_its_place() {
        let mut ledger = Ledger::default();
        ledger.note("slot/1", "of one ring".into());
        ledger.hold("ring/1/1", fd(), Some(4096));
        ledger.note("slot/1", "of two rings".into());
        ledger.note("track/1", "a".into());
        ledger.drop("track/1");
        ledger.drop("track/2");
        assert_eq!(sent(&mut ledger), ["hold ring/1/1+", "slot/1: of two rings", "forget track/1"]);
        ledger.drop("ring/1/1");
        assert_eq!(sent(&mut ledger), ["let go ring/1/1"]);
    }

    #[test]
    fn another_keeper_is_told_everything_and_last_that_it_is_whole() {
        let mut ledger = Ledger::default();
        ledger.note("recording", "r".into());
        ledger.hold("ring/1/0", fd(), Some(4096));
        ledger.is_held([("map/a".to_owned(), (fd(), None))].into(), [("slot/1".to_owned(), "s".to_owned())].into());
        assert_eq!(sent(&mut ledger), ["recording: r", "hold ring/1/0+"]);
        ledger.note("track/1", "t".into());
        assert!(ledger.tell_again("recording"));
        let all = ["Clear", "hold map/a+", "hold ring/1/0+", "slot/1: s", "track/1: t", "recording: r"];
        assert_eq!(sent(&mut ledger), all);
        ledger.note("track/1", "t".into());
        ledger.end();
        assert_eq!(sent(&mut ledger), ["track/1: t", "End"]);
    }

    #[test]
    fn what_is_no_longer_here_is_told_nobody_in_part() {
        let mut ledger = Ledger::default();
        ledger.hold("ring/1/0", fd(), Some(4096));
        ledger.sent(false);
        ledger.note("recording", "r".into());
        assert!(!ledger.tell_again("recording"));
        assert_eq!(sent(&mut ledger), ["Clear"]);
    }
}
