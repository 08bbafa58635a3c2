//! One record without what the rules name.

use super::{
    HEAD, Payload,
    option::is_key,
    pattern::Patterns,
    role::{Role, role},
};
use crate::{
    model::REDACTED,
    syscall::{self, Abi, Kind},
    wire::{self, CallRecord, FileRecord, Form, OwnedPiece, Part, Piece, Record},
};

/// The record as it may leave; `None`: as it is.
pub(super) fn redacted(
    record: &Record<'_>,
    payload: Payload,
    patterns: &Patterns,
    count: &mut usize,
) -> Option<Vec<u8>> {
    match record.form()? {
        Form::Call => call_redacted(record, &record.call()?, payload, patterns, count),
        Form::File => hides_file(&record.file()?, patterns).then(|| {
            *count += 1;
            wire::without_name(record)
        }),
        // Its buffers are not recorded.
        Form::Uring => record.uring()?.path().filter(|path| patterns.hides_path(path)).map(|_| {
            *count += 1;
            wire::with_path(record, REDACTED.as_bytes())
        }),
        // Numbers, names of threads, and functions of the kernel's; what stacks lead through is in the dump's header.
        Form::Signal | Form::Task | Form::Cgroup | Form::Stack => None,
    }
}

fn hides_file(file: &FileRecord<'_>, patterns: &Patterns) -> bool {
    let mut path = Vec::new();
    for name in file.names().rev() {
        path.push(b'/');
        path.extend_from_slice(name);
    }
    patterns.hides_path(&path) || patterns.hides_path(address(file.address().get(2..).unwrap_or_default()))
}

/// A unix address behind its family: up to its NUL, or abstract, behind one.
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
    let abi = Abi::native(call.compat());
    let row = syscall::row(abi, call.nr())?;
    let pieces: Vec<Piece<'_>> = call.pieces().collect();
    let mut changed = false;
    let mut out: Vec<OwnedPiece> = Vec::new();
    for piece in &pieces {
        let Ok(bytes) = piece.bytes else {
            out.push((piece.arg, piece.part, piece.bytes.map(<[u8]>::to_vec)));
            continue;
        };
        let Role { contents, path, words, option, strings } = role(row, abi, call.args(), piece);
        let contents = contents || (option && is_key(call, &pieces));
        if contents && payload == Payload::None {
            changed = true;
            continue;
        }
        let mut kept = bytes.to_vec();
        if contents && payload == Payload::Head {
            kept.truncate(HEAD + 1);
        }
        if let Some(from) = path.filter(|from| kept.len() > *from && patterns.hides_path(address(&kept[*from..]))) {
            *count += 1;
            take_out(&mut kept, from);
        } else if words && let Some(new) = words_redacted(&kept, patterns, count) {
            kept = new;
        }
        if let Some(from) = strings {
            take_out_each(&mut kept, from, patterns, count);
        }
        changed |= kept != bytes;
        out.push((piece.arg, piece.part, Ok(kept)));
    }
    if !patterns.is_empty() {
        for arg in row.args.iter().filter(|arg| matches!(arg.kind, Kind::Strings | Kind::StringCount)) {
            changed |= strings(&mut out, arg.index, patterns, count);
        }
    }
    changed.then(|| wire::with_pieces(record, &out))
}

/// Writes over what stands from there on. Where something stands before it, it is a field: what it is in stays as long.
fn take_out(bytes: &mut Vec<u8>, from: usize) {
    let (length, ended) = (bytes.len(), bytes.ends_with(b"\0"));
    bytes.truncate(from);
    bytes.extend_from_slice(REDACTED.as_bytes());
    if from > 0 {
        bytes.resize(length, 0);
    } else if ended {
        bytes.push(0);
    }
}

/// Writes over each NUL-terminated string behind that place that is a path to be hidden; none becomes longer.
fn take_out_each(bytes: &mut [u8], from: usize, patterns: &Patterns, count: &mut usize) {
    for string in bytes.get_mut(from..).unwrap_or_default().split_mut(|byte| *byte == 0) {
        if patterns.hides_path(string) {
            *count += 1;
            let word = REDACTED.bytes().chain(std::iter::repeat(0));
            string.iter_mut().zip(word).for_each(|(byte, new)| *byte = new);
        }
    }
}

/// Options in one string.
fn words_redacted(bytes: &[u8], patterns: &Patterns, count: &mut usize) -> Option<Vec<u8>> {
    let text = bytes.strip_suffix(b"\0").unwrap_or(bytes);
    let mut new = patterns.strings(&[text], count)?.pop()?;
    new.extend_from_slice(&bytes[text.len()..]);
    Some(new)
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
