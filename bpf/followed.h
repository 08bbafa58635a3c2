/* SPDX-License-Identifier: MIT OR GPL-2.0-only */
/*
 * Processes that are followed one by one, wherever their cgroups are: known by their ids, told from later owners
 * of the same id by when they began (a leader's time outlives its replacement in execve). Only where
 * followed_slot is set; all of this is removed otherwise.
 */
#pragma once

static __always_inline __u64 born_at(struct task_struct *task)
{
	return of_task(task, group_leader, start_boottime);
}

static __always_inline bool is_followed(struct task_struct *task)
{
	__u32 id = of_task(task, tgid);
	__u64 *born = bpf_map_lookup_elem(&followed, &id);

	return born && *born && *born == born_at(task);
}

/* Userspace gives an id: when its process began is learned here, while userspace sees that it lives. */
static __always_inline void learn_birth(struct task_struct *task)
{
	__u32 id = task->tgid;
	__u64 *born = bpf_map_lookup_elem(&followed, &id);

	if (born && !*born)
		*born = task->group_leader->start_boottime;
}
