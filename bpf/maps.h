/* SPDX-License-Identifier: MIT OR GPL-2.0-only */
/* Every map and setting, who writes it and who reads it. */
#pragma once

/* A thread between the start and the end of a call. slot 0: it is not in a recorded call. */
struct task_state {
	__u64 entered;
	__u32 slot;
	__s32 nr;
	__u16 plan;
	enum record_flag flags;
	__u8 noted;		/* note holds what PLAN_NOTE asks for */
	__u32 tid;
	__u64 note;
	/*
	 * Of the fields above only the thread itself changes those of a call, so that nothing comes between a call's
	 * end and its writer. What moves the thread, or looks at it, writes these.
	 */
	__u32 moved;		/* it has changed its cgroup since the call began */
	__u16 watched;		/* its calls' starts and ends have been seen: without a slot it is in none */
	/* Of the call, too: what its slot's profile asks for at its end. */
	__u16 at_end;
	/* Its user, see user.h; 0: nobody has looked. Written by the thread itself, and by who makes it. */
	__u64 user;
	/* Capabilities that were not there in the call that was entered at that time, see capability.h. */
	__u64 denied;
	__u64 denied_in;
};

/* Settings: written once before load, so that the verifier removes what they switch off. */
const volatile __u32 cpus = 1;
const volatile bool cgroup_storage = true;
const volatile bool task_storage = true;
const volatile bool pt_regs_helper = true;
const volatile bool typed_task = true;
/* Whether sys_enter and sys_exit are the classic tracepoints (tracepoint/raw_syscalls) and not tp_btf. */
const volatile bool classic = false;
/* These, slower_than and stacks hold for all slots unless each has a profile. */
const volatile __u32 string_limit = 32;
const volatile __u32 vector_limit = 32;
/* Whether it is kept what buffers hold. */
const volatile bool contents = true;
const volatile bool tell_files = false;
/* Only calls that lasted at least so many nanoseconds are recorded. */
const volatile __u64 slower_than = 0;
/* Calls are counted instead of recorded. */
const volatile bool counting = false;
/* So many new bytes in a ring are told of; 0: nobody copies them. */
const volatile __u64 half_ring = 0;
/* The slot of the cgroups that came when no slot was ready; 0: there is none. */
const volatile __u32 lobby = 0;
/* The slot of what is in no leaf: the root, slices. */
const volatile __u32 rest = 0;
/* The slot of processes that are followed wherever they are, see followed.h; 0: cgroups are recorded. */
const volatile __u32 followed_slot = 0;
/* Whether userspace is told of cgroups that come and go, and of processes that end badly. */
const volatile bool watching = false;

const volatile __u32 stacks = STACKS_NONE;
const volatile __u64 stacks_slower = 0;
/* Whether it is noted which capabilities are not there. */
const volatile bool tell_denied = false;
/* The network namespace of who reads, by its inode; 0: it is not known. */
const volatile __u32 own_network = 0;
/* How this kernel tells of io_uring, see uring.h. */
const volatile __u32 uring_submits = 0;
const volatile __u32 uring_completes = 0;
/* Mixed into what stands for a ring. */
const volatile __u64 uring_secret = 0;

/* Written by userspace before load from the table of system calls; read by every writer. */
const volatile struct plan plans[PLANS] = {};
const volatile struct case_value case_values[CASE_VALUES] = {};
const volatile struct socket_option key_options[KEY_OPTIONS] = {};

_Static_assert((PLANS & (PLANS - 1)) == 0, "the mask of plan_at");

/* A mask and no check: from a check of 32 bits older verifiers do not learn what the whole register holds. */
static __always_inline const volatile struct plan *plan_at(__u64 index)
{
	barrier_var(index);
	return &plans[index & (PLANS - 1)];
}

/* By slot, where cgroups have slots of their own (watching): how its calls are recorded. Written by userspace at any time. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__type(key, __u32);
	__type(value, struct profile);
	__uint(max_entries, 1);
} profiles SEC(".maps");

/* The sets of calls that profiles name; written by userspace before one does. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__type(key, __u32);
	__type(value, struct call_set);
	__uint(max_entries, CALL_SETS);
} call_sets SEC(".maps");

/* Calls by number, those of the 32-bit ABI behind the others: which of them are kept longest; written by userspace. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__type(key, __u32);
	__type(value, struct kept_call);
	__uint(max_entries, 2 * CALLS);
} kept_calls SEC(".maps");

/* A CPU's ring of a track, at slot * cpus + cpu. Userspace inserts the perf events. */
struct {
	__uint(type, BPF_MAP_TYPE_PERF_EVENT_ARRAY);
	__uint(key_size, 4);
	__uint(value_size, 4);
	__uint(max_entries, 1);
	__uint(map_flags, BPF_F_PRESERVE_ELEMS);
} rings SEC(".maps");

/* Indexed like rings. Written here by the CPU that owns the entry, read by userspace, which maps it. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__type(key, __u32);
	__type(value, struct tally);
	__uint(max_entries, 1);
} tallies SEC(".maps");

/* include/uapi/linux/bpf.h: whoever waits is woken. */
enum { RB_FORCE_WAKEUP = 2 };

