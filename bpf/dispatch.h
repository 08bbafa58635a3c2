/* SPDX-License-Identifier: MIT OR GPL-2.0-only */
/*
 * The hot path. Enter finds the track by the cgroup and notes the time in the thread's state; exit
 * writes the one record of the call, here or, when vectors are to be copied, in the writer that the
 * plan names, by tail call.
 */
#pragma once

static __always_inline __u32 plan_index(__u32 nr, bool compat)
{
	if (nr >= CALLS)
		nr = CALLS - 1;
	return compat ? CALLS + nr : nr;
}

/* A multiplexed call's plan depends on an argument: look its value up among the call's cases. */
static __always_inline __u32 plan_of_case(__u32 index, const volatile struct plan *plan, const __u64 *args)
{
	__u32 low = plan->first_case, high = low + plan->cases, wanted;

	switch (plan->case_arg) {
	case 0: wanted = args[0]; break;
	case 1: wanted = args[1]; break;
	case 2: wanted = args[2]; break;
	case 3: wanted = args[3]; break;
	default: return index;
	}
	wanted &= plan->case_mask;
	for (int i = 0; i < 10 && low < high; i++) {
		__u32 middle = (low + high) / 2;
		__u32 value;

		if (middle >= CASE_VALUES)
			return index;
		value = case_values[middle].value;
		if (value == wanted)
			return case_values[middle].plan;
		if (value < wanted)
			low = middle + 1;
		else
			high = middle;
	}
	return index;
}

/* What the kernel will overwrite and fits a register waits in the thread's state for the end. */
static __always_inline void take_note(struct task_state *state, const volatile struct plan *plan,
				      struct pt_regs *regs, bool compat)
{
	__u64 args[8] = {}, from;

	arguments(regs, compat, args);
	from = args[plan->note_arg & 7];
	if (plan->flags & PLAN_WORDS) {
		__u32 word = 0;

		bpf_probe_read_user(&word, sizeof(word), (void *)(args[1] + 4 * plan->note_arg));
		from = word;
	}
	state->noted = 0;
	if (!from)
		return;
	from += plan->note_offset;
	if (plan->note_size == 8)
		state->noted = !bpf_probe_read_user(&state->note, 8, (void *)from);
	else
		state->noted = !bpf_probe_read_user(&state->note, 4, (void *)from);
	if (!state->noted)
		state->flags |= FLAG_MISSED;
}

/* Whether the call will overwrite what it reads: it is then copied at the start. */
static __always_inline bool is_aliased(const volatile struct plan *plan, struct pt_regs *regs, bool compat)
{
	__u64 args[8] = {};

	arguments(regs, compat, args);
	#pragma clang loop unroll(full)
	for (int i = 0; i < ALIASES; i++) {
		const volatile struct alias *alias = &plan->alias[i];
		__u64 in = args[alias->in & 7], out = args[alias->out & 7];

		if (i < plan->aliases && in && out && in < out + alias->out_size && out < in + alias->in_size)
			return true;
	}
	return false;
}

static __always_inline int on_enter(void *ctx, struct pt_regs *regs, __s32 nr)
{
	struct task_struct *task = me();
	const volatile struct plan *plan;
	struct task_state *state;
	__u32 slot, index;
	bool compat;

	if (may_be_own(nr) && begin_own(task, regs))
		return 0;
	slot = slot_of(task);
	if (!slot)
		return 0;
	compat = is_compat(task);
	index = plan_index(nr, compat);
	plan = plan_at(index);
	state = state_of(task, true);
	/* The kernel may make none: for want of memory, or since this CPU is at another thread's. */
	if (!state) {
		if (plan->flags & PLAN_RECORD)
			count(stateless);
		return 0;
	}
	state->moved = 0;
	state->watched = 1;
	if (!(plan->flags & PLAN_RECORD)) {
		state->slot = 0;
		state->flags = FLAG_NO_ENTER;
		return 0;
	}
	if (plan->cases) {
		__u64 args[6];

		arguments(regs, compat, args);
		index = plan_of_case(index, plan, args);
		plan = plan_at(index);
	}
	state->slot = slot;
	state->plan = index;
	state->nr = nr;
	state->flags = (compat ? FLAG_COMPAT : 0) | flag_user(task, state, slot, nr, compat);
	state->entered = bpf_ktime_get_boot_ns();
	if (counting)
		return 0;
	if (plan->flags & PLAN_NOTE)
		take_note(state, plan, regs, compat);
	if ((plan->flags & PLAN_ENTER) || ((plan->flags & PLAN_ALIAS) && is_aliased(plan, regs, compat))) {
		if (stacks == STACKS_ALL && (plan->flags & PLAN_ALWAYS))
			bpf_tail_call(ctx, &enter_writers, WRITER_STACK);
		bpf_tail_call(ctx, &enter_writers, plan->enter_writer);
	}
	return 0;
}

