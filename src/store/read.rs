//! Reading a dump file, whole or torn.
//!
//! A file that can be sought in is looked through by the heads of its blocks (`open`): records stay on the disk until
//! somebody unpacks them. Of older versions, whose heads say nothing of the records, and of pipes, all blocks are read,
//! and kept packed (`read`). A block that turns out to be damaged when it is unpacked is told then; what ends the
//! looking through is told at once.

use std::{
    borrow::Cow,
    fmt,
    fs::{self, File},
    io::{self, BufReader, Read, Seek},
    os::unix::fs::FileExt,
    sync::Arc,
};

use anyhow::{Context, Result, anyhow, bail, ensure};

use super::format::{
    BARE_HEAD, BLOCK_HEAD, END_MOST, Head, Kind, MAGIC, VERSION, VERSION_OF_BARE_HEADS, bare_sum_fits,
};
use super::sealed::{Sealed, is_beginning};
use crate::{
    identity,
    model::{Block, Body, Dump, Recording, Stored, plain},
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

/// Whether a file begins as a dump file does.
pub fn is_dump(mut file: impl Read) -> bool {
    let mut start = [0; MAGIC.len()];
    fill(&mut file, &mut start).is_ok_and(|got| got == start.len()) && start == *MAGIC
}

/// Reads what a dump file says of itself; the records follow behind it.
pub fn header(file: &mut impl Read) -> Result<Dump> {
    start(file).map(|(_, dump)| dump)
}

/// The file's version, and what it says of itself.
fn start(file: &mut impl Read) -> Result<(u16, Dump)> {
    let mut start = [0; MAGIC.len() + 2];
    let got = fill(file, &mut start).context("read the dump")?;
    if is_beginning(&start[..got]) {
        return Err(Sealed.into());
    }
    ensure!(got == start.len() && start.starts_with(MAGIC), "this is not a traceloop dump");
    let version = u16::from_le_bytes([start[MAGIC.len()], start[MAGIC.len() + 1]]);
    if version > VERSION {
        bail!("the dump has format {version}, this traceloop reads up to {VERSION}: use a newer traceloop");
    }
    let header = match next(file, version) {
        Ok((Kind::Header, block)) => {
            block.plain().map(Cow::into_owned).map_err(|what| anyhow!("the dump's header is damaged: {what}"))?
        }
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
    Ok((version, dump))
}

/// Whose calls a dump holds that knows only paths.
pub(super) fn identify(dump: &mut Dump) {
    if dump.identities.is_empty() {
        dump.identities = dump.cgroups.iter().map(|path| identity::of_path(path, 0)).collect();
    }
}

/// Reads a dump file from its beginning to its end. Without its header it is none; behind the header, damage ends the
/// reading and is told.
pub fn read(file: impl Read) -> Result<(Recording, Option<Damage>)> {
    read_within(file, memory())
}

/// The same; no more than `most` bytes of records are taken.
fn read_within(mut file: impl Read, most: usize) -> Result<(Recording, Option<Damage>)> {
    let (version, dump) = start(&mut file)?;
    let read = gather(most, || next(&mut file, version));
    Ok((Recording { dump, blocks: read.0 }, read.1))
}

/// Looks through a dump file: the records of its blocks stay where they are. What cannot be looked through is read.
pub fn open(file: File) -> Result<(Recording, Option<Damage>)> {
    let mut reader = BufReader::new(file);
    let (version, dump) = start(&mut reader)?;
    let (blocks, damage) = match reader.stream_position() {
        Ok(at) if version > VERSION_OF_BARE_HEADS => {
            let file = Arc::new(reader.into_inner());
            let length = file.metadata().context("read the dump")?.len();
            let mut at = at;
            gather(usize::MAX, || look(&file, length, &mut at))
        }
        _ => gather(memory(), || next(&mut reader, version)),
    };
    Ok((Recording { dump, blocks }, damage))
}

/// The blocks up to the end mark or some damage; no more than `most` bytes of records.
fn gather(most: usize, mut next: impl FnMut() -> Result<(Kind, Block), String>) -> (Vec<Block>, Option<Damage>) {
    let mut blocks: Vec<Block> = Vec::new();
    let mut left = most;
    let mut whole = 1;
    let what = loop {
        let block = match next() {
            Ok((Kind::Header, _)) => break Some("a second header".to_owned()),
            Ok((Kind::End, _)) => break None,
            Ok((Kind::Records, block)) => block,
            Err(what) => break Some(what),
        };
        let length = block.plain_length();
        if length > left {
            break Some(format!("{} MiB of records are more than this machine has room for", most >> 20));
        }
        left -= length;
        match looked_into(block) {
            Ok((block, true)) => {
                blocks.push(block);
                break Some("a block with what is no record".to_owned());
            }
            Ok((block, false)) => blocks.push(block),
            Err(what) => break Some(what),
        }
        whole += 1;
    };
    (blocks, what.map(|what| Damage { whole, what }))
}

/// The block with what an older head did not say of it, and whether something in it is no record.
fn looked_into(block: Block) -> Result<(Block, bool), String> {
    if block.records > 0 || !matches!(block.body, Body::Packed { .. }) {
        return Ok((block, false));
    }
    let told = |error: io::Error| error.to_string();
    let bytes = block.plain().map_err(told)?.into_owned();
    let length = bytes.len();
    let known = Block::of(block.cpu, block.whose, bytes);
    let strange = known.plain_length() < length;
    let body = if strange { known.body } else { block.body };
    Ok((Block { body, thinned: block.thinned, ..known }, strange))
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

/// The next block, as it is; what is wrong with it otherwise.
fn next(file: &mut impl Read, version: u16) -> Result<(Kind, Block), String> {
    let mut bytes = [0; BLOCK_HEAD];
    let bare = version <= VERSION_OF_BARE_HEADS;
    let bytes = &mut bytes[..if bare { BARE_HEAD } else { BLOCK_HEAD }];
    let got = fill(file, bytes).map_err(|error| error.to_string())?;
    let head = head(&bytes[..got], bytes.len())?;
    let mut data = Vec::new();
    let got = file.take(head.packed.into()).read_to_end(&mut data).map_err(|error| error.to_string())?;
    if got as u64 != u64::from(head.packed) {
        return Err("cut inside a block".to_owned());
    }
    let fits = match (head.sum, bytes.first_chunk()) {
        (Some(sum), _) => sum == crc32c::crc32c(&data),
        (None, Some(bytes)) => bare_sum_fits(bytes, &data),
        (None, None) => false,
    };
    if !fits {
        return Err("a checksum does not match".to_owned());
    }
    Ok((head.kind, Block { body: Body::Packed { plain: head.plain, bytes: data.into() }, ..head.about }))
}

/// The block whose head stands at `at`, which is then the place of the next; its data are not read.
fn look(file: &Arc<File>, length: u64, at: &mut u64) -> Result<(Kind, Block), String> {
    let mut bytes = [0; BLOCK_HEAD];
    let left = length.saturating_sub(*at);
    let whole = usize::try_from(left).map_or(BLOCK_HEAD, |left| left.min(BLOCK_HEAD));
    file.read_exact_at(&mut bytes[..whole], *at).map_err(|error| error.to_string())?;
    let head = head(&bytes[..whole], BLOCK_HEAD)?;
    let from = *at + BLOCK_HEAD as u64;
    if left - (BLOCK_HEAD as u64) < u64::from(head.packed) {
        return Err("cut inside a block".to_owned());
    }
    *at = from + u64::from(head.packed);
    let body = Body::Stored(Stored {
        place: file.clone(),
        at: from,
        packed: head.packed,
        plain: head.plain,
        sum: head.sum.unwrap_or(0),
    });
    Ok((head.kind, Block { body, ..head.about }))
}

/// The head that these bytes are, of so many that it has when it is whole.
fn head(bytes: &[u8], whole: usize) -> Result<Head, String> {
    match bytes.len() {
        0 => return Err("the end is missing".to_owned()),
        length if length < whole => return Err("cut inside a block's head".to_owned()),
        _ => {}
    }
    let head = match (bytes.first_chunk(), bytes.first_chunk()) {
        (Some(bytes), _) => Head::parse(bytes),
        (None, Some(bytes)) => Head::parse_bare(bytes),
        (None, None) => None,
    };
    let head = head.ok_or("an unknown kind of block")?;
    let most = Block::PLAIN_MOST as u64;
    if u64::from(head.plain) > most || u64::from(head.packed) > most + END_MOST as u64 {
        return Err("a block larger than any can be".to_owned());
    }
    Ok(head)
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
        Recording { dump, blocks: vec![Block::of(Some(1), 0, record.repeat(3))] }
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
    }

    /// A file as older versions wrote it, of blocks of these kinds with these data.
    fn older(version: u16, blocks: &[(u8, Vec<u8>)]) -> Vec<u8> {
        let mut file = [&MAGIC[..], &version.to_le_bytes()].concat();
        for (kind, data) in blocks {
            let packed = zstd::bulk::compress(data, 1).unwrap();
            let mut head = vec![*kind, 0, 0, 0];
            [1, data.len(), packed.len()]
                .iter()
                .for_each(|word| head.extend(u32::try_from(*word).unwrap().to_le_bytes()));
            let sum = crc32c::crc32c_append(crc32c::crc32c(&head), &packed);
            file.extend([&head[..], &sum.to_le_bytes(), &packed].concat());
        }
        file
    }

    #[test]
    fn older_versions_are_read_and_known_by_their_records() {
        let header = serde_json::to_vec(&recording().dump).unwrap();
        let records = recording().blocks[0].plain().unwrap().into_owned();
        for version in [1, 2] {
            let bytes = older(version, &[(1, header.clone()), (2, records.clone()), (3, Vec::new())]);
            let (read, damage) = read(&bytes[..]).unwrap();
            assert_eq!((&read.blocks, damage), (&recording().blocks, None));
            assert_eq!(read.blocks[0].about().seen, recording().blocks[0].seen);
        }
    }

    #[test]
    fn a_file_is_looked_through_without_its_records() {
        let mut file = tempfile::tempfile().unwrap();
        let mut damaged = written();
        let end = damaged.len() - end_block();
        // In the packed records.
        damaged[end - 1] ^= 1;
        io::Write::write_all(&mut file, &damaged).unwrap();
        io::Seek::rewind(&mut file).unwrap();
        let (looked, damage) = open(file).unwrap();
        assert_eq!((looked.blocks.len(), damage), (1, None));
        assert_eq!(looked.blocks[0].records, 3);
        assert!(looked.blocks[0].plain().unwrap_err().to_string().contains("checksum"));
        assert!(read(&damaged[..]).unwrap().1.unwrap().what.contains("checksum"));
    }

    fn end_block() -> usize {
        BLOCK_HEAD + zstd::bulk::compress(&[], Block::LEVEL).unwrap().len()
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
        let record = recording().blocks[0].plain().unwrap()[..56].to_vec();
        let many = Recording { blocks: vec![Block::of(Some(1), 0, record.repeat(1 << 17))], ..recording() };
        let mut bytes = Vec::new();
        super::super::write(&mut bytes, &many).unwrap();
        assert!(bytes.len() < 100_000, "{}", bytes.len());
        let (read, damage) = read_within(&bytes[..], 3 << 20).unwrap();
        let unpacked: usize = read.blocks.iter().map(|block| block.plain_length()).sum();
        assert!((2 << 20..=3 << 20).contains(&unpacked), "{unpacked}");
        assert!(damage.unwrap().what.contains("more than this machine has room for"));
    }

    #[test]
    fn what_is_no_record_ends_the_reading() {
        let whole = recording().blocks[0].plain().unwrap().into_owned();
        let header = serde_json::to_vec(&recording().dump).unwrap();
        let bytes = older(1, &[(1, header), (2, [&whole[..], &[0xff; 100]].concat())]);
        let (read, damage) = read(&bytes[..]).unwrap();
        assert_eq!(read.blocks[0].plain().unwrap(), whole);
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
