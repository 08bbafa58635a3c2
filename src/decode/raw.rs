//! A call as its records have it: registers, captured memory, and the row that tells what they mean.

use std::{borrow::Cow, collections::BTreeMap};

use super::{asked::View, memory::Memory, style::Style};
use crate::{
    syscall::{self, Abi, Arg, Case, Len, Ret, Row, Shape},
    wire::{self, CallRecord, Part, Piece},
};

#[allow(clippy::cast_possible_truncation, clippy::cast_possible_wrap, reason = "the kernel takes 32 bits")]
pub(super) fn int(register: u64) -> i32 {
    register as i32
}

#[allow(clippy::cast_possible_truncation, reason = "the kernel takes 32 bits")]
pub(super) fn uint(register: u64) -> u32 {
    register as u32
}

/// A call's bytes, with its row at hand.
#[derive(Debug)]
pub(super) struct Raw<'a> {
    pub(super) style: &'a Style,
    pub(super) abi: Abi,
    pub(super) nr: i32,
    pub(super) compat: bool,
    pub(super) row: Option<&'static Row>,
    /// Which of a multiplexed call's argument lists holds.
    case: Option<&'static Case>,
    pub(super) args: [u64; 6],
    /// The result; `None` while the call has not ended.
    pub(super) ret: Option<i64>,
    pieces: &'a [Piece<'a>],
    /// The names of network interfaces where it was made, by their numbers.
    pub(super) interfaces: &'a BTreeMap<u32, String>,
    /// What descriptors stand for, if it is to be told.
    pub(super) fds: Option<View<'a>>,
}

