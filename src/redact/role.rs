//! What a piece of memory may tell, by the kind of the argument that it belongs to. Each kind and each shape is named
//! here: one that is new has to be thought of before it can leave.

use crate::{
    syscall::{Abi, Arg, Inside, Kind, Row, Shape, number_shapes, register_kinds},
    wire::{Part, Piece},
};

/// What a piece of memory may tell.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Role {
    /// What is read, written, sent or received.
    pub(super) contents: bool,
    /// From where on it is a path, if it is one.
    pub(super) path: Option<usize>,
    /// It holds options, like a command line's words.
    pub(super) words: bool,
    /// The value of a socket's option.
    pub(super) option: bool,
    /// From where on there are NUL-terminated strings, of which each may be a path.
    pub(super) strings: Option<usize>,
}

/// What a piece is by the row of its call, by the case of it that holds.
pub(super) fn role(row: &Row, abi: Abi, args: [u64; 6], piece: &Piece<'_>) -> Role {
    let mut role = Role::default();
    for arg in row.case(&args).map_or(row.args, |case| case.args).iter().filter(|arg: &&Arg| arg.index == piece.arg) {
        see(&arg.kind, abi, piece, &mut role);
    }
    role
}

pub(super) fn see(kind: &Kind, abi: Abi, piece: &Piece<'_>, role: &mut Role) {
    match kind {
        Kind::Path | Kind::Str | Kind::MountType => role.path = Some(0),
        Kind::MountData => (role.path, role.words) = (Some(0), true),
        Kind::Contents => (role.path, role.contents) = (Some(0), true),
        Kind::In(shape, _)
        | Kind::Out(shape, _)
        | Kind::OutIfAny(shape)
        | Kind::OutAlways(shape, _)
        | Kind::OutIfRestart(shape, _)
        | Kind::InOut(shape, _)
        | Kind::Before(shape, _)
        | Kind::Corrected(shape, _)
        | Kind::Moved(shape)
        | Kind::Both(shape) => see_shape(*shape, abi, piece, role),
        Kind::PeerAddress(_) => see_shape(Shape::Sockaddr, abi, piece, role),
        Kind::If(_, _, inner)
        | Kind::IfAll(_, _, inner)
        | Kind::Unless(_, _, inner)
        | Kind::IfDevice(_, inner)
        | Kind::Label(_, inner) => see(inner, abi, piece, role),
        Kind::Choose(_, _, first, second) => {
            see(first, abi, piece, role);
            see(second, abi, piece, role);
        }
        Kind::Switch(_, cases, other) => {
            see(other, abi, piece, role);
            cases.iter().for_each(|(_, kind)| see(kind, abi, piece, role));
        }
        // Looked at together, with what stands between them.
        Kind::Strings | Kind::StringCount => {}
        // A handle is the file system's own name for a file; nodes and lengths are numbers.
        Kind::HandleOut | Kind::Nodes(_) | Kind::NodesOut(_) | Kind::PeerLength(_) => {}
        register_kinds!() => {}
    }
}

