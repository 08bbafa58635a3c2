//! One file that a browser opens: the timeline by thread, the calls with filters, last words, latencies.
//!
//! The page needs no network and no server. Events are written as they come, in parts of some thousand,
//! as columns of JSON; the page's own script (`*.js` beside this) reads them. Nothing that a recorded
//! program wrote can become markup: data stands in blocks that no browser executes, every `<` in it
//! is written as `\u003c`, the script only ever makes text nodes of it, and the page's policy allows no
//! script and no style but those with this file's random nonce, and no connection at all.

mod part;

use std::{
    hash::{BuildHasher, RandomState},
    io::{self, Write},
};

use serde::Serialize;

use self::part::Part;
use super::{json::tame, seen::Seen, strace, window};
use crate::model::{Dump, Event};

const PAGE: &str = include_str!("page.html");
const STYLE: &str = include_str!("style.css");
const SCRIPTS: [&str; 6] = [
    include_str!("events.js"),
    include_str!("view.js"),
    include_str!("timeline.js"),
    include_str!("table.js"),
    include_str!("aside.js"),
    include_str!("page.js"),
];

/// Writes a dump as a page.
#[derive(Debug)]
pub(super) struct Page {
    nonce: String,
    /// Times in the page count from here: a browser's numbers hold 53 bits.
    origin: u64,
    /// What people call the cgroups, if there are several.
    names: Vec<String>,
    part: Part,
    seen: Seen,
    held: Option<u64>,
}

/// What the page says of the dump.
#[derive(Serialize)]
struct Head<'a> {
    traceloop: &'a str,
    name: String,
    host: &'a str,
    kernel: &'a str,
    arch: &'a str,
    cgroups: &'a [String],
    cause: String,
    summary: Option<&'a str>,
    window: Vec<String>,
    lost: u64,
    /// The origin, in seconds and nanoseconds since the epoch.
    origin: (u64, u64),
    /// Nanoseconds from the origin.
    taken: i64,
    complete_from: Option<i64>,
}

/// What stands behind the events.
#[derive(Serialize)]
struct Tail {
    #[serde(flatten)]
    seen: Seen,
    /// How many calls the dump holds, of which those that were chosen are here.
    held: Option<u64>,
}

impl Page {
    /// Writes what stands before the events.
    pub(super) fn begin(out: &mut dyn Write, dump: &Dump) -> io::Result<Self> {
        // Each hasher has random keys that nothing recorded can know.
        let random = || RandomState::new().hash_one(dump.taken);
        let nonce = format!("{:016x}{:016x}", random(), random());
        let origin = dump.began;
        let (seconds, _) = strace::wall(origin, dump.clock_offset);
        let head = Head {
            traceloop: &dump.traceloop,
            name: dump.names().join(" "),
            host: &dump.host,
            kernel: &dump.kernel,
            arch: &dump.arch,
            cgroups: &dump.cgroups,
            cause: dump.cause.to_string(),
            summary: dump.summary.as_ref().map(|summary| summary.text.as_str()),
            window: window::lines(dump),
            lost: dump.window.lost_in_all(),
            origin: (seconds, origin.saturating_add_signed(dump.clock_offset) % 1_000_000_000),
            taken: since(origin, dump.taken),
            complete_from: dump.window.complete_from.map(|time| since(origin, time)),
        };
        let page = PAGE.replace("NONCE", &nonce).replace("STYLE", STYLE);
        out.write_all(page.as_bytes())?;
        block(out, "head", &head)?;
        let held = dump.counts.map(|counts| counts.calls);
        Ok(Self { nonce, origin, names: dump.names_of_each(), part: Part::default(), seen: Seen::default(), held })
    }

    /// Takes an event; those of a dump come in the order in which they began.
    pub(super) fn event(&mut self, out: &mut dyn Write, event: &Event) -> io::Result<()> {
        self.seen.see(event);
        let whose = self.names.get(usize::from(event.whose)).map(String::as_str);
        self.part.push(event, whose, self.origin);
        if self.part.is_full() {
            block(out, "events", &self.part)?;
            self.part = Part::default();
        }
        Ok(())
    }

