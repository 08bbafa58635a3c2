/* SPDX-License-Identifier: MIT OR GPL-2.0-only */
/* Which track a task belongs to, what it is doing, and how a record reaches the track's ring. */
#pragma once

static __always_inline __u32 slot_of_cgroup(struct cgroup *cgroup)
{
	__u32 *slot;

	if (cgroup_storage) {
		slot = bpf_cgrp_storage_get(&cgroup_slots, cgroup, 0, 0);
	} else {
		__u64 id = cgroup->kn->id;

		slot = bpf_map_lookup_elem(&cgroups, &id);
	}
	return slot ? *slot : 0;
}

static __always_inline __u32 slot_of(struct task_struct *task)
{
	return slot_of_cgroup(task->cgroups->dfl_cgrp);
}

static __always_inline __u32 my_tid(void)
{
	return (__u32)bpf_get_current_pid_tgid();
}

/* The state of a thread; make says whether to begin one. */
static __always_inline struct task_state *state_of(struct task_struct *task, bool make)
{
	struct task_state *state;
	__u32 tid, key;

	if (task_storage)
		return bpf_task_storage_get(&task_states, task, 0,
					    make ? BPF_LOCAL_STORAGE_GET_F_CREATE : 0);
	tid = task->pid;
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

static __always_inline struct task_struct *me(void)
{
	return (struct task_struct *)bpf_get_current_task_btf();
}

/* Sends a record of `size` bytes (a multiple of eight) whose first four are perf's own. */
static __always_inline long output(void *ctx, __u32 slot, struct record *record, __u64 size, bool call)
{
	__u32 index = slot * cpus + bpf_get_smp_processor_id();
	long error = bpf_perf_event_output(ctx, &rings, index, &record->size, size - 4);
	struct tally *tally = bpf_map_lookup_elem(&tallies, &index);

	if (!tally)
		return error;
	if (error) {
		tally->lost++;
		tally->last_error = -error;
		return error;
	}
	tally->records++;
	tally->bytes += size + 8;
	tally->calls += call;
	return 0;
}
