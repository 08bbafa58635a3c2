/* SPDX-License-Identifier: MIT OR GPL-2.0-only */
/* Which track a task belongs to, what it is doing, and how a record reaches the track's ring. */
#pragma once

/* What is off costs what is not recorded at all: it is kept so with the cgroup, see below. */
static __always_inline __u32 unless_off(__u32 slot)
{
	struct profile *profile;

	if (!watching)
		return slot;
	profile = profile_of(slot);
	return profile && profile->off ? 0 : slot;
}

static __always_inline __u32 look_up_slot(struct cgroup *cgroup, __u64 id)
{
	__u32 *slot = 0;

	if (cgroup_storage)
		slot = bpf_cgrp_storage_get(&cgroup_slots, cgroup, 0, 0);
	/* The kernel does not say whether a storage is not there, or is being changed by somebody on this CPU. */
	if (!slot)
		slot = bpf_map_lookup_elem(&cgroups, &id);
	return slot ? unless_off(*slot & ~CGROUP_PARTED) : 0;
}

/*
 * What was looked up is kept in one word, so that it is always one cgroup's: 32 bits of id, 16 of
 * generation, 16 of slot; what does not fit is looked up each time. Userspace changes the generation when
 * it has changed a cgroup's slot, or put one off or on, and empties the table before a generation comes again: in generation 0
 * nothing is kept. A cgroup that is made gets its slot before anybody looks.
 */
static __always_inline __u32 slot_of_cgroup(struct cgroup *cgroup)
{
	__u64 id = of_task(cgroup, kn, id), key, kept;
	__u32 zero = 0, slot, *generation = bpf_map_lookup_elem(&generations, &zero);

	if (!generation)
		return 0;
	key = id << 32 | (__u64)(*generation & 0xffff) << 16;
	kept = kept_slots[id & (KEPT_SLOTS - 1)];
	if ((kept & ~0xffffull) == key && id < 1ull << 32)
		return kept & 0xffff;
	slot = look_up_slot(cgroup, id);
	if ((key & 0xffff0000) && slot <= 0xffff && id < 1ull << 32)
		kept_slots[id & (KEPT_SLOTS - 1)] = key | slot;
	return slot;
}

static __always_inline __u32 slot_of(struct task_struct *task)
{
	if (followed_slot)
		return is_followed(task) ? followed_slot : 0;
	return slot_of_cgroup(of_task(task, cgroups, dfl_cgrp));
}

/* The state of a thread; make says whether to begin one. */
static __always_inline struct task_state *state_of(struct task_struct *task, bool make)
{
	struct task_state *state;
	__u32 tid, key;

	if (task_storage)
		return bpf_task_storage_get(&task_states, task, 0,
					    make ? BPF_LOCAL_STORAGE_GET_F_CREATE : 0);
	tid = of_task(task, pid);
	key = tid & (TASK_SLOTS - 1);
	state = bpf_map_lookup_elem(&task_array, &key);
	if (!state || state->tid == tid)
		return state;
	if (!make)
		return 0;
	state->slot = 0;
	state->tid = tid;
	return state;
}

/* Adds one to a field of the counters. */
#define count(field)                                                                     \
	do {                                                                             \
		__u32 zero_ = 0;                                                         \
		struct counters *counters_ = bpf_map_lookup_elem(&counters, &zero_);     \
		if (counters_)                                                           \
			__sync_fetch_and_add(&counters_->field, 1);                      \
	} while (0)

static __always_inline void fill_notice(struct notice *notice, enum notice_kind kind, __u64 cgroup, __u32 slot)
{
	notice->kind = kind;
	notice->own = 0;
	notice->length = 0;
	notice->slot = slot & ~CGROUP_PARTED;
	notice->time = bpf_ktime_get_boot_ns();
	notice->cgroup = cgroup;
	notice->parent = 0;
	notice->pid = 0;
	notice->code = 0;
	__builtin_memset(&notice->asker, 0, sizeof(notice->asker));
}

/* A notice without a name, to fill in and submit. */
static __always_inline struct notice *begin_notice(enum notice_kind kind, __u64 cgroup, __u32 slot)
{
	struct notice *notice = bpf_ringbuf_reserve(&notices, __builtin_offsetof(struct notice, name), 0);

	if (notice)
		fill_notice(notice, kind, cgroup, slot);
	else
		count(notices_lost);
	return notice;
}

/*
 * Whether userspace was told of this kind of thing and has not looked since; of a slot, or of each cgroup that shares
 * the lobby. Two CPUs may both find that it was not: that is told twice.
 */
static __always_inline __u64 *told_of(__u32 slot, __u64 cgroup)
{
	__u64 *told, none = 0;

	if (!lobby || slot != lobby)
		return bpf_map_lookup_elem(&told_of_ends, &slot);
	told = bpf_map_lookup_elem(&told_in_lobby, &cgroup);
	if (told)
		return told;
	bpf_map_update_elem(&told_in_lobby, &cgroup, &none, BPF_NOEXIST);
	return bpf_map_lookup_elem(&told_in_lobby, &cgroup);
}

static __always_inline struct writing *my_writing(void)
{
	__u32 zero = 0;

	return bpf_map_lookup_elem(&writings, &zero);
}

/* Counts records that no ring has got. */
static __always_inline void lose(__u32 slot, __u32 records)
{
	__u32 index = slot * cpus + bpf_get_smp_processor_id();
	struct tally *tally = bpf_map_lookup_elem(&tallies, &index);

	if (tally)
		tally->lost += records;
}

