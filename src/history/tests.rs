//! The history over rings that tests write to: what is copied, packed, given up, thinned and found again.

use std::{
    cell::Cell,
    collections::{BTreeMap, BTreeSet},
    fs::File,
    os::{
        fd::OwnedFd,
        unix::fs::{FileExt, MetadataExt},
    },
    sync::atomic::AtomicU32,
};

use libbpf_rs::libbpf_sys::perf_event_mmap_page;
use proptest::prelude::*;

use super::{keep::Wanted, *};
use crate::{
    ring::Ring,
    syscall::{Abi, number},
    wire::{self, Kind, Record},
};

const PAGE: usize = 4096;
const RING: usize = 1 << 20;

/// What was written, by slot.
#[derive(Clone, Debug, Default)]
struct Counts(Arc<Mutex<BTreeMap<u32, u64>>>);

impl Written for Counts {
    fn records(&self, slot: u32, _: u32) -> u64 {
        lock(&self.0).get(&slot).copied().unwrap_or(0)
    }
}

/// Who writes to a ring as the kernel does.
struct Writer {
    slot: u32,
    serial: u32,
    memory: File,
    head: u64,
    counts: Counts,
    shelf: Arc<Shelf>,
}

impl Writer {
    fn new(slot: u32, history: &History, counts: &Counts) -> Self {
        let memory = nix::sys::memfd::memfd_create("ring", nix::sys::memfd::MFdFlags::empty()).unwrap();
        let memory = File::from(memory);
        memory.set_len((PAGE + RING) as u64).unwrap();
        let event = OwnedFd::from(memory.try_clone().unwrap());
        let ring = Ring::of_event(&event, 0, RING).unwrap();
        let since = ring.position();
        static SERIAL: AtomicU32 = AtomicU32::new(0);
        let serial = SERIAL.fetch_add(1, Relaxed);
        let shelf = history.shelf(slot, serial, ring, since, Counts::records(counts, slot, 0));
        history.keep(&shelf);
        Self { slot, serial, memory, head: 0, counts: counts.clone(), shelf }
    }

    /// What another process finds of it.
    fn left(&self, remains: &Remains, goes_on: bool) -> Arc<Shelf> {
        let event = OwnedFd::from(self.memory.try_clone().unwrap());
        let ring = Ring::of_event(&event, 0, RING).unwrap();
        remains.shelf(self.slot, self.serial, ring, self.shelf.since(), 0, goes_on).0
    }

    /// The same as what there is.
    fn must_be_left(&self, history: &History) {
        let outlives = history.shared.outlives.as_ref().unwrap();
        let left = self.left(&Remains::of(outlives.descriptors().unwrap()).unwrap(), false);
        let (there, found) = (history.take(&self.shelf), left.take_uncounted());
        let of = |taken: &Taken| {
            let Taken { records, complete_from, part_from, gaps, names, .. } = taken.clone();
            (records, complete_from, part_from, gaps, names)
        };
        assert_eq!(of(&found), of(&there));
        assert_eq!(times(found.blocks.iter()), times(there.blocks.iter()));
        assert_eq!((left.memory(), left.kept()), (self.shelf.memory(), self.shelf.kept()));
    }

    fn write(&mut self, record: &[u8]) {
        let mut sample = 9_u32.to_ne_bytes().to_vec();
        sample.extend([0, 0]);
        sample.extend(u16::try_from(8 + record.len()).unwrap().to_ne_bytes());
        sample.extend(record);
        self.head = self.head.wrapping_sub(sample.len() as u64);
        let at = usize::try_from(self.head & (RING - 1) as u64).unwrap();
        let (first, rest) = sample.split_at(sample.len().min(RING - at));
        self.memory.write_all_at(first, (PAGE + at) as u64).unwrap();
        self.memory.write_all_at(rest, PAGE as u64).unwrap();
        let at = std::mem::offset_of!(perf_event_mmap_page, data_head) as u64;
        self.memory.write_all_at(&self.head.to_ne_bytes(), at).unwrap();
        *lock(&self.counts.0).entry(self.slot).or_default() += 1;
    }
}

/// Without threads: what they do is done when the test says so.
fn history(room: usize) -> (History, Counts) {
    let counts = Counts::default();
    let outlives = Some(Outlives::new().unwrap());
    (over(&counts, outlives, room), counts)
}

