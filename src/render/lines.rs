//! The order of lines: a call is one line, or two where another thread's line comes between.

use crate::model::{Event, What};

/// One line to write.
#[derive(Clone, Copy, Debug)]
pub(super) enum Line<'a> {
    /// The event, whole.
    Whole(&'a Event),
    /// The call's beginning: others come before its end.
    Begun(&'a Event),
    /// Its end.
    Resumed(&'a Event),
}

/// The lines of events, as strace would have written them.
pub(super) fn lines(events: &[Event]) -> Vec<Line<'_>> {
    // (time, end after start, place) of each line, if every call were two.
    let mut points: Vec<(u64, bool, usize)> = Vec::with_capacity(2 * events.len());
    for (n, event) in events.iter().enumerate() {
        points.push((event.start, false, n));
        if is_call(event) && event.end > event.start {
            points.push((event.end, true, n));
        }
    }
    points.sort_unstable_by_key(|(time, end, n)| (*time, !*end, *n));
    let mut lines = Vec::with_capacity(events.len());
    let mut rest = points.iter().peekable();
    while let Some((_, end, n)) = rest.next() {
        let event = &events[*n];
        if *end {
            if event.end != u64::MAX {
                lines.push(Line::Resumed(event));
            }
        } else if is_call(event) && event.end > event.start {
            match rest.peek() {
                Some((_, true, next)) if next == n && event.end != u64::MAX && !changes_thread(event) => {
                    rest.next();
                    lines.push(Line::Whole(event));
                }
                _ => lines.push(Line::Begun(event)),
            }
        } else {
            lines.push(Line::Whole(event));
        }
    }
    lines
}

/// An execve that began in another thread than it ends in.
fn changes_thread(event: &Event) -> bool {
    matches!(&event.what, What::Call(call) if call.caller.is_some())
}

fn is_call(event: &Event) -> bool {
    matches!(event.what, What::Call(_))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Call, Comm, Exit, Outcome};

    fn call(tid: u32, start: u64, end: u64) -> Event {
        let call = Call {
            name: "read",
            unknown: None,
            nr: 0,
            compat: false,
            text: String::new(),
            args: vec![],
            known_at_start: 0,
            outcome: Outcome::Never,
            duration: None,
            cut: false,
            caller: None,
            paths: vec![],
        };
        Event { start, end, tid, pid: tid, comm: Comm::default(), what: What::Call(Box::new(call)) }
    }

    fn shown(events: &[Event]) -> String {
        let word = |line: &Line<'_>| match line {
            Line::Whole(event) => format!("{}", event.tid),
            Line::Begun(event) => format!("<{}", event.tid),
            Line::Resumed(event) => format!("{}>", event.tid),
        };
        lines(events).iter().map(word).collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn a_call_is_split_where_another_line_comes_between() {
        assert_eq!(shown(&[call(1, 1, 2), call(2, 3, 4)]), "1 2");
        assert_eq!(shown(&[call(1, 1, 5), call(2, 3, 4)]), "<1 2 1>");
        assert_eq!(shown(&[call(1, 1, 4), call(2, 3, 6)]), "<1 <2 1> 2>");
        assert_eq!(shown(&[call(1, 1, u64::MAX)]), "<1");
    }

    #[test]
    fn what_has_no_length_is_one_line() {
        let mut exit = call(1, 3, 3);
        exit.what = What::Exit(Exit::Status(0));
        assert_eq!(shown(&[call(1, 1, 2), exit]), "1 1");
    }
}
