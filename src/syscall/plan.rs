//! What the kernel side captures, derived from the rows: one exhaustive match over the kinds.
//!
//! In-memory and out-memory are copied at the call's end. What the kernel overwrites, and everything
//! of calls that take the old memory with them, is copied at the start into a record of its own.

use crate::{model::Stacks, skel::types};

use super::{
    abi::{self, Abi},
    filter::Filter,
    row::{Arg, Kind, Len, Ret, register_kinds},
    shape::{Behind, Inside, Shape},
};

/// Upper bound of one captured piece, bytes: bpf/record.h's PIECE_MOST.
pub const PIECE_MOST: u16 = 4096;
/// The largest structure that a socket option has, bytes.
const SOCKET_OPTION: usize = 264;
const PLANS: usize = size_of::<Plans>() / size_of::<types::plan>();
const CASES: usize = size_of::<CaseValues>() / size_of::<types::case_value>();
/// Elements of an array that are kept at most: as many as bytes of a string are shown, and one more.
/// Pieces of memory that are copied at each end of a call: bpf/plan.h's GRABS.
const GRABS: usize = 6;
/// Pairs of arguments that may point to the same memory: bpf/plan.h's ALIASES.
const ALIASES: usize = 2;
const ELEMENTS_MOST: usize = 256;

type Plans = [types::plan; 2048];
type CaseValues = [types::case_value; 4096];

/// What a recording asks for.
#[derive(Clone, Debug)]
pub struct Wanted {
    /// Which calls are recorded at all.
    pub filter: Filter,
    /// Bytes of a string or buffer that are kept.
    pub string_limit: u32,
    /// Whether buffers (read, write, send ...) are kept at all; paths and structures always are.
    pub payload: bool,
    /// Whether structures are kept whole, for `-v`.
    pub verbose: bool,
    /// Whether it is kept what descriptors stand for.
    pub descriptors: bool,
    /// Only calls that lasted at least so many nanoseconds.
    pub slower_than: u64,
    /// Of which calls it is kept where they were made.
    pub stacks: Stacks,
}

impl Wanted {
    /// Whether requests of io_uring's are recorded: they are where the call that submits them is.
    pub fn uring(&self) -> bool {
        self.filter.wants_uring(Abi::native(false))
    }
}

impl Default for Wanted {
    fn default() -> Self {
        Self {
            filter: Filter::default(),
            string_limit: 32,
            payload: true,
            verbose: false,
            descriptors: false,
            slower_than: 0,
            stacks: Stacks::None,
        }
    }
}

/// Fills the kernel side's tables.
pub fn fill(plans: &mut Plans, values: &mut CaseValues, wanted: &Wanted) {
    let mut next_plan = 2 * usize::from(abi::NUMBERS);
    let mut next_value = 0;
    for compat in [false, true] {
        let abi = Abi::native(compat);
        let base = if compat { usize::from(abi::NUMBERS) } else { 0 };
        for nr in 0..abi::NUMBERS {
            let row = abi::row(abi, nr);
            let mut plan = row.map_or_else(unknown, |row| plan(row.args, &row.ret, abi, wanted));
            if !wanted.filter.wants(abi, nr) {
                plan.flags.0 &= !types::plan_flag::PLAN_RECORD.0;
            } else if let Some(row) = row
                && let Some(cases) = row.cases
            {
                let mut entries: Vec<(u32, u32)> = Vec::new();
                for case in cases.list {
                    if next_plan >= PLANS {
                        break;
                    }
                    let mut plan = self::plan(case.args, &case.ret, abi, wanted);
                    if cases.words {
                        from_words(&mut plan);
                    } else if wanted.descriptors {
                        tell_files(&mut plan, row.name, case.args, &case.ret);
                    }
                    plans[next_plan] = plan;
                    entries.extend(
                        case.values
                            .iter()
                            .map(|value| (low(*value) & cases.mask, u32::try_from(next_plan).expect("few plans"))),
                    );
                    next_plan += 1;
                }
                entries.sort_unstable();
                entries.truncate(CASES - next_value);
                plan.case_arg = cases.arg;
                plan.case_mask = cases.mask;
                plan.first_case = u16::try_from(next_value).expect("few cases");
                plan.cases = u16::try_from(entries.len()).expect("few cases");
                for (value, plan) in entries {
                    values[next_value] = types::case_value { value, plan };
                    next_value += 1;
                }
            }
            if wanted.descriptors
                && let Some(row) = row
            {
                tell_files(&mut plan, row.name, row.args, &row.ret);
            }
            plans[base + usize::from(nr)] = plan;
        }
    }
}

