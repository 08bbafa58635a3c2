//! Structures of System V and POSIX inter-process communication.

use super::{Field::*, layouts};
use crate::syscall::words::ipc as words;

layouts! {
    /// struct sembuf.
    pub SEMBUF { sem_num: U16, sem_op: I16, sem_flg: Flags16(&words::SEMOP) }
    /// struct msginfo.
    pub MSGINFO {
        msgpool: I32, msgmap: I32, msgmax: I32, msgmnb: I32, msgmni: I32, msgssz: I32, msgtql: I32, msgseg: U16,
    }
    /// struct seminfo.
    pub SEMINFO {
        semmap: I32, semmni: I32, semmns: I32, semmnu: I32, semmsl: I32, semopm: I32, semume: I32, semusz: I32,
        semvmx: I32, semaem: I32,
    }
    /// struct shminfo64.
    pub SHMINFO { shmmax: Word, shmmin: Word, shmmni: Word, shmseg: Word, shmall: Word }
    /// struct shm_info.
    pub SHM_INFO { used_ids: I32, shm_tot: Word, shm_rss: Word, shm_swp: Word, swap_attempts: Word, swap_successes: Word }
    /// struct mq_attr, as mq_getsetattr takes it.
    pub MQ_ATTR { mq_flags: FlagsWord(&words::MQ_FLAGS), mq_maxmsg: Long, mq_msgsize: Long, mq_curmsgs: Long }
    /// struct mq_attr, as mq_open takes it: its flags mean nothing there.
    pub MQ_OPEN_ATTR { mq_flags: HexWord, mq_maxmsg: Long, mq_msgsize: Long, mq_curmsgs: Long }
}
