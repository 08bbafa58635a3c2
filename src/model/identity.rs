//! Whose calls a dump holds: the cgroup, and the unit, container or pod that it is.

use std::{collections::BTreeMap, fmt};

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

impl fmt::Display for Identity {
    /// The name that people use: the pod's, the container's, the unit's, or the cgroup's path.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(Pod { namespace: Some(namespace), name: Some(name), container, .. }) = &self.pod {
            write!(f, "{namespace}/{name}")?;
            return container.as_ref().map_or(Ok(()), |container| write!(f, "/{container}"));
        }
        let container = self
            .container
            .as_ref()
            .map(|container| container.name.clone().unwrap_or_else(|| container.id.chars().take(12).collect()));
        let name = container.as_ref().or(self.unit.as_ref()).unwrap_or(&self.cgroup);
        f.write_str(name)
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
        identity.container = Some(Container { id: "0123456789abcdef".into(), ..Container::default() });
        assert_eq!(identity.to_string(), "0123456789ab");
        let (namespace, name, container) = (Some("shop".into()), Some("cart-7".into()), Some("web".into()));
        identity.pod = Some(Pod { uid: "u".into(), namespace, name, container });
        assert_eq!(identity.to_string(), "shop/cart-7/web");
    }
}