/* Has userspace copy a ring before it is overwritten: once for each half of it, and only then with a wake-up. */
static __always_inline void tell_half(struct tally *tally, __u32 slot, __u32 cpu)
{
	tally->noticed = tally->bytes;
	tally->half.slot = slot;
	tally->half.cpu = cpu;
	bpf_ringbuf_output(&halves, &tally->half, sizeof(tally->half), RB_FORCE_WAKEUP);
}

/* Sends a sample of `size` bytes (a multiple of eight) whose first four are perf's own. */
static __always_inline void output(void *ctx, __u32 slot, void *sample, __u64 size, __u32 records, __u32 calls)
{
	__u32 cpu = bpf_get_smp_processor_id();
	__u32 index = slot * cpus + cpu;
	long error = bpf_perf_event_output(ctx, &rings, index, sample + 4, size - 4);
	struct tally *tally = bpf_map_lookup_elem(&tallies, &index);

	if (!tally)
		return;
	if (error) {
		tally->lost += records;
		tally->last_error = -error;
		count(output_failed);
		return;
	}
	tally->records += records;
	tally->bytes += size + 8;
	tally->calls += calls;
	if (half_ring && tally->bytes - tally->noticed >= half_ring)
		tell_half(tally, slot, cpu);
}

/*
 * Two comparisons of one register: clang would make one of them, of another register, from which older
 * verifiers learn nothing about this one.
 */
#define within(value, least, most)                \
	({                                        \
		bool inside = false;              \
		barrier_var(value);               \
		if (value >= (least)) {           \
			barrier_var(value);       \
			inside = value <= (most); \
		}                                 \
		inside;                           \
	})

/* Sends what has been written. */
static __always_inline void send(void *ctx, struct writing *w)
{
	__u64 size = w->used;

	if (within(size, sizeof(struct record), sizeof(w->bytes)))
		output(ctx, w->slot, w->bytes, size, w->records, w->calls);
	w->used = 0;
	w->records = 0;
	w->calls = 0;
}

static __always_inline __u64 cgroup_of(struct task_struct *task)
{
	return of_task(task, cgroups, dfl_cgrp, kn, id);
}

/* Each of the lobby's samples begins with whose it is. */
static __always_inline void name_cgroup(struct writing *w)
{
	struct cgroup_record *record = (struct cgroup_record *)w->bytes;

	__builtin_memset(record, 0, sizeof(*record));
	record->size = sizeof(*record);
	record->kind = RECORD_CGROUP;
	record->time = bpf_ktime_get_boot_ns();
	record->cgroup = w->cgroup;
	w->used = sizeof(*record);
	w->records = 1;
}

/*
 * Takes a CPU's place to write. Programs of system calls run with preemption off, so that between the look
 * and the store another one runs from its beginning to its end or not at all. Where kernels let them be
 * preempted (from 7.2 on) they are the classic tracepoints', which still are not, but those of other hooks
 * may be, and two of them may get between each other's look and store: there each counts itself first, and
 * goes on only if it is alone. (Kernels before 5.12 refuse an object with any other atomic step than adding.)
 */
static __always_inline bool take(struct writing *w)
{
	if (classic) {
		__sync_fetch_and_add(&w->busy, 1);
		if (*(volatile __u32 *)&w->busy == 1)
			return true;
		__sync_fetch_and_add(&w->busy, -1);
		return false;
	}
	if (w->busy)
		return false;
	w->busy = 1;
	return true;
}

/* This CPU's place to write a record of a task for a slot; 0 when another program is at it. */
static __always_inline struct writing *begin_writing(void *ctx, __u32 slot, struct task_struct *task)
{
	bool shared = lobby && slot == lobby;
	__u64 cgroup = shared ? cgroup_of(task) : 0;
	struct writing *w = my_writing();

	if (!w || !take(w))
		return 0;
	barrier();
	if (w->slot != slot || w->used > BATCH_MOST || (shared && w->cgroup != cgroup)) {
		/* Each time: a branch here doubles what the verifier has to look at. */
		cpu_marks[bpf_get_smp_processor_id() & (CPU_MARKS - 1)].has_written = 1;
		if (w->used)
			send(ctx, w);
		w->slot = slot;
	}
	if (shared && !w->used) {
		w->cgroup = cgroup;
		name_cgroup(w);
	}
	return w;
}

static __always_inline void end_writing(struct writing *w)
{
	barrier();
	if (classic)
		__sync_fetch_and_add(&w->busy, -1);
	else
		w->busy = 0;
}

/*
 * Sends one record at once, behind what this CPU has of the same slot: in a ring times only grow, and what stands in
 * it before the oldest record is older.
 */
static __always_inline void output_in_order(void *ctx, __u32 slot, void *sample, __u64 size)
{
	struct writing *w = my_writing();

	if (w && w->used && w->slot == slot && take(w)) {
		barrier();
		if (w->used && w->slot == slot)
			send(ctx, w);
		end_writing(w);
	}
	output(ctx, slot, sample, size, 1, 0);
}

/* Run by userspace on each CPU before it reads rings; 1: the CPU is writing, try again. */
SEC("raw_tp")
int flush(void *ctx)
{
	struct writing *w = my_writing();

	if (!w)
		return 0;
	if (w->busy)
		return 1;
	if (w->used)
		send(ctx, w);
	return 0;
}