fn over(counts: &Counts, outlives: Option<Outlives>, room: usize) -> History {
    let history = History::start(Settings::default(), Box::new(counts.clone()), None, outlives).unwrap();
    history.set_room(room);
    history
}

/// Bytes of all.
fn used(history: &History) -> usize {
    let Figures { packed, waiting, kept, .. } = history.figures();
    packed + waiting + kept
}

fn copy_and_pack(history: &History, shelf: &Shelf, wanted: Option<&Wanted>, has_time: impl Fn() -> bool) {
    let shared = &history.shared;
    shared.settle(shelf.copy(shared.written.as_ref()));
    loop {
        let (packed, change) = shelf.pack();
        shared.settle(change);
        shared.make_room(wanted, &has_time);
        if !packed {
            break;
        }
    }
}

pub(super) fn record(kind: Kind, tid: u32, time: u64, rest: &[u8]) -> Vec<u8> {
    let mut bytes = vec![0; 6];
    bytes.extend([kind.0, 0]);
    bytes.extend(time.to_ne_bytes());
    bytes.extend(tid.to_ne_bytes());
    bytes.extend(rest);
    bytes.resize(bytes.len().next_multiple_of(8), 0);
    let size = u16::try_from(bytes.len()).unwrap().to_ne_bytes();
    bytes[4..6].copy_from_slice(&size);
    bytes
}

/// What is written next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Step {
    /// With this result, after so many nanoseconds.
    Call {
        nr: u16,
        ret: i64,
        took: u64,
    },
    Started {
        nr: u16,
        ret: i64,
    },
    Told {
        nr: u16,
        ret: i64,
    },
    Signal,
    Exit,
}

fn nr(name: &str) -> u16 {
    number(Abi::native(false), name).unwrap()
}

/// A call; its arguments pack badly.
fn call(kind: Kind, tid: u32, time: u64, nr: u16, ret: i64, took: u64) -> Vec<u8> {
    let mut rest = nr.to_ne_bytes().to_vec();
    rest.extend([6, 0]);
    rest.extend(took.to_ne_bytes());
    rest.extend(ret.to_ne_bytes());
    let mut noise = time;
    for n in 0..6 {
        noise = noise.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        // No flags of open's. Differences of what is only multiplied are the same each time.
        rest.extend(if n == 2 { 0 } else { noise ^ noise >> 29 ^ noise.rotate_left(17) & noise }.to_ne_bytes());
    }
    record(kind, tid, time, &rest)
}

/// Its records; the last one has this time, those before it lower ones.
fn records(step: Step, tid: u32, time: u64) -> Vec<Vec<u8>> {
    let ended = |nr, ret, took| call(Kind::RECORD_CALL, tid, time, nr, ret, took);
    match step {
        Step::Call { nr, ret, took } => vec![ended(nr, ret, took)],
        Step::Started { nr, ret } => vec![call(Kind::RECORD_ENTER, tid, time - 5, nr, 0, 0), ended(nr, ret, 5)],
        Step::Told { nr, ret } => vec![record(Kind::RECORD_FILE, tid, time - 1, &[0; 160]), ended(nr, ret, 1)],
        Step::Signal => vec![record(Kind::RECORD_SIGNAL, tid, time, &[0; 92])],
        Step::Exit => vec![record(Kind::RECORD_EXIT, tid, time, &[0; 44])],
    }
}

/// Whether a step stands for something that the default rules keep.
fn matters(step: Step) -> bool {
    let failed = |ret: i64| ret == -2;
    match step {
        Step::Call { ret, took, .. } => failed(ret) || took >= 100_000_000,
        Step::Started { nr: number, ret } => failed(ret) || number == nr("execve"),
        Step::Told { ret, .. } => failed(ret),
        Step::Signal | Step::Exit => true,
    }
}

fn steps() -> impl Strategy<Value = Step> {
    let (read, openat, execve, select) = (nr("read"), nr("openat"), nr("execve"), nr("pselect6"));
    let ret = prop::sample::select(vec![0, 3, 0, 7, -11, -4, -2]);
    prop_oneof![
        60 => Just(Step::Call { nr: read, ret: 100, took: 20 }),
        4 => ret.clone().prop_map(move |ret| Step::Call { nr: read, ret, took: 20 }),
        1 => Just(Step::Call { nr: read, ret: 1, took: 100_000_000 }),
        4 => ret.clone().prop_map(move |ret| Step::Told { nr: openat, ret }),
        4 => ret.prop_map(move |ret| Step::Started { nr: select, ret }),
        1 => Just(Step::Started { nr: execve, ret: 0 }),
        1 => Just(Step::Signal),
        1 => Just(Step::Exit),
    ]
}

