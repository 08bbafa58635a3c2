//! System V and POSIX inter-process communication, keys.

use crate::syscall::{
    Cases,
    Kind::*,
    Len::*,
    Row,
    Shape::*,
    case::{cases, rows},
    layout::{ipc, key},
    words,
};

pub(super) static ROWS: &[Row] = rows! {
    shmget [Ipc] (key: Enum(&words::ipc::PRIVATE), size: Size, shmflg: ShmFlags) -> Int;
    shmat [Ipc Memory] (shmid: Int, shmaddr: Addr, shmflg: Flags(&words::ipc::SHMAT)) -> Hex;
    shmctl [Ipc] (shmid: Int, cmd: IpcCmd(&words::ipc::SHMCTL), buf: Addr) -> Int by &SHMCTL_CASES;
    semget [Ipc] (key: Enum(&words::ipc::PRIVATE), nsems: Int, semflg: ModeFlags(&words::ipc::GET_FLAGS)) -> Int;
    semop [Ipc] (semid: Int, tsops: In(Struct(&ipc::SEMBUF), Arg(nsops)), nsops: Uint) -> Int;
    semctl [Ipc] (semid: Int, semnum: Int, cmd: IpcCmd(&words::ipc::SEMCTL), arg: Addr) -> Int by &SEMCTL_CASES;
    shmdt [Ipc Memory] (shmaddr: Addr) -> Int;
    msgget [Ipc] (key: Enum(&words::ipc::PRIVATE), msgflg: ModeFlags(&words::ipc::GET_FLAGS)) -> Int;
    msgsnd [Ipc] (msqid: Int, msgp: In(Msgbuf, Arg(msgsz)), msgsz: Size, msgflg: Flags(&words::ipc::MSG_FLAGS)) -> Int;
    msgrcv [Ipc] (msqid: Int, msgp: Out(Msgbuf, Arg(msgsz)), msgsz: Size, msgtyp: Long, msgflg: Flags(&words::ipc::MSG_FLAGS)) -> Int;
    msgctl [Ipc] (msqid: Int, cmd: IpcCmd(&words::ipc::MSGCTL), buf: Addr) -> Int by &MSGCTL_CASES;
    semtimedop [Ipc] (semid: Int, tsops: In(Struct(&ipc::SEMBUF), Arg(nsops)), nsops: Uint, timeout: In(Timespec, One)) -> Int;
    mq_open [Desc] (u_name: Path, oflag: OpenFlags, mode: If(1, libc::O_CREAT as u64, &Mode), u_attr: If(1, libc::O_CREAT as u64, &In(Struct(&ipc::MQ_OPEN_ATTR), One))) -> Fd;
    mq_unlink [] (u_name: Path) -> Int;
    mq_timedsend [Desc] (mqdes: Fd, u_msg_ptr: In(Bytes, Arg(msg_len)), msg_len: Size, msg_prio: Uint, u_abs_timeout: In(Timespec, One)) -> Int;
    mq_timedreceive [Desc] (mqdes: Fd, u_msg_ptr: Out(Bytes, Ret), msg_len: Size, u_msg_prio: Out(Uint32, One), u_abs_timeout: In(Timespec, One)) -> Int;
    mq_notify [Desc] (mqdes: Fd, u_notification: In(SigEvent, One)) -> Int;
    mq_getsetattr [Desc] (mqdes: Fd, u_mqstat: In(Struct(&ipc::MQ_ATTR), One), u_omqstat: Out(Struct(&ipc::MQ_ATTR), One)) -> Int;
    add_key [] (_type: Str, _description: Str, _payload: In(Bytes, Arg(plen)), plen: Size, ringid: Signed(&words::ipc::KEY_SPEC)) -> Int;
    request_key [] (_type: Str, _description: Str, _callout_info: Contents, destringid: Signed(&words::ipc::KEY_SPEC)) -> Int;
    keyctl [] (option: Enum(&words::ipc::KEYCTL), arg2: Hex, arg3: Hex, arg4: Hex, arg5: Hex) -> Int by &KEYCTL_CASES;
    mq_timedreceive_time64 [Desc] (mqdes: Fd, u_msg_ptr: Out(Bytes, Ret), msg_len: Size, u_msg_prio: Out(Uint32, One), u_abs_timeout: In(Timespec64, One)) -> Int;
    mq_timedsend_time64 [Desc] (mqdes: Fd, u_msg_ptr: In(Bytes, Arg(msg_len)), msg_len: Size, msg_prio: Uint, u_abs_timeout: In(Timespec64, One)) -> Int;
    semtimedop_time64 [Ipc] (semid: Int, tsops: In(Struct(&ipc::SEMBUF), Arg(nsops)), nsops: Uint, timeout: In(Timespec64, One)) -> Int;
};

static SHMCTL_CASES: Cases = cases! {
    by 1, mask 0xffff_feff;
    [1] (shmid: Int, cmd: IpcCmd(&words::ipc::SHMCTL), buf: In(ShmidDs, One)) -> Int;
    [2, 13, 15] (shmid: Int, cmd: IpcCmd(&words::ipc::SHMCTL), buf: Out(ShmidDs, One)) -> Int;
    [3] (shmid: Int, cmd: IpcCmd(&words::ipc::SHMCTL), buf: Out(Struct(&ipc::SHMINFO), One)) -> Int;
    [14] (shmid: Int, cmd: IpcCmd(&words::ipc::SHMCTL), buf: Out(Struct(&ipc::SHM_INFO), One)) -> Int;
};

