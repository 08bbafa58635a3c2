//! Records as the kernel wrote them: views over bytes, checked once, never trusted.
//!
//! The layouts are bpf/record.h's, through the skeleton; the offsets that this file relies on are
//! asserted at compile time. A record begins with four bytes that perf fills (`lead`), carries its own
//! size and is a multiple of eight bytes long.

use std::mem::{offset_of, size_of};

use crate::skel::types::{
    call_record, cgroup_record, exit_why, file_how, file_record, record, signal_record, stack_record, task_record,
    uring_how, uring_record, writing,
};
pub use crate::skel::types::{inflight, part as Part, piece, record_flag, record_kind as Kind};

/// Bytes of a call's record before its arguments.
pub const CALL_HEAD: usize = offset_of!(call_record, args);
/// Six arguments, and the number of a call that no plan knows: it may need more bits than the field for it has.
const WORDS_MOST: u8 = 7;
const NUMBER_AT: usize = CALL_HEAD + 8 * 6;
/// Bytes that all records have: sizes, kinds, times and threads.
pub const RECORD_HEAD: usize = 24;
/// What these records were before they told their cgroup.
const TASK_LEAST: usize = offset_of!(task_record, cgroup);
const SIGNAL_LEAST: usize = offset_of!(signal_record, cgroup);

const _: () = {
    assert!(CALL_HEAD == 40 && size_of::<call_record>() == NUMBER_AT + 8);
    assert!(TASK_LEAST == 56 && SIGNAL_LEAST == 104 && size_of::<cgroup_record>() == 32);
    assert!(size_of::<piece>() == 4);
    assert!(size_of::<file_record>().is_multiple_of(8));
    assert!(size_of::<uring_record>() == 152 && offset_of!(uring_record, tid) == offset_of!(task_record, tid));
    assert!(offset_of!(uring_record, sqe) == 88);
    assert!(size_of::<stack_record>() == 32 && offset_of!(stack_record, tid) == offset_of!(task_record, tid));
    assert!(offset_of!(file_record, tid) == offset_of!(task_record, tid));
    assert!(offset_of!(call_record, tid) == offset_of!(task_record, tid));
    assert!(offset_of!(call_record, tid) == offset_of!(signal_record, tid));
    assert!(offset_of!(call_record, time) == offset_of!(record, time));
    // The smallest ring is twice as large.
    assert!(SAMPLE_MOST <= 16 << 10);
};

/// What a call's result is less than zero by where its thread's next call goes on with it, by restart_syscall:
/// ERESTART_RESTARTBLOCK.
pub const RESTART_BLOCK: i64 = 516;

/// The largest sample, of one or more records, that the kernel side can send, in bytes.
pub const SAMPLE_MOST: usize = size_of::<writing>() - offset_of!(writing, bytes);

/// One record's bytes, whole and of the size it claims.
#[derive(Clone, Copy, Debug)]
pub struct Record<'a> {
    bytes: &'a [u8],
}

/// How a record is laid out. A kind of record that has no form is none: whoever has to know all of them matches these.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// A `CallRecord`.
    Call,
    /// A `SignalRecord`.
    Signal,
    /// A `TaskRecord`.
    Task,
    /// A `FileRecord`.
    File,
    /// Whose records follow.
    Cgroup,
    /// A `UringRecord`.
    Uring,
    /// A `StackRecord`.
    Stack,
}

impl Form {
    fn of(kind: Kind) -> Option<Self> {
        Some(match kind {
            Kind::RECORD_CALL | Kind::RECORD_ENTER => Self::Call,
            Kind::RECORD_SIGNAL | Kind::RECORD_KILL => Self::Signal,
            Kind::RECORD_FORK | Kind::RECORD_EXEC | Kind::RECORD_EXIT | Kind::RECORD_COMM | Kind::RECORD_JOIN => {
                Self::Task
            }
            Kind::RECORD_FILE => Self::File,
            Kind::RECORD_CGROUP => Self::Cgroup,
            Kind::RECORD_URING => Self::Uring,
            Kind::RECORD_STACK => Self::Stack,
            _ => return None,
        })
    }
}