/* Whose rings are half new: from here userspace hears when to copy, apart from what must not wait for that. */
struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 1 << 16);
} halves SEC(".maps");

/*
 * Which CPUs have written, by number; CPUs so far apart share an entry, which costs a look too many at worst.
 * Each entry has a cache line of its own. Read by userspace, which maps it.
 */
enum { CPU_MARKS = 256 };
struct cpu_mark {
	__u64 has_written;
	__u64 pad[7];
};
volatile struct cpu_mark cpu_marks[CPU_MARKS] SEC(".data.cpu_marks") = {};

/*
 * Cgroup id -> slot, and CGROUP_PARTED. Written by userspace for the cgroups it is given, here for those
 * made below.
 */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, __u64);
	__type(value, __u32);
	__uint(max_entries, 65536);
} cgroups SEC(".maps");

/* The same, as a cache on the cgroup itself (kernels from 6.2 on). */
struct {
	__uint(type, BPF_MAP_TYPE_CGRP_STORAGE);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, int);
	__type(value, __u32);
} cgroup_slots SEC(".maps");

/*
 * Processes that are followed: id -> when it began, by which one that has got the id later is told apart.
 * Written by userspace for those it is given, with 0, and here for their children.
 */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, __u32);
	__type(value, __u64);
	__uint(max_entries, 65536);
} followed SEC(".maps");

/* Slots that were looked up lately, by cgroup id; see slot_of_cgroup. Alone in .bss: userspace empties it. */
enum { KEPT_SLOTS = 1024 };
volatile __u64 kept_slots[KEPT_SLOTS];
/* Changed by userspace behind each change of a cgroup's slot; 16 bits. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__type(key, __u32);
	__type(value, __u32);
	__uint(max_entries, 1);
} generations SEC(".maps");

/* Written and read here only (kernels from 5.11 on). */
struct {
	__uint(type, BPF_MAP_TYPE_TASK_STORAGE);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, int);
	__type(value, struct task_state);
} task_states SEC(".maps");

/* Without task storage: one state for each thread id modulo the size, tagged with the id. */
enum { TASK_SLOTS = 65536 };
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__type(key, __u32);
	__type(value, struct task_state);
	__uint(max_entries, TASK_SLOTS);
} task_array SEC(".maps");

/* A file that stacks lead through: by build id, or else by device, inode and time of change. */
enum { MODULE_BUILD_ID = 0, MODULE_FILE = 1, MODULE_NAMES = 768 };
struct module_key {
	__u8 id[20];
	__u32 kind;
};
struct module {
	__u32 number;
	__u32 length;		/* of names: the path's components, the innermost first, NUL-terminated */
	__u8 names[MODULE_NAMES + 256];
};

/* A stack in the making. */
struct unwinding {
	__u32 made;		/* how many modules this CPU has numbered */
	__u32 pad;
	__u64 encoded;
	__u64 dentry;
	__u64 mount;
	struct bpf_stack_build_id frames[FRAMES_MOST + 1];
	__u64 addresses[FRAMES_MOST + 1];
	__u64 found[FRAMES_MOST + 1];
	struct module module;
};

/* A request of io_uring's that was submitted. */
struct uring_request {
	__u64 ring;
	__u64 user_data;
	__u64 began;
	__u64 cgroup;
	__u32 tid;
	__u32 tgid;
	__u32 number;
	__u8 opcode;
	__u8 comm[16];
	__u8 pad[3];
};

enum { URING_PATH = 4096 };
struct uring_submission {
	struct uring_record record;
	__u8 path[URING_PATH + 8];
};

struct user_msghdr {
	__u64 name;
	__u32 name_length;
	__u32 pad;
	__u64 iov;
	__u64 iov_count;
	__u64 control;
	__u64 control_length;
	__u64 flags;
};

/*
 * What a CPU has written and not sent yet: records of one slot, which reach its ring together, as one
 * sample, when the next record finds them full or is another slot's, and when userspace asks for them
 * (the program `flush`): sending costs more than all the rest of a record. The record under way stands
 * behind them. What changes from piece to piece lives here and not on the stack: the verifier does not
 * track the contents of maps, so its states converge.
 */
struct writing {
	__u32 busy;		/* programs that are at it: one that interrupts or preempts another keeps off */
	__u32 slot;		/* whose records these are */
	__u64 cgroup;		/* in the lobby: and which cgroup's */
	__u32 used;		/* bytes of whole records */
	__u32 records;		/* how many they are */
	__u32 calls;		/* how many of them are ends of calls */
	__u32 at;		/* where the record under way ends */
	__u32 pieces;
	__u32 flags;
	__u32 count;
	__s64 ret;
	__u64 sp;
	__u64 transferred;
	__u64 from;
	__u64 iov;
	__u64 iov_left;
	__u64 next;		/* the message behind this one */
	__u64 item;		/* what is left of a buffer */
	__u64 left;
	__u64 items;
	__u32 stage;
	__u32 long_items;	/* buffers are copied in several pieces, as far as there is room */
	__u32 string_limit;	/* as the slot's profile has them */
	__u32 vector_limit;
	__u32 contents;
	__u64 task;
	__u64 args[8];
	struct user_msghdr head;
	__u8 bytes[BATCH_MOST + RECORD_MOST] __attribute__((aligned(8)));
};
struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__type(key, __u32);
	__type(value, struct writing);
	__uint(max_entries, 1);
} writings SEC(".maps");

