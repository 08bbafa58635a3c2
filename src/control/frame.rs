//! How news of a followed track goes over the socket: frames, one behind the other.
//!
//! ```text
//! frame = news:u32 records:u32 (both little-endian lengths) news (JSON) records (blocks of raw records)
//! ```
//! The client decodes: a stream costs the daemon one copy of what is new.

use anyhow::{Context, Result, ensure};

use super::messages::News;

/// Bytes before a frame's JSON.
const HEAD: usize = 8;
/// No JSON is larger, bytes.
const NEWS_MOST: usize = 16 << 20;
/// No frame holds more records, bytes.
const RECORDS_MOST: usize = 1 << 30;

/// A frame's bytes.
pub fn encode(news: &News, blocks: &[Vec<u8>]) -> Result<Vec<u8>> {
    let json = serde_json::to_vec(news).context("write news of a track")?;
    let records: usize = blocks.iter().map(Vec::len).sum();
    let mut frame = Vec::with_capacity(HEAD + json.len() + records);
    frame.extend(u32::try_from(json.len()).context("too much news")?.to_le_bytes());
    frame.extend(u32::try_from(records).context("too many records at once")?.to_le_bytes());
    frame.extend(json);
    blocks.iter().for_each(|block| frame.extend_from_slice(block));
    Ok(frame)
}

/// Puts frames together out of what comes over the socket.
#[derive(Debug, Default)]
pub struct Frames {
    bytes: Vec<u8>,
}

impl Frames {
    /// Takes in what has come.
    pub fn feed(&mut self, bytes: &[u8]) {
        self.bytes.extend_from_slice(bytes);
    }

    /// The next whole frame: the news and the blocks of records.
    pub fn take(&mut self) -> Result<Option<(News, Vec<Vec<u8>>)>> {
        let Some((head, rest)) = self.bytes.split_at_checked(HEAD) else { return Ok(None) };
        let (json, records) = (length(head, 0)?, length(head, 4)?);
        ensure!(json <= NEWS_MOST && records <= RECORDS_MOST, "the daemon's answer is no stream of news");
        let Some((body, _)) = rest.split_at_checked(json + records) else { return Ok(None) };
        let (text, mut left) = body.split_at(json);
        let news: News = serde_json::from_slice(text).context("understand news of a track")?;
        let mut blocks = Vec::new();
        if let News::Records { parts, .. } = &news {
            for length in parts.iter().flat_map(|part| &part.blocks) {
                let (block, rest) = usize::try_from(*length)
                    .ok()
                    .and_then(|length| left.split_at_checked(length))
                    .context("the daemon's blocks of records are longer than its frame")?;
                blocks.push(block.to_vec());
                left = rest;
            }
        }
        self.bytes.drain(..HEAD + json + records);
        Ok(Some((news, blocks)))
    }
}

fn length(head: &[u8], at: usize) -> Result<usize> {
    let raw = head.get(at..at + 4).and_then(|raw| raw.try_into().ok()).map(u32::from_le_bytes);
    Ok(usize::try_from(raw.context("a frame without lengths")?)?)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::control::messages::{Followed, Part};

    fn records(lengths: &[&[usize]]) -> News {
        let part = |(whose, lengths): (u16, &&[usize])| {
            let blocks = lengths.iter().map(|length| u32::try_from(*length).unwrap()).collect();
            Part { whose, threads: Vec::new(), blocks }
        };
        let parts = (0..).zip(lengths).map(part).collect();
        News::Records { until: 7, clock_offset: 1, missed: false, joined: Vec::new(), modules: Vec::new(), parts }
    }

    #[test]
    fn frames_come_back_however_they_are_cut() {
        let blocks = vec![vec![1; 10], Vec::new(), vec![2; 3]];
        let start = News::Start {
            cgroups: vec![Followed::default()],
            interfaces: [(1, "lo".to_owned())].into(),
            generic_families: [(16, "nlctrl".to_owned())].into(),
        };
        let mut bytes = encode(&start, &[]).unwrap();
        bytes.extend(encode(&records(&[&[10, 0], &[3]]), &blocks).unwrap());
        bytes.extend(encode(&News::End {}, &[]).unwrap());
        let mut frames = Frames::default();
        let mut got = Vec::new();
        for byte in bytes {
            frames.feed(&[byte]);
            while let Some(frame) = frames.take().unwrap() {
                got.push(frame);
            }
        }
        assert_eq!(got, [(start, Vec::new()), (records(&[&[10, 0], &[3]]), blocks), (News::End {}, Vec::new())]);
    }

    proptest! {
        #[test]
        fn no_garbage_makes_it_panic(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            let mut frames = Frames::default();
            frames.feed(&bytes);
            let _ = frames.take();
        }
    }
}
