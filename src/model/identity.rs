//! Whose calls a dump holds: the cgroup, and the unit, container or pod that it is.

use std::{
    collections::BTreeMap,
    fmt::{self, Write},
};

use serde::{Deserialize, Serialize};

/// A recorded cgroup, by all of its names. What is not known is absent, never guessed.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Identity {
    /// Its path from the root of the cgroup tree: `/system.slice/nginx.service`.
    pub cgroup: String,
    /// Its id, the inode number of its directory.
    pub cgroup_id: u64,
    /// The systemd unit: `nginx.service`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub unit: Option<String>,
    /// The user whose service manager runs the unit; `None`: the system's.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub user: Option<u32>,
    /// The unit's slice: `system.slice`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub slice: Option<String>,
    /// systemd's invocation id, 32 hexadecimal digits.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub invocation: Option<String>,
    /// The container.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub container: Option<Container>,
    /// The Kubernetes pod.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pod: Option<Pod>,
    /// The containers around `container`, the outermost first.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub outer: Vec<Container>,
}

/// A container, as its runtime knows it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Container {
    /// `podman`, `docker`, `containerd`, `cri-o`, `lxc`, `nspawn`, or "" where only the id is known.
    pub runtime: String,
    /// Its whole id.
    pub id: String,
    /// Its name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// The path of its own cgroup; the recorded one may lie below it.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub cgroup: String,
    /// Its image.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub image: Option<String>,
    /// Its labels.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub labels: BTreeMap<String, String>,
}

/// The pod that a container belongs to.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Pod {
    /// Its uid.
    pub uid: String,
    /// Its namespace.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub namespace: Option<String>,
    /// Its name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// The container's name in it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub container: Option<String>,
}

impl Identity {
    /// The unit that a service manager inside the container runs.
    pub fn inner_unit(&self) -> Option<&str> {
        let inside = self.cgroup.strip_prefix(&self.container.as_ref()?.cgroup)?;
        let unit = self.unit.as_deref()?;
        inside.split('/').any(|directory| directory.strip_prefix('_').unwrap_or(directory) == unit).then_some(unit)
    }
}

impl Container {
    /// Its name, or what people type of its id.
    pub fn called(&self) -> &str {
        let short = if self.id.len() == 64 { self.id.get(..12) } else { None };
        self.name.as_deref().unwrap_or(short.unwrap_or(&self.id))
    }
}

impl fmt::Display for Identity {
    /// The name that people use: the pod's, the container's, the unit's, or the cgroup's path; a unit of a user's
    /// manager or of one inside a container has that before it. Control characters come out escaped: a name must
    /// not drive a terminal.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut parts: Vec<&str> = match (&self.pod, &self.container) {
            (Some(Pod { namespace: Some(namespace), name: Some(name), container, .. }), _) => {
                [namespace, name].into_iter().chain(container).map(String::as_str).collect()
            }
            (_, Some(container)) => vec![container.called()],
            _ => Vec::new(),
        };
        let unit = if parts.is_empty() { self.unit.as_deref() } else { self.inner_unit() };
        let manager = self.user.filter(|_| unit.is_some()).map(|user| format!("user@{user}"));
        parts.extend(manager.as_deref());
        parts.extend(unit);
        if parts.is_empty() {
            parts.push(&self.cgroup);
        }
        for (index, part) in parts.into_iter().enumerate() {
            if index > 0 {
                f.write_char('/')?;
            }
            for char in part.chars() {
                if super::acts(char) { write!(f, "{}", char.escape_default())? } else { f.write_char(char)? }
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_name_that_people_use() {
        let mut identity = Identity { cgroup: "/system.slice/a.service".into(), ..Identity::default() };
        assert_eq!(identity.to_string(), "/system.slice/a.service");
        identity.unit = Some("a.service".into());
        assert_eq!(identity.to_string(), "a.service");
        identity.user = Some(1000);
        assert_eq!(identity.to_string(), "user@1000/a.service");
        identity.user = None;
        let (id, cgroup) = ("0123456789abcdef".repeat(4), "/system.slice".into());
        identity.container = Some(Container { id, cgroup, ..Container::default() });
        assert_eq!(identity.to_string(), "0123456789ab/a.service");
        identity.container =
            Some(Container { id: "box".into(), cgroup: identity.cgroup.clone(), ..Container::default() });
        assert_eq!(identity.to_string(), "box");
        identity.container = Some(Container { name: Some("b\u{1b}x".into()), ..Container::default() });
        assert_eq!(identity.to_string(), "b\\u{1b}x/a.service");
        identity.user = Some(1000);
        assert_eq!(identity.to_string(), "b\\u{1b}x/user@1000/a.service");
        (identity.container, identity.user) = (None, None);
        let (namespace, name, container) = (Some("shop".into()), Some("cart-7".into()), Some("web".into()));
        identity.pod = Some(Pod { uid: "u".into(), namespace, name, container });
        assert_eq!(identity.to_string(), "shop/cart-7/web");
    }
}
