//! What is known of a dump: the daemon's line of JSON, and the names that follow from it.

use anyhow::{Context, Result};
use serde_json::Value;

/// The namespace of what is no pod's alone. No namespace of Kubernetes can be called so.
pub(crate) const HOST: &str = "_host";

/// A stored dump, as the daemon describes it.
#[derive(Clone, Debug)]
pub(crate) struct Dump {
    /// What `traceloop info --json` says.
    pub(crate) about: Value,
    /// What its file is called in the daemon's store.
    name: Name,
    pub(crate) id: String,
}

/// The parts of a file's name that keys are made of: `20261125T031210.481022Z+3.1c8f-nginx.service-unit-3f9a2c7d1b04.dump`.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Name {
    time: String,
    /// Whose calls it holds, escaped.
    owner: String,
    reason: String,
}

/// The pod that a dump is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Pod<'a> {
    pub(crate) namespace: &'a str,
    pub(crate) name: &'a str,
    pub(crate) uid: &'a str,
    pub(crate) container: Option<&'a str>,
}

impl Dump {
    /// Reads a line.
    pub(crate) fn parse(line: &[u8]) -> Result<Self> {
        let about: Value = serde_json::from_slice(line).context("the daemon's line is no JSON")?;
        let id = about["id"].as_str().filter(|id| is_id(id)).context("it names no dump")?.to_owned();
        let path = about["path"].as_str().context("it names no file")?;
        let name = path.rsplit('/').next().and_then(|file| Name::parse(file, &id));
        let name = name.with_context(|| format!("the file of {id} is called as none of the daemon's"))?;
        Ok(Self { about, name, id })
    }

    /// The file's length, bytes.
    pub(crate) fn size(&self) -> u64 {
        self.about["size"].as_u64().unwrap_or(0)
    }

    /// Why it was made, in a word.
    pub(crate) fn reason(&self) -> &str {
        &self.name.reason
    }

    /// Where it belongs below a prefix, without an ending: the same for ever, so that writing it again changes nothing.
    pub(crate) fn key(&self, cluster: &str, node: &str) -> String {
        let Name { time, reason, .. } = &self.name;
        let (namespace, date) = (self.namespace(), self.date());
        format!("cluster={cluster}/namespace={namespace}/date={date}/node={node}/{time}-{reason}-{}", self.id)
    }

    /// `2026-11-25`.
    fn date(&self) -> String {
        let time = &self.name.time;
        format!("{}-{}-{}", &time[..4], &time[4..6], &time[6..8])
    }

    /// When it was made, seconds since 1970.
    pub(crate) fn time(&self) -> Option<jiff::Timestamp> {
        self.about["time"].as_str()?.parse().ok()
    }

    /// The namespace whose people may read it: that of all its cgroups, if there is one.
    pub(crate) fn namespace(&self) -> &str {
        let mut all = self.identities().map(|identity| identity["pod"]["namespace"].as_str());
        let first = all.next().flatten().filter(|name| is_namespace(name));
        match first {
            Some(namespace) if all.all(|other| other == Some(namespace)) => namespace,
            _ => HOST,
        }
    }

    /// The pod, if it is about one alone.
    pub(crate) fn pod(&self) -> Option<Pod<'_>> {
        let mut pods = self.identities().map(|identity| {
            let pod = &identity["pod"];
            let name = pod["name"].as_str().filter(|name| is_name(name))?;
            let namespace = pod["namespace"].as_str().filter(|name| is_namespace(name))?;
            let uid = pod["uid"].as_str().unwrap_or_default();
            Some(Pod { namespace, name, uid, container: pod["container"].as_str() })
        });
        let first = pods.next()??;
        let mut container = first.container;
        for other in pods {
            let other = other.filter(|other| (other.namespace, other.name) == (first.namespace, first.name))?;
            container = container.filter(|container| other.container == Some(*container));
        }
        Some(Pod { container, ..first })
    }

    /// Its cgroups.
    pub(crate) fn identities(&self) -> impl Iterator<Item = &Value> {
        self.about["identities"].as_array().into_iter().flatten()
    }

    /// What happened, in one to three sentences; where that is not known, why it was made.
    pub(crate) fn summary(&self) -> String {
        let text = |value: &Value| value.as_str().filter(|text| !text.is_empty()).map(str::to_owned);
        text(&self.about["summary"]["text"]).unwrap_or_else(|| {
            let name = text(&self.about["name"]).unwrap_or_else(|| "a dump".to_owned());
            match text(&self.about["error"]) {
                // Its name is all that anybody here knows.
                Some(_) if self.about["state"] == "encrypted" => {
                    format!("{}: {}; the dump is encrypted", self.name.owner, self.reason())
                }
                Some(error) => format!("The dump {} cannot be read: {error}", self.id),
                None => format!("{name}: {}", self.reason()),
            }
        })
    }
}

impl Name {
    /// `None`: the daemon calls none so.
    fn parse(file: &str, id: &str) -> Option<Self> {
        let rest = file.strip_suffix(".dump")?.strip_suffix(id)?.strip_suffix('-')?;
        let (rest, reason) = rest.rsplit_once('-')?;
        let (time, owner) = rest.split_once('-')?;
        let time = time.split_once('+').map_or(time, |(time, _)| time);
        let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
        let is_time = time.len() == 23
            && time.is_ascii()
            && digits(&time[..8])
            && time[8..].bytes().all(|byte| byte.is_ascii_digit() || b"TZ.".contains(&byte));
        let is_reason = !reason.is_empty() && reason.bytes().all(|byte| byte.is_ascii_lowercase());
        (is_time && is_reason).then(|| Self {
            time: time.to_owned(),
            owner: owner.to_owned(),
            reason: reason.to_owned(),
        })
    }
}

