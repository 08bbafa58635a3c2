//! A bound on one stored dump: its newest blocks, taken as they are. What is left out is stated in its window.

use std::collections::BTreeMap;

use super::format::BLOCK_HEAD;
use crate::model::{Block, Body, Reach, Recording, Window};

/// What is left out of a cgroup's history.
#[derive(Clone, Copy, Debug, Default)]
struct Left {
    /// The newest record's time.
    to: u64,
    records: u64,
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
    let mut left: BTreeMap<u16, Left> = BTreeMap::new();
    while let Some((place, block)) = rings.pop() {
        let about = block.about();
        if left.is_empty()
            && let Ok(packed) = block.pack()
            && let Some(rest) = room.checked_sub(length(&packed))
        {
            room = rest;
            kept.push((place, packed));
            continue;
        }
        let left = left.entry(about.whose).or_default();
        left.to = left.to.max(about.to);
        left.records += u64::from(about.records);
    }
    kept.sort_by_key(|(place, _)| *place);
    for (whose, each) in (0..).zip(&mut dump.each) {
        if let Some(left) = left.get(&whose) {
            leave_out(&mut each.window, *left);
        }
    }
    if let Some(to) = left.values().map(|left| left.to).max() {
        leave_out(&mut dump.window, Left { to, records: left.values().map(|left| left.records).sum() });
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
    window.records = window.records.saturating_sub(left.records);
    window.left_out += left.records;
    let reaches = std::mem::take(&mut window.further);
    if window.complete_from.is_some_and(|from| from > left.to) {
        let from = |reach: &Reach| reach.from.unwrap_or_default().max(left.to);
        window.further = reaches.iter().map(|reach| Reach { from: Some(from(reach)), ..*reach }).collect();
    }
    window.complete_from = window.complete_from.max(Some(left.to));
    window.stretches.retain(|stretch| stretch.to > left.to);
    window.stretches.iter_mut().for_each(|stretch| stretch.from = stretch.from.max(left.to));
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        model::{Completeness, Dump, Each, Stretch},
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
    fn what_the_window_said_of_older_times_is_said_no_more() {
        let mut window = Window {
            complete_from: Some(10),
            further: vec![Reach { cpu: 1, from: None }],
            stretches: vec![
                Stretch { from: 0, to: 30, state: Completeness::Complete },
                Stretch { from: 30, to: 90, state: Completeness::InPart },
            ],
            records: 50,
            ..Window::default()
        };
        leave_out(&mut window, Left { to: 5, records: 1 });
        assert_eq!((window.complete_from, &window.further), (Some(10), &vec![Reach { cpu: 1, from: Some(5) }]));
        leave_out(&mut window, Left { to: 40, records: 9 });
        assert_eq!((window.complete_from, window.left_out, window.records), (Some(40), 10, 40));
        assert!(window.further.is_empty());
        assert_eq!(window.stretches, [Stretch { from: 40, to: 90, state: Completeness::InPart }]);
    }
}
