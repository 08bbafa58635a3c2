//! System V and POSIX inter-process communication, keys.

use crate::syscall::{Kind::*, Len::*, Row, Shape::*, case::{rows}, words};

pub(super) static ROWS: &[Row] = rows! {
    shmget [Ipc] (key: Int, size: Size, shmflg: Int) -> Int;
    shmat [Ipc Memory] (shmid: Int, shmaddr: Addr, shmflg: Int) -> Int;
    shmctl [Ipc] (shmid: Int, cmd: Int, buf: Addr) -> Int;
    semget [Ipc] (key: Int, nsems: Int, semflg: Int) -> Int;
    semop [Ipc] (semid: Int, tsops: Addr, nsops: Uint) -> Int;
    semctl [Ipc] (semid: Int, semnum: Int, cmd: Int, arg: Size) -> Int;
    shmdt [Ipc Memory] (shmaddr: Addr) -> Int;
    msgget [Ipc] (key: Int, msgflg: Int) -> Int;
    msgsnd [Ipc] (msqid: Int, msgp: Addr, msgsz: Size, msgflg: Int) -> Int;
    msgrcv [Ipc] (msqid: Int, msgp: Addr, msgsz: Size, msgtyp: Long, msgflg: Int) -> Int;
    msgctl [Ipc] (msqid: Int, cmd: Int, buf: Addr) -> Int;
    semtimedop [Ipc] (semid: Int, tsops: Addr, nsops: Uint, timeout: Addr) -> Int;
    mq_open [Desc] (u_name: Str, oflag: Int, mode: Mode, u_attr: Addr) -> Int;
    mq_unlink [] (u_name: Str) -> Int;
    mq_timedsend [Desc] (mqdes: Fd, u_msg_ptr: Str, msg_len: Size, msg_prio: Uint, u_abs_timeout: Addr) -> Int;
    mq_timedreceive [Desc] (mqdes: Fd, u_msg_ptr: Addr, msg_len: Size, u_msg_prio: Addr, u_abs_timeout: Addr) -> Int;
    mq_notify [Desc] (mqdes: Fd, u_notification: Addr) -> Int;
    mq_getsetattr [Desc] (mqdes: Fd, u_mqstat: Addr, u_omqstat: Addr) -> Int;
    add_key [] (r#type: Str, description: Str, payload: Addr, plen: Size, ringid: Int) -> Int;
    request_key [] (r#type: Str, description: Str, callout_info: Str, destringid: Int) -> Int;
    keyctl [] (option: Int, arg2: Size, arg3: Size, arg4: Size, arg5: Size) -> Int;
    mq_timedreceive_time64 [] () -> Int;
    mq_timedsend_time64 [] () -> Int;
};
