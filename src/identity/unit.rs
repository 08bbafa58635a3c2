//! The names of systemd's units as they stand in cgroup paths: which names are units, and what the
//! escapes in them stand for.

/// The kinds of units that have cgroups, slices apart.
const KINDS: [&str; 5] = [".service", ".scope", ".socket", ".mount", ".swap"];

const SLICE: &str = ".slice";

/// The unit that a directory stands for. systemd puts `_` before names that the kernel could take for
/// a file of its own: `_memory.service`.
pub(super) fn unit(directory: &str) -> Option<&str> {
    let name = directory.strip_prefix('_').unwrap_or(directory);
    KINDS.iter().any(|kind| has_kind(name, kind)).then_some(name)
}

/// The slice that a directory stands for.
pub(super) fn slice(directory: &str) -> Option<&str> {
    let name = directory.strip_prefix('_').unwrap_or(directory);
    has_kind(name, SLICE).then_some(name)
}

/// Whether `name` is `short` with a unit's suffix.
pub(super) fn is_short_for(short: &str, name: &str) -> bool {
    let suffix = name.strip_prefix(short).unwrap_or_default();
    KINDS.contains(&suffix) || suffix == SLICE
}

fn has_kind(name: &str, kind: &str) -> bool {
    let front = name.strip_suffix(kind).unwrap_or_default();
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b":-_.\\@".contains(&byte);
    !front.is_empty() && !front.starts_with('@') && name.len() < 256 && front.bytes().all(allowed)
}

/// The user whose manager this unit is: 1000 of `user@1000.service`.
pub(super) fn manager_of(unit: &str) -> Option<u32> {
    unit.strip_prefix("user@")?.strip_suffix(".service")?.parse().ok()
}

/// What was escaped for a unit's name: `-` stands for `/`, `\x2d` for `-`. `None`: not an escaped name.
pub(super) fn unescape(text: &str) -> Option<String> {
    let mut bytes = Vec::new();
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        if let Some(code) = rest.strip_prefix("\\x") {
            bytes.push(u8::from_str_radix(code.get(..2)?, 16).ok()?);
            rest = &code[2..];
        } else {
            match first {
                '-' => bytes.push(b'/'),
                '\\' => return None,
                _ => bytes.extend(first.to_string().bytes()),
            }
            rest = &rest[first.len_utf8()..];
        }
    }
    String::from_utf8(bytes).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_a_unit() {
        for name in ["a.service", "getty@tty1.service", "dev-disk-by\\x2dlabel-x.swap", "a.b.scope", "x.mount"] {
            assert_eq!(unit(name), Some(name));
        }
        assert_eq!(unit("_memory.service"), Some("memory.service"));
        assert_eq!(slice("-.slice"), Some("-.slice"));
        for name in [".service", "a", "a.service ", "a b.service", "a\u{1b}[2J.service", "@.service", "ü.service"] {
            assert_eq!(unit(name), None, "{name:?}");
        }
        assert_eq!(unit(&format!("{}.service", "a".repeat(300))), None);
        assert!(is_short_for("nginx", "nginx.service") && is_short_for("a", "a.slice"));
        assert!(!is_short_for("ngin", "nginx.service") && !is_short_for("nginx.service", "nginx.service"));
    }

    #[test]
    fn escapes() {
        assert_eq!(unescape("my\\x2dbox").as_deref(), Some("my-box"));
        assert_eq!(unescape("dev-sda").as_deref(), Some("dev/sda"));
        assert_eq!(unescape("\\xc3\\xbc").as_deref(), Some("ü"));
        for wrong in ["\\x2", "\\xzz", "\\", "\\x\u{fc}\u{fc}", "\\xff"] {
            assert_eq!(unescape(wrong), None, "{wrong:?}");
        }
        assert_eq!(manager_of("user@1000.service"), Some(1000));
        assert_eq!(manager_of("user@99999999999.service"), None);
    }
}
