//! Reading a dump file, whole or torn.

use std::{
    fmt,
    io::{self, Read},
};

use anyhow::{Context, Result, bail, ensure};

use super::format::{BLOCK_HEAD, BLOCK_MOST, Head, Kind, MAGIC, NO_CPU, VERSION};
use crate::model::{Block, Dump, Recording};

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
    serde_json::from_slice(&header).context("understand the dump's header")
}

/// Reads a dump file. Without its header it is none; behind the header, damage ends the reading and is told.
pub fn read(mut file: impl Read) -> Result<(Recording, Option<Damage>)> {
    let dump = header(&mut file)?;
    let mut blocks: Vec<Block> = Vec::new();
    let mut whole = 1;
    let damage = loop {
        match block(&mut file) {
            Ok((head, data)) => match head.kind {
                Kind::Header => break Some("a second header".to_owned()),
                Kind::End => break None,
                Kind::Records => {
                    let cpu = (head.cpu != NO_CPU).then_some(head.cpu);
                    match blocks.last_mut() {
                        Some(last) if last.cpu == cpu && last.bytes.len() + data.len() < BLOCK_MOST => {
                            last.bytes.extend_from_slice(&data);
                        }
                        _ => blocks.push(Block { cpu, bytes: data }),
                    }
                }
            },
            Err(what) => break Some(what),
        }
        whole += 1;
    };
    Ok((Recording { dump, blocks }, damage.map(|what| Damage { whole, what })))
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
    use crate::model::Cause;

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
        Recording { dump, blocks: vec![Block { cpu: Some(1), bytes: record.repeat(3) }] }
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
