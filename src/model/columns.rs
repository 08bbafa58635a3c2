//! Records of a ring by columns: what stands in the same place of like records side by side, as differences to what was
//! there before. It is half as long when it is packed, and packed in less time, since most of it is left out: it is zero.
//!
//! Promise: what comes back is what was given, byte for byte, but for the four bytes that perf fills before each record
//! (`lead`), which come back as zeros. Whatever else it is given to take apart is an error, and takes no more memory than
//! records of the length that it claims.
//!
//! ```text
//! records:u32 classes:u32 class:u64* column(classes of the records) column(times) column(threads)
//! of each class: column(duration) column(result) column(argument)* column(whether the rest is new)
//! rests of the records, of those of which it is new
//! column = mask:u8 byte*, for each bit of the mask: the bytes of that place of all its numbers, lowest bit first
//! ```
//! Records are of one class when their sizes, kinds, flags, calls and numbers of arguments and pieces are the same. What
//! a number is the difference to stands in the last record of its class and thread, or in the last of its class. Only
//! records of calls have columns of their own, all others are rest.

use std::{
    collections::{HashMap, hash_map::Entry},
    io,
};

use crate::wire::{self, CALL_HEAD, Kind, RECORD_HEAD};

/// With fewer records what is said of classes costs more than columns save.
const LEAST: usize = 64;
/// Bytes before the classes.
const HEAD: usize = 8;
/// Words of a record that have columns with those of all classes.
const HEAD_WORDS: usize = RECORD_HEAD / 8;
/// So many of the last records of a class and a thread are remembered.
const REMEMBERED: usize = 1 << 10;

/// No more bytes than these are the columns of records of that length.
pub(super) fn most(plain: usize) -> usize {
    plain.saturating_mul(2) + HEAD + 64
}

/// Records of one form.
#[derive(Clone, Copy, Debug)]
struct Class {
    key: u64,
    size: usize,
    /// Words with columns of their own behind the head.
    words: usize,
    records: usize,
    /// How many of them were gone through.
    done: usize,
    /// Where its columns begin among all cells.
    cells: usize,
    /// Where the last record that was gone through begins.
    last: Option<usize>,
}

impl Class {
    /// What is the same in all records of a class: the half words behind `lead` and behind the thread.
    fn key(record: &[u8]) -> u64 {
        word(record, 0) >> 32 | word(record, 2) & !u64::from(u32::MAX)
    }

    /// `None`: no record can be like that.
    fn of(key: u64) -> Option<Self> {
        let [s0, s1, kind, _, _, _, words, _] = key.to_le_bytes();
        let size = usize::from(u16::from_le_bytes([s0, s1]));
        let is_call = [Kind::RECORD_CALL, Kind::RECORD_ENTER].contains(&Kind(kind));
        let words = if is_call { (CALL_HEAD - RECORD_HEAD) / 8 + usize::from(words) } else { 0 };
        let fits = size.is_multiple_of(8) && RECORD_HEAD + 8 * words <= size;
        fits.then_some(Self { key, size, words, records: 0, done: 0, cells: 0, last: None })
    }

    /// Bytes in front of what has no columns.
    fn front(&self) -> usize {
        RECORD_HEAD + 8 * self.words
    }

    fn has_rest(&self) -> bool {
        self.front() < self.size
    }

    fn columns(&self) -> usize {
        self.words + usize::from(self.has_rest())
    }

    /// Where the cell of a column of the record that is gone through now is.
    fn cell(&self, column: usize) -> usize {
        self.cells + column * self.records + self.done
    }
}

/// Gives each class its cells; how many there are.
fn lay_out(classes: &mut [Class]) -> usize {
    classes.iter_mut().fold(0, |cells, class| {
        class.cells = cells;
        cells + class.columns() * class.records
    })
}

/// The last records of classes and threads.
struct Last(Vec<(u32, usize)>);

impl Last {
    fn new() -> Self {
        Self(vec![(u32::MAX, 0); REMEMBERED])
    }

