//! Makes an event of what was found.

use super::{
    asked::View,
    call,
    found::{Found, Kept, Tells},
    raw::Raw,
    request, siginfo, signal, stack,
    style::Style,
};
use crate::{
    model::{Call, Comm, Event, Exit, Outcome, Sent, Signal, What, Why},
    syscall::{self, Ret},
    wire::{CallRecord, Kind, Piece, Record, TaskRecord, record_flag, si_code},
};

/// When a call that has ended began; without that, its end.
pub(super) fn start(record: &Record<'_>, ended: &CallRecord<'_>) -> u64 {
    ended.duration().map_or(record.time(), |duration| record.time().saturating_sub(duration))
}

/// The event, if the record is what it is said to be.
pub(super) fn event<K: Kept>(style: &Style, found: &Found<'_, K>) -> Option<Event> {
    let record = found.record;
    let (mut start, mut end) = (record.time(), record.time());
    let what = match found.tells {
        Tells::Call | Tells::Interrupted | Tells::Died => {
            let ended = record.call()?;
            start = self::start(&record, &ended);
            What::Call(Box::new(with_stack(found, self::ended(style, found, ended))))
        }
        Tells::Never | Tells::InFlight => {
            if record.has(record_flag::FLAG_IN_FLIGHT) {
                end = u64::MAX;
            }
            What::Call(Box::new(with_stack(found, unfinished(style, found)?)))
        }
        Tells::Signal => What::Signal(delivered(style, found)?),
        Tells::Superseded => What::Exit(Exit::Superseded { by: record.task()?.former() }),
        Tells::Task => match record.uring() {
            Some(request) => What::Uring(Box::new(request::decode(style, &request, found.view))),
            None => task(style, found)?,
        },
    };
    let (pid, comm) = found.who;
    Some(Event { start, end, tid: record.tid(), pid, comm, whose: 0, cpu: None, what })
}

