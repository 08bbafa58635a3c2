//! Which stored dumps are meant: names, pids, ids, fields, times, "the newest".

use std::fmt;

use anyhow::{Context, Result, bail, ensure};
use globset::{GlobBuilder, GlobMatcher};
use jiff::Timestamp;

use super::{
    directory::{Entry, Store},
    field::{self, Field},
    name,
};
use crate::{identity::Target, model::Dump};

/// Fewer digits of an id could stand there by chance.
const PREFIX_LEAST: usize = 4;

/// What somebody says of the dump that is meant.
#[derive(Clone, Debug)]
pub enum Match {
    /// The newest (1) of those that fit everything else, the one before it (2) ...
    Newest(usize),
    /// A field's value.
    Field(&'static Field, Pattern),
    /// A unit, container, pod, cgroup, process's name or number, or an id or its beginning.
    Word(Word),
    /// Where they are, instead of the directory: the URL of a store. It says nothing of the dump.
    Elsewhere(String),
}

/// A bare word: a TARGET, what a process is called, or a dump's id.
#[derive(Clone, Debug)]
pub struct Word {
    pattern: Pattern,
    target: Target,
}

/// A text, or a glob of texts.
#[derive(Clone, Debug)]
pub struct Pattern {
    text: String,
    glob: Option<GlobMatcher>,
}

/// Which dumps are meant. The default is all of them.
#[derive(Clone, Debug, Default)]
pub struct Choice {
    /// What is said of them: one of the words holds, one of the values of each field, and of those that
    /// are left the newest are taken.
    pub matches: Vec<Match>,
    /// Made at this time or later.
    pub since: Option<Timestamp>,
    /// Made at this time or before.
    pub until: Option<Timestamp>,
    /// Only so many, the newest.
    pub last: Option<usize>,
}

impl Match {
    /// `nginx.service`, `nginx`, `4711`, `3f9a2c7d1b04`, `3f9a`, `-1`, `UNIT=nginx*`.
    pub fn parse(text: &str) -> Result<Self> {
        ensure!(!text.is_empty(), "an empty MATCH");
        if let Some(number) = text.strip_prefix('-') {
            return match number.parse() {
                Ok(n @ 1..) => Ok(Self::Newest(n)),
                _ => bail!("the newest dump is -1, the one before it -2; not {text:?}"),
            };
        }
        if let Some((name, value)) = text.split_once('=') {
            return Ok(Self::Field(Field::parse(name)?, Pattern::parse(value)?));
        }
        Ok(Self::Word(Word { pattern: Pattern::parse(text)?, target: Target::parse(text)? }))
    }
}

impl fmt::Display for Match {
    /// As it was written.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Newest(n) => write!(f, "-{n}"),
            Self::Field(field, pattern) => write!(f, "{}={}", field.name, pattern.text),
            Self::Word(word) => word.fmt(f),
            Self::Elsewhere(url) => f.write_str(url),
        }
    }
}

impl fmt::Display for Word {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.pattern.text)
    }
}

impl Pattern {
    fn parse(text: &str) -> Result<Self> {
        let is_glob = text.contains(['*', '?', '[']);
        let glob = is_glob.then(|| GlobBuilder::new(text).backslash_escape(false).build()).transpose();
        let glob = glob.with_context(|| format!("{text:?} is not a pattern"))?;
        Ok(Self { text: text.to_owned(), glob: glob.map(|glob| glob.compile_matcher()) })
    }

    /// Whether a name is meant; a unit's `.service` may be left out.
    fn is(&self, value: &str) -> bool {
        let whole = |value: &str| match &self.glob {
            Some(glob) => glob.is_match(value),
            None => self.text == value,
        };
        whole(value) || value.strip_suffix(".service").is_some_and(whole)
    }
}

impl Word {
    /// Whether something that a dump tells of is called so.
    fn names(&self, dump: &Dump) -> bool {
        let text = &self.pattern.text;
        // 0: the records did not tell.
        let pid = text.parse::<u32>().ok().filter(|pid| *pid > 0 && pid.to_string() == *text);
        dump.identities.iter().any(|identity| identity.matches(&self.target))
            || pid.is_some_and(|pid| field::pids(dump).contains(&pid))
            || field::names(dump).iter().any(|name| self.pattern.is(name))
    }

    fn can_begin_an_id(&self) -> bool {
        let text = &self.pattern.text;
        (PREFIX_LEAST..=name::ID_LENGTH).contains(&text.len()) && name::is_id_prefix(text)
    }

    fn begins(&self, id: &str) -> bool {
        id.starts_with(&self.pattern.text)
    }
}

impl Choice {
    /// Whether anything at all is said of the dumps.
    pub fn is_all(&self) -> bool {
        let says = |word: &Match| !matches!(word, Match::Elsewhere(_));
        !self.matches.iter().any(says) && self.since.is_none() && self.until.is_none() && self.last.is_none()
    }

    /// The dumps that are meant, oldest first.
    pub fn of(&self, store: &Store) -> Result<Vec<Entry>> {
        self.of_those(store.entries()?, |entry| store.header(entry).ok().map(|(dump, _)| dump))
    }

    /// The same of these, of which `header` knows what they say.
    pub fn of_those(&self, entries: Vec<Entry>, header: impl Fn(&Entry) -> Option<Dump>) -> Result<Vec<Entry>> {
        self.among(entries, |entries| self.by_what_they_say(&header, entries))
    }

    /// The same of dumps that another tells of, where he has looked at what they say.
    pub fn of_told(&self, entries: Vec<Entry>) -> Result<Vec<Entry>> {
        self.among(entries, Ok)
    }