    /// Where the record begins that one of this class and thread, which begins at `at`, is most like: it is the last one
    /// from now on.
    fn replace(&mut self, number: u32, class: &mut Class, tid: u32, at: usize) -> Option<usize> {
        let place = (number.wrapping_mul(0x9e37_79b1) ^ tid.wrapping_mul(0x85eb_ca6b)) >> 22;
        let last = std::mem::replace(&mut self.0[place as usize], (number, at));
        let of_class = class.last.replace(at);
        if last.0 == number { Some(last.1) } else { of_class }
    }
}

/// The columns of these records; `None`: they are not records from beginning to end, or too few.
pub(super) fn of(plain: &[u8]) -> Option<Vec<u8>> {
    let (mut classes, numbers) = classes(plain)?;
    let mut cells = vec![0_u64; lay_out(&mut classes)];
    let (mut times, mut tids) = (Vec::with_capacity(numbers.len()), Vec::with_capacity(numbers.len()));
    let mut rests = Vec::with_capacity(plain.len() / 4);
    let (mut last, mut at, mut time, mut tid) = (Last::new(), 0, 0, 0);
    for number in &numbers {
        let class = &mut classes[*number as usize];
        let record = &plain[at..at + class.size];
        let (own_time, own_tid) = (word(record, 1), low(word(record, 2)));
        times.push(difference(own_time, time));
        tids.push(difference(own_tid.into(), u64::from(tid)));
        (time, tid) = (own_time, own_tid);
        let before = last.replace(*number, class, own_tid, at).map(|before| &plain[before..before + class.size]);
        let own = words(record, class);
        let was = before.map(|before| words(before, class)).into_iter().flatten().chain(std::iter::repeat(0));
        let column = cells[class.cell(0)..].iter_mut().step_by(class.records);
        for (n, (cell, (own, was))) in column.zip(own.zip(was)).enumerate() {
            // Durations are like no other's.
            *cell = if n == 0 { own } else { difference(own, was) };
        }
        if class.has_rest() {
            let rest = &record[class.front()..];
            let is_new = before.is_none_or(|before| before[class.front()..] != *rest);
            cells[class.cell(class.words)] = is_new.into();
            rests.extend_from_slice(if is_new { rest } else { &[] });
        }
        class.done += 1;
        at += class.size;
    }
    let mut columns = Vec::with_capacity(plain.len() / 2);
    for count in [numbers.len(), classes.len()] {
        columns.extend(u32::try_from(count).ok()?.to_le_bytes());
    }
    classes.iter().for_each(|class| columns.extend(class.key.to_le_bytes()));
    let numbers: Vec<u64> = numbers.into_iter().map(u64::from).collect();
    [&numbers, &times, &tids].iter().for_each(|column| write(&mut columns, column));
    for class in &classes {
        let own = &cells[class.cells..class.cells + class.columns() * class.records];
        own.chunks_exact(class.records).for_each(|column| write(&mut columns, column));
    }
    columns.extend(rests);
    Some(columns)
}

/// The classes of these records, and the number of each one's class.
fn classes(plain: &[u8]) -> Option<(Vec<Class>, Vec<u32>)> {
    let mut classes: Vec<Class> = Vec::new();
    let mut known: HashMap<u64, u32> = HashMap::new();
    let mut last = vec![(0, 0); REMEMBERED];
    let mut numbers = Vec::with_capacity(plain.len() / 64);
    let mut length = 0;
    for record in wire::records(plain) {
        let key = Class::key(record.bytes());
        // Most are of a few classes: to hash them as strangers' keys have to be takes longer than all else here.
        let place = &mut last[(key.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 54) as usize];
        if place.0 != key {
            let number = match known.entry(key) {
                Entry::Occupied(known) => *known.get(),
                Entry::Vacant(new) => {
                    classes.push(Class::of(key)?);
                    *new.insert(u32::try_from(classes.len() - 1).ok()?)
                }
            };
            *place = (key, number);
        }
        let number = place.1;
        classes[number as usize].records += 1;
        numbers.push(number);
        length += record.bytes().len();
    }
    (length == plain.len() && numbers.len() >= LEAST).then_some((classes, numbers))
}

/// The records that these are the columns of; they are so many bytes.
pub(super) fn plain(columns: &[u8], length: usize) -> io::Result<Vec<u8>> {
    taken_apart(columns, length).ok_or_else(|| io::Error::other("a block whose columns do not fit together"))
}

