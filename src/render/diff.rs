//! What one run did that another did not, by the shapes of calls.

use std::{
    collections::{HashMap, HashSet},
    io::{self, Write},
};

use jiff::tz::TimeZone;
use serde::Serialize;

use super::{moment::clock, shape::shape};
use crate::model::{Dump, Event};

/// A shape of both runs is told where one has it so many times more often, and not just a few times.
const RATIO: u64 = 4;
const FEW: u64 = 20;

/// Which of the two runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    /// The one that went well.
    A,
    /// The other.
    B,
}

/// Compares the events of two dumps.
#[derive(Debug)]
pub struct Diff {
    dumps: [About; 2],
    shapes: HashMap<String, [Seen; 2]>,
}

#[derive(Debug)]
struct About {
    title: String,
    clock_offset: i64,
    pids: HashSet<u32>,
}

/// A difference, for programs.
#[derive(Debug, Serialize)]
pub struct Difference<'a> {
    /// Which run alone did it; none: both, and one much more often.
    #[serde(skip_serializing_if = "Option::is_none")]
    only: Option<&'static str>,
    shape: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    a: Option<Times>,
    #[serde(skip_serializing_if = "Option::is_none")]
    b: Option<Times>,
}

impl Difference<'_> {
    /// Whether one run did what the other did not.
    pub fn is_of_one(&self) -> bool {
        self.only.is_some()
    }
}

#[derive(Debug, Serialize)]
struct Times {
    times: u64,
    /// Seconds since 1970.
    first: f64,
    tid: u32,
}

/// How often a shape came, and when first.
#[derive(Clone, Copy, Debug, Default)]
struct Seen {
    times: u64,
    first: u64,
    tid: u32,
}

impl Diff {
    /// Nothing compared yet.
    pub fn new(a: &Dump, b: &Dump) -> Self {
        let about = |dump: &Dump| About {
            title: format!("{} on {}, {}", dump.names().join(" "), dump.host, dump.cause),
            clock_offset: dump.clock_offset,
            pids: dump.processes.iter().flat_map(|process| [process.pid, process.tid]).collect(),
        };
        Self { dumps: [about(a), about(b)], shapes: HashMap::new() }
    }

    /// Takes an event of one of them.
    pub fn event(&mut self, side: Side, event: &Event) {
        let about = &mut self.dumps[side as usize];
        about.pids.extend([event.pid, event.tid]);
        let Some(shape) = shape(event, &about.pids) else { return };
        let seen = &mut self.shapes.entry(shape).or_default()[side as usize];
        if seen.times == 0 {
            (seen.first, seen.tid) = (event.start, event.tid);
        }
        seen.times += 1;
    }