impl<'a> Raw<'a> {
    pub(super) fn new(
        style: &'a Style,
        record: CallRecord<'_>,
        args: [u64; 6],
        ret: Option<i64>,
        pieces: &'a [Piece<'a>],
    ) -> Self {
        let abi = style.abi(record.compat());
        let (nr, compat) = (record.nr(), record.compat());
        let row = syscall::row(abi, nr);
        let ret = ret.map(|ret| if compat { widened(ret) } else { ret });
        let (case, args) = case(row, args, pieces);
        let interfaces = style.interfaces_of(&record, pieces.iter().find_map(wire::network));
        Self { style, abi, nr, compat, row, case, args, ret, pieces, interfaces, fds: None }
    }

    /// An argument's register.
    pub(super) fn register(&self, index: u8) -> u64 {
        self.args.get(usize::from(index)).copied().unwrap_or(0)
    }

    /// The arguments and result that hold for this call: its case's, if it is a multiplexed one.
    pub(super) fn signature(&self) -> (&'static [Arg], &'static Ret) {
        let Some(row) = self.row else { return (&[], &Ret::Int) };
        self.case.map_or((row.args, &row.ret), |case| (case.args, &case.ret))
    }

    /// The name under which it is shown.
    pub(super) fn name(&self) -> Option<&'static str> {
        self.case.and_then(|case| case.name).or_else(|| syscall::name(self.abi, self.nr))
    }

    /// Whether the call has failed with an errno.
    pub(super) fn failed(&self) -> bool {
        self.ret.is_some_and(|ret| (-4095..0).contains(&ret))
    }

    /// A captured piece of an argument: the first that there is, where it was looked for more than once.
    pub(super) fn piece(&self, arg: u8, part: Part) -> Option<&'a [u8]> {
        let mut pieces = self.pieces.iter().filter(|piece| piece.arg == arg && piece.part == part);
        pieces.find_map(|piece| piece.bytes.ok())
    }

    /// The same, as it was at the end of the call, if it was captured at both of its ends.
    pub(super) fn last_piece(&self, arg: u8, part: Part) -> Option<&'a [u8]> {
        let piece = self.pieces.iter().rfind(|piece| piece.arg == arg && piece.part == part)?;
        piece.bytes.ok()
    }

    /// An argument's memory.
    pub(super) fn data(&self, arg: u8) -> Option<&'a [u8]> {
        self.piece(arg, Part::PART_DATA)
    }

    /// All pieces of an argument, in the order of capture.
    pub(super) fn pieces(&self, arg: u8) -> impl Iterator<Item = &'a Piece<'a>> {
        self.pieces.iter().filter(move |piece| piece.arg == arg)
    }

    /// An argument's memory, of all the pieces that it was copied in.
    pub(super) fn joined(&self, arg: u8) -> Option<Cow<'a, [u8]>> {
        let mut pieces = self.pieces(arg).filter(|piece| matches!(piece.part, Part::PART_DATA | Part::PART_REST));
        let mut joined = Cow::Borrowed(pieces.next().filter(|piece| piece.part == Part::PART_DATA)?.bytes.ok()?);
        pieces.map_while(|piece| piece.bytes.ok()).for_each(|rest| joined.to_mut().extend_from_slice(rest));
        Some(joined)
    }

    /// A u32 that was captured for an argument.
    pub(super) fn number(&self, arg: u8, part: Part) -> Option<u32> {
        let bytes = self.piece(arg, part)?.first_chunk::<4>()?;
        Some(u32::from_ne_bytes(*bytes))
    }

    /// A structure of an argument, ready to be read; `None` if less than what it needs was captured.
    pub(super) fn structure(&self, bytes: &'a [u8], shape: Shape) -> Memory<'a> {
        let word = self.abi.word();
        let (offset, kept) = shape.kept(word);
        // A frame's mask is all that is read of it.
        let within = !matches!(shape, Shape::SigFrame) && bytes.len() == kept;
        let base = if within { offset } else { 0 };
        Memory::new(bytes, base, word)
    }

    /// A length that is told in a register: of an int, the lower half counts.
    fn length(&self, index: u8) -> u64 {
        let register = self.register(index);
        let half = self.signature().0.iter().any(|arg| arg.index == index && arg.kind.is_int());
        if half { uint(register).into() } else { register }
    }

    /// How many elements an argument has, by its length.
    pub(super) fn count(&self, len: Len) -> u64 {
        match len {
            Len::One => 1,
            Len::Arg(arg) => self.length(arg),
            Len::Ret => self.ret.and_then(|ret| u64::try_from(ret).ok()).unwrap_or(0),
            Len::RetOrArg(arg) => self.ret.and_then(|ret| u64::try_from(ret).ok()).unwrap_or(0).min(self.length(arg)),
            Len::At(arg) => self.number(arg, Part::PART_DATA).map_or(0, u64::from),
            Len::Bits(arg) => self.length(arg).div_ceil(64) * 8,
            Len::PagesOf(arg) => self.register(arg).div_ceil(4096),
            Len::Head => 0,
        }
    }
}

/// The argument list that holds, and the arguments: in registers, or in the words that were captured.
fn case(row: Option<&'static Row>, args: [u64; 6], pieces: &[Piece<'_>]) -> (Option<&'static Case>, [u64; 6]) {
    let found = row.and_then(|row| row.case(&args));
    let Some(case) = found.filter(|_| row.is_some_and(Row::has_words)) else { return (found, args) };
    let words = pieces.iter().find(|piece| piece.part == Part::PART_WORDS).and_then(|piece| piece.bytes.ok());
    let (words, _) = words.unwrap_or_default().as_chunks::<4>();
    if words.len() < case.args.iter().map(|arg| usize::from(arg.index) + 1).max().unwrap_or(0) {
        return (None, args);
    }
    let mut behind = [0; 6];
    for (arg, word) in behind.iter_mut().zip(words) {
        *arg = u32::from_ne_bytes(*word).into();
    }
    (Some(case), behind)
}

/// A call's result.
pub(super) fn result(call: &CallRecord<'_>) -> i64 {
    if call.compat() { widened(call.ret()) } else { call.ret() }
}

/// A 32-bit call's result: an error of which only the lower half is left, as sigreturn leaves it, is an error.
fn widened(ret: i64) -> i64 {
    if (0xffff_f001..=0xffff_ffff).contains(&ret) { ret - (1 << 32) } else { ret }
}
