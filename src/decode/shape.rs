//! Memory by its shape: one exhaustive match, each structure in the small file of its family.

use super::{
    call::Raw,
    clone, fcntl, file, io,
    memory::Memory,
    number, poll, process, signal, socket,
    text::Text,
    time,
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
        Shape::Stat => file::stat,
        Shape::Statx => file::statx,
        Shape::Statfs => file::statfs,
        Shape::OpenHow => file::open_how,
        Shape::Flock => fcntl::flock,
        Shape::Timespec => time::timespec,
        Shape::TimespecPair => time::timespec_pair,
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
        Shape::Sysinfo => process::sysinfo,
        Shape::RobustList => process::robust_list,
        Shape::Rseq => process::rseq,
        Shape::WaitStatus => process::wait_status,
        Shape::SchedParam => process::sched_param,
        Shape::CpuSet => process::cpu_set,
        Shape::CloneArgs => clone::args,
        Shape::SigAction => signal::action,
        Shape::SigSet => signal::set,
        Shape::SigFrame => signal::frame,
        Shape::SigStack => signal::stack,
        Shape::SigInfo => signal::siginfo,
        Shape::PollFd => poll::pollfd,
        Shape::EpollEvent => poll::epoll_event,
        Shape::FdSet => poll::fd_set,
        Shape::Sockaddr => socket::address,
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
    match shape {
        Shape::Bytes => {
            let more = raw.count(len) > bytes.len() as u64;
            text.string(bytes, more);
            return Value::Bytes(bytes.into());
        }
        Shape::PathBytes => {
            text.string(bytes, false);
            return Value::Bytes(bytes.into());
        }
        Shape::PathString => {
            let bytes = bytes.strip_suffix(&[0]).unwrap_or(bytes);
            io::path(text, bytes);
            return Value::Bytes(bytes.into());
        }
        Shape::Iovec => io::iovec(text, raw, index, raw.count(len)),
        Shape::Message => socket::message(text, raw, index),
        Shape::Messages => socket::messages(text, raw, index),
        Shape::SockOpt => text.addr(raw.register(index)),
        Shape::Dirents | Shape::DirentsOld => text.addr(raw.register(index)),
        _ => numbers(text, raw, shape, len, bytes),
    }
    address
}

/// One structure, or an array of them.
fn structures(text: &mut Text<'_>, raw: &Raw<'_>, index: u8, shape: Shape, len: Len, bytes: &[u8], print: Printer) {
    let size = shape.size(raw.abi.word());
    if len == Len::One || size == 1 {
        let mut memory = raw.structure(bytes, shape);
        let before = text.len();
        print(text, &mut memory);
        if memory.is_short() {
            text.truncate(before);
            text.addr(raw.register(index));
        }
        return;
    }
    elements(text, raw, raw.count(len), size, bytes, print);
}

/// strace shows so many elements of an array unless asked for all.
const ELEMENTS_SHOWN: usize = 32;

/// An array in brackets; `...` where it goes on behind what was captured or is shown.
fn elements(text: &mut Text<'_>, raw: &Raw<'_>, count: u64, size: usize, bytes: &[u8], print: Printer) {
    let limit = if raw.style.verbose { usize::MAX } else { ELEMENTS_SHOWN };
    text.bracketed(|text| {
        let mut shown = 0;
        for element in bytes.chunks_exact(size).take(limit) {
            if shown > 0 {
                text.push(", ");
            }
            print(text, &mut Memory::new(element, 0, raw.abi.word()));
            shown += 1;
        }
        if count > shown {
            if shown > 0 {
                text.push(", ");
            }
            text.push("...");
        }
    });
}

/// One number in brackets, or an array of them.
fn numbers(text: &mut Text<'_>, raw: &Raw<'_>, shape: Shape, len: Len, bytes: &[u8]) {
    let size = shape.size(raw.abi.word());
    text.bracketed(|text| {
        for (n, element) in bytes.chunks_exact(size).enumerate() {
            if n > 0 {
                text.push(", ");
            }
            if n == ELEMENTS_SHOWN && !raw.style.verbose {
                return text.push("...");
            }
            number(text, raw, shape, element);
            if len == Len::One {
                return;
            }
        }
    });
}
