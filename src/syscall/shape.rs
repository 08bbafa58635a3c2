//! The structures that arguments point to: how large each is in a 64-bit and a 32-bit ABI, and which
//! part of it is worth keeping.

use super::layout::Layout;

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
    /// struct stat of the 64-bit ABIs but x86-64.
    StatGeneric,
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
    /// struct epoll_event of the 64-bit ABIs but x86-64, whose is packed.
    EpollEventWide,
    FdSet,
    Iovec,
    Message,
    Messages,
    /// What is sent or received: data, or netlink messages.
    SocketData,
    /// struct ifreq of an interface that is asked about, or changed, or a bridge's port.
    InterfaceGet,
    InterfaceSet,
    InterfaceIndex,
    /// struct ifconf.
    InterfaceList,
    Sockaddr,
    SockOpt,
    WaitStatus,
    Utsname,
    CloneArgs,
    OpenHow,
    Flock,
    CpuSet,
    Dirents,
    DirentsOld,
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
    KbdType,
    KbdMode,
    ConsoleMode,
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
    /// A structure that its layout describes.
    Struct(&'static Layout),
    /// A NUL-terminated string in a field of so many bytes.
    Name(u16),
    /// A signal set of as many bytes as the call says.
    SizedSigSet,
    /// What pselect6 and io_pgetevents take: a pointer to a signal set and its size.
    SigSetPack,
    /// i386's 32-bit signal set.
    OldSigSet,
    /// i386's struct sigaction.
    OldSigAction,
    /// i386's signal frame of sigreturn.
    OldSigFrame,
    /// A timespec of 64-bit numbers.
    Timespec64,
    /// An itimerspec of 64-bit numbers.
    Itimerspec64,
    SigEvent,
    SockFprog,
    SeccompAction,
    CapData,
    SchedAttr,
    PerfAttr,
    /// bpf's attribute, by what its pointers are.
    BpfAttr(Bpf),
    UringParams,
    /// What is registered with a ring.
    UringRegistered(Registered),
    UringRestriction,
    Iocbs,
    Iocb,
    Msgbuf,
    /// What i386's ipc takes for msgrcv: a pointer to a message, and the type that is wanted.
    MsgbufBehind,
    /// The second of these.
    TypeBehind,
    /// What statmount answers: its own first field says how long it is.
    Statmount,
    /// listmount's request.
    ListmountRequest,
    /// What setxattrat and getxattrat take: a value, its size, flags.
    XattrArgs,
    Rseq,
    /// A security module's number.
    LsmId,
    SchedParam,
    /// The two futexes of futex_requeue.
    FutexPair,
    ShmidDs,
    MsqidDs,
    SemidDs,
    /// struct semid64_ds of the 64-bit ABIs but x86-64.
    SemidGeneric,
    KdfParams,
    KeyCaps,
    UserDesc,
    UserDescEntry,
    OldSelect,
    OldUtsname,
    OldOldUtsname,
    IdCell16,
    SignalCell,
    TscCell,
    XFeatures,
    SyscallInfo,
    UserRegs,
    /// ptrace's iovec of a register set.
    Regset,
    /// Data whose trailing NUL is not shown.
    NulBytes,
    /// A buffer whose length the structure in argument 1 says.
    KeyInput,
    Landlock,
}

/// What the pointers of bpf's attribute point to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Bpf {
    /// Nothing that is shown.
    Plain,
    /// A program's instructions, licence and log.
    Program,
    /// A path.
    Path,
    /// A name.
    Name,
    /// Type information.
    Types,
    /// Numbers of programs.
    Programs,
    /// A name that is returned.
    Answer,
}

/// What is registered with a ring.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Registered {
    /// Nothing: the ring tells what it can do.
    Probe,
    /// Files in the place of others.
    FilesUpdate,
    /// Files with tags.
    Files,
    /// Buffers with tags.
    Buffers,
    /// Files with tags in the place of others.
    FilesUpdate2,
    /// Buffers in the place of others.
    BuffersUpdate,
}

/// What a pointer in a structure points to, if that is shown too.
#[derive(Clone, Copy, Debug)]
pub struct Behind {
    /// Where in the structure the pointer is.
    pub offset: u16,
    /// Whether it has eight bytes in every ABI.
    pub wide: bool,
    /// What is there.
    pub what: Inside,
    /// The label of the captured piece.
    pub part: u8,
    /// Only when everything is asked for.
    pub verbose: bool,
}

