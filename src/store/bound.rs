//! A bound on one stored dump: its newest blocks, taken as they are, and what is kept of the time before them, since
//! that was kept for its sake. What is left out is stated in its window.

use std::collections::BTreeMap;

use super::format::BLOCK_HEAD;
use crate::model::{Block, Body, Completeness, Reach, Recording, Stretch, Window};

/// Of the bound, for what is there in part.
const PART: u64 = 4;

/// What is left out of a cgroup's history.
#[derive(Clone, Copy, Debug)]
struct Left {
    /// The oldest record's time.
    from: u64,
    /// The newest one's.
    to: u64,
    records: u64,
    /// The same of what is there in part.
    part_to: u64,
    part_records: u64,
}

impl Default for Left {
    fn default() -> Self {
        Self { from: u64::MAX, to: 0, records: 0, part_to: 0, part_records: 0 }
    }
}

impl Left {
    fn add(self, block: &Block) -> Self {
        let records = u64::from(block.records);
        self.and(if block.thinned {
            Self { part_to: block.to, part_records: records, ..Self::default() }
        } else {
            Self { from: block.first, to: block.to, records, ..Self::default() }
        })
    }

    fn and(self, other: Self) -> Self {
        Self {
            from: self.from.min(other.from),
            to: self.to.max(other.to),
            records: self.records + other.records,
            part_to: self.part_to.max(other.part_to),
            part_records: self.part_records + other.part_records,
        }
    }
}

/// The recording without its oldest blocks, where it would take more than so many bytes in a file.
pub fn bounded(recording: Recording, most: u64) -> Recording {
    let Recording { mut dump, blocks } = recording;
    let header = serde_json::to_vec(&dump).map_or(0, |header| header.len() as u64);
    // Heads of what is no record, too.
    let mut room = most.saturating_sub(header + 3 * BLOCK_HEAD as u64);
    // Packed, plain ones take less.
    if blocks.iter().map(length).sum::<u64>() <= room {
        return Recording { dump, blocks };
    }
    let pieces = blocks.into_iter().flat_map(|block| match &block.body {
        Body::Plain(bytes) if block.cpu.is_some() => {
            let cut = Block::cut(block.cpu, block.whose, bytes);
            cut.map(|cut| Block { thinned: block.thinned, ..cut }).collect()
        }
        _ => vec![block],
    });
    // The calls in flight are those that matter most, and few.
    let (mut kept, mut rings): (Vec<_>, Vec<_>) =
        (0..).zip(pieces).partition(|(_, block): &(u32, Block)| block.cpu.is_none());
    room = room.saturating_sub(kept.iter().map(|(_, block)| length(block)).sum());
    rings.sort_by_key(|(_, block)| block.to);
    let (part, complete): (Vec<_>, Vec<_>) = rings.into_iter().partition(|(_, block)| block.thinned);
    let mut left: BTreeMap<u16, Left> = BTreeMap::new();
    for (mut blocks, most) in [(part, room / PART), (complete, u64::MAX)] {
        let mut own = room.min(most);
        let mut is_full = false;
        while let Some((place, block)) = blocks.pop() {
            let about = block.about();
            if !is_full
                && let Ok(packed) = block.pack()
                && let Some(rest) = own.checked_sub(length(&packed))
            {
                room -= length(&packed);
                own = rest;
                kept.push((place, packed));
                continue;
            }
            is_full = true;
            let left = left.entry(about.whose).or_default();
            *left = left.add(&about);
        }
    }
    kept.sort_by_key(|(place, _)| *place);
    for (whose, each) in (0..).zip(&mut dump.each) {
        if let Some(left) = left.get(&whose) {
            leave_out(&mut each.window, *left);
        }
    }
    if let Some(left) = left.into_values().reduce(Left::and) {
        leave_out(&mut dump.window, left);
    }
    Recording { dump, blocks: kept.into_iter().map(|(_, block)| block).collect() }
}

/// How many bytes a block takes in a file, at most.
fn length(block: &Block) -> u64 {
    let data = match &block.body {
        Body::Plain(bytes) => bytes.len() as u64,
        Body::Packed { bytes, .. } => bytes.len() as u64,
        Body::Stored(stored) => stored.packed.into(),
    };
    data + BLOCK_HEAD as u64
}

