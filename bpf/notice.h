/* SPDX-License-Identifier: MIT OR GPL-2.0-only */
/*
 * What the kernel side tells at once, outside the rings: cgroups that come and go, and processes that end
 * badly. The layouts reach userspace as those of record.h do.
 */
#pragma once

/* In the cgroups map, beside a slot: cgroups made below get slots of their own, by their names. */
enum { CGROUP_PARTED = 1u << 31 };

enum name_where {
	NAME_NOWHERE = 0,	/* no rule */
	NAME_WHOLE = 1,
	NAME_PREFIX = 2,
	NAME_SUFFIX = 3,
} __attribute__((packed));

enum name_kind {
	NAME_LEAF = 0,		/* a slot of its own, shared by all that is made below */
	NAME_PASS = 1,		/* the rest's slot; what is made below is looked at by its own name */
	NAME_BOTH = 2,		/* a slot of its own, and what is made below is looked at by its own name */
} __attribute__((packed));

enum { NAME_RULES = 16, NAME_TEXT = 32, CGROUP_NAME_MOST = 256 };

/* The first rule that fits decides; where none does, the cgroup is a leaf. */
struct name_rule {
	__u8 text[NAME_TEXT];
	__u8 length;
	enum name_where where;
	enum name_kind kind;
	__u8 pad;
};

enum notice_kind {
	NOTICE_NONE = 0,
	NOTICE_MADE = 1,	/* a cgroup was made */
	NOTICE_REMOVED = 2,
	NOTICE_DIED = 3,	/* a process ended by a signal or with a status other than 0 */
	NOTICE_CALL = 4,	/* a call ended as a rule says */
} __attribute__((packed));

enum asker_flag {
	ASKER_KERNEL = 1,	/* the kernel itself sent it: for a limit, for want of memory, with a pid namespace */
	ASKER_OOM = 2,		/* for want of memory */
} __attribute__((packed));

/* Who has sent a process a signal that ends it: its first SIGKILL, or the last of the others. */
struct asker {
	__u64 cgroup;
	__u32 pid;		/* the process that sent it; 0: none was seen */
	__u8 signo;
	enum asker_flag flags;
	__u16 pad;
	__u8 comm[16];
	__u64 time;
};

/* A name is last: only what is made has one. Of a slot that a cgroup took, this is kept beside (owners). */
struct notice {
	enum notice_kind kind;
	__u8 own;		/* made: it got rings of its own */
	__u16 length;		/* of the name */
	__u32 slot;
	__u64 time;
	__u64 cgroup;
	__u64 parent;		/* made: the cgroup above */
	__u32 pid;		/* died, call: the process */
	__u32 code;		/* died: as wait(2) reports it */
	__u8 comm[16];
	struct asker asker;	/* died */
	__u8 name[CGROUP_NAME_MOST];
};

/* Whose calls are counted together. */
struct count_key {
	__u64 cgroup;
	__u32 tgid;
	__s32 nr;
	__u64 compat;
};

/* How many they were, and their times in nanoseconds. */
struct count {
	__u64 calls;
	__u64 errors;
	__u64 time;
	__u64 longest;
};

struct counters {
	__u64 notices_lost;	/* there was no room to tell */
	__u64 unnamed;		/* of them: a cgroup came into the lobby, and its name is lost with its end */
	__u64 pool_empty;	/* a cgroup came into the lobby because no slot was ready */
	__u64 cgroups_full;	/* a cgroup was not noted: the map of cgroups is full */
	__u64 output_failed;	/* a ring did not take a sample */
	__u64 counts_full;	/* a call was not counted: the map of counts is full */
	__u64 stacks_failed;	/* a stack could not be taken */
	__u64 modules_full;	/* a frame is told without its file: the map of modules is full */
	__u64 uring_full;	/* a request was not noted: its completion will not tell what it was */
	__u64 followed_full;	/* a process was not followed: the map of those is full */
	__u64 stateless;	/* a call is not told: its thread got no state */
	__u64 deaths_lost;	/* there was no room to tell of a process's end */
	__u64 left;		/* a call is not told: its thread has left what is recorded */
};
