//! Which capabilities the kernel looked for in a call that it then refused, and did not find.
//!
//! That is what the record says, and no more: the kernel may have refused the call for another reason, and a process in a
//! user namespace may have the capability there while it was looked for outside. Where the kernel looks in passing, whether
//! it may lend more memory than there is, the record cannot tell that from a real question on every kernel: it is left out
//! for the calls in which it does so.

use std::borrow::Cow;

use super::raw::Raw;
use crate::{
    syscall::{Class, words::prctl::CAPS},
    wire::Part,
};

/// What is looked for where memory is taken, beside the calls of the class memory.
const LENDS: u64 = 21;
const TAKE_MEMORY: [&str; 6] = ["execve", "execveat", "fork", "vfork", "clone", "clone3"];

/// Their names, by their numbers.
pub(super) fn of(raw: &Raw<'_>) -> Vec<Cow<'static, str>> {
    let bytes = raw.piece(0, Part::PART_DENIED).and_then(|bytes| bytes.first_chunk::<8>());
    let Some(mut denied) = bytes.map(|bytes| u64::from_ne_bytes(*bytes)) else { return Vec::new() };
    let takes_memory = raw.row.is_some_and(|row| row.classes.contains(&Class::Memory))
        || raw.name().is_some_and(|name| TAKE_MEMORY.contains(&name));
    if takes_memory {
        denied &= !(1 << LENDS);
    }
    let name = |number| CAPS.word(number).map_or_else(|| format!("CAP_{number}").into(), Cow::Borrowed);
    (0..64).filter(|number| denied >> number & 1 == 1).map(name).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        decode::style::Style,
        wire::{self, Piece, Record, inflight},
    };

    #[test]
    fn bits_are_names_and_what_is_asked_in_passing_is_left_out() {
        let style = Style { arch: "x86_64".into(), ..Style::default() };
        let names = |nr, denied: Option<u64>| {
            let piece = denied.map(|denied| (0, Part::PART_DENIED, Ok(denied.to_ne_bytes().to_vec())));
            let bytes = wire::in_flight_record(&inflight { nr, ..inflight::default() }, 3, piece.as_slice());
            let call = Record::parse(&bytes).unwrap().call().unwrap();
            let pieces: Vec<Piece<'_>> = call.pieces().collect();
            of(&Raw::new(&style, call, call.args(), Some(-1), &pieces)).join(" ")
        };
        let (mmap, bind, clone, mount) = (9, 49, 56, 165);
        assert_eq!(names(bind, None), "");
        assert_eq!(names(bind, Some(1 << 10)), "CAP_NET_BIND_SERVICE");
        assert_eq!(names(bind, Some(1 << 38 | 1 << 21 | 1 << 63)), "CAP_SYS_ADMIN CAP_PERFMON CAP_63");
        assert_eq!(names(mount, Some(1 << 21)), "CAP_SYS_ADMIN");
        assert_eq!(names(mmap, Some(1 << 21 | 1 << 14)), "CAP_IPC_LOCK");
        assert_eq!(names(clone, Some(1 << 21)), "");
    }
}
