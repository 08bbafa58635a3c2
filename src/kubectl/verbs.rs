//! The verbs: whom to ask, and what to make of the answer.

use std::process::Command;

use anyhow::{Context, Result, bail};

use crate::{
    End,
    arguments::{Arguments, Options, Verb, Words},
    cluster::{Cluster, How, Pod, Recorder},
    gather::{self, Found, Gathered},
    process::Said,
    refusal,
};

pub(crate) fn run(arguments: &Arguments) -> Result<End> {
    let verb = arguments.verb.clone().unwrap_or_else(|| Verb::List(Words::default()));
    let (name, words) = match &verb {
        Verb::List(words) => ("list", words),
        Verb::Show(words) => ("show", words),
        Verb::Info(words) => ("info", words),
        Verb::Dump(words) => ("dump", words),
        Verb::Follow(words) => ("follow", words),
        Verb::Export(words) => ("export", words),
        Verb::Top(words) => ("top", words),
        Verb::Stuck(words) => ("stuck", words),
        Verb::Nodes | Verb::Complete { .. } => ("", &Words::default()),
    };
    let (mine, words) = ours(words);
    let options = mine.over(&arguments.options);
    let cluster = Cluster { options: &options };
    if let Some(url) = &options.store {
        return match verb {
            Verb::List(_) | Verb::Show(_) | Verb::Info(_) | Verb::Export(_) => elsewhere(&cluster, url, name, &words),
            _ => bail!("--store is for list, show, info and export: what runs is on its node"),
        };
    }
    match verb {
        Verb::Nodes => nodes(&cluster),
        Verb::Complete { words } => {
            let (mine, words) = ours(&Words { words });
            complete(&Cluster { options: &mine.over(&options) }, &words)
        }
        Verb::List(_) => list(&cluster, &words),
        Verb::Show(_) | Verb::Info(_) | Verb::Export(_) => stored(&cluster, name, &words),
        Verb::Dump(_) => live(&cluster, name, &words, &[], How::Once),
        Verb::Follow(_) => live(&cluster, name, &words, &["--while-stdin"], How::WhileWeLive),
        Verb::Top(_) => live(&cluster, name, &words, &[], How::Terminal),
        Verb::Stuck(_) => live(&cluster, name, &words, &[], How::Once),
    }
}

/// Our own options that stand behind the verb, where clap leaves all words to traceloop.
#[derive(Debug, Default)]
struct Ours {
    namespace: Option<String>,
    all: bool,
    selector: Option<String>,
    node: Option<String>,
    context: Option<String>,
    kubeconfig: Option<String>,
    recorders: Option<String>,
    store: Option<String>,
}

impl Ours {
    fn over(self, options: &Options) -> Options {
        let mut options = options.clone();
        options.all_namespaces |= self.all;
        for (ours, place) in [
            (self.namespace, &mut options.namespace),
            (self.selector, &mut options.selector),
            (self.node, &mut options.node),
            (self.context, &mut options.context),
            (self.kubeconfig, &mut options.kubeconfig),
            (self.store, &mut options.store),
        ] {
            if ours.is_some() {
                *place = ours;
            }
        }
        options.recorders = self.recorders.unwrap_or(options.recorders);
        options
    }
}

/// Takes our options out of the words of a verb. `-n` is a namespace here; traceloop's own is written --lines.
fn ours(words: &Words) -> (Ours, Vec<String>) {
    let (mut ours, mut left) = (Ours::default(), Vec::new());
    let mut words = words.words.iter();
    while let Some(word) = words.next() {
        let (name, value) = match word.split_once('=') {
            Some((name, value)) if name.starts_with("--") => (name, Some(value.to_owned())),
            _ => (word.as_str(), None),
        };
        let place = match name {
            "-n" | "--namespace" => &mut ours.namespace,
            "-l" | "--selector" => &mut ours.selector,
            "--node" => &mut ours.node,
            "--context" => &mut ours.context,
            "--kubeconfig" => &mut ours.kubeconfig,
            "--recorders" => &mut ours.recorders,
            "--store" => &mut ours.store,
            "-A" | "--all-namespaces" => {
                ours.all = true;
                continue;
            }
            _ => {
                left.push(word.clone());
                continue;
            }
        };
        *place = value.or_else(|| words.next().cloned());
    }
    (ours, left)
}

/// Namespace, pod, and the container if one is named.
type Named = (String, String, Option<String>);