macro_rules! read {
    ($bytes:expr, $at:expr, $type:ty) => {{
        let mut raw = [0; size_of::<$type>()];
        raw.copy_from_slice(&$bytes[$at..$at + size_of::<$type>()]);
        <$type>::from_ne_bytes(raw)
    }};
}

impl<'a> Record<'a> {
    /// The record at the start of `bytes`; `None` if what stands there cannot be one.
    pub fn parse(bytes: &'a [u8]) -> Option<Self> {
        if bytes.len() < RECORD_HEAD {
            return None;
        }
        let size = usize::from(read!(bytes, offset_of!(call_record, size), u16));
        let record = Self { bytes: bytes.get(..size)? };
        let least = match Form::of(record.kind())? {
            Form::Call => CALL_HEAD,
            Form::Signal => SIGNAL_LEAST,
            Form::Task => TASK_LEAST,
            Form::File => size_of::<file_record>(),
            Form::Cgroup => size_of::<cgroup_record>(),
            Form::Uring => size_of::<uring_record>(),
            Form::Stack => size_of::<stack_record>(),
        };
        if size < least || size % 8 != 0 || size > SAMPLE_MOST {
            return None;
        }
        if let Some(call) = record.call()
            && CALL_HEAD + 8 * usize::from(call.words()) > size
        {
            return None;
        }
        Some(record)
    }

    /// All of its bytes.
    pub fn bytes(&self) -> &'a [u8] {
        self.bytes
    }

    /// What it is about; none but the known kinds pass `parse`.
    pub fn kind(&self) -> Kind {
        Kind(self.bytes.get(offset_of!(call_record, kind)).copied().unwrap_or(0))
    }

    /// How it is laid out; each that has passed `parse` has a form.
    pub fn form(&self) -> Option<Form> {
        Form::of(self.kind())
    }

    /// Whether it carries this flag of bpf/record.h.
    pub fn has(&self, flag: record_flag) -> bool {
        self.bytes[offset_of!(call_record, flags)] & flag.0 != 0
    }

    /// CLOCK_BOOTTIME, nanoseconds.
    pub fn time(&self) -> u64 {
        read!(self.bytes, offset_of!(call_record, time), u64)
    }

    /// The thread.
    pub fn tid(&self) -> u32 {
        read!(self.bytes, offset_of!(call_record, tid), u32)
    }

    /// Its system call, for RECORD_CALL and RECORD_ENTER.
    pub fn call(&self) -> Option<CallRecord<'a>> {
        matches!(self.kind(), Kind::RECORD_CALL | Kind::RECORD_ENTER).then_some(CallRecord { record: *self })
    }

    /// Its signal, for RECORD_SIGNAL and RECORD_KILL.
    pub fn signal(&self) -> Option<SignalRecord<'a>> {
        matches!(self.kind(), Kind::RECORD_SIGNAL | Kind::RECORD_KILL).then_some(SignalRecord { bytes: self.bytes })
    }

    /// What happened to a task.
    pub fn task(&self) -> Option<TaskRecord<'a>> {
        matches!(
            self.kind(),
            Kind::RECORD_FORK | Kind::RECORD_EXEC | Kind::RECORD_EXIT | Kind::RECORD_COMM | Kind::RECORD_JOIN
        )
        .then_some(TaskRecord { bytes: self.bytes })
    }

    /// The cgroup that the record tells of itself; for RECORD_CGROUP, whose records follow in its sample.
    pub fn cgroup(&self) -> Option<u64> {
        let at = match self.kind() {
            Kind::RECORD_CGROUP => offset_of!(cgroup_record, cgroup),
            Kind::RECORD_URING => offset_of!(uring_record, cgroup),
            Kind::RECORD_SIGNAL | Kind::RECORD_KILL => offset_of!(signal_record, cgroup),
            _ if self.task().is_some() => offset_of!(task_record, cgroup),
            _ => return None,
        };
        (self.bytes.len() >= at + 8).then(|| read!(self.bytes, at, u64))
    }

    /// Where in the program the thread's next call was made.
    pub fn stack(&self) -> Option<StackRecord<'a>> {
        (self.kind() == Kind::RECORD_STACK).then_some(StackRecord { bytes: self.bytes })
    }

    /// What io_uring did.
    pub fn uring(&self) -> Option<UringRecord<'a>> {
        (self.kind() == Kind::RECORD_URING).then_some(UringRecord { bytes: self.bytes })
    }

    /// What a descriptor stands for.
    pub fn file(&self) -> Option<FileRecord<'a>> {
        (self.kind() == Kind::RECORD_FILE).then_some(FileRecord { bytes: self.bytes })
    }
}

