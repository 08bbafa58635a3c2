//! Memory by its shape: one exhaustive match, each structure in the small file of its family.

use super::{
    aio, array, context, device, event, extent, fcntl, file, handle, io, layout, ldt, mapping, memory::Memory, mount,
    net, number, poll, process, ptrace, quota, raw::Raw, ring, siginfo, signal, stat, terminal, text::Text, time,
    watch,
};
use crate::{
    model::Value,
    syscall::{Len, Shape},
};

pub(super) use number::{is_number, number};

type Printer = fn(&mut Text<'_>, &mut Memory<'_>);

/// How a structure is printed that needs nothing but its own bytes.
fn plain(shape: Shape) -> Option<Printer> {
    Some(match shape {
        Shape::FdPair => io::fd_pair,
        Shape::Stat => stat::stat,
        Shape::StatGeneric => stat::generic,
        Shape::Stat64 => stat::stat64,
        Shape::OldStat => stat::old_stat,
        Shape::Statx => stat::statx,
        Shape::Statfs64 => file::statfs64,
        Shape::FlockGet => fcntl::flock_told,
        Shape::Flock64 => fcntl::flock64,
        Shape::Flock64Get => fcntl::flock64_told,
        Shape::OwnerEx => fcntl::owner,
        Shape::Span => io::span,
        Shape::MountAttr => mount::attributes,
        Shape::StatmountRequest => mount::request,
        Shape::FileHandle => handle::handle,
        Shape::Residency => mapping::residency,
        Shape::PageStatus => mapping::page_status,
        Shape::PolicyCell => mapping::policy_cell,
        Shape::MmapArgs => mapping::arguments,
        Shape::CachestatRange => mapping::cache_range,
        Shape::Cachestat => mapping::cache_status,
        Shape::OldDirent => io::old_entry,
        Shape::QuotaFormat => quota::format,
        Shape::Dqblk => quota::quota,
        Shape::NextDqblk => quota::next_quota,
        Shape::Dqinfo => quota::info,
        Shape::XfsDiskQuota => quota::xfs_quota,
        Shape::XfsQuotaStat => quota::xfs_status,
        Shape::XfsQuotaStatv => quota::xfs_statusv,
        Shape::XfsQuotaFlags => quota::xfs_flags,
        Shape::XfsQuotaKinds => quota::xfs_kinds,
        Shape::Termios => terminal::termios,
        Shape::Termios2 => terminal::termios2,
        Shape::Termio => terminal::termio,
        Shape::Winsize => terminal::winsize,
        Shape::KbdType => terminal::keyboard_type,
        Shape::KbdMode => terminal::keyboard_mode,
        Shape::ConsoleMode => terminal::console_mode,
        Shape::ModemFlags => terminal::modem_flags,
        Shape::FsFlags => extent::flags,
        Shape::FsxattrGet => extent::attributes,
        Shape::FsxattrSet => extent::new_attributes,
        Shape::CloneRange => extent::clone_range,
        Shape::FsLabel => extent::label,
        Shape::FstrimRange => extent::trim,
        Shape::HdGeometry => device::geometry,
        Shape::PairU64 => device::pair,
        Shape::Uint16 => device::short,
        Shape::LoopInfo => device::loop_info,
        Shape::LoopInfo64 => device::loop_info64,
        Shape::LoopConfig => device::loop_config,
        Shape::RtcTime => device::rtc_time,
        Shape::RtcAlarm => device::rtc_alarm,
        Shape::RtcPll => device::rtc_pll,
        Shape::RtcVoltage => device::rtc_voltage,
        Shape::EntropyPool => device::entropy,
        Shape::UffdRange => watch::range,
        Shape::SeccompResponse => watch::response,
        Shape::SeccompAddfd => watch::addfd,
        Shape::Statfs => file::statfs,
        Shape::OpenHow => file::open_how,
        Shape::Flock => fcntl::flock,
        Shape::Timespec => time::timespec,
        Shape::TimespecPair => time::timespec_pair,
        Shape::TimespecPair64 => time::timespec_pair64,
        Shape::Timeval => time::timeval,
        Shape::TimevalPair => time::timeval_pair,
        Shape::Timezone => time::timezone,
        Shape::Itimerval => time::itimerval,
        Shape::Itimerspec => time::itimerspec,
        Shape::Utimbuf => time::utimbuf,
        Shape::Tms => time::tms,
        Shape::Rlimit => process::rlimit,
        Shape::Rlimit64 => process::rlimit64,
        Shape::Rusage => process::rusage,
        Shape::Utsname => process::utsname,
        Shape::WaitStatus => process::wait_status,
        Shape::SigAction => signal::action,
        Shape::SigSet => signal::set,
        Shape::SigFrame => signal::frame,
        Shape::SigStack => signal::stack,
        Shape::SigInfo => siginfo::siginfo,
        Shape::OldSigSet => signal::old_set,
        Shape::OldSigAction => signal::old_action,
        Shape::Timespec64 => time::timespec64,
        Shape::Itimerspec64 => time::itimerspec64,
        Shape::SigEvent => event::sigevent,
        Shape::UringRestriction => ring::restriction,
        Shape::Iocb => aio::head_alone,
        Shape::UserDesc => ldt::descriptor,
        Shape::UserRegs => ptrace::registers,
        Shape::PollFd => poll::pollfd,
        Shape::EpollEvent => poll::epoll_event,
        Shape::EpollEventWide => poll::epoll_event_wide,
        Shape::Sockaddr => net::address::whole,
        Shape::InterfaceIndex => net::request::port,
        _ => return None,
    })
}

