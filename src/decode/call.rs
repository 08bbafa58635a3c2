//! One call: its name, its arguments in order, its result.

use super::{argument, denied, moved, net, raw::Raw, result, said, text::Text};
use crate::{
    model::{Argument, Call, Outcome},
    syscall::{self, Kind, Ret, Shape},
};

/// Decodes a call. Its duration is the caller's to add.
pub(super) fn decode(raw: &Raw<'_>) -> Call {
    let mut text = Text::with(raw.style, raw.fds);
    text.interfaces = raw.interfaces;
    let (signature, ret) = raw.signature();
    // As strace's -e raw= writes them.
    let raw_args = raw.style.raw.as_ref().is_some_and(|raw_of| raw_of.wants(raw.abi, raw.nr));
    let by_number = raw.row.is_none() || raw_args;
    let mut args = Vec::with_capacity(signature.len());
    let mut known_at_start = 0;
    let mut still_known = true;
    for arg in signature.iter().filter(|_| !raw_args) {
        if !argument::is_printed(raw, &arg.kind) {
            continue;
        }
        let was_known = still_known;
        still_known &= is_known_at_start(raw, arg.index, &arg.kind);
        if !args.is_empty() {
            text.push(", ");
        }
        if still_known {
            known_at_start = text.len();
        }
        let from = text.len();
        let value = argument::print(&mut text, raw, arg.index, &arg.kind);
        let known = text.take_known().filter(|known| was_known && *known <= text.len());
        args.push(Argument { name: arg.name, from, to: text.len(), value });
        if let Some(known) = known {
            known_at_start = known;
            still_known &= known == text.len();
        } else if still_known {
            known_at_start = text.len();
        }
    }
    if by_number {
        let count = if raw_args { signature.len() } else { raw.args.len() };
        for (n, register) in raw.args.iter().take(count).enumerate() {
            if n > 0 {
                text.push(", ");
            }
            let from = text.len();
            text.hex(*register);
            let value = crate::model::Value::Unsigned(*register);
            let name = if raw_args { signature[n].name } else { UNKNOWN_ARGS[n] };
            args.push(Argument { name, from, to: text.len(), value });
        }
        known_at_start = text.len();
    }
    let mut fds = std::mem::take(&mut text.fds);
    if let (true, Ret::Fd | Ret::NewFd, Some(value)) = (raw.style.fds, ret, raw.ret.filter(|_| !raw.failed())) {
        fds.extend(i32::try_from(value));
    }
    let known = raw.name();
    Call {
        name: known.unwrap_or("syscall"),
        unknown: known.is_none().then(|| syscall::nameless(raw.nr).into()),
        nr: raw.nr,
        compat: raw.compat,
        text: text.finish(),
        args,
        known_at_start,
        outcome: match raw.ret {
            None => Outcome::InFlight { start_seen: true },
            Some(value) if raw_args && !raw.failed() => {
                // As printf's %#lx.
                let text = if value == 0 { "0".into() } else { format!("{value:#x}").into() };
                Outcome::Returned { value, text }
            }
            Some(value) => result::outcome(raw, ret, value),
        },
        duration: None,
        cut: false,
        caller: None,
        paths: text.paths,
        fds,
        moved: moved::of(raw),
        said: raw.style.said.then(|| said::of(raw)).flatten(),
        denied: denied::of(raw),
        stack: None,
    }
}

const UNKNOWN_ARGS: [&str; 6] = ["arg1", "arg2", "arg3", "arg4", "arg5", "arg6"];

fn is_known_at_start(raw: &Raw<'_>, index: u8, kind: &Kind) -> bool {
    match kind {
        Kind::InOut(shape, _) if shape.is_told_once() => true,
        Kind::OutIfRestart(..) => false,
        Kind::Out(..) | Kind::OutAlways(..) | Kind::OutIfAny(_) | Kind::InOut(..) | Kind::NodesOut(_) => false,
        Kind::Corrected(shape, _) => matches!(shape, Shape::SchedAttr),
        Kind::Moved(_) | Kind::Both(_) | Kind::HandleOut => false,
        Kind::PeerAddress(_) | Kind::PeerLength(_) => net::is_known_at_start(raw, index, kind),
        Kind::Choose(_, _, first, second) => {
            is_known_at_start(raw, index, first) && is_known_at_start(raw, index, second)
        }
        Kind::If(_, _, inner)
        | Kind::IfAll(_, _, inner)
        | Kind::Unless(_, _, inner)
        | Kind::IfDevice(_, inner)
        | Kind::Label(_, inner) => is_known_at_start(raw, index, inner),
        _ => true,
    }
}
