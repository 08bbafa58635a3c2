//! Structures whose text depends on the call around them: another argument, what a pointer in them
//! points to, or how the call went.

use super::{
    aio, bpf, caps, clone, filter, ipc, key, layout, ldt, memory::Memory, mount, perf, poll, process, ptrace, raw::Raw,
    ring, sched, signal, text::Text, uring,
};
use crate::{
    model::StraceForm,
    syscall::{Len, Shape, words},
    wire::Part,
};

/// Writes such a structure; false if the shape is none.
pub(super) fn print(text: &mut Text<'_>, raw: &Raw<'_>, index: u8, shape: Shape, len: Len, bytes: &[u8]) -> bool {
    let word = raw.abi.word();
    let mut memory = Memory::new(bytes, 0, word);
    let enough = bytes.len() >= shape.size(word);
    match shape {
        Shape::PerfAttr => perf::attr(text, raw, index, bytes),
        Shape::CloneArgs => clone::args(text, raw, index, bytes),
        Shape::FdSet => poll::fd_set(text, raw, index, bytes),
        Shape::OldSelect => poll::old_select(text, raw, index),
        Shape::CpuSet => sched::cpu_set(text, raw, len, bytes),
        Shape::SchedAttr => sched::sized_attr(text, raw, index, bytes),
        Shape::SizedSigSet => {
            let size = raw.count(len);
            let least = if raw.row.is_some_and(|row| row.name == "rt_sigpending") { 1 } else { word as u64 };
            if size < least || size > 8 || (bytes.len() as u64) < size {
                text.addr(raw.register(index));
            } else {
                signal::sized_set(text, bytes);
            }
        }
        Shape::SigSetPack => sigset_pack(text, raw, index, bytes),
        Shape::OldSigFrame => signal::old_frame(text, raw, index),
        Shape::CapData => caps::data(text, raw, index, bytes),
        Shape::SockFprog => filter::program(text, raw, index, bytes),
        Shape::BpfAttr(_) => bpf::attr(text, raw, index),
        Shape::UringParams => uring::params(text, raw, index),
        Shape::UringRegistered(kind) => ring::registered(text, raw, index, kind, bytes),
        Shape::Iocbs => aio::blocks(text, raw, index, raw.count(len)),
        Shape::Msgbuf => ipc::message(text, raw, index, raw.count(len), bytes),
        Shape::MsgbufBehind => match raw.piece(index, Part::PART_FIRST) {
            Some(message) => ipc::message(text, raw, index, raw.register(2), message),
            None => text.addr(memory.word()),
        },
        Shape::TypeBehind => {
            memory.skip(word);
            text.signed(memory.long());
        }
        Shape::SchedParam => sched::param(text, raw, index, bytes),
        Shape::Rseq if raw.style.strace == StraceForm::V6_1 || !enough => text.addr(raw.register(index)),
        Shape::Rseq => layout::structure(text, &mut memory, &crate::syscall::layout::process::RSEQ),
        Shape::FutexPair if enough => text.array(2, |text, _| {
            layout::structure(text, &mut memory, &crate::syscall::layout::process::FUTEX_WAITV);
        }),
        Shape::FutexPair => text.addr(raw.register(index)),
        Shape::Statmount => mount::answer(text, raw, index, bytes),
        Shape::ListmountRequest => mount::list_request(text, &mut memory),
        Shape::XattrArgs => xattr(text, raw, index, bytes),
        Shape::ShmidDs if enough => ipc::shm(text, raw, &mut memory),
        Shape::MsqidDs if enough => ipc::msg(text, raw, &mut memory),
        Shape::SemidDs | Shape::SemidGeneric if enough => ipc::sem(text, raw, &mut memory),
        Shape::ShmidDs | Shape::MsqidDs | Shape::SemidDs | Shape::SemidGeneric => {
            text.addr(raw.register(index));
        }
        Shape::KdfParams => key::kdf(text, raw, index, bytes),
        Shape::KeyCaps => {
            let count = usize::try_from(raw.count(len)).unwrap_or(usize::MAX).min(bytes.len());
            key::capabilities(text, &bytes[..count]);
        }
        Shape::UserDescEntry => ldt::asked(text, raw, index),
        Shape::SyscallInfo => ptrace::syscall_info(text, raw, index, bytes),
        Shape::Landlock => landlock(text, raw, index, raw.count(len), bytes),
        Shape::Name(most) => name(text, usize::from(most), bytes),
        Shape::Regset => ptrace::regset(text, raw, index),
        Shape::NulBytes => key::string(text, raw.count(len), bytes),
        Shape::KeyInput => key::buffer(text, raw, index, bytes),
        Shape::OldUtsname => process::old_utsname(text, &mut memory, 65),
        Shape::OldOldUtsname => process::old_utsname(text, &mut memory, 9),
        _ => return false,
    }
    true
}