/// A RECORD_CALL or RECORD_ENTER.
#[derive(Clone, Copy, Debug)]
pub struct CallRecord<'a> {
    record: Record<'a>,
}

impl<'a> CallRecord<'a> {
    /// The system call's number, in the ABI that `compat` tells.
    pub fn nr(&self) -> i32 {
        match self.words() {
            WORDS_MOST => read!(self.record.bytes, NUMBER_AT, i32),
            _ => read!(self.record.bytes, offset_of!(call_record, nr), u16).into(),
        }
    }

    /// Whether it came in by the 32-bit ABI of a 64-bit kernel.
    pub fn compat(&self) -> bool {
        self.record.has(record_flag::FLAG_COMPAT)
    }

    /// Nanoseconds between start and end, unless the start was not seen.
    pub fn duration(&self) -> Option<u64> {
        (!self.record.has(record_flag::FLAG_NO_ENTER))
            .then(|| read!(self.record.bytes, offset_of!(call_record, duration), u64))
    }

    /// When it was written, CLOCK_BOOTTIME nanoseconds.
    pub fn time(&self) -> u64 {
        self.record.time()
    }

    /// The network namespace that its numbers are of, where that is not the recorder's; 0: nobody knows which.
    pub fn network(&self) -> Option<u32> {
        self.pieces().find_map(|piece| network(&piece))
    }

    /// The raw result.
    pub fn ret(&self) -> i64 {
        read!(self.record.bytes, offset_of!(call_record, ret), i64)
    }

    /// How many words stand before its pieces.
    fn words(&self) -> u8 {
        self.record.bytes[offset_of!(call_record, nargs)].min(WORDS_MOST)
    }

    /// The argument registers; those that the call does not use are 0.
    pub fn args(&self) -> [u64; 6] {
        let mut args = [0; 6];
        for (n, arg) in args.iter_mut().enumerate().take(usize::from(self.words())) {
            *arg = read!(self.record.bytes, CALL_HEAD + 8 * n, u64);
        }
        args
    }

    /// The captured memory, in the order of capture.
    pub fn pieces(&self) -> Pieces<'a> {
        let from = CALL_HEAD + 8 * usize::from(self.words());
        Pieces {
            rest: self.record.bytes.get(from..).unwrap_or_default(),
            left: self.record.bytes[offset_of!(call_record, pieces)],
        }
    }
}

/// One captured piece of the caller's memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Piece<'a> {
    /// Which argument it belongs to.
    pub arg: u8,
    /// What it is of that argument.
    pub part: Part,
    /// The bytes, or the errno with which reading them failed.
    pub bytes: Result<&'a [u8], i32>,
}

/// The network namespace that a piece tells.
pub fn network(piece: &Piece<'_>) -> Option<u32> {
    let bytes = piece.bytes.ok().filter(|_| piece.part == Part::PART_NETWORK)?;
    Some(bytes.first_chunk::<4>().map_or(0, |bytes| u32::from_ne_bytes(*bytes)))
}

/// Iterates over a call's pieces; ends at the first that does not fit its record.
#[derive(Clone, Copy, Debug)]
pub struct Pieces<'a> {
    rest: &'a [u8],
    left: u8,
}

impl<'a> Iterator for Pieces<'a> {
    type Item = Piece<'a>;

