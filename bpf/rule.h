/* SPDX-License-Identifier: MIT OR GPL-2.0-only */
/* Calls that userspace wants to be told of at once, by how they end. It looks closer itself: at paths, for one. */
#pragma once

enum { CALL_RULES = 32 };
/* Beside the kinds of ends in told_in_lobby, of which it is none. */
#define TOLD_OF_CALL (1ull << 62)

struct call_rule {
	__u64 longer;		/* it lasted at least so many nanoseconds */
	__s32 error;		/* or, if not 0: it failed with this errno */
	__u16 nr;
	__u8 compat;
	__u8 pad;
};

struct call_rules {
	__u64 count;
	struct call_rule rule[CALL_RULES];
};

/* Written by userspace at any time: a section of its own, and so a map of its own. */
volatile struct call_rules call_rules SEC(".data.rules") = {};

/* By slot: userspace was told and has not looked yet. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__type(key, __u32);
	__type(value, __u32);
	__uint(max_entries, 1);
} told_of_calls SEC(".maps");

/* A shared slot's cgroups are told of each for itself. */
static __always_inline void tell_call(struct task_struct *task, const struct task_state *state)
{
	__u32 slot = state->slot, *told = bpf_map_lookup_elem(&told_of_calls, &slot);
	__u64 cgroup = cgroup_of(task), *in_lobby = 0;
	struct notice *notice;

	if (!told || *told || slot == rest)
		return;
	if (slot == lobby) {
		in_lobby = told_of(slot, cgroup);
		if (!in_lobby || *in_lobby & TOLD_OF_CALL)
			return;
	}
	notice = begin_notice(NOTICE_CALL, cgroup, slot);
	if (!notice)
		return;
	if (in_lobby)
		*in_lobby |= TOLD_OF_CALL;
	else
		*told = 1;
	notice->pid = of_task(task, tgid);
	bpf_ringbuf_submit(notice, 0);
}

static __always_inline void heed_rules(struct task_struct *task, const struct task_state *state, long ret)
{
	__u64 count = call_rules.count;
	bool compat = state->flags & FLAG_COMPAT;

	for (__u32 i = 0; i < CALL_RULES; i++) {
		volatile struct call_rule *rule = &call_rules.rule[i];

		if (i >= count)
			return;
		if (rule->nr != state->nr || rule->compat != compat)
			continue;
		if (rule->error ? ret == -(long)rule->error
				: !(state->flags & FLAG_NO_ENTER) &&
					  bpf_ktime_get_boot_ns() - state->entered >= rule->longer) {
			tell_call(task, state);
			return;
		}
	}
}