/// Makes a call's plan tell what the descriptors stand for that it makes.
fn tell_files(plan: &mut types::plan, name: &str, args: &[Arg], ret: &Ret) {
    let pair = args.iter().find(|arg| matches!(arg.kind, Kind::Out(Shape::FdPair, _)));
    let files = match (name, pair) {
        ("chdir" | "fchdir", _) => types::files::FILES_CWD,
        ("bind" | "connect" | "listen", _) => types::files::FILES_ARG,
        (_, Some(_)) => types::files::FILES_PAIR,
        _ if matches!(ret, Ret::Fd | Ret::NewFd) => types::files::FILES_RESULT,
        _ => return,
    };
    if plan.writer.0 <= types::writer::WRITER_CAPTURE.0 {
        plan.writer = types::writer::WRITER_FILE;
        plan.files = files;
        plan.pair_arg = u8::from(pair.is_some_and(|arg| arg.index > 0));
    }
}

#[allow(clippy::cast_possible_truncation, reason = "the low half is wanted")]
const fn low(value: u64) -> u32 {
    value as u32
}

/// The registers of such a call are its number and a pointer: what the plan tells of is behind it.
fn from_words(plan: &mut types::plan) {
    plan.flags.0 |= types::plan_flag::PLAN_WORDS.0;
    plan.flags.0 &= !types::plan_flag::PLAN_ALIAS.0;
    plan.nargs = 2;
    plan.writer.0 = plan.writer.0.max(types::writer::WRITER_CAPTURE.0);
}

fn unknown() -> types::plan {
    types::plan { flags: types::plan_flag::PLAN_RECORD, nargs: 7, ..Default::default() }
}

/// The grabs of one phase, special ones first, as bpf/plan.h wants them.
#[derive(Default)]
struct Phase {
    grabs: Vec<types::grab>,
    writer: types::writer,
}

impl Phase {
    fn add(&mut self, mut grab: types::grab) {
        if grab.by_limit == 0 {
            grab.base = grab.most;
        }
        let writer = writer_of(grab.what);
        if writer == types::writer::WRITER_CAPTURE {
            self.grabs.push(grab);
        } else {
            let at = self.grabs.iter().take_while(|grab| writer_of(grab.what) != types::writer::WRITER_CAPTURE).count();
            self.grabs.insert(at, grab);
        }
        self.writer.0 = self.writer.0.max(writer.0);
    }

    /// A single small structure needs no record of its own: the thread's state keeps it until the end.
    fn take_note(&mut self) -> Option<types::grab> {
        let [grab] = self.grabs[..] else { return None };
        let fits = grab.what == types::what::WHAT_BYTES
            && grab.length == types::length::LENGTH_ONE
            && grab.flags.0 & types::grab_flag::GRAB_START.0 != 0
            && matches!(grab.size, 4 | 8);
        fits.then(|| {
            self.grabs.clear();
            self.writer = types::writer::WRITER_PLAIN;
            grab
        })
    }

    fn array(&self) -> ([types::grab; GRABS], u8) {
        let mut array = [types::grab::default(); GRABS];
        let count = self.grabs.len().min(array.len());
        array[..count].copy_from_slice(&self.grabs[..count]);
        (array, u8::try_from(count).expect("few"))
    }
}

fn writer_of(what: types::what) -> types::writer {
    use types::what as W;
    match what {
        W::WHAT_STRINGS | W::WHAT_COUNT | W::WHAT_STRUCTS => types::writer::WRITER_VECTOR,
        W::WHAT_IOVEC => types::writer::WRITER_IOVEC,
        W::WHAT_MESSAGE | W::WHAT_MESSAGES | W::WHAT_SOCKET_DATA => types::writer::WRITER_MESSAGE,
        W::WHAT_DIRENTS | W::WHAT_DIRENTS_OLD => types::writer::WRITER_DIRENTS,
        W::WHAT_BEHIND | W::WHAT_BEHIND_STRING => types::writer::WRITER_BEHIND,
        _ => types::writer::WRITER_CAPTURE,
    }
}

fn is_gone(ret: &Ret) -> bool {
    matches!(ret, Ret::Gone | Ret::Never)
}

