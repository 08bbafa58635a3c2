//! aarch64's calls that mean something else than x86-64's of the same name: other registers, other structures.

use super::process::{CLONE_CHILD, CLONE_PARENT, CLONE_TLS};
use crate::syscall::{
    Cases,
    Kind::*,
    Len::*,
    Row,
    Shape::*,
    case::{cases, rows},
    layout::ipc,
    words,
};

pub(super) static ROWS: &[Row] = rows! {
    clone [Process] (newsp @ 1: Label("child_stack", &Addr), clone_flags @ 0: Label("flags", &CloneFlags), parent_tidptr @ 2: If(0, CLONE_PARENT, &Label("parent_tid", &Out(PidCell, One))), tls @ 3: If(0, CLONE_TLS, &Label("tls", &Addr)), child_tidptr @ 4: If(0, CLONE_CHILD, &Label("child_tidptr", &Addr))) -> Int;
    fstat [Desc Fstat StatLike] (fd: Fd, statbuf: Out(StatGeneric, One)) -> Int;
    newfstatat [Desc File Fstat StatLike] (dfd: DirFd, filename: Path, statbuf: Out(StatGeneric, One), flag: Flags(&words::file::AT)) -> Int;
    epoll_ctl [Desc] (epfd: Fd, op: Enum(&words::file::EPOLL_CTL), fd: Fd, event: In(EpollEventWide, One)) -> Int by &super::time::EPOLL_CTL_CASES;
    epoll_pwait [Desc] (epfd: Fd, events: Out(EpollEventWide, Ret), maxevents: Int, timeout: Int, sigmask: Out(SizedSigSet, Arg(sigsetsize)), sigsetsize: Size) -> Int;
    epoll_pwait2 [Desc] (epfd: Fd, events: Out(EpollEventWide, Ret), maxevents: Int, timeout: Out(Timespec64, One), sigmask: Out(SizedSigSet, Arg(sigsetsize)), sigsetsize: Size) -> Int;
    semctl [Ipc] (semid: Int, semnum: Int, cmd: IpcCmd(&words::ipc::SEMCTL), arg: Addr) -> Int by &SEMCTL_CASES;
};

static SEMCTL_CASES: Cases = cases! {
    by 2, mask 0xffff_feff;
    [1] (semid: Int, semnum: Int, cmd: IpcCmd(&words::ipc::SEMCTL), arg: In(SemidGeneric, One)) -> Int;
    [2, 18, 20] (semid: Int, semnum: Int, cmd: IpcCmd(&words::ipc::SEMCTL), arg: Out(SemidGeneric, One)) -> Int;
    [3, 19] (semid: Int, semnum: Int, cmd: IpcCmd(&words::ipc::SEMCTL), arg: Out(Struct(&ipc::SEMINFO), One)) -> Int;
};
