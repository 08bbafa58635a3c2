//! A dump file of any bytes is read, or refused with a word, and nothing else.
//!
//! Where the first byte is even, the rest is the file. Where it is odd, the rest is what stands in its blocks,
//! which get heads, packing and sums that fit: checksums would keep a fuzzer out for ever.

use traceloop::store;

/// Reads a file.
pub(crate) fn check(data: &[u8]) {
    let Some((first, rest)) = data.split_first() else { return };
    let made;
    let file = if first % 2 == 0 {
        rest
    } else {
        made = sealed(rest);
        &made
    };
    let header = store::header(&mut &*file);
    match store::read(file) {
        Ok((recording, damage)) => {
            assert!(header.is_ok(), "the whole can be read, and its header cannot");
            // What was understood can be stored and read again, and is then whole.
            let mut again = Vec::new();
            store::write(&mut again, &recording).expect("write what was read");
            let (back, second) = store::read(&again[..]).expect("read what was written");
            assert!(second.is_none(), "{damage:?} became {second:?}");
            let bytes = |recording: &traceloop::model::Recording| -> usize {
                recording.blocks.iter().map(|block| block.plain_length()).sum()
            };
            assert_eq!(bytes(&recording), bytes(&back));
        }
        Err(error) => assert!(!format!("{error:#}").is_empty()),
    }
}

/// A file whose blocks are right, whatever they hold: kind, how it is packed, length, data ...
fn sealed(mut rest: &[u8]) -> Vec<u8> {
    let mut file = b"traceloop\0\x01\0".to_vec();
    while let Some((&[kind, packing, low, high], behind)) = rest.split_first_chunk::<4>() {
        let length = usize::from(u16::from_le_bytes([low, high])).min(behind.len());
        let (data, behind) = behind.split_at(length);
        rest = behind;
        let packed = if packing % 4 == 3 { data.to_vec() } else { zstd::bulk::compress(data, 1).expect("pack") };
        // Now and then a length that is not true.
        let plain = if packing % 8 == 7 { u32::MAX } else { u32::try_from(data.len()).unwrap_or(u32::MAX) };
        let mut head = vec![kind % 5, 0, 0, 0];
        head.extend(u32::from(packing / 8).to_le_bytes());
        head.extend(plain.to_le_bytes());
        head.extend(u32::try_from(packed.len()).unwrap_or(u32::MAX).to_le_bytes());
        let sum = crc32c::crc32c_append(crc32c::crc32c(&head), &packed);
        head.extend(sum.to_le_bytes());
        file.extend(head);
        file.extend(packed);
    }
    file
}
