//! What a TARGET on the command line says: a ring, a number, a path, a pattern or a name. What a name
//! means is seen only when it is held against identities (`matching`, `choose`).

use anyhow::{Context, Result, bail};
use globset::{GlobBuilder, GlobMatcher};

/// Where the tree is mounted on most machines. A path below a mount elsewhere is given from the tree's root.
const MOUNTS: [&str; 2] = ["/sys/fs/cgroup/unified", "/sys/fs/cgroup"];

/// The kernel's largest process id.
const PID_MAX: u32 = 1 << 22;

/// Longer than any name that a runtime or systemd accepts.
const LONGEST: usize = 4096;

/// What people call a cgroup, or several: a unit with or without its suffix, a slice, a path, a pattern, a
/// container's name or the beginning of its id, namespace/pod\[/container\], a process id, `#7`.
#[derive(Clone, Debug)]
pub struct Target {
    pub(super) text: String,
    pub(super) kind: Kind,
}

#[derive(Clone, Debug)]
pub(super) enum Kind {
    Ring(u64),
    /// A process; or a container or a unit that is called by a number.
    Number(u32),
    /// From the root of the tree, without a slash at its end; "" is the root.
    Path(String),
    Glob(GlobMatcher),
    Name,
}

impl Target {
    /// Understands what was typed.
    pub fn parse(text: &str) -> Result<Self> {
        if text.is_empty() {
            bail!("a target is empty: give a unit, a container, namespace/pod, a cgroup's path, a process id or #RING");
        }
        if text.len() > LONGEST {
            bail!("a target of {} bytes is longer than any name", text.len());
        }
        if let Some(char) = text.chars().find(|char| char.is_control()) {
            bail!("{text:?} is no target: names hold no {char:?}");
        }
        let kind = if let Some(number) = text.strip_prefix('#') {
            let hint = || format!("{text} is no ring: `traceloop ps` shows them as #1, #2 ...");
            Kind::Ring(number.parse().with_context(hint)?)
        } else if let Ok(number @ 1..=PID_MAX) = text.parse() {
            Kind::Number(number)
        } else if text.contains(['*', '?', '[', '{']) {
            Kind::Glob(glob(below_mount(text))?)
        } else if text.starts_with('/') {
            Kind::Path(below_mount(text).trim_end_matches('/').to_owned())
        } else if let Some((template, suffix)) = text.split_once('@').filter(|(_, rest)| is_suffix(rest)) {
            Kind::Glob(glob(&format!("{template}@*{}", if suffix.is_empty() { ".*" } else { suffix }))?)
        } else {
            Kind::Name
        };
        Ok(Self { text: text.to_owned(), kind })
    }

    /// The text as it was typed.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The ring that it names by its number.
    pub fn ring(&self) -> Option<u64> {
        if let Kind::Ring(ring) = self.kind { Some(ring) } else { None }
    }

    /// The path that it is, from the tree's root; "" is the root.
    pub fn path(&self) -> Option<&str> {
        if let Kind::Path(path) = &self.kind { Some(path) } else { None }
    }

    /// The process that it may name.
    pub fn pid(&self) -> Option<u32> {
        if let Kind::Number(pid) = self.kind { Some(pid) } else { None }
    }
}

/// `foo@` and `foo@.service` stand for all instances.
fn is_suffix(rest: &str) -> bool {
    rest.is_empty() || rest.starts_with('.')
}

fn below_mount(path: &str) -> &str {
    let below = |mount: &&str| path.strip_prefix(*mount).filter(|rest| rest.is_empty() || rest.starts_with('/'));
    MOUNTS.iter().find_map(below).unwrap_or(path)
}

/// `*` stays within one directory; a backslash is a character of unit names, not an escape.
fn glob(text: &str) -> Result<GlobMatcher> {
    let glob = GlobBuilder::new(text).literal_separator(true).backslash_escape(false).build();
    Ok(glob.with_context(|| format!("{text} is no pattern: * ? [a-z] {{a,b}} and ** can be used"))?.compile_matcher())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_typed() {
        let path = |text: &str| match Target::parse(text).unwrap().kind {
            Kind::Path(path) => path,
            other => panic!("{text} is {other:?}"),
        };
        assert_eq!(path("/system.slice/a.service/"), "/system.slice/a.service");
        assert_eq!(path("/sys/fs/cgroup/unified/system.slice"), "/system.slice");
        assert_eq!(path("/sys/fs/cgroup/system.slice"), "/system.slice");
        assert_eq!((path("/sys/fs/cgroup"), path("/")), (String::new(), String::new()));
        assert_eq!(path("/sys/fs/cgroups"), "/sys/fs/cgroups");
        assert_eq!(Target::parse("#7").unwrap().ring(), Some(7));
        assert_eq!(Target::parse("4194304").unwrap().pid(), Some(4_194_304));
        for name in ["nginx", "shop/cart-7", "system.slice/a.service", "4194305", "0", "a\\x2db.service", "x@y.service"]
        {
            assert!(matches!(Target::parse(name).unwrap().kind, Kind::Name), "{name}");
        }
        for pattern in ["ng*", "/system.slice/*", "getty@", "getty@.service", "{a,b}", "/sys/fs/cgroup/a?"] {
            assert!(matches!(Target::parse(pattern).unwrap().kind, Kind::Glob(_)), "{pattern}");
        }
    }

    #[test]
    fn what_is_no_target() {
        for (text, told) in
            [("", "empty"), ("#", "is no ring"), ("#x", "ps"), ("a\u{1b}[2J", "hold no"), ("[a", "no pattern")]
        {
            let error = Target::parse(text).unwrap_err().to_string();
            assert!(error.contains(told) && !error.contains('\u{1b}'), "{text:?}: {error}");
        }
        assert!(Target::parse(&"a".repeat(5000)).unwrap_err().to_string().contains("5000 bytes"));
        let _ = Target::parse(&"{a,".repeat(1000));
    }
}
