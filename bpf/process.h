/* SPDX-License-Identifier: MIT OR GPL-2.0-only */
/* What happens to tasks: forks, execs, exits, names, signals, and the calls that have not ended. */
#pragma once

static __always_inline void fill(struct task_record *record, enum record_kind kind, struct task_struct *task)
{
	__builtin_memset(record, 0, sizeof(*record));
	record->size = sizeof(*record);
	record->kind = kind;
	record->tid = task->pid;
	record->time = bpf_ktime_get_boot_ns();
	record->tgid = task->tgid;
	__builtin_memcpy(record->comm, task->comm, sizeof(record->comm));
	record->cgroup = cgroup_of(task);
}

/* A child of a process that is followed is one, too, before it runs. */
static __always_inline void follow_child(struct task_struct *parent, struct task_struct *child)
{
	__u32 id = child->tgid;
	__u64 born = born_at(child);

	if (id == parent->tgid || !is_followed(parent))
		return;
	if (bpf_map_update_elem(&followed, &id, &born, BPF_ANY))
		count(followed_full);
}

/* From now on it may be another user's. */
static __always_inline void forget_user(struct task_struct *task)
{
	struct task_state *state = watching ? state_of(task, false) : 0;

	if (state)
		state->user = 0;
}

SEC("tp_btf/sched_process_fork")
int on_fork(__u64 *ctx)
{
	struct task_struct *parent = (struct task_struct *)ctx[0];
	struct task_struct *child = (struct task_struct *)ctx[1];
	struct task_record record;
	__u32 slot;

	if (followed_slot)
		follow_child(parent, child);
	/* What another thread of that number has left behind. */
	if (!task_storage)
		forget_user(child);
	slot = slot_of(child);
	if (!slot)
		return 0;
	fill(&record, RECORD_FORK, child);
	record.parent = parent->pid;
	output_in_order(ctx, slot, &record, sizeof(record));
	return 0;
}

/* States that are found by thread id follow a thread whose execve gives it the leader's. */
static __always_inline void carry_state(struct task_struct *task, __u32 former)
{
	__u32 key = former & (TASK_SLOTS - 1);
	struct task_state *old, *new;

	if (task_storage || former == task->pid)
		return;
	old = bpf_map_lookup_elem(&task_array, &key);
	new = state_of(task, true);
	if (!old || !new || old->tid != former)
		return;
	*new = *old;
	new->tid = task->pid;
	old->slot = 0;
}

/*
 * What execve was given is about to go with the memory that it is in. The kernel has read it by now: where its
 * start found no page there is one. (From Linux 6.10 on.)
 */
SEC("tp_btf/sched_prepare_exec")
int on_prepare_exec(__u64 *ctx)
{
	struct task_state *state = state_of(me(), false);

	if (!state || !state->slot || !(state->flags & FLAG_MISSED))
		return 0;
	if (watching)
		state->slot = slot_of(me());
	state->flags = (state->flags & ~FLAG_MISSED) | FLAG_AGAIN;
	return write(ctx, (struct pt_regs *)bpf_task_pt_regs(me()), 0, AT_ENTER, WRITER_VECTOR, me(), state);
}

SEC("tp_btf/sched_process_exec")
int on_exec(__u64 *ctx)
{
	struct task_struct *task = (struct task_struct *)ctx[0];
	struct task_record record;
	__u32 slot = slot_of(task);

	if (!slot) {
		forget_user(task);
		return 0;
	}
	carry_state(task, ctx[1]);
	forget_user(task);
	fill(&record, RECORD_EXEC, task);
	record.former = ctx[1];
	output_in_order(ctx, slot, &record, sizeof(record));
	return 0;
}

/* Whoever had the number before may have been asked to end, too. */
static __always_inline bool is_of(const struct asker *asker, struct task_struct *task)
{
	return asker->time >= born_at(task);
}

/* Who asked a process to end. */
static __always_inline void take_asker(struct asker *to, __u32 id, struct task_struct *task)
{
	struct asker *asker = bpf_map_lookup_elem(&askers, &id);

	if (asker && is_of(asker, task))
		*to = *asker;
	if (BPF_CORE_READ(task, signal, oom_mm))
		to->flags |= ASKER_OOM;
	if (asker)
		bpf_map_delete_elem(&askers, &id);
}

/* The process that ended last in a slot, well or badly: the last one tells how the whole ended. */
static __always_inline void note_end(__u32 slot, const struct task_record *end, const struct asker *asker)
{
	__u32 index = slot * cpus + bpf_get_smp_processor_id();
	struct last_end *last = bpf_map_lookup_elem(&last_ends, &index);

	if (!last)
		return;
	last->time = end->time;
	last->pid = end->tgid;
	last->code = end->code;
	last->asker = *asker;
	__builtin_memcpy(last->comm, end->comm, sizeof(last->comm));
}

