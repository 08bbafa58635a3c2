//! Reading a dump file, whole or torn.

use std::{
    borrow::Cow,
    fmt, fs,
    io::{self, Read},
};

use anyhow::{Context, Result, bail, ensure};

use super::format::{BLOCK_HEAD, BLOCK_MOST, Head, Kind, MAGIC, NO_CPU, VERSION};
use crate::{
    identity,
    model::{Block, Dump, Recording, plain},
    wire,
};

/// What is wrong with a dump file from some block on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Damage {
    /// Blocks before it that are whole.
    pub whole: usize,
    /// What is wrong.
    pub what: String,
}

impl fmt::Display for Damage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the dump is damaged behind {} whole blocks ({}); what stands before is shown", self.whole, self.what)
    }
}

/// Reads what a dump file says of itself; the records follow behind it.
pub fn header(file: &mut impl Read) -> Result<Dump> {
    let mut start = [0; MAGIC.len() + 2];
    let got = fill(file, &mut start).context("read the dump")?;
    ensure!(got == start.len() && start.starts_with(MAGIC), "this is not a traceloop dump");
    let version = u16::from_le_bytes([start[MAGIC.len()], start[MAGIC.len() + 1]]);
    if version > VERSION {
        bail!("the dump has format {version}, this traceloop reads up to {VERSION}: use a newer traceloop");
    }
    let header = match block(file) {
        Ok((head, data)) if head.kind == Kind::Header => data,
        Ok(_) => bail!("the dump does not begin with its header"),
        Err(what) => bail!("the dump's header is damaged: {what}"),
    };
    let mut dump: Dump = serde_json::from_slice(&header).context("understand the dump's header")?;
    // They come out in the middle of calls, where names are taken to be the kernel's.
    let others = dump.networks.iter_mut().flat_map(|network| network.interfaces.values_mut());
    dump.interfaces.values_mut().chain(others).chain(dump.generic_families.values_mut()).for_each(|name| {
        if let Cow::Owned(tame) = plain(name) {
            *name = tame;
        }
    });
    dump.stacks.iter_mut().chain(dump.modules.iter_mut().map(|module| &mut module.path)).for_each(|text| {
        if let Cow::Owned(tame) = plain(text) {
            *text = tame;
        }
    });
    identify(&mut dump);
    Ok(dump)
}

/// Whose calls a dump holds that knows only paths.
pub(super) fn identify(dump: &mut Dump) {
    if dump.identities.is_empty() {
        dump.identities = dump.cgroups.iter().map(|path| identity::of_path(path, 0)).collect();
    }
}

/// Reads a dump file. Without its header it is none; behind the header, damage ends the reading and is told.
pub fn read(file: impl Read) -> Result<(Recording, Option<Damage>)> {
    read_within(file, memory())
}

/// The same; no more than `most` bytes of records are unpacked.
fn read_within(mut file: impl Read, most: usize) -> Result<(Recording, Option<Damage>)> {
    let dump = header(&mut file)?;
    let mut left = most;
    let mut blocks: Vec<Block> = Vec::new();
    let mut whole = 1;
    let damage = loop {
        match block(&mut file) {
            Ok((head, mut data)) => match head.kind {
                Kind::Header => break Some("a second header".to_owned()),
                Kind::End => break None,
                Kind::Records if data.len() > left => {
                    break Some(format!("{} MiB of records are more than this machine has room for", most >> 20));
                }
                Kind::Records => {
                    left -= data.len();
                    let understood = wire::records(&data).map(|record| record.bytes().len()).sum();
                    let strange = data.len() > understood;
                    data.truncate(understood);
                    let cpu = (head.cpu != NO_CPU).then_some(head.cpu);
                    match blocks.last_mut() {
                        Some(last)
                            if (last.cpu, last.whose) == (cpu, head.whose)
                                && last.bytes.len() + data.len() < BLOCK_MOST =>
                        {
                            last.bytes.extend_from_slice(&data);
                        }
                        _ => blocks.push(Block { cpu, whose: head.whose, bytes: data }),
                    }
                    if strange {
                        break Some("a block with what is no record".to_owned());
                    }
                }
            },
            Err(what) => break Some(what),
        }
        whole += 1;
    };
    Ok((Recording { dump, blocks }, damage.map(|what| Damage { whole, what })))
}

/// How many bytes of records may be unpacked: half of the memory that is free, or more than any rings
/// hold where that cannot be told.
fn memory() -> usize {
    let told = fs::read_to_string("/proc/meminfo").ok().and_then(|text| {
        let line = text.lines().find_map(|line| line.strip_prefix("MemAvailable:"))?;
        line.trim().strip_suffix(" kB")?.parse::<usize>().ok()
    });
    told.map_or(1 << 30, |kib| kib.saturating_mul(1024) / 2)
}

/// The next block, unpacked; what is wrong with it otherwise.
fn block(file: &mut impl Read) -> Result<(Head, Vec<u8>), String> {
    let mut bytes = [0; BLOCK_HEAD];
    match fill(file, &mut bytes).map_err(|error| error.to_string())? {
        BLOCK_HEAD => {}
        0 => return Err("the end is missing".to_owned()),
        _ => return Err("cut inside a block's head".to_owned()),
    }
    let head = Head::parse(&bytes).ok_or("an unknown kind of block")?;
    let size = |claimed: u32| usize::try_from(claimed).ok().filter(|size| *size <= BLOCK_MOST + 1024);
    let (Some(plain), Some(packed)) = (size(head.plain), size(head.packed)) else {
        return Err("a block larger than any can be".to_owned());
    };
    let mut data = Vec::new();
    let got = file.take(packed as u64).read_to_end(&mut data).map_err(|error| error.to_string())?;
    if got < packed {
        return Err("cut inside a block".to_owned());
    }
    if head.bytes(&data) != bytes {
        return Err("a checksum does not match".to_owned());
    }
    let data = zstd::bulk::decompress(&data, plain).map_err(|error| format!("cannot unpack a block: {error}"))?;
    if data.len() != plain {
        return Err("a block of another size than it claims".to_owned());
    }
    Ok((head, data))
}

