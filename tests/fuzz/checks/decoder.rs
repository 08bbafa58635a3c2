//! Records of any bytes become calls, and those become text, strace's lines and JSON: nothing in them drives
//! a terminal, and every line of JSON is one object.
//!
//! The first byte chooses the style; records follow, whose sizes are put right.

use traceloop::{
    decode::{self, Constants, Descriptors, History, Strings, Style},
    model::{self, Block, Dump, Recording},
    render::{self, Format},
};

/// Decodes and renders.
pub(crate) fn check(data: &[u8]) {
    let Some((choice, rest)) = data.split_first() else { return };
    let style = Style {
        verbose: choice & 1 != 0,
        constants: [Constants::Abbrev, Constants::Raw, Constants::Verbose][usize::from(choice >> 1) % 3],
        strings: [Strings::Escaped, Strings::HexUnlessAscii, Strings::Hex][usize::from(choice >> 3) % 3],
        descriptors: if choice & 32 == 0 { Descriptors::NONE } else { Descriptors::ALL },
        paths: choice & 64 != 0,
        ..Style::default()
    };
    let arch = if choice & 128 == 0 { "x86_64" } else { "aarch64" };
    let dump = Dump { arch: arch.to_owned(), ..Dump::default() };
    let recording = Recording { dump, blocks: vec![Block::of(Some(0), 0, in_order(rest))] };
    let recording = decode::summed_up(recording);
    let history = History::of(&recording, &style).expect("a small dump");
    for format in [Format::Text, Format::STRACE, Format::Json] {
        let mut out = Vec::new();
        render::dump(&mut out, format, &recording.dump, history.events()).expect("write to memory");
        let text = std::str::from_utf8(&out).expect("UTF-8");
        if let Some(bad) = text.chars().find(|char| model::acts(*char) && *char != '\n') {
            panic!("{bad:?} in {text:?}");
        }
        if format == Format::Json {
            for line in text.lines() {
                let line: serde_json::Value = serde_json::from_str(line).expect("an object a line");
                assert!(line.is_object(), "{line}");
            }
        }
    }
}

/// Records one behind the other: what cannot be one ends there, so sizes are made to fit.
fn in_order(bytes: &[u8]) -> Vec<u8> {
    let mut bytes = bytes.to_vec();
    let mut at = 0;
    while bytes.len() >= at + 24 {
        let left = bytes.len() - at;
        let told = usize::from(u16::from_ne_bytes([bytes[at + 4], bytes[at + 5]])) / 8 * 8;
        let size = if told < 24 || told > left { left / 8 * 8 } else { told };
        let size = size.min(0xfff8);
        bytes[at + 4..at + 6].copy_from_slice(&u16::try_from(size).expect("a small record").to_ne_bytes());
        at += size;
    }
    bytes.truncate(at);
    bytes
}