    fn next(&mut self) -> Option<Piece<'a>> {
        self.left = self.left.checked_sub(1)?;
        let (head, rest) = self.rest.split_at_checked(size_of::<piece>())?;
        let length = read!(head, offset_of!(piece, length), i16);
        let bytes = match usize::try_from(length) {
            Ok(length) => {
                let (bytes, rest) = rest.split_at_checked(length)?;
                self.rest = rest;
                Ok(bytes)
            }
            Err(_) => {
                self.rest = rest;
                Err(-i32::from(length))
            }
        };
        Some(Piece { arg: head[offset_of!(piece, arg)], part: Part(head[offset_of!(piece, part)]), bytes })
    }
}

/// A RECORD_SIGNAL or RECORD_KILL.
#[derive(Clone, Copy, Debug)]
pub struct SignalRecord<'a> {
    bytes: &'a [u8],
}

/// Of a siginfo_t.
pub fn si_code(info: &[u8]) -> Option<i32> {
    info.get(8..12)?.first_chunk::<4>().map(|code| i32::from_ne_bytes(*code))
}

impl<'a> SignalRecord<'a> {
    /// The signal's number.
    pub fn signo(&self) -> i32 {
        read!(self.bytes, offset_of!(signal_record, signo), i32)
    }

    /// The thread that gets it.
    pub fn target(&self) -> u32 {
        read!(self.bytes, offset_of!(signal_record, target), u32)
    }

    /// The first 48 bytes of its siginfo, if the kernel had one.
    pub fn info(&self) -> Option<&'a [u8]> {
        let at = offset_of!(signal_record, info);
        (read!(self.bytes, offset_of!(signal_record, has_info), u32) != 0).then(|| &self.bytes[at..at + 48])
    }

    /// si_code, if the kernel had a siginfo.
    pub fn code(&self) -> Option<i32> {
        si_code(self.info()?)
    }

    /// RECORD_KILL: whether the kernel sends it of its own accord.
    pub fn is_by_kernel(&self) -> bool {
        read!(self.bytes, offset_of!(signal_record, stops), u32) != 0
    }

    /// Whether it stops the thread's process.
    pub fn stops(&self) -> bool {
        read!(self.bytes, offset_of!(signal_record, stops), u32) != 0
    }

    /// RECORD_KILL: the sender's process.
    pub fn sender(&self) -> u32 {
        read!(self.bytes, offset_of!(signal_record, sender_tgid), u32)
    }

    /// RECORD_KILL: the sender's name.
    pub fn comm(&self) -> [u8; 16] {
        comm(self.bytes, offset_of!(signal_record, comm))
    }
}

/// A fork, exec, exit, change of name or move into the cgroup.
#[derive(Clone, Copy, Debug)]
pub struct TaskRecord<'a> {
    bytes: &'a [u8],
}

impl TaskRecord<'_> {
    /// The process that the thread belongs to.
    pub fn tgid(&self) -> u32 {
        read!(self.bytes, offset_of!(task_record, tgid), u32)
    }

    /// Fork: the thread that forked. Exit: the parent process.
    pub fn parent(&self) -> u32 {
        read!(self.bytes, offset_of!(task_record, parent), u32)
    }

    /// Exec: the thread id that the caller had before.
    pub fn former(&self) -> u32 {
        read!(self.bytes, offset_of!(task_record, former), u32)
    }

    /// Exit: the status as wait(2) reports it.
    pub fn code(&self) -> u32 {
        read!(self.bytes, offset_of!(task_record, code), u32)
    }

    fn why(&self) -> exit_why {
        exit_why(self.bytes[offset_of!(task_record, why)])
    }

    /// Exit: whether the OOM killer chose its process.
    pub fn is_by_oom(&self) -> bool {
        self.why() == exit_why::WHY_OOM
    }

    /// Exit by SIGSYS: its last call, if it has a seccomp filter, and whether that came in by the 32-bit ABI.
    pub fn last_filtered(&self) -> Option<(u16, bool)> {
        let nr = read!(self.bytes, offset_of!(task_record, last), u16);
        let compat = self.bytes[offset_of!(task_record, flags)] & record_flag::FLAG_COMPAT.0 != 0;
        (self.why() == exit_why::WHY_SECCOMP && nr != u16::MAX).then_some((nr, compat))
    }

    /// The thread's name.
    pub fn comm(&self) -> [u8; 16] {
        comm(self.bytes, offset_of!(task_record, comm))
    }
}

