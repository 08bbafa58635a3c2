//! Times, intervals and timers.

use super::{date, memory::Memory, text::Text};

fn pair(text: &mut Text<'_>, memory: &mut Memory<'_>, fraction: &str) {
    let (seconds, part) = (memory.long(), memory.word());
    // A negative fraction is shown as the large number that its bits are in 64 bits.
    text.braced(|text| {
        text.field("tv_sec").signed(seconds);
        text.field(fraction).unsigned(part);
    });
}

/// struct timespec.
pub(super) fn timespec(text: &mut Text<'_>, memory: &mut Memory<'_>) {
    pair(text, memory, "tv_nsec");
}

/// struct timespec of 64-bit numbers, whatever the ABI.
pub(super) fn timespec64(text: &mut Text<'_>, memory: &mut Memory<'_>) {
    let (seconds, part) = (memory.i64(), memory.u64());
    text.braced(|text| {
        text.field("tv_sec").signed(seconds);
        text.field("tv_nsec").unsigned(part);
    });
}

/// struct itimerspec of 64-bit numbers, whatever the ABI.
pub(super) fn itimerspec64(text: &mut Text<'_>, memory: &mut Memory<'_>) {
    text.braced(|text| {
        timespec64(text.field("it_interval"), memory);
        timespec64(text.field("it_value"), memory);
    });
}

/// struct timeval.
pub(super) fn timeval(text: &mut Text<'_>, memory: &mut Memory<'_>) {
    pair(text, memory, "tv_usec");
}

/// utimensat's two times, of which each may be a command.
pub(super) fn timespec_pair(text: &mut Text<'_>, memory: &mut Memory<'_>) {
    commands(text, memory, Memory::long);
}

/// The same, 64 bits wide.
pub(super) fn timespec_pair64(text: &mut Text<'_>, memory: &mut Memory<'_>) {
    commands(text, memory, Memory::i64);
}

fn commands<'a>(text: &mut Text<'_>, memory: &mut Memory<'a>, number: fn(&mut Memory<'a>) -> i64) {
    text.array(2, |text, _| {
        let (seconds, part) = (number(memory), number(memory));
        let plain = |text: &mut Text<'_>| {
            text.braced(|text| {
                text.field("tv_sec").signed(seconds);
                text.field("tv_nsec").unsigned(part.cast_unsigned());
            });
        };
        match part {
            libc::UTIME_NOW => text.either(plain, |text| text.push("UTIME_NOW")),
            libc::UTIME_OMIT => text.either(plain, |text| text.push("UTIME_OMIT")),
            _ => {
                plain(text);
                date::comment(text, seconds, part.cast_unsigned(), 9);
            }
        }
    });
}

/// utimes' two times.
pub(super) fn timeval_pair(text: &mut Text<'_>, memory: &mut Memory<'_>) {
    text.array(2, |text, _| {
        let (seconds, part) = (memory.long(), memory.long().cast_unsigned());
        text.braced(|text| {
            text.field("tv_sec").signed(seconds);
            text.field("tv_usec").unsigned(part);
        });
        date::comment(text, seconds, part, 6);
    });
}

/// struct timezone.
pub(super) fn timezone(text: &mut Text<'_>, memory: &mut Memory<'_>) {
    let (west, dst) = (memory.i32(), memory.i32());
    text.braced(|text| {
        text.field("tz_minuteswest").signed(west);
        text.field("tz_dsttime").signed(dst);
    });
}

/// struct itimerval.
pub(super) fn itimerval(text: &mut Text<'_>, memory: &mut Memory<'_>) {
    text.braced(|text| {
        timeval(text.field("it_interval"), memory);
        timeval(text.field("it_value"), memory);
    });
}

/// struct itimerspec.
pub(super) fn itimerspec(text: &mut Text<'_>, memory: &mut Memory<'_>) {
    text.braced(|text| {
        timespec(text.field("it_interval"), memory);
        timespec(text.field("it_value"), memory);
    });
}

/// struct utimbuf.
pub(super) fn utimbuf(text: &mut Text<'_>, memory: &mut Memory<'_>) {
    let (access, change) = (memory.long(), memory.long());
    text.braced(|text| {
        text.field("actime").signed(access);
        date::comment(text, access, 0, 0);
        text.field("modtime").signed(change);
        date::comment(text, change, 0, 0);
    });
}

/// struct tms.
pub(super) fn tms(text: &mut Text<'_>, memory: &mut Memory<'_>) {
    text.braced(|text| {
        for name in ["tms_utime", "tms_stime", "tms_cutime", "tms_cstime"] {
            text.field(name).ticks(memory.word());
        }
    });
}
