//! Where in the program a call was made, as its record has it: numbers, which are named when they are shown.

use crate::{
    model::{Frame, Stack, plain},
    wire::{Place, StackRecord},
};

/// The stack that a record tells.
pub(super) fn decode(record: &StackRecord<'_>) -> Stack {
    let mut frames: Vec<Frame> = record.frames().map(|place| frame(place, false)).collect();
    if let Some(caller) = record.caller()
        && !frames.is_empty()
    {
        frames.insert(1, frame(caller, true));
    }
    let kernel = String::from_utf8_lossy(record.kernel());
    let kernel = kernel.lines().map(|line| plain(line.trim_start_matches("[<0>] ")).into());
    Stack { kernel: kernel.collect(), frames, cut: record.is_cut(), ends: false }
}

fn frame(place: Place, likely: bool) -> Frame {
    let (module, at) = match place {
        Place::Module(number, offset) => (Some(number), offset),
        Place::Address(address) => (None, address),
    };
    Frame { module, at, likely, file: None, symbol: None }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::{Record, stack_record};

    #[test]
    fn what_is_put_together_is_taken_apart() {
        let frames = [Place::Module(3, 0x1193), Place::Address(0x7fff_1000), Place::Module(0x6001, 5)];
        let bytes = stack_record(7, 100, &frames, None, b"[<0>] do_nanosleep+0x6e/0x130\n[<0>] a\x1bb");
        let record = Record::parse(&bytes).unwrap();
        assert_eq!((record.tid(), record.time()), (7, 100));
        let stack = decode(&record.stack().unwrap());
        let places: Vec<_> = stack.frames.iter().map(|frame| (frame.module, frame.at)).collect();
        assert_eq!(places, [(Some(3), 0x1193), (None, 0x7fff_1000), (Some(0x6001), 5)]);
        assert_eq!(&*stack.kernel[0], "do_nanosleep+0x6e/0x130");
        assert!(!stack.kernel[1].contains('\u{1b}') && !stack.cut);
    }

    #[test]
    fn a_record_that_claims_more_than_it_has_is_taken_as_far_as_it_goes() {
        let mut bytes = stack_record(7, 100, &[Place::Address(1)], None, b"");
        bytes[20..24].copy_from_slice(&[0xff; 4]);
        let stack = decode(&Record::parse(&bytes).unwrap().stack().unwrap());
        assert_eq!((stack.frames.len(), stack.kernel.len()), (1, 0));
    }
}
