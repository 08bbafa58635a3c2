/* SPDX-License-Identifier: MIT OR GPL-2.0-only */
/*
 * How userspace sees that calls are seen: now and then it makes one that bears a token, whose start and end are counted
 * here. It is no record, whoever's it is.
 */
#pragma once

/* Where such a call's state has the plan of others. */
enum { OWN_PLAN = 0xffff };

/* The token is written by userspace, the counts are written here; userspace maps them. */
struct own_calls {
	__u64 token;		/* 0: none is made */
	__u64 begun;
	__u64 ended;
	__u64 pad;
};
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__type(key, __u32);
	__type(value, struct own_calls);
	__uint(max_entries, 1);
} own_calls SEC(".maps");

/* A register of its own: from a look at `nr` itself the verifier would follow two cases through all that comes. */
static __always_inline bool may_be_own(__u32 nr)
{
	__u32 other = nr ^ OWN_CALL;

	barrier_var(other);
	return !other;
}

static __always_inline bool begin_own(struct task_struct *task, struct pt_regs *regs)
{
	__u32 zero = 0;
	struct own_calls *own = bpf_map_lookup_elem(&own_calls, &zero);
	struct task_state *state;
	__u64 args[6] = {};

	arguments(regs, false, args);
	if (!own || !own->token || args[1] != own->token)
		return false;
	state = state_of(task, true);
	if (!state)
		return false;
	state->slot = 0;
	state->moved = 0;
	state->watched = 1;
	state->flags = FLAG_NONE;
	state->plan = OWN_PLAN;
	__sync_fetch_and_add(&own->begun, 1);
	return true;
}

static __always_inline int end_own(struct task_state *state)
{
	__u32 zero = 0;
	struct own_calls *own = bpf_map_lookup_elem(&own_calls, &zero);

	state->plan = 0;
	if (own)
		__sync_fetch_and_add(&own->ended, 1);
	return 0;
}
