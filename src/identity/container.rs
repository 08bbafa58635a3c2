//! How the runtimes name a container's cgroup: one line a form.

use super::unit;

/// How the id is written.
enum Id {
    /// 64 hexadecimal digits.
    Hex,
    /// The container's name.
    Name,
    /// The container's name, escaped for a unit's.
    Escaped,
}

/// One way to name a container's cgroup.
struct Form {
    /// The directory above must have this name; "": any.
    below: &'static str,
    before: &'static str,
    after: &'static str,
    id: Id,
    /// `None`: what stands there serves a container and is not one.
    runtime: Option<&'static str>,
}

const fn form(
    below: &'static str,
    before: &'static str,
    after: &'static str,
    id: Id,
    runtime: Option<&'static str>,
) -> Form {
    Form { below, before, after, id, runtime }
}

/// The first that fits is taken.
#[rustfmt::skip]
const FORMS: &[Form] = &[
    //   below            before              after       id           runtime
    form("",              "libpod-conmon-",   ".scope",   Id::Hex,     None),
    form("",              "libpod-conmon-",   "",         Id::Hex,     None),
    form("",              "crio-conmon-",     ".scope",   Id::Hex,     None),
    form("",              "libpod-payload-",  "",         Id::Hex,     Some("podman")),
    form("",              "libpod-",          ".scope",   Id::Hex,     Some("podman")),
    form("",              "libpod-",          "",         Id::Hex,     Some("podman")),
    form("",              "docker-",          ".scope",   Id::Hex,     Some("docker")),
    form("docker",        "",                 "",         Id::Hex,     Some("docker")),
    form("",              "cri-containerd-",  ".scope",   Id::Hex,     Some("containerd")),
    form("",              "nerdctl-",         ".scope",   Id::Hex,     Some("containerd")),
    form("",              "crio-",            ".scope",   Id::Hex,     Some("cri-o")),
    form("",              "crio-",            "",         Id::Hex,     Some("cri-o")),
    form("",              "lxc.payload.",     "",         Id::Name,    Some("lxc")),
    form("lxc.payload",   "",                 "",         Id::Name,    Some("lxc")),
    form("lxc",           "",                 "",         Id::Name,    Some("lxc")),
    form("",              "systemd-nspawn@",  ".service", Id::Escaped, Some("nspawn")),
    form("machine.slice", "machine-qemu\\x2d", ".scope",  Id::Escaped, None),
    form("machine.slice", "machine-lxc\\x2d", ".scope",   Id::Escaped, Some("lxc")),
    form("machine.slice", "machine-",         ".scope",   Id::Escaped, Some("nspawn")),
    form("",              "",                 "",         Id::Hex,     Some("")),
];

/// A container as its cgroup's name tells it.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Named {
    pub(super) runtime: &'static str,
    pub(super) id: String,
    /// Where the id is the name.
    pub(super) name: Option<String>,
}

/// The container whose cgroup has this name, in the directory `parent`.
pub(super) fn named(parent: &str, directory: &str) -> Option<Named> {
    // containerd's cgroupfs driver under a kubelet that speaks to systemd: `SLICE:cri-containerd:ID`.
    if let Some((_, id)) = directory.split_once(".slice:cri-containerd:").filter(|(_, id)| is_hex(id)) {
        return Some(Named { runtime: "containerd", id: id.to_owned(), name: None });
    }
    for form in FORMS.iter().filter(|form| form.below.is_empty() || form.below == parent) {
        let middle = directory.strip_prefix(form.before).and_then(|rest| rest.strip_suffix(form.after));
        let (id, name) = match middle.map(|middle| (&form.id, middle)) {
            Some((Id::Hex, id)) if is_hex(id) => (id.to_owned(), None),
            Some((Id::Name, name)) if is_name(name) => (name.to_owned(), Some(name.to_owned())),
            Some((Id::Escaped, text)) => match unit::unescape(text).filter(|name| is_name(name)) {
                Some(name) => (name.clone(), Some(name)),
                None => continue,
            },
            _ => continue,
        };
        return form.runtime.map(|runtime| Named { runtime, id, name });
    }
    // Runtimes that we do not know name their scopes so, too.
    let id = directory.strip_suffix(".scope")?.rsplit_once('-')?.1;
    is_hex(id).then(|| Named { runtime: "", id: id.to_owned(), name: None })
}

fn is_hex(id: &str) -> bool {
    id.len() == 64 && id.bytes().all(|byte| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte))
}

fn is_name(name: &str) -> bool {
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.:".contains(&byte);
    !name.is_empty() && name.len() < 256 && !name.starts_with('.') && name.bytes().all(allowed)
}