/// A RECORD_FILE: what a descriptor stands for, as the file itself tells.
#[derive(Clone, Copy, Debug)]
pub struct FileRecord<'a> {
    bytes: &'a [u8],
}

impl<'a> FileRecord<'a> {
    /// The process whose descriptor it is.
    pub fn tgid(&self) -> u32 {
        read!(self.bytes, offset_of!(file_record, tgid), u32)
    }

    /// The descriptor, or AT_FDCWD.
    pub fn fd(&self) -> i32 {
        read!(self.bytes, offset_of!(file_record, fd), i32)
    }

    /// The magic number of its file system.
    pub fn magic(&self) -> u32 {
        read!(self.bytes, offset_of!(file_record, magic), u32)
    }

    /// Its inode's number.
    pub fn inode(&self) -> u64 {
        read!(self.bytes, offset_of!(file_record, ino), u64)
    }

    /// The device that it is, in the kernel's own form.
    pub fn device(&self) -> (u32, u32) {
        let device = read!(self.bytes, offset_of!(file_record, rdev), u32);
        (device >> 20, device & 0xf_ffff)
    }

    /// Its type and permissions.
    pub fn mode(&self) -> u32 {
        read!(self.bytes, offset_of!(file_record, mode), u16).into()
    }

    fn how(&self, flag: file_how) -> bool {
        self.bytes[offset_of!(file_record, how)] & flag.0 != 0
    }

    /// Whether the thread's next record is the call that made it so.
    pub fn is_by_call(&self) -> bool {
        self.how(file_how::FILE_BY_CALL)
    }

    /// Whether its path reaches up to the root.
    pub fn is_whole(&self) -> bool {
        self.how(file_how::FILE_WHOLE)
    }

    /// Whether nothing leads to it by its name.
    pub fn is_unhashed(&self) -> bool {
        self.how(file_how::FILE_UNHASHED)
    }

    /// Whether its path, or its address, was taken out.
    pub fn is_hidden(&self) -> bool {
        self.how(file_how::FILE_HIDDEN)
    }

    /// Whether execve closes it.
    pub fn is_cloexec(&self) -> bool {
        self.how(file_how::FILE_CLOEXEC)
    }

    /// A unix socket's peer, a netlink socket's port, a pidfd's process.
    pub fn peer(&self) -> u64 {
        read!(self.bytes, offset_of!(file_record, peer), u64)
    }

    /// A socket's family.
    pub fn family(&self) -> i32 {
        read!(self.bytes, offset_of!(file_record, family), u16).into()
    }

    /// A socket's protocol.
    pub fn protocol(&self) -> u16 {
        read!(self.bytes, offset_of!(file_record, protocol), u16)
    }

    /// The name of a socket's protocol.
    pub fn protocol_name(&self) -> &'a [u8] {
        let at = offset_of!(file_record, proto);
        let name = &self.bytes[at..at + 16];
        name.split(|byte| *byte == 0).next().unwrap_or_default()
    }

    /// An internet socket's own address and port.
    pub fn source(&self) -> ([u8; 16], u16) {
        let at = offset_of!(file_record, source);
        let mut address = [0; 16];
        address.copy_from_slice(&self.bytes[at..at + 16]);
        (address, read!(self.bytes, offset_of!(file_record, source_port), u16))
    }

    /// The address and port that an internet socket is connected to.
    pub fn target(&self) -> ([u8; 16], u16) {
        let at = offset_of!(file_record, target);
        let mut address = [0; 16];
        address.copy_from_slice(&self.bytes[at..at + 16]);
        (address, u16::from_be(read!(self.bytes, offset_of!(file_record, target_port), u16)))
    }

    fn behind(&self) -> &'a [u8] {
        &self.bytes[size_of::<file_record>()..]
    }

    /// A unix socket's address.
    pub fn address(&self) -> &'a [u8] {
        let length = usize::from(self.bytes[offset_of!(file_record, address)]);
        self.behind().get(..length).unwrap_or_default()
    }

    /// Its path's components, the innermost first.
    pub fn names(&self) -> impl DoubleEndedIterator<Item = &'a [u8]> + use<'a> {
        let count = usize::from(self.bytes[offset_of!(file_record, names)]);
        self.behind().split(|byte| *byte == 0).take(count).collect::<Vec<_>>().into_iter()
    }
}

