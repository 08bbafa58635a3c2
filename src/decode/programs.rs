//! The programs that a recording's processes have begun: execve's paths, wherever their records still are.

use std::collections::HashMap;

use crate::{
    model::Block,
    syscall::{self, Abi},
    wire::{self, Kind, Part},
};

/// Programs that are told.
const MOST: usize = 64;
/// Bytes of records that are looked through, from the newest on.
const FURTHER: usize = 16 << 20;
/// The calls, and which argument has the path.
const CALLS: [(&str, u8); 2] = [("execve", 0), ("execveat", 1)];

/// Their paths as they were given, each once, in the order of the first of each.
pub(super) fn of(arch: &str, blocks: &[Block]) -> Vec<String> {
    let abi = |compat| Abi::of(arch, compat);
    let native: Vec<u16> = CALLS.iter().filter_map(|(name, _)| syscall::number(abi(false), name)).collect();
    let mut looked_at: Vec<&Block> =
        blocks.iter().filter(|block| block.cpu.is_some() && block.seen.has_call(|nr| native.contains(&nr))).collect();
    looked_at.sort_by_key(|block| std::cmp::Reverse(block.to));
    let mut room = FURTHER;
    // What was asked for stands where the call began; whether it came of it, where it ended: on another CPU, mostly.
    let (mut begun, mut ended) = (HashMap::new(), Vec::new());
    for block in looked_at {
        let Some(rest) = room.checked_sub(block.plain_length()) else { break };
        room = rest;
        let Ok(bytes) = block.plain() else { continue };
        for record in wire::records(&bytes) {
            let Some(call) = record.call() else { continue };
            let name = syscall::name(abi(call.compat()), call.nr());
            let Some((_, path)) = CALLS.iter().find(|(of, _)| Some(*of) == name) else { continue };
            match (record.kind(), call.duration()) {
                (Kind::RECORD_CALL, Some(duration)) if call.ret() == 0 => {
                    // By its time alone: a thread that is not its process's first goes on under another number.
                    ended.push(record.time().saturating_sub(duration));
                }
                (Kind::RECORD_ENTER, _) => {
                    let given = call.pieces().find(|piece| piece.arg == *path && piece.part == Part::PART_DATA);
                    let given = given.and_then(|piece| piece.bytes.ok()).map(|bytes| bytes.split(|byte| *byte == 0));
                    if let Some(path) = given.and_then(|mut parts| parts.next()).filter(|path| !path.is_empty()) {
                        begun.insert(record.time(), String::from_utf8_lossy(path).into_owned());
                    }
                }
                _ => {}
            }
        }
    }
    ended.sort_unstable();
    let mut programs: Vec<String> = Vec::new();
    for path in ended.iter().filter_map(|start| begun.get(start)) {
        if !programs.contains(path) && programs.len() < MOST {
            programs.push(path.clone());
        }
    }
    programs
}