/// Whether this is a dump's id.
pub(crate) fn is_id(text: &str) -> bool {
    text.len() == 12 && text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
}

/// Whether Kubernetes would have a namespace called so.
fn is_namespace(name: &str) -> bool {
    name.len() <= 63 && !name.contains('.') && is_name(name)
}

/// Whether Kubernetes would have something called so.
fn is_name(name: &str) -> bool {
    let is_plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"-.".contains(&byte);
    !name.is_empty() && name.len() <= 253 && !name.starts_with(['.', '-']) && name.bytes().all(is_plain)
}

#[cfg(test)]
pub(crate) mod tests {
    use serde_json::json;

    use super::*;

    /// The dump of a pod's crash.
    pub(crate) fn crash(id: &str) -> Dump {
        of(
            id,
            json!([{
                "cgroup": "/kubepods/pod1/c", "pod": {"uid": "u-1", "namespace": "shop", "name": "cart-2", "container": "app"},
                "container": {"id": "abc", "image": "cart:7", "labels": {"app.kubernetes.io/name": "cart"}}
            }]),
        )
    }

    pub(crate) fn of(id: &str, identities: Value) -> Dump {
        let line = json!({
            "id": id, "size": 4096, "state": "whole", "time": "2026-11-25T03:12:10.481022Z", "reason": "killed",
            "path": format!("/var/lib/traceloop/20261125T031210.481022Z+3.1c8f-shop%2Fcart-2-killed-{id}.dump"),
            "name": "shop/cart-2/app", "identities": identities, "host": "node1", "traceloop": "0.1.0", "pid": 7,
            "summary": {"text": "app[7] was killed by SIGSEGV.", "events": []}
        });
        Dump::parse(line.to_string().as_bytes()).unwrap()
    }

    #[test]
    fn keys_begin_with_whose_people_may_read() {
        let dump = crash("3f9a2c7d1b04");
        assert_eq!(
            dump.key("prod", "node1"),
            "cluster=prod/namespace=shop/date=2026-11-25/node=node1/20261125T031210.481022Z-killed-3f9a2c7d1b04"
        );
        let pod = |namespace: &str| json!({"pod": {"namespace": namespace, "name": "a"}});
        for (identities, namespace) in [
            (json!([]), HOST),
            (json!([{"unit": "nginx.service"}]), HOST),
            (json!([pod("a"), pod("a")]), "a"),
            // What is two namespaces' is neither's alone.
            (json!([pod("a"), pod("b")]), HOST),
            (json!([pod("a"), {"unit": "nginx.service"}]), HOST),
            (json!([pod("../b")]), HOST),
            (json!([pod("b/../../x")]), HOST),
            (json!([pod("")]), HOST),
        ] {
            let dump = of("3f9a2c7d1b04", identities.clone());
            assert_eq!(dump.namespace(), namespace, "{identities}");
        }
    }

    #[test]
    fn a_pod_is_named_if_it_is_one() {
        let dump = crash("3f9a2c7d1b04");
        let pod = dump.pod().unwrap();
        assert_eq!((pod.namespace, pod.name, pod.uid, pod.container), ("shop", "cart-2", "u-1", Some("app")));
        let of_pod = |container: &str| json!({"pod": {"namespace": "a", "name": "b", "container": container}});
        assert_eq!(of("3f9a2c7d1b04", json!([of_pod("x"), of_pod("y")])).pod().unwrap().container, None);
        assert!(of("3f9a2c7d1b04", json!([of_pod("x"), {"unit": "a"}])).pod().is_none());
    }

    #[test]
    fn what_the_daemon_never_says_is_refused() {
        let line = |id: &str, path: &str| json!({"id": id, "path": path}).to_string();
        let id = "3f9a2c7d1b04";
        for wrong in [
            "".to_owned(),
            "{}".to_owned(),
            line("../../../etc/", "/a"),
            line(id, "/a/b.dump"),
            line(id, &format!("/a/20261125T031210.481022Z-a-KILLED-{id}.dump")),
            line(id, &format!("/a/2026/125T031210.481022Z-a-killed-{id}.dump")),
            line(id, &format!("/a/üü61125T031210.481022Z-a-killed-{id}.dump")),
        ] {
            assert!(Dump::parse(wrong.as_bytes()).is_err(), "{wrong}");
        }
        let old = line(id, &format!("/a/20261125T031210.481022Z-a-b-killed-{id}.dump"));
        assert_eq!(Dump::parse(old.as_bytes()).unwrap().reason(), "killed");
    }

    #[test]
    fn a_damaged_one_has_a_summary_too() {
        let id = "3f9a2c7d1b04";
        let path = format!("/a/20261125T031210.481022Z-a-killed-{id}.dump");
        let line = json!({"id": id, "path": path, "size": 3, "state": "unreadable", "error": "no header"}).to_string();
        let dump = Dump::parse(line.as_bytes()).unwrap();
        assert!(dump.summary().contains("cannot be read: no header"), "{}", dump.summary());
        assert_eq!((dump.namespace(), dump.pod(), dump.size()), (HOST, None, 3));
        let path = format!("/a/20261125T031210.481022Z-shop.service-killed-{id}.dump");
        let line = json!({"id": id, "path": path, "size": 3, "state": "encrypted", "error": "it is"}).to_string();
        assert_eq!(Dump::parse(line.as_bytes()).unwrap().summary(), "shop.service: killed; the dump is encrypted");
    }
}