/// The times of a block's records.
fn times<'a>(blocks: impl Iterator<Item = &'a Block>) -> Vec<u64> {
    let of =
        |block: &Block| -> Vec<u64> { wire::records(&block.plain().unwrap()).map(|record| record.time()).collect() };
    blocks.flat_map(of).collect()
}

const ROOM: usize = 256 << 10;

proptest! {
    #![proptest_config(ProptestConfig::with_cases(12))]
    #[test]
    fn what_matters_stays_with_what_belongs_to_it(
        // A thread each, as often as it takes to fill the room.
        told in prop::collection::vec((steps(), 1_u32..6), 400..600),
        copies in 300_usize..2000,
        // How often there is time to thin, of eight.
        thins in prop::sample::select(vec![0, 1, 4, 7, 8]),
    ) {
        let (history, counts) = history(ROOM);
        let wanted = Wanted::of(&history.shared.settings.keep);
        let mut writer = Writer::new(3, &history, &counts);
        let mut steps = Vec::new();
        let asked = Cell::new(0);
        let has_time = || {
            asked.set(asked.get() + 1);
            asked.get() % 8 < thins
        };
        for n in 0..12_000_usize {
            let (step, tid) = told[n % told.len()];
            let time = 1_000_000_000 + 10 * n as u64;
            let written: Vec<u64> = records(step, tid, time)
                .iter()
                .map(|record| {
                    writer.write(record);
                    Record::parse(record).unwrap().time()
                })
                .collect();
            steps.push((step, tid, written));
            if n % copies == 0 {
                copy_and_pack(&history, &writer.shelf, Some(&wanted), has_time);
                let shared = &history.shared;
                prop_assert!(used(&history) <= ROOM + 192 * 1024, "{} bytes", used(&history));
                prop_assert!(shared.kept.load(Relaxed) <= shared.room_of_kept());
                prop_assert_eq!(used(&history), writer.shelf.memory());
                writer.must_be_left(&history);
                prop_assert_eq!(shared.kept.load(Relaxed), writer.shelf.kept());
            }
        }
        let Taken { blocks, records, complete_from, part_from, gaps, .. } = history.take(&writer.shelf);
        let complete_from = complete_from.expect("the room is used up");
        let older = times(blocks.iter().filter(|block| block.thinned));
        let complete = times(blocks.iter().filter(|block| !block.thinned));
        prop_assert_eq!(records, (older.len() + complete.len()) as u64);
        prop_assert!(complete.is_sorted() && complete.iter().all(|time| *time > complete_from));
        let all: Vec<u64> = steps.iter().flat_map(|(_, _, times)| times.iter().copied()).collect();
        prop_assert_eq!(&complete, &all.iter().copied().filter(|time| *time > complete_from).collect::<Vec<_>>());
        // Each once, and none that is not over.
        let set: BTreeSet<u64> = older.iter().copied().collect();
        prop_assert_eq!(set.len(), older.len(), "none twice");
        prop_assert!(set.iter().all(|time| *time <= complete_from));
        let in_gap = |time: &u64| gaps.iter().any(|gap| (gap.from..=gap.to).contains(time));
        let from = part_from.unwrap_or(0);
        prop_assert!(gaps.iter().all(|gap| gap.why == Missing::Thinner && gap.to <= complete_from));
        prop_assert!(thins > 0 || older.is_empty());
        prop_assert!(thins < 8 || gaps.is_empty());
        prop_assert!(gaps.is_sorted_by_key(|gap| gap.from));
        for (n, (step, tid, times)) in steps.iter().enumerate() {
            let here = times.iter().filter(|time| set.contains(time)).count();
            // What belongs together may stand on both sides of what is known.
            let known = times.iter().all(|time| *time > from && *time <= complete_from && !in_gap(time));
            if !known {
                continue;
            }
            if matters(*step) {
                prop_assert_eq!(here, times.len(), "{:?} at {:?}", step, times);
            } else if here > 0 {
                // The last that a thread did.
                let next = steps[n + 1..].iter().find(|(_, other, _)| other == tid);
                let ends = next.is_some_and(|(step, _, _)| *step == Step::Exit);
                // A start alone stands for a call that ends elsewhere: here, in a block that was given up later.
                let start = matches!(step, Step::Started { .. }) && here == 1;
                prop_assert!(ends || start || matches!(next, Some((Step::Signal, ..))), "{:?} at {:?}", step, times);
            }
        }
        history.empty(&writer.shelf);
        prop_assert_eq!((used(&history), writer.shelf.memory(), writer.shelf.kept()), (0, 0, 0));
    }
}

