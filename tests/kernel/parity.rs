//! The very lines are strace's: one execution, both logs, line against line.

use std::{collections::BTreeMap, fmt::Write as _};

use super::{
    support::{Scratch, WAYS, compile},
    witness::{both, both_shown},
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
pub(super) fn share(reference: &str, got: &str) -> (usize, usize, String) {
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

/// Threads of which one log has more lines than the other; that which joins the recording does so in the middle.
fn uneven(reference: &str, got: &str) -> Vec<String> {
    let joins = reference.split_whitespace().next().and_then(|pid| pid.parse().ok()).unwrap_or(0);
    let (reference, got) = (lines(reference), lines(got));
    let mut uneven = Vec::new();
    for pid in reference.keys().chain(got.keys().filter(|pid| !reference.contains_key(pid))) {
        let (want, have) = (reference.get(pid).map_or(0, Vec::len), got.get(pid).map_or(0, Vec::len));
        if want != have && (*pid != joins || have > want || have == 0) {
            uneven.push(format!("{pid}: {want} lines of strace's, {have} here"));
        }
    }
    uneven
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
        r#"python3 -c 'import asyncio, mmap, os, select, signal, socket, sqlite3, subprocess, tempfile, threading
async def answer(r, w):
    w.write(await r.read(3))
    w.close()
async def talk():
    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    r, w = await asyncio.open_connection(*server.sockets[0].getsockname())
    w.write(b"abc")
    await r.read()
    await (await asyncio.create_subprocess_exec("true")).wait()
asyncio.run(talk())
a, b = socket.socketpair()
socket.send_fds(a, [b"x"], [0])
socket.recv_fds(b, 9, 1)
lock = threading.Lock()
def count():
    for _ in range(50):
        with lock: pass
threads = [threading.Thread(target=count) for _ in range(4)]
[t.start() for t in threads]
[t.join() for t in threads]
signal.signal(signal.SIGALRM, lambda *_: None)
signal.setitimer(signal.ITIMER_REAL, 0.01)
signal.pause()
mmap.mmap(-1, 4096).close()
e = select.epoll()
e.register(a, select.EPOLLIN)
e.poll(0.01)
subprocess.run(["sh", "-c", "exit 3"])'"#
            .to_owned(),
        format!(
            r#"perl -MSocket -MIO::Socket::INET -e 'my $s = IO::Socket::INET->new(Listen => 1, LocalAddr => "127.0.0.1");
my $c = IO::Socket::INET->new(PeerAddr => "127.0.0.1", PeerPort => $s->sockport);
my $a = $s->accept; print $a "x"; close $a; <$c>;
my $p = fork; exit 2 unless $p; waitpid($p, 0);
open(F, ">>", "{files}/f"); flock(F, 2); truncate F, 3; utime 1, 2, "{files}/f"; select(undef, undef, undef, 0.01)'"#
        ),
        format!("sqlite3 {files}/a.db 'pragma journal_mode=wal; create table t(a, b); insert into t values (1, 2); vacuum; select * from t'"),
        format!("ssh-keygen -q -t ed25519 -N pass -f {files}/key"),
        format!("rsync -aHAX /usr/share/perl5/ {files}/synced/"),
        format!("sh -c 'git init -q {files}/git && cd {files}/git && echo a > a && git add a && git -c user.name=a -c user.email=a@b commit -qm a && git log --stat && git gc -q'"),
        "sh -c 'dpkg -l | tail -1; dpkg-query -S /bin/ls; apt-cache policy bash'".to_owned(),
        format!("sh -c 'xz -kf {files}/hello.c; unxz -t {files}/hello.c.xz; split -b 20 {files}/hello.c {files}/part; md5sum {files}/part*; touch -d yesterday {files}/hello.c; ln -s a {files}/link; stat -f /; df; timeout 0.1 sleep 1; nice true; setsid true; flock {files}/hello.c true; id; date'"),
        "unshare -m sh -c 'mount -t tmpfs none /mnt && mount --bind /etc /mnt && umount /mnt && umount /mnt'".to_owned(),
        "sh -c 'ps aux; free; mount; uname -a; taskset 1 true; chrt -o 0 true; prlimit --nofile=100 true; getent passwd root'".to_owned(),
        "setpriv --dump".to_owned(),
        compat.display().to_string(),
        threads.display().to_string(),
    ]
}

/// What a call reads is told as it was read, though the call writes its answer over it.
#[test]
#[ignore = "needs root and BPF"]
fn memory_that_is_read_and_overwritten() {
    for way in WAYS {
        let scratch = Scratch::new();
        let program = compile(&scratch, "same", &["-lrt"]);
        let (reference, got) = both(&scratch, way, &[], program.to_str().expect("a path"));
        let (same, of, differences) = share(&reference, &got);
        assert!(of > 40 && same == of, "{way:?}: {same} of {of} lines equal\n{differences}");
        for line in [
            "nanosleep({tv_sec=5,tv_nsec=0},{tv_sec=4,",
            "clock_nanosleep(CLOCK_MONOTONIC,0,{tv_sec=6,tv_nsec=0},{tv_sec=5,",
            "rt_sigaction(SIGUSR2,{sa_handler=SIG_IGN,sa_mask=[],sa_flags=0},{sa_handler=SIG_DFL,",
            "rt_sigprocmask(SIG_BLOCK,[USR1],[],8)",
            "sigaltstack({ss_sp=NULL,ss_flags=SS_DISABLE,ss_size=0},{ss_sp=NULL,ss_flags=SS_DISABLE,",
            "setitimer(ITIMER_VIRTUAL,{it_interval={tv_sec=1,tv_usec=2},it_value={tv_sec=300,tv_usec=4}},{it_interval={tv_sec=0,",
            "timer_settime(0,0,{it_interval={tv_sec=5,tv_nsec=6},it_value={tv_sec=700,tv_nsec=8}},{it_interval={tv_sec=0,",
            "it_interval={tv_sec=9,tv_nsec=10},it_value={tv_sec=110,tv_nsec=12}},{it_interval={tv_sec=0,",
            "prlimit64(0,RLIMIT_NPROC,{rlim_cur=1000,rlim_max=2000},{rlim_cur=",
            "{mq_flags=O_NONBLOCK,mq_maxmsg=4,mq_msgsize=5,mq_curmsgs=6},{mq_flags=0,mq_maxmsg=3,",
            "readlink(\"/proc/self/exe\",\"/",
            "aio_buf=\"a block\"",
        ] {
            let told = got.replace(", ", ",");
            assert!(told.contains(line), "{way:?}: {line}\n{told}");
        }
    }
}

/// A program of tests/kernel/programs that an interpreter runs.
fn script(name: &str) -> String {
    format!("{}/tests/kernel/programs/{name}", env!("CARGO_MANIFEST_DIR"))
}

/// `-X`: constants by name, as numbers, or both.
#[test]
#[ignore = "needs root and BPF"]
fn constants_are_shown_as_asked_for() {
    for constants in ["abbrev", "raw", "verbose"] {
        let scratch = Scratch::new();
        let refused = compile(&scratch, "refused", &[]).display().to_string();
        let kinds = format!("/usr/bin/python3 {} {}", script("kinds.py"), scratch.files.path().display());
        for program in [refused, kinds] {
            let scratch = Scratch::new();
            let (reference, got) = both_shown(&scratch, &["-X", constants], &[], &[], &program);
            let (same, of, differences) = share(&reference, &got);
            println!("{same:6} of {of:6} lines equal: -X {constants} {program}\n{differences}");
            assert!(of > 60 && same == of, "-X {constants} {program}: {same} of {of} lines equal\n{differences}");
        }
    }
}

/// The call a thread is killed in ends for nobody: `read(3,  <unfinished ...>) = ?`.
#[test]
#[ignore = "needs root and BPF"]
fn calls_in_which_threads_are_killed() {
    let scratch = Scratch::new();
    let program = compile(&scratch, "killed", &[]);
    let (reference, got) = both(&scratch, &[], &[], program.to_str().expect("a path"));
    let (same, of, differences) = share(&reference, &got);
    assert!(of > 200 && same == of, "{same} of {of} lines equal\n{differences}");
    let told = lines(&got);
    for line in ["read(3,<unfinished ...>) = ?", "pause() = ?", "pause() = ? ERESTARTNOHAND (To be restarted"] {
        assert!(told.values().flatten().any(|told| told.contains(line)), "{line}\n{got}");
    }
}

/// What ordinary programs seldom make strace write; all of it, and structures whole.
#[test]
#[ignore = "needs root and BPF"]
fn forms_that_are_seldom_seen() {
    let shown: [(&[&str], &[&str]); 2] = [
        (
            &[],
            &[
                "--- SIGSTOP {si_signo=SIGSTOP,si_code=SI_TKILL,",
                "--- stopped by SIGSTOP ---",
                "syscall_0x1f4(0x1,0x2,0x3,0x4,0x5,0x6) = -1 ENOSYS (Function not implemented)",
                "syscall_0x1000(0,0,0,0,0,0xfeed) = -1 ENOSYS (Function not implemented)",
                "syscall_0x10001(0x1,0x2,0x3,0x4,0x5,0x6) = -1 ENOSYS (Function not implemented)",
                "syscall_0x1003b(0x1,0x2,0x3,0x4,0x5,0x6) = -1 ENOSYS (Function not implemented)",
                "syscall_0xffffffffffffffff(0x1,0x2,0x3,0x4,0x5,0x6) = -1 ENOSYS (Function not implemented)",
                "SIOCGIFCONF,{ifc_len=80 /* 2 * sizeof(struct ifreq) */",
                "IORING_REGISTER_FILES_UPDATE,{offset=1,fds=[0,IORING_REGISTER_FILES_SKIP]},2) = -1 ",
                "{nr=2,flags=0,data=[0,-2],tags=[0,0x10]},32) = -1 ",
                "[{opcode=IORING_RESTRICTION_SQE_OP,sqe_op=IORING_OP_WRITEV},",
                "prctl(PR_SCHED_CORE,PR_SCHED_CORE_GET,0,0x1 /* PIDTYPE_TGID */,NULL) = -1 ",
            ],
        ),
        (&["-v"], &["[VINTR]=0x3,", "\"PATH=/"]),
    ];
    for (options, wanted) in shown {
        let scratch = Scratch::new();
        let program = compile(&scratch, "forms", &[]);
        let (reference, got) = both_shown(
            &scratch,
            options,
            &[],
            &["env", "-i", "PATH=/usr/sbin:/usr/bin:/sbin:/bin"],
            program.to_str().expect("a path"),
        );
        let (same, of, differences) = share(&reference, &got);
        assert!(of > 60 && same == of, "{options:?}: {same} of {of} lines equal\n{differences}");
        let (told, theirs) = (got.replace(", ", ","), reference.replace(", ", ","));
        for line in wanted {
            let squeezed = |log: &str| log.lines().any(|told| plain(told).contains(line) || told.contains(line));
            assert!(squeezed(&theirs), "{options:?}: strace does not write {line}\n{theirs}");
            assert!(squeezed(&told), "{options:?}: {line}\n{told}");
        }
    }
}

/// `-y` and `-yy`: what descriptors stand for, roots of mounts and terminals among it.
#[test]
#[ignore = "needs root and BPF"]
fn descriptors_are_told_as_strace_tells_them() {
    let program = r#"sh -c 'ls /sys /proc >/dev/null; cat /etc/hostname; python3 -c "
import os, pty, socket
one, other = pty.openpty()
os.fstat(other)
server = socket.create_server((\"127.0.0.1\", 0))
client = socket.create_connection(server.getsockname())
client.send(b\"x\")"'"#;
    for option in ["-y", "-yy"] {
        let scratch = Scratch::new();
        let (reference, got) = both_shown(&scratch, &[option], &[], &[], program);
        let (same, of, differences) = share(&reference, &got);
        println!("{same:6} of {of:6} lines equal: {option}\n{differences}");
        assert!(of > 500 && same == of, "{option}: {same} of {of} lines equal\n{differences}");
        for told in ["</sys>, ", "</proc>, ", "</dev/pts/", "<TCP:["] {
            assert!(option == "-y" && told == "<TCP:[" || got.contains(told), "{option}: {told}\n{got}");
        }
    }
}

/// Results stand where strace puts them, in its own column and in any other: no blank is more or less.
#[test]
#[ignore = "needs root and BPF"]
fn results_stand_in_the_same_column() {
    for options in [&[][..], &["-a", "60"], &["-a", "0"]] {
        let scratch = Scratch::new();
        let (reference, got) = both_shown(&scratch, options, &[], &[], "sh -c 'echo a; true'");
        // Behind the time, which has no blank in it.
        let bodies = |log: &str| -> Vec<String> {
            let behind_time = |line: &str| Some(line.split_once('.')?.1.split_once(' ')?.1.to_owned());
            let bodies = log.lines().filter_map(behind_time);
            bodies.map(|body| body.rsplit_once(" <0.").map_or(body.clone(), |(body, _)| body.to_owned())).collect()
        };
        let (theirs, ours) = (bodies(&reference), bodies(&got));
        // The first line is the end of the call with which the thread joins.
        let ours = &ours[1..];
        assert!(ours.len() > 20, "{options:?}: {got}");
        assert_eq!(&theirs[theirs.len() - ours.len()..], ours, "{options:?}");
    }
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
        let uneven = uneven(&reference, &got);
        assert!(uneven.is_empty(), "{name}: {uneven:#?}");
        equal += same;
        all += of;
    }
    println!("{equal} of {all} lines equal");
    assert!(equal * 1000 >= all * 995, "{equal} of {all} lines equal: less than 99.5 %");
}
