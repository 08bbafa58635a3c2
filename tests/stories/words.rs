//! What a call is, what a set may name, and what is said to a mistake.

use super::support::{stderr, stdout, traceloop};

#[test]
fn a_call_is_explained() {
    let text = stdout(&traceloop(&["explain", "openat"]));
    for word in ["dfd", "filename", "257", "%file", "copied at the end of the call"] {
        assert!(text.contains(word), "{word:?} is not in:\n{text}");
    }
}

#[test]
fn calls_and_classes_are_listed() {
    let calls = stdout(&traceloop(&["explain"]));
    assert!(calls.lines().count() > 300 && calls.contains(" clone3"), "{calls}");
    let classes = stdout(&traceloop(&["explain", "--classes"]));
    assert!(classes.contains("%network") && classes.contains("%file"), "{classes}");
}

#[test]
fn a_mistake_is_a_usage_error_that_names_it() {
    for (args, word) in [
        (&["explain", "--nonsense"][..], "--nonsense"),
        (&["cgroups", "--syscalls", "opennat", "/"], "opennat"),
        (&["cgroups", "--syscalls", "%nonsense", "/"], "explain --classes"),
        (&["cgroups", "--buffer-size", "much", "/"], "much"),
        (&["run"], "COMMAND"),
    ] {
        let output = traceloop(args);
        assert_eq!(output.status.code(), Some(2), "{args:?}");
        assert!(stderr(&output).contains(word), "{args:?}: {}", stderr(&output));
    }
    let output = traceloop(&["explain", "opennat"]);
    assert_eq!(output.status.code(), Some(1));
    assert!(stderr(&output).contains("no system call"), "{}", stderr(&output));
}

#[test]
fn what_is_explained_is_for_programs_too() {
    let objects = |args: &[&str]| -> Vec<serde_json::Value> {
        let text = stdout(&traceloop(args));
        text.lines().map(|line| serde_json::from_str(line).expect("an object")).collect()
    };
    let openat = &objects(&["explain", "openat", "--json"])[0];
    assert_eq!((&openat["name"], &openat["numbers"]["x86-64"]), (&"openat".into(), &257.into()), "{openat}");
    assert_eq!(openat["args"][1]["captured"], "memory copied at the end of the call", "{openat}");
    assert!(objects(&["explain", "fcntl", "--json"])[0]["cases"].as_array().is_some_and(|cases| cases.len() > 3));
    assert!(objects(&["explain", "--json"]).len() > 300);
    assert!(objects(&["explain", "--classes", "--json"]).iter().any(|class| class["class"] == "%network"));
    let checks = objects(&["doctor", "--json", "-D", "/nonexistent"]);
    assert!(checks.iter().any(|check| check["check"] == "kernel" && check["state"] == "ok"), "{checks:?}");
    assert!(checks.iter().any(|check| check["what"].as_str().is_some_and(|what| what.starts_with("/nonexistent"))));
}