/// Fills a ring with calls that the rules do not want, but for every so-manieth.
fn storm(history: &History, writer: &mut Writer, wanted: &Wanted, calls: u64, fails: u64) {
    let from = Counts::records(&writer.counts, writer.slot, 0);
    for n in from..from + calls {
        let ret = if n % fails == 0 { -2 } else { 1 };
        writer.write(&call(Kind::RECORD_CALL, 1, 1_000_000_000 + n, nr("read"), ret, 0));
        if n % 1000 == 999 {
            copy_and_pack(history, &writer.shelf, Some(wanted), || true);
        }
    }
}

#[test]
fn a_storm_of_what_matters_does_not_cost_others_theirs() {
    let (history, counts) = history(ROOM);
    let wanted = Wanted::of(&history.shared.settings.keep);
    let mut quiet = Writer::new(4, &history, &counts);
    storm(&history, &mut quiet, &wanted, 6_000, 50);
    let mut busy = Writer::new(3, &history, &counts);
    storm(&history, &mut busy, &wanted, 20_000, 1);
    let (quiet, busy) = (history.take(&quiet.shelf), history.take(&busy.shelf));
    assert!(quiet.complete_from.is_some() && busy.part_from.is_some(), "{:?}", busy.part_from);
    assert_eq!(quiet.part_from, None, "all of it that matters is there");
    let failed: u32 = quiet.blocks.iter().map(|block| block.failed).sum();
    assert_eq!(failed, 120);
    assert!(history.figures().kept <= history.shared.room_of_kept());
}

#[test]
fn without_rules_what_goes_is_gone() {
    let (history, counts) = history(ROOM);
    let mut writer = Writer::new(3, &history, &counts);
    for n in 0..12_000 {
        writer.write(&call(Kind::RECORD_CALL, 1, 1_000_000_000 + n, nr("read"), -2, 0));
        if n % 1000 == 0 {
            copy_and_pack(&history, &writer.shelf, None, || true);
        }
    }
    let taken = history.take(&writer.shelf);
    assert!(taken.complete_from.is_some() && taken.part_from == taken.complete_from, "{taken:?}");
    assert!(taken.gaps.is_empty() && taken.blocks.iter().all(|block| !block.thinned));
    assert_eq!((history.figures().unthinned, history.figures().kept), (0, 0));
}

#[test]
fn what_there_is_no_time_for_is_counted_and_a_gap() {
    let (history, counts) = history(ROOM);
    let wanted = Wanted::of(&history.shared.settings.keep);
    let mut writer = Writer::new(3, &history, &counts);
    // The first that goes is thinned, then nothing for a while.
    let (asked, from) = (Cell::new(0), 1_000_000_000);
    let has_time = || {
        asked.set(asked.get() + 1);
        asked.get() < 3 || asked.get() > 6
    };
    for n in 0..14_000 {
        writer.write(&call(Kind::RECORD_CALL, 1, from + n, nr("read"), if n % 10 == 0 { -2 } else { 1 }, 0));
        if n % 1000 == 0 {
            copy_and_pack(&history, &writer.shelf, Some(&wanted), has_time);
        }
    }
    let taken = history.take(&writer.shelf);
    let [gap] = taken.gaps.as_slice() else { panic!("{:?}", taken.gaps) };
    assert_eq!((gap.why, gap.to - gap.from + 1), (Missing::Thinner, gap.records));
    assert_eq!(history.figures().unthinned, gap.records);
    let older = times(taken.blocks.iter().filter(|block| block.thinned));
    let complete_from = taken.complete_from.unwrap();
    let wanted: Vec<u64> = (0..14_000)
        .map(|n| from + n)
        .filter(|time| (time - from) % 10 == 0 && *time <= complete_from && !(gap.from..=gap.to).contains(time))
        .collect();
    assert_eq!(older, wanted);
    assert_eq!((taken.part_from, taken.whole_from()), (None, Some(complete_from)));
}

