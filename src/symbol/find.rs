//! The file of a module on this machine.

use std::{
    fs::{self, File},
    os::unix::fs::{FileExt, MetadataExt},
    path::{Path, PathBuf},
};

use super::code::{BEFORE, BEHIND};
use crate::model::Module;

/// Where distributions keep files with symbols, by build id.
const BY_BUILD_ID: &str = "/usr/lib/debug/.build-id";

/// A file that is the one that was mapped.
#[derive(Debug)]
pub(super) struct Found {
    path: PathBuf,
    file: Option<File>,
}

impl Found {
    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// The code around a place; `None` where the file has none, as those with symbols only.
    pub(super) fn code(&self, at: u64) -> Option<([u8; BEFORE], [u8; BEHIND])> {
        let mut bytes = [0; BEFORE + BEHIND];
        let from = at.checked_sub(BEFORE as u64)?;
        self.file.as_ref()?.read_exact_at(&mut bytes, from).ok()?;
        let (before, behind) = bytes.split_first_chunk::<BEFORE>()?;
        Some((*before, behind.first_chunk::<BEHIND>().copied()?))
    }
}

/// Which start of which machine this is.
pub(super) fn boot_id() -> String {
    fs::read_to_string("/proc/sys/kernel/random/boot_id").unwrap_or_default().trim().to_owned()
}

/// Looks for a module's file; `pid` is a process that has it mapped, if it may still be there, `taken` is when it was
/// mapped at the latest, in seconds since the epoch. The reason otherwise.
pub(super) fn find(module: &Module, pid: Option<u32>, taken: i64) -> Result<Found, &'static str> {
    let path = Path::new(&module.path);
    let inside = pid.map(|pid| PathBuf::from(format!("/proc/{pid}/root{}", module.path)));
    let candidates = [Some(path.to_owned()), inside].into_iter().flatten().filter(|path| path.is_absolute());
    let mut why = "it is not on this machine";
    for candidate in candidates {
        // Only a plain file is opened: a dump may name anything.
        let Ok(about) = fs::metadata(&candidate) else { continue };
        if !about.is_file() {
            continue;
        }
        let same = match &module.build_id {
            Some(wanted) => id_of(&candidate).as_ref() == Some(wanted),
            None => pid.is_some() && about.mtime() <= taken && about.ctime() <= taken,
        };
        if same {
            let file = File::open(&candidate).ok();
            return Ok(Found { path: candidate, file });
        }
        why = "the file of that path is another one";
    }
    let debug = module.build_id.as_ref().and_then(|id| {
        let (first, rest) = id.split_at_checked(2)?;
        let path = Path::new(BY_BUILD_ID).join(first).join(format!("{rest}.debug"));
        let plain = id.bytes().all(|byte| byte.is_ascii_hexdigit()) && path.is_file();
        plain.then_some(Found { path, file: None })
    });
    debug.ok_or(why)
}

fn id_of(path: &Path) -> Option<String> {
    let id = blazesym::helper::read_elf_build_id(path).ok().flatten()?;
    Some(id.iter().map(|byte| format!("{byte:02x}")).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn module(path: &str, build_id: Option<String>) -> Module {
        Module { number: 1, build_id, path: path.to_owned() }
    }

    #[test]
    fn only_the_very_file_counts() {
        let own = std::env::current_exe().unwrap();
        let path = own.to_str().unwrap();
        let id = id_of(&own);
        assert!(id.is_some(), "this test has no build id");
        assert_eq!(find(&module(path, id.clone()), None, 0).unwrap().path(), own);
        assert_eq!(
            find(&module(path, Some("ab".repeat(20))), None, 0).unwrap_err(),
            "the file of that path is another one"
        );
        // Without a build id: only here, and only if it has not changed.
        assert!(find(&module(path, None), None, i64::MAX).is_err());
        assert!(find(&module(path, None), Some(std::process::id()), i64::MAX).is_ok());
        assert!(find(&module(path, None), Some(std::process::id()), 1).is_err());
    }

    #[test]
    fn what_a_hostile_dump_names_is_not_opened() {
        for path in ["/dev/zero", "/proc/self/mem", "relative", "", "/", "/dev/stdin"] {
            assert!(find(&module(path, Some("../../x".into())), Some(1), i64::MAX).is_err(), "{path}");
        }
    }
}