/// Reads until the buffer is full or the file ends.
fn fill(file: &mut impl Read, buffer: &mut [u8]) -> io::Result<usize> {
    let mut got = 0;
    while got < buffer.len() {
        match file.read(&mut buffer[got..]) {
            Ok(0) => break,
            Ok(more) => got += more,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(got)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::model::{Cause, Network};

    fn recording() -> Recording {
        let dump = Dump {
            traceloop: "0".into(),
            host: "h".into(),
            kernel: "k".into(),
            arch: "x86_64".into(),
            clock_offset: 1,
            taken: 2,
            began: 1,
            cgroups: vec!["/a".into()],
            cause: Cause::Exit,
            interfaces: [(1, "lo".to_owned())].into(),
            ..Dump::default()
        };
        let mut record = [0_u8; 56];
        record[4] = 56;
        record[6] = 7;
        Recording { dump, blocks: vec![Block { cpu: Some(1), whose: 0, bytes: record.repeat(3) }] }
    }

    fn written() -> Vec<u8> {
        let mut bytes = Vec::new();
        super::super::write(&mut bytes, &recording()).unwrap();
        bytes
    }

    #[test]
    fn what_is_written_is_read() {
        let (read, damage) = read(&written()[..]).unwrap();
        assert_eq!(read.blocks, recording().blocks);
        assert_eq!(damage, None);
    }

    #[test]
    fn whose_records_are_is_kept_where_there_are_several() {
        let mut several = recording();
        let other = Block { whose: 1, ..several.blocks[0].clone() };
        several.blocks.push(other);
        let mut bytes = Vec::new();
        super::super::write(&mut bytes, &several).unwrap();
        assert_eq!(read(&bytes[..]).unwrap().0.blocks, several.blocks);
        let version = |file: &[u8]| u16::from_le_bytes([file[MAGIC.len()], file[MAGIC.len() + 1]]);
        assert_eq!((version(&bytes), version(&written())), (2, 1));
    }

    fn end_block() -> usize {
        BLOCK_HEAD + zstd::bulk::compress(&[], 1).unwrap().len()
    }

    #[test]
    fn a_torn_file_gives_what_stands_before_the_tear() {
        let bytes = written();
        let (torn, damage) = read(&bytes[..bytes.len() - end_block()]).unwrap();
        assert_eq!(torn.blocks, recording().blocks);
        assert_eq!(damage.unwrap().what, "the end is missing".to_owned());
    }

    #[test]
    fn a_small_file_cannot_claim_all_memory() {
        let record = recording().blocks[0].bytes[..56].to_vec();
        let many =
            Recording { blocks: vec![Block { cpu: Some(1), whose: 0, bytes: record.repeat(1 << 17) }], ..recording() };
        let mut bytes = Vec::new();
        super::super::write(&mut bytes, &many).unwrap();
        assert!(bytes.len() < 100_000, "{}", bytes.len());
        let (read, damage) = read_within(&bytes[..], 3 << 20).unwrap();
        let unpacked: usize = read.blocks.iter().map(|block| block.bytes.len()).sum();
        assert!((2 << 20..=3 << 20).contains(&unpacked), "{unpacked}");
        assert!(damage.unwrap().what.contains("more than this machine has room for"));
    }

    #[test]
    fn what_is_no_record_ends_the_reading() {
        let whole = recording().blocks[0].bytes.clone();
        let bytes = super::super::write::raw(&recording().dump, &[&whole[..], &[0xff; 100]].concat());
        let (read, damage) = read(&bytes[..]).unwrap();
        assert_eq!(read.blocks[0].bytes, whole);
        assert_eq!(damage.unwrap().what, "a block with what is no record");
    }

    #[test]
    fn names_in_the_header_cannot_drive_a_terminal() {
        let mut hostile = recording();
        hostile.dump.interfaces = [(1, "\u{1b}[2J".to_owned())].into();
        hostile.dump.networks = vec![Network { interfaces: hostile.dump.interfaces.clone(), ..Network::default() }];
        let mut bytes = Vec::new();
        super::super::write(&mut bytes, &hostile).unwrap();
        let dump = read(&bytes[..]).unwrap().0.dump;
        assert_eq!(dump.interfaces[&1], "\\u{1b}[2J");
        assert_eq!(dump.networks[0].interfaces, dump.interfaces);
    }

    proptest! {
        #[test]
        fn no_change_of_a_byte_makes_the_reader_panic(at in 0_usize..400, byte: u8) {
            let mut bytes = written();
            let at = at % bytes.len();
            bytes[at] ^= byte;
            let _ = read(&bytes[..]);
        }

        #[test]
        fn no_garbage_makes_the_reader_panic(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
            let mut file = MAGIC.to_vec();
            file.extend(VERSION.to_le_bytes());
            file.extend(bytes);
            prop_assert!(read(&file[..]).is_err());
        }
    }
}