/* Slots with rings that nobody uses yet. Filled by userspace; a cgroup that is made takes one. */
struct {
	__uint(type, BPF_MAP_TYPE_QUEUE);
	__uint(value_size, 4);
	__uint(max_entries, 1);
} pool SEC(".maps");

/* How the name of a cgroup decides where its records go; written by userspace. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__type(key, __u32);
	__type(value, struct name_rule);
	__uint(max_entries, NAME_RULES);
} name_rules SEC(".maps");

/* What userspace is told as it happens. */
struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 1 << 19);
} notices SEC(".maps");

/* Who asked processes to end, by process. Written and read here, while userspace is told how they end. */
struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__type(key, __u32);
	__type(value, struct asker);
	__uint(max_entries, 1024);
} askers SEC(".maps");

/*
 * Ends of processes, in a ring of their own: each slot's first of a kind until userspace has looked, so that no storm
 * of them fills it.
 */
struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 1 << 18);
} deaths SEC(".maps");

/* By slot: the kinds of ends that userspace was told of and has not looked at yet, see process.h. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__type(key, __u32);
	__type(value, __u64);
	__uint(max_entries, 1);
} told_of_ends SEC(".maps");

/* The same by cgroup for those that share the lobby. */
struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__type(key, __u64);
	__type(value, __u64);
	__uint(max_entries, 4096);
} told_in_lobby SEC(".maps");

/*
 * Indexed like rings: the process that ended last there, however it did. Written here by the CPU that owns the entry,
 * read by userspace, which maps it.
 */
struct last_end {
	__u64 time;
	__u32 pid;
	__u32 code;		/* as wait(2) reports it */
	__u8 comm[16];
	struct asker asker;
	__u64 pad[7];
};
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__type(key, __u32);
	__type(value, struct last_end);
	__uint(max_entries, 1);
} last_ends SEC(".maps");

/*
 * By slot: the user whose calls are marked, see user.h; 0: there was none yet. Written here, read by userspace, which
 * forgets him when the slot is another cgroup's. `first_users` decides who it is.
 */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__type(key, __u32);
	__type(value, __u64);
	__uint(max_entries, 1);
} users SEC(".maps");
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, __u32);
	__type(value, __u64);
	__uint(max_entries, 1);
} first_users SEC(".maps");

/* By slot: the cgroup that took it from the pool, as it was told. It can still be read where the telling failed. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__type(key, __u32);
	__type(value, struct notice);
	__uint(max_entries, 1);
} owners SEC(".maps");

/* Written here, read by userspace, which maps it. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__type(key, __u32);
	__type(value, struct counters);
	__uint(max_entries, 1);
} counters SEC(".maps");

/* Written here while calls are counted, read and tidied by userspace. */
struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_HASH);
	__type(key, struct count_key);
	__type(value, struct count);
	__uint(max_entries, 16384);
} counts SEC(".maps");

/* The writers, by enum writer: one array for each hook. */
struct {
	__uint(type, BPF_MAP_TYPE_PROG_ARRAY);
	__type(key, __u32);
	__type(value, __u32);
	__uint(max_entries, WRITERS);
} enter_writers SEC(".maps");
struct {
	__uint(type, BPF_MAP_TYPE_PROG_ARRAY);
	__type(key, __u32);
	__type(value, __u32);
	__uint(max_entries, WRITERS);
} exit_writers SEC(".maps");

/* The files that stacks lead through. Written here, read by userspace: number and path. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, struct module_key);
	__type(value, struct module);
	__uint(max_entries, 8192);
} modules SEC(".maps");

/* Where a stack is put together. */
struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__type(key, __u32);
	__type(value, struct unwinding);
	__uint(max_entries, 1);
} unwindings SEC(".maps");

/* Requests that have not completed, by their address, or by user_data where the kernel does not tell it. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, __u64);
	__type(value, struct uring_request);
	__uint(max_entries, 65536);
} uring_requests SEC(".maps");

/* Where a submission is put together, with the path that it names. */
struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__type(key, __u32);
	__type(value, struct uring_submission);
	__uint(max_entries, 1);
} uring_submissions SEC(".maps");

/* Never filled: they carry the layouts of records into the object's BTF. */
#define LAYOUT(type_name)                                \
	struct {                                         \
		__uint(type, BPF_MAP_TYPE_ARRAY);        \
		__type(key, __u32);                      \
		__type(value, struct type_name);         \
		__uint(max_entries, 1);                  \
	} layout_##type_name SEC(".maps")
LAYOUT(record);
LAYOUT(call_record);
LAYOUT(piece);
LAYOUT(signal_record);
LAYOUT(task_record);
LAYOUT(inflight);
LAYOUT(file_record);
LAYOUT(cgroup_record);
LAYOUT(uring_record);
LAYOUT(stack_record);
LAYOUT(notice);