/// A call that has ended, ready to be decoded: with what was captured at its start.
pub(super) fn raw<T>(
    style: &Style,
    ended: CallRecord<'_>,
    begun: Option<Record<'_>>,
    view: Option<View<'_>>,
    make: impl FnOnce(&Raw<'_>) -> T,
) -> T {
    let begun = begun.and_then(|begun| begun.call());
    // After execve and rt_sigreturn the registers are another program's.
    let row = syscall::row(style.abi(ended.compat()), ended.nr());
    let gone = row.is_some_and(|row| matches!(row.ret, Ret::Gone));
    let again: Vec<Piece<'_>> = ended.pieces().collect();
    // Of such a call an argument was looked for again because not all of it was there.
    let replaced = |piece: &Piece<'_>| gone && again.iter().any(|again| again.arg == piece.arg);
    let mut pieces: Vec<Piece<'_>> =
        begun.iter().flat_map(CallRecord::pieces).filter(|piece| !replaced(piece)).collect();
    pieces.extend(&again);
    let known = begun.filter(|_| gone).unwrap_or(ended);
    let style = style.of(&known);
    let mut raw = Raw::new(&style, known, known.args(), Some(ended.ret()), &pieces);
    raw.fds = view;
    make(&raw)
}

fn ended<K: Kept>(style: &Style, found: &Found<'_, K>, ended: CallRecord<'_>) -> Call {
    let begun = found.with.and_then(K::record).filter(|begun| begun.kind() == Kind::RECORD_ENTER);
    let mut call = raw(style, ended, begun, found.view, call::decode);
    let cut = |record: Record<'_>| record.has(record_flag::FLAG_CUT);
    call.duration = ended.duration();
    call.cut = cut(found.record) || begun.is_some_and(cut);
    call.caller = begun.map(|begun| begun.tid()).filter(|caller| *caller != found.record.tid());
    resume(style, found, &mut call);
    if found.tells == Tells::Died {
        died(style, &mut call);
    }
    call
}

fn with_stack<K: Kept>(found: &Found<'_, K>, call: Call) -> Call {
    let stack = found.stack.and_then(K::record).and_then(|record| record.stack());
    Call { stack: stack.map(|stack| Box::new(stack::decode(&stack))), ..call }
}

/// Whether it is restart_syscall, which says nothing of the call that it goes on with.
pub(super) fn is_restart(style: &Style, record: &Record<'_>) -> bool {
    record.call().is_some_and(|call| syscall::name(style.abi(call.compat()), call.nr()) == Some(RESTART))
}

/// Whether a call sends SIGKILL, which may be for its own thread: nobody then sees it return.
pub(super) fn kills(style: &Style, call: &CallRecord<'_>) -> bool {
    let signal = match syscall::name(style.abi(call.compat()), call.nr()) {
        Some("kill" | "tkill" | "pidfd_send_signal") => call.args()[1],
        Some("tgkill") => call.args()[2],
        _ => return false,
    };
    signal == u64::from(libc::SIGKILL.unsigned_abs())
}

const RESTART: &str = "restart_syscall";

/// restart_syscall has no arguments: what it goes on with is what there is to tell.
fn resume<K: Kept>(style: &Style, found: &Found<'_, K>, call: &mut Call) {
    if call.name == RESTART {
        let resumed = found.with.and_then(K::record).and_then(|interrupted| interrupted.call());
        let name = resumed
            .map_or("system call", |resumed| raw(style, resumed, None, None, |raw| raw.name().unwrap_or("syscall")));
        call.text = format!("<... resuming interrupted {name} ...>");
        call.known_at_start = call.text.len();
    }
}

/// A call in which its thread was killed: what the kernel would have returned reached nobody.
pub(super) fn died(style: &Style, call: &mut Call) {
    let row = syscall::row(style.abi(call.compat), call.nr);
    let told_in_result = row.is_some_and(|row| matches!(row.ret, Ret::Told(_)));
    call.outcome = Outcome::Died { untold: told_in_result || call.known_at_start < call.text.len() };
}

fn unfinished<K: Kept>(style: &Style, found: &Found<'_, K>) -> Option<Call> {
    let begun = found.record.call()?;
    let pieces: Vec<Piece<'_>> = begun.pieces().collect();
    let own = style.of(&begun);
    let mut raw = Raw::new(&own, begun, begun.args(), None, &pieces);
    raw.fds = found.view;
    let mut call = call::decode(&raw);
    call.outcome = match found.tells {
        Tells::Never => Outcome::Never,
        _ if found.record.has(record_flag::FLAG_IN_FLIGHT) => {
            Outcome::InFlight { start_seen: !found.record.has(record_flag::FLAG_NO_ENTER) }
        }
        _ => Outcome::EndMissing,
    };
    call.duration = None;
    call.cut = found.record.has(record_flag::FLAG_CUT);
    resume(style, found, &mut call);
    Some(call)
}

fn delivered<K: Kept>(style: &Style, found: &Found<'_, K>) -> Option<Signal> {
    let delivered = found.record.signal()?;
    let sent = found.with.and_then(K::record).and_then(|sent| sent.signal());
    let signo = sent.map_or(delivered.signo(), |sent| sent.signo());
    let info = delivered.info().or_else(|| sent.and_then(|sent| sent.info()));
    Some(Signal {
        signo,
        name: signal::name(signo).into(),
        info: siginfo::info(style, signo, info).into(),
        stops: delivered.stops(),
        sender: sent
            .filter(|sent| !is_of_timer(sent.signo(), sent.info().or_else(|| delivered.info())))
            .map(|sent| (sent.sender(), Comm(sent.comm()))),
    })
}

/// Who sent the signal that ended the thread.
fn sent<K: Kept>(found: &Found<'_, K>) -> Option<Sent> {
    let sent = found.with.and_then(K::record)?.signal()?;
    Some(Sent { pid: sent.sender(), comm: Comm(sent.comm()), by_kernel: sent.is_by_kernel(), code: sent.code() })
}

/// What only the kernel knows of a thread's end.
fn why(style: &Style, exit: &TaskRecord<'_>) -> Why {
    let filtered = || exit.last_filtered().and_then(|(nr, compat)| syscall::name(style.abi(compat), nr));
    if exit.is_by_oom() { Why::Memory } else { filtered().map_or(Why::Signal, Why::Forbidden) }
}

/// Whether a timer sent it: whoever ran just then had nothing to do with it.
fn is_of_timer(signo: i32, info: Option<&[u8]>) -> bool {
    match info.and_then(si_code) {
        Some(libc::SI_TIMER) => true,
        // setitimer and alarm: the kernel gives no more details.
        Some(libc::SI_KERNEL) | None => matches!(signo, libc::SIGALRM | libc::SIGVTALRM | libc::SIGPROF),
        Some(_) => false,
    }
}

fn task<K: Kept>(style: &Style, found: &Found<'_, K>) -> Option<What> {
    let record = found.record;
    let task = record.task()?;
    Some(match record.kind() {
        Kind::RECORD_FORK => What::Fork { parent: task.parent() },
        Kind::RECORD_EXEC => What::Exec { former: task.former() },
        Kind::RECORD_JOIN => What::Join,
        Kind::RECORD_COMM => What::Rename,
        _ => What::Exit(match exit(task.code()) {
            Exit::Killed { signo, core, .. } => Exit::Killed { signo, core, sent: sent(found), why: why(style, &task) },
            exit => exit,
        }),
    })
}

/// wait(2)'s status.
#[allow(clippy::cast_possible_truncation, clippy::cast_possible_wrap, reason = "the status is 16 bits")]
fn exit(code: u32) -> Exit {
    match code & 0x7f {
        0 => Exit::Status((code >> 8) as u8),
        signo => Exit::Killed { signo: signo as i32, core: code & 0x80 != 0, sent: None, why: Why::Signal },
    }
}

#[cfg(test)]
mod tests {
    use super::is_of_timer;

    #[test]
    fn timers_are_nobodys_signals() {
        let info = |code: i32| [[0; 8].as_slice(), &code.to_ne_bytes(), &[0; 4]].concat();
        assert!(is_of_timer(libc::SIGALRM, None) && is_of_timer(libc::SIGALRM, Some(&info(libc::SI_KERNEL))));
        assert!(is_of_timer(libc::SIGUSR1, Some(&info(libc::SI_TIMER))));
        assert!(!is_of_timer(libc::SIGALRM, Some(&info(libc::SI_USER))));
        assert!(!is_of_timer(libc::SIGKILL, None) && !is_of_timer(libc::SIGTERM, Some(&info(libc::SI_TKILL))));
    }
}
