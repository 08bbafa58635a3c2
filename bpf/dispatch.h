/* SPDX-License-Identifier: MIT OR GPL-2.0-only */
/*
 * The hot path. Enter finds the track by the cgroup and notes the time in the thread's state; exit
 * writes the one record of the call, here or, when vectors are to be copied, in the writer that the
 * plan names, by tail call.
 */
#pragma once

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

/* The call is none of those that are recorded. */
static __always_inline void leave_out(struct task_state *state)
{
	if (!state)
		return;
	state->moved = 0;
	state->watched = 1;
	state->slot = 0;
	state->flags = FLAG_NO_ENTER;
}

/* Whether stacks are taken of a call, or may be at its end. */
static __always_inline bool takes_stacks(const struct task_state *state)
{
	return watching ? state->at_end & END_STACK : stacks != STACKS_NONE;
}

/* The same of all calls, so that those that do not return have theirs at their start. */
static __always_inline bool takes_all_stacks(const struct task_state *state)
{
	const struct profile *profile;

	if (!watching)
		return stacks == STACKS_ALL;
	if (!takes_stacks(state))
		return false;
	profile = profile_of(state->slot);
	return profile && profile->stacks == STACKS_ALL;
}

static __always_inline int on_enter(void *ctx, struct pt_regs *regs, __s32 nr)
{
	struct task_struct *task = me();
	const volatile struct plan *plan;
	struct task_state *state;
	struct profile *profile;
	__u32 slot, index, at_end = END_AS_ALL;
	bool compat;

	if (may_be_own(nr) && begin_own(task, regs))
		return 0;
	slot = slot_of(task);
	if (!slot)
		return 0;
	compat = is_compat(task);
	index = plan_index(nr, compat);
	if (watching) {
		profile = profile_of(slot);
		if (!profile)
			return 0;
		if (!has_call(profile, index)) {
			skip_call(slot);
			leave_out(state_of(task, false));
			return 0;
		}
		at_end = profile->at_end;
	}
	plan = plan_at(index);
	state = state_of(task, true);
	/* The kernel may make none: for want of memory, or since this CPU is at another thread's. */
	if (!state) {
		if (plan->flags & PLAN_RECORD)
			count(stateless);
		return 0;
	}
	if (!(plan->flags & PLAN_RECORD)) {
		leave_out(state);
		return 0;
	}
	state->moved = 0;
	state->watched = 1;
	state->at_end = at_end;
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
	/* Of one that may not be recorded, what its start had is looked for again. */
	if ((at_end & END_KEPT) && !(plan->flags & PLAN_ALWAYS)) {
		if (plan->flags & PLAN_ENTER)
			state->flags |= FLAG_MISSED;
		return 0;
	}
	if ((plan->flags & PLAN_ENTER) || ((plan->flags & PLAN_ALIAS) && is_aliased(plan, regs, compat))) {
		if ((plan->flags & PLAN_ALWAYS) && takes_all_stacks(state))
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
	struct profile *profile;

	if (!slot || nr < 0)
		return false;
	index = plan_index(nr, compat);
	state->at_end = END_AS_ALL;
	if (watching) {
		profile = profile_of(slot);
		if (!profile || !has_call(profile, index))
			return false;
		state->at_end = profile->at_end;
	}
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
	/* Refused (its number is put back for a result if its thread is to die of it), it has touched nothing; interrupted,
	 * it may have. */
	if ((plan->flags & (PLAN_ENTER | PLAN_NOTE)) && ret != -EINTR && ret > -RESTART_FIRST)
		state->flags |= FLAG_MISSED;
	state->entered = 0;
	state->noted = 0;
	return true;
}

/* Whether a call that began in another slot is recorded in this one. */
static __always_inline bool fits_profile(struct task_state *state, __u32 slot)
{
	const struct profile *profile = profile_of(slot);

	if (!profile || !has_call(profile, plan_index(state->nr, state->flags & FLAG_COMPAT)))
		return false;
	state->at_end = profile->at_end;
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
	if (slot && watching && slot != state->slot && !fits_profile(state, slot)) {
		state->slot = 0;
		return false;
	}
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

/* A call whose start was written is told to its end. */
static __always_inline bool is_too_short(const struct task_state *state)
{
	if (watching ? !(state->at_end & END_SLOWER) : !slower_than)
		return false;
	return !(state->flags & (FLAG_NO_ENTER | FLAG_ENTERED)) &&
	       bpf_ktime_get_boot_ns() - state->entered < least_time(state->slot);
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
	if (is_too_short(state) || ((state->at_end & END_KEPT) && !(state->flags & FLAG_ENTERED) &&
				    !is_kept(state, regs, ret))) {
		skip_call(state->slot);
		state->slot = 0;
		return 0;
	}
	writer = writer_again(state, plan_at(state->plan)->writer);
	if (takes_stacks(state))
		bpf_tail_call(ctx, &exit_writers, WRITER_STACK);
	if (writer <= WRITER_CAPTURE)
		return write(ctx, regs, ret, AT_EXIT, WRITER_CAPTURE, task, state);
	bpf_tail_call(ctx, &exit_writers, writer);
	state->slot = 0;
	return 0;
}
