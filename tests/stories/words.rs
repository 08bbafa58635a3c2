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
