//! Signals.

use crate::syscall::{Kind::*, Len::*, Row, Shape::*, case::rows, words};

pub(super) static ROWS: &[Row] = rows! {
    rt_sigaction [Signal] (sig: Signal, act: In(SigAction, One), oact: Out(SigAction, One), sigsetsize: Size) -> Int;
    rt_sigprocmask [Signal] (how: Enum(&words::signal::HOW), nset: In(SizedSigSet, Arg(sigsetsize)), oset: Out(SizedSigSet, Arg(sigsetsize)), sigsetsize: Size) -> Int;
    rt_sigreturn [Signal] (mask @ 0: In(SigFrame, One)) -> Gone;
    pause [Signal] () -> Int;
    kill [Signal Process] (pid: Pid, sig: Signal) -> Int;
    rt_sigpending [Signal] (uset: Out(SizedSigSet, Arg(sigsetsize)), sigsetsize: Size) -> Int;
    rt_sigtimedwait [Signal] (uthese: In(SizedSigSet, Arg(sigsetsize)), uinfo: Out(SigInfo, One), uts: In(Timespec, One), sigsetsize: Size) -> Signal;
    rt_sigqueueinfo [Signal Process] (pid: Pid, sig: Signal, uinfo: In(SigInfo, One)) -> Int;
    rt_sigsuspend [Signal] (unewset: In(SizedSigSet, Arg(sigsetsize)), sigsetsize: Size) -> Int;
    sigaltstack [Signal] (uss: In(SigStack, One), uoss: Out(SigStack, One)) -> Int;
    tkill [Signal Process] (pid: Pid, sig: Signal) -> Int;
    tgkill [Signal Process] (tgid: Pid, pid: Pid, sig: Signal) -> Int;
    rt_tgsigqueueinfo [Process Signal] (tgid: Pid, pid: Pid, sig: Signal, uinfo: In(SigInfo, One)) -> Int;
    rt_sigtimedwait_time64 [Signal] (uthese: In(SizedSigSet, Arg(sigsetsize)), uinfo: Out(SigInfo, One), uts: In(Timespec64, One), sigsetsize: Size) -> Signal;
};
