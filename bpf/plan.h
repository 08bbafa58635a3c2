/* SPDX-License-Identifier: MIT OR GPL-2.0-only */
/*
 * What userspace tells the kernel: for each system call, what of its memory to copy and when.
 * Derived from the rows of src/syscall/table; nothing here is written by hand.
 */
#pragma once

enum what {
	WHAT_NONE = 0,
	WHAT_STRING = 1,	/* up to its NUL */
	WHAT_BYTES = 2,
	WHAT_STRINGS = 3,	/* a vector of strings: argv */
	WHAT_COUNT = 4,		/* a vector of pointers, only counted: envp */
	WHAT_IOVEC = 5,		/* an array of iovec and the heads of its buffers */
	WHAT_MESSAGE = 6,	/* a msghdr, its name, buffers and control messages */
	WHAT_MESSAGES = 7,	/* an array of mmsghdr */
	WHAT_DIRENTS = 8,	/* linux_dirent64 entries, only counted */
	WHAT_DIRENTS_OLD = 9,	/* linux_dirent entries, only counted */
	WHAT_SOCKET_DATA = 20,	/* what is sent or received; netlink messages whole */
	WHAT_SIGFRAME = 10,	/* the mask that rt_sigreturn restores */
	WHAT_STRUCTS = 11,	/* an array of pointers to structures */
	WHAT_BEHIND = 12,	/* what a pointer in the structure at `offset` points to */
	WHAT_BEHIND_STRING = 13,	/* the same, up to its NUL */
} __attribute__((packed));

/* Where the number of elements comes from. */
enum length {
	LENGTH_ONE = 0,
	LENGTH_ARG = 1,		/* args[length_arg] */
	LENGTH_RET = 2,		/* the result */
	LENGTH_ARG32 = 9,	/* the lower half of it: an int */
	LENGTH_AT = 3,		/* the u32 that args[length_arg] points to */
	LENGTH_BITS = 4,	/* args[length_arg] bits, in whole longs */
	LENGTH_PAGES = 6,	/* args[length_arg] bytes, in pages */
	LENGTH_HEAD = 5,	/* the u32 at the start of the structure itself, in bytes */
	LENGTH_FIELD = 8,	/* the u32 in the structure, length_arg bytes into it */
	LENGTH_FIELD16 = 7,	/* the u16 there */
} __attribute__((packed));

enum writer {
	WRITER_PLAIN = 0,
	WRITER_CAPTURE = 1,
	WRITER_VECTOR = 2,
	WRITER_IOVEC = 3,
	WRITER_MESSAGE = 4,
	WRITER_DIRENTS = 5,
	WRITER_BEHIND = 6,	/* memory that pointers in structures point to */
	WRITER_FILE = 7,	/* tells first what descriptors stand for */
	WRITER_STACK = 8,	/* tells first where the call was made; the plan's writer follows */
	WRITERS = 9,
} __attribute__((packed));

enum grab_flag {
	GRAB_ALWAYS = 0,
	GRAB_IF_OK = 1,		/* only when the call succeeded */
	GRAB_START = 2,		/* label the piece PART_START */
	GRAB_CLAMP_RET = 4,	/* no more than the result says was transferred */
	GRAB_WHOLE = 32,	/* all of it or nothing */
	GRAB_IF_FAILED = 16,	/* only when the call failed */
	GRAB_SAID = 64,		/* up to SAID_MOST of it, if it goes to descriptor 2 */
	GRAB_WIDE = 8,		/* the pointer in the structure has eight bytes in every ABI */
	GRAB_FLEETS = 64,	/* even a call that fails may overwrite it */
	GRAB_NO_KEY = 128,	/* unless it is the value of one of key_options */
} __attribute__((packed));

/* What a program writes for people is worth more than a string: an assertion, a traceback's last line. */
enum { SAID_FD = 2, SAID_MOST = 1024 };

struct grab {
	enum what what;
	__u8 arg;
	enum length length;
	__u8 length_arg;
	__u16 size;		/* of one element, bytes */
	__u16 most;		/* copy no more than this, bytes, whatever the string limit is */
	__u16 offset;		/* skip so many bytes of the structure */
	enum grab_flag flags;
	enum part part;		/* the piece's label, if it is not what the phase says */
	__u16 base;		/* and no more than so many bytes ... */
	__u8 by_limit;		/* ... with this many more for each byte of the string limit */
	__u8 contents;		/* it is what a buffer holds */
};

/* Those of a vector, iovec, message or dirents writer stand first; ordinary ones follow. */
enum { GRABS = 6 };

