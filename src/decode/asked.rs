//! What printers ask of descriptors: answered as the history stands, or as it was answered before.
//!
//! A dump is decoded in the order in which calls began, descriptors are followed in the order in which
//! calls ended. So calls are printed twice: the first time answers are noted, the second time they are
//! given again.

use std::{
    cell::{Cell, RefCell},
    collections::HashMap,
    rc::Rc,
};

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
#[derive(Clone, Copy, Debug)]
pub(super) enum View<'a> {
    /// The history, as it stands.
    Now(&'a Moment<'a>),
    /// The same, and the answers are noted.
    Noting(&'a Moment<'a>, &'a RefCell<Answers>),
    /// What was noted.
    Again(&'a Again<'a>),
}

impl<'a> View<'a> {
    /// What a descriptor stood for when the call began.
    pub(super) fn before(&self, fd: i32) -> Option<&'a File> {
        self.ask(|moment| moment.before(fd))
    }

    /// What it stands for now that the call has ended.
    pub(super) fn after(&self, fd: i32) -> Option<&'a File> {
        self.ask(|moment| moment.after(fd))
    }

    fn ask(&self, question: impl FnOnce(&Moment<'a>) -> Option<&'a File>) -> Option<&'a File> {
        match self {
            Self::Now(moment) => question(moment),
            Self::Noting(moment, answers) => {
                let answer = question(moment);
                answers.borrow_mut().note(answer);
                answer
            }
            Self::Again(again) => again.next(),
        }
    }
}

impl<'a> Moment<'a> {
    fn before(&self, fd: i32) -> Option<&'a File> {
        self.descriptors.file(self.pid, fd)
    }

    fn after(&self, fd: i32) -> Option<&'a File> {
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

/// Answers to the questions of calls; what is the same is kept once.
#[derive(Debug, Default)]
pub(super) struct Answers {
    noted: Vec<u32>,
    files: Vec<Rc<File>>,
    numbers: HashMap<Rc<File>, u32>,
    /// Numbers of files, 0 for none; a call's answers in the order of its questions.
    kept: Vec<Rc<[u32]>>,
    places: HashMap<Rc<[u32]>, u32>,
}

impl Answers {
    fn note(&mut self, answer: Option<&File>) {
        let number = match answer {
            None => 0,
            Some(file) => self.numbers.get(file).copied().unwrap_or_else(|| {
                let file = Rc::new(file.clone());
                self.files.push(file.clone());
                let number = u32::try_from(self.files.len()).unwrap_or(0);
                self.numbers.insert(file, number);
                number
            }),
        };
        self.noted.push(number);
    }

    /// Keeps what was noted since the last time, and says where.
    pub(super) fn keep(&mut self) -> u32 {
        if let Some(place) = self.places.get(self.noted.as_slice()) {
            self.noted.clear();
            return *place;
        }
        let answers: Rc<[u32]> = self.noted.drain(..).collect();
        let place = u32::try_from(self.kept.len()).unwrap_or(u32::MAX);
        self.kept.push(answers.clone());
        self.places.insert(answers, place);
        place
    }

    /// What was kept there, to be given again.
    pub(super) fn again(&self, place: u32) -> Again<'_> {
        let answers = self.kept.get(place as usize).map_or(&[][..], |answers| answers);
        Again { files: &self.files, answers, next: Cell::new(0) }
    }
}

/// The answers to one call's questions.
#[derive(Debug)]
pub(super) struct Again<'a> {
    files: &'a [Rc<File>],
    answers: &'a [u32],
    next: Cell<usize>,
}

impl<'a> Again<'a> {
    fn next(&self) -> Option<&'a File> {
        let number = *self.answers.get(self.next.replace(self.next.get() + 1))?;
        self.files.get((number as usize).checked_sub(1)?).map(Rc::as_ref)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_answers_are_given_again_and_kept_once() {
        let file = |path: &str| Some(File { path: path.to_owned(), ..File::default() });
        let (one, two) = (file("/1"), file("/2"));
        let mut answers = Answers::default();
        let mut kept = |noted: &[Option<&File>]| {
            noted.iter().for_each(|file| answers.note(*file));
            answers.keep()
        };
        let none = kept(&[]);
        let first = kept(&[one.as_ref(), None, two.as_ref()]);
        assert_eq!(kept(&[one.as_ref(), None, two.as_ref()]), first);
        let other = kept(&[two.as_ref()]);
        let told = |place| {
            let again = answers.again(place);
            [(); 4].map(|()| again.next().map_or("", |file| file.path.as_str()))
        };
        assert_eq!(told(first), ["/1", "", "/2", ""]);
        assert_eq!(told(other), ["/2", "", "", ""]);
        assert_eq!(told(none), ["", "", "", ""]);
    }
}