/// How much there is behind a pointer.
#[derive(Clone, Copy, Debug)]
#[allow(missing_docs, reason = "count is where in the structure the number of elements is")]
pub enum Inside {
    /// So many bytes.
    Bytes(u16),
    /// Elements of `size` bytes, counted by a 32-bit field.
    Array { count: u8, size: u16 },
    /// Elements of `size` bytes, counted by a 16-bit field.
    Array16 { count: u8, size: u16 },
    /// Data of so many bytes as a field says, cut at the string limit.
    Data { count: u8 },
    /// A NUL-terminated string, cut at the string limit.
    String,
    /// A path, never cut.
    Path,
}

/// Labels of what the first, second and third pointer of a structure point to.
pub(crate) const FIRST: u8 = 8;
/// See `FIRST`.
pub(crate) const SECOND: u8 = 9;
/// See `FIRST`.
pub(crate) const THIRD: u8 = 10;
/// See `FIRST`.
pub(crate) const FOURTH: u8 = 21;

const fn behind(offset: u16, part: u8, what: Inside) -> Behind {
    Behind { offset, wide: false, what, part, verbose: false }
}

const fn wide(offset: u16, part: u8, what: Inside) -> Behind {
    Behind { offset, wide: true, what, part, verbose: false }
}

/// The shapes that are a bare number.
macro_rules! number_shapes {
    () => {
        $crate::syscall::Shape::Int32
            | $crate::syscall::Shape::Uint32
            | $crate::syscall::Shape::Hex32Cell
            | $crate::syscall::Shape::Uint64
            | $crate::syscall::Shape::Hex64
            | $crate::syscall::Shape::LongCell
            | $crate::syscall::Shape::Word
            | $crate::syscall::Shape::SizeCell
            | $crate::syscall::Shape::Off64
            | $crate::syscall::Shape::AddrCell
            | $crate::syscall::Shape::FdCell
            | $crate::syscall::Shape::IdCell
            | $crate::syscall::Shape::IdCell16
            | $crate::syscall::Shape::SignalCell
            | $crate::syscall::Shape::TscCell
            | $crate::syscall::Shape::SeccompAction
            | $crate::syscall::Shape::XFeatures
            | $crate::syscall::Shape::PidCell
            | $crate::syscall::Shape::TimeCell
            | $crate::syscall::Shape::LsmId
    };
}
pub(crate) use number_shapes;

impl Shape {
    /// Bytes of one, where a long has `word` bytes.
    pub fn size(self, word: usize) -> usize {
        let wide = |wide, narrow| if word == 8 { wide } else { narrow };
        match self {
            Self::Bytes | Self::SocketData | Self::PathBytes | Self::PathString | Self::FdSet | Self::CpuSet => 1,
            Self::Sockaddr | Self::SockOpt | Self::CloneArgs | Self::OpenHow => 1,
            Self::Int32 | Self::Uint32 | Self::Hex32Cell | Self::FdCell | Self::IdCell | Self::PidCell => 4,
            Self::WaitStatus => 4,
            Self::Uint64 | Self::Hex64 | Self::Off64 | Self::FdPair | Self::PollFd => 8,
            Self::LongCell | Self::Word | Self::SizeCell | Self::AddrCell | Self::TimeCell => word,
            Self::SigSet | Self::SigFrame => 8,
            Self::Stat => wide(144, 64),
            Self::StatGeneric => 128,
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
            Self::EpollEventWide => 16,
            Self::Iovec => 2 * word,
            Self::InterfaceGet | Self::InterfaceSet | Self::InterfaceIndex => wide(40, 32),
            Self::InterfaceList => wide(16, 8),
            Self::Message => wide(56, 28),
            Self::Messages => wide(64, 32),
            Self::Utsname => 390,
            Self::Flock => wide(32, 16),
            Self::Dirents | Self::DirentsOld => 1,
            Self::KbdMode | Self::ConsoleMode => 4,
            Self::HexBytes | Self::KbdType | Self::XattrValue | Self::Residency | Self::NodeWords => 1,
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
            Self::Struct(layout) => layout.size(word),
            Self::Name(_) | Self::SizedSigSet | Self::BpfAttr(_) | Self::Msgbuf | Self::KeyCaps => 1,
            Self::Landlock | Self::SyscallInfo => 1,
            Self::SigSetPack | Self::Regset => 2 * word,
            Self::NulBytes | Self::KeyInput => 1,
            Self::SchedAttr => 56,
            Self::OldSigSet | Self::OldSigFrame | Self::SeccompAction | Self::SignalCell | Self::TscCell => 4,
            Self::UserDescEntry => 4,
            Self::MsgbufBehind | Self::TypeBehind => 2 * word,
            Self::Statmount => 1,
            Self::ListmountRequest | Self::Rseq => 32,
            Self::XattrArgs => 16,
            Self::LsmId => 8,
            Self::SchedParam => 4,
            Self::FutexPair => 48,
            Self::OldSigAction | Self::Timespec64 => 16,
            Self::Itimerspec64 => 32,
            Self::SigEvent => 32,
            Self::SockFprog => 2 * word,
            Self::CapData => 24,
            Self::PerfAttr => 128,
            Self::UringParams => 120,
            // With an entry for each operation that there can be.
            Self::UringRegistered(Registered::Probe) => 16 + 256 * 8,
            Self::UringRegistered(Registered::FilesUpdate) | Self::UringRestriction => 16,
            // Its size is told, and it can grow.
            Self::UringRegistered(_) => 1,
            Self::Iocbs | Self::Iocb => 64,
            Self::ShmidDs => wide(112, 84),
            Self::MsqidDs => wide(120, 88),
            Self::SemidDs => wide(104, 64),
            Self::SemidGeneric => 88,
            Self::KdfParams => 2 * word + 36,
            Self::UserDesc => 16,
            Self::OldSelect => 20,
            Self::OldUtsname => 325,
            Self::OldOldUtsname => 45,
            Self::IdCell16 => 2,
            Self::XFeatures => 8,
            Self::UserRegs => wide(216, 68),
        }
    }

