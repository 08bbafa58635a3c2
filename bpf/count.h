/* SPDX-License-Identifier: MIT OR GPL-2.0-only */
/* Counting calls instead of recording them: the whole work of a call's end while somebody watches. */
#pragma once

/* What the kernel calls an errno; those behind the published ones restart the call. */
enum { ERRNO_MOST = 4095, RESTART_FIRST = 512, RESTART_LAST = 516 };

static __always_inline int count_call(struct task_struct *task, struct task_state *state, long ret)
{
	struct cgroup *cgroup = of_task(task, cgroups, dfl_cgrp);
	struct count_key key = {};
	struct count *count, none = {};
	__u64 time = 0;

	if (!(state->flags & FLAG_NO_ENTER))
		time = bpf_ktime_get_boot_ns() - state->entered;
	key.cgroup = BPF_CORE_READ(cgroup, kn, id);
	key.tgid = of_task(task, tgid);
	key.nr = state->nr;
	key.compat = !!(state->flags & FLAG_COMPAT);
	state->slot = 0;
	count = bpf_map_lookup_elem(&counts, &key);
	if (!count) {
		bpf_map_update_elem(&counts, &key, &none, BPF_NOEXIST);
		count = bpf_map_lookup_elem(&counts, &key);
		if (!count) {
			count(counts_full);
			return 0;
		}
	}
	count->calls++;
	count->time += time;
	if (time > count->longest)
		count->longest = time;
	if (ret < 0 && ret >= -ERRNO_MOST && !(ret <= -RESTART_FIRST && ret >= -RESTART_LAST))
		count->errors++;
	return 0;
}