fn see_shape(shape: Shape, abi: Abi, piece: &Piece<'_>, role: &mut Role) {
    let word = abi.word();
    let is_data = matches!(piece.part, Part::PART_DATA | Part::PART_START | Part::PART_REST);
    let is_item = matches!(piece.part, Part::PART_ITEM | Part::PART_REST);
    let is_behind = |number: u8| piece.part.0 == number;
    for behind in shape.behind(word).iter().filter(|behind| is_behind(behind.part)) {
        match behind.what {
            Inside::Path | Inside::String => role.path = Some(0),
            Inside::Data { .. } => role.contents = true,
            // Numbers; what is none has an arm below.
            Inside::Bytes(_) | Inside::Array { .. } | Inside::Array16 { .. } => {}
        }
    }
    match shape {
        Shape::Bytes | Shape::HexBytes | Shape::XattrValue | Shape::NulBytes | Shape::KeyInput | Shape::SocketData => {
            role.contents |= is_data;
        }
        Shape::Msgbuf | Shape::EntropyPool => role.contents |= is_data,
        Shape::MsgbufBehind => role.contents |= is_behind(Part::PART_FIRST.0),
        Shape::Iovec | Shape::Message | Shape::Messages => {
            role.contents |= is_item;
            if piece.part == Part::PART_NAME {
                role.path = Some(2);
            }
        }
        Shape::Iocbs => role.contents |= piece.part == Part::PART_FIRST,
        Shape::PathBytes | Shape::PathString | Shape::Name(_) | Shape::FsLabel => role.path = Some(0),
        // A unix socket's, behind its family.
        Shape::Sockaddr => role.path = Some(2),
        Shape::SockOpt => role.option = is_data,
        // The file behind the device; what stands behind its name goes with it, a key among it.
        Shape::LoopInfo => role.path = Some(if word == 8 { 48 } else { 32 }),
        Shape::LoopInfo64 => role.path = Some(56),
        Shape::LoopConfig => role.path = Some(64),
        Shape::OldDirent => role.path = Some(2 * word + 2),
        // Where things are mounted, behind the numbers.
        Shape::Statmount => role.strings = Some(512),
        // Numbers, flags and times; what of them points elsewhere is above.
        number_shapes!()
        | Shape::FdPair
        | Shape::Stat
        | Shape::StatGeneric
        | Shape::Statx
        | Shape::Statfs
        | Shape::Timespec
        | Shape::TimespecPair
        | Shape::TimespecPair64
        | Shape::Timeval
        | Shape::TimevalPair
        | Shape::Timezone
        | Shape::Itimerval
        | Shape::Itimerspec
        | Shape::Utimbuf
        | Shape::Tms
        | Shape::Rlimit
        | Shape::Rlimit64
        | Shape::Rusage
        | Shape::SigAction
        | Shape::SigSet
        | Shape::SigStack
        | Shape::SigInfo
        | Shape::PollFd
        | Shape::EpollEvent
        | Shape::EpollEventWide
        | Shape::FdSet
        | Shape::InterfaceGet
        | Shape::InterfaceSet
        | Shape::InterfaceIndex
        | Shape::InterfaceList
        | Shape::WaitStatus
        | Shape::Utsname
        | Shape::CloneArgs
        | Shape::OpenHow
        | Shape::Flock
        | Shape::CpuSet
        | Shape::Dirents
        | Shape::DirentsOld
        | Shape::SigFrame
        | Shape::Stat64
        | Shape::OldStat
        | Shape::Statfs64
        | Shape::FlockGet
        | Shape::Flock64
        | Shape::Flock64Get
        | Shape::OwnerEx
        | Shape::Span
        | Shape::MountAttr
        | Shape::FileHandle
        | Shape::NodeWords
        | Shape::Residency
        | Shape::PageStatus
        | Shape::PolicyCell
        | Shape::MmapArgs
        | Shape::QuotaFormat
        | Shape::Dqblk
        | Shape::NextDqblk
        | Shape::Dqinfo
        | Shape::XfsDiskQuota
        | Shape::XfsQuotaStat
        | Shape::XfsQuotaStatv
        | Shape::XfsQuotaFlags
        | Shape::XfsQuotaKinds
        | Shape::Termios
        | Shape::Termios2
        | Shape::Termio
        | Shape::Winsize
        | Shape::KbdType
        | Shape::KbdMode
        | Shape::ConsoleMode
        | Shape::ModemFlags
        | Shape::FsFlags
        | Shape::FsxattrGet
        | Shape::FsxattrSet
        | Shape::Fiemap
        | Shape::CloneRange
        | Shape::DedupeRange
        | Shape::FstrimRange
        | Shape::HdGeometry
        | Shape::PairU64
        | Shape::Uint16
        | Shape::RtcTime
        | Shape::RtcAlarm
        | Shape::RtcPll
        | Shape::RtcVoltage
        | Shape::UffdApi
        | Shape::UffdCopy
        | Shape::UffdRegister
        | Shape::UffdRange
        | Shape::UffdZeropage
        | Shape::SeccompNotif
        | Shape::SeccompResponse
        | Shape::SeccompAddfd
        | Shape::StatmountRequest
        | Shape::CachestatRange
        | Shape::Cachestat
        | Shape::Struct(_)
        | Shape::SizedSigSet
        | Shape::SigSetPack
        | Shape::OldSigSet
        | Shape::OldSigAction
        | Shape::OldSigFrame
        | Shape::Timespec64
        | Shape::Itimerspec64
        | Shape::SigEvent
        | Shape::SockFprog
        | Shape::CapData
        | Shape::SchedAttr
        | Shape::PerfAttr
        | Shape::BpfAttr(_)
        | Shape::UringParams
        | Shape::UringRegistered(_)
        | Shape::UringRestriction
        | Shape::Iocb
        | Shape::TypeBehind
        | Shape::ListmountRequest
        | Shape::XattrArgs
        | Shape::Rseq
        | Shape::SchedParam
        | Shape::FutexPair
        | Shape::ShmidDs
        | Shape::MsqidDs
        | Shape::SemidDs
        | Shape::SemidGeneric
        | Shape::KdfParams
        | Shape::KeyCaps
        | Shape::UserDesc
        | Shape::UserDescEntry
        | Shape::OldSelect
        | Shape::OldUtsname
        | Shape::OldOldUtsname
        | Shape::SyscallInfo
        | Shape::UserRegs
        | Shape::Regset
        | Shape::Landlock => {}
    }
}
