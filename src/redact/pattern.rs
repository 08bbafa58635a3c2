//! Which texts are taken out: names of variables, parts of command lines, paths.

use std::ops::Range;

use anyhow::{Context, Result, ensure};
use globset::{GlobBuilder, GlobSet, GlobSetBuilder};
use regex_lite::Regex;

use crate::model::{Files, Module, REDACTED};

/// The patterns. The default is none.
#[derive(Clone, Debug, Default)]
pub struct Patterns {
    environment: Option<GlobSet>,
    arguments: Vec<Regex>,
    paths: Option<GlobSet>,
    /// A string of more bytes than this was cut.
    string_limit: usize,
}

impl Patterns {
    /// Globs of variables' names; expressions for command lines, whose words have one space between them; globs of paths.
    /// Longer strings than the limit were cut when they were recorded.
    pub fn new(environment: &[String], arguments: &[String], paths: &[String], string_limit: usize) -> Result<Self> {
        let expression = |text: &String| {
            ensure!(text.is_ascii(), "the expression {text:?} is not ASCII");
            let made = Regex::new(text).with_context(|| format!("{text:?} is not a regular expression"))?;
            ensure!(!made.is_match(""), "the expression {text:?} fits nothing at all");
            Ok(made)
        };
        Ok(Self {
            environment: globs(environment, false)?,
            arguments: arguments.iter().map(expression).collect::<Result<_>>()?,
            paths: globs(paths, true)?,
            string_limit: string_limit.min(WHOLE_MOST),
        })
    }

    pub(super) fn is_empty(&self) -> bool {
        self.environment.is_none() && self.arguments.is_empty() && self.paths.is_none()
    }

    /// Whether this is a path that is not to be shown.
    pub(super) fn hides_path(&self, path: &[u8]) -> bool {
        self.paths.as_ref().is_some_and(|paths| !path.is_empty() && paths.is_match(&*String::from_utf8_lossy(path)))
    }

    /// Takes the paths out of what descriptors stand for; how many there were.
    pub(super) fn files(&self, files: &mut [Files]) -> usize {
        let mut count = 0;
        let all = files.iter_mut().flat_map(|process| {
            process.directory.iter_mut().chain(process.descriptors.iter_mut().map(|(_, file)| file))
        });
        for file in all {
            // A unix socket's address stands in brackets.
            let address = file.socket.as_deref().and_then(|text| text.split_once("\"")).map(|(_, rest)| rest);
            if address.is_some_and(|text| self.hides_path(text.trim_end_matches(['"', ']']).as_bytes())) {
                file.socket = Some(REDACTED.to_owned());
                count += 1;
            }
            if self.hides_path(file.path.as_bytes()) {
                file.path = REDACTED.to_owned();
                count += 1;
            }
        }
        count
    }

    /// Takes the paths out of the files that stacks lead through; how many there were. Build ids stay: whoever has
    /// such a file finds its functions.
    pub(super) fn modules(&self, modules: &mut [Module]) -> usize {
        let hidden = modules.iter_mut().filter(|module| self.hides_path(module.path.as_bytes()));
        hidden.map(|module| module.path = REDACTED.to_owned()).count()
    }

    /// The strings of a command line, an environment or options without what is named; `None`: nothing is. Of a string
    /// that was cut only the values of variables can be known: where more is looked for, nothing of it is left, and an
    /// option that was cut takes the word behind it along.
    pub(super) fn strings(&self, strings: &[&[u8]], count: &mut usize) -> Option<Vec<Vec<u8>>> {
        let hidden: Vec<Vec<Range<usize>>> = self.hidden(strings);
        if hidden.iter().all(Vec::is_empty) {
            return None;
        }
        *count += hidden.iter().map(Vec::len).sum::<usize>();
        Some(strings.iter().zip(&hidden).map(|(string, hidden)| without(string, hidden)).collect())
    }

    /// Which parts of each string are to go, in their order.
    fn hidden(&self, strings: &[&[u8]]) -> Vec<Vec<Range<usize>>> {
        let mut hidden = vec![Vec::new(); strings.len()];
        for (string, hidden) in strings.iter().zip(&mut hidden) {
            hidden.extend(self.value(string));
            hidden.extend(self.paths_in(string));
        }
        self.hidden_by_expressions(strings, &mut hidden);
        self.hidden_as_cut(strings, &mut hidden);
        for ranges in &mut hidden {
            *ranges = joined(std::mem::take(ranges));
        }
        hidden
    }

