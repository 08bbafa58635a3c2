//! Which calls are worth the most: what a history keeps longest, summed up by number for the kernel side.

/// Which of a number's calls are kept; none of it: none are. One of these is enough.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Kept {
    /// All of them.
    pub always: bool,
    /// Those that failed, other than with "not yet" and "again".
    pub failed: bool,
    /// That its time is over is no failure.
    pub timed: bool,
    /// Those that lasted at least so many nanoseconds.
    pub least: Option<u64>,
    /// Those that open a file to write to it: the argument that has the flags.
    pub flags: Option<u8>,
}