/// What the first word names, and what is left of the words.
fn target<'a>(cluster: &Cluster<'_>, words: &'a [String]) -> Option<(Named, &'a [String])> {
    let (first, rest) = words.split_first().filter(|(first, _)| !first.starts_with('-'))?;
    let parts: Vec<&str> = first.split('/').collect();
    let namespace = || cluster.options.namespace.clone().unwrap_or_else(|| cluster.namespace());
    let text = |part: &str| part.to_owned();
    let pod = match (parts.as_slice(), &cluster.options.namespace) {
        ([pod], _) => (namespace(), text(pod), None),
        // With -n the first part cannot be a namespace.
        ([pod, container], Some(namespace)) => (namespace.clone(), text(pod), Some(text(container))),
        ([namespace, pod], None) => (text(namespace), text(pod), None),
        ([namespace, pod, container], _) => (text(namespace), text(pod), Some(text(container))),
        _ => return None,
    };
    Some((pod, rest))
}

fn named(namespace: &str, pod: &str, container: Option<&String>) -> String {
    container.map_or_else(|| format!("{namespace}/{pod}"), |container| format!("{namespace}/{pod}/{container}"))
}

/// Two questions at once: each costs a start of kubectl and a way to the API server and back.
fn both<A: Send, B>(one: impl FnOnce() -> Result<A> + Send, other: impl FnOnce() -> Result<B>) -> Result<(A, B)> {
    std::thread::scope(|scope| {
        let one = scope.spawn(one);
        let other = other();
        match one.join() {
            Ok(one) => Ok((one?, other?)),
            Err(_) => bail!("an answer of kubectl was not understood"),
        }
    })
}

fn on<'a>(recorders: &'a [Recorder], node: &str) -> Result<&'a Recorder> {
    match recorders.iter().find(|recorder| recorder.node == node) {
        Some(recorder) if !recorder.ready => bail!("the recorder of node {node} ({}) is not ready", recorder.pod),
        Some(recorder) => Ok(recorder),
        None => bail!("node {node} has no recorder: `kubectl traceloop nodes` lists those that have"),
    }
}

/// Says which nodes did not answer.
fn end(silent: &[(String, String)], found: bool) -> End {
    for (node, why) in silent {
        eprintln!("kubectl traceloop: node {node} did not answer: {why}");
    }
    match (silent.is_empty(), found) {
        (false, _) => End::InPart,
        (true, true) => End::Done,
        (true, false) => End::Failed,
    }
}

fn list(cluster: &Cluster<'_>, words: &[String]) -> Result<End> {
    let json = words.iter().any(|word| word == "--json");
    let quiet = words.iter().any(|word| word == "-q" || word == "--quiet");
    let mut words: Vec<String> =
        words.iter().filter(|word| !["--json", "-q", "--quiet"].contains(&word.as_str())).cloned().collect();
    let pods = wanted(cluster)?;
    let pod = target(cluster, &words).map(|((namespace, pod, container), rest)| {
        let mut all = vec![named(&namespace, &pod, container.as_ref())];
        all.extend_from_slice(rest);
        all
    });
    let one = pod.is_some();
    words = pod.unwrap_or(words);
    let Gathered { mut found, silent } = gather::dumps(cluster, &cluster.recorders()?, &words);
    if !one {
        found.retain(|found| pods.has(found));
    }
    if json {
        found.iter().for_each(|found| println!("{}", found.json()));
    } else if !found.is_empty() {
        let table = gather::table(&found);
        print!("{}", if quiet { table.split_once('\n').map_or("", |(_, rows)| rows) } else { &table });
    } else if !quiet && silent.is_empty() {
        eprintln!("kubectl traceloop: no dump matches");
    }
    Ok(end(&silent, !found.is_empty()))
}

/// Whose dumps are listed if no pod is named.
#[derive(Debug)]
enum Wanted {
    All,
    Of(String),
    These(Vec<Pod>),
}

impl Wanted {
    fn has(&self, found: &Found) -> bool {
        match self {
            Self::All => true,
            Self::Of(namespace) => found.pods().any(|(of, _)| of == namespace),
            Self::These(pods) => found
                .pods()
                .any(|(namespace, name)| pods.iter().any(|pod| pod.namespace == namespace && pod.name == name)),
        }
    }
}

fn wanted(cluster: &Cluster<'_>) -> Result<Wanted> {
    let options = cluster.options;
    let namespace =
        || if options.all_namespaces { None } else { options.namespace.clone().or_else(|| Some(cluster.namespace())) };
    Ok(match (&options.selector, options.all_namespaces) {
        (Some(selector), _) => Wanted::These(cluster.labelled(namespace().as_deref(), selector)?),
        (None, true) => Wanted::All,
        (None, false) => Wanted::Of(options.namespace.clone().unwrap_or_else(|| cluster.namespace())),
    })
}

