//! What a sink has of what the daemon stores: a file of ids, appended to as they go, so that it holds after a kill.
//!
//! ```text
//! ID waits      it was seen, and is to be shipped
//! ID done       it is there, or none for this sink
//! ID refused    the sink will never take it
//! ```
//! The ids and not the newest one: dumps are stored beside one another, an older one may come later. What the daemon does
//! not have any more is dropped when the file is read, so it stays as small as the daemon's store. Where it is lost, what a
//! store knows of itself (`node`) takes its place.

use std::{
    collections::{HashMap, HashSet},
    fs::{self, File, OpenOptions},
    io::{self, Write},
    path::{Path, PathBuf},
};

use anyhow::{Context, Result, ensure};

use crate::dump::is_id;

/// What is known of a dump at a sink.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Standing {
    Waits,
    Done,
    Refused,
}

impl Standing {
    const WORDS: [(Self, &'static str); 3] = [(Self::Waits, "waits"), (Self::Done, "done"), (Self::Refused, "refused")];

    fn word(self) -> &'static str {
        Self::WORDS.iter().find(|(standing, _)| *standing == self).map_or("", |(_, word)| word)
    }

    fn parse(word: &str) -> Option<Self> {
        Self::WORDS.iter().find(|(_, known)| *known == word).map(|(standing, _)| *standing)
    }
}

/// A sink's cursor.
#[derive(Debug)]
pub(crate) struct Cursor {
    path: PathBuf,
    file: File,
    known: HashMap<String, Standing>,
    /// The last that went, oldest first: they stand in the node's file.
    recent: Vec<String>,
    /// Lines in the file.
    lines: usize,
}

/// So many are remembered as the last ones.
pub(crate) const RECENT: usize = 256;

impl Cursor {
    /// Opens a sink's file; `None` beside it: there was none, as after a first start or a lost directory.
    pub(crate) fn open(directory: &Path, sink: &str) -> Result<(Self, bool)> {
        let doing = || format!("keep what was shipped in {}", directory.display());
        fs::create_dir_all(directory).with_context(doing)?;
        let path = directory.join(format!("{sink}.cursor"));
        let text = match fs::read(&path) {
            Ok(bytes) => Some(String::from_utf8_lossy(&bytes).into_owned()),
            Err(error) if error.kind() == io::ErrorKind::NotFound => None,
            Err(error) => return Err(error).with_context(doing),
        };
        let mut known = HashMap::new();
        let mut recent = Vec::new();
        for (id, standing) in text.iter().flat_map(|text| text.lines()).filter_map(parse) {
            known.insert(id.to_owned(), standing);
            if standing != Standing::Waits {
                recent.push(id.to_owned());
            }
        }
        recent.drain(..recent.len().saturating_sub(RECENT));
        let file = OpenOptions::new().append(true).create(true).open(&path).with_context(doing)?;
        // Two would ship everything twice.
        ensure!(
            file.try_lock().is_ok(),
            "{}: another traceloop-ship uses it: end that one, or give another `state`",
            doing()
        );
        let is_new = text.is_none();
        let mut cursor = Self { path, file, known, recent, lines: 0 };
        cursor.lines = text.map_or(0, |text| text.lines().count());
        // A torn last line would take the next one with it.
        cursor.append("\n").with_context(doing)?;
        Ok((cursor, is_new))
    }

    pub(crate) fn standing(&self, id: &str) -> Option<Standing> {
        self.known.get(id).copied()
    }

    /// The last that went, oldest first.
    pub(crate) fn recent(&self) -> &[String] {
        &self.recent
    }

    /// All that it knows of.
    pub(crate) fn known(&self) -> impl Iterator<Item = &str> {
        self.known.keys().map(String::as_str)
    }

    /// How many were seen and did not go yet.
    pub(crate) fn waiting(&self) -> usize {
        self.known.values().filter(|standing| **standing == Standing::Waits).count()
    }

    /// Notes how dumps stand; it is on the disk then.
    pub(crate) fn note(&mut self, ids: &[&str], standing: Standing) -> Result<()> {
        let mut text = String::new();
        for id in ids {
            text.push_str(&format!("{id} {}\n", standing.word()));
            self.known.insert((*id).to_owned(), standing);
            if standing != Standing::Waits {
                self.recent.push((*id).to_owned());
            }
        }
        self.recent.drain(..self.recent.len().saturating_sub(RECENT));
        self.lines += ids.len();
        self.append(&text).with_context(|| format!("note what was shipped in {}", self.path.display()))
    }