/// The plan of one argument list.
fn plan(args: &[Arg], ret: &Ret, abi: Abi, wanted: &Wanted) -> types::plan {
    let mut start = Phase::default();
    let mut end = Phase::default();
    let gone = is_gone(ret);
    for arg in args {
        let mut grabs = grabs(arg.index, &arg.kind, abi.word(), wanted);
        if gone {
            grabs.start.append(&mut grabs.end);
        }
        for grab in grabs.start.iter_mut().chain(&mut grabs.end) {
            let half = |arg: &Arg| arg.index == grab.length_arg && arg.kind.is_int();
            if grab.length == types::length::LENGTH_ARG && args.iter().any(half) {
                grab.length = types::length::LENGTH_ARG32;
            }
        }
        for mut grab in grabs.start {
            if !gone {
                grab.flags.0 |= types::grab_flag::GRAB_START.0;
            }
            start.add(grab);
        }
        grabs.end.into_iter().for_each(|grab| end.add(grab));
    }
    let note = start.take_note();
    let aliases =
        if gone || !start.grabs.is_empty() { Vec::new() } else { aliases(args, &mut start, &end, abi, wanted) };
    let registers = args.iter().map(|arg| arg.index + registers(&arg.kind, abi)).max().unwrap_or(0).min(6);
    let (grab, count) = end.array();
    let (enter, enter_count) = start.array();
    let mut flags = types::plan_flag::PLAN_RECORD;
    if !aliases.is_empty() {
        flags.0 |= types::plan_flag::PLAN_ALIAS.0;
    } else if gone || enter_count > 0 {
        flags.0 |= types::plan_flag::PLAN_ENTER.0;
    }
    if gone {
        flags.0 |= types::plan_flag::PLAN_ALWAYS.0;
    }
    let mut plan = types::plan {
        flags,
        nargs: registers,
        writer: end.writer,
        enter_writer: start.writer,
        grabs: count,
        enter_grabs: enter_count,
        grab,
        enter,
        ..Default::default()
    };
    if args.iter().any(|arg| names_interfaces(&arg.kind)) {
        plan.flags.0 |= types::plan_flag::PLAN_NETWORK.0;
    }
    plan.aliases = u8::try_from(aliases.len()).expect("few");
    plan.alias[..aliases.len()].copy_from_slice(&aliases);
    if let Some(note) = note {
        plan.flags.0 |= types::plan_flag::PLAN_NOTE.0;
        (plan.note_arg, plan.note_offset, plan.note_size) = (note.arg, note.offset, note.size);
    }
    plan
}