enum { EINTR = 4 };

/* The call's number and start were not noted: it began elsewhere, or seccomp stopped it. */
static __always_inline bool adopt(struct task_struct *task, struct task_state *state, struct pt_regs *regs, long ret)
{
	int nr = number_at_exit(regs);
	bool compat = is_compat(task);
	__u32 slot = slot_of(task), index;
	const volatile struct plan *plan;

	if (!slot || nr < 0)
		return false;
	index = plan_index(nr, compat);
	plan = plan_at(index);
	if (!(plan->flags & PLAN_RECORD))
		return false;
	if (plan->cases) {
		__u64 args[6];

		arguments(regs, compat, args);
		index = plan_of_case(index, plan, args);
		plan = plan_at(index);
	}
	state->slot = slot;
	state->plan = index;
	state->nr = nr;
	state->flags = FLAG_NO_ENTER | (compat ? FLAG_COMPAT : 0);
	/* Refused, it has touched nothing; interrupted, it may have. */
	if ((plan->flags & (PLAN_ENTER | PLAN_NOTE)) && ret != -EINTR && ret > -RESTART_FIRST)
		state->flags |= FLAG_MISSED;
	state->entered = 0;
	state->noted = 0;
	return true;
}

/*
 * Since the call began its thread may have moved, or its cgroup may have got other rings, or none: while the tree is
 * watched, the old ones may be another's by now. Where cgroups are given, they stay theirs, as do the rest's.
 */
static __always_inline bool stay_or_move(struct task_struct *task, struct task_state *state)
{
	__u32 slot;

	if (!watching && !state->moved)
		return true;
	slot = slot_of(task);
	/* Whose it is was seen for another slot. */
	if (slot != state->slot || state->moved)
		state->flags &= ~FLAG_USER;
	if (slot) {
		state->slot = slot;
		return true;
	}
	if (!watching || state->slot == rest)
		return true;
	state->slot = 0;
	if (state->moved)
		count(left);
	return false;
}

static __always_inline int on_exit(void *ctx, struct pt_regs *regs, long ret)
{
	struct task_struct *task = me();
	struct task_state *state;
	enum writer writer;

	state = state_of(task, false);
	if (!state)
		return 0;
	state->watched = 1;
	if (state->slot && !stay_or_move(task, state))
		return 0;
	if (!state->slot) {
		if (state->plan == OWN_PLAN)
			return end_own(state);
		if (!adopt(task, state, regs, ret))
			return 0;
	}
	if (counting)
		return count_call(task, state, ret);
	if (watching && call_rules.count)
		heed_rules(task, state, ret);
	/* A call whose start was written is told to its end. */
	if (slower_than && !(state->flags & (FLAG_NO_ENTER | FLAG_ENTERED)) &&
	    bpf_ktime_get_boot_ns() - state->entered < slower_than) {
		state->slot = 0;
		return 0;
	}
	writer = writer_again(state, plan_at(state->plan)->writer);
	if (writer <= WRITER_CAPTURE)
		return write(ctx, regs, ret, AT_EXIT, WRITER_CAPTURE, task, state);
	bpf_tail_call(ctx, &exit_writers, writer);
	state->slot = 0;
	return 0;
}