/// What a ring has left is the next one's: all of it, in order, once, packed or not, with what was thinned of it.
#[test]
fn a_ring_takes_over_what_an_older_one_has_left() {
    let (history, counts) = history(ROOM);
    let wanted = Wanted::of(&history.shared.settings.keep);
    let (mut older, from) = (Writer::new(3, &history, &counts), 1_000_000_000);
    let next = Cell::new(from);
    let write = |writer: &mut Writer, count: u64| {
        for _ in 0..count {
            let time = next.replace(next.get() + 1);
            let ret = if time % 50 == 0 { -2 } else { 1 };
            writer.write(&call(Kind::RECORD_CALL, 1, time, nr("read"), ret, 0));
        }
    };
    for _ in 0..8 {
        write(&mut older, 1000);
        copy_and_pack(&history, &older.shelf, Some(&wanted), || true);
    }
    let given_up = history.held(&older.shelf).complete_from.expect("the room is used up");
    write(&mut older, 700);
    history.shared.settle(older.shelf.copy(history.shared.written.as_ref()));
    write(&mut older, 300);
    let mut newer = Writer::new(3, &history, &counts);
    history.seal(&older.shelf);
    // By a program that had begun before.
    write(&mut older, 1);
    write(&mut newer, 400);
    assert!(history.take_over(&newer.shelf, &older.shelf));
    write(&mut newer, 300);
    assert_eq!((older.shelf.memory(), used(&history)), (0, newer.shelf.memory()));
    assert_eq!(history.shared.kept.load(Relaxed), newer.shelf.kept());
    let taken = history.take(&newer.shelf);
    let complete = times(taken.blocks.iter().filter(|block| !block.thinned));
    assert_eq!(complete, (given_up + 1..next.get()).collect::<Vec<_>>());
    let thinned = times(taken.blocks.iter().filter(|block| block.thinned));
    assert_eq!(thinned, (from..=given_up).filter(|time| time % 50 == 0).collect::<Vec<_>>());
    assert_eq!((taken.complete_from, taken.part_from, taken.gaps.len()), (Some(given_up), None, 0));
    assert_eq!(taken.records, (complete.len() + thinned.len()) as u64);
    newer.must_be_left(&history);
    // Who was killed before the older one's was forgotten.
    let remains = Remains::of(history.shared.outlives.as_ref().unwrap().descriptors().unwrap()).unwrap();
    assert_eq!(older.left(&remains, true).take_uncounted().records, 0);
    // It goes on as if nothing had been.
    write(&mut newer, 5000);
    copy_and_pack(&history, &newer.shelf, Some(&wanted), || true);
    assert!(history.held(&newer.shelf).complete_from > Some(given_up));
    history.empty(&newer.shelf);
    assert_eq!((used(&history), newer.shelf.memory(), newer.shelf.kept()), (0, 0, 0));
}

/// While the packer has work of the older one's, it is not taken over; nothing of it is lost by that.
#[test]
fn what_waits_to_be_packed_is_taken_over_later() {
    let (history, counts) = history(64 << 20);
    let mut older = Writer::new(3, &history, &counts);
    for n in 0..3000 {
        older.write(&call(Kind::RECORD_CALL, 1, 1_000_000_000 + n, nr("read"), 1, 0));
    }
    let newer = Writer::new(3, &history, &counts);
    history.seal(&older.shelf);
    assert!(!history.take_over(&newer.shelf, &older.shelf));
    copy_and_pack(&history, &older.shelf, None, || true);
    assert!(history.take_over(&newer.shelf, &older.shelf));
    assert_eq!(times(history.take(&newer.shelf).blocks.iter()).len(), 3000);
}

/// Two threads count: what one has taken away may be counted before the other has counted that it is there.
#[test]
fn what_is_counted_late_costs_nobody_his_history() {
    let (history, counts) = history(ROOM);
    let mut writer = Writer::new(3, &history, &counts);
    for n in 0..2000 {
        writer.write(&call(Kind::RECORD_CALL, 1, 1_000_000_000 + n, nr("read"), 1, 0));
    }
    let copied = writer.shelf.copy(history.shared.written.as_ref());
    let (packed, change) = writer.shelf.pack();
    history.shared.settle(change);
    history.shared.make_room(None, || true);
    history.shared.settle(copied);
    assert!(packed && history.held(&writer.shelf).complete_from.is_none());
    assert_eq!((history.held(&writer.shelf).records, used(&history)), (2000, writer.shelf.memory()));
}

