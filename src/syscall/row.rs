//! The row: all that is known of a call, in the terms from which capture and decoding follow.

use super::{class::Class, shape::Shape, words::Words};

/// One system call.
#[derive(Debug)]
pub struct Row {
    /// Its name as strace prints it.
    pub name: &'static str,
    /// The sets it belongs to, for filters.
    pub classes: &'static [Class],
    /// Its arguments in the order in which strace prints them.
    pub args: &'static [Arg],
    /// What its result means.
    pub ret: Ret,
    /// Other argument lists, by the value of one argument (fcntl, ioctl, prctl, futex ...).
    pub cases: Option<&'static Cases>,
}

impl Row {
    /// Its arguments in printing order.
    pub fn args(&self) -> &'static [Arg] {
        self.args
    }

    /// Which of a multiplexed call's argument lists these registers mean.
    pub fn case(&self, registers: &[u64; 6]) -> Option<&'static Case> {
        let cases = self.cases?;
        let mask = u64::from(cases.mask);
        let wanted = registers.get(usize::from(cases.arg)).copied().unwrap_or(0) & mask;
        cases.list.iter().find(|case| case.values.iter().any(|value| value & mask == wanted))
    }

    /// Whether its arguments are words of memory.
    pub fn has_words(&self) -> bool {
        self.cases.is_some_and(|cases| cases.words)
    }
}

/// One argument.
#[derive(Debug)]
pub struct Arg {
    /// Its name in the kernel's signature.
    pub name: &'static str,
    /// Which argument register holds it, from 0.
    pub index: u8,
    /// What it means.
    pub kind: Kind,
}

/// The argument lists of a multiplexed call.
#[derive(Debug)]
pub struct Cases {
    /// The argument that decides.
    pub arg: u8,
    /// Only these bits of it decide.
    pub mask: u32,
    /// The arguments are 32-bit words that the second argument points to (socketcall).
    pub words: bool,
    /// One entry for each known value or group of values.
    pub list: &'static [Case],
}

/// One of a multiplexed call's argument lists.
#[derive(Debug)]
pub struct Case {
    /// The values it stands for.
    pub values: &'static [u64],
    /// The name under which it is shown, if that is not the call's.
    pub name: Option<&'static str>,
    /// The arguments, all of them.
    pub args: &'static [Arg],
    /// What the result means.
    pub ret: Ret,
}

