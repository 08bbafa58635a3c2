//! The very lines are strace's: one execution, both logs, line against line.

use std::{collections::BTreeMap, fmt::Write as _};

use super::{
    support::{Scratch, compile},
    witness::both,
};

/// Each thread's lines in the order in which they began, without times; a call that is told in two
/// lines is put together.
fn lines(log: &str) -> BTreeMap<u32, Vec<String>> {
    let mut threads: BTreeMap<u32, Vec<String>> = BTreeMap::new();
    let mut begun: BTreeMap<u32, usize> = BTreeMap::new();
    for line in log.lines() {
        let Some((pid, rest)) = line.split_once(' ') else { continue };
        let Ok(pid) = pid.parse::<u32>() else { continue };
        let Some((_, body)) = rest.trim_start().split_once(' ') else { continue };
        let own = threads.entry(pid).or_default();
        if let Some(resumed) = body.strip_prefix("<... ").and_then(|body| body.split_once(" resumed>"))
            && let Some(line) = begun.remove(&pid).and_then(|n| own.get_mut(n))
        {
            line.push_str(resumed.1);
            continue;
        }
        match body.split_once("<unfinished ...>") {
            Some((start, end)) if !end.contains('=') => {
                begun.insert(pid, own.len());
                own.push(start.trim_end_matches(' ').to_owned());
            }
            _ => own.push(body.to_owned()),
        }
    }
    for line in threads.values_mut().flatten() {
        *line = plain(line);
    }
    threads
}

/// Without the duration, the padding before the result, and the blank where two halves were joined.
fn plain(line: &str) -> String {
    let line = match line.rsplit_once(" <") {
        Some((call, duration)) if duration.ends_with('>') && duration.starts_with(|c: char| c.is_ascii_digit()) => call,
        _ => line,
    };
    let words: Vec<_> = line.split("= ").map(str::trim_end).collect();
    words.join(" = ").replace(", ", ",")
}

/// Equal lines, all lines, and the first differences.
fn share(reference: &str, got: &str) -> (usize, usize, String) {
    let (reference, got) = (lines(reference), lines(got));
    let (mut equal, mut all) = (0, 0);
    let mut differences = String::new();
    for (pid, want) in &reference {
        let empty = Vec::new();
        let have = got.get(pid).unwrap_or(&empty);
        // The first thread joins the recording in the middle: its last lines are what both saw.
        let want = &want[want.len().saturating_sub(have.len())..];
        all += want.len();
        for (want, have) in want.iter().zip(have) {
            if want == have {
                equal += 1;
            } else if differences.len() < 4000 {
                let _ = write!(differences, "- {want}\n+ {have}\n");
            }
        }
    }
    (equal, all, differences)
}

/// Programs of different kinds that every machine of CI has, or builds.
fn programs(scratch: &Scratch) -> Vec<String> {
    let compat = compile(scratch, "compat", &["-m32"]);
    let threads = compile(scratch, "threads", &[]);
    let source = scratch.files.path().join("hello.c");
    std::fs::write(&source, "int main(void) { return 0; }\n").expect("write a file");
    let files = scratch.files.path().display().to_string();
    vec![
        "cat /etc/hostname /etc/passwd".to_owned(),
        "ls -la /usr/share".to_owned(),
        "find /usr/share/doc -name copyright -newer /etc/hostname".to_owned(),
        format!("tar cf {files}/a.tar /etc/apt /usr/share/perl5"),
        r#"sh -c 'trap "echo hup" HUP; echo a | cat | sort; kill -HUP $$; sleep 0.1; (exit 3); wait'"#.to_owned(),
        r#"python3 -c 'import json, os, socket, threading, subprocess
s = socket.create_server(("127.0.0.1", 0))
t = threading.Thread(target=lambda: s.accept()[0].send(b"hi"))
t.start()
socket.create_connection(s.getsockname()).recv(9)
t.join()
subprocess.run(["true"])
os.stat("/tmp")'"#
            .to_owned(),
        r#"perl -e 'use POSIX; opendir(my $d, "/etc"); my @e = readdir $d; print scalar(@e), "\n"; system("true"); kill 0, $$'"#
            .to_owned(),
        format!("gcc -o {files}/hello {}", source.display()),
        format!("gzip -kf {files}/hello.c"),
        format!("cp -a /usr/share/perl5 {files}/copy"),
        "getent hosts localhost".to_owned(),
        "setpriv --dump".to_owned(),
        compat.display().to_string(),
        threads.display().to_string(),
    ]
}

#[test]
#[ignore = "needs root and BPF"]
fn lines_equal_straces() {
    let scratch = Scratch::new();
    let (mut equal, mut all) = (0, 0);
    for program in programs(&scratch) {
        let name = program.split_whitespace().next().unwrap_or_default();
        let place = Scratch::new();
        let (reference, got) = both(&place, &[], &[], &program);
        let (same, of, differences) = share(&reference, &got);
        println!("{same:6} of {of:6} lines equal: {name}\n{differences}");
        assert!(of > 5, "{name}: {of} lines are too few");
        equal += same;
        all += of;
    }
    println!("{equal} of {all} lines equal");
    assert!(equal * 1000 >= all * 995, "{equal} of {all} lines equal: less than 99.5 %");
}