/// A RECORD_URING: a request of io_uring's was submitted, or has completed.
#[derive(Clone, Copy, Debug)]
pub struct UringRecord<'a> {
    bytes: &'a [u8],
}

impl<'a> UringRecord<'a> {
    fn how(&self, flag: uring_how) -> bool {
        self.bytes[offset_of!(uring_record, how)] & flag.0 != 0
    }

    /// Whether it was submitted; else it has completed.
    pub fn is_submission(&self) -> bool {
        self.how(uring_how::URING_SUBMITTED)
    }

    /// The process of its thread.
    pub fn tgid(&self) -> u32 {
        read!(self.bytes, offset_of!(uring_record, tgid), u32)
    }

    /// Its thread's name.
    pub fn comm(&self) -> [u8; 16] {
        comm(self.bytes, offset_of!(uring_record, comm))
    }

    /// What stands for the ring.
    pub fn ring(&self) -> u32 {
        let whole = read!(self.bytes, offset_of!(uring_record, ring), u64);
        u32::try_from(whole >> 32).unwrap_or(0)
    }

    /// The ring's count of submissions, and the operation; `None`: its submission was not seen.
    pub fn request(&self) -> Option<(u32, u8)> {
        let number = read!(self.bytes, offset_of!(uring_record, number), u32);
        self.how(uring_how::URING_REQUEST).then(|| (number, self.bytes[offset_of!(uring_record, opcode)]))
    }

    /// What the program gave with it.
    pub fn user_data(&self) -> u64 {
        read!(self.bytes, offset_of!(uring_record, user_data), u64)
    }

    /// The submission, if the program had not written over it.
    pub fn sqe(&self) -> Option<&'a [u8]> {
        let at = offset_of!(uring_record, sqe);
        self.how(uring_how::URING_SQE).then(|| &self.bytes[at..at + 64])
    }

    /// The path that it names, without its NUL.
    pub fn path(&self) -> Option<&'a [u8]> {
        let length = usize::from(read!(self.bytes, offset_of!(uring_record, path), u16));
        self.bytes[size_of::<uring_record>()..].get(..length)?.strip_suffix(&[0])
    }

    /// Its result.
    pub fn result(&self) -> i32 {
        read!(self.bytes, offset_of!(uring_record, res), i32)
    }

    /// The flags of its completion.
    pub fn completion_flags(&self) -> u32 {
        read!(self.bytes, offset_of!(uring_record, more), u32)
    }

    /// Nanoseconds from its submission to its completion.
    pub fn duration(&self) -> Option<u64> {
        let began = read!(self.bytes, offset_of!(uring_record, began), u64);
        (began != 0).then(|| read!(self.bytes, offset_of!(uring_record, time), u64).saturating_sub(began))
    }
}

/// A RECORD_STACK: where in the program a call was made.
#[derive(Clone, Copy, Debug)]
pub struct StackRecord<'a> {
    bytes: &'a [u8],
}

/// A place in a program's code.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Place {
    /// An offset in the file of a module of the dump's table.
    Module(u16, u64),
    /// An address of the process's, in no file.
    Address(u64),
}

impl Place {
    /// The 64 bits that a record has for it.
    pub fn of(bits: u64) -> Self {
        match u16::try_from(bits >> FRAME_SHIFT) {
            Ok(number @ 1..) => Self::Module(number, bits & ((1 << FRAME_SHIFT) - 1)),
            _ => Self::Address(bits),
        }
    }

