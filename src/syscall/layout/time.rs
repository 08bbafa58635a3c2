//! Structures of clocks.

use super::{Field::*, layouts};
use crate::syscall::words::time as words;

layouts! {
    /// struct timex with longs.
    pub TIMEX {
        modes: Flags32(&words::ADJTIMEX), offset: Long, freq: Long, maxerror: Long, esterror: Long,
        status: Flags32(&words::ADJTIMEX_STATUS), constant: Long, precision: Long, tolerance: Long, time: Inner(&TIMEX_TIME),
        tick: Long, ppsfreq: Long, jitter: Long, shift: I32, stabil: Long, jitcnt: Long, calcnt: Long, errcnt: Long,
        stbcnt: Long, tai: I32, unused: Pad(44),
    }
    /// Its time: a fraction in microseconds, or nanoseconds with STA_NANO.
    pub TIMEX_TIME { tv_sec: Long, tv_usec: Word }
    /// struct timex with 64-bit numbers in every ABI: clock_adjtime64's.
    pub TIMEX64 {
        modes: Flags32(&words::ADJTIMEX), gap1: Pad(4), offset: I64, freq: I64, maxerror: I64, esterror: I64,
        status: Flags32(&words::ADJTIMEX_STATUS), gap2: Pad(4), constant: I64, precision: I64, tolerance: I64,
        time: Inner(&TIMEX64_TIME), tick: I64, ppsfreq: I64, jitter: I64, shift: I32, gap3: Pad(4), stabil: I64, jitcnt: I64,
        calcnt: I64, errcnt: I64, stbcnt: I64, tai: I32, unused: Pad(44),
    }
    /// Its time.
    pub TIMEX64_TIME { tv_sec: I64, tv_usec: U64 }
}
