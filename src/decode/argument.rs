//! One argument, by its kind: one exhaustive match.

use super::{
    captured, clone, errno, file, handle, io, ioctl, mapping, mount, net, number, process, ptrace, quota,
    raw::{Raw, int, uint},
    sched, shape, signal, special,
    text::Text,
};
use crate::{
    model::{StraceForm, Value},
    syscall::{Kind, Len, Shape, words},
    wire::Part,
};

/// What an argument means where another one decides.
fn chosen(raw: &Raw<'_>, other: u8, cases: &'static [(u64, &'static Kind)], otherwise: &'static Kind) -> &'static Kind {
    let value = raw.register(other);
    let case = cases.iter().find(|(wanted, _)| *wanted == value || *wanted == u64::from(uint(value)));
    case.map_or(otherwise, |(_, kind)| kind)
}

/// Whether an argument is shown at all.
pub(super) fn is_printed(raw: &Raw<'_>, kind: &Kind) -> bool {
    match *kind {
        Kind::Hidden => false,
        Kind::If(other, bits, inner) => raw.register(other) & bits != 0 && is_printed(raw, inner),
        Kind::IfAll(other, bits, inner) => raw.register(other) & bits == bits && is_printed(raw, inner),
        Kind::Unless(other, value, inner) => raw.register(other) != value && is_printed(raw, inner),
        Kind::Switch(other, cases, otherwise) => is_printed(raw, chosen(raw, other, cases, otherwise)),
        Kind::IfDevice(other, _) => matches!(uint(raw.register(other)) & libc::S_IFMT, libc::S_IFCHR | libc::S_IFBLK),
        _ => true,
    }
}

/// A register as a signed number of the ABI's word.
#[allow(clippy::cast_possible_wrap, reason = "the sign is wanted")]
fn long(raw: &Raw<'_>, register: u64) -> i64 {
    if raw.abi.word() == 4 { i64::from(int(register)) } else { register as i64 }
}

/// A 64-bit number: two registers in 32-bit ABIs, the lower half first.
fn wide(raw: &Raw<'_>, index: u8) -> u64 {
    let register = raw.register(index);
    if raw.abi.word() == 4 { register & 0xffff_ffff | raw.register(index + 1) << 32 } else { register }
}

/// Writes an argument and returns its value for programs.
pub(super) fn print(text: &mut Text<'_>, raw: &Raw<'_>, index: u8, kind: &Kind) -> Value {
    let register = raw.register(index);
    let signed = Value::Signed(i64::from(int(register)));
    let unsigned = Value::Unsigned(register);
    match kind {
        Kind::Int => {
            text.signed(int(register));
            signed
        }
        Kind::Uint => {
            text.unsigned(uint(register));
            Value::Unsigned(uint(register).into())
        }
        Kind::Long => {
            text.signed(long(raw, register));
            Value::Signed(long(raw, register))
        }
        Kind::Size => {
            text.unsigned(register);
            unsigned
        }
        Kind::Wide => {
            let value = wide(raw, index).cast_signed();
            text.signed(value);
            Value::Signed(value)
        }
        Kind::WideSize => {
            text.unsigned(wide(raw, index));
            Value::Unsigned(wide(raw, index))
        }
        Kind::WideFlags(words) => {
            text.flags(words, wide(raw, index));
            Value::Unsigned(wide(raw, index))
        }
        Kind::HighLow => {
            let value = (register << 32 | raw.register(index + 1) & 0xffff_ffff).cast_signed();
            text.signed(value);
            Value::Signed(value)
        }
        Kind::Hex => {
            text.hex(register);
            unsigned
        }
        Kind::Hex32 => {
            text.hex(uint(register));
            Value::Unsigned(uint(register).into())
        }
        Kind::RseqLength => {
            match raw.style.strace {
                StraceForm::V6_1 => text.hex(uint(register)),
                StraceForm::Newest => text.unsigned(uint(register)),
            }
            unsigned
        }
        Kind::Pages => {
            text.hex(u64::from(uint(register)) * 4096);
            Value::Unsigned(u64::from(uint(register)) * 4096)
        }
        Kind::Addr => {
            text.addr(register);
            unsigned
        }
        Kind::Octal => {
            text.octal(uint(register));
            unsigned
        }
        Kind::Fd => {
            text.fd(int(register));
            signed
        }
        Kind::DirFd => {
            io::dir_fd(text, int(register));
            signed
        }
        Kind::FanFd => {
            match int(register) {
                -1 => number::signed_word(text, &words::file::FAN_NOFD, -1),
                fd => io::dir_fd(text, fd),
            }
            signed
        }
        Kind::Pid => {
            text.signed(int(register));
            signed
        }
        Kind::Id => {
            number::id(text, uint(register));
            signed
        }
        Kind::Mode => {
            text.mode(uint(register) & 0xffff);
            unsigned
        }
        Kind::FileMode => {
            file::mode(text, uint(register) & 0xffff);
            unsigned
        }
        Kind::Dev => {
            file::device(text, uint(register).into());
            unsigned
        }
        Kind::Signal => {
            signal::number(text, int(register));
            signed
        }
        Kind::Flags(words) => {
            text.flags(words, uint(register).into());
            Value::Unsigned(uint(register).into())
        }
        Kind::LongFlags(words) => {
            text.flags(words, register);
            unsigned
        }
        Kind::Enum(words) => {
            text.word(words, uint(register).into());
            signed
        }
        Kind::IntEnum(words) if text.known(words, uint(register).into()).is_none() => {
            text.signed(int(register));
            signed
        }
        Kind::IntEnum(words) => {
            text.word(words, uint(register).into());
            signed
        }
        Kind::LongEnum(words) => {
            text.word(words, register);
            unsigned
        }
        Kind::OpenFlags => {
            file::open_flags(text, uint(register));
            Value::Unsigned(uint(register).into())
        }
        Kind::MapFlags => {
            mapping::flags(text, register);
            unsigned
        }
        Kind::Split(mask, first, rest) => {
            let chosen = u64::from(uint(register) & mask);
            match first.word(chosen) {
                None if first.unknown.is_empty() => text.flags(first, chosen),
                _ => text.word(first, chosen),
            }
            text.more_flags(rest, (uint(register) & !mask).into());
            Value::Unsigned(uint(register).into())
        }
        Kind::MountType => mount::kind(text, raw, index),
        Kind::MountFlags => {
            mount::flags(text, register);
            unsigned
        }
        Kind::MountData => mount::data(text, raw, index),
        Kind::SwapFlags => {
            mount::swap_flags(text, uint(register));
            unsigned
        }
        Kind::MemfdFlags => {
            mapping::memfd_flags(text, uint(register));
            unsigned
        }
        Kind::PolicyMode => {
            mapping::policy(text, register);
            unsigned
        }
        Kind::QuotaCmd => {
            quota::command(text, uint(register));
            unsigned
        }
        Kind::Ioctl => {
            ioctl::command(text, raw.abi, uint(register));
            Value::Unsigned(uint(register).into())
        }
        Kind::HandleOut => {
            handle::filled(text, raw, index);
            unsigned
        }
        Kind::Nodes(other) => {
            mapping::nodes(text, raw, index, raw.register(*other));
            unsigned
        }
        Kind::NodesOut(_) if raw.failed() => {
            text.addr(register);
            unsigned
        }
        Kind::NodesOut(other) => {
            mapping::nodes(text, raw, index, raw.register(*other));
            unsigned
        }
        Kind::CloneFlags => {
            clone::flags(text, register);
            unsigned
        }
        Kind::Signed(words) => {
            number::signed_word(text, words, int(register));
            signed
        }
        Kind::Commented(words) => {
            text.signed(int(register));
            text.comment(text.known(words, uint(register).into()).unwrap_or(words.unknown));
            signed
        }
        Kind::HexCommented(words) => {
            text.hex(register);
            text.explanation(text.known(words, register).unwrap_or(words.unknown));
            unsigned
        }
        Kind::Hex32Commented(words) => {
            text.hex(uint(register));
            text.explanation(text.known(words, uint(register).into()).unwrap_or(words.unknown));
            Value::Unsigned(uint(register).into())
        }
        Kind::VectorLength => {
            special::vector_length(text, register);
            unsigned
        }
        Kind::TaggedAddr => {
            special::tagged_addr(text, register);
            unsigned
        }
        Kind::Clock => {
            special::clock(text, int(register));
            signed
        }
        Kind::ModeFlags(words) => {
            special::mode_flags(text, words, uint(register));
            unsigned
        }
        Kind::ShmFlags => {
            special::shm_flags(text, uint(register));
            unsigned
        }
        Kind::IpcCmd(words) => {
            special::ipc_cmd(text, words, uint(register));
            unsigned
        }
        Kind::IoPriority => {
            special::io_priority(text, uint(register));
            unsigned
        }
        Kind::Personality => {
            special::personality(text, uint(register));
            unsigned
        }
        Kind::WakeOp => {
            special::wake_op(text, uint(register));
            unsigned
        }
        Kind::KexecFlags => {
            special::kexec_flags(text, register);
            unsigned
        }
        Kind::Errno => {
            special::errno(text, uint(register));
            unsigned
        }
        Kind::OldMask => {
            signal::mask(text, register & 0xffff_ffff, 32);
            unsigned
        }
        Kind::Handler => {
            special::handler(text, register);
            unsigned
        }
        Kind::UserOffset => {
            ptrace::user_offset(text, raw, register);
            unsigned
        }
        Kind::Id16 => {
            number::id16(text, uint(register) & 0xffff);
            signed
        }
        Kind::Switch(other, cases, otherwise) => print(text, raw, index, chosen(raw, *other, cases, otherwise)),
        Kind::FutexOp => {
            sched::futex_op(text, uint(register));
            unsigned
        }
        Kind::FutexBits => {
            if uint(register) == u32::MAX {
                text.either(|text| text.hex(u32::MAX), |text| text.push("FUTEX_BITSET_MATCH_ANY"))
            } else {
                text.hex(uint(register))
            }
            unsigned
        }
        Kind::SocketType
        | Kind::SocketProtocol
        | Kind::GetOption
        | Kind::SetOption
        | Kind::PeerAddress(_)
        | Kind::PeerLength(_)
        | Kind::In(Shape::Sockaddr | Shape::Message | Shape::SockOpt | Shape::SocketData, _)
        | Kind::Out(Shape::SockOpt | Shape::SocketData, _)
        | Kind::OutAlways(Shape::Messages, _)
        | Kind::InOut(Shape::Message | Shape::Messages, _) => {
            net::argument(text, raw, index, kind);
            unsigned
        }
        Kind::Path => io::string(text, raw, index, true),
        Kind::Str | Kind::Contents => io::string(text, raw, index, false),
        Kind::In(shape, len) => captured::memory(text, raw, index, *shape, *len, true),
        Kind::Out(shape, len) => captured::memory(text, raw, index, *shape, *len, !raw.failed()),
        Kind::OutIfAny(shape) => {
            captured::memory(text, raw, index, *shape, Len::One, raw.ret.is_some_and(|ret| ret > 0))
        }
        Kind::OutAlways(shape, len) => captured::memory(text, raw, index, *shape, *len, true),
        Kind::OutIfRestart(shape, len) => {
            let restart = raw.ret.is_some_and(|ret| errno::restart(ret).is_some());
            captured::memory(text, raw, index, *shape, *len, restart)
        }
        Kind::InOut(shape, len) => captured::changed(text, raw, index, *shape, *len),
        Kind::Corrected(shape, _) => captured::memory(text, raw, index, *shape, Len::One, true),
        Kind::Before(shape, len) => match raw.piece(index, Part::PART_START).filter(|_| register != 0) {
            Some(bytes) => shape::print(text, raw, index, *shape, *len, bytes),
            None => captured::unknown(text, raw, index, *shape, false),
        },
        Kind::Moved(shape) => captured::moved(text, raw, index, *shape),
        Kind::Both(shape) => {
            captured::both(text, raw, index, *shape);
            unsigned
        }
        Kind::Strings => process::strings(text, raw, index),
        Kind::StringCount => process::string_count(text, raw, index),
        Kind::If(_, _, inner) | Kind::IfAll(_, _, inner) | Kind::Unless(_, _, inner) | Kind::IfDevice(_, inner) => {
            print(text, raw, index, inner)
        }
        Kind::Choose(other, bits, first, second) => {
            print(text, raw, index, if raw.register(*other) & bits != 0 { first } else { second })
        }
        Kind::Label(label, inner) => {
            text.push(label);
            text.push("=");
            print(text, raw, index, inner)
        }
        Kind::Hidden => unsigned,
    }
}