    /// The same the other way.
    pub fn bits(self) -> u64 {
        match self {
            Self::Module(number, offset) => u64::from(number) << FRAME_SHIFT | offset & ((1 << FRAME_SHIFT) - 1),
            Self::Address(address) => address & ((1 << FRAME_SHIFT) - 1),
        }
    }
}

/// record.h's: what stands above it in a frame is a module's number.
const FRAME_SHIFT: u32 = 48;
/// The frames of a stack, at most.
pub const FRAMES_MOST: usize = 64;

impl<'a> StackRecord<'a> {
    fn words(&self) -> usize {
        usize::from(read!(self.bytes, offset_of!(stack_record, frames), u16))
    }

    /// Its frames, the innermost first, without the caller; none: it could not be taken.
    pub fn frames(&self) -> impl Iterator<Item = Place> + use<'a> {
        let behind = &self.bytes[size_of::<stack_record>()..];
        let (words, _) = behind.as_chunks::<8>();
        words.iter().take(self.words().min(FRAMES_MOST)).map(|word| Place::of(u64::from_ne_bytes(*word)))
    }

    /// A frame behind the first, which the word at the stack pointer tells.
    pub fn caller(&self) -> Option<Place> {
        let caller = read!(self.bytes, offset_of!(stack_record, caller), u64);
        (caller != 0).then(|| Place::of(caller))
    }

    /// The numbers of the files that it leads through.
    pub fn modules(&self) -> impl Iterator<Item = u16> + use<'a> {
        self.frames().chain(self.caller()).filter_map(|place| match place {
            Place::Module(number, _) => Some(number),
            Place::Address(_) => None,
        })
    }

    /// Whether there were more frames.
    pub fn is_cut(&self) -> bool {
        self.bytes[offset_of!(stack_record, flags)] & record_flag::FLAG_CUT.0 != 0
    }

    /// The kernel's own functions, as it tells them, a line each.
    pub fn kernel(&self) -> &'a [u8] {
        let length = usize::from(read!(self.bytes, offset_of!(stack_record, kernel), u16));
        let from = size_of::<stack_record>() + 8 * self.words();
        self.bytes.get(from..).and_then(|rest| rest.get(..length)).unwrap_or_default()
    }
}

/// Puts the stack of a call in flight together; the kernel's functions are cut where there are too many.
pub fn stack_record(tid: u32, time: u64, frames: &[Place], caller: Option<Place>, kernel: &[u8]) -> Vec<u8> {
    let frames = &frames[..frames.len().min(FRAMES_MOST)];
    let kernel = &kernel[..kernel.len().min(KERNEL_MOST)];
    let mut bytes = vec![0; 6];
    bytes.extend([Kind::RECORD_STACK.0, if frames.len() == FRAMES_MOST { record_flag::FLAG_CUT.0 } else { 0 }]);
    bytes.extend(time.to_ne_bytes());
    bytes.extend(tid.to_ne_bytes());
    bytes.extend(u16::try_from(frames.len()).unwrap_or(0).to_ne_bytes());
    bytes.extend(u16::try_from(kernel.len()).unwrap_or(0).to_ne_bytes());
    bytes.extend(caller.map_or(0, Place::bits).to_ne_bytes());
    frames.iter().for_each(|frame| bytes.extend(frame.bits().to_ne_bytes()));
    bytes.extend(kernel);
    bytes.resize(bytes.len().next_multiple_of(8), 0);
    let size = u16::try_from(bytes.len()).unwrap_or(0).to_ne_bytes();
    bytes[4..6].copy_from_slice(&size);
    bytes
}

/// Bytes of the kernel's functions that are kept.
const KERNEL_MOST: usize = 4096;

fn comm(bytes: &[u8], at: usize) -> [u8; 16] {
    let mut comm = [0; 16];
    comm.copy_from_slice(&bytes[at..at + 16]);
    comm
}

/// Splits a run of records, oldest first, and stops at the first thing that is none.
pub fn records(mut bytes: &[u8]) -> impl Iterator<Item = Record<'_>> {
    std::iter::from_fn(move || {
        let record = Record::parse(bytes)?;
        bytes = &bytes[record.bytes().len()..];
        Some(record)
    })
}

