//! The names that a runtime gave to a container, cut down to what may be kept: an answer is not trusted
//! to be small.

use std::collections::{BTreeMap, HashMap};

use crate::model::{Container, Pod};

/// More labels than these, and longer texts, are left out.
const LABELS: usize = 128;
const LONGEST_NAME: usize = 512;
const LONGEST_VALUE: usize = 4096;

/// How the kubelet labels what it makes.
const NAMESPACE: &str = "io.kubernetes.pod.namespace";
const POD: &str = "io.kubernetes.pod.name";
const POD_UID: &str = "io.kubernetes.pod.uid";
const IN_POD: &str = "io.kubernetes.container.name";
/// How docker's sandboxes are labelled.
const SANDBOX: &str = "POD";

/// What a runtime knows of a container or a pod.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(in crate::identity) struct Names {
    /// "" if whoever was asked does not tell.
    pub(in crate::identity) runtime: String,
    pub(in crate::identity) name: Option<String>,
    pub(in crate::identity) image: Option<String>,
    pub(in crate::identity) labels: BTreeMap<String, String>,
    pub(in crate::identity) pod: Option<Pod>,
}

impl Names {
    pub(super) fn new(runtime: &str, name: &str, image: &str) -> Self {
        let name = kept(name, LONGEST_NAME);
        Self { runtime: runtime.to_owned(), name, image: kept(image, LONGEST_NAME), ..Self::default() }
    }

    /// Takes the labels, and what those of the kubelet tell of the pod.
    pub(super) fn label(&mut self, labels: HashMap<String, String>) {
        let of = |key: &str| labels.get(key).and_then(|value| kept(value, LONGEST_NAME));
        if let Some(uid) = of(POD_UID) {
            let container = of(IN_POD).filter(|name| name != SANDBOX);
            self.pod = Some(Pod { uid, namespace: of(NAMESPACE), name: of(POD), container });
        }
        let mut labels: Vec<_> = labels
            .into_iter()
            .filter(|(key, value)| (1..=LONGEST_NAME).contains(&key.len()) && value.len() <= LONGEST_VALUE)
            .collect();
        labels.sort();
        for (key, value) in labels {
            if self.labels.len() < LABELS {
                self.labels.entry(key).or_insert(value);
            }
        }
    }

    /// Writes the names into a container and its pod, as far as they are not there.
    pub(in crate::identity) fn fill(&self, container: Option<&mut Container>, pod: &mut Option<Pod>) {
        if let Some(container) = container {
            if container.runtime.is_empty() {
                container.runtime.clone_from(&self.runtime);
            }
            container.name = container.name.take().or_else(|| self.name.clone());
            container.image = container.image.take().or_else(|| self.image.clone());
            if container.labels.is_empty() {
                container.labels.clone_from(&self.labels);
            }
        }
        let Some(told) = &self.pod else { return };
        // The uid that stands in the path stays: the cgroup is found by it.
        let pod = pod.get_or_insert_with(|| Pod { uid: told.uid.clone(), ..Pod::default() });
        if pod.name.is_none() {
            pod.namespace.clone_from(&told.namespace);
            pod.name.clone_from(&told.name);
        }
        pod.container = pod.container.take().or_else(|| told.container.clone());
    }
}

fn kept(text: &str, longest: usize) -> Option<String> {
    (1..=longest).contains(&text.len()).then(|| text.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn labels(pairs: &[(&str, &str)]) -> HashMap<String, String> {
        pairs.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect()
    }

    #[test]
    fn the_kubelets_labels_name_the_pod() {
        let mut names = Names::new("docker", "k8s_web", "");
        names.label(labels(&[(POD_UID, "u"), (NAMESPACE, "shop"), (POD, "cart"), (IN_POD, "web"), ("app", "x")]));
        let mut pod = Some(Pod { uid: "0f8f".into(), ..Pod::default() });
        let mut container = Container { id: "00".into(), ..Container::default() };
        names.fill(Some(&mut container), &mut pod);
        assert_eq!((container.runtime.as_str(), container.image), ("docker", None));
        assert_eq!((container.name.as_deref(), container.labels.len()), (Some("k8s_web"), 5));
        let pod = pod.unwrap();
        assert_eq!((pod.uid.as_str(), pod.name.as_deref()), ("0f8f", Some("cart")));
        assert_eq!((pod.namespace.as_deref(), pod.container.as_deref()), (Some("shop"), Some("web")));
    }

    #[test]
    fn what_is_too_much_is_left_out() {
        let long = "x".repeat(5000);
        let mut names = Names::new("", &long, &long);
        names.label((0..1000).map(|number| (number.to_string(), String::new())).collect());
        assert_eq!((names.name.clone(), names.image.clone(), names.labels.len()), (None, None, LABELS));
        let mut names = Names::new("", "a", "");
        names.label(labels(&[("long", &long), (&long, "a"), ("", "b"), (POD_UID, &long)]));
        assert_eq!((names.labels.len(), names.pod), (0, None));
    }
}