fn taken_apart(columns: &[u8], length: usize) -> Option<Vec<u8>> {
    let mut rest = columns;
    let (count, kinds) = (number(&mut rest)?, number(&mut rest)?);
    if count > length / RECORD_HEAD || kinds > count {
        return None;
    }
    let keys = rest.split_off(..kinds * 8)?.chunks_exact(8);
    let mut classes: Vec<Class> = keys.map(|key| Class::of(word(key, 0))).collect::<Option<_>>()?;
    let numbers = read(&mut rest, count)?;
    let mut whole = 0;
    for number in &numbers {
        let class = classes.get_mut(usize::try_from(*number).ok()?)?;
        class.records += 1;
        whole += class.size;
    }
    if whole != length {
        return None;
    }
    let (times, tids) = (read(&mut rest, count)?, read(&mut rest, count)?);
    let mut cells = Vec::with_capacity(lay_out(&mut classes));
    for class in classes.iter().filter(|class| class.records > 0) {
        for _ in 0..class.columns() {
            cells.extend(read(&mut rest, class.records)?);
        }
    }
    let mut plain = Vec::with_capacity(length);
    let (mut last, mut time, mut tid) = (Last::new(), 0, 0);
    for ((number, time_cell), tid_cell) in numbers.iter().zip(times).zip(tids) {
        let (number, at) = (low(*number), plain.len());
        let class = classes.get_mut(number as usize)?;
        time = sum(time_cell, time);
        tid = low(sum(tid_cell, u64::from(tid)));
        let before = last.replace(number, class, tid, at);
        plain.extend((class.key << 32).to_le_bytes());
        plain.extend(time.to_le_bytes());
        plain.extend((class.key & !u64::from(u32::MAX) | u64::from(tid)).to_le_bytes());
        for n in 0..class.words {
            let cell = cells[class.cell(n)];
            let was = || before.map_or(0, |before| word(&plain[before..], HEAD_WORDS + n));
            let own = if n == 0 { cell } else { sum(cell, was()) };
            plain.extend(own.to_le_bytes());
        }
        if class.has_rest() {
            if cells[class.cell(class.words)] > 0 {
                plain.extend(rest.split_off(..class.size - class.front())?);
            } else {
                let before = before?;
                plain.extend_from_within(before + class.front()..before + class.size);
            }
        }
        class.done += 1;
    }
    rest.is_empty().then_some(plain)
}

/// A record's words that have columns of their own.
fn words<'a>(record: &'a [u8], class: &Class) -> impl Iterator<Item = u64> + use<'a> {
    let words = record[RECORD_HEAD..class.front()].chunks_exact(8);
    words.map(|word| word.first_chunk().map_or(0, |raw| u64::from_le_bytes(*raw)))
}

fn word(bytes: &[u8], at: usize) -> u64 {
    bytes[8 * at..].first_chunk().map_or(0, |raw| u64::from_le_bytes(*raw))
}

#[expect(clippy::cast_possible_truncation, reason = "the lower half is what is asked for")]
fn low(word: u64) -> u32 {
    word as u32
}

/// By how much a number is another one than before; small both ways.
fn difference(own: u64, before: u64) -> u64 {
    let by = own.wrapping_sub(before).cast_signed();
    (by << 1 ^ by >> 63).cast_unsigned()
}

/// The number that is another one than before by so much.
fn sum(difference: u64, before: u64) -> u64 {
    before.wrapping_add(difference >> 1 ^ (difference & 1).wrapping_neg())
}

fn write(columns: &mut Vec<u8>, column: &[u64]) {
    let bits = column.iter().fold(0, |bits, cell| bits | cell);
    let used = bits.to_le_bytes().map(|byte| byte > 0);
    columns.push((0..8).filter(|n| used[*n]).fold(0, |mask, n| mask | 1 << n));
    for n in (0..8).filter(|n| used[*n]) {
        columns.extend(column.iter().map(|cell| (cell >> (8 * n)).to_le_bytes()[0]));
    }
}

fn read(rest: &mut &[u8], count: usize) -> Option<Vec<u64>> {
    let mask = *rest.split_off_first()?;
    let mut column = vec![0; count];
    for n in (0..8).filter(|n| mask & 1 << n != 0) {
        let bytes = rest.split_off(..count)?;
        column.iter_mut().zip(bytes).for_each(|(cell, byte)| *cell |= u64::from(*byte) << (8 * n));
    }
    Some(column)
}