/// A piece that was read by userspace: argument, part, and the bytes or the errno.
pub type OwnedPiece = (u8, Part, Result<Vec<u8>, i32>);

/// Puts a call record together in userspace: what `inflight` saw, with the memory it points to.
pub fn in_flight_record(call: &inflight, nargs: u8, pieces: &[OwnedPiece]) -> Vec<u8> {
    let number_fits = u16::try_from(call.nr).is_ok();
    let head = call_record {
        kind: Kind::RECORD_ENTER,
        flags: record_flag(call.flags.0 | record_flag::FLAG_IN_FLIGHT.0),
        time: call.entered,
        tid: call.tid,
        nr: u16::try_from(call.nr).unwrap_or(u16::MAX),
        nargs: if number_fits { nargs } else { WORDS_MOST },
        pieces: u8::try_from(pieces.len()).unwrap_or(u8::MAX),
        ..Default::default()
    };
    let mut bytes = Vec::with_capacity(256);
    bytes.extend_from_slice(&[0; 6]);
    bytes.push(head.kind.0);
    bytes.push(head.flags.0);
    bytes.extend_from_slice(&head.time.to_ne_bytes());
    bytes.extend_from_slice(&head.tid.to_ne_bytes());
    bytes.extend_from_slice(&head.nr.to_ne_bytes());
    bytes.extend_from_slice(&[head.nargs, head.pieces]);
    bytes.extend_from_slice(&[0; 16]);
    for word in call.args.iter().chain([&i64::from(call.nr).cast_unsigned()]).take(usize::from(head.nargs)) {
        bytes.extend_from_slice(&word.to_ne_bytes());
    }
    finish(&mut bytes, pieces);
    bytes
}

/// A call record with other memory behind its arguments.
pub fn with_pieces(record: &Record<'_>, pieces: &[OwnedPiece]) -> Vec<u8> {
    let nargs = record.call().map_or(0, |call| usize::from(call.words()));
    let mut bytes = record.bytes()[..CALL_HEAD + 8 * nargs].to_vec();
    bytes[offset_of!(call_record, pieces)] = u8::try_from(pieces.len()).unwrap_or(u8::MAX);
    finish(&mut bytes, pieces);
    bytes
}

/// A RECORD_FILE without its path, or a unix socket without its address.
pub fn without_name(record: &Record<'_>) -> Vec<u8> {
    let mut bytes = record.bytes()[..size_of::<file_record>()].to_vec();
    bytes[offset_of!(file_record, names)] = 0;
    bytes[offset_of!(file_record, address)] = 0;
    bytes[offset_of!(file_record, how)] |= file_how::FILE_HIDDEN.0;
    finish(&mut bytes, &[]);
    bytes
}

/// A RECORD_URING with another path.
pub fn with_path(record: &Record<'_>, path: &[u8]) -> Vec<u8> {
    let mut bytes = record.bytes()[..size_of::<uring_record>()].to_vec();
    let length = u16::try_from(path.len() + 1).unwrap_or(0);
    bytes[offset_of!(uring_record, path)..][..2].copy_from_slice(&length.to_ne_bytes());
    bytes.extend_from_slice(path);
    bytes.push(0);
    finish(&mut bytes, &[]);
    bytes
}

/// Writes the pieces behind what stands there, and the size of all.
fn finish(bytes: &mut Vec<u8>, pieces: &[OwnedPiece]) {
    for (arg, part, data) in pieces.iter().take(u8::MAX.into()) {
        let length = match data {
            Ok(data) => i16::try_from(data.len()).unwrap_or(0),
            Err(errno) => i16::try_from(-errno).unwrap_or(-1),
        };
        bytes.extend_from_slice(&[*arg, part.0]);
        bytes.extend_from_slice(&length.to_ne_bytes());
        if let Ok(data) = data
            && length > 0
        {
            bytes.extend_from_slice(data);
        }
    }
    bytes.resize(bytes.len().next_multiple_of(8), 0);
    let size = u16::try_from(bytes.len()).unwrap_or(0).to_ne_bytes();
    bytes[4..6].copy_from_slice(&size);
}
