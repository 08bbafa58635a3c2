/* SPDX-License-Identifier: MIT OR GPL-2.0-only */
/* The capturing writers: the targets of the dispatcher's tail calls. */
#pragma once

enum writer_phase { AT_ENTER, AT_EXIT };

static __always_inline int write(void *ctx, struct pt_regs *regs, long ret, enum writer_phase phase,
				 enum writer writer)
{
	const volatile struct plan *plan;
	const volatile struct grab *grabs;
	struct task_state *state = state_of(me(), false);
	struct call_record *call;
	struct writing *w;
	__u32 zero = 0, slot, count, nargs;
	__u64 size;

	if (!state || !state->slot)
		return 0;
	slot = state->slot;
	w = bpf_map_lookup_elem(&scratches, &zero);
	if (!w || state->plan >= PLANS)
		return 0;
	plan = &plans[state->plan];
	nargs = plan->nargs;
	if (nargs > 6)
		return 0;
	call = (struct call_record *)w->bytes;
	w->flags = state->flags;
	w->pieces = 0;
	w->ret = ret;
	arguments(regs, w->flags & FLAG_COMPAT, w->args);
	begin(call, state, phase == AT_ENTER ? RECORD_ENTER : RECORD_CALL, nargs);
	if (phase == AT_ENTER) {
		call->time = state->entered;
		call->duration = 0;
		call->ret = 0;
		w->sp = stack_pointer(regs);
		grabs = plan->enter;
		count = plan->enter_grabs;
	} else {
		call->time = bpf_ktime_get_boot_ns();
		call->duration = call->time - state->entered;
		call->ret = ret;
		grabs = plan->grab;
		count = plan->grabs;
		state->slot = 0;
	}
	__builtin_memcpy(call->args, w->args, sizeof(call->args));
	w->at = 40 + 8 * nargs;

	switch (writer) {
	case WRITER_PLAIN:
	case WRITER_CAPTURE:
		break;
	case WRITER_VECTOR:
		capture_strings(w, grabs[0].arg, argument(w, grabs[0].arg));
		capture_count(w, grabs[1].arg, argument(w, grabs[1].arg));
		break;
	case WRITER_IOVEC:
		if ((grabs[0].flags & GRAB_CLAMP_RET) && ret < 0) {
			/* Nothing was read: where it would have gone is all there is to tell. */
			put_iovec(w, grabs[0].arg, PART_DATA, argument(w, grabs[0].arg),
				  argument(w, grabs[0].length_arg));
			break;
		}
		w->transferred = grabs[0].flags & GRAB_CLAMP_RET ? ret : ~0ull;
		capture_iovec(w, grabs[0].arg, PART_DATA, argument(w, grabs[0].arg),
			      argument(w, grabs[0].length_arg));
		break;
	case WRITER_MESSAGE:
		capture_messages(w, &grabs[0]);
		break;
	case WRITER_DIRENTS:
		capture_dirents(w, grabs[0].arg, argument(w, grabs[0].arg));
		break;
	default:
		return 0;
	}
	if (writer != WRITER_PLAIN)
		capture(w, grabs, count);
	if (phase == AT_ENTER) {
		if (!w->pieces && !(plan->flags & PLAN_ALWAYS))
			return 0;
		state->flags |= FLAG_ENTERED;
	}
	call->pieces = w->pieces;
	call->flags = w->flags;
	size = w->at;
	barrier_var(size);
	if (size > RECORD_MOST - 16)
		return 0;
	/* The padding is part of the record: old bytes must not leak into it. */
	__builtin_memset(w->bytes + size, 0, 8);
	size = (size + 7) & ~7ull;
	call->size = size;
	barrier_var(size);
	if (size > RECORD_MOST || size < 40)
		return 0;
	output(ctx, slot, (struct record *)w->bytes, size, phase == AT_EXIT);
	return 0;
}

#define WRITE_AT_ENTER(name, writer)                                                             \
	SEC("tp_btf/sys_enter")                                                                  \
	int name(__u64 *ctx)                                                                     \
	{                                                                                        \
		return write(ctx, (struct pt_regs *)ctx[0], 0, AT_ENTER, writer);                \
	}
#define WRITE_AT_EXIT(name, writer)                                                              \
	SEC("tp_btf/sys_exit")                                                                   \
	int name(__u64 *ctx)                                                                     \
	{                                                                                        \
		return write(ctx, (struct pt_regs *)ctx[0], ctx[1], AT_EXIT, writer);            \
	}

WRITE_AT_ENTER(enter_plain, WRITER_PLAIN)
WRITE_AT_ENTER(enter_capture, WRITER_CAPTURE)
WRITE_AT_ENTER(enter_vector, WRITER_VECTOR)
WRITE_AT_EXIT(exit_capture, WRITER_CAPTURE)
WRITE_AT_EXIT(exit_iovec, WRITER_IOVEC)
WRITE_AT_EXIT(exit_message, WRITER_MESSAGE)
WRITE_AT_EXIT(exit_dirents, WRITER_DIRENTS)