    /// Writes what stands behind the events.
    pub(super) fn finish(self, out: &mut dyn Write) -> io::Result<()> {
        block(out, "events", &self.part)?;
        block(out, "tail", &Tail { seen: self.seen, held: self.held })?;
        writeln!(out, "<script nonce=\"{}\">\n\"use strict\";\n(() => {{", self.nonce)?;
        SCRIPTS.iter().try_for_each(|script| out.write_all(script.as_bytes()))?;
        out.write_all(b"})();\n</script>\n</html>\n")
    }
}

/// Nanoseconds from the origin on; before it they are negative.
fn since(origin: u64, time: u64) -> i64 {
    time.cast_signed().saturating_sub(origin.cast_signed())
}

/// A block of data. Without `<` it can neither end its element nor begin a comment.
fn block(out: &mut dyn Write, class: &str, data: &impl Serialize) -> io::Result<()> {
    let json = serde_json::to_string(data)?;
    writeln!(
        out,
        "<script type=\"application/json\" class=\"{class}\">{}</script>",
        tame(&json.replace('<', "\\u003c"))
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Call, Comm, Each, Identity, Outcome, What};

    fn page(dump: &Dump, text: &str, comm: &[u8]) -> String {
        let call = Call {
            nr: 257,
            text: text.into(),
            outcome: Outcome::Failed { errno: 2, text: "-1 ENOENT (No such file or directory)".into() },
            duration: Some(2500),
            ..Call::of("openat")
        };
        let mut name = [0; 16];
        name[..comm.len()].copy_from_slice(comm);
        let event = Event {
            start: 5_000,
            end: 7_500,
            tid: 7,
            pid: 7,
            comm: Comm(name),
            whose: 0,
            cpu: None,
            what: What::Call(Box::new(call)),
        };
        let mut out = Vec::new();
        let mut page = Page::begin(&mut out, dump).unwrap();
        page.event(&mut out, &event).unwrap();
        page.finish(&mut out).unwrap();
        String::from_utf8(out).unwrap()
    }

    fn blocks(page: &str, class: &str) -> Vec<serde_json::Value> {
        let open = format!("<script type=\"application/json\" class=\"{class}\">");
        page.split(&open)
            .skip(1)
            .map(|rest| serde_json::from_str(rest.split("</script>").next().unwrap()).unwrap())
            .collect()
    }

    #[test]
    fn an_event_comes_back_from_its_columns() {
        let page = page(&Dump { began: 2_000, ..Dump::default() }, "AT_FDCWD, \"/a\"", b"cat");
        let part = &blocks(&page, "events")[0];
        let word = |column: &str| part["strings"][usize::try_from(part[column][0].as_u64().unwrap()).unwrap()].clone();
        assert_eq!((&part["start"][0], &part["length"][0]), (&3_000.into(), &2_500.into()));
        assert_eq!(
            (word("name"), word("text"), word("errno")),
            ("openat".into(), "AT_FDCWD, \"/a\"".into(), "ENOENT".into())
        );
        let tail = &blocks(&page, "tail")[0];
        assert_eq!((&tail["events"], &tail["calls"], &tail["failed"]), (&1.into(), &1.into(), &1.into()), "{tail}");
    }

    #[test]
    fn of_several_cgroups_a_thread_has_its_unit_before_it() {
        let identity = |unit: &str| Identity { unit: Some(unit.into()), ..Identity::default() };
        let identities = vec![identity("web.service"), identity("db.service")];
        let page = page(&Dump { identities, each: vec![Each::default(); 2], ..Dump::default() }, "", b"cat");
        assert_eq!(blocks(&page, "events")[0]["strings"][0], "web.service cat");
        assert_eq!(blocks(&page, "head")[0]["window"].as_array().map(Vec::len), Some(3), "one line for each, too");
    }

    #[test]
    fn nothing_recorded_becomes_markup() {
        let hostile = "</script><script>alert(1)</script><!-- <img src=x onerror=alert(1)>";
        let dump = Dump { host: hostile.into(), cgroups: vec![hostile.into()], ..Dump::default() };
        let clean = page(&Dump::default(), "", b"");
        let page = page(&dump, hostile, b"</script><!--");
        // The page has exactly the tags that it has without them.
        assert_eq!(page.matches('<').count(), clean.matches('<').count());
        assert_eq!(blocks(&page, "head")[0]["host"], hostile);
        assert!(page.contains("default-src 'none'"));
    }
}