/*
 * A process has ended badly: userspace may want to keep what it did. Each signal is a kind of end, and all statuses
 * together are one: of those only the last process's matters, which note_end keeps.
 */
static __always_inline void tell_death(__u32 slot, const struct task_record *end, const struct asker *asker)
{
	__u32 signal = end->code & 0x7f;
	__u64 *told = told_of(slot, end->cgroup), kind = 1ull << (signal < 61 ? signal : 61);
	struct notice *notice;

	if (!told || (*told & kind))
		return;
	notice = bpf_ringbuf_reserve(&deaths, __builtin_offsetof(struct notice, name), 0);
	if (!notice) {
		count(deaths_lost);
		return;
	}
	*told |= kind;
	fill_notice(notice, NOTICE_DIED, end->cgroup, slot);
	notice->pid = end->tgid;
	notice->code = end->code;
	__builtin_memcpy(notice->comm, end->comm, sizeof(notice->comm));
	notice->asker = *asker;
	bpf_ringbuf_submit(notice, 0);
}

/* Above it is only SECCOMP_MODE_DEAD, which newer kernels leave in a thread that a filter ends. */
enum { SIGKILL = 9, SIGSYS = 31, SECCOMP_MODE_FILTER = 2 };

/*
 * Why the task that runs ends by a signal. A filter may end a thread without one, before its call has begun (do_exit in
 * __seccomp_filter): its registers still have the number. A SIGSYS that was sent has left a record of its own.
 */
static __always_inline void tell_why(struct task_record *end, struct task_struct *task)
{
	__u32 signo = end->code & 0x7f;
	int nr;

	if (signo == SIGKILL && BPF_CORE_READ(task, signal, oom_mm))
		end->why = WHY_OOM;
	if (signo != SIGSYS || !pt_regs_helper || !bpf_core_field_exists(task->seccomp) ||
	    BPF_CORE_READ(task, seccomp.mode) < SECCOMP_MODE_FILTER)
		return;
	end->why = WHY_SECCOMP;
	nr = number_at_exit((struct pt_regs *)bpf_task_pt_regs(me()));
	end->last = nr < 0 || nr > 0xffff ? 0xffff : nr;
	end->flags = is_compat(me()) ? FLAG_COMPAT : 0;
}

SEC("tp_btf/sched_process_exit")
int on_task_exit(__u64 *ctx)
{
	struct task_struct *task = ending(ctx);
	struct task_record record;
	struct asker asker = {};
	__u32 slot = slot_of(task);

	if (!slot)
		return 0;
	fill(&record, RECORD_EXIT, task);
	record.parent = task->real_parent->tgid;
	record.code = task->exit_code;
	tell_why(&record, task);
	output_in_order(ctx, slot, &record, sizeof(record));
	/* What is in no leaf is nobody's in particular. */
	if (!watching || slot == rest || task->signal->live.counter)
		return 0;
	take_asker(&asker, record.tgid, task);
	note_end(slot, &record, &asker);
	if (record.code)
		tell_death(slot, &record, &asker);
	return 0;
}

/*
 * Nothing is left of a process, and its id may be another's by now. At the exit of its last thread the others
 * may not have told of theirs yet. A thread that has become the leader in execve has left the old one's behind.
 */
SEC("tp_btf/sched_process_free")
int on_free(__u64 *ctx)
{
	struct task_struct *task = (struct task_struct *)ctx[0];
	__u32 id = task->tgid;

	if (task->pid == id && task->signal->live.counter == 0 && is_followed(task))
		bpf_map_delete_elem(&followed, &id);
	return 0;
}

SEC("tp_btf/task_rename")
int on_rename(__u64 *ctx)
{
	struct task_struct *task = (struct task_struct *)ctx[0];
	struct task_record record;
	__u32 slot = slot_of(task);

	if (!slot)
		return 0;
	fill(&record, RECORD_COMM, task);
	bpf_probe_read_kernel_str(record.comm, sizeof(record.comm), (void *)ctx[1]);
	output_in_order(ctx, slot, &record, sizeof(record));
	return 0;
}

