//! One record without what the rules name.

use super::{
    HEAD, Payload,
    pattern::{Patterns, REDACTED},
};
use crate::{
    syscall::{self, Abi, Arg, Kind, Row, Shape},
    wire::{self, CallRecord, FileRecord, OwnedPiece, Part, Piece, Record},
};

/// The record as it may leave; `None`: as it is.
pub(super) fn redacted(
    record: &Record<'_>,
    payload: Payload,
    patterns: &Patterns,
    count: &mut usize,
) -> Option<Vec<u8>> {
    if let Some(call) = record.call() {
        return call_redacted(record, &call, payload, patterns, count);
    }
    let file = record.file()?;
    hides_file(&file, patterns).then(|| {
        *count += 1;
        wire::with_name(record, REDACTED.as_bytes())
    })
}

fn hides_file(file: &FileRecord<'_>, patterns: &Patterns) -> bool {
    let mut path = Vec::new();
    for name in file.names().rev() {
        path.push(b'/');
        path.extend_from_slice(name);
    }
    patterns.hides_path(&path) || patterns.hides_path(address(file.address()))
}

/// A unix address: up to its NUL, or abstract, behind one.
fn address(bytes: &[u8]) -> &[u8] {
    let from = usize::from(bytes.first() == Some(&0));
    bytes[from..].split(|byte| *byte == 0).next().unwrap_or_default()
}

fn call_redacted(
    record: &Record<'_>,
    call: &CallRecord<'_>,
    payload: Payload,
    patterns: &Patterns,
    count: &mut usize,
) -> Option<Vec<u8>> {
    let row = syscall::row(Abi::native(call.compat()), call.nr())?;
    let pieces: Vec<Piece<'_>> = call.pieces().collect();
    let mut changed = false;
    let mut out: Vec<OwnedPiece> = Vec::new();
    for piece in &pieces {
        let role = role(row, piece);
        match piece.bytes {
            Ok(bytes) if role.contents && payload != Payload::Full => match payload {
                Payload::None => changed = true,
                _ => {
                    let kept = &bytes[..bytes.len().min(HEAD + 1)];
                    changed |= kept.len() < bytes.len();
                    out.push((piece.arg, piece.part, Ok(kept.to_vec())));
                }
            },
            Ok(bytes) if role.path.is_some_and(|from| bytes.len() > from && hides(&bytes[from..], patterns)) => {
                let from = role.path.unwrap_or(0);
                *count += 1;
                changed = true;
                let ended: &[u8] = if bytes.ends_with(b"\0") { b"\0" } else { b"" };
                let mut kept = [&bytes[..from], REDACTED.as_bytes(), ended].concat();
                if from > 0 {
                    // An address is as long as another argument says.
                    kept.resize(bytes.len(), 0);
                }
                out.push((piece.arg, piece.part, Ok(kept)));
            }
            bytes => out.push((piece.arg, piece.part, bytes.map(<[u8]>::to_vec))),
        }
    }
    if !patterns.is_empty() {
        for arg in row.args.iter().filter(|arg| matches!(arg.kind, Kind::Strings | Kind::StringCount)) {
            changed |= strings(&mut out, arg.index, patterns, count);
        }
    }
    changed.then(|| wire::with_pieces(record, &out))
}

fn hides(text: &[u8], patterns: &Patterns) -> bool {
    patterns.hides_path(address(text))
}

/// Takes what is named out of a vector of strings; the strings keep their NULs.
fn strings(pieces: &mut [OwnedPiece], arg: u8, patterns: &Patterns, count: &mut usize) -> bool {
    let is_item = |piece: &OwnedPiece| piece.0 == arg && piece.1 == Part::PART_ITEM && piece.2.is_ok();
    let texts: Vec<Vec<u8>> = pieces
        .iter()
        .filter(|piece| is_item(piece))
        .filter_map(|(_, _, data)| data.as_ref().ok())
        .map(|data| data.strip_suffix(b"\0").unwrap_or(data).to_vec())
        .collect();
    let borrowed: Vec<&[u8]> = texts.iter().map(Vec::as_slice).collect();
    let Some(new) = patterns.strings(&borrowed, count) else { return false };
    for (piece, (new, old)) in pieces.iter_mut().filter(|piece| is_item(piece)).zip(new.into_iter().zip(texts)) {
        if new != old {
            piece.2 = Ok([new, b"\0".to_vec()].concat());
        }
    }
    true
}

/// What a piece of memory may tell.
#[derive(Clone, Copy, Debug, Default)]
struct Role {
    /// What is read, written, sent or received.
    contents: bool,
    /// From where on it is a path, if it is one.
    path: Option<usize>,
}

/// What a piece is by the row of its call. Where a call has cases, by all of them: rather too much goes than too little.
fn role(row: &Row, piece: &Piece<'_>) -> Role {
    let cases = row.cases.map_or(&[][..], |cases| cases.list);
    let lists = std::iter::once(row.args).chain(cases.iter().map(|case| case.args));
    let mut role = Role::default();
    for arg in lists.flatten().filter(|arg: &&Arg| arg.index == piece.arg) {
        see(&arg.kind, piece, &mut role);
    }
    role
}

fn see(kind: &Kind, piece: &Piece<'_>, role: &mut Role) {
    match kind {
        Kind::Path | Kind::Str | Kind::MountType | Kind::MountData => role.path = Some(0),
        Kind::In(shape, _)
        | Kind::Out(shape, _)
        | Kind::OutIfAny(shape)
        | Kind::OutAlways(shape, _)
        | Kind::OutIfRestart(shape, _)
        | Kind::InOut(shape, _)
        | Kind::Before(shape, _)
        | Kind::Corrected(shape, _)
        | Kind::Moved(shape)
        | Kind::Both(shape) => see_shape(*shape, piece, role),
        Kind::PeerAddress(_) => see_shape(Shape::Sockaddr, piece, role),
        Kind::If(_, _, inner)
        | Kind::IfAll(_, _, inner)
        | Kind::Unless(_, _, inner)
        | Kind::IfDevice(_, inner)
        | Kind::Label(_, inner) => see(inner, piece, role),
        Kind::Choose(_, _, first, second) => {
            see(first, piece, role);
            see(second, piece, role);
        }
        Kind::Switch(_, cases, other) => {
            see(other, piece, role);
            cases.iter().for_each(|(_, kind)| see(kind, piece, role));
        }
        _ => {}
    }
}

fn see_shape(shape: Shape, piece: &Piece<'_>, role: &mut Role) {
    let is_data = matches!(piece.part, Part::PART_DATA | Part::PART_START | Part::PART_REST);
    let is_item = matches!(piece.part, Part::PART_ITEM | Part::PART_REST);
    match shape {
        Shape::Bytes | Shape::HexBytes | Shape::XattrValue | Shape::NulBytes | Shape::KeyInput | Shape::SocketData => {
            role.contents |= is_data;
        }
        Shape::Msgbuf => role.contents |= is_data,
        Shape::Iovec | Shape::Message | Shape::Messages => {
            role.contents |= is_item;
            if piece.part == Part::PART_NAME {
                role.path = Some(2);
            }
        }
        Shape::Iocbs => role.contents |= piece.part == Part::PART_FIRST,
        Shape::PathBytes | Shape::PathString | Shape::Name(_) => role.path = Some(0),
        // A unix socket's, behind its family.
        Shape::Sockaddr => role.path = Some(2),
        _ => {}
    }
}
