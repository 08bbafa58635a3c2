//! Programs whose memory changes or goes away while they are in a call.

use super::hostile;

#[test]
#[ignore = "needs root and BPF"]
fn what_crosses_into_memory_that_is_not_there_is_told_as_far_as_it_is_true() {
    let dump = hostile(&[], "crosses");
    let line = |call: &str| dump.text.lines().rfind(|line| line.contains(call)).expect("the call").to_owned();
    assert!(line("EFAULT").contains("= -1 EFAULT (Bad address)"));
    assert!(dump.text.lines().any(|line| line.contains("openat(AT_FDCWD, 0x") && line.contains("EFAULT")));
    assert!(line("write(").contains("= 8"), "/dev/null reads no memory");
    assert!(!dump.has("four\\0"), "no byte behind the edge");
    dump.must_have(r#"execve("/bin/true", ["an-argument", "an-argument", "#);
}

#[test]
#[ignore = "needs root and BPF"]
fn a_buffer_that_goes_away_in_the_call_is_an_address() {
    let dump = hostile(&[], "unmaps");
    let read = dump.text.lines().rfind(|line| line.contains("EFAULT")).expect("the read");
    assert!(read.contains("0x") && read.contains("16) = -1 EFAULT") || read.contains("read resumed>"), "{read}");
    assert!(!read.contains("too late"), "{read}");
}

#[test]
#[ignore = "needs root and BPF"]
fn a_path_that_changes_in_the_call_is_one_string() {
    let dump = hostile(&[], "changes");
    let long = "/a-much-longer-path-than-before";
    let paths: Vec<_> = dump
        .text
        .lines()
        .filter(|line| line.contains("openat(AT_FDCWD, \"/") && line.contains("ENOENT"))
        .filter_map(|line| line.split('"').nth(1))
        .filter(|path| path.starts_with("/short") || path.starts_with("/a-"))
        .collect();
    assert!(paths.len() > 1000, "{} paths", paths.len());
    // Old and new bytes may mix, as the kernel's own copy does; nothing else may be there.
    assert!(paths.iter().all(|path| path.len() <= long.len() && path.is_ascii()), "{paths:?}");
}

#[test]
#[ignore = "needs root and BPF"]
fn a_million_arguments_are_cut() {
    let dump = hostile(&[], "million");
    let execve = dump.text.lines().find(|line| line.contains("E2BIG")).expect("the execve");
    assert!(execve.contains(r#"execve("/bin/true", ["x", "x", "#) && execve.contains("...]"), "{execve}");
    assert!(execve.len() < 1000, "{execve}");
}