/// What this machine's traceloop reads in an object store: no node is asked, and it need not live any more.
fn elsewhere(cluster: &Cluster<'_>, url: &str, verb: &str, words: &[String]) -> Result<End> {
    let mut all = vec![verb.to_owned(), url.to_owned()];
    match target(cluster, words).filter(|_| !is_id(&words[0])) {
        Some(((namespace, name, container), rest)) => {
            all.push(named(&namespace, &name, container.as_ref()));
            all.extend_from_slice(rest);
        }
        None => {
            all.extend(cluster.options.namespace.iter().map(|namespace| format!("NAMESPACE={namespace}")));
            all.extend_from_slice(words);
        }
    }
    let program = std::env::var_os("TRACELOOP").unwrap_or_else(|| "traceloop".into());
    let status = Command::new(&program).args(&all).status();
    let status = status.with_context(|| format!("run {}, which reads {url}: install it here", program.display()))?;
    Ok(match status.code().and_then(|code| u8::try_from(code).ok()) {
        Some(0) => End::Done,
        Some(code) => End::Theirs(code),
        None => End::Failed,
    })
}

/// Whether this is a dump's id, which names no pod.
fn is_id(word: &str) -> bool {
    word.len() == 12 && word.bytes().all(|byte| byte.is_ascii_hexdigit())
}

/// show, info and export: on the pod's node; on the node that has the newest dump of it if the pod is gone.
fn stored(cluster: &Cluster<'_>, verb: &str, words: &[String]) -> Result<End> {
    let Some(((namespace, name, container), rest)) = target(cluster, words) else {
        return match &cluster.options.node {
            Some(node) => pass(cluster, on(&cluster.recorders()?, node)?, verb, &[], words, How::Once),
            None => {
                bail!("say which pod: NAMESPACE/POD, or POD with -n; or --node NODE and what `traceloop {verb}` takes")
            }
        };
    };
    let whose = named(&namespace, &name, container.as_ref());
    let (recorders, pod) = both(|| cluster.recorders(), || cluster.pod(&namespace, &name))?;
    if let Some(node) = pod.and_then(|pod| pod.node) {
        let mut all = vec![whose];
        all.extend_from_slice(rest);
        return pass(cluster, on(&recorders, &node)?, verb, &[], &all, How::Once);
    }
    // An id names no pod, and is asked for in the same way.
    let id = is_id(&words[0]).then(|| words[0].clone());
    let gathered = gather::dumps(cluster, &recorders, &[id.unwrap_or_else(|| whose.clone())]);
    let Some(newest) = gathered.found.last() else {
        let ended = end(&gathered.silent, false);
        eprintln!("kubectl traceloop: there is no pod {whose}, and no node that answered has a dump of it");
        return Ok(ended);
    };
    let silent = end(&gathered.silent, true);
    let mut all = vec![newest.id()];
    all.extend_from_slice(rest);
    let done = pass(cluster, &newest.recorder, verb, &[], &all, How::Once)?;
    Ok(if done == End::Done { silent } else { done })
}

/// What only a living pod's node can tell, or a node itself.
fn live(cluster: &Cluster<'_>, verb: &str, words: &[String], more: &[&str], how: How) -> Result<End> {
    let Some(((namespace, name, container), rest)) = target(cluster, words) else {
        let recorders = cluster.recorders()?;
        return match (&cluster.options.node, recorders.as_slice()) {
            (Some(node), _) => pass(cluster, on(&recorders, node)?, verb, more, words, how),
            (None, [only]) => pass(cluster, on(&recorders, &only.node)?, verb, more, words, how),
            _ => bail!("say which pod: NAMESPACE/POD, or POD with -n; or which node: --node NODE"),
        };
    };
    let whose = named(&namespace, &name, container.as_ref());
    let (recorders, pod) = both(|| cluster.recorders(), || cluster.pod(&namespace, &name))?;
    let Some(pod) = pod else {
        bail!("there is no pod {namespace}/{name}: `kubectl traceloop list {namespace}/{name}` has what is kept of it");
    };
    let Some(node) = pod.node else { bail!("{whose} is on no node yet") };
    let mut all = vec![whose];
    all.extend_from_slice(rest);
    pass(cluster, on(&recorders, &node)?, verb, more, &all, how)
}

fn pass(
    cluster: &Cluster<'_>,
    recorder: &Recorder,
    verb: &str,
    more: &[&str],
    words: &[String],
    how: How,
) -> Result<End> {
    let mut all = vec![verb.to_owned()];
    all.extend(more.iter().map(|word| (*word).to_owned()));
    all.extend_from_slice(words);
    let said = cluster.run(recorder, &all, how)?;
    Ok(ended(recorder, &said))
}