    fn among(
        &self,
        mut entries: Vec<Entry>,
        by_what_they_say: impl FnOnce(Vec<Entry>) -> Result<Vec<Entry>>,
    ) -> Result<Vec<Entry>> {
        entries.retain(|entry| {
            let time = entry.name.time;
            self.since.is_none_or(|since| time >= since) && self.until.is_none_or(|until| time <= until)
        });
        let asks = |word: &Match| matches!(word, Match::Word(_) | Match::Field(..));
        let mut chosen = if self.matches.iter().any(asks) { by_what_they_say(entries)? } else { entries };
        if let Some(last) = self.last {
            chosen.drain(..chosen.len().saturating_sub(last));
        }
        let newest: Vec<usize> =
            self.matches.iter().filter_map(|word| if let Match::Newest(n) = word { Some(*n) } else { None }).collect();
        if !newest.is_empty() {
            let total = chosen.len();
            let mut place = 0;
            chosen.retain(|_| {
                place += 1;
                newest.contains(&(total + 1 - place))
            });
        }
        Ok(chosen)
    }

    fn by_what_they_say(&self, header: &dyn Fn(&Entry) -> Option<Dump>, entries: Vec<Entry>) -> Result<Vec<Entry>> {
        // Whoever gives a whole id means that dump, whatever else is called so.
        let is_id = |word: &Word| entries.iter().any(|entry| entry.id() == word.pattern.text);
        let words: Vec<(&Word, bool)> = self
            .matches
            .iter()
            .filter_map(|word| if let Match::Word(word) = word { Some((word, is_id(word))) } else { None })
            .collect();
        // For each dump whose fields fit: the words that name it.
        let mut fitting: Vec<(Entry, Vec<bool>)> = Vec::new();
        for entry in entries {
            // A dump whose header cannot be read is still found by what its name says.
            let header = header(&entry);
            let whose = if header.is_none() { entry.name.whose() } else { String::new() };
            let dump = header.unwrap_or_else(|| entry.name.as_header());
            if self.fields_fit(&entry, &dump) {
                let names = |(word, is_id): &(&Word, bool)| match is_id {
                    true => word.pattern.text == entry.id(),
                    false => word.names(&dump) || !whose.is_empty() && word.pattern.is(&whose),
                };
                let named = words.iter().map(names).collect();
                fitting.push((entry, named));
            }
        }
        for (n, (word, _)) in words.iter().enumerate() {
            if word.can_begin_an_id() && !fitting.iter().any(|(_, named)| named[n]) {
                let mut begin = fitting.iter_mut().filter(|(entry, _)| word.begins(entry.id()));
                if let (Some((_, named)), another) = (begin.next(), begin.count()) {
                    ensure!(
                        another == 0,
                        "{} dumps' ids begin with {}: give more of it",
                        another + 1,
                        word.pattern.text
                    );
                    named[n] = true;
                }
            }
        }
        fitting.retain(|(_, named)| words.is_empty() || named.contains(&true));
        Ok(fitting.into_iter().map(|(entry, _)| entry).collect())
    }

    /// One of the wanted values of each wanted field.
    fn fields_fit(&self, entry: &Entry, dump: &Dump) -> bool {
        let fields: Vec<_> = self
            .matches
            .iter()
            .filter_map(|word| if let Match::Field(field, value) = word { Some((*field, value)) } else { None })
            .collect();
        fields.iter().all(|(field, _)| {
            let values = field.values(&entry.name, dump);
            let mut wanted = fields.iter().filter(|(other, _)| other.name == field.name);
            wanted.any(|(_, wanted)| values.iter().any(|value| wanted.is(value)))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::identity::of_path;

    #[test]
    fn what_people_say() {
        assert!(matches!(Match::parse("-1").unwrap(), Match::Newest(1)));
        assert!(matches!(Match::parse("unit=a*").unwrap(), Match::Field(Field { name: "UNIT", .. }, _)));
        assert!(matches!(Match::parse("nginx").unwrap(), Match::Word(_)));
        for wrong in ["", "-0", "-x", "NONSENSE=1", "UNIT=[", "[x"] {
            assert!(Match::parse(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_service_may_leave_its_suffix_out() {
        let pattern = |text| Pattern::parse(text).unwrap();
        assert!(pattern("nginx").is("nginx.service") && pattern("nginx.service").is("nginx.service"));
        assert!(pattern("ngin?").is("nginx.service") && pattern("n*").is("nginx"));
        assert!(!pattern("ngin").is("nginx.service") && !pattern("nginx.service").is("nginx"));
    }

    #[test]
    fn a_word_is_a_target_or_a_process() {
        let (inner, outer) = ("ab12".repeat(16), "cd34".repeat(16));
        let path = format!("/docker/{outer}/docker/{inner}/system.slice/a.service");
        let dump = Dump { identities: vec![of_path(&path, 7)], cgroups: vec![path], ..Dump::default() };
        let names = |text| match Match::parse(text).unwrap() {
            Match::Word(word) => word.names(&dump),
            other => panic!("{other:?}"),
        };
        let inside = format!("{}/a.service", &inner[..12]);
        for text in ["a", "a.service", "system.slice", "ab12", &inner, "cd34cd", "*.service", "/docker/*", &inside] {
            assert!(names(text), "{text}");
        }
        for text in ["b", "ab13", "12ab", "7", "/docker/x"] {
            assert!(!names(text), "{text}");
        }
    }
}