/* info may be 0 or 1 instead of a pointer: a signal that the kernel sends without details. */
static __always_inline void fill_signal(struct signal_record *record, enum record_kind kind, int signo, __u64 info)
{
	__builtin_memset(record, 0, sizeof(*record));
	record->size = sizeof(*record);
	record->kind = kind;
	record->tid = my_tid();
	record->time = bpf_ktime_get_boot_ns();
	record->signo = signo;
	if (info > 1 && !bpf_probe_read_kernel(record->info, sizeof(record->info), (void *)info))
		record->has_info = 1;
}

/* SIGSTOP; SIGTSTP, SIGTTIN and SIGTTOU, if nobody handles them. */
static __always_inline bool stops(__u32 signo, struct k_sigaction *action)
{
	return signo == 19 || (signo >= 20 && signo <= 22 && !BPF_CORE_READ(action, sa.sa_handler));
}

SEC("tp_btf/signal_deliver")
int on_signal(__u64 *ctx)
{
	struct signal_record record;
	__u32 slot = slot_of(me());

	if (!slot)
		return 0;
	fill_signal(&record, RECORD_SIGNAL, ctx[0], ctx[1]);
	record.stops = stops(ctx[0], (struct k_sigaction *)ctx[2]);
	record.target = record.tid;
	record.cgroup = cgroup_of(me());
	output_in_order(ctx, slot, &record, sizeof(record));
	return 0;
}

/* Signals that end a process by default and that somebody sends: HUP INT QUIT ABRT KILL USR1 USR2
 * PIPE ALRM TERM STKFLT XCPU XFSZ VTALRM PROF IO PWR, and real-time ones that the C library keeps none of for itself. The
 * kernel shows the victim SIGKILL instead, without details. */
static const __u64 fatal_signals = 1ull << 1 | 1ull << 2 | 1ull << 3 | 1ull << 6 | 1ull << 9 |
				   1ull << 10 | 1ull << 12 | 1ull << 13 | 1ull << 14 | 1ull << 15 |
				   1ull << 16 | 1ull << 24 | 1ull << 25 | 1ull << 26 | 1ull << 27 | 1ull << 29 |
				   1ull << 30;

/* Those of faults: ILL TRAP BUS FPE SEGV SYS. Mostly nobody sends them but the thread's own fault. */
static const __u64 fault_signals = 1ull << 4 | 1ull << 5 | 1ull << 7 | 1ull << 8 | 1ull << 11 | 1ull << 31;

enum { REAL_TIME = 34 };

/* Whether a signal comes from a process: the kernel's own codes are above 0 (si_code of asm-generic/siginfo.h). */
static __always_inline bool is_sent_by_user(__u64 info)
{
	int codes[3] = {};

	return info > 1 && !bpf_probe_read_kernel(codes, sizeof(codes), (void *)info) && codes[2] <= 0;
}

/* SEND_SIG_PRIV instead of a siginfo (linux/sched/signal.h): the kernel sends it for reasons of its own. */
enum { SEND_SIG_PRIV = 1 };

/* A process's end is told with who asked for it. Threads have other names than their process. */
static __always_inline void note_asker(struct task_struct *target, __u32 signo, __u64 info)
{
	__u32 id = BPF_CORE_READ(target, tgid);
	struct asker *known = bpf_map_lookup_elem(&askers, &id);
	struct asker asker = {
		.cgroup = cgroup_of(me()),
		.pid = bpf_get_current_pid_tgid() >> 32,
		.signo = signo,
		.flags = info == SEND_SIG_PRIV ? ASKER_KERNEL : 0,
		.time = bpf_ktime_get_boot_ns(),
	};

	if (known && known->signo == SIGKILL && is_of(known, target))
		return;
	BPF_CORE_READ_INTO(&asker.comm, me(), group_leader, comm);
	bpf_map_update_elem(&askers, &id, &asker, BPF_ANY);
}

SEC("tp_btf/signal_generate")
int on_kill(__u64 *ctx)
{
	struct task_struct *target = (struct task_struct *)ctx[2];
	struct signal_record record;
	__u32 signo = ctx[0], slot;

	if (signo > 64 || ctx[4])
		return 0;
	if (signo < REAL_TIME && !(fatal_signals & (1ull << signo)) &&
	    !(fault_signals & (1ull << signo) && is_sent_by_user(ctx[1])))
		return 0;
	slot = slot_of(target);
	if (!slot)
		return 0;
	fill_signal(&record, RECORD_KILL, signo, ctx[1]);
	record.target = target->pid;
	record.cgroup = cgroup_of(target);
	record.sender_tgid = bpf_get_current_pid_tgid() >> 32;
	record.stops = ctx[1] == SEND_SIG_PRIV;
	bpf_get_current_comm(record.comm, sizeof(record.comm));
	output_in_order(ctx, slot, &record, sizeof(record));
	if (watching)
		note_asker(target, signo, ctx[1]);
	return 0;
}