    fn append(&mut self, text: &str) -> io::Result<()> {
        self.file.write_all(text.as_bytes())?;
        self.file.sync_data()
    }

    /// Drops what the daemon has not any more; what of it had not gone is returned.
    pub(crate) fn keep(&mut self, there: &HashSet<&str>) -> Result<Vec<String>> {
        let gone: Vec<String> = self.known.keys().filter(|id| !there.contains(id.as_str())).cloned().collect();
        let missed = gone.iter().filter(|id| self.known.get(*id) == Some(&Standing::Waits)).cloned().collect();
        for id in &gone {
            self.known.remove(id);
        }
        if self.lines > 2 * self.known.len() + 1000 || !gone.is_empty() {
            self.compact().with_context(|| format!("write {} anew", self.path.display()))?;
        }
        Ok(missed)
    }

    /// Writes the file anew; the old one stays until the new one is whole.
    fn compact(&mut self) -> io::Result<()> {
        let part = self.path.with_extension("part");
        let mut file = OpenOptions::new().write(true).create(true).truncate(true).open(&part)?;
        file.try_lock().map_err(io::Error::from)?;
        // In their order, of those that went last.
        let last: HashMap<&str, usize> = self.recent.iter().enumerate().map(|(n, id)| (id.as_str(), n + 1)).collect();
        let mut known: Vec<_> = self.known.iter().collect();
        known.sort_by_key(|(id, _)| last.get(id.as_str()).copied().unwrap_or(0));
        let text: String = known.iter().map(|(id, standing)| format!("{id} {}\n", standing.word())).collect();
        file.write_all(text.as_bytes())?;
        file.sync_all()?;
        fs::rename(&part, &self.path)?;
        self.lines = known.len();
        // The lock is the new file's.
        self.file = file;
        if let Some(directory) = self.path.parent() {
            File::open(directory)?.sync_all()?;
        }
        Ok(())
    }
}

fn parse(line: &str) -> Option<(&str, Standing)> {
    let (id, word) = line.split_once(' ')?;
    Some((id, Standing::parse(word)?)).filter(|(id, _)| is_id(id))
}

#[cfg(test)]
mod tests {
    use super::*;

    const IDS: [&str; 3] = ["000000000001", "000000000002", "000000000003"];

    #[test]
    fn what_was_noted_holds_after_a_kill() {
        let place = tempfile::tempdir().unwrap();
        let (mut cursor, is_new) = Cursor::open(place.path(), "store").unwrap();
        assert!(is_new);
        cursor.note(&IDS, Standing::Waits).unwrap();
        cursor.note(&IDS[..1], Standing::Done).unwrap();
        assert!(Cursor::open(place.path(), "store").unwrap_err().to_string().contains("another traceloop-ship"));
        assert!(Cursor::open(place.path(), "otlp").is_ok());
        drop(cursor);
        // The last line is torn, as it is where the machine stops.
        let path = place.path().join("store.cursor");
        let mut text = fs::read_to_string(&path).unwrap();
        text.push_str("000000000002 do");
        fs::write(&path, text).unwrap();
        let (mut cursor, is_new) = Cursor::open(place.path(), "store").unwrap();
        assert!(!is_new);
        cursor.note(&IDS[2..], Standing::Refused).unwrap();
        drop(cursor);
        let (cursor, _) = Cursor::open(place.path(), "store").unwrap();
        let standings = IDS.map(|id| cursor.standing(id));
        assert_eq!(standings, [Some(Standing::Done), Some(Standing::Waits), Some(Standing::Refused)]);
        assert_eq!(cursor.recent(), [IDS[0], IDS[2]]);
    }

    #[test]
    fn what_the_daemon_gave_up_is_dropped_and_what_had_not_gone_is_missed() {
        let place = tempfile::tempdir().unwrap();
        let (mut cursor, _) = Cursor::open(place.path(), "store").unwrap();
        cursor.note(&IDS, Standing::Waits).unwrap();
        cursor.note(&IDS[..1], Standing::Done).unwrap();
        assert_eq!(cursor.keep(&[IDS[2]].into()).unwrap(), [IDS[1]]);
        cursor.note(&IDS[2..], Standing::Done).unwrap();
        // It is locked still, and goes on in the file that took its place.
        assert!(Cursor::open(place.path(), "store").is_err());
        drop(cursor);
        let (cursor, _) = Cursor::open(place.path(), "store").unwrap();
        assert_eq!(IDS.map(|id| cursor.standing(id)), [None, None, Some(Standing::Done)]);
    }
}