/// The node's traceloop has told by itself why it failed; kubectl's reasons are told here.
fn ended(recorder: &Recorder, said: &Said) -> End {
    if said.code == 0 {
        return End::Done;
    }
    if !said.error.trim().is_empty() {
        eprintln!("kubectl traceloop: node {}: {}", recorder.node, refusal::sentence(said));
        return End::Failed;
    }
    End::Theirs(said.code)
}

fn nodes(cluster: &Cluster<'_>) -> Result<End> {
    let recorders = cluster.recorders()?;
    let version = ["--version".to_owned()];
    let answers: Vec<Result<String, String>> = std::thread::scope(|scope| {
        let ask = |recorder| match cluster.ask(recorder, &version) {
            Ok(said) if said.code == 0 => Ok(said.out.trim().trim_start_matches("traceloop ").to_owned()),
            Ok(said) => Err(refusal::sentence(&said)),
            Err(error) => Err(format!("{error:#}")),
        };
        let asked: Vec<_> = recorders.iter().map(|recorder| scope.spawn(move || ask(recorder))).collect();
        asked
            .into_iter()
            .map(|asked| asked.join().unwrap_or_else(|_| Err("its answer is not understood".into())))
            .collect()
    });
    let head = ["NODE", "RECORDER", "READY", "VERSION", "IMAGE"].map(str::to_owned);
    let mut rows = vec![head];
    let mut silent = Vec::new();
    for (recorder, answer) in recorders.iter().zip(answers) {
        let ready = if recorder.ready { "yes" } else { "no" }.to_owned();
        let version = answer.as_ref().map_or("-", String::as_str).to_owned();
        rows.push([recorder.node.clone(), recorder.pod.clone(), ready, version, recorder.image.clone()]);
        if let Err(why) = answer {
            silent.push((recorder.node.clone(), why));
        }
    }
    print!("{}", gather::columns(&rows));
    Ok(end(&silent, true))
}

/// What `kubectl_complete-traceloop` prints: verbs first, then pods; the last line is kubectl's directive.
fn complete(cluster: &Cluster<'_>, words: &[String]) -> Result<End> {
    const VERBS: [&str; 9] = ["list", "show", "info", "dump", "follow", "export", "top", "stuck", "nodes"];
    let begun = words.last().map_or("", String::as_str);
    if words.len() <= 1 {
        VERBS.iter().filter(|verb| verb.starts_with(begun)).for_each(|verb| println!("{verb}"));
    } else {
        let namespace = cluster.options.namespace.clone().unwrap_or_else(|| cluster.namespace());
        let pods = cluster.labelled(Some(&namespace), "").unwrap_or_default();
        pods.iter().filter(|pod| pod.name.starts_with(begun)).for_each(|pod| println!("{}", pod.name));
    }
    println!(":4");
    Ok(End::Done)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(text: &str) -> Words {
        Words { words: text.split_whitespace().map(str::to_owned).collect() }
    }

    #[test]
    fn our_options_may_stand_behind_the_verb() {
        let (mine, left) = ours(&words("cart-2 -n shop --format strace --context=prod --lines 5 -A"));
        assert_eq!((mine.namespace.as_deref(), mine.context.as_deref(), mine.all), (Some("shop"), Some("prod"), true));
        assert_eq!(left, ["cart-2", "--format", "strace", "--lines", "5"]);
    }

    #[test]
    fn a_pod_is_named_in_each_way() {
        use clap::Parser;
        for (line, pod) in [
            ("show shop/cart", ("shop", "cart", None)),
            ("show shop/cart/app", ("shop", "cart", Some("app"))),
            ("-n shop show cart", ("shop", "cart", None)),
            ("-n shop show cart/app", ("shop", "cart", Some("app"))),
        ] {
            let arguments = Arguments::try_parse_from(format!("kubectl-traceloop {line}").split(' ')).unwrap();
            let Some(Verb::Show(words)) = &arguments.verb else { panic!("{line}") };
            let cluster = Cluster { options: &arguments.options };
            let ((namespace, name, container), rest) = target(&cluster, &words.words).unwrap();
            assert_eq!((namespace.as_str(), name.as_str(), container.as_deref()), pod, "{line}");
            assert!(rest.is_empty());
        }
    }

    #[test]
    fn a_node_that_does_not_answer_shows_in_the_exit_code() {
        let silent = [("node2".to_owned(), "no answer within 1 s".to_owned())];
        assert_eq!((end(&silent, true), end(&[], true), end(&[], false)), (End::InPart, End::Done, End::Failed));
    }
}