fn number(rest: &mut &[u8]) -> Option<usize> {
    let raw = rest.split_off(..4)?.first_chunk()?;
    usize::try_from(u32::from_le_bytes(*raw)).ok()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::wire::inflight;

    fn call(tid: u32, nr: i32, time: u64, args: u8, pieces: &[u8]) -> Vec<u8> {
        let call = inflight { tid, nr, entered: time, args: [time, 7, u64::from(tid), 0, 9, 1], ..Default::default() };
        let pieces: Vec<_> = pieces.iter().map(|arg| (*arg, wire::Part::PART_DATA, Ok(vec![*arg; 13]))).collect();
        wire::in_flight_record(&call, args, &pieces)
    }

    fn comes_back(records: &[Vec<u8>]) -> Vec<u8> {
        let bytes = records.concat();
        let columns = of(&bytes).expect("records");
        assert!(columns.len() <= most(bytes.len()), "{} of {}", columns.len(), bytes.len());
        assert_eq!(plain(&columns, bytes.len()).unwrap(), bytes);
        columns
    }

    #[test]
    fn like_records_are_short() {
        let calls: Vec<_> = (0..1000).map(|n| call(7, 1, (1 << 40) | (n * 900), 3, &[1])).collect();
        let columns = comes_back(&calls);
        assert!(columns.len() * 8 < calls.concat().len(), "{}", columns.len());
    }

    #[test]
    fn what_is_no_record_is_not_taken() {
        let calls = call(7, 1, 5, 3, &[]).repeat(100);
        assert!(of(&calls).is_some() && of(&calls[..calls.len() - 8]).is_none());
        assert!(of(&[&calls[..], &[0; 8]].concat()).is_none() && of(&[]).is_none());
        assert!(of(&call(7, 1, 5, 3, &[]).repeat(LEAST - 1)).is_none());
    }

    #[test]
    fn columns_that_do_not_fit_together_are_refused() {
        let calls = call(7, 1, 5, 3, &[2]).repeat(100);
        let columns = of(&calls).unwrap();
        for length in [0, calls.len() - 8, calls.len() + 8, usize::MAX] {
            assert!(plain(&columns, length).is_err(), "{length}");
        }
        for cut in 0..columns.len() {
            assert!(plain(&columns[..cut], calls.len()).is_err(), "{cut}");
        }
        assert!(plain(&[&columns[..], &[0]].concat(), calls.len()).is_err());
    }

    proptest! {
        #[test]
        fn records_of_any_kind_come_back(
            seeds in prop::collection::vec((0_u32..4, 0_i32..600, any::<u64>(), 0_u8..8, prop::collection::vec(0_u8..4, 0..3)), 64..200),
            other in prop::collection::vec(any::<u8>(), 104),
        ) {
            let mut records: Vec<Vec<u8>> =
                seeds.iter().map(|(tid, nr, time, args, pieces)| call(*tid, *nr, *time, *args, pieces)).collect();
            for (at, kind) in (0..).step_by(3).zip([Kind::RECORD_EXIT, Kind::RECORD_SIGNAL, Kind::RECORD_FORK]) {
                let mut record = other.clone();
                record[..8].copy_from_slice(&[0, 0, 0, 0, 104, 0, kind.0, 0]);
                records.insert(at, record);
            }
            comes_back(&records);
        }

        #[test]
        fn no_bytes_make_it_panic(
            at in prop::collection::vec((0_usize..2000, any::<u8>()), 1..20), length in 0_usize..20_000,
        ) {
            let calls: Vec<_> = (0..100).map(|n| call(n % 3, 1, u64::from(n) * 900, 3, &[1])).collect();
            let bytes = calls.concat();
            let mut columns = of(&bytes).unwrap();
            for (at, byte) in at {
                let length = columns.len();
                columns[at % length] = byte;
            }
            for length in [length, bytes.len()] {
                prop_assert!(plain(&columns, length).is_ok_and(|plain| plain.len() == length) || plain(&columns, length).is_err());
            }
        }
    }
}