    /// Which bytes of one are captured when its unabbreviated form is not asked for: (offset, length).
    pub fn kept(self, word: usize) -> (usize, usize) {
        match (self, word) {
            // st_mode to st_size.
            (Self::Stat, 8) => (24, 32),
            (Self::StatGeneric, _) => (16, 40),
            (Self::Stat64, _) => (16, 36),
            (Self::Fiemap, _) => (0, 32),
            // stx_mask to stx_size.
            (Self::Statx, _) => (0, 48),
            // ru_utime and ru_stime.
            (Self::Rusage, word) => (0, 4 * word),
            // i386's frames, from the stack pointer on: what they lie behind depends on the call.
            (Self::SigFrame, 4) => (248, 8),
            (Self::OldSigFrame, _) => (80, 4),
            // Up to wakeup_events.
            (Self::PerfAttr, _) => (0, 48),
            _ => (0, self.size(word)),
        }
    }

    /// What its pointers point to, if that is shown too.
    pub fn behind(self, word: usize) -> &'static [Behind] {
        const CLONE: &[Behind] = &[
            wide(64, FIRST, Inside::Array { count: 72, size: 4 }),
            wide(8, SECOND, Inside::Bytes(4)),
            wide(24, THIRD, Inside::Bytes(4)),
        ];
        // A thread's segment, where threads have one.
        const CLONE32: &[Behind] = &[CLONE[0], CLONE[1], CLONE[2], wide(56, FOURTH, Inside::Bytes(16))];
        const MESSAGE: &[Behind] = &[behind(0, FIRST, Inside::Bytes(260))];
        const VALUE: &[Behind] = &[wide(0, FIRST, Inside::Data { count: 8 })];
        const SIGSET: &[Behind] = &[behind(0, FIRST, Inside::Bytes(8))];
        const KDF: &[Behind] = &[behind(0, FIRST, Inside::String), behind(8, SECOND, Inside::Data { count: 16 })];
        const KDF32: &[Behind] = &[behind(0, FIRST, Inside::String), behind(4, SECOND, Inside::Data { count: 8 })];
        const FILTER: &[Behind] =
            &[Behind { verbose: true, ..behind(8, FIRST, Inside::Array16 { count: 0, size: 8 }) }];
        const FILTER32: &[Behind] =
            &[Behind { verbose: true, ..behind(4, FIRST, Inside::Array16 { count: 0, size: 8 }) }];
        const SELECT: &[Behind] = &[
            behind(4, FIRST, Inside::Bytes(128)),
            behind(8, SECOND, Inside::Bytes(128)),
            behind(12, THIRD, Inside::Bytes(128)),
            behind(16, 1, Inside::Bytes(8)),
        ];
        const PROGRAM: &[Behind] = &[
            Behind { verbose: true, ..wide(8, FIRST, Inside::Array { count: 4, size: 8 }) },
            wide(16, SECOND, Inside::String),
            wide(32, THIRD, Inside::String),
        ];
        const PATH: &[Behind] = &[wide(0, FIRST, Inside::Path)];
        const NAME: &[Behind] = &[wide(0, FIRST, Inside::String)];
        const TYPES: &[Behind] = &[wide(0, FIRST, Inside::Data { count: 16 })];
        const PROGRAMS: &[Behind] = &[wide(16, FIRST, Inside::Array { count: 24, size: 4 })];
        const ANSWER: &[Behind] = &[wide(16, FIRST, Inside::String)];
        const UPDATE: &[Behind] = &[wide(8, FIRST, Inside::Bytes(33 * 4))];
        const FILES: &[Behind] = &[
            wide(16, FIRST, Inside::Array { count: 0, size: 4 }),
            wide(24, SECOND, Inside::Array { count: 0, size: 8 }),
        ];
        const BUFFERS: &[Behind] = &[
            wide(16, FIRST, Inside::Array { count: 0, size: 16 }),
            wide(24, SECOND, Inside::Array { count: 0, size: 8 }),
        ];
        const UPDATE2: &[Behind] = &[
            wide(8, FIRST, Inside::Array { count: 24, size: 4 }),
            wide(16, SECOND, Inside::Array { count: 24, size: 8 }),
        ];
        const BUFFERS_UPDATE: &[Behind] = &[
            wide(8, FIRST, Inside::Array { count: 24, size: 16 }),
            wide(16, SECOND, Inside::Array { count: 24, size: 8 }),
        ];
        const INTERFACES: &[Behind] = &[behind(8, FIRST, Inside::Bytes(33 * 40))];
        const INTERFACES32: &[Behind] = &[behind(4, FIRST, Inside::Bytes(33 * 32))];
        const REGSET: &[Behind] = &[behind(0, FIRST, Inside::Bytes(216))];
        match self {
            Self::Regset => REGSET,
            Self::UringRegistered(Registered::Probe) => &[],
            Self::UringRegistered(Registered::FilesUpdate) => UPDATE,
            Self::UringRegistered(Registered::Files) => FILES,
            Self::UringRegistered(Registered::Buffers) => BUFFERS,
            Self::UringRegistered(Registered::FilesUpdate2) => UPDATE2,
            Self::UringRegistered(Registered::BuffersUpdate) => BUFFERS_UPDATE,
            Self::InterfaceList if word == 8 => INTERFACES,
            Self::InterfaceList => INTERFACES32,
            Self::BpfAttr(Bpf::Program) => PROGRAM,
            Self::BpfAttr(Bpf::Path) => PATH,
            Self::BpfAttr(Bpf::Name) => NAME,
            Self::BpfAttr(Bpf::Types) => TYPES,
            Self::BpfAttr(Bpf::Programs) => PROGRAMS,
            Self::BpfAttr(Bpf::Answer) => ANSWER,
            Self::CloneArgs if word == 4 => CLONE32,
            Self::CloneArgs => CLONE,
            Self::MsgbufBehind => MESSAGE,
            Self::XattrArgs => VALUE,
            Self::SigSetPack => SIGSET,
            Self::KdfParams if word == 8 => KDF,
            Self::KdfParams => KDF32,
            Self::SockFprog if word == 8 => FILTER,
            Self::SockFprog => FILTER32,
            Self::OldSelect => SELECT,
            _ => &[],
        }
    }

    /// Whether an argument of both directions is told once: as it was, or both states together.
    pub fn is_told_once(self) -> bool {
        matches!(
            self,
            Self::FdSet
                | Self::Timeval
                | Self::Timespec
                | Self::Timespec64
                | Self::OldSelect
                | Self::UringParams
                | Self::UserDescEntry
                | Self::BpfAttr(_)
                | Self::Regset
        )
    }

    /// Whether it is shown as a string, cut at the string limit.
    pub fn is_string(self) -> bool {
        matches!(self, Self::Bytes | Self::PathBytes | Self::HexBytes | Self::XattrValue | Self::NulBytes)
    }
}
