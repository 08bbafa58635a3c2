/* SPDX-License-Identifier: MIT OR GPL-2.0-only */
/*
 * What the kernel writes: the one definition of every record. The build turns these types into Rust
 * from the object's BTF, and src/wire.rs asserts their sizes and offsets.
 *
 * In the ring, perf writes a raw sample's length before its data and pads to eight bytes. Every record
 * here begins with room for that length (`lead`, never sent), so that all of its fields are aligned,
 * in the ring and while it is put together. `size` counts lead, is a multiple of eight, and is what a
 * reader goes by. Times are CLOCK_BOOTTIME, in nanoseconds.
 */
#pragma once

enum record_kind {
	RECORD_NONE = 0,
	RECORD_CALL = 1,	/* a system call, written at its end */
	RECORD_ENTER = 2,	/* what is gone at the end of a call, written at its start */
	RECORD_SIGNAL = 3,	/* a signal reaches a thread */
	RECORD_KILL = 4,	/* somebody sends a fatal signal */
	RECORD_FORK = 5,
	RECORD_EXEC = 6,
	RECORD_EXIT = 7,
	RECORD_COMM = 8,
	RECORD_JOIN = 9,	/* a task moves into the cgroup */
	RECORD_FILE = 10,	/* what a descriptor stands for */
	RECORD_CGROUP = 11,	/* whose records follow in this sample: only in the lobby's rings */
	RECORD_URING = 12,	/* an io_uring request is submitted, or has completed */
	RECORD_STACK = 13,	/* where in the program the thread's next call was made */
} __attribute__((packed));

enum record_flag {
	FLAG_NONE = 0,
	FLAG_COMPAT = 1,	/* a 32-bit call of a 64-bit kernel */
	FLAG_NO_ENTER = 2,	/* its start was not seen: no duration */
	FLAG_ENTERED = 4,	/* a RECORD_ENTER belongs to it */
	FLAG_CUT = 8,		/* pieces are missing: the record was full */
	FLAG_IN_FLIGHT = 16,	/* made by the reader: the call had not ended at the dump */
	FLAG_MISSED = 32,	/* what was to be copied at its start was not there: it is looked for again */
	FLAG_AGAIN = 64,	/* RECORD_ENTER: takes the place of the thread's last one */
	FLAG_USER = 128,	/* calls: its thread is the slot's user's alone, see user.h */
} __attribute__((packed));

struct record {
	__u32 lead;
	__u16 size;
	enum record_kind kind;
	enum record_flag flags;
	__u64 time;
	__u32 tid;
};

/*
 * RECORD_CALL, RECORD_ENTER: time is the end, or the start. args[nargs] follow, then pieces. A call that no plan knows
 * has a word behind its six arguments: the number, whole.
 */
struct call_record {
	__u32 lead;
	__u16 size;
	enum record_kind kind;
	enum record_flag flags;
	__u64 time;
	__u32 tid;
	__u16 nr;
	__u8 nargs;
	__u8 pieces;
	__u64 duration;
	__s64 ret;
	__u64 args[7];
};

enum part {
	PART_DATA = 0,		/* the bytes that the argument points to */
	PART_ITEM = 1,		/* one element of a vector: a string of argv, a buffer of an iovec */
	PART_MORE = 2,		/* the vector goes on */
	PART_COUNT = 3,		/* a u32: how many elements there are */
	PART_NAME = 4,		/* msg_name */
	PART_CONTROL = 5,	/* msg_control */
	PART_IOV = 6,		/* the iovec array of a msghdr */
	PART_START = 7,		/* PART_DATA, as it was at the start of the call */
	PART_WHERE = 16,	/* a u64: where the item before it would have been */
	PART_REST = 17,		/* the piece before it goes on */
	PART_NETLINK = 18,	/* a u32: the protocol of the netlink socket in argument 0 */
	PART_WORDS = 19,	/* the call's arguments, from memory */
	PART_NETWORK = 20,	/* a u32: the thread's network namespace, where it is not the recorder's */
	PART_FIRST = 8,		/* what the structure's first pointer points to */
	PART_SECOND = 9,
	PART_THIRD = 10,
	PART_FOURTH = 21,
	PART_DENIED = 22,	/* a u64: capabilities that were looked for and not found, a bit each */
} __attribute__((packed));

/* Captured memory: length bytes follow; a negative length is the errno of the failed read. */
struct piece {
	__u8 arg;
	enum part part;
	__s16 length;
};

/* RECORD_SIGNAL, RECORD_KILL: info is the kernel's siginfo; without it only the number is known. */
struct signal_record {
	__u32 lead;
	__u16 size;
	enum record_kind kind;
	enum record_flag flags;
	__u64 time;
	__u32 tid;		/* who gets it; RECORD_KILL: who sends it */
	__s32 signo;
	__u32 target;		/* who gets it */
	__u32 has_info;
	__u8 info[48];
	__u32 sender_tgid;
	__u32 stops;		/* RECORD_SIGNAL: it stops the process; RECORD_KILL: the kernel sends it by itself */
	__u8 comm[16];		/* RECORD_KILL: the sender's */
	__u64 cgroup;		/* of who gets it */
};

/* Why a signal ended a task, where only the kernel knows it. */
enum exit_why {
	WHY_SIGNAL = 0,
	WHY_OOM = 1,		/* the OOM killer chose its process */
	WHY_SECCOMP = 2,	/* SIGSYS, and it has a seccomp filter */
} __attribute__((packed));