/// Which arguments may be read from where others are written; what they point to is then copied at the
/// start, under the label that it has at the end: who reads pieces finds the first.
fn aliases(args: &[Arg], start: &mut Phase, end: &Phase, abi: Abi, wanted: &Wanted) -> Vec<types::alias> {
    let is_out = |arg: &&Arg| matches!(way(&arg.kind), Way::Out);
    let mut aliases = Vec::new();
    for arg in args.iter().filter(|arg| matches!(way(&arg.kind), Way::In)) {
        let reads = grabs(arg.index, &arg.kind, abi.word(), wanted).end;
        let Some(read) = reads.first().filter(|grab| writer_of(grab.what) == types::writer::WRITER_CAPTURE) else {
            continue;
        };
        let before = aliases.len();
        for out in args.iter().filter(is_out).filter_map(|out| end.grabs.iter().find(|grab| grab.arg == out.index)) {
            let (in_size, out_size) = (reach(read), reach(out));
            aliases.push(types::alias { r#in: arg.index, out: out.arg, in_size, out_size });
        }
        if aliases.len() > before {
            // As the end has it: an int's length is told in half a register.
            end.grabs.iter().filter(|grab| grab.arg == arg.index).for_each(|grab| start.add(*grab));
        }
    }
    aliases.truncate(ALIASES);
    aliases
}

/// Whether an argument may hold numbers of network interfaces, which are shown by name.
fn names_interfaces(kind: &Kind) -> bool {
    match kind {
        Kind::In(shape, _)
        | Kind::Out(shape, _)
        | Kind::OutAlways(shape, _)
        | Kind::InOut(shape, _)
        | Kind::Both(shape)
        | Kind::Before(shape, _)
        | Kind::OutIfAny(shape) => matches!(
            shape,
            Shape::Sockaddr
                | Shape::SockOpt
                | Shape::SocketData
                | Shape::Message
                | Shape::Messages
                | Shape::InterfaceGet
                | Shape::InterfaceList
                | Shape::BpfAttr(_)
                | Shape::InterfaceSet
                | Shape::InterfaceIndex
        ),
        Kind::PeerAddress(_) => true,
        Kind::If(_, _, inner) | Kind::IfAll(_, _, inner) | Kind::Unless(_, _, inner) | Kind::Label(_, inner) => {
            names_interfaces(inner)
        }
        Kind::Choose(_, _, first, second) => names_interfaces(first) || names_interfaces(second),
        _ => false,
    }
}

enum Way {
    In,
    Out,
    Neither,
}

/// Whether a call reads or writes an argument's memory.
fn way(kind: &Kind) -> Way {
    match kind {
        Kind::Path | Kind::Str | Kind::Contents | Kind::In(..) => Way::In,
        Kind::Out(..) | Kind::OutAlways(..) | Kind::OutIfAny(_) | Kind::OutIfRestart(..) => Way::Out,
        Kind::If(_, _, inner) | Kind::IfAll(_, _, inner) | Kind::Unless(_, _, inner) | Kind::Label(_, inner) => {
            way(inner)
        }
        Kind::Choose(_, _, first, second) => match way(first) {
            Way::Neither => way(second),
            way => way,
        },
        _ => Way::Neither,
    }
}

/// How many bytes of memory a grab stands for, at least.
fn reach(grab: &types::grab) -> u16 {
    match grab.length {
        types::length::LENGTH_ONE if grab.what == types::what::WHAT_BYTES => grab.offset + grab.size,
        types::length::LENGTH_ONE => 1,
        // Signal sets, mostly; neighbours on the stack must not count as the same.
        _ => grab.most.min(8),
    }
}

/// How many registers an argument takes.
fn registers(kind: &Kind, abi: Abi) -> u8 {
    match kind {
        Kind::Wide | Kind::WideSize | Kind::WideFlags(_) if abi.word() == 4 => 2,
        Kind::HighLow => 2,
        _ => 1,
    }
}

#[derive(Default)]
struct Grabs {
    start: Vec<types::grab>,
    end: Vec<types::grab>,
}

fn grabs(arg: u8, kind: &Kind, word: usize, wanted: &Wanted) -> Grabs {
    let at_end = |grab| Grabs { start: Vec::new(), end: vec![grab] };
    let string = |most| types::grab { what: types::what::WHAT_STRING, arg, most, ..Default::default() };
    let shown = || limited(string(PIECE_MOST), 2, 1);
    match kind {
        Kind::Path => at_end(string(PIECE_MOST)),
        Kind::Contents if !wanted.payload => Grabs::default(),
        Kind::Contents => at_end(types::grab { contents: 1, ..shown() }),
        Kind::Str => at_end(shown()),
        Kind::Strings => at_end(types::grab { what: types::what::WHAT_STRINGS, arg, ..Default::default() }),
        Kind::StringCount if wanted.verbose => grabs(arg, &Kind::Strings, word, wanted),
        Kind::StringCount => at_end(types::grab { what: types::what::WHAT_COUNT, arg, ..Default::default() }),
        Kind::In(shape, len) => {
            Grabs { start: Vec::new(), end: memory(arg, *shape, *len, word, wanted, Direction::In) }
        }
        Kind::Out(shape, len) => {
            Grabs { start: Vec::new(), end: memory(arg, *shape, *len, word, wanted, Direction::Out) }
        }
        Kind::OutIfAny(shape) => grabs(arg, &Kind::Out(*shape, Len::One), word, wanted),
        Kind::OutAlways(shape, len) => {
            Grabs { start: Vec::new(), end: memory(arg, *shape, *len, word, wanted, Direction::OutAlways) }
        }
        // What the kernel fills counts as out-memory; only what it overwrites is read at the start.
        Kind::InOut(shape @ (Shape::Message | Shape::Messages), len) => Grabs {
            start: headers(arg, *shape, *len, word),
            end: memory(arg, *shape, *len, word, wanted, Direction::Out),
        },
        Kind::PeerAddress(length) => grabs(arg, &Kind::Out(Shape::Sockaddr, Len::At(*length)), word, wanted),
        Kind::PeerLength(_) => grabs(arg, &Kind::InOut(Shape::Int32, Len::One), word, wanted),
        Kind::InOut(shape, len) => Grabs {
            start: before(*shape, memory(arg, *shape, *len, word, wanted, Direction::In)),
            end: memory(arg, *shape, *len, word, wanted, Direction::OutAlways),
        },
        Kind::Before(shape, len) => {
            let start = before(*shape, memory(arg, *shape, *len, word, wanted, Direction::In));
            Grabs { start, end: Vec::new() }
        }
        Kind::Corrected(shape, offset) => {
            let size = types::grab {
                what: types::what::WHAT_BYTES,
                arg,
                size: 4,
                most: 4,
                offset: *offset,
                ..Default::default()
            };
            Grabs { start: vec![size], end: memory(arg, *shape, Len::One, word, wanted, Direction::In) }
        }
        Kind::Moved(shape) => grabs(arg, &Kind::InOut(*shape, Len::One), word, wanted),
        Kind::Both(shape) => Grabs {
            start: memory(arg, *shape, Len::One, word, wanted, Direction::In),
            end: memory(arg, *shape, Len::One, word, wanted, Direction::OutAlways),
        },
        Kind::HandleOut => grabs(arg, &Kind::InOut(Shape::FileHandle, Len::One), word, wanted),
        Kind::Nodes(other) | Kind::NodesOut(other) => {
            let nodes = memory(arg, Shape::NodeWords, Len::Bits(*other), word, wanted, Direction::In);
            Grabs { start: Vec::new(), end: nodes }
        }
        Kind::MountType | Kind::MountData => grabs(arg, &Kind::Str, word, wanted),
        Kind::Choose(_, _, first, second) => {
            let chosen = grabs(arg, first, word, wanted);
            if chosen.start.is_empty() && chosen.end.is_empty() { grabs(arg, second, word, wanted) } else { chosen }
        }
        Kind::If(_, _, inner)
        | Kind::IfAll(_, _, inner)
        | Kind::Unless(_, _, inner)
        | Kind::IfDevice(_, inner)
        | Kind::Label(_, inner) => grabs(arg, inner, word, wanted),
        Kind::OutIfRestart(shape, len) => {
            Grabs { start: Vec::new(), end: memory(arg, *shape, *len, word, wanted, Direction::OutIfFailed) }
        }
        Kind::Switch(_, cases, other) => {
            let mut all = grabs(arg, other, word, wanted);
            for (_, kind) in *cases {
                let more = grabs(arg, kind, word, wanted);
                all.start.extend(more.start);
                all.end.extend(more.end);
            }
            all
        }
        register_kinds!() => Grabs::default(),
    }
}

/// When an argument's memory is copied, in words. Of a call that takes the old memory with it, all is at the start.
pub fn when(kind: &Kind, ret: &Ret) -> &'static str {
    let grabs = grabs(0, kind, 8, &Wanted::default());
    match (grabs.start.is_empty(), grabs.end.is_empty()) {
        (true, true) => "the register alone",
        _ if is_gone(ret) => "memory copied at the start of the call",
        (true, false) => "memory copied at the end of the call",
        (false, true) => "memory copied at the start of the call",
        (false, false) => "memory copied at both ends of the call",
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Direction {
    In,
    Out,
    OutAlways,
    OutIfFailed,
}

/// msg_namelen of a msghdr, or the whole headers of an array of mmsghdr.
fn headers(arg: u8, shape: Shape, len: Len, word: usize) -> Vec<types::grab> {
    let (length, length_arg) = match len {
        Len::Arg(other) => (types::length::LENGTH_ARG, other),
        _ => (types::length::LENGTH_ONE, 0),
    };
    let (offset, size) = if shape == Shape::Message { (clamp(word), 4) } else { (0, clamp(shape.size(word))) };
    let most = if shape == Shape::Message { 4 } else { clamp(shape.size(word) * ELEMENTS_MOST) };
    let what = types::what::WHAT_BYTES;
    vec![types::grab { what, arg, length, length_arg, size, most, offset, ..Default::default() }]
}

/// What may be written over even where the call fails cannot be read then if it was not there at its start: what is
/// left of a time, the version that capget knows.
fn before(shape: Shape, mut grabs: Vec<types::grab>) -> Vec<types::grab> {
    let fleets =
        matches!(shape, Shape::Timeval | Shape::Timespec | Shape::Timespec64 | Shape::OldSelect | Shape::Struct(_));
    grabs.iter_mut().filter(|_| fleets).for_each(|grab| grab.flags.0 |= types::grab_flag::GRAB_FLEETS.0);
    grabs
}

fn clamp(size: usize) -> u16 {
    u16::try_from(size).unwrap_or(PIECE_MOST).min(PIECE_MOST)
}

fn memory(arg: u8, shape: Shape, len: Len, word: usize, wanted: &Wanted, direction: Direction) -> Vec<types::grab> {
    use types::{grab_flag as F, length as L, what as W};
    let (length, length_arg) = match len {
        Len::One => (L::LENGTH_ONE, 0),
        Len::Arg(other) => (L::LENGTH_ARG, other),
        Len::Ret => (L::LENGTH_RET, 0),
        Len::RetOrArg(other) => (L::LENGTH_ARG, other),
        Len::At(other) => (L::LENGTH_AT, other),
        Len::Bits(other) => (L::LENGTH_BITS, other),
        Len::PagesOf(other) => (L::LENGTH_PAGES, other),
        Len::Head => (L::LENGTH_HEAD, arg),
    };
    let what = match shape {
        Shape::PathString | Shape::Name(_) => W::WHAT_STRING,
        Shape::Iocbs => W::WHAT_STRUCTS,
        Shape::Iovec => W::WHAT_IOVEC,
        Shape::Message => W::WHAT_MESSAGE,
        Shape::Messages => W::WHAT_MESSAGES,
        Shape::Dirents | Shape::DirentsOld if wanted.verbose => W::WHAT_BYTES,
        Shape::SocketData => W::WHAT_SOCKET_DATA,
        Shape::Dirents => W::WHAT_DIRENTS,
        Shape::DirentsOld => W::WHAT_DIRENTS_OLD,
        Shape::SigFrame | Shape::OldSigFrame => W::WHAT_SIGFRAME,
        _ => W::WHAT_BYTES,
    };
    let one = shape.size(word);
    let (offset, kept) = if wanted.verbose || len != Len::One { (0, one) } else { shape.kept(word) };
    // Of vectors and messages the kernel side leaves out the buffers.
    let contents = matches!(
        shape,
        Shape::Bytes
            | Shape::HexBytes
            | Shape::XattrValue
            | Shape::NulBytes
            | Shape::KeyInput
            | Shape::SocketData
            | Shape::Msgbuf
            | Shape::EntropyPool
    );
    if contents && !wanted.payload {
        return Vec::new();
    }
    // What goes by the string limit: so many bytes, and so many more for each of it.
    let by_limit = match shape {
        // One byte more than is shown: strace reads it too, and shows nothing where it is not there.
        _ if shape.is_string() => Some((1, 1)),
        Shape::KeyInput => Some((1, 1)),
        // With its NUL, and one byte more than is shown: it can then be seen that it goes on.
        Shape::Name(_) => Some((2, 1)),
        Shape::Msgbuf => Some((word, 1)),
        // Structures that grow: what stands behind the known fields is told if it is not zero.
        Shape::OpenHow | Shape::MountAttr | Shape::Statmount => None,
        Shape::PathString | Shape::Dirents | Shape::DirentsOld | Shape::SocketData | Shape::Sockaddr => None,
        Shape::SockOpt => Some((SOCKET_OPTION, 1)),
        _ if len == Len::One || one == 1 || wanted.verbose => None,
        _ => Some((one, one)),
    };
    let most = match shape {
        _ if shape.is_string() => PIECE_MOST,
        Shape::PathString => PIECE_MOST,
        Shape::Dirents | Shape::DirentsOld => PIECE_MOST,
        Shape::OpenHow | Shape::MountAttr | Shape::Statmount => PIECE_MOST,
        // Netlink messages: the kernel side cuts other data at the string limit.
        Shape::SocketData => u16::MAX,
        Shape::Sockaddr => 128,
        Shape::SockOpt | Shape::KeyInput | Shape::Msgbuf => PIECE_MOST,
        Shape::Name(most) => clamp(usize::from(most) + 2),
        _ if len == Len::One => clamp(kept),
        _ if one == 1 => 1024,
        _ if wanted.verbose => PIECE_MOST,
        _ => clamp(one * ELEMENTS_MOST),
    };
    let mut flags = F::GRAB_ALWAYS;
    if shape == Shape::SockOpt {
        flags.0 |= F::GRAB_NO_KEY.0;
    }
    if direction == Direction::Out {
        flags.0 |= F::GRAB_IF_OK.0;
        if matches!(what, W::WHAT_IOVEC | W::WHAT_MESSAGE | W::WHAT_MESSAGES) || matches!(len, Len::RetOrArg(_)) {
            flags.0 |= F::GRAB_CLAMP_RET.0;
        }
    }
    if shape.is_string() {
        flags.0 |= F::GRAB_WHOLE.0;
    }
    // write(2) and what is like it: argument 0 says for whom.
    if shape == Shape::Bytes && direction == Direction::In && (arg, length_arg) == (1, 2) {
        flags.0 |= F::GRAB_SAID.0;
    }
    if direction == Direction::OutIfFailed {
        flags.0 |= F::GRAB_IF_FAILED.0;
    }
    let size = match shape {
        // The text follows the type; how long it is says an argument.
        Shape::Msgbuf | Shape::KeyInput => usize::from(most),
        _ if len == Len::One => kept,
        _ => one,
    };
    let length = if matches!(shape, Shape::Msgbuf | Shape::KeyInput) { L::LENGTH_ONE } else { length };
    let grab = types::grab {
        what,
        arg,
        length,
        length_arg,
        size: clamp(size),
        most,
        offset: clamp(offset),
        flags,
        part: types::part::PART_DATA,
        contents: u8::from(contents),
        ..Default::default()
    };
    let mut grabs = vec![by_limit.map_or(grab, |(base, more)| limited(grab, base, more))];
    if shape == Shape::OldSigFrame {
        // The upper half of the mask lies behind the state of the floating point unit.
        let upper = types::grab { offset: 712, part: types::part::PART_FIRST, ..grabs[0] };
        grabs.push(upper);
    }
    let is_contents = |behind: &Behind| shape == Shape::MsgbufBehind || matches!(behind.what, Inside::Data { .. });
    let is_kept = |behind: &&Behind| wanted.payload || !is_contents(behind);
    let inner = shape.behind(word).iter().filter(|behind| wanted.verbose || !behind.verbose).filter(is_kept);
    grabs.extend(
        inner.map(|behind| types::grab { contents: u8::from(is_contents(behind)), ..behind_grab(arg, behind, flags) }),
    );
    grabs
}

/// A grab that goes by the string limit, which the kernel side knows: so many bytes, and so many more for each of it. One
/// that grows by more than can be told takes all that it may.
fn limited(grab: types::grab, base: usize, more: usize) -> types::grab {
    match u8::try_from(more) {
        Ok(by_limit) => types::grab { base: clamp(base), by_limit, ..grab },
        Err(_) => grab,
    }
}

/// What a pointer of the structure points to.
fn behind_grab(arg: u8, behind: &Behind, flags: types::grab_flag) -> types::grab {
    use types::{grab_flag as F, length as L, what as W};
    let mut flags = flags;
    if behind.wide {
        flags.0 |= F::GRAB_WIDE.0;
    }
    let (length, length_arg, size, most, by_limit) = match behind.what {
        Inside::Bytes(bytes) => (L::LENGTH_ONE, 0, bytes, bytes, None),
        Inside::Array { count, size } => {
            (L::LENGTH_FIELD, count, size, PIECE_MOST, Some((usize::from(size), usize::from(size))))
        }
        Inside::Array16 { count, size } => (L::LENGTH_FIELD16, count, size, PIECE_MOST, None),
        Inside::Data { count } => (L::LENGTH_FIELD, count, 1, PIECE_MOST, Some((0, 1))),
        Inside::String => (L::LENGTH_ONE, 0, 1, PIECE_MOST, Some((2, 1))),
        Inside::Path => (L::LENGTH_ONE, 0, 1, PIECE_MOST, None),
    };
    let what = match behind.what {
        Inside::String | Inside::Path => W::WHAT_BEHIND_STRING,
        _ => W::WHAT_BEHIND,
    };
    let grab = types::grab {
        what,
        arg,
        length,
        length_arg,
        size,
        most,
        offset: behind.offset,
        flags,
        part: types::part(behind.part),
        ..Default::default()
    };
    by_limit.map_or(grab, |(base, more)| limited(grab, base, more))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::syscall::Row;

    fn of(name: &str) -> types::plan {
        let row: &Row = abi::find(name).unwrap();
        plan(row.args, &row.ret, Abi::X86_64, &Wanted::default())
    }

    #[test]
    fn a_path_is_copied_at_the_end() {
        let plan = of("openat");
        assert_eq!((plan.nargs, plan.grabs, plan.enter_grabs), (4, 1, 0));
        assert_eq!(plan.grab[0].what, types::what::WHAT_STRING);
        assert_eq!(plan.writer, types::writer::WRITER_CAPTURE);
    }

    #[test]
    fn execve_is_copied_at_the_start_vectors_first() {
        let plan = of("execve");
        assert_eq!((plan.grabs, plan.enter_grabs), (0, 3));
        assert_eq!(plan.enter[0].what, types::what::WHAT_STRINGS);
        assert_eq!(plan.enter[1].what, types::what::WHAT_COUNT);
        assert_eq!(plan.enter_writer, types::writer::WRITER_VECTOR);
        assert_ne!(plan.flags.0 & types::plan_flag::PLAN_ENTER.0, 0);
    }

    #[test]
    fn a_plain_call_captures_nothing() {
        let plan = of("getppid");
        assert_eq!((plan.nargs, plan.grabs, plan.writer), (0, 0, types::writer::WRITER_PLAIN));
    }

    #[test]
    fn what_a_call_overwrites_is_compared_with_what_it_reads() {
        let pairs = |name| {
            let plan = of(name);
            assert_eq!(plan.flags.0 & types::plan_flag::PLAN_ALIAS.0 != 0, plan.aliases > 0);
            assert!(plan.aliases == 0 || plan.enter_grabs > 0);
            plan.alias[..usize::from(plan.aliases)].iter().map(|alias| (alias.r#in, alias.out)).collect::<Vec<_>>()
        };
        for (name, pair) in [
            ("nanosleep", (0, 1)),
            ("clock_nanosleep", (2, 3)),
            ("rt_sigaction", (1, 2)),
            ("rt_sigprocmask", (1, 2)),
            ("sigaltstack", (0, 1)),
            ("setitimer", (1, 2)),
            ("timer_settime", (2, 3)),
            ("timerfd_settime", (2, 3)),
            ("prlimit64", (2, 3)),
            ("mq_getsetattr", (1, 2)),
            ("readlink", (0, 1)),
        ] {
            assert_eq!(pairs(name), [pair], "{name}");
        }
        for name in ["openat", "read", "write", "poll", "execve", "getppid"] {
            assert!(pairs(name).is_empty(), "{name}");
        }
    }

    #[test]
    fn numbers_of_interfaces_come_with_their_network() {
        let told = |name| of(name).flags.0 & types::plan_flag::PLAN_NETWORK.0 != 0;
        for name in ["connect", "accept4", "sendto", "recvfrom", "sendmsg", "recvmmsg", "getsockname", "setsockopt"] {
            assert!(told(name), "{name}");
        }
        for name in ["read", "socket", "openat", "epoll_wait"] {
            assert!(!told(name), "{name}");
        }
    }

    #[test]
    fn every_case_has_its_place() {
        let (mut plans, mut values) = (0, 0);
        for abi in [Abi::X86_64, Abi::Ia32] {
            for row in (0..abi::NUMBERS).filter_map(|nr| abi::row(abi, nr)) {
                let cases = row.cases.iter().flat_map(|cases| cases.list);
                plans += cases.clone().count();
                values += cases.map(|case| case.values.len()).sum::<usize>();
            }
        }
        assert!(plans <= PLANS - 2 * usize::from(abi::NUMBERS) && values <= CASES, "{plans} plans, {values} values");
    }

    #[test]
    fn no_row_asks_for_more_than_the_kernel_side_does() {
        for row in super::super::table::rows().chain(super::super::table::ia32_rows()) {
            let lists = row.cases.iter().flat_map(|cases| cases.list).map(|case| (case.args, &case.ret));
            for (args, ret) in lists.chain([(row.args, &row.ret)]) {
                let count = |phase: fn(&Grabs) -> usize| {
                    args.iter().map(|arg| phase(&grabs(arg.index, &arg.kind, 8, &Wanted::default()))).sum::<usize>()
                };
                let (start, end) = (count(|grabs| grabs.start.len()), count(|grabs| grabs.end.len()));
                assert!(
                    start <= GRABS && end <= GRABS && (start + end <= GRABS || !matches!(ret, Ret::Gone)),
                    "{}",
                    row.name
                );
            }
        }
    }
}
