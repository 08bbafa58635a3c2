//! No byte of a record can make the decoder or a renderer panic, whatever the call; JSON keeps to its
//! schema.

use std::sync::LazyLock;

use proptest::prelude::*;

use super::{Constants, History, Style};
use crate::{
    model::{Block, Dump, Recording},
    render::{self, Format},
    wire::{Kind, Record},
};

static SCHEMA: LazyLock<jsonschema::Validator> = LazyLock::new(|| {
    let schema = serde_json::from_str(render::SCHEMA).unwrap();
    jsonschema::draft202012::new(&schema).unwrap()
});

fn recording(bytes: Vec<u8>) -> Recording {
    let dump = Dump { arch: "x86_64".into(), ..Dump::default() };
    Recording { dump, blocks: vec![Block::of(Some(0), 0, bytes)] }
}

/// A call record with this number, arguments, result and pieces.
fn call(kind: Kind, flags: u8, nr: u16, time: u64, ret: i64, args: [u64; 6], pieces: &[(u8, u8, Vec<u8>)]) -> Vec<u8> {
    let mut bytes = vec![0; 4];
    bytes.extend([0, 0, kind.0, flags]);
    bytes.extend(time.to_ne_bytes());
    bytes.extend(7_u32.to_ne_bytes());
    bytes.extend(nr.to_ne_bytes());
    bytes.extend([6, u8::try_from(pieces.len()).unwrap()]);
    bytes.extend(5_u64.to_ne_bytes());
    bytes.extend(ret.to_ne_bytes());
    args.iter().for_each(|arg| bytes.extend(arg.to_ne_bytes()));
    for (arg, part, data) in pieces {
        bytes.extend([*arg, *part]);
        bytes.extend(i16::try_from(data.len()).unwrap().to_ne_bytes());
        bytes.extend(data);
    }
    bytes.resize(bytes.len().next_multiple_of(8), 0);
    let size = u16::try_from(bytes.len()).unwrap();
    bytes[4..6].copy_from_slice(&size.to_ne_bytes());
    bytes
}

/// A number as calls have them: small, an address, an errno, or anything.
fn number() -> impl Strategy<Value = u64> {
    prop_oneof![0_u64..40, Just(0x7fff_0000_1000_u64), (1_u64..200).prop_map(u64::wrapping_neg), any::<u64>()]
}

/// Memory: anything, or mostly zeros with small numbers, as structures have it.
fn memory() -> impl Strategy<Value = Vec<u8>> {
    let sparse = prop::collection::vec(prop_oneof![4 => Just(0_u8), 1 => 0_u8..32, 1 => any::<u8>()], 0..300);
    prop_oneof![sparse, prop::collection::vec(any::<u8>(), 0..160)]
}

fn show(bytes: Vec<u8>, style: &Style) {
    let recording = recording(bytes);
    let history = History::of(&recording, style).unwrap();
    for format in [Format::STRACE, Format::Text, Format::Json, Format::Html, Format::Perfetto] {
        let mut out = Vec::new();
        render::dump(&mut out, format, &recording.dump, history.events()).unwrap();
        if format == Format::Json {
            for line in out.split(|byte| *byte == b'\n').filter(|line| !line.is_empty()) {
                let line: serde_json::Value = serde_json::from_slice(line).unwrap();
                if let Err(error) = SCHEMA.validate(&line) {
                    panic!("{error} at {}: {line}", error.instance_path());
                }
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(if cfg!(debug_assertions) { 600 } else { 30_000 }))]

    #[test]
    fn calls(
        nr in 0_u16..480,
        flags in 0_u8..8,
        ret in number(),
        args in prop::array::uniform6(number()),
        pieces in prop::collection::vec((0_u8..6, 0_u8..9, memory()), 0..6),
        verbose: bool,
        constants in 0_usize..3,
    ) {
        let constants = [Constants::Raw, Constants::Abbrev, Constants::Verbose][constants];
        let style = Style { verbose, constants, ..Style::default() };
        let start = call(Kind::RECORD_ENTER, flags, nr, 95, 0, args, &pieces);
        let end = call(Kind::RECORD_CALL, flags, nr, 100, ret.cast_signed(), args, &pieces);
        prop_assert!(Record::parse(&start).is_some() && Record::parse(&end).is_some());
        show([start, end].concat(), &style);
    }

    #[test]
    fn stacks(
        frames in prop::collection::vec(any::<u64>(), 0..70),
        (claimed, kernel, caller, flags) in (0_u16..80, 0_u16..200, number(), any::<u8>()),
        text in memory(),
        never: bool,
    ) {
        let mut bytes = vec![0; 6];
        bytes.extend([Kind::RECORD_STACK.0, flags]);
        bytes.extend(100_u64.to_ne_bytes());
        bytes.extend(7_u32.to_ne_bytes());
        bytes.extend([claimed, kernel].into_iter().flat_map(u16::to_ne_bytes));
        bytes.extend(caller.to_ne_bytes());
        frames.iter().for_each(|frame| bytes.extend(frame.to_ne_bytes()));
        bytes.extend(text);
        bytes.truncate(bytes.len() / 8 * 8);
        let size = u16::try_from(bytes.len()).unwrap();
        bytes[4..6].copy_from_slice(&size.to_ne_bytes());
        prop_assert!(Record::parse(&bytes).is_some());
        let of = if never { call(Kind::RECORD_ENTER, 0, 231, 100, 0, [0; 6], &[]) } else { call(Kind::RECORD_CALL, 0, 1, 101, 1, [0; 6], &[]) };
        show([bytes, of].concat(), &Style::default());
    }

    #[test]
    fn requests(
        (how, opcode, path) in (0_u8..8, 0_u8..70, 0_u16..40),
        words in prop::array::uniform8(number()),
        (ring, user_data, began, result) in (any::<u64>(), number(), number(), number()),
        behind in memory(),
    ) {
        let mut bytes = vec![0; 6];
        bytes.extend([Kind::RECORD_URING.0, 0]);
        bytes.extend(100_u64.to_ne_bytes());
        bytes.extend([7_u32, 7].into_iter().flat_map(u32::to_ne_bytes));
        bytes.extend([1, ring, user_data, began, result, 9].into_iter().flat_map(u64::to_ne_bytes));
        bytes.truncate(68);
        bytes.extend([opcode, how]);
        bytes.extend(path.to_ne_bytes());
        bytes.extend(*b"comm\x1b\xff\0\0\0\0\0\0\0\0\0\0");
        let sqe: Vec<u8> = words.into_iter().flat_map(u64::to_ne_bytes).collect();
        bytes.push(opcode);
        bytes.extend(&sqe[1..]);
        bytes.extend(behind);
        bytes.truncate(bytes.len() / 8 * 8);
        let size = u16::try_from(bytes.len()).unwrap();
        bytes[4..6].copy_from_slice(&size.to_ne_bytes());
        prop_assert!(Record::parse(&bytes).is_some());
        show(bytes, &Style::default());
    }

    #[test]
    fn anything(mut bytes in prop::collection::vec(any::<u8>(), 24..200), kind in 0_u8..14) {
        let size = bytes.len() / 8 * 8;
        bytes.truncate(size);
        bytes[4..6].copy_from_slice(&u16::try_from(size).unwrap().to_ne_bytes());
        bytes[6] = kind;
        show(bytes, &Style::default());
    }
}
