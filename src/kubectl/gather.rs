//! Asking all nodes at once: stored dumps as each lists them, put together in the order of time.

use std::{fmt::Write as _, thread};

use serde_json::Value;

use crate::{
    cluster::{Cluster, Recorder},
    refusal,
};

/// A stored dump, and where it is.
#[derive(Clone, Debug)]
pub(crate) struct Found {
    pub(crate) recorder: Recorder,
    /// As `traceloop list --json` tells of it.
    pub(crate) dump: Value,
}

/// What the nodes answered.
#[derive(Debug, Default)]
pub(crate) struct Gathered {
    /// The oldest first.
    pub(crate) found: Vec<Found>,
    /// Nodes that did not, and why.
    pub(crate) silent: Vec<(String, String)>,
}

/// Asks each recorder for its dumps.
pub(crate) fn dumps(cluster: &Cluster<'_>, recorders: &[Recorder], words: &[String]) -> Gathered {
    let mut ask = vec!["list".to_owned(), "--json".to_owned(), "--quiet".to_owned()];
    ask.extend_from_slice(words);
    let answers: Vec<Result<Vec<Value>, String>> = thread::scope(|scope| {
        let asked: Vec<_> = recorders.iter().map(|recorder| scope.spawn(|| one(cluster, recorder, &ask))).collect();
        asked
            .into_iter()
            .map(|asked| asked.join().unwrap_or_else(|_| Err("its answer is not understood".into())))
            .collect()
    });
    let mut gathered = Gathered::default();
    for (recorder, answer) in recorders.iter().zip(answers) {
        match answer {
            Ok(dumps) => {
                gathered.found.extend(dumps.into_iter().map(|dump| Found { recorder: recorder.clone(), dump }));
            }
            Err(why) => gathered.silent.push((recorder.node.clone(), why)),
        }
    }
    // RFC 3339 in UTC, of one length.
    gathered.found.sort_by(|a, b| a.dump["time"].as_str().cmp(&b.dump["time"].as_str()));
    gathered
}

fn one(cluster: &Cluster<'_>, recorder: &Recorder, ask: &[String]) -> Result<Vec<Value>, String> {
    if !recorder.ready {
        return Err("its recorder is not ready".to_owned());
    }
    let said = cluster.ask(recorder, ask).map_err(|error| format!("{error:#}"))?;
    match said.code {
        // 1 without a word: nothing matches.
        0 => {}
        1 if !said.error.contains("traceloop:") && said.error.contains("exit code 1") => {}
        _ => return Err(refusal::sentence(&said)),
    }
    let lines = said.out.lines().map(|line| serde_json::from_str(line).map_err(|error| format!("its answer: {error}")));
    lines.collect()
}

impl Found {
    fn text(&self, name: &str) -> String {
        match &self.dump[name] {
            Value::String(text) => text.clone(),
            Value::Null => "-".to_owned(),
            other => other.to_string(),
        }
    }

    /// `namespace/pod/container`s that it is of.
    pub(crate) fn pods(&self) -> impl Iterator<Item = (&str, &str)> {
        let identities = self.dump["identities"].as_array();
        identities
            .into_iter()
            .flatten()
            .filter_map(|identity| Some((identity["pod"]["namespace"].as_str()?, identity["pod"]["name"].as_str()?)))
    }

    pub(crate) fn id(&self) -> String {
        self.text("id")
    }

    /// As JSON, with the node.
    pub(crate) fn json(&self) -> String {
        let mut dump = self.dump.clone();
        dump["node"] = self.recorder.node.clone().into();
        dump.to_string()
    }
}

const HEAD: [&str; 7] = ["TIME", "NODE", "POD", "COMM", "REASON", "CALLS", "ID"];

/// A table of them, for people.
pub(crate) fn table(found: &[Found]) -> String {
    let mut rows = vec![HEAD.map(str::to_owned)];
    for found in found {
        let time = found.text("time");
        let time = time.split('.').next().unwrap_or_default().replace('T', " ") + "Z";
        let name = found.text("name");
        rows.push([
            time,
            found.recorder.node.clone(),
            name,
            found.text("comm"),
            found.text("reason"),
            found.text("calls"),
            found.id(),
        ]);
    }
    columns(&rows)
}

/// Rows under each other.
pub(crate) fn columns<const N: usize>(rows: &[[String; N]]) -> String {
    let width = |n: usize| rows.iter().map(|row| row[n].chars().count()).max().unwrap_or(0);
    let widths: Vec<usize> = (0..N).map(width).collect();
    rows.iter().fold(String::new(), |mut text, row| {
        let line = row.iter().zip(&widths).fold(String::new(), |mut line, (cell, width)| {
            // Writing to a String cannot fail.
            let _ = write!(line, "{cell:width$}  ");
            line
        });
        text += line.trim_end();
        text.push('\n');
        text
    })
}
