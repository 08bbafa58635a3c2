//! A program's calls are there, from execve to exit, with their arguments.

use std::{
    io::{BufRead, BufReader},
    process::Stdio,
};

use super::support::{Scratch, WAYS, compile, wait_until};

#[test]
#[ignore = "needs root and BPF"]
fn cat_of_a_missing_file() {
    for way in WAYS {
        let dump = Scratch::new().run(way, "cat /etc/hostname /nonexistent");
        dump.must_have(r#"execve("/usr/bin/cat", ["cat", "/etc/hostname", "/nonexistent"], "#)
            .must_have(r#"openat(AT_FDCWD, "/nonexistent", O_RDONLY) = -1 ENOENT (No such file or directory)"#)
            .must_have("exit_group(1)")
            .must_have("+++ exited with 1 +++");
        dump.must_be_complete();
    }
}

#[test]
#[ignore = "needs root and BPF"]
fn calls_of_a_32_bit_program_have_their_own_names() {
    for way in WAYS {
        let scratch = Scratch::new();
        let program = compile(&scratch, "compat", &["-m32"]);
        let dump = scratch.run(way, program.to_str().expect("a path"));
        dump.must_have(r#"openat(AT_FDCWD, "/nonexistent-of-32-bits", O_RDONLY"#)
            .must_have(r#"write(1, "thirty-two", 10)"#)
            .must_have("getppid()")
            .must_have("exit_group(3)");
    }
}

#[test]
#[ignore = "needs root and BPF"]
fn an_interrupt_80_of_a_64_bit_program_is_told_apart() {
    let scratch = Scratch::new();
    let program = compile(&scratch, "int80", &[]);
    // Number 20 is getpid by int 0x80 and writev by syscall.
    for way in WAYS {
        let dump = scratch.run(way, program.to_str().expect("a path"));
        dump.must_have("getpid()").must_have("writev(-1, NULL, 0)");
        // Of each of the two ABIs.
        assert_eq!(dump.count("syscall_0x10014(0xffffffff"), 2, "{}", dump.text);
        dump.must_have("syscall_0xffffffffffffffff(0xffffffff, 0, 0");
        // One is x32's, which this kernel may lack.
        assert_eq!((dump.count("writev("), dump.count("getpid(")), (2, 1), "{}", dump.text);
    }
}

#[test]
#[ignore = "needs root and BPF"]
fn only_the_calls_that_are_asked_for() {
    let scratch = Scratch::new();
    let dump = scratch.run(&["--syscalls", "openat,%process"], "cat /nonexistent");
    dump.must_have("openat(").must_have("execve(").must_have("exit_group(");
    assert_eq!(dump.count("mmap(") + dump.count("write("), 0, "{}", dump.text);
}

#[test]
#[ignore = "needs root and BPF"]
fn without_payload_no_contents_are_kept() {
    let scratch = Scratch::new();
    let secret = scratch.files.path().join("secret");
    std::fs::write(&secret, "a-password").expect("write a file");
    let dump = scratch.run(&["--no-payload"], &format!("cat {}", secret.display()));
    dump.must_have("read(3, 0x").must_have("/secret\"");
    assert!(!dump.has("a-password"));
}

#[test]
#[ignore = "needs root and BPF"]
fn without_payload_nothing_is_kept_of_vectors_messages_and_keys_either() {
    let program = format!("python3 {}/tests/kernel/programs/contents.py", env!("CARGO_MANIFEST_DIR"));
    for way in WAYS {
        let scratch = Scratch::new();
        let mut recording = scratch.record(&[&["--no-payload"], way].concat());
        let mut child = scratch.command(&program).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().expect("run it");
        let mut ready = String::new();
        BufReader::new(child.stdout.take().expect("its output")).read_line(&mut ready).expect("read its output");
        assert_eq!(ready, "ready\n");
        wait_until("the child is in its write", || recording.dump_now().has("<unfinished"));
        let dump = recording.dump_now();
        drop(child.stdin.take());
        assert!(child.wait().expect("wait for it").success());
        // What is there of each is what it is made with.
        dump.must_have("writev(").must_have("sendmsg(").must_have("recvmsg(").must_have("msgsnd(");
        dump.must_have("SOL_SOCKET, SO_REUSEADDR, [1], 4) = 0").must_have("TCP_MD5SIG, 0x");
        let leaks: Vec<&str> = dump.text.lines().filter(|line| line.contains("a-password")).collect();
        assert_eq!(leaks, [""; 0], "{way:?}");
    }
}

#[test]
#[ignore = "needs root and BPF"]
fn strings_are_as_long_as_asked_for() {
    let dump = Scratch::new().run(&["-s", "5"], "printf abcdefgh");
    dump.must_have(r#"write(1, "abcde"..., 8)"#);
    let dump = Scratch::new().run(&["-s", "100"], &format!("printf {}", "x".repeat(90)));
    dump.must_have(&format!(r#"write(1, "{}", 90)"#, "x".repeat(90)));
}

#[test]
#[ignore = "needs root and BPF"]
fn what_seccomp_denies_is_there() {
    let scratch = Scratch::new();
    let program = compile(&scratch, "denied", &[]);
    let dump = scratch.run(&[], program.to_str().expect("a path"));
    dump.must_have("getppid()").must_have("= -1 EPERM (Operation not permitted)");
}