enum plan_flag {
	PLAN_SKIP = 0,
	PLAN_RECORD = 1,	/* wanted at all */
	PLAN_ENTER = 2,		/* write a RECORD_ENTER, if something was captured */
	PLAN_ALWAYS = 4,	/* write it in any case */
	PLAN_NOTE = 8,		/* keep note_size bytes as they are at the start: PART_START */
	PLAN_WORDS = 16,	/* the arguments are 32-bit words that args[1] points to: PART_WORDS */
	PLAN_ALIAS = 32,	/* write a RECORD_ENTER where memory that is read lies in memory that is written */
	PLAN_NETWORK = 64,	/* numbers in it mean what they mean in the thread's network namespace: PART_NETWORK */
} __attribute__((packed));

/* Which descriptors a call makes. */
enum files {
	FILES_NONE = 0,
	FILES_RESULT = 1,	/* the result */
	FILES_ARG = 2,		/* args[0]: a socket gets an address */
	FILES_PAIR = 3,		/* the two ints that args[0] points to, or args[3] with pair_arg */
	FILES_CWD = 4,		/* the working directory */
} __attribute__((packed));

/* Memory that a call reads and memory that it writes: they may be the same, nanosleep(&t, &t). */
struct alias {
	__u8 in;
	__u8 out;
	__u16 in_size;
	__u16 out_size;
};

enum { ALIASES = 2 };

struct plan {
	enum plan_flag flags;
	__u8 nargs;
	enum writer writer;	/* at the end */
	enum writer enter_writer;
	__u8 grabs;		/* grab[0 .. grabs) at the end */
	__u8 enter_grabs;	/* enter[0 .. enter_grabs) at the start */
	__u8 case_arg;		/* cases: which argument chooses */
	__u8 note_arg;		/* PLAN_NOTE: the argument that points to what is kept */
	__u16 first_case;	/* cases: where in case_values they begin */
	__u16 cases;		/* how many; 0: none */
	__u32 case_mask;
	__u16 note_offset;
	__u16 note_size;	/* 4 or 8 */
	enum files files;
	__u8 pair_arg;
	__u8 aliases;		/* PLAN_ALIAS: alias[0 .. aliases) */
	struct alias alias[ALIASES];
	struct grab grab[GRABS];
	struct grab enter[GRABS];
};

/* Numbers below CALLS have a plan for each ABI; cases of multiplexed calls have plans behind them. */
enum {
	CALLS = 512,
	CASES = 1024,
	CASE_VALUES = 4096,
	PLANS = 2 * CALLS + CASES,
};

/* Of which calls stacks are taken; those that lasted at least so long. */
enum { STACKS_NONE = 0, STACKS_ALL = 1, STACKS_FAILED = 2, STACKS_SLOWER = 3 };

/* Calls by number, those of the 32-bit ABI behind the others. Set 0 is all of them, and has no row of its own. */
enum { SET_WORDS = 2 * CALLS / 64, CALL_SETS = 128, SET_NONE = CALL_SETS - 1 };
struct call_set {
	__u64 wanted[SET_WORDS];
};

/* What of it is to be looked at when a call ends. */
enum at_end {
	END_AS_ALL = 0,
	END_SLOWER = 1,		/* only calls that lasted at least slower_than are recorded */
	END_STACK = 2,		/* stacks are taken, of all calls or of some */
	END_KEPT = 4,		/* only those of kept_calls are recorded */
} __attribute__((packed));

/* Which of the calls of a number are worth the most, see kept.h: what a history keeps longest. One of these is enough. */
enum kept {
	KEPT_NEVER = 0,
	KEPT_ALWAYS = 1,
	KEPT_FAILED = 2,
	KEPT_SLOW = 4,		/* it lasted at least so long */
	KEPT_WRITING = 8,	/* it opens a file to write to it: the argument that has the flags says so */
	KEPT_TIMED = 16,	/* that its time is over is no failure */
} __attribute__((packed));
struct kept_call {
	__u64 least;
	enum kept kept;
	__u8 flags_arg;
	__u8 pad[6];
};

/* How the calls of a slot are recorded. Where slots have none of their own, the settings of maps.h hold for all. */
struct profile {
	__u64 slower_than;
	__u64 stacks_slower;
	__u32 string_limit;
	__u32 vector_limit;
	__u32 set;		/* which calls: one of call_sets */
	__u8 contents;		/* whether it is kept what buffers hold */
	__u8 stacks;
	__u8 off;		/* nothing is recorded: as if the slot's cgroups had none */
	__u8 uring;		/* whether io_uring's requests are recorded */
	enum at_end at_end;
	__u8 pad[7];
};

/* Socket options whose values are keys; level 0 has no options, and ends the list. */
struct socket_option {
	__s32 level;
	__s32 name;
};

enum { KEY_OPTIONS = 16 };

/* A case of a multiplexed call (fcntl, ioctl, prctl ...): sorted by value within a call. */
struct case_value {
	__u32 value;
	__u32 plan;		/* index into plans */
};
