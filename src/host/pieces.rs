//! What a call in flight was given, out of its process's memory: the same row that says what the kernel side copies says
//! what is read here, in the same pieces. What the call is to write is not told yet.

use std::{fs::File, os::unix::fs::FileExt};

use crate::{
    syscall::{Abi, Arg, Behind, Inside, Kind, Len, Row, Shape, plan},
    wire::{self, Part, inflight},
};

/// Bytes of a path, and of one piece.
const PIECE_MOST: usize = plan::PIECE_MOST as usize;
/// Elements of a vector whose memory is read.
const ELEMENTS_MOST: usize = 32;
/// A sockaddr_storage, and control messages: as the kernel side copies them.
const NAME_MOST: usize = 128;
const CONTROL_MOST: usize = 1040;
/// Bytes of all pieces of a call: bpf/record.h's PIECES_ROOM.
const ROOM: usize = 8192;

type Piece = wire::OwnedPiece;

/// Reads a call's memory.
#[derive(Debug)]
pub(super) struct Reader<'a> {
    memory: &'a File,
    call: &'a inflight,
    abi: Abi,
    args: &'static [Arg],
    strings: usize,
}

impl<'a> Reader<'a> {
    /// `strings`: bytes of a string that are kept.
    pub(super) fn new(memory: &'a File, call: &'a inflight, abi: Abi, row: &'static Row, strings: u32) -> Self {
        let args = row.case(&call.args).filter(|_| !row.has_words()).map_or(row.args(), |case| case.args);
        Self { memory, call, abi, args, strings: strings as usize }
    }

    /// All that it was given, and whether some of it is missing for want of room.
    pub(super) fn pieces(&self) -> (Vec<Piece>, bool) {
        let mut room = ROOM;
        let mut pieces: Vec<Piece> = self.args.iter().flat_map(|arg| self.of(arg.index, &arg.kind)).collect();
        let all = pieces.len();
        let fits = pieces.iter().take_while(|(_, _, data)| {
            let size = data.as_ref().map_or(0, Vec::len);
            let fits = size <= room;
            room = room.saturating_sub(size);
            fits
        });
        let fitting = fits.count().min(u8::MAX.into());
        pieces.truncate(fitting);
        (pieces, fitting < all)
    }

    fn register(&self, index: u8) -> u64 {
        let register = self.call.args.get(usize::from(index)).copied().unwrap_or(0);
        let half = self.args.iter().any(|arg| arg.index == index && arg.kind.is_int());
        if half { register & 0xffff_ffff } else { register }
    }

    fn of(&self, index: u8, kind: &Kind) -> Vec<Piece> {
        let from = self.register(index);
        let chosen = |bits: u64, other: u8| self.register(other) & bits;
        if from == 0 {
            return Vec::new();
        }
        match kind {
            Kind::Path => vec![(index, Part::PART_DATA, self.string(from, PIECE_MOST))],
            Kind::Str | Kind::Contents | Kind::MountType | Kind::MountData => {
                vec![(index, Part::PART_DATA, self.string(from, self.strings + 2))]
            }
            Kind::In(shape, len) => self.memory(index, *shape, *len, Part::PART_DATA),
            Kind::InOut(Shape::Message | Shape::Messages, _) => Vec::new(),
            Kind::InOut(shape, len) | Kind::Before(shape, len) => self.memory(index, *shape, *len, Part::PART_START),
            Kind::Moved(shape) | Kind::Both(shape) => self.memory(index, *shape, Len::One, Part::PART_START),
            Kind::Corrected(shape, _) => self.memory(index, *shape, Len::One, Part::PART_DATA),
            Kind::PeerLength(_) => self.memory(index, Shape::Int32, Len::One, Part::PART_START),
            Kind::Nodes(bits) => self.memory(index, Shape::NodeWords, Len::Bits(*bits), Part::PART_DATA),
            Kind::If(other, bits, inner) if chosen(*bits, *other) != 0 => self.of(index, inner),
            Kind::IfAll(other, bits, inner) if chosen(*bits, *other) == *bits => self.of(index, inner),
            Kind::Unless(other, value, inner) if self.register(*other) != *value => self.of(index, inner),
            Kind::Label(_, inner) => self.of(index, inner),
            Kind::Choose(other, bits, first, second) => {
                self.of(index, if chosen(*bits, *other) != 0 { first } else { second })
            }
            Kind::Switch(other, cases, otherwise) => {
                let value = self.register(*other);
                let case = cases.iter().find(|(wanted, _)| *wanted == value || *wanted == value & 0xffff_ffff);
                self.of(index, case.map_or(*otherwise, |(_, kind)| *kind))
            }
            _ => Vec::new(),
        }
    }

    fn memory(&self, index: u8, shape: Shape, len: Len, part: Part) -> Vec<Piece> {
        let from = self.register(index);
        let count = match len {
            Len::One => 1,
            Len::Arg(other) => usize::try_from(self.register(other)).unwrap_or(usize::MAX),
            Len::Bits(other) => {
                usize::try_from(self.register(other).div_ceil(64)).unwrap_or(usize::MAX).saturating_mul(8)
            }
            _ => return Vec::new(),
        };
        match shape {
            Shape::SigFrame | Shape::OldSigFrame | Shape::Messages | Shape::Iocbs => return Vec::new(),
            Shape::Iovec => return self.vector(index, part, from, count as u64).collect(),
            Shape::Message => return self.message(index, from),
            Shape::PathString => return vec![(index, part, self.string(from, PIECE_MOST))],
            Shape::Name(most) => {
                return vec![(index, part, self.string(from, usize::from(most).min(self.strings) + 2))];
            }
            _ => {}
        }
        let (offset, kept) = shape.kept(self.abi.word());
        let (offset, size) = if len == Len::One { (offset, kept) } else { (0, shape.size(self.abi.word())) };
        let most = match shape {
            Shape::Msgbuf => self.abi.word() + self.strings,
            _ if shape.is_string() => self.strings + 1,
            _ => PIECE_MOST,
        };
        let length = if shape == Shape::Msgbuf { most } else { count.saturating_mul(size).min(most) };
        let mut pieces = vec![(index, part, self.read(from.saturating_add(offset as u64), length))];
        let behind = shape.behind(self.abi.word()).iter().filter(|behind| !behind.verbose);
        pieces.extend(behind.filter_map(|behind| self.behind(index, from, behind)));
        pieces
    }

