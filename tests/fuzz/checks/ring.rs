//! A ring's bytes, whatever they are, are walked to an end; what comes out lies in them.
//!
//! The first two bytes say how many of the others are known to be whole.

use traceloop::{ring::Snapshot, wire};

/// Walks a ring.
pub(crate) fn check(data: &[u8]) {
    let Some((&[low, high], bytes)) = data.split_first_chunk::<2>() else { return };
    let intact = usize::from(u16::from_le_bytes([low, high]));
    let snapshot = Snapshot::of_bytes(0, bytes.to_vec(), intact);
    let mut total = 0;
    for sample in snapshot.samples() {
        total += sample.len() + 8;
        // A sample begins with the four bytes of its length, which are the first record's lead.
        for record in wire::records(sample) {
            assert!(record.bytes().len() <= sample.len());
            if let Some(call) = record.call() {
                let told: usize = call.pieces().map(|piece| piece.bytes.map_or(0, <[u8]>::len)).sum();
                assert!(told <= record.bytes().len());
            }
            if let Some(file) = record.file() {
                assert!(file.names().count() <= record.bytes().len());
            }
            let _ =
                (record.cgroup(), record.signal().map(|signal| signal.comm()), record.task().map(|task| task.code()));
        }
    }
    assert!(total <= bytes.len().min(intact));
}