fn leave_out(window: &mut Window, left: Left) {
    let records = left.records + left.part_records;
    window.records = window.records.saturating_sub(records);
    window.left_out += records;
    // Until here it is there in part, and from here on complete.
    let seam = window.stretches.iter().rfind(|stretch| stretch.state == Completeness::InPart).map(|part| part.to);
    let seam = seam.unwrap_or(0);
    let reaches = |stretch: &Stretch| if stretch.from < seam { left.part_to } else { left.to };
    window.stretches.retain(|stretch| stretch.to > reaches(stretch));
    window.stretches.iter_mut().for_each(|stretch| stretch.from = stretch.from.max(reaches(stretch)));
    if left.records == 0 {
        return;
    }
    // What matters of a time that another CPU had whole goes with that.
    let begin = seam.min(left.from);
    window.stretches.retain(|stretch| stretch.from >= seam || stretch.from < begin);
    let in_part = window.stretches.iter_mut().take_while(|stretch| stretch.from < begin);
    let in_part = in_part.map(|stretch| stretch.to = stretch.to.min(begin)).count();
    if in_part > 0 {
        let reason = "one stored dump takes no more".to_owned();
        let state = Completeness::Gap { records: left.records, reason };
        window.stretches.insert(in_part, Stretch { from: begin, to: left.to.max(seam), state });
    }
    let reaches = std::mem::take(&mut window.further);
    if window.complete_from.is_some_and(|from| from > left.to) {
        let from = |reach: &Reach| reach.from.unwrap_or_default().max(left.to);
        window.further = reaches.iter().map(|reach| Reach { from: Some(from(reach)), ..*reach }).collect();
    }
    window.complete_from = window.complete_from.max(Some(left.to));
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        model::{Dump, Each},
        store, wire,
    };

    /// A record that packs badly.
    fn record(time: u64) -> Vec<u8> {
        let mut bytes = vec![0; 56];
        bytes[4] = 56;
        bytes[6] = 7;
        bytes[8..16].copy_from_slice(&time.to_ne_bytes());
        let mut noise = time;
        for word in bytes[24..].chunks_mut(8) {
            noise = noise.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            word.copy_from_slice(&noise.to_ne_bytes());
        }
        bytes
    }

    fn recording() -> Recording {
        let ring = |cpu: u32, whose, times: std::ops::Range<u64>| {
            let bytes: Vec<u8> = times.flat_map(record).collect();
            Block::cut(Some(cpu), whose, &bytes).collect::<Vec<_>>()
        };
        let packed = |blocks: Vec<Block>| blocks.into_iter().map(|block| block.pack().unwrap());
        let mut blocks: Vec<Block> = packed(ring(0, 0, 0..20_000)).collect();
        // What was not packed yet.
        blocks.push(Block::of(Some(0), 0, (20_000..26_000).flat_map(record).collect()));
        blocks.extend(packed(ring(1, 1, 25_000..25_100)));
        blocks.push(Block::of(None, 0, record(5)));
        let window = Window { records: 26_001, ..Window::default() };
        let each = vec![Each { began: 0, window: window.clone() }, Each::default()];
        Recording { dump: Dump { window, each, ..Dump::default() }, blocks }
    }

    #[test]
    fn the_newest_blocks_stay_and_the_window_says_what_is_left_out() {
        let whole = recording();
        let all: u64 = whole.blocks.iter().map(|block| u64::from(block.records)).sum();
        for most in [800 << 10, 300 << 10, 5 << 10] {
            let bounded = bounded(whole.clone(), most);
            let mut file = Vec::new();
            store::write(&mut file, &bounded).unwrap();
            assert!(file.len() as u64 <= most, "{} of {most}", file.len());
            let kept: u64 = bounded.blocks.iter().map(|block| u64::from(block.records)).sum();
            let Window { left_out, complete_from, .. } = bounded.dump.window;
            assert_eq!(kept + left_out, all);
            let times: Vec<u64> = bounded
                .blocks
                .iter()
                .filter(|block| block.cpu == Some(0))
                .flat_map(|block| {
                    wire::records(&block.plain().unwrap()).map(|record| record.time()).collect::<Vec<_>>()
                })
                .collect();
            assert_eq!(
                times,
                (complete_from.unwrap() + 1..26_000).collect::<Vec<_>>(),
                "in the order in which they stood"
            );
            assert_eq!(bounded.blocks.last().unwrap().cpu, None, "what is in flight always stays");
            assert_eq!(bounded.dump.each[0].window.complete_from, complete_from);
            assert_eq!(bounded.dump.each[1].window.left_out, if most < 10 << 10 { 100 } else { 0 });
        }
        assert_eq!(bounded(whole.clone(), 64 << 20).blocks.len(), whole.blocks.len());
    }

    #[test]
    fn what_is_there_in_part_is_not_left_out_for_what_is_complete() {
        let part: Vec<u8> = (0..100).flat_map(|n| record(9 * n)).collect();
        let part = Block { thinned: true, ..Block::of(Some(0), 0, part) };
        let complete: Vec<u8> = (1000..20_000).flat_map(record).collect();
        let stretch = |from, to, state| Stretch { from, to, state };
        let stretches = vec![stretch(0, 999, Completeness::InPart), stretch(999, 20_000, Completeness::Complete)];
        let window = Window { complete_from: Some(999), stretches, records: 19_100, ..Window::default() };
        let blocks = std::iter::once(part).chain(Block::cut(Some(0), 0, &complete)).collect();
        let whole = Recording { dump: Dump { window, ..Dump::default() }, blocks };
        let bounded = |most| bounded(whole.clone(), most);
        let Recording { dump: Dump { window, .. }, blocks } = bounded(300 << 10);
        assert!(blocks[0].thinned && blocks.len() > 1 && blocks[0].records == 100);
        let from = window.complete_from.unwrap();
        assert!(from > 999 && window.left_out == from - 999, "{window:?}");
        let gap = Completeness::Gap { records: window.left_out, reason: "one stored dump takes no more".into() };
        let expected = [
            stretch(0, 999, Completeness::InPart),
            stretch(999, from, gap),
            stretch(from, 20_000, Completeness::Complete),
        ];
        assert_eq!(window.stretches, expected);
        // No more than a part of it.
        let Recording { dump: Dump { window, .. }, blocks } = bounded(8 << 10);
        assert!(blocks.is_empty(), "it takes more than a quarter");
        assert_eq!((window.complete_from, window.left_out), (Some(19_999), 19_100), "{window:?}");
        assert_eq!(window.stretches[0], stretch(891, 999, Completeness::InPart), "what matters of that is all there");
        // What stood in another CPU's whole history goes with it.
        let mut window = whole.dump.window.clone();
        leave_out(&mut window, Left { from: 500, to: 700, records: 7, ..Left::default() });
        assert_eq!(window.stretches[0], stretch(0, 500, Completeness::InPart));
        assert_eq!((window.stretches[1].from, window.stretches[1].to, window.complete_from), (500, 999, Some(999)));
    }

    #[test]
    fn what_the_window_said_of_older_times_is_said_no_more() {
        let mut window = Window {
            complete_from: Some(10),
            further: vec![Reach { cpu: 1, from: None }],
            stretches: vec![
                Stretch { from: 0, to: 30, state: Completeness::Complete },
                Stretch { from: 30, to: 90, state: Completeness::Complete },
            ],
            records: 50,
            ..Window::default()
        };
        leave_out(&mut window, Left { from: 1, to: 5, records: 1, ..Left::default() });
        assert_eq!((window.complete_from, &window.further), (Some(10), &vec![Reach { cpu: 1, from: Some(5) }]));
        leave_out(&mut window, Left { from: 6, to: 40, records: 9, ..Left::default() });
        assert_eq!((window.complete_from, window.left_out, window.records), (Some(40), 10, 40));
        assert!(window.further.is_empty());
        assert_eq!(window.stretches, [Stretch { from: 40, to: 90, state: Completeness::Complete }]);
    }
}
