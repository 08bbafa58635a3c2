//! Clocks, timers, sleeping, and waiting for readiness.

use crate::syscall::{
    Cases,
    Kind::*,
    Len::*,
    Row,
    Shape::*,
    Told,
    case::{cases, rows},
    layout::time,
    words,
};

pub(super) static ROWS: &[Row] = rows! {
    poll [Desc] (ufds: In(PollFd, Arg(nfds)), nfds: Uint, timeout_msecs: Int) -> Told(Told::Poll);
    select [Desc] (n: Int, inp: InOut(FdSet, Bits(n)), outp: InOut(FdSet, Bits(n)), exp: InOut(FdSet, Bits(n)), tvp: InOut(Timeval, One)) -> Told(Told::Select);
    nanosleep [] (rqtp: In(Timespec, One), rmtp: OutIfRestart(Timespec, One)) -> Int;
    getitimer [] (which: Enum(&words::time::ITIMERS), value: Out(Itimerval, One)) -> Int;
    alarm [] (seconds: Uint) -> Int;
    setitimer [] (which: Enum(&words::time::ITIMERS), value: In(Itimerval, One), ovalue: Out(Itimerval, One)) -> Int;
    gettimeofday [Clock] (tv: Out(Timeval, One), tz: Out(Timezone, One)) -> Int;
    times [] (tbuf: Out(Tms, One)) -> Int;
    adjtimex [Clock] (txc_p: Out(Struct(&time::TIMEX), One)) -> Word(&words::time::ADJTIMEX_STATE);
    settimeofday [Clock] (tv: In(Timeval, One), tz: In(Timezone, One)) -> Int;
    time [Clock] (tloc: Out(TimeCell, One)) -> Told(Told::Time);
    epoll_create [Desc] (size: Int) -> Fd;
    epoll_ctl_old [] (epfd: Int, op: Int, fd: Int, event: Addr) -> Int;
    epoll_wait_old [] (epfd: Int, events: Addr, maxevents: Int, timeout: Int) -> Int;
    timer_create [] (which_clock: Clock, timer_event_spec: In(SigEvent, One), created_timer_id: Out(Int32, One)) -> Int;
    timer_settime [] (timer_id: Int, flags: Flags(&words::time::TIMER), new_setting: In(Itimerspec, One), old_setting: Out(Itimerspec, One)) -> Int;
    timer_gettime [] (timer_id: Int, setting: Out(Itimerspec, One)) -> Int;
    timer_getoverrun [] (timer_id: Int) -> Int;
    timer_delete [] (timer_id: Int) -> Int;
    clock_settime [Clock] (which_clock: Clock, tp: In(Timespec, One)) -> Int;
    clock_gettime [Clock] (which_clock: Clock, tp: Out(Timespec, One)) -> Int;
    clock_getres [Clock] (which_clock: Clock, tp: Out(Timespec, One)) -> Int;
    clock_nanosleep [] (which_clock: Clock, flags: Flags(&words::time::TIMER), rqtp: In(Timespec, One), rmtp: Choose(1, 0xffff_ffff, &Addr, &OutIfRestart(Timespec, One))) -> Int;
    epoll_wait [Desc] (epfd: Fd, events: Out(EpollEvent, Ret), maxevents: Int, timeout: Int) -> Int;
    epoll_ctl [Desc] (epfd: Fd, op: Enum(&words::file::EPOLL_CTL), fd: Fd, event: In(EpollEvent, One)) -> Int by &EPOLL_CTL_CASES;
    pselect6 [Desc] (n: Int, inp: InOut(FdSet, Bits(n)), outp: InOut(FdSet, Bits(n)), exp: InOut(FdSet, Bits(n)), tsp: InOut(Timespec, One), sig: Before(SigSetPack, One)) -> Told(Told::Select);
    ppoll [Desc] (ufds: In(PollFd, Arg(nfds)), nfds: Uint, tsp: InOut(Timespec, One), sigmask: In(SizedSigSet, Arg(sigsetsize)), sigsetsize: Size) -> Told(Told::Poll);
    epoll_pwait [Desc] (epfd: Fd, events: Out(EpollEvent, Ret), maxevents: Int, timeout: Int, sigmask: Out(SizedSigSet, Arg(sigsetsize)), sigsetsize: Size) -> Int;
    timerfd_create [Desc] (clockid: Clock, flags: Flags(&words::time::TIMERFD)) -> Fd;
    timerfd_settime [Desc] (ufd: Fd, flags: Flags(&words::time::TIMERFD), utmr: In(Itimerspec, One), otmr: Out(Itimerspec, One)) -> Int;
    timerfd_gettime [Desc] (ufd: Fd, otmr: Out(Itimerspec, One)) -> Int;
    epoll_create1 [Desc] (flags: Flags(&words::file::EPOLL_CREATE)) -> Fd;
    clock_adjtime [Clock] (which_clock: Clock, utx: Out(Struct(&time::TIMEX), One)) -> Word(&words::time::ADJTIMEX_STATE);
    epoll_pwait2 [Desc] (epfd: Fd, events: Out(EpollEvent, Ret), maxevents: Int, timeout: Out(Timespec64, One), sigmask: Out(SizedSigSet, Arg(sigsetsize)), sigsetsize: Size) -> Int;
    clock_adjtime64 [Clock] (which_clock: Clock, utx: Out(Struct(&time::TIMEX64), One)) -> Word(&words::time::ADJTIMEX_STATE);
    clock_getres_time64 [Clock] (which_clock: Clock, tp: Out(Timespec64, One)) -> Int;
    clock_gettime64 [Clock] (which_clock: Clock, tp: Out(Timespec64, One)) -> Int;
    clock_nanosleep_time64 [] (which_clock: Clock, flags: Flags(&words::time::TIMER), rqtp: In(Timespec64, One), rmtp: Choose(1, 0xffff_ffff, &Addr, &OutIfRestart(Timespec64, One))) -> Int;
    clock_settime64 [Clock] (which_clock: Clock, tp: In(Timespec64, One)) -> Int;
    ppoll_time64 [Desc] (ufds: In(PollFd, Arg(nfds)), nfds: Uint, tsp: InOut(Timespec64, One), sigmask: In(SizedSigSet, Arg(sigsetsize)), sigsetsize: Size) -> Told(Told::Poll);
    pselect6_time64 [Desc] (n: Int, inp: InOut(FdSet, Bits(n)), outp: InOut(FdSet, Bits(n)), exp: InOut(FdSet, Bits(n)), tsp: InOut(Timespec64, One), sig: Before(SigSetPack, One)) -> Told(Told::Select);
    timer_gettime64 [] (timer_id: Int, setting: Out(Itimerspec64, One)) -> Int;
    timer_settime64 [] (timer_id: Int, flags: Flags(&words::time::TIMER), new_setting: In(Itimerspec64, One), old_setting: Out(Itimerspec64, One)) -> Int;
    timerfd_gettime64 [Desc] (ufd: Fd, otmr: Out(Itimerspec64, One)) -> Int;
    timerfd_settime64 [Desc] (ufd: Fd, flags: Flags(&words::time::TIMERFD), utmr: In(Itimerspec64, One), otmr: Out(Itimerspec64, One)) -> Int;
};

pub(super) static EPOLL_CTL_CASES: Cases = cases! {
    by 1, mask 0xffff_ffff;
    [libc::EPOLL_CTL_DEL] (epfd: Fd, op: Enum(&words::file::EPOLL_CTL), fd: Fd, event: Addr) -> Int;
};
