//! Where calls are made: the programs that take stacks, and the files that they lead through.

use anyhow::{Context, Result, bail};
use libbpf_rs::{MapCore, MapFlags, ProgramType, libbpf_sys};

use super::Kernel;
use crate::{
    model::{Module, Stacks},
    skel::OpenTraceloopSkel,
};

/// No build id is shorter, bytes: Go's and LLD's fast ones have eight.
const SHORTEST_ID: usize = 8;

/// Whether this kernel can tell which file is mapped at an address, from Linux 5.17 on.
pub fn can_take_stacks() -> bool {
    ProgramType::RawTracepoint.is_helper_supported(libbpf_sys::BPF_FUNC_find_vma).unwrap_or(false)
}

/// Refuses what this kernel cannot do.
pub(super) fn check(stacks: Stacks) -> Result<()> {
    if stacks != Stacks::None && !can_take_stacks() {
        bail!(
            "take stacks: this kernel cannot tell which file is mapped at an address: use Linux 5.17 or later, or leave --stacks out"
        );
    }
    Ok(())
}

/// Loads the programs and makes the maps only where stacks are wanted.
pub(super) fn choose(open: &mut OpenTraceloopSkel<'_>, stacks: Stacks) -> Result<()> {
    let wanted = stacks != Stacks::None;
    open.progs.exit_stack.set_autoload(wanted);
    open.progs.enter_stack.set_autoload(wanted);
    open.progs.exit_capture.set_autoload(wanted);
    open.maps.modules.set_autocreate(wanted)?;
    open.maps.unwindings.set_autocreate(wanted)?;
    let settings = open.maps.rodata_data.as_deref_mut().context("the BPF object has no settings")?;
    (settings.stacks, settings.stacks_slower) = super::profiles::stacks_of(stacks);
    Ok(())
}

impl Kernel {
    /// Of which calls stacks are taken; `None`: of each slot's as its profile says.
    pub fn stacks(&self) -> Option<Stacks> {
        self.options.watching.is_none().then_some(self.stacks)
    }

    /// Whether there are programs that take stacks.
    pub fn takes_stacks(&self) -> bool {
        self.stacks != Stacks::None
    }

    /// The files that the stacks taken so far lead through.
    pub fn modules(&self) -> Result<Vec<Module>> {
        if self.stacks == Stacks::None {
            return Ok(Vec::new());
        }
        let map = &self.skel.maps.modules;
        let mut modules = Vec::new();
        for key in map.keys() {
            // It is gone only if the kernel side is.
            if let Some(value) = map.lookup(&key, MapFlags::ANY).context("read the files of stacks")? {
                modules.extend(module(&key, &value));
            }
        }
        modules.sort_by_key(|module| module.number);
        Ok(modules)
    }
}

fn module(key: &[u8], value: &[u8]) -> Option<Module> {
    let (id, kind) = (key.get(..20)?, u32::from_ne_bytes(key.get(20..24)?.try_into().ok()?));
    let number = u32::from_ne_bytes(value.first_chunk::<4>().copied()?);
    let length = usize::try_from(u32::from_ne_bytes(value.get(4..8)?.try_into().ok()?)).ok()?;
    let names = value.get(8..)?.get(..length)?;
    // Shorter ids are filled up with zeros.
    let end = id.iter().rposition(|byte| *byte != 0).map_or(0, |last| last + 1).max(SHORTEST_ID);
    let build_id = (kind == 0).then(|| id[..end].iter().map(|byte| format!("{byte:02x}")).collect());
    Some(Module { number: u16::try_from(number).ok()?, build_id, path: path(names) })
}

/// Components, the innermost first, as a path.
fn path(names: &[u8]) -> String {
    let mut components: Vec<_> = names.split(|byte| *byte == 0).collect();
    // Behind the last NUL there is nothing.
    components.pop();
    components.iter().rev().map(|name| format!("/{}", String::from_utf8_lossy(name))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_module_out_of_the_map() {
        let mut key = vec![0xab; 20];
        key.extend(0_u32.to_ne_bytes());
        let mut value = 3_u32.to_ne_bytes().to_vec();
        value.extend(17_u32.to_ne_bytes());
        value.extend(b"libc.so.6\0lib\0us\0");
        let known = module(&key, &value).unwrap();
        assert_eq!((known.number, known.path.as_str()), (3, "/us/lib/libc.so.6"));
        assert_eq!(known.build_id.as_deref(), Some("ab".repeat(20).as_str()));
        key[20] = 1;
        assert_eq!(module(&key, &value).unwrap().build_id, None);
        assert_eq!(path(b""), "");
    }
}
