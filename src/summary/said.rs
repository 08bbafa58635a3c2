//! What a process wrote for people: to descriptor 2, /dev/log, the journal. Its end is kept, and one line of it quoted.

use crate::model::plain;

/// Bytes that are kept.
const KEPT: usize = 2048;
/// Characters of a quoted line.
const LINE: usize = 240;

/// The last words of a process.
#[derive(Clone, Debug, Default)]
pub(super) struct Said {
    text: Vec<u8>,
    /// When the last of it was said.
    pub(super) at: u64,
}

/// Words that a line has that says what went wrong.
const TELLING: [&str; 30] = [
    "error",
    "exception",
    "panic",
    "fatal",
    "fail",
    "abort",
    "assert",
    "cannot",
    "can't",
    "could not",
    "couldn't",
    "denied",
    "refused",
    "not found",
    "no such",
    "invalid",
    "unable",
    "killed",
    "not permitted",
    "emerg",
    "undefined",
    "unexpected",
    "timed out",
    "timeout",
    "out of memory",
    "no space",
    "in use",
    "too many",
    "overflow",
    "corrupt",
];

/// How lines begin that only lead to what went wrong, or say what comes of it.
const LEADING: [&str; 17] = [
    "at ",
    "File \"",
    "from ",
    "goroutine ",
    "note: ",
    "Node.js v",
    "Traceback (",
    "exit status",
    "... ",
    "tar: Error is not recoverable",
    "dmesg(1) may have more information",
    "BEGIN failed--compilation aborted",
    "make: *** [",
    "Try '",
    "See '",
    "hint: ",
    "usage: ",
];

impl Said {
    /// Takes in what was written next; `cut`: more of it than is here.
    pub(super) fn hear(&mut self, bytes: &[u8], cut: bool, at: u64) {
        self.text.extend_from_slice(bytes);
        if cut {
            self.text.extend_from_slice(b"...\n");
        }
        let over = self.text.len().saturating_sub(KEPT);
        self.text.drain(..over);
        self.at = at;
    }

    pub(super) fn is_empty(&self) -> bool {
        self.text.iter().all(u8::is_ascii_whitespace)
    }

    /// Whether it has these bytes in it, in any case.
    pub(super) fn has(&self, part: &[u8]) -> bool {
        !part.is_empty() && self.text.windows(part.len()).any(|window| window.eq_ignore_ascii_case(part))
    }

    /// Whether it names a path, whole or by its last part.
    pub(super) fn names(&self, path: &[u8]) -> bool {
        let last = super::failure::last_part(path);
        (path.len() > 3 && self.has(path)) || (last.len() > 2 && self.has(last))
    }

    /// All of it, line by line.
    pub(super) fn lines(&self) -> Vec<String> {
        let text = String::from_utf8_lossy(&self.text);
        text.lines().map(str::trim_end).filter(|line| !line.trim().is_empty()).map(str::to_owned).collect()
    }

    /// The line that says most: the last that speaks of something wrong, or else the last.
    pub(super) fn line(&self) -> Option<String> {
        let lines = self.lines();
        let leads = |line: &str| LEADING.iter().any(|begin| line.trim_start().starts_with(begin));
        let tells = |line: &str| {
            let lower = line.to_lowercase();
            TELLING.iter().any(|word| lower.contains(word))
        };
        let candidates: Vec<&String> = lines.iter().filter(|line| !leads(line)).collect();
        let outer = candidates.iter().rev().find(|line| tells(line) && !line.starts_with(char::is_whitespace));
        let telling = outer.or_else(|| candidates.iter().rev().find(|line| tells(line)));
        let line = telling.or_else(|| candidates.last()).map(|line| line.trim())?;
        let short: String = line.chars().take(LINE).collect();
        let cut = if short.len() < line.len() { "..." } else { "" };
        Some(format!("{}{cut}", plain(&short)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(text: &str) -> String {
        let mut said = Said::default();
        said.hear(text.as_bytes(), false, 1);
        said.line().unwrap_or_default()
    }

    #[test]
    fn the_line_that_says_most() {
        assert_eq!(
            line("Traceback (most recent call last):\n  File \"a.py\", line 1\n    f()\nValueError: boom\n"),
            "ValueError: boom"
        );
        assert_eq!(
            line("panic: boom\n\ngoroutine 1 [running]:\nmain.main()\n\t/a.go:3 +0x1d\nexit status 2\n"),
            "panic: boom"
        );
        let node = "/a.js:1\nthrow new Error('x')\n^\n\nError: boom\n    at Object.<anonymous> (/a.js:1:7)\n\nNode.js v18.20.4\n";
        assert_eq!(line(node), "Error: boom");
        let java = "Exception in thread \"main\" java.lang.IllegalStateException: outer\n\tat A.main(A.java:3)\nCaused by: java.io.IOException: inner error\n\t... 1 more\n";
        assert_eq!(line(java), "Caused by: java.io.IOException: inner error");
        assert_eq!(
            line("Can't locate A.pm in @INC at -e line 1.\nBEGIN failed--compilation aborted.\n"),
            "Can't locate A.pm in @INC at -e line 1."
        );
        assert_eq!(line("a.c:1:1: error: x\nmake: *** [Makefile:2: a.o] Error 1\n"), "a.c:1:1: error: x");
        assert_eq!(
            line("make: *** No rule to make target 'a'.  Stop.\n"),
            "make: *** No rule to make target 'a'.  Stop."
        );
        assert_eq!(line("starting\nready\n"), "ready");
        assert_eq!(line(" \n"), "");
    }

    #[test]
    fn its_end_is_kept() {
        let mut said = Said::default();
        (0..1000).for_each(|n| said.hear(format!("line {n}\n").as_bytes(), false, n));
        assert!(said.lines().len() < 300 && said.line().as_deref() == Some("line 999"));
        assert!(said.names(b"/tmp/999") && !said.names(b"/tmp/12345"));
    }
}
