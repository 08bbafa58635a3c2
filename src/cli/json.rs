//! `--json`, as systemd's tools have it.

use std::io::Write;

use anyhow::{Context, Result};
use clap::{Args, ValueEnum};
use serde::Serialize;

use crate::render;

/// Whether what is printed is for programs.
#[derive(Args, Clone, Copy, Debug, Default)]
pub(super) struct Json {
    /// JSON: an object a line with short, which may be left out; indented with pretty
    #[arg(
        long,
        value_name = "MODE",
        value_enum,
        num_args = 0..=1,
        require_equals = true,
        default_missing_value = "short",
        default_value = "off",
        hide_default_value = true
    )]
    json: Mode,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
enum Mode {
    /// An object a line
    Short,
    /// Indented
    Pretty,
    /// No JSON
    #[default]
    Off,
}

impl Json {
    /// Whether JSON is wanted.
    pub(super) fn is_wanted(self) -> bool {
        self.json != Mode::Off
    }

    /// Whether it is indented.
    pub(super) fn is_pretty(self) -> bool {
        self.json == Mode::Pretty
    }

    /// An object, with the end of its line.
    pub(super) fn text(self, object: &impl Serialize) -> Result<String> {
        Ok(render::json(object, self.is_pretty()).context("write JSON")? + "\n")
    }

    /// Writes an object.
    pub(super) fn write(self, out: &mut impl Write, object: &impl Serialize) -> Result<()> {
        Ok(out.write_all(self.text(object)?.as_bytes())?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_object_is_a_line_or_indented_and_drives_no_terminal() {
        let object = serde_json::json!({"a": "\u{9b}31m", "b": [1]});
        let text = |json| Json { json }.text(&object).unwrap();
        assert_eq!(text(Mode::Short), "{\"a\":\"\\u009b31m\",\"b\":[1]}\n");
        assert_eq!(text(Mode::Pretty), "{\n  \"a\": \"\\u009b31m\",\n  \"b\": [\n    1\n  ]\n}\n");
    }
}
