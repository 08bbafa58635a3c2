//! The order of lines: a call is one line, or two where another thread's line comes between.

use std::{
    cmp::Reverse,
    collections::BinaryHeap,
    io::{self, Write},
};

use crate::model::{Event, What};

/// One line to write.
#[derive(Clone, Copy, Debug)]
pub(super) enum Line<'a> {
    /// The event, whole.
    Whole(&'a Event),
    /// The call's beginning: others come before its end.
    Begun(&'a Event),
    /// Its end.
    Resumed(&'a Event),
}

/// Writes the lines of events that come in the order in which they began, as strace would have written
/// them. Of a call that others come between, no more is kept than the line of its end.
pub(super) struct Lines<'a, W, F> {
    out: &'a mut W,
    text_of: F,
    text: String,
    count: u64,
    /// The call that began last, not written yet.
    held: Option<(Event, u64)>,
    /// The ends of calls whose beginning is written: their time, their place in the order, their line.
    ends: BinaryHeap<Reverse<(u64, u64, Box<str>)>>,
}

impl<'a, W: Write, F: FnMut(&mut String, Line<'_>)> Lines<'a, W, F> {
    /// `text_of` appends a line's text.
    pub(super) fn new(out: &'a mut W, text_of: F) -> Self {
        Self { out, text_of, text: String::with_capacity(256), count: 0, held: None, ends: BinaryHeap::new() }
    }

    /// Takes in the next event.
    pub(super) fn push(&mut self, event: Event) -> io::Result<()> {
        self.write_until(event.start)?;
        self.count += 1;
        if is_call(&event) && event.end > event.start {
            self.held = Some((event, self.count));
            return Ok(());
        }
        self.write(Line::Whole(&event))
    }

    /// Writes what is left. Calls that did not end have no end to write.
    pub(super) fn finish(mut self) -> io::Result<()> {
        self.write_until(u64::MAX)
    }

    /// Writes what comes before something that begins at `time`; ends come before beginnings.
    fn write_until(&mut self, time: u64) -> io::Result<()> {
        if let Some((event, n)) = self.held.take() {
            let is_next = self.ends.peek().is_none_or(|Reverse((end, other, _))| (event.end, n) < (*end, *other));
            if is_next && event.end <= time && event.end != u64::MAX && !changes_thread(&event) {
                self.write(Line::Whole(&event))?;
            } else {
                self.write(Line::Begun(&event))?;
                if event.end != u64::MAX {
                    self.text.clear();
                    (self.text_of)(&mut self.text, Line::Resumed(&event));
                    self.ends.push(Reverse((event.end, n, self.text.as_str().into())));
                }
            }
        }
        while self.ends.peek().is_some_and(|Reverse((end, ..))| *end <= time)
            && let Some(Reverse((_, _, text))) = self.ends.pop()
        {
            self.out.write_all(text.as_bytes())?;
        }
        Ok(())
    }

    fn write(&mut self, line: Line<'_>) -> io::Result<()> {
        self.text.clear();
        (self.text_of)(&mut self.text, line);
        self.out.write_all(self.text.as_bytes())
    }
}

/// An execve that began in another thread than it ends in.
fn changes_thread(event: &Event) -> bool {
    matches!(&event.what, What::Call(call) if call.caller.is_some())
}

fn is_call(event: &Event) -> bool {
    matches!(event.what, What::Call(_))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Call, Comm, Exit};

    fn call(tid: u32, start: u64, end: u64) -> Event {
        let call = Call::of("read");
        Event {
            start,
            end,
            tid,
            pid: tid,
            comm: Comm::default(),
            whose: 0,
            cpu: None,
            what: What::Call(Box::new(call)),
        }
    }

    fn shown(events: &[Event]) -> String {
        let mut out = Vec::new();
        let mut lines = Lines::new(&mut out, |text: &mut String, line| {
            text.push_str(&match line {
                Line::Whole(event) => format!("{} ", event.tid),
                Line::Begun(event) => format!("<{} ", event.tid),
                Line::Resumed(event) => format!("{}> ", event.tid),
            });
        });
        events.iter().for_each(|event| lines.push(event.clone()).unwrap());
        lines.finish().unwrap();
        String::from_utf8(out).unwrap().trim_end().to_owned()
    }

    #[test]
    fn a_call_is_split_where_another_line_comes_between() {
        assert_eq!(shown(&[call(1, 1, 2), call(2, 3, 4)]), "1 2");
        assert_eq!(shown(&[call(1, 1, 5), call(2, 3, 4)]), "<1 2 1>");
        assert_eq!(shown(&[call(1, 1, 4), call(2, 3, 6)]), "<1 <2 1> 2>");
        assert_eq!(shown(&[call(1, 1, u64::MAX)]), "<1");
        assert_eq!(shown(&[call(1, 1, 3), call(2, 1, 3)]), "<1 <2 1> 2>");
        assert_eq!(shown(&[call(1, 1, 3), call(2, 3, 4)]), "1 2");
        assert_eq!(shown(&[call(1, 1, u64::MAX), call(2, 2, 3), call(3, 4, 6), call(2, 5, 7)]), "<1 2 <3 <2 3> 2>");
    }

    #[test]
    fn what_has_no_length_is_one_line() {
        let mut exit = call(1, 3, 3);
        exit.what = What::Exit(Exit::Status(0));
        assert_eq!(shown(&[call(1, 1, 2), exit]), "1 1");
    }
}