/// Writes an argument's memory.
pub(super) fn print(text: &mut Text<'_>, raw: &Raw<'_>, index: u8, shape: Shape, len: Len, bytes: &[u8]) -> Value {
    let address = Value::Unsigned(raw.register(index));
    if let Some(printer) = plain(shape) {
        structures(text, raw, index, shape, len, bytes, printer);
        return address;
    }
    if context::print(text, raw, index, shape, len, bytes) {
        return address;
    }
    if let Shape::Struct(layout) = shape {
        structures(text, raw, index, shape, len, bytes, |text, memory| layout::structure(text, memory, layout));
        return address;
    }
    match shape {
        Shape::Bytes => {
            let more = raw.count(len) > bytes.len() as u64;
            text.string(bytes, more);
            return Value::Bytes(bytes.into());
        }
        Shape::PathBytes => {
            text.string(bytes, raw.count(len) > bytes.len() as u64);
            return Value::Bytes(bytes.into());
        }
        Shape::HexBytes => {
            text.hex_string(bytes, raw.count(len) > bytes.len() as u64);
            return Value::Bytes(bytes.into());
        }
        Shape::XattrValue => {
            const MOST: u64 = 65_536;
            if raw.count(len) > MOST {
                text.addr(raw.register(index));
                return address;
            }
            xattr_value(text, raw.count(len), bytes);
            return Value::Bytes(bytes.into());
        }
        Shape::PathString => {
            let bytes = bytes.strip_suffix(&[0]).unwrap_or(bytes);
            io::path(text, bytes);
            return Value::Bytes(bytes.into());
        }
        Shape::InterfaceSet => {
            let from = text.len();
            if !net::request::set(text, raw, bytes) {
                text.truncate(from);
                text.addr(raw.register(index));
            }
        }
        Shape::Iovec => io::iovec(text, raw, index, raw.count(len)),
        Shape::SockOpt => text.addr(raw.register(index)),
        Shape::Dirents | Shape::DirentsOld => {
            io::directory(text, &mut Memory::new(bytes, 0, raw.abi.word()), shape, raw.count(len));
        }
        _ => numbers(text, raw, index, shape, len, bytes),
    }
    address
}

/// An extended attribute's value: the NUL that ends many of them is not shown.
fn xattr_value(text: &mut Text<'_>, length: u64, bytes: &[u8]) {
    let shown = &bytes[..bytes.len().min(text.style().string_limit)];
    match shown.strip_suffix(&[0]) {
        Some(ended) if !text.is_hex(shown) => text.string(ended, false),
        // In hexadecimal no byte is left out.
        _ => text.string(shown, length > shown.len() as u64),
    }
}

/// One structure, or an array of them.
fn structures(
    text: &mut Text<'_>,
    raw: &Raw<'_>,
    index: u8,
    shape: Shape,
    len: Len,
    bytes: &[u8],
    print: impl Fn(&mut Text<'_>, &mut Memory<'_>),
) {
    let size = shape.size(raw.abi.word());
    if len == Len::One || (size == 1 && shape != Shape::Residency) {
        let mut memory = raw.structure(bytes, shape);
        if len != Len::One {
            memory = memory.told(raw.count(len));
        }
        let before = text.len();
        print(text, &mut memory);
        let cut = len == Len::One && bytes.len() < shape.kept(raw.abi.word()).1;
        if memory.is_short() || cut {
            text.truncate(before);
            text.addr(raw.register(index));
        }
        return;
    }
    array::elements(text, raw, raw.register(index), raw.count(len), bytes, size, |text, element| {
        print(text, &mut Memory::new(element, 0, raw.abi.word()));
    });
}

/// One number in brackets, or an array of them.
fn numbers(text: &mut Text<'_>, raw: &Raw<'_>, index: u8, shape: Shape, len: Len, bytes: &[u8]) {
    let size = shape.size(raw.abi.word());
    if len == Len::One {
        if bytes.len() < size {
            return text.addr(raw.register(index));
        }
        return text.bracketed(|text| {
            number(text, raw, shape, bytes);
        });
    }
    array::elements(text, raw, raw.register(index), raw.count(len), bytes, size, |text, element| {
        number(text, raw, shape, element);
    });
}
