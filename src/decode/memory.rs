//! A structure's captured bytes, read field by field in the layout of its ABI.

/// A cursor over captured memory. What was not captured reads as 0 and sets `is_short`.
#[derive(Clone, Debug)]
pub(super) struct Memory<'a> {
    bytes: &'a [u8],
    /// Where in the structure `bytes` begins.
    base: usize,
    at: usize,
    word: usize,
    short: bool,
    /// How long the structure is said to be.
    told: usize,
}

impl<'a> Memory<'a> {
    /// `base`: where in the structure `bytes` begin; `word`: bytes of a long.
    pub(super) fn new(bytes: &'a [u8], base: usize, word: usize) -> Self {
        Self { bytes, base, at: 0, word, short: false, told: bytes.len() }
    }

    /// The same, of which `length` bytes were to be read.
    pub(super) fn told(mut self, length: u64) -> Self {
        self.told = usize::try_from(length).unwrap_or(usize::MAX);
        self
    }

    /// How many bytes are left by what was said, whether they were captured or not.
    pub(super) fn told_left(&self) -> usize {
        self.told.saturating_sub(self.at)
    }

    /// Bytes of a long and of a pointer.
    pub(super) fn word_size(&self) -> usize {
        self.word
    }

    /// Whether a read went beyond what was captured.
    pub(super) fn is_short(&self) -> bool {
        self.short
    }

    /// Declares that what was captured is not enough.
    pub(super) fn set_short(&mut self) {
        self.short = true;
    }

    /// Moves to an offset in the structure.
    pub(super) fn seek(&mut self, offset: usize) {
        self.at = offset;
    }

    /// Where in the structure the next read begins.
    pub(super) fn offset(&self) -> usize {
        self.at
    }

    /// Passes over bytes.
    pub(super) fn skip(&mut self, bytes: usize) {
        self.at += bytes;
    }

    /// Passes over padding up to a multiple of so many bytes.
    pub(super) fn align(&mut self, to: usize) {
        self.at = self.at.next_multiple_of(to.max(1));
    }

    fn take<const N: usize>(&mut self) -> [u8; N] {
        let from = self.at.checked_sub(self.base);
        self.at += N;
        match from.and_then(|from| self.bytes.get(from..)?.first_chunk::<N>()) {
            Some(bytes) => *bytes,
            None => {
                self.short = true;
                [0; N]
            }
        }
    }

    pub(super) fn u8(&mut self) -> u8 {
        self.take::<1>()[0]
    }

    pub(super) fn u16(&mut self) -> u16 {
        u16::from_ne_bytes(self.take())
    }

    /// A number in network order.
    pub(super) fn be16(&mut self) -> u16 {
        u16::from_be_bytes(self.take())
    }

    pub(super) fn i16(&mut self) -> i16 {
        i16::from_ne_bytes(self.take())
    }

    pub(super) fn u32(&mut self) -> u32 {
        u32::from_ne_bytes(self.take())
    }

    /// A number in network order.
    pub(super) fn be32(&mut self) -> u32 {
        u32::from_be_bytes(self.take())
    }

    pub(super) fn i32(&mut self) -> i32 {
        i32::from_ne_bytes(self.take())
    }

    pub(super) fn u64(&mut self) -> u64 {
        u64::from_ne_bytes(self.take())
    }

    pub(super) fn i64(&mut self) -> i64 {
        i64::from_ne_bytes(self.take())
    }

    /// An unsigned long, size_t or pointer.
    pub(super) fn word(&mut self) -> u64 {
        if self.word == 8 { self.u64() } else { u64::from(self.u32()) }
    }

    /// A long.
    pub(super) fn long(&mut self) -> i64 {
        if self.word == 8 { self.i64() } else { i64::from(self.i32()) }
    }

    /// Raw bytes; fewer if fewer were captured.
    pub(super) fn raw(&mut self, length: usize) -> &'a [u8] {
        let from = self.at.saturating_sub(self.base).min(self.bytes.len());
        self.at += length;
        let to = (from + length).min(self.bytes.len());
        self.short |= to - from < length;
        &self.bytes[from..to]
    }

    /// What is left.
    pub(super) fn rest(&mut self) -> &'a [u8] {
        let from = self.at.saturating_sub(self.base).min(self.bytes.len());
        self.at = self.base + self.bytes.len();
        &self.bytes[from..]
    }

    /// How many bytes are left.
    pub(super) fn left(&self) -> usize {
        (self.base + self.bytes.len()).saturating_sub(self.at)
    }
}
