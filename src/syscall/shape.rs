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
    /// The same of calls whose times are 64 bits wide in every ABI.
    TimespecPair64,
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
    /// Data that is shown as hexadecimal escapes.
    HexBytes,
    /// An extended attribute's value: a NUL at its end is not shown.
    XattrValue,
    /// i386's struct stat64.
    Stat64,
    /// The first struct stat of all.
    OldStat,
    /// i386's struct statfs64.
    Statfs64,
    /// struct flock of F_GETLK: its pid is told.
    FlockGet,
    /// struct flock64.
    Flock64,
    /// struct flock64 of F_GETLK64.
    Flock64Get,
    OwnerEx,
    /// An iovec whose buffers are not looked at.
    Span,
    MountAttr,
    FileHandle,
    /// Words of a set of memory nodes.
    NodeWords,
    /// mincore's answer for a page.
    Residency,
    /// move_pages' answer for a page.
    PageStatus,
    PolicyCell,
    /// readdir's one entry.
    OldDirent,
    /// i386's mmap: its arguments in memory.
    MmapArgs,
    QuotaFormat,
    Dqblk,
    NextDqblk,
    Dqinfo,
    XfsDiskQuota,
    XfsQuotaStat,
    XfsQuotaStatv,
    XfsQuotaFlags,
    XfsQuotaKinds,
    Termios,
    Termios2,
    Termio,
    Winsize,
    ModemFlags,
    FsFlags,
    FsxattrGet,
    FsxattrSet,
    Fiemap,
    CloneRange,
    DedupeRange,
    FsLabel,
    FstrimRange,
    HdGeometry,
    PairU64,
    Uint16,
    LoopInfo,
    LoopInfo64,
    LoopConfig,
    RtcTime,
    RtcAlarm,
    RtcPll,
    RtcVoltage,
    EntropyPool,
    UffdApi,
    UffdCopy,
    UffdRegister,
    UffdRange,
    UffdZeropage,
    SeccompNotif,
    SeccompResponse,
    SeccompAddfd,
    StatmountRequest,
    CachestatRange,
    Cachestat,
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
            Self::TimespecPair64 => 32,
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
            Self::HexBytes | Self::XattrValue | Self::Residency | Self::NodeWords => 1,
            Self::Stat64 => 96,
            Self::OldStat => 32,
            Self::Statfs64 => 84,
            Self::FlockGet => wide(32, 16),
            Self::Flock64 | Self::Flock64Get => wide(32, 24),
            Self::OwnerEx => 8,
            Self::Span => 2 * word,
            Self::MountAttr => 1,
            Self::FileHandle => 8 + 128,
            Self::PageStatus | Self::PolicyCell | Self::QuotaFormat | Self::XfsQuotaFlags | Self::XfsQuotaKinds => 4,
            Self::OldDirent => 2 * word + 2 + 256,
            Self::MmapArgs => 6 * word,
            Self::Dqblk => wide(72, 68),
            Self::NextDqblk => 72,
            Self::Dqinfo => 24,
            Self::XfsDiskQuota => 112,
            Self::XfsQuotaStat => wide(80, 68),
            Self::XfsQuotaStatv => 160,
            Self::Termios => 36,
            Self::Termios2 => 44,
            Self::Termio => 18,
            Self::Winsize => 8,
            Self::ModemFlags | Self::FsFlags | Self::RtcVoltage => 4,
            Self::FsxattrGet | Self::FsxattrSet => 28,
            Self::Fiemap => 32 + 56 * 8,
            Self::CloneRange | Self::UffdRegister | Self::UffdZeropage => 32,
            Self::DedupeRange => 24 + 32 * 4,
            Self::FsLabel => 256,
            Self::FstrimRange | Self::UffdApi | Self::SeccompResponse | Self::SeccompAddfd => 24,
            Self::HdGeometry => wide(16, 8),
            Self::PairU64 | Self::UffdRange | Self::CachestatRange => 16,
            Self::Uint16 => 2,
            Self::LoopInfo => wide(168, 140),
            Self::LoopInfo64 => 232,
            Self::LoopConfig => 304,
            Self::RtcTime => 36,
            Self::RtcAlarm => 40,
            Self::RtcPll => wide(32, 28),
            Self::EntropyPool => 8 + 256,
            Self::UffdCopy | Self::Cachestat => 40,
            Self::SeccompNotif => 80,
            Self::StatmountRequest => 32,
            Self::Rseq => 32,
        }
    }

    /// Which bytes of one are captured when its unabbreviated form is not asked for: (offset, length).
    pub fn kept(self, word: usize) -> (usize, usize) {
        match (self, word) {
            // st_mode to st_size.
            (Self::Stat, 8) => (24, 32),
            (Self::Stat64, _) => (16, 36),
            (Self::Fiemap, _) => (0, 32),
            // stx_mask to stx_size.
            (Self::Statx, _) => (0, 48),
            // ru_utime and ru_stime.
            (Self::Rusage, word) => (0, 4 * word),
            _ => (0, self.size(word)),
        }
    }

    /// Whether it is shown as a string, cut at the string limit.
    pub fn is_string(self) -> bool {
        matches!(self, Self::Bytes | Self::PathBytes | Self::HexBytes | Self::XattrValue)
    }
}