    /// What differs, for programs, in the order in which it is written.
    pub fn told(&self) -> Vec<Difference<'_>> {
        let of = |only, (shape, seen): (_, [Seen; 2])| {
            let [a, b] = [Side::A, Side::B].map(|side| self.times(side, seen[side as usize]));
            Difference { only, shape, a, b }
        };
        let ours = self.only(Side::B).into_iter().map(|seen| of(Some("b"), seen));
        let theirs = self.only(Side::A).into_iter().map(|seen| of(Some("a"), seen));
        ours.chain(theirs).chain(self.more_often().into_iter().map(|seen| of(None, seen))).collect()
    }

    /// How often and when, in the reader's terms.
    fn times(&self, side: Side, Seen { times, first, tid }: Seen) -> Option<Times> {
        #[allow(clippy::cast_precision_loss, reason = "microseconds since the epoch fit")]
        let first = (first.saturating_add_signed(self.dumps[side as usize].clock_offset) / 1000) as f64 / 1e6;
        (times > 0).then_some(Times { times, first, tid })
    }

    /// What this run did and the other did not.
    fn only(&self, side: Side) -> Vec<(&str, [Seen; 2])> {
        let lacks = move |seen: &[Seen; 2]| seen[1 - side as usize].times == 0;
        self.sorted(move |seen| lacks(seen).then_some(seen[side as usize].first))
    }

    /// What one did much more often than the other.
    fn more_often(&self) -> Vec<(&str, [Seen; 2])> {
        self.sorted(|seen| {
            let (least, most) = (seen[0].times.min(seen[1].times), seen[0].times.max(seen[1].times));
            // Most times as often first.
            (least > 0 && most >= FEW && most / least >= RATIO).then(|| u64::MAX - most / least)
        })
    }

    /// Writes what differs; tells whether one run did what the other did not.
    pub fn finish(self, out: &mut dyn Write) -> io::Result<bool> {
        writeln!(out, "--- A: {}\n+++ B: {}", self.dumps[0].title, self.dumps[1].title)?;
        let (ours, theirs) = (self.only(Side::B), self.only(Side::A));
        self.section(out, "only in B", '+', Side::B, &ours)?;
        self.section(out, "only in A", '-', Side::A, &theirs)?;
        let counts = self.more_often();
        if !counts.is_empty() {
            writeln!(out, "\n@@ in both, but not as often: A, B @@")?;
            for (shape, seen) in &counts {
                writeln!(out, "  {:>8} {:>8}  {shape}", seen[0].times, seen[1].times)?;
            }
        }
        let differs = !ours.is_empty() || !theirs.is_empty();
        if !differs {
            writeln!(out, "\nno call of one that the other does not have: {} shapes in both", self.shapes.len())?;
        }
        Ok(differs)
    }

    fn sorted(&self, key: impl Fn(&[Seen; 2]) -> Option<u64>) -> Vec<(&str, [Seen; 2])> {
        let mut found: Vec<_> =
            self.shapes.iter().filter_map(|(shape, seen)| Some((key(seen)?, shape.as_str(), *seen))).collect();
        found.sort_by_key(|(key, shape, _)| (*key, *shape));
        found.into_iter().map(|(_, shape, seen)| (shape, seen)).collect()
    }

    fn section(
        &self,
        out: &mut dyn Write,
        title: &str,
        sign: char,
        side: Side,
        shapes: &[(&str, [Seen; 2])],
    ) -> io::Result<()> {
        if shapes.is_empty() {
            return Ok(());
        }
        let zone = TimeZone::system();
        writeln!(out, "\n@@ {title}: times, first at, thread @@")?;
        for (shape, seen) in shapes {
            let Seen { times, first, tid } = seen[side as usize];
            let first = clock(first, self.dumps[side as usize].clock_offset, &zone);
            writeln!(out, "{sign} {times:>8} {first} [{tid}] {shape}")?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Comm, Exit, What};

    fn exit(status: u8, start: u64) -> Event {
        let comm = Comm(*b"worker-3\0\0\0\0\0\0\0\0");
        Event { start, end: start, tid: 7, pid: 7, comm, whose: 0, cpu: None, what: What::Exit(Exit::Status(status)) }
    }

    fn told(a: &[u8], b: &[u8]) -> (bool, String) {
        let mut diff = Diff::new(&Dump::default(), &Dump::default());
        a.iter().for_each(|status| diff.event(Side::A, &exit(*status, 5)));
        b.iter().for_each(|status| diff.event(Side::B, &exit(*status, 5)));
        let mut out = Vec::new();
        let differs = diff.finish(&mut out).unwrap();
        (differs, String::from_utf8(out).unwrap())
    }

    #[test]
    fn what_only_one_did_is_told() {
        let (differs, text) = told(&[0, 1], &[0, 3, 3]);
        assert!(differs);
        assert!(text.contains("@@ only in B") && text.contains("+        2 "), "{text}");
        assert!(text.contains("worker-: +++ exited with 3 +++"), "{text}");
        assert!(text.contains("-        1 ") && !text.contains("exited with 0"), "{text}");
    }

    #[test]
    fn the_same_is_the_same_however_often_it_came() {
        let (differs, text) = told(&[0], &[0; 30]);
        assert!(!differs && text.contains("       1       30  worker-: +++ exited with 0 +++"), "{text}");
    }
}
