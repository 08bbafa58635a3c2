/* SPDX-License-Identifier: MIT OR GPL-2.0-only */
/*
 * Which capabilities the kernel has looked for in a recorded call and not found. They wait in the thread's state, with
 * the time by which the call is known, so that no call has to begin by forgetting them; only a call that fails with
 * EPERM or EACCES has them written (PART_DENIED), and all others pay for a look at their result. A capability that is
 * found takes back those that were not before it: the kernel went on without them.
 */
#pragma once

enum { EPERM = 1, EACCES = 13 };
/* CAP_OPT_NOAUDIT of include/linux/security.h: it is asked for in passing, and nobody minds if it is not there. */
enum { IN_PASSING = 2 };

static __always_inline int note_capability(__u64 capability, bool found)
{
	struct task_state *state = state_of(me(), false);

	if (!state || !state->slot || capability > 63)
		return 0;
	if (state->denied_in != state->entered) {
		state->denied_in = state->entered;
		state->denied = 0;
	}
	state->denied = found ? 0 : state->denied | 1ull << capability;
	return 0;
}

/* From Linux 6.14 on. */
SEC("tp_btf/cap_capable")
int on_capable(__u64 *ctx)
{
	return note_capability((__u32)ctx[3], !(int)ctx[4]);
}

/* Before. */
SEC("fexit/cap_capable")
int on_capable_end(__u64 *ctx)
{
	if (ctx[3] & IN_PASSING)
		return 0;
	return note_capability((__u32)ctx[2], !(int)ctx[4]);
}

/* What the call's failure may come from; a bit each. */
static __always_inline __u64 denied_in(const struct task_state *state, long ret)
{
	if (!tell_denied || (ret != -EPERM && ret != -EACCES) || !state->entered)
		return 0;
	return state->denied_in == state->entered ? state->denied : 0;
}

static __always_inline void put_denied(struct writing *w, __u64 denied)
{
	struct piece *piece = piece_at(w, 0, PART_DENIED);

	if (!piece)
		return;
	put_words(piece + 1, &denied, 1);
	end_piece(w, piece, sizeof(denied));
}
