//! The cluster as kubectl tells of it: recorders by node, pods, and running traceloop in a recorder.

use std::{
    io::IsTerminal,
    process::{Command, Stdio},
};

use anyhow::{Result, bail};
use serde_json::Value;

use crate::{
    arguments::Options,
    process::{Said, ask, kubectl, pass_on},
    refusal,
};

/// The recorders' label.
const RECORDER: &str = "app.kubernetes.io/name=traceloop";
/// The recorder in its image.
const PROGRAM: &str = "/usr/bin/traceloop";

/// A node's recorder.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Recorder {
    pub(crate) node: String,
    pub(crate) pod: String,
    /// Whether its container is ready.
    pub(crate) ready: bool,
    pub(crate) image: String,
}

/// A pod, as far as it matters.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Pod {
    pub(crate) namespace: String,
    pub(crate) name: String,
    pub(crate) node: Option<String>,
}

/// The API server, through kubectl.
#[derive(Debug)]
pub(crate) struct Cluster<'a> {
    pub(crate) options: &'a Options,
}

impl Cluster<'_> {
    fn get(&self, what: &[&str]) -> Result<Said> {
        let mut command = kubectl(self.options);
        command.arg("get").args(what).args(["--output", "json"]);
        ask(command, self.options.deadline)
    }

    /// Every node's recorder, by node.
    pub(crate) fn recorders(&self) -> Result<Vec<Recorder>> {
        let namespace = &self.options.recorders;
        let said = self.get(&["pods", "--namespace", namespace, "--selector", RECORDER])?;
        if said.code != 0 {
            bail!("look for recorders: {}", refusal::sentence(&said));
        }
        let mut recorders: Vec<Recorder> = items(&said.out)?.iter().filter_map(recorder).collect();
        recorders.retain(|recorder| self.options.node.as_ref().is_none_or(|node| recorder.node == *node));
        // One that goes and one that comes, on one node: the ready one counts.
        recorders.sort_by(|a, b| (&a.node, !a.ready).cmp(&(&b.node, !b.ready)));
        recorders.dedup_by(|later, first| later.node == first.node);
        if recorders.is_empty() {
            match &self.options.node {
                Some(node) => bail!("node {node} has no recorder: `kubectl traceloop nodes` lists those that have"),
                None => bail!(
                    "there are no recorders in the namespace {namespace}: apply traceloop.daemonset.yaml, or give --recorders"
                ),
            }
        }
        Ok(recorders)
    }

    /// A pod; `None`: it is gone.
    pub(crate) fn pod(&self, namespace: &str, name: &str) -> Result<Option<Pod>> {
        let said = self.get(&["pod", name, "--namespace", namespace])?;
        if refusal::is_not_found(&said) {
            return Ok(None);
        }
        if said.code != 0 {
            bail!("look for {namespace}/{name}: {}", refusal::sentence(&said));
        }
        Ok(pod(&serde_json::from_str(&said.out)?))
    }

    /// The pods that the options mean by their labels.
    pub(crate) fn labelled(&self, namespace: Option<&str>, selector: &str) -> Result<Vec<Pod>> {
        let mut what = vec!["pods", "--selector", selector];
        match namespace {
            Some(namespace) => what.extend(["--namespace", namespace]),
            None => what.push("--all-namespaces"),
        }
        let said = self.get(&what)?;
        if said.code != 0 {
            bail!("look for pods: {}", refusal::sentence(&said));
        }
        Ok(items(&said.out)?.iter().filter_map(pod).collect())
    }

    /// The context's namespace.
    pub(crate) fn namespace(&self) -> String {
        let mut command = kubectl(self.options);
        command.args(["config", "view", "--minify", "--output", "jsonpath={..namespace}"]);
        let said = ask(command, self.options.deadline).unwrap_or_default();
        Some(said.out.trim()).filter(|name| !name.is_empty()).unwrap_or("default").to_owned()
    }

    fn exec(&self, recorder: &Recorder, flags: &[&str], words: &[String]) -> Command {
        let mut command = kubectl(self.options);
        command.args(["exec", "--namespace", &self.options.recorders, "--container", "traceloop"]);
        command.args(flags).arg(&recorder.pod).arg("--").arg(PROGRAM).args(words);
        command
    }

    /// What traceloop says on a node, within the deadline.
    pub(crate) fn ask(&self, recorder: &Recorder, words: &[String]) -> Result<Said> {
        ask(self.exec(recorder, &[], words), self.options.deadline)
    }

    /// traceloop on a node, with our output.
    pub(crate) fn run(&self, recorder: &Recorder, words: &[String], how: How) -> Result<Said> {
        match how {
            How::Once => pass_on(self.exec(recorder, &[], words), Stdio::null()),
            // Ours stays open as long as we live: it ends with us, or with the connection.
            How::WhileWeLive => pass_on(self.exec(recorder, &["--stdin"], words), stays_open()),
            How::Terminal if std::io::stdout().is_terminal() && std::io::stdin().is_terminal() => {
                pass_on(self.exec(recorder, &["--stdin", "--tty"], words), Stdio::inherit())
            }
            How::Terminal => pass_on(self.exec(recorder, &["--stdin"], words), stays_open()),
        }
    }
}

/// What a verb of traceloop needs of us.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum How {
    /// It prints and ends.
    Once,
    /// It prints until its standard input ends.
    WhileWeLive,
    /// It draws on a terminal, if there is one.
    Terminal,
}

/// Our own input where somebody holds it open, as a terminal or a pipe does.
fn stays_open() -> Stdio {
    Stdio::inherit()
}

fn items(text: &str) -> Result<Vec<Value>> {
    let list: Value = serde_json::from_str(text)?;
    Ok(list["items"].as_array().cloned().unwrap_or_default())
}

fn text(value: &Value) -> Option<String> {
    value.as_str().map(str::to_owned)
}

fn recorder(pod: &Value) -> Option<Recorder> {
    let statuses = pod["status"]["containerStatuses"].as_array();
    let own = statuses.into_iter().flatten().find(|status| status["name"] == "traceloop");
    let leaves = !pod["metadata"]["deletionTimestamp"].is_null();
    Some(Recorder {
        node: text(&pod["spec"]["nodeName"])?,
        pod: text(&pod["metadata"]["name"])?,
        ready: !leaves && own.is_some_and(|own| own["ready"] == true),
        image: own.and_then(|own| text(&own["image"])).unwrap_or_default(),
    })
}

fn pod(pod: &Value) -> Option<Pod> {
    Some(Pod {
        namespace: text(&pod["metadata"]["namespace"])?,
        name: text(&pod["metadata"]["name"])?,
        node: text(&pod["spec"]["nodeName"]),
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_recorder_that_leaves_is_not_ready() {
        let status = json!([{"name": "ship", "ready": true}, {"name": "traceloop", "ready": true, "image": "a:1"}]);
        let mut pod = json!({
            "metadata": {"name": "traceloop-x", "namespace": "traceloop"},
            "spec": {"nodeName": "node1"}, "status": {"containerStatuses": status},
        });
        let here = recorder(&pod).unwrap();
        assert!(here.ready && here.node == "node1" && here.image == "a:1");
        pod["metadata"]["deletionTimestamp"] = json!("2026-01-01T00:00:00Z");
        assert!(!recorder(&pod).unwrap().ready);
        // One that no node was found for.
        pod["spec"] = json!({});
        assert_eq!(recorder(&pod), None);
    }
}
