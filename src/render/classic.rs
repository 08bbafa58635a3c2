//! The lines of the first traceloop (kinvolk/traceloop), for scripts that read them:
//! `MM:SS.NNNNNNNNN cpu#N pid TID [COMM] NAME(ARGS) = RESULT`. Times are counted from the first event; a call that has no
//! end has `...` for its result, and a refusal names the capabilities that were looked for in brackets. Arguments are decoded
//! as in all other formats. Signals and ends, which it did not know, stand in strace's words.

use std::{
    fmt::Write as _,
    io::{self, Write},
};

use super::strace;
use crate::model::{Call, Event, Outcome, What};

pub(super) fn dump(out: &mut impl Write, events: impl Iterator<Item = Event>) -> io::Result<()> {
    let (mut first, mut text) = (None, String::new());
    for event in events {
        text.clear();
        line(&mut text, &event, *first.get_or_insert(event.start));
        out.write_all(text.as_bytes())?;
    }
    Ok(())
}

fn line(text: &mut String, event: &Event, first: u64) {
    let words = match &event.what {
        What::Call(call) => Some(words(call)),
        other => strace::instant(other),
    };
    let Some(words) = words else { return };
    let since = event.start.saturating_sub(first);
    let (seconds, nanoseconds) = (since / 1_000_000_000, since % 1_000_000_000);
    // Minutes of an hour, as the first one had them.
    let (minutes, seconds) = (seconds / 60 % 60, seconds % 60);
    let cpu = event.cpu.map_or_else(|| "?".to_owned(), |cpu| cpu.to_string());
    let _ = writeln!(
        text,
        "{minutes:02}:{seconds:02}.{nanoseconds:09} cpu#{cpu} pid {} [{}] {words}",
        event.tid, event.comm
    );
}

fn words(call: &Call) -> String {
    let (name, args) = (call.name(), &call.text);
    match &call.outcome {
        Outcome::InFlight { .. } | Outcome::EndMissing => format!("{name}({args})..."),
        outcome if call.denied.is_empty() => format!("{name}({args}) = {}", outcome.text()),
        outcome => format!("{name}({args}) = {} [{}]", outcome.text(), call.denied.join(",")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Comm, Exit};

    fn event(start: u64, cpu: Option<u32>, what: What) -> Event {
        let mut name = [0; 16];
        name[..4].copy_from_slice(b"bash");
        Event { start, end: start, tid: 7, pid: 6, comm: Comm(name), whose: 0, cpu, what }
    }

    #[test]
    fn lines_are_the_first_traceloop_s() {
        let call = |outcome| Call { outcome, ..Call::of("close") };
        let refused = Outcome::Failed { errno: libc::EPERM, text: "-1 EPERM (Operation not permitted)".into() };
        let denied = Call { denied: vec!["CAP_SYS_ADMIN".into(), "CAP_BPF".into()], ..call(refused) };
        let whats = [
            (5, Some(1), What::Call(call(Outcome::Returned { value: 0, text: "0".into() }).into())),
            (3_605_000_000_012, None, What::Call(call(Outcome::InFlight { start_seen: true }).into())),
            (61_000_000_005, Some(0), What::Call(denied.into())),
            (5, Some(0), What::Join),
            (6, Some(0), What::Exit(Exit::Status(3))),
        ];
        let mut out = Vec::new();
        dump(&mut out, whats.into_iter().map(|(start, cpu, what)| event(start, cpu, what))).unwrap();
        assert_eq!(
            String::from_utf8(out).unwrap(),
            "00:00.000000000 cpu#1 pid 7 [bash] close() = 0\n\
             00:05.000000007 cpu#? pid 7 [bash] close()...\n\
             01:01.000000000 cpu#0 pid 7 [bash] close() = -1 EPERM (Operation not permitted) [CAP_SYS_ADMIN,CAP_BPF]\n\
             00:00.000000001 cpu#0 pid 7 [bash] +++ exited with 3 +++\n"
        );
    }
}