/// What pselect6 takes: `{sigmask=[CHLD], sigsetsize=8}`.
fn sigset_pack(text: &mut Text<'_>, raw: &Raw<'_>, index: u8, bytes: &[u8]) {
    let word = raw.abi.word();
    if bytes.len() < 2 * word {
        return text.addr(raw.register(index));
    }
    let mut memory = Memory::new(bytes, 0, word);
    let (address, size) = (memory.word(), memory.word());
    text.braced(|text| {
        text.field("sigmask");
        match raw.piece(index, Part::PART_FIRST).filter(|_| address != 0 && (word as u64..=8).contains(&size)) {
            Some(set) => signal::sized_set(text, &set[..set.len().min(usize::try_from(size).unwrap_or(8))]),
            None => text.addr(address),
        }
        text.field("sigsetsize").unsigned(size);
    });
}

/// struct xattr_args: of getxattrat's value as much as was returned.
fn xattr(text: &mut Text<'_>, raw: &Raw<'_>, index: u8, bytes: &[u8]) {
    if bytes.len() < 16 {
        return text.addr(raw.register(index));
    }
    let mut memory = Memory::new(bytes, 0, 8);
    let (value, size, flags) = (memory.u64(), memory.u32(), memory.u32());
    let read = raw.row.is_some_and(|row| row.name == "getxattrat");
    let length = if read { raw.ret.and_then(|ret| u32::try_from(ret).ok()).unwrap_or(0) } else { size };
    let known = raw.piece(index, Part::PART_FIRST).filter(|_| !read || (raw.ret.is_some() && !raw.failed()));
    text.braced(|text| {
        text.field("value");
        match known {
            Some(bytes) => {
                let shown = &bytes[..bytes.len().min(usize::try_from(length).unwrap_or(usize::MAX))];
                text.string(shown, u64::from(length) > shown.len() as u64);
            }
            None => text.addr(value),
        }
        text.field("size").unsigned(size);
        text.field("flags").flags(&words::file::XATTR, flags.into());
    });
}

/// struct landlock_ruleset_attr, of which strace 6.1 knows the first field.
fn landlock(text: &mut Text<'_>, raw: &Raw<'_>, index: u8, size: u64, bytes: &[u8]) {
    if size < 8 || bytes.len() < 8 {
        return text.addr(raw.register(index));
    }
    let mut memory = Memory::new(bytes, 0, 8);
    text.braced(|text| {
        text.field("handled_access_fs").flags(&words::security::LANDLOCK_FS, memory.u64());
        let more =
            [("handled_access_net", &words::security::LANDLOCK_NET), ("scoped", &words::security::LANDLOCK_SCOPE)];
        let known = if raw.style.strace == StraceForm::V6_1 { &[][..] } else { &more };
        for (n, (name, words)) in known.iter().enumerate() {
            if size >= 8 * (n as u64 + 2) && memory.left() >= 8 {
                text.field(name).flags(words, memory.u64());
            }
        }
        if size > 8 * (known.len() as u64 + 1) {
            text.push(", ...");
        }
    });
}

/// A NUL-terminated string in a field of so many bytes.
fn name(text: &mut Text<'_>, most: usize, bytes: &[u8]) {
    let shown = &bytes[..bytes.len().min(most)];
    let end = shown.iter().position(|byte| *byte == 0);
    text.string(&shown[..end.unwrap_or(shown.len())], end.is_none());
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::decode::style::Style;

    #[test]
    fn names_end_at_their_nul() {
        let shown = |bytes: &[u8]| {
            let style = Style::default();
            let mut text = Text::new(&style);
            name(&mut text, 15, bytes);
            text.finish()
        };
        assert_eq!(shown(b"worker\0"), "\"worker\"");
        assert_eq!(shown(b"a-name-of-fifteen\0"), "\"a-name-of-fifte\"...");
    }
}