/* RECORD_FORK, _EXEC, _EXIT, _COMM, _JOIN: tid is the task it is about (the child of a fork). */
struct task_record {
	__u32 lead;
	__u16 size;
	enum record_kind kind;
	enum record_flag flags;
	__u64 time;
	__u32 tid;
	__u32 tgid;
	__u32 parent;		/* fork: the thread that forked; exit: the parent's tgid */
	__u32 former;		/* exec: the thread id before it */
	__u32 code;		/* exit: as wait(2) reports it */
	enum exit_why why;	/* exit */
	__u8 pad;
	__u16 last;		/* WHY_SECCOMP: the number of its last call; 0xffff: one that no plan knows */
	__u8 comm[16];
	__u64 cgroup;		/* the task's */
};

/* RECORD_CGROUP: cgroups without rings of their own share the lobby's, and each sample there begins so. */
struct cgroup_record {
	__u32 lead;
	__u16 size;
	enum record_kind kind;
	enum record_flag flags;
	__u64 time;
	__u32 tid;
	__u32 pad;
	__u64 cgroup;
};

enum file_how {
	FILE_AS_IS = 0,		/* the descriptor stands for this already */
	FILE_BY_CALL = 1,	/* the thread's next record is the call that made it so */
	FILE_WHOLE = 2,		/* the path reaches up to the root */
	FILE_UNHASHED = 4,	/* the path is no longer, or never was, the file's */
	FILE_CLOEXEC = 8,
	FILE_HIDDEN = 16,	/* made by the reader: what its name was is not to be shown */
} __attribute__((packed));

/* The fd that stands for the working directory. */
enum { FD_CWD = -100 };

/*
 * RECORD_FILE: `names` NUL-terminated components follow, the innermost first; for a unix socket
 * `address` bytes of sockaddr_un.
 */
struct file_record {
	__u32 lead;
	__u16 size;
	enum record_kind kind;
	enum record_flag flags;
	__u64 time;
	__u32 tid;
	__u32 tgid;
	__s32 fd;
	__u32 magic;		/* of the file system */
	__u64 ino;
	__u32 rdev;		/* as the kernel has it: major << 20 | minor */
	__u16 mode;
	enum file_how how;
	__u8 names;
	__u64 peer;		/* unix socket: its peer's inode; netlink: its port; pidfd: the process */
	__u16 family;		/* sockets only, from here on */
	__u16 protocol;
	__u16 source_port;	/* host order */
	__u16 target_port;	/* network order */
	__u8 source[16];
	__u8 target[16];
	__u8 proto[16];
	__u8 state;
	__u8 address;
	__u8 pad[6];
};

enum uring_how {
	URING_COMPLETED = 0,
	URING_SUBMITTED = 1,
	URING_REQUEST = 2,	/* opcode and number are known */
	URING_SQE = 4,		/* sqe holds what was submitted, as it stood in the ring */
} __attribute__((packed));

/* RECORD_URING: of a request's thread, whoever submits or completes it. `path` bytes of a path follow. */
struct uring_record {
	__u32 lead;
	__u16 size;
	enum record_kind kind;
	enum record_flag flags;
	__u64 time;
	__u32 tid;
	__u32 tgid;
	__u64 cgroup;		/* the thread's */
	__u64 ring;		/* the same for all of a ring's requests, and no address */
	__u64 user_data;
	__u64 began;		/* completed: when it was submitted; 0: that was not seen */
	__s32 res;
	__u32 more;		/* completed: the flags of its completion */
	__u32 number;		/* the ring's count of submissions */
	__u8 opcode;
	enum uring_how how;
	__u16 path;
	__u8 comm[16];
	__u8 sqe[64];
};

/*
 * A frame in 64 bits: an offset in the file of a module, whose number stands above; with number 0 an address of
 * the program's.
 */
enum {
	FRAME_SHIFT = 48,
	FRAMES_MOST = 64,
	MODULES_LAST = 0x5fff,	/* userspace numbers from here on what it finds by itself */
};

/*
 * RECORD_STACK: frames[frames] follow, the innermost first, then `kernel` bytes of text: the kernel's own
 * functions, as /proc/TID/stack tells them. Without frames it could not be taken. FLAG_CUT: there are more.
 */
struct stack_record {
	__u32 lead;
	__u16 size;
	enum record_kind kind;
	enum record_flag flags;
	__u64 time;
	__u32 tid;
	__u16 frames;
	__u16 kernel;
	__u64 caller;		/* a frame behind the first, that the word at the stack pointer tells; 0: none */
};

/* One line of the task iterator: a call that has not ended. */
struct inflight {
	__u32 tid;
	__u32 tgid;
	__u64 entered;
	__u64 args[6];
	__u64 sp;
	__u64 ip;
	__u64 bp;
	__u64 cgroup;
	__u64 asleep;		/* of one whose start was not seen: for how long the thread has not run; 0: not known */
	__u32 slot;
	__s32 nr;
	enum record_flag flags;
	__u8 pad[7];
	__u8 comm[16];
};

/* Half of a ring is new. */
struct half {
	__u32 slot;
	__u32 cpu;
};

/* Per ring: what was written and what was not. */
struct tally {
	__u64 records;
	__u64 bytes;
	__u64 calls;
	__u64 lost;		/* bpf_perf_event_output failed */
	__u64 last_error;
	__u64 noticed;		/* bytes, when userspace was last told that half of the ring is new */
	struct half half;	/* what it is told: here, and not on a program's stack, for the verifier's sake */
	__u64 skipped;		/* calls that were not to be recorded */
};

/* A record begins no further than BATCH_MOST into its sample; the ring reader leaves a margin of the
 * largest sample at a ring's old end, so both together stay below half of the smallest ring, 16 KiB. */
enum {
	BATCH_MOST = 3840,
	PIECES_ROOM = 8192,
	PIECE_MOST = 4096,
	RECORD_MOST = 40 + 56 + PIECES_ROOM + PIECE_MOST + 64,
};
