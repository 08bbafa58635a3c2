//! Requests of io_uring's: what a submission asks for, by its operation, and how it completed.

use super::{asked::View, errno, memory::Memory, style::Style, text::Text};
use crate::{
    model::{Field, Step, Uring, Value},
    syscall::{
        Words,
        words::{file, memory as advice, net, system, time},
    },
    wire::UringRecord,
};

/// A field of struct io_uring_sqe, as an operation uses it.
#[derive(Clone, Copy)]
enum Use {
    Fd,
    /// A directory's descriptor.
    Dir,
    /// `off`, or what it is for this operation.
    Off(&'static str),
    /// `addr`: where something is.
    Addr(&'static str),
    /// The path that `addr` points to.
    Path,
    Len(&'static str),
    /// `len` as permissions.
    Mode,
    /// `off` as the address of something.
    OffAddr(&'static str),
    /// The operation's flags, by their words.
    Flags(&'static str, &'static Words),
    /// The same as a number.
    Number(&'static str),
}

use Use::{Addr, Dir, Fd, Flags, Len, Mode, Number, Off, OffAddr, Path};

const RW: &[Use] = &[Fd, Addr("addr"), Len("len"), Off("off"), Flags("rw_flags", &file::RWF)];
const IOV: &[Use] = &[Fd, Addr("iov"), Len("iovcnt"), Off("off"), Flags("rw_flags", &file::RWF)];
const STREAM: &[Use] = &[Fd, Addr("addr"), Len("len"), Flags("msg_flags", &net::MSG)];
const MESSAGE: &[Use] = &[Fd, Addr("msg"), Flags("msg_flags", &net::MSG)];
const NONE: &[Use] = &[];
/// What has no line of its own here.
const ANY: &[Use] = &[Fd, Addr("addr"), Len("len"), Off("off"), Number("op_flags")];

/// What each operation uses, by its number.
const OPS: [&[Use]; 63] = [
    NONE,
    IOV,
    IOV,
    &[Fd, Off("off"), Len("len"), Number("fsync_flags")],
    RW,
    RW,
    &[Fd, Flags("events", &time::POLL)],
    &[Addr("user_data_of")],
    &[Fd, Off("off"), Len("len"), Number("sync_range_flags")],
    MESSAGE,
    MESSAGE,
    &[Addr("timespec"), Off("count"), Number("timeout_flags")],
    &[Addr("user_data_of"), Number("timeout_flags")],
    &[Fd, Addr("sockaddr"), OffAddr("addrlen"), Flags("accept_flags", &net::SOCKET_FLAGS)],
    &[Addr("user_data_of"), Number("cancel_flags")],
    &[Addr("timespec"), Number("timeout_flags")],
    &[Fd, Addr("sockaddr"), Off("addrlen")],
    &[Fd, Off("off"), Addr("size"), Len("mode")],
    &[Dir, Path, Flags("open_flags", &file::OPEN), Mode],
    &[Fd],
    &[Addr("fds"), Len("len"), Off("off")],
    &[Dir, Path, OffAddr("statx"), Number("statx_flags")],
    RW,
    RW,
    &[Fd, Off("off"), Len("len"), Number("advice")],
    &[Addr("addr"), Len("len"), Flags("advice", &advice::MADVISE)],
    STREAM,
    STREAM,
    &[Dir, Path, OffAddr("how"), Len("size")],
    &[Fd, Off("fd2"), Len("op"), Addr("event")],
    &[Fd, Off("off"), Len("len"), Number("splice_flags")],
    &[Fd, Addr("addr"), Len("len"), Off("bid")],
    &[Fd],
    &[Fd, Len("len"), Number("splice_flags")],
    &[Fd, Len("how")],
    &[Dir, Path, OffAddr("newpath"), Number("rename_flags")],
    &[Dir, Path, Number("unlink_flags")],
    &[Dir, Path, Mode],
    &[Dir, Path, OffAddr("newpath")],
    &[Dir, Path, OffAddr("newpath"), Number("hardlink_flags")],
    ANY,
    ANY,
    ANY,
    ANY,
    ANY,
    &[Fd, Off("type"), Len("protocol")],
    ANY,
    STREAM,
    MESSAGE,
    RW,
    ANY,
    ANY,
    ANY,
    ANY,
    &[Fd],
    &[Fd, Off("len")],
    &[Fd, Addr("sockaddr"), Off("addrlen")],
    &[Fd, Len("backlog")],
    STREAM,
    &[Fd, Addr("events"), Len("maxevents")],
    IOV,
    IOV,
    ANY,
];

/// The operation's name.
fn op(opcode: u8) -> Box<str> {
    match system::URING_OPS.word(opcode.into()) {
        Some(name) => name.into(),
        None => format!("IORING_OP_{opcode}").into(),
    }
}

/// The request that a record tells of. `view` knows what its descriptors stand for.
pub(super) fn decode(style: &Style, record: &UringRecord<'_>, view: Option<View<'_>>) -> Uring {
    let known = record.request();
    let step = if record.is_submission() {
        Step::Submitted { fields: record.sqe().map(|sqe| fields(style, record, sqe, view)) }
    } else {
        completed(record)
    };
    Uring {
        ring: record.ring(),
        number: known.map(|(number, _)| number),
        op: known.map(|(_, opcode)| op(opcode)),
        opcode: known.map(|(_, opcode)| opcode),
        user_data: record.user_data(),
        step,
    }
}

fn completed(record: &UringRecord<'_>) -> Step {
    let res = record.result();
    let result = match res {
        ..0 => Err(res.saturating_neg()),
        _ => Ok(res),
    };
    // strace's words of a failed call begin with the -1 that it returned.
    let failed = |errno| errno::result(errno).and_then(|text| text.strip_prefix("-1 "));
    let text = match result {
        Err(errno) => failed(errno).map_or_else(|| res.to_string(), |text| format!("-{text}")),
        Ok(value) => value.to_string(),
    };
    let (bits, buffer) = (record.completion_flags() & FLAG_BITS, record.completion_flags() >> 16);
    let mut flags = String::new();
    if bits != 0 {
        let style = Style::default();
        let mut words = Text::new(&style);
        words.flags(&system::URING_CQE_FLAGS, bits.into());
        flags = words.finish();
    }
    if bits & BUFFER != 0 {
        flags.push_str(&format!(", buffer {buffer}"));
    }
    Step::Completed { result, text: text.into(), flags: flags.into(), duration: record.duration() }
}

/// Above them stands the number of a buffer, if the first of them says so.
const FLAG_BITS: u32 = 0xffff;
const BUFFER: u32 = 1;

fn fields(style: &Style, record: &UringRecord<'_>, sqe: &[u8], view: Option<View<'_>>) -> Vec<Field> {
    let sqe = Sqe::read(sqe);
    let uses = OPS.get(usize::from(sqe.opcode)).copied().unwrap_or(ANY);
    let mut fields: Vec<Field> = uses.iter().filter_map(|used| field(style, record, &sqe, *used, view)).collect();
    if sqe.flags != 0 {
        let mut text = Text::new(style);
        text.flags(&system::URING_SQE_FLAGS, sqe.flags.into());
        fields.push(Field { name: "flags", text: text.finish().into(), value: Value::Unsigned(sqe.flags.into()) });
    }
    fields
}

/// What is used of struct io_uring_sqe.
struct Sqe {
    opcode: u8,
    flags: u8,
    fd: i32,
    off: u64,
    addr: u64,
    len: u32,
    op_flags: u32,
}

impl Sqe {
    fn read(bytes: &[u8]) -> Self {
        let mut memory = Memory::new(bytes, 0, 8);
        let head = memory.u32().to_ne_bytes();
        let fd = memory.i32();
        let (off, addr, len, op_flags) = (memory.u64(), memory.u64(), memory.u32(), memory.u32());
        Self { opcode: head[0], flags: head[1], fd, off, addr, len, op_flags }
    }

    /// `fd` is a place among the ring's own files.
    fn is_fixed(&self) -> bool {
        self.flags & 1 != 0
    }
}

fn field(style: &Style, record: &UringRecord<'_>, sqe: &Sqe, used: Use, view: Option<View<'_>>) -> Option<Field> {
    let mut text = Text::with(style, view);
    let (name, value) = match used {
        Fd if sqe.is_fixed() => {
            text.signed(sqe.fd);
            ("fixed_file", Value::Signed(sqe.fd.into()))
        }
        Fd => {
            text.fd(sqe.fd);
            ("fd", Value::Signed(sqe.fd.into()))
        }
        Dir => {
            match file::DIR_FD.word(u64::from(sqe.fd.cast_unsigned())) {
                Some(_) => text.cwd(&file::DIR_FD),
                None => text.fd(sqe.fd),
            }
            ("dfd", Value::Signed(sqe.fd.into()))
        }
        // -1: where the file stands.
        Off(name) => {
            text.signed(sqe.off.cast_signed());
            (name, Value::Signed(sqe.off.cast_signed()))
        }
        OffAddr(name) => {
            text.addr(sqe.off);
            (name, Value::Unsigned(sqe.off))
        }
        Addr(name) => {
            text.addr(sqe.addr);
            (name, Value::Unsigned(sqe.addr))
        }
        Path => match record.path() {
            Some(path) => {
                text.whole_string(path);
                ("path", Value::Bytes(path.into()))
            }
            None => {
                text.addr(sqe.addr);
                ("path", Value::Unsigned(sqe.addr))
            }
        },
        Len(name) => {
            text.unsigned(sqe.len);
            (name, Value::Unsigned(sqe.len.into()))
        }
        Mode => {
            text.mode(sqe.len);
            ("mode", Value::Unsigned(sqe.len.into()))
        }
        Flags("open_flags", _) => {
            super::file::open_flags(&mut text, sqe.op_flags);
            ("open_flags", Value::Unsigned(sqe.op_flags.into()))
        }
        Flags(_, _) | Number(_) if sqe.op_flags == 0 => return None,
        Flags(name, words) => {
            text.flags(words, sqe.op_flags.into());
            (name, Value::Unsigned(sqe.op_flags.into()))
        }
        Number(name) => {
            text.hex(sqe.op_flags);
            (name, Value::Unsigned(sqe.op_flags.into()))
        }
    };
    Some(Field { name, text: text.finish().into(), value })
}
