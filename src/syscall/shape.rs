//! The structures that arguments point to: how large each is in a 64-bit and a 32-bit ABI, and which
//! part of it is worth keeping.

/// What a pointer points to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs, reason = "each is named after the kernel's structure")]
pub enum Shape {
    /// Data: shown as a string, cut at the string limit.
    Bytes,
    /// A path that is returned: not NUL-terminated (readlink), never cut.
    PathBytes,
    /// A NUL-terminated path that is returned (getcwd).
    PathString,
    Int32,
    Uint32,
    Hex32Cell,
    Uint64,
    Hex64,
    LongCell,
    Word,
    SizeCell,
    Off64,
    AddrCell,
    FdCell,
    FdPair,
    IdCell,
    PidCell,
    Stat,
    Statx,
    Statfs,
    Timespec,
    TimespecPair,
    Timeval,
    TimevalPair,
    Timezone,
    Itimerval,
    Itimerspec,
    TimeCell,
    Utimbuf,
    Tms,
    Rlimit,
    Rlimit64,
    Rusage,
    SigAction,
    SigSet,
    SigStack,
    SigInfo,
    PollFd,
    EpollEvent,
    FdSet,
    Iovec,
    Message,
    Messages,
    Sockaddr,
    SockOpt,
    WaitStatus,
    Utsname,
    Sysinfo,
    CloneArgs,
    OpenHow,
    Flock,
    SchedParam,
    CpuSet,
    Dirents,
    DirentsOld,
    RobustList,
    Rseq,
    SigFrame,
}

impl Shape {
    /// Bytes of one, where a long has `word` bytes.
    pub fn size(self, word: usize) -> usize {
        let wide = |wide, narrow| if word == 8 { wide } else { narrow };
        match self {
            Self::Bytes | Self::PathBytes | Self::PathString | Self::FdSet | Self::CpuSet => 1,
            Self::Sockaddr | Self::SockOpt | Self::CloneArgs | Self::OpenHow => 1,
            Self::Int32 | Self::Uint32 | Self::Hex32Cell | Self::FdCell | Self::IdCell | Self::PidCell => 4,
            Self::WaitStatus | Self::SchedParam => 4,
            Self::Uint64 | Self::Hex64 | Self::Off64 | Self::FdPair | Self::PollFd => 8,
            Self::LongCell | Self::Word | Self::SizeCell | Self::AddrCell | Self::TimeCell => word,
            Self::SigSet | Self::SigFrame => 8,
            Self::Stat => wide(144, 64),
            Self::Statx => 256,
            Self::Statfs => wide(120, 64),
            Self::Timespec | Self::Timeval | Self::Utimbuf => 2 * word,
            Self::Timezone => 8,
            Self::TimespecPair | Self::TimevalPair | Self::Itimerval | Self::Itimerspec | Self::Tms => 4 * word,
            Self::Rlimit => 2 * word,
            Self::Rlimit64 => 16,
            Self::Rusage => wide(144, 72),
            Self::SigAction => wide(32, 20),
            Self::SigStack => wide(24, 12),
            Self::SigInfo => 128,
            Self::EpollEvent => 12,
            Self::Iovec => 2 * word,
            Self::Message => wide(56, 28),
            Self::Messages => wide(64, 32),
            Self::Utsname => 390,
            Self::Sysinfo => wide(112, 64),
            Self::Flock => wide(32, 16),
            Self::Dirents | Self::DirentsOld => 1,
            Self::RobustList => 3 * word,
            Self::Rseq => 32,
        }
    }

    /// Which bytes of one are captured when its unabbreviated form is not asked for: (offset, length).
    pub fn kept(self, word: usize) -> (usize, usize) {
        match (self, word) {
            // st_mode to st_size.
            (Self::Stat, 8) => (24, 32),
            // stx_mask to stx_size.
            (Self::Statx, _) => (0, 48),
            // ru_utime and ru_stime.
            (Self::Rusage, word) => (0, 4 * word),
            _ => (0, self.size(word)),
        }
    }

    /// Whether it is data, shown as a string.
    pub fn is_data(self) -> bool {
        self == Self::Bytes
    }
}