    /// What a pointer of a structure points to.
    fn behind(&self, index: u8, structure: u64, behind: &Behind) -> Option<Piece> {
        let word = if behind.wide { 8 } else { self.abi.word() };
        let at = self.word(structure.checked_add(behind.offset.into())?, word).filter(|at| *at != 0)?;
        let field = |offset: u8, size| self.word(structure.checked_add(offset.into())?, size);
        let elements = |count: u64, size: u16| usize::try_from(count).unwrap_or(usize::MAX).saturating_mul(size.into());
        let data = match behind.what {
            Inside::Bytes(bytes) => self.read(at, bytes.into()),
            Inside::Array { count, size } => {
                let most = usize::from(size) * (self.strings + 1);
                self.read(at, elements(field(count, 4)?, size).min(most).min(PIECE_MOST))
            }
            Inside::Array16 { count, size } => self.read(at, elements(field(count, 2)?, size).min(PIECE_MOST)),
            Inside::Data { count } => self.read(at, elements(field(count, 4)?, 1).min(self.strings)),
            Inside::String => self.string(at, self.strings + 2),
            Inside::Path => self.string(at, PIECE_MOST),
        };
        Some((index, Part(behind.part), data))
    }

    /// An iovec array and the heads of its buffers.
    fn vector(&self, index: u8, part: Part, from: u64, count: u64) -> impl Iterator<Item = Piece> + use<> {
        let word = self.abi.word();
        let count = usize::try_from(count).unwrap_or(usize::MAX).min(PIECE_MOST / (2 * word));
        let array = self.read(from, count * 2 * word);
        let bytes = array.as_deref().unwrap_or_default();
        let items: Vec<Piece> = bytes
            .chunks_exact(2 * word)
            .take(ELEMENTS_MOST.min(self.strings))
            .map(|element| {
                let (base, length) = (number(&element[..word]), number(&element[word..]));
                let length = usize::try_from(length).unwrap_or(usize::MAX).min(self.strings + 1);
                (index, Part::PART_ITEM, self.read(base, length))
            })
            .collect();
        std::iter::once((index, part, array)).chain(items)
    }

    /// A msghdr with what it points to: name, buffers, control messages.
    fn message(&self, index: u8, from: u64) -> Vec<Piece> {
        let word = self.abi.word();
        let head = self.read(from, 7 * word);
        let Ok(bytes) = head.clone() else { return vec![(index, Part::PART_DATA, head)] };
        let field = |n: usize| bytes.get(n * word..(n + 1) * word).map_or(0, number);
        // Lengths of names are ints, also where they take a word.
        let (name, name_length) = (field(0), usize::try_from(field(1) & 0xffff_ffff).unwrap_or(0).min(NAME_MOST));
        let (control, control_length) = (field(4), usize::try_from(field(5)).unwrap_or(usize::MAX).min(CONTROL_MOST));
        let mut pieces = vec![(index, Part::PART_DATA, head)];
        if name != 0 && name_length > 0 {
            pieces.push((index, Part::PART_NAME, self.read(name, name_length)));
        }
        if field(2) != 0 {
            pieces.extend(self.vector(index, Part::PART_IOV, field(2), field(3)));
        }
        if control != 0 && control_length > 0 {
            pieces.push((index, Part::PART_CONTROL, self.read(control, control_length)));
        }
        pieces
    }

    fn word(&self, at: u64, size: usize) -> Option<u64> {
        self.read(at, size).ok().filter(|bytes| bytes.len() == size).map(|bytes| number(&bytes))
    }

    fn read(&self, from: u64, length: usize) -> Result<Vec<u8>, i32> {
        let mut bytes = vec![0; length];
        match self.memory.read_at(&mut bytes, from) {
            Ok(got) => {
                bytes.truncate(got);
                Ok(bytes)
            }
            Err(error) => Err(error.raw_os_error().unwrap_or(libc::EFAULT)),
        }
    }

    /// A string with its NUL; at most `most` bytes, read no further than its page's end at a time.
    fn string(&self, from: u64, most: usize) -> Result<Vec<u8>, i32> {
        let mut string = Vec::new();
        while string.len() < most {
            let at = from.saturating_add(string.len() as u64);
            let here = usize::try_from(4096 - at % 4096).unwrap_or(4096).min(most - string.len());
            let chunk = self.read(at, here)?;
            if chunk.is_empty() {
                return Err(libc::EFAULT);
            }
            match chunk.iter().position(|byte| *byte == 0) {
                Some(end) => {
                    string.extend_from_slice(&chunk[..=end]);
                    return Ok(string);
                }
                None => string.extend_from_slice(&chunk),
            }
        }
        Ok(string)
    }
}

/// Up to eight bytes as this machine has numbers.
fn number(bytes: &[u8]) -> u64 {
    let mut whole = [0; 8];
    let length = bytes.len().min(8);
    // The first bytes are the lower ones: the ABIs that are recorded have little ends.
    whole[..length].copy_from_slice(&bytes[..length]);
    u64::from_le_bytes(whole)
}
