//! The command line: kubectl's own options where they mean the same, then a verb of traceloop.

use std::time::Duration;

use clap::{Args, Parser, Subcommand};

/// The last system calls of any pod
///
/// traceloop records on every node what the pods there do; this asks the recorder of the right one. TARGET is POD,
/// POD/CONTAINER or NAMESPACE/POD[/CONTAINER]. Exit codes: 0 done, 1 nothing matches or it failed, 2 wrong use, 3 a node did
/// not answer.
#[derive(Parser, Debug)]
#[command(name = "kubectl-traceloop", bin_name = "kubectl traceloop", version, disable_help_subcommand = true)]
pub(crate) struct Arguments {
    #[command(flatten)]
    pub(crate) options: Options,
    #[command(subcommand)]
    pub(crate) verb: Option<Verb>,
}

/// Where and whose.
#[derive(Args, Clone, Debug)]
pub(crate) struct Options {
    /// The pods' namespace; if it is not said, the context's
    #[arg(short, long, global = true, value_name = "NAME")]
    pub(crate) namespace: Option<String>,
    /// Pods of all namespaces
    #[arg(short = 'A', long, global = true, conflicts_with = "namespace")]
    pub(crate) all_namespaces: bool,
    /// Pods with these labels
    #[arg(short = 'l', long, global = true, value_name = "LABELS")]
    pub(crate) selector: Option<String>,
    /// This node only
    #[arg(long, global = true, value_name = "NAME")]
    pub(crate) node: Option<String>,
    /// The context of the kubeconfig
    #[arg(long, global = true, value_name = "NAME")]
    pub(crate) context: Option<String>,
    /// The kubeconfig
    #[arg(long, global = true, value_name = "FILE")]
    pub(crate) kubeconfig: Option<String>,
    /// The namespace of the recorders
    #[arg(long, global = true, value_name = "NAME", default_value = "traceloop")]
    pub(crate) recorders: String,
    /// Dumps in an object store instead, where traceloop-ship has brought them: s3://BUCKET/PREFIX. The traceloop and the
    /// credentials of this machine read it
    #[arg(long, global = true, value_name = "URL")]
    pub(crate) store: Option<String>,
    /// How long a node may take to answer, seconds
    #[arg(long, global = true, value_name = "SECONDS", default_value = "10", value_parser = seconds)]
    pub(crate) deadline: Duration,
}

/// What is to be done.
#[derive(Subcommand, Clone, Debug)]
pub(crate) enum Verb {
    /// List stored dumps of all nodes; without a verb, too
    List(Words),
    /// Print the calls of a pod's newest stored dump
    Show(Words),
    /// Describe a pod's stored dumps
    Info(Words),
    /// Print what a pod has done until now; it goes on being recorded
    Dump(Words),
    /// Print a pod's calls as they happen
    Follow(Words),
    /// Write a pod's newest stored dump in another format
    Export(Words),
    /// Calls, errors and time of a node's units and pods, live
    Top(Words),
    /// What on the pod's node is stuck in a call
    Stuck(Words),
    /// Which nodes have a recorder, and whether it answers
    Nodes,
    /// What shells complete
    #[command(hide = true)]
    Complete { words: Vec<String> },
}

/// Which pod, and options of traceloop's own verb.
#[derive(Args, Clone, Debug, Default)]
pub(crate) struct Words {
    /// TARGET, then options of `traceloop VERB`, as --format strace
    #[arg(value_name = "TARGET", trailing_var_arg = true, allow_hyphen_values = true)]
    pub(crate) words: Vec<String>,
}

fn seconds(text: &str) -> Result<Duration, String> {
    match text.trim_end_matches('s').parse() {
        Ok(seconds) if seconds > 0.0 && seconds <= 3600.0 => Ok(Duration::from_secs_f64(seconds)),
        _ => Err("seconds, an hour at most".to_owned()),
    }
}
