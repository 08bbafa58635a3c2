//! The node's file in the object store, `cluster=C/nodes/NODE.json`: that it lives, and what each sink has.
//!
//! It is read when the state directory was lost, as with a pod: what it says has gone is not sent again where a second time
//! would show.

use std::collections::{BTreeMap, HashSet};

use serde::{Deserialize, Serialize};

/// The file.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Node {
    pub(crate) cluster: String,
    pub(crate) node: String,
    /// When it was written.
    pub(crate) time: String,
    /// Our version.
    pub(crate) traceloop_ship: String,
    /// The daemon's, if it answers.
    pub(crate) traceloop: Option<String>,
    pub(crate) sinks: BTreeMap<String, Sink>,
}

/// What a sink has.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Sink {
    /// Since we began.
    pub(crate) shipped: u64,
    pub(crate) waiting: u64,
    pub(crate) missed: u64,
    pub(crate) refused: u64,
    /// The ids that went last, the newest last.
    pub(crate) recent: Vec<String>,
}

impl Node {
    /// Where it is.
    pub(crate) fn key(cluster: &str, node: &str) -> String {
        format!("cluster={cluster}/nodes/{node}.json")
    }

    /// Which of the dumps that the daemon lists, oldest first, had gone to a sink: those that are named, and what is
    /// older than all of these.
    pub(crate) fn gone<'a>(&self, sink: &str, listed: &'a [String]) -> Vec<&'a str> {
        let Some(sink) = self.sinks.get(sink) else { return Vec::new() };
        let recent: HashSet<&str> = sink.recent.iter().map(String::as_str).collect();
        let first = listed.iter().position(|id| recent.contains(id.as_str())).unwrap_or(0);
        let named = |(n, id): &(usize, &'a String)| *n < first || recent.contains(id.as_str());
        listed.iter().enumerate().filter(named).map(|(_, id)| id.as_str()).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_had_gone_is_known_by_the_last_that_went() {
        let listed = ["1", "2", "3", "4", "5"].map(str::to_owned);
        let of = |recent: &[&str]| {
            let recent = recent.iter().map(|id| (*id).to_owned()).collect();
            let node =
                Node { sinks: [("otlp".to_owned(), Sink { recent, ..Sink::default() })].into(), ..Node::default() };
            node.gone("otlp", &listed).join("")
        };
        assert_eq!(of(&["0", "2", "4"]), "124");
        assert_eq!(of(&["8", "9"]), "");
        assert_eq!(of(&[]), "");
        assert!(Node::default().gone("otlp", &listed).is_empty());
    }
}
