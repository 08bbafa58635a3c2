//! Whether the kernel side runs: a call of our own that it counts, see bpf/own.h.
//!
//! It costs a system call of a microsecond, and shows that the programs of both ends of calls are attached and run,
//! whether or not this process is recorded.

use std::{
    hash::{BuildHasher, RandomState},
    thread,
};

use anyhow::{Context, Result};
use libbpf_rs::{MapCore, MapFlags};

use super::{Kernel, WHEN_FIRST, mapped::Mapped, row::row};
use crate::skel::types::own_calls;

/// One may be left out where a program is running on that CPU already.
const TRIES: u32 = 20;

/// Our own calls, as the kernel side counts them.
#[derive(Debug)]
pub(super) struct OwnCalls {
    counted: Mapped<own_calls>,
    token: u64,
}

/// What the kernel side saw of a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Seen {
    /// Its start and its end.
    Whole,
    /// Its start alone.
    Start,
    /// Its end alone, or nothing.
    Nothing,
}

impl OwnCalls {
    /// From now on calls that bear this process's token are counted.
    pub(super) fn of(map: &impl MapCore) -> Result<Self> {
        let token = RandomState::new().hash_one(std::process::id()) | 1;
        let row = row::<own_calls>(&[(std::mem::offset_of!(own_calls, token), &token.to_ne_bytes())]);
        map.update(&WHEN_FIRST, &row, MapFlags::ANY).context("tell the token of our own calls")?;
        Ok(Self { counted: Mapped::of_map(map.as_fd(), map.max_entries())?, token })
    }

    fn look(&self) -> Seen {
        let before = self.counted.get(0);
        // No process has this number.
        // SAFETY: getpgid takes no pointers, and the kernel does not look at what stands behind its argument.
        unsafe { libc::syscall(libc::SYS_getpgid, -1, self.token) };
        let after = self.counted.get(0);
        match (after.begun != before.begun, after.ended != before.ended) {
            (true, true) => Seen::Whole,
            (true, false) => Seen::Start,
            (false, _) => Seen::Nothing,
        }
    }
}

impl Kernel {
    /// Makes a call, and says what was seen of it.
    pub fn own_call(&self) -> Seen {
        let mut seen = Seen::Nothing;
        for _ in 0..TRIES {
            seen = self.own_calls.look();
            if seen == Seen::Whole {
                break;
            }
            thread::yield_now();
        }
        seen
    }
}
