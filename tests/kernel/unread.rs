//! What could not be copied when a call began is looked for again. Without a tracer beside: that one would bring the
//! pages that are missing.

use super::support::{Scratch, compile};

/// Whether the kernel shows what execve was given once more, before its memory goes: from Linux 6.10 on.
fn shows_execs_again() -> bool {
    let release = nix::sys::utsname::uname().expect("the kernel's version").release().to_string_lossy().into_owned();
    let mut numbers = release.split('.').map_while(|number| number.parse::<u32>().ok());
    (numbers.next().unwrap_or(0), numbers.next().unwrap_or(0)) >= (6, 10)
}

#[test]
#[ignore = "needs root and BPF"]
fn what_was_not_in_memory_is_told_all_the_same() {
    let scratch = Scratch::new();
    let program = compile(&scratch, "unread", &[]);
    let dump = scratch.run(&[], program.to_str().expect("a path"));
    dump.must_be_complete();
    dump.must_have(r#"execve("/nonexistent/program", ["program", "of-no-file"], 0x"#);
    if shows_execs_again() {
        dump.must_have(r#"execve("/bin/true", ["true", "constant-argument"], 0x"#)
            .must_have(r#"execve("/bin/true", ["true", "spawned"], 0x"#)
            .must_have(r#"execve("/bin/sh", ["sh", "-c", "exit 3"], 0x"#);
    }
}

#[test]
#[ignore = "needs root and BPF"]
fn what_a_filter_refuses_is_told_with_its_arguments() {
    let scratch = Scratch::new();
    let program = compile(&scratch, "unread", &[]);
    let dump = scratch.run(&[], program.to_str().expect("a path"));
    dump.must_have(r#"execve("/bin/refused", ["/bin/refused", "an-argument"], 0x"#)
        .must_have("select(4, [3], NULL, NULL, {tv_sec=1, tv_usec=2}) = -1 EPERM (Operation not permitted)");
}