    /// The value of the first variable that is named, up to the string's end: quotes and spaces may be the value's.
    fn value(&self, string: &[u8]) -> Option<Range<usize>> {
        let names = self.environment.as_ref()?;
        let ends = (0..string.len()).filter(|at| string[*at] == b'=');
        let is_named = |end: usize| {
            let mut starts = (end.saturating_sub(NAME_MOST)..end).filter(|at| begins_a_name(string, *at));
            starts.any(|at| names.is_match(&*String::from_utf8_lossy(&string[at..end])))
        };
        ends.into_iter().find(|end| is_named(*end)).map(|end| end + 1..string.len())
    }

    /// The paths in a string that are named: all of it, a part of it, or what an option has directly behind it.
    fn paths_in(&self, string: &[u8]) -> Vec<Range<usize>> {
        if self.paths.is_none() || string.is_empty() {
            return Vec::new();
        }
        if self.hides_path(string) {
            return vec![Range { start: 0, end: string.len() }];
        }
        let mut found = Vec::new();
        let mut begin = 0;
        for part in string.split(|byte| byte.is_ascii_whitespace() || b"=:,;'\"`()<>|&".contains(byte)) {
            let root = part.iter().position(|byte| *byte == b'/').unwrap_or(0);
            let from = [0, root].into_iter().find(|from| self.hides_path(&part[*from..]));
            found.extend(from.map(|from| begin + from..begin + part.len()));
            begin += part.len() + 1;
        }
        found
    }

    fn hidden_as_cut(&self, strings: &[&[u8]], hidden: &mut [Vec<Range<usize>>]) {
        if self.arguments.is_empty() && self.paths.is_none() {
            return;
        }
        let mut is_behind = false;
        for (string, hidden) in strings.iter().zip(hidden) {
            let is_cut = string.len() > self.string_limit;
            if is_cut || (is_behind && !self.arguments.is_empty()) {
                hidden.push(0..string.len());
            }
            is_behind = is_cut && string.starts_with(b"-");
        }
    }

    fn hidden_by_expressions(&self, strings: &[&[u8]], hidden: &mut [Vec<Range<usize>>]) {
        if self.arguments.is_empty() {
            return;
        }
        // A character for each byte, so that places are the same.
        let ascii = |byte: &u8| if byte.is_ascii() { char::from(*byte) } else { '?' };
        let words: Vec<String> = strings.iter().map(|string| string.iter().map(ascii).collect()).collect();
        let line = words.join(" ");
        for found in self.arguments.iter().flat_map(|expression| expression.captures_iter(&line)) {
            let Some(part) = found.get(1).or_else(|| found.get(0)) else { continue };
            let mut begin = 0;
            for (word, hidden) in words.iter().zip(&mut *hidden) {
                let end = begin + word.len();
                let (from, to) = (part.start().max(begin), part.end().min(end));
                if from < to {
                    hidden.push(from - begin..to - begin);
                }
                begin = end + 1;
            }
        }
    }
}

/// No string is recorded longer, whatever the limit: the kernel side's piece has room for so many bytes and a NUL.
const WHOLE_MOST: usize = 4094;
/// Names of variables are no longer, bytes.
const NAME_MOST: usize = 256;

/// Whether a variable's name may begin there: at a word's start, or behind a letter's option, as in -eNAME=VALUE.
fn begins_a_name(string: &[u8], at: usize) -> bool {
    let is_part = |at: usize| string[at].is_ascii_alphanumeric() || string[at] == b'_';
    let is_start = |at: usize| at == 0 || !is_part(at - 1);
    is_start(at) || (at >= 2 && string[at - 2] == b'-' && is_start(at - 2))
}

/// Ranges in order, none of which touches another.
fn joined(mut ranges: Vec<Range<usize>>) -> Vec<Range<usize>> {
    ranges.sort_by_key(|range| range.start);
    let mut joined: Vec<Range<usize>> = Vec::new();
    for range in ranges {
        match joined.last_mut() {
            Some(last) if range.start <= last.end => last.end = last.end.max(range.end),
            _ => joined.push(range),
        }
    }
    joined
}

fn without(string: &[u8], hidden: &[Range<usize>]) -> Vec<u8> {
    let mut out = Vec::new();
    let mut from = 0;
    for range in hidden {
        out.extend_from_slice(&string[from..range.start]);
        out.extend_from_slice(REDACTED.as_bytes());
        from = range.end;
    }
    out.extend_from_slice(&string[from..]);
    out
}

fn globs(texts: &[String], paths: bool) -> Result<Option<GlobSet>> {
    if texts.is_empty() {
        return Ok(None);
    }
    let mut set = GlobSetBuilder::new();
    for text in texts {
        ensure!(!text.is_empty(), "an empty pattern");
        let glob = GlobBuilder::new(text).literal_separator(paths).build();
        set.add(glob.with_context(|| format!("{text:?} is not a pattern"))?);
    }
    Ok(Some(set.build().context("understand the patterns")?))
}