/// What an argument means. In, out and both say when its memory is read: in-memory is read at the
/// end of the call too, since the kernel leaves it alone and has just touched it.
#[derive(Debug)]
pub enum Kind {
    /// A signed 32-bit number.
    Int,
    /// An unsigned 32-bit number.
    Uint,
    /// A signed number of the ABI's word.
    Long,
    /// An unsigned number of the ABI's word; sizes and counts.
    Size,
    /// The same, in hexadecimal.
    Hex,
    /// A 32-bit number in hexadecimal.
    Hex32,
    /// A pointer that is not followed; `NULL` or hexadecimal.
    Addr,
    /// A 64-bit number of which this register is the lower half in 32-bit ABIs, the whole elsewhere.
    Wide,
    /// The same, unsigned.
    WideSize,
    /// The same, bits by name.
    WideFlags(&'static Words),
    /// A 64-bit number of which this register is the upper half and the next the lower.
    HighLow,
    /// A 32-bit number in octal, 0 as `0`.
    Octal,
    /// A file descriptor.
    Fd,
    /// A directory's descriptor or `AT_FDCWD`.
    DirFd,
    /// A directory's descriptor, `AT_FDCWD` or `FAN_NOFD`.
    FanFd,
    /// A process or thread id.
    Pid,
    /// A user or group id: -1 stays -1.
    Id,
    /// File permissions, `0644`.
    Mode,
    /// File type and permissions, `S_IFREG|0644`.
    FileMode,
    /// A device number.
    Dev,
    /// A signal's number.
    Signal,
    /// Bits of 32, by name.
    Flags(&'static Words),
    /// Bits of the ABI's word, by name.
    LongFlags(&'static Words),
    /// One of several values, by name.
    Enum(&'static Words),
    /// One of several values, by name; others in decimal.
    IntEnum(&'static Words),
    /// One of several values of the ABI's word, by name.
    LongEnum(&'static Words),
    /// open(2)'s access mode and flags.
    OpenFlags,
    /// mmap's kind and flags.
    MapFlags,
    /// The bits of a mask as one of several values, the others by name behind it.
    Split(u32, &'static Words, &'static Words),
    /// mount's file system type: a string where the flags make use of it.
    MountType,
    /// mount's flags, perhaps with the magic number of old.
    MountFlags,
    /// mount's options: a string where the flags make use of it.
    MountData,
    /// swapon's flags and priority.
    SwapFlags,
    /// memfd_create's flags, with the size of huge pages.
    MemfdFlags,
    /// A memory policy with its flags.
    PolicyMode,
    /// quotactl's command and whose quota it is about.
    QuotaCmd,
    /// ioctl's command.
    Ioctl,
    /// A struct file_handle that the call fills.
    HandleOut,
    /// The bits of a node set: argument `.0` says how many, plus one.
    Nodes(u8),
    /// The same, as the call fills it.
    NodesOut(u8),
    /// clone's flags and, in the lowest byte, the exit signal.
    CloneFlags,
    /// One of several values of 32 bits, by name; others are signed numbers.
    Signed(&'static Words),
    /// One of several values: the number, signed, and its word behind it.
    Commented(&'static Words),
    /// One of several values: the number, hexadecimal, and its word behind it.
    HexCommented(&'static Words),
    /// The same of 32 bits.
    Hex32Commented(&'static Words),
    /// A vector length with its flags.
    VectorLength,
    /// Tagged addresses: whether they are on and what checks them.
    TaggedAddr,
    /// A clock: by name, or one of a process, a thread or a descriptor.
    Clock,
    /// Flags with a file mode in the lowest nine bits.
    ModeFlags(&'static Words),
    /// shmget's, of which some bits are the size of a huge page.
    ShmFlags,
    /// A command of System V's control calls, with or without IPC_64.
    IpcCmd(&'static Words),
    /// An I/O priority: class and level.
    IoPriority,
    /// personality's argument.
    Personality,
    /// futex's third value for FUTEX_WAKE_OP: an operation and a comparison.
    WakeOp,
    /// kexec_load's flags, with an architecture in the upper half.
    KexecFlags,
    /// An errno.
    Errno,
    /// A signal set of 32 bits in the register itself.
    OldMask,
    /// A signal handler.
    Handler,
    /// ptrace's address in the user area.
    UserOffset,
    /// A 16-bit user or group id: -1 stays -1.
    Id16,
    /// By another argument's value.
    Switch(u8, &'static [(u64, &'static Kind)], &'static Kind),
    /// futex's operation with its two flags.
    FutexOp,
    /// futex's bit set, all ones by name.
    FutexBits,
    /// A socket's type and flags.
    SocketType,
    /// A socket's protocol, in terms of the family in argument 0.
    SocketProtocol,
    /// getsockopt's option, in terms of the level in argument 1.
    GetOption,
    /// setsockopt's option.
    SetOption,
    /// An address that the kernel writes, as long as the argument at this index says.
    PeerAddress(u8),
    /// Where the length of the address in the argument at this index stands.
    PeerLength(u8),
    /// The length of struct rseq.
    RseqLength,
    /// An offset in pages of 4096 bytes, shown in bytes.
    Pages,
    /// A path: never cut.
    Path,
    /// Another string: cut at the string limit.
    Str,
    /// A string that is contents, as what is written is: cut at the string limit.
    Contents,
    /// Memory that the call reads.
    In(Shape, Len),
    /// Memory that the call writes; shown when it succeeds.
    Out(Shape, Len),
    /// Memory that the call writes, if it returns anything but 0.
    OutIfAny(Shape),
    /// Memory that the call writes even when it fails (with its errno as given).
    OutAlways(Shape, Len),
    /// Memory that the call writes when a signal interrupts it; only its address else.
    OutIfRestart(Shape, Len),
    /// Memory that the call reads and writes.
    InOut(Shape, Len),
    /// Memory that the call reads and overwrites; shown as it was at the start.
    Before(Shape, Len),
    /// A structure that tells its own size in the u32 at this offset, which the call corrects where it refuses it.
    Corrected(Shape, u16),
    /// Memory that the call reads and, if it moves any bytes, overwrites: `[0] => [512]`.
    Moved(Shape),
    /// Memory whose fields are of two kinds: some stand for what was asked, some for what was answered.
    Both(Shape),
    /// A vector of strings, NULL at its end: argv.
    Strings,
    /// A vector of strings of which only the number is shown: envp.
    StringCount,
    /// Printed only if another argument has one of these bits.
    If(u8, u64, &'static Kind),
    /// Printed only if another argument has all of these bits.
    IfAll(u8, u64, &'static Kind),
    /// Printed only if another argument is the mode of a device.
    IfDevice(u8, &'static Kind),
    /// The first kind if another argument has one of these bits, the second otherwise.
    Choose(u8, u64, &'static Kind, &'static Kind),
    /// Printed only if another argument is not this value.
    Unless(u8, u64, &'static Kind),
    /// Printed as `label=value`.
    Label(&'static str, &'static Kind),
    /// Not printed.
    Hidden,
}

impl Kind {
    /// Whether it is a number of 32 bits, whatever the register's upper half holds.
    pub fn is_int(&self) -> bool {
        match self {
            Self::Int | Self::Uint => true,
            Self::Label(_, inner) | Self::If(_, _, inner) => inner.is_int(),
            _ => false,
        }
    }
}

/// The kinds that are all that their register holds: nothing of the call's memory belongs to them.
macro_rules! register_kinds {
    () => {
        $crate::syscall::Kind::Int
            | $crate::syscall::Kind::Uint
            | $crate::syscall::Kind::Long
            | $crate::syscall::Kind::Size
            | $crate::syscall::Kind::Hex
            | $crate::syscall::Kind::Hex32
            | $crate::syscall::Kind::Addr
            | $crate::syscall::Kind::Wide
            | $crate::syscall::Kind::WideSize
            | $crate::syscall::Kind::WideFlags(..)
            | $crate::syscall::Kind::HighLow
            | $crate::syscall::Kind::Octal
            | $crate::syscall::Kind::Fd
            | $crate::syscall::Kind::DirFd
            | $crate::syscall::Kind::FanFd
            | $crate::syscall::Kind::Pid
            | $crate::syscall::Kind::Id
            | $crate::syscall::Kind::Mode
            | $crate::syscall::Kind::FileMode
            | $crate::syscall::Kind::Dev
            | $crate::syscall::Kind::Signal
            | $crate::syscall::Kind::Flags(..)
            | $crate::syscall::Kind::LongFlags(..)
            | $crate::syscall::Kind::Enum(..)
            | $crate::syscall::Kind::IntEnum(..)
            | $crate::syscall::Kind::LongEnum(..)
            | $crate::syscall::Kind::OpenFlags
            | $crate::syscall::Kind::MapFlags
            | $crate::syscall::Kind::Split(..)
            | $crate::syscall::Kind::MountFlags
            | $crate::syscall::Kind::SwapFlags
            | $crate::syscall::Kind::MemfdFlags
            | $crate::syscall::Kind::PolicyMode
            | $crate::syscall::Kind::QuotaCmd
            | $crate::syscall::Kind::Ioctl
            | $crate::syscall::Kind::CloneFlags
            | $crate::syscall::Kind::Signed(..)
            | $crate::syscall::Kind::Commented(..)
            | $crate::syscall::Kind::HexCommented(..)
            | $crate::syscall::Kind::Hex32Commented(..)
            | $crate::syscall::Kind::VectorLength
            | $crate::syscall::Kind::TaggedAddr
            | $crate::syscall::Kind::Clock
            | $crate::syscall::Kind::ModeFlags(..)
            | $crate::syscall::Kind::ShmFlags
            | $crate::syscall::Kind::IpcCmd(..)
            | $crate::syscall::Kind::IoPriority
            | $crate::syscall::Kind::Personality
            | $crate::syscall::Kind::WakeOp
            | $crate::syscall::Kind::KexecFlags
            | $crate::syscall::Kind::Errno
            | $crate::syscall::Kind::OldMask
            | $crate::syscall::Kind::Handler
            | $crate::syscall::Kind::UserOffset
            | $crate::syscall::Kind::Id16
            | $crate::syscall::Kind::FutexOp
            | $crate::syscall::Kind::FutexBits
            | $crate::syscall::Kind::SocketType
            | $crate::syscall::Kind::SocketProtocol
            | $crate::syscall::Kind::GetOption
            | $crate::syscall::Kind::SetOption
            | $crate::syscall::Kind::Pages
            | $crate::syscall::Kind::RseqLength
            | $crate::syscall::Kind::Hidden
    };
}
pub(crate) use register_kinds;

/// How much memory an argument points to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Len {
    /// One of the shape.
    One,
    /// So many of the shape as the argument at this index says.
    Arg(u8),
    /// So many of the shape as the call returned.
    Ret,
    /// So many bytes as the u32 says to which the argument at this index points.
    At(u8),
    /// A bit set of so many bits as the argument at this index says.
    Bits(u8),
    /// So many pages as the bytes that the argument at this index says.
    PagesOf(u8),
    /// So many bytes as the structure's own first u32 says.
    Head,
    /// So many of the shape as the call returned, but no more than the argument at this index.
    RetOrArg(u8),
}

/// What a call's result means.
#[derive(Debug)]
pub enum Ret {
    /// A decimal number.
    Int,
    /// An address or a mask, in hexadecimal.
    Hex,
    /// Permissions in octal.
    Octal,
    /// A new file descriptor.
    Fd,
    /// A new file descriptor, told as a number only.
    NewFd,
    /// A bit set, hexadecimal, with its words behind it in terms of fcntl: `0x1 (flags FD_CLOEXEC)`.
    Flags(&'static Words),
    /// A bit set, hexadecimal, with a title and its words behind it.
    Titled((&'static str, &'static Words)),
    /// A signal's number, with its name behind it.
    Signal,
    /// One of several values in decimal, with its word behind it.
    Word(&'static Words),
    /// A bit set, hexadecimal, with its words behind it.
    Bits(&'static Words),
    /// open(2)'s flags, as F_GETFL returns them.
    OpenFlags,
    /// One of several values, with its word behind it.
    Enum(&'static Words),
    /// A number of which the meaning depends on what was asked: poll, select, getdents tell in words.
    Told(Told),
    /// The call does not return when it succeeds and takes the old memory with it: arguments are
    /// captured at its start.
    Gone,
    /// The call never returns.
    Never,
}

/// Results that need the call's memory to be told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Told {
    /// poll and ppoll: which descriptors are ready, and what is left of the time.
    Poll,
    /// select and pselect6: which descriptors are ready, and what is left of the time.
    Select,
    /// A seconds count since the epoch.
    Time,
    /// recvmmsg: what is left of the time.
    Received,
    /// An I/O priority.
    IoPriority,
    /// The state of the speculation feature in argument 1.
    Speculation,
    /// A personality.
    Personality,
    /// The entry that set_thread_area chose.
    Entry,
    /// Where i386's ipc has attached shared memory, which it writes behind its argument 3.
    Attached,
    /// A 32-bit signal set that held before; with `old ` before it or not.
    OldMask(bool),
    /// A signal handler that held before.
    Handler,
    /// modify_ldt's, of which an error has 32 bits.
    Narrow,
}