/* linux/sched.h, not in BTF */
#define PF_EXITING 0x4
#define PF_KTHREAD 0x200000

enum {
	/* linux/sched.h: it stopped on its way out of the kernel, or a tracer holds it. */
	TASK_HELD = 0x4 | 0x8,
	/* linux/sched/jobctl.h: the same for a cgroup that is frozen. */
	JOBCTL_TRAP_FREEZE = 1 << 23,
};

/*
 * Whether a thread of which nothing was seen yet sleeps in a call: after an interrupt or a fault the number is
 * negative, and who is stopped or frozen has left its call, whose number still stands there.
 */
static __always_inline bool sleeps_in_call(struct task_struct *task, struct pt_regs *regs)
{
	struct task_struct___before_5_14 *old = (void *)task;
	__u64 state;

	if (bpf_core_field_exists(task->__state))
		state = task->__state;
	else
		state = BPF_CORE_READ(old, state);
	if (state & TASK_HELD || task->jobctl & JOBCTL_TRAP_FREEZE)
		return false;
	return state && number_at_exit(regs) >= 0;
}

enum { MAX_RT_PRIO = 100 }; /* linux/sched/prio.h */

/*
 * When a thread stopped running last, by the scheduler's clock: when it was given a CPU, and for how long it had it.
 * Of the one that runs it is now, or a tick before. 0: not known. A real-time thread's second number is an old one.
 */
static __always_inline __u64 ran_until(struct task_struct *task)
{
	if (!bpf_core_field_exists(task->sched_info.last_arrival) || BPF_CORE_READ(task, prio) < MAX_RT_PRIO)
		return 0;
	return BPF_CORE_READ(task, sched_info.last_arrival) + BPF_CORE_READ(task, se.sum_exec_runtime) -
	       BPF_CORE_READ(task, se.prev_sum_exec_runtime);
}

/* For how long a thread that sleeps has done so, at least. */
static __always_inline __u64 asleep(struct task_struct *task)
{
	__u64 since = ran_until(task), now = ran_until((struct task_struct *)bpf_get_current_task());
	__u64 age = bpf_ktime_get_boot_ns() - BPF_CORE_READ(task, start_boottime);

	if (!since || now < since)
		return 0;
	return now - since < age ? now - since : age;
}

/*
 * Reading this iterator gives each thread of a recorded cgroup that is inside a call. A thread that was
 * inside one when its cgroup began to be recorded gets a state here, so that the end of that call is
 * recorded; until then it is told without a start.
 */
SEC("iter/task")
int in_flight(struct bpf_iter__task *ctx)
{
	struct task_struct *task = ctx->task;
	struct inflight line = {};
	struct profile *profile;
	struct task_state *state;
	struct pt_regs *regs = 0;

	if (task && followed_slot)
		learn_birth(task);
	/* One that is ending, or waits for its parent, has left its last call: what its registers hold is none. The
	 * kernel's own threads make no calls. */
	if (!task || task->flags & (PF_EXITING | PF_KTHREAD))
		return 0;
	line.slot = slot_of(task);
	if (!line.slot)
		return 0;
	state = state_of(task, true);
	if (!state)
		return 0;
	line.tid = task->pid;
	line.tgid = task->tgid;
	__builtin_memcpy(line.comm, task->comm, sizeof(line.comm));
	line.cgroup = cgroup_of(task);
	if (pt_regs_helper) {
		regs = (struct pt_regs *)bpf_task_pt_regs(task);
		if (!regs)
			return 0;
	}
	if (state->slot) {
		line.slot = state->slot;
		line.entered = state->entered;
		line.nr = state->nr;
		line.flags = state->flags;
	} else {
		if (!regs || state->watched || !sleeps_in_call(task, regs))
			return 0;
		line.nr = number_at_exit(regs);
		line.flags = FLAG_NO_ENTER | (is_compat(task) ? FLAG_COMPAT : 0);
		if (watching) {
			profile = profile_of(line.slot);
			if (!profile || !has_call(profile, plan_index(line.nr, line.flags & FLAG_COMPAT)))
				return 0;
		}
	}
	if (!line.entered)
		line.asleep = asleep(task);
	if (regs) {
		arguments(regs, line.flags & FLAG_COMPAT, line.args);
		line.sp = stack_pointer(regs);
		line.ip = instruction_pointer(regs);
		line.bp = frame_pointer(regs);
	}
	bpf_seq_write(ctx->meta->seq, &line, sizeof(line));
	return 0;
}