static SEMCTL_CASES: Cases = cases! {
    by 2, mask 0xffff_feff;
    [1] (semid: Int, semnum: Int, cmd: IpcCmd(&words::ipc::SEMCTL), arg: In(SemidDs, One)) -> Int;
    [2, 18, 20] (semid: Int, semnum: Int, cmd: IpcCmd(&words::ipc::SEMCTL), arg: Out(SemidDs, One)) -> Int;
    [3, 19] (semid: Int, semnum: Int, cmd: IpcCmd(&words::ipc::SEMCTL), arg: Out(Struct(&ipc::SEMINFO), One)) -> Int;
};

static MSGCTL_CASES: Cases = cases! {
    by 1, mask 0xffff_feff;
    [1] (msqid: Int, cmd: IpcCmd(&words::ipc::MSGCTL), buf: In(MsqidDs, One)) -> Int;
    [2, 11, 13] (msqid: Int, cmd: IpcCmd(&words::ipc::MSGCTL), buf: Out(MsqidDs, One)) -> Int;
    [3, 12] (msqid: Int, cmd: IpcCmd(&words::ipc::MSGCTL), buf: Out(Struct(&ipc::MSGINFO), One)) -> Int;
};

/// A key: by name where it is one of the process's own keyrings.
const KEY: crate::syscall::Kind = Signed(&words::ipc::KEY_SPEC);

static KEYCTL_CASES: Cases = cases! {
    by 0, mask 0xffff_ffff;
    [0] (option: Enum(&words::ipc::KEYCTL), arg2: KEY, arg3: Int) -> Int;
    [1] (option: Enum(&words::ipc::KEYCTL), arg2: Str) -> Int;
    [2] (option: Enum(&words::ipc::KEYCTL), arg2: KEY, arg3: In(Bytes, Arg(arg4)), arg4: Size) -> Int;
    [3, 7, 16, 21] (option: Enum(&words::ipc::KEYCTL), arg2: KEY) -> Int;
    [4] (option: Enum(&words::ipc::KEYCTL), arg2: KEY, arg3: Id, arg4: Id) -> Int;
    [5] (option: Enum(&words::ipc::KEYCTL), arg2: KEY, arg3: Flags(&words::ipc::KEY_PERMS)) -> Int;
    [6, 17] (option: Enum(&words::ipc::KEYCTL), arg2: KEY, arg3: Out(NulBytes, RetOrArg(arg4)), arg4: Size) -> Int;
    [8, 9] (option: Enum(&words::ipc::KEYCTL), arg2: KEY, arg3: KEY) -> Int;
    [10] (option: Enum(&words::ipc::KEYCTL), arg2: KEY, arg3: Str, arg4: Str, arg5: KEY) -> Int;
    [11] (option: Enum(&words::ipc::KEYCTL), arg2: KEY, arg3: Out(Bytes, RetOrArg(arg4)), arg4: Size) -> Int;
    [12] (option: Enum(&words::ipc::KEYCTL), arg2: KEY, arg3: In(Bytes, Arg(arg4)), arg4: Size, arg5: KEY) -> Int;
    [13] (option: Enum(&words::ipc::KEYCTL), arg2: KEY, arg3: Uint, arg4: KEY) -> Int;
    [14] (option: Enum(&words::ipc::KEYCTL), arg2: Signed(&words::ipc::KEY_REQKEY)) -> Int;
    [15] (option: Enum(&words::ipc::KEYCTL), arg2: KEY, arg3: Uint) -> Int;
    [18] (option: Enum(&words::ipc::KEYCTL)) -> Int;
    [19] (option: Enum(&words::ipc::KEYCTL), arg2: KEY, arg3: Uint, arg4: Errno, arg5: KEY) -> Int;
    [20] (option: Enum(&words::ipc::KEYCTL), arg2: KEY, arg3: In(Iovec, Arg(arg4)), arg4: Size, arg5: KEY) -> Int;
    [22] (option: Enum(&words::ipc::KEYCTL), arg2: Id, arg3: KEY) -> Int;
    [23] (option: Enum(&words::ipc::KEYCTL), arg2: In(Struct(&key::DH_PARAMS), One), arg3: Out(Bytes, RetOrArg(arg4)), arg4: Size, arg5: In(KdfParams, One)) -> Int;
    [24] (option: Enum(&words::ipc::KEYCTL), arg2: KEY, arg3: Hex, arg4: Str, arg5: Out(Struct(&key::PKEY_QUERY), One)) -> Int;
    [25, 26, 27] (option: Enum(&words::ipc::KEYCTL), arg2: In(Struct(&key::PKEY_PARAMS), One), arg3: Str, arg4: In(KeyInput, One), arg5: Out(KeyInput, One)) -> Int;
    [28] (option: Enum(&words::ipc::KEYCTL), arg2: In(Struct(&key::PKEY_VERIFY), One), arg3: Str, arg4: In(KeyInput, One), arg5: In(KeyInput, One)) -> Int;
    [29] (option: Enum(&words::ipc::KEYCTL), arg2: KEY, arg3: Str, arg4: Str) -> Int;
    [30] (option: Enum(&words::ipc::KEYCTL), arg2: KEY, arg3: KEY, arg4: KEY, arg5: Flags(&words::ipc::KEY_MOVE)) -> Int;
    [31] (option: Enum(&words::ipc::KEYCTL), arg2: Out(KeyCaps, RetOrArg(arg3)), arg3: Size) -> Int;
};