/// What was missing of the older ring is missing still, and no more of it.
#[test]
fn a_gap_is_taken_over_with_its_number() {
    let (history, counts) = history(64 << 20);
    let mut older = Writer::new(3, &history, &counts);
    let write = |writer: &mut Writer, times: std::ops::Range<u64>| {
        times.for_each(|n| writer.write(&call(Kind::RECORD_CALL, 1, 1_000_000_000 + n, nr("read"), 1, 0)));
    };
    write(&mut older, 0..1000);
    copy_and_pack(&history, &older.shelf, None, || true);
    write(&mut older, 1000..20_000);
    copy_and_pack(&history, &older.shelf, None, || true);
    let mut newer = Writer::new(3, &history, &counts);
    history.seal(&older.shelf);
    write(&mut newer, 20_000..23_000);
    assert!(history.take_over(&newer.shelf, &older.shelf));
    copy_and_pack(&history, &newer.shelf, None, || true);
    newer.must_be_left(&history);
    let taken = history.take(&newer.shelf);
    let [gap] = taken.gaps.as_slice() else { panic!("{:?}", taken.gaps) };
    assert_eq!(taken.records + gap.records, 23_000);
}

/// A process that was killed, again and again: nothing is missing, nothing there twice, and nothing else is kept.
#[test]
fn what_a_killed_process_has_kept_goes_on() {
    let (mut history, counts) = history(ROOM);
    let wanted = Wanted::of(&history.shared.settings.keep);
    let mut writer = Writer::new(3, &history, &counts);
    let (from, mut next) = (1_000_000_000, 0);
    for life in 0..4 {
        for _ in 0..3000 {
            writer.write(&call(Kind::RECORD_CALL, 1, from + next, nr("read"), if next % 100 == 0 { -2 } else { 1 }, 0));
            next += 1;
            if next % 700 == 0 {
                copy_and_pack(&history, &writer.shelf, Some(&wanted), || true);
            }
        }
        if life % 2 == 0 {
            // Copied, and not packed.
            history.shared.settle(writer.shelf.copy(history.shared.written.as_ref()));
        }
        writer.must_be_left(&history);
        let remains = Remains::of(history.shared.outlives.as_ref().unwrap().descriptors().unwrap()).unwrap();
        let later = over(&counts, Some(remains.outlives()), ROOM);
        let shelf = writer.left(&remains, true);
        later.keep(&shelf);
        remains.sweep().unwrap();
        // Who is killed gives nothing back, nor does who ends.
        let before = (std::mem::replace(&mut history, later), std::mem::replace(&mut writer.shelf, shelf));
        if life % 2 == 0 {
            std::mem::forget(before);
        } else {
            drop(before);
        }
        assert_eq!(used(&history), writer.shelf.memory());
    }
    let taken = history.take(&writer.shelf);
    let complete_from = taken.complete_from.expect("the room is used up");
    let complete = times(taken.blocks.iter().filter(|block| !block.thinned));
    assert_eq!(complete, (complete_from + 1..from + next).collect::<Vec<_>>());
    let thinned = times(taken.blocks.iter().filter(|block| block.thinned));
    assert_eq!(thinned, (from..=complete_from).filter(|time| time % 100 == 0).collect::<Vec<_>>());
    assert!(taken.gaps.is_empty() && taken.part_from.is_none());
    let outlives = history.shared.outlives.clone().unwrap();
    let memory = || outlives.descriptors().unwrap().map(|file| File::from(file).metadata().unwrap().blocks() * 512);
    let held: u64 = memory().iter().sum();
    let counted = used(&history) as u64 + history.figures().extra as u64;
    assert!(held <= counted + 2 * 4096, "{held} bytes of {counted}");
    history.empty(&writer.shelf);
    drop(taken);
    // What is left is the table's page, and the head's.
    assert!(memory()[0] == 0 && memory()[1] <= 2 * 4096, "{:?}", memory());
    assert_eq!(history.figures().extra, 0);
}

/// A history without memory that outlives the process is the same history.
#[test]
fn nothing_has_to_outlive_the_process() {
    let counts = Counts::default();
    let history = over(&counts, None, ROOM);
    let wanted = Wanted::of(&history.shared.settings.keep);
    let mut writer = Writer::new(3, &history, &counts);
    storm(&history, &mut writer, &wanted, 12_000, 100);
    let taken = history.take(&writer.shelf);
    assert!(taken.complete_from.is_some() && taken.part_from.is_none() && taken.gaps.is_empty());
    assert_eq!(history.figures().extra, 0);
}
