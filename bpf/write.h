/* SPDX-License-Identifier: MIT OR GPL-2.0-only */
/* Writes the record of a call: in the dispatcher itself, and in the targets of its tail calls. */
#pragma once

enum writer_phase { AT_ENTER, AT_EXIT };

enum { E2BIG = 7 };

/* What take_note kept. */
static __always_inline void put_note(struct writing *w, __u8 arg, __u64 note, __u32 size)
{
	struct piece *piece = piece_at(w, arg, PART_START);

	if (!piece)
		return;
	put_words(piece + 1, &note, 1);
	end_piece(w, piece, size == 8 ? 8 : 4);
}

/* Numbers of interfaces are told with the namespace that they are of. */
static __always_inline void put_network(struct writing *w, struct task_struct *task)
{
	__u32 network = of_task(task, nsproxy, net_ns, ns.inum);

	if (!network || network != own_network)
		put_number(w, 0, PART_NETWORK, network);
}

/* socketcall: what its second argument points to takes the place of the arguments. */
static __always_inline void take_words(struct writing *w)
{
	struct piece *piece = piece_at(w, 0, PART_WORDS);
	__u64 from = w->args[1];
	__u32 words[6] = {};
	int read = 0;

	if (!piece)
		return;
	#pragma clang loop unroll(full)
	for (int i = 0; i < 6; i++) {
		if (read == i && !bpf_probe_read_user(&words[i], 4, (void *)(from + 4 * i)))
			read++;
		w->args[i] = words[i];
	}
	__builtin_memcpy(piece + 1, words, sizeof(words));
	end_piece(w, piece, 4 * read);
}

/* The same, where nothing was there to be kept. A structure that is too large is given its right size back. */
static __always_inline void put_note_again(struct writing *w, const volatile struct plan *plan)
{
	__u64 from = argument(w, plan->note_arg);

	if (from && w->ret != -E2BIG)
		put_bytes(w, plan->note_arg, PART_START, from + plan->note_offset, plan->note_size == 8 ? 8 : 4);
}

static __always_inline void fill_call(struct call_record *call, struct task_struct *task,
				      const struct task_state *state, const volatile struct plan *plan, struct pt_regs *regs, long ret,
				      enum writer_phase phase)
{
	call->kind = phase == AT_ENTER ? RECORD_ENTER : RECORD_CALL;
	call->flags = state->flags;
	call->tid = of_task(task, pid);
	call->nr = state->nr;
	call->nargs = plan->nargs;
	call->pieces = 0;
	call->ret = ret;
	if (phase == AT_ENTER) {
		call->time = state->entered;
		call->duration = 0;
	} else {
		call->time = bpf_ktime_get_boot_ns();
		call->duration = call->time - state->entered;
	}
	arguments(regs, state->flags & FLAG_COMPAT, call->args);
	call->args[6] = (__s64)state->nr;
}

/* Another program is writing on this CPU: the record goes out by itself, without memory. */
static __always_inline void write_aside(void *ctx, struct task_struct *task, const struct task_state *state,
					const volatile struct plan *plan, struct pt_regs *regs, long ret, enum writer_phase phase)
{
	struct call_record call;
	__u64 size;

	if (lobby && state->slot == lobby) {
		/* Nothing would tell whose it is. */
		lose(state->slot, 1);
		return;
	}
	call.lead = 0;
	fill_call(&call, task, state, plan, regs, ret, phase);
	if (phase == AT_ENTER ? plan->enter_grabs : plan->grabs)
		call.flags |= FLAG_CUT;
	size = 40 + 8 * call.nargs;
	call.size = size;
	if (within(size, 40, sizeof(call)))
		output(ctx, state->slot, &call, size, 1, phase == AT_EXIT);
}

/* Looking again is for a writer of its own. */
static __always_inline enum writer writer_again(const struct task_state *state, enum writer writer)
{
	return (state->flags & FLAG_MISSED) && writer <= WRITER_CAPTURE ? WRITER_VECTOR : writer;
}

static __always_inline void capture_special(struct writing *w, __u32 plan, const volatile struct grab *grabs,
					    __u32 count, enum writer writer, enum writer_phase phase)
{
	switch (writer) {
	case WRITER_VECTOR:
		if (phase == AT_EXIT) {
			if (grabs[0].what == WHAT_STRUCTS)
				capture_blocks(w, &grabs[0]);
			break;
		}
		capture_vectors(w, grabs);
		break;
	case WRITER_IOVEC:
		if ((grabs[0].flags & GRAB_CLAMP_RET) && w->ret < 0) {
			/* Nothing was read: where it would have gone is all there is to tell. */
			put_iovec(w, grabs[0].arg, PART_DATA, argument(w, grabs[0].arg),
				  argument(w, grabs[0].length_arg));
			break;
		}
		w->transferred = grabs[0].flags & GRAB_CLAMP_RET ? w->ret : ~0ull;
		capture_iovec(w, grabs[0].arg, PART_DATA, argument(w, grabs[0].arg),
			      argument(w, grabs[0].length_arg), IOV_MOST);
		break;
	case WRITER_MESSAGE:
		if (grabs[0].what == WHAT_SOCKET_DATA)
			capture_socket_data(w, &grabs[0]);
		else
			capture_messages(w, &grabs[0]);
		break;
	case WRITER_DIRENTS:
		capture_dirents(w, &grabs[0]);
		break;
	case WRITER_BEHIND:
		capture_behind(plan, phase == AT_ENTER, count);
		break;
	default:
		break;
	}
}

static __always_inline int finish(struct task_state *state, enum writer_phase phase)
{
	if (phase == AT_ENTER)
		state->flags |= FLAG_ENTERED;
	else
		state->slot = 0;
	return 0;
}

static __always_inline int write(void *ctx, struct pt_regs *regs, long ret, enum writer_phase phase,
				 enum writer writer, struct task_struct *task, struct task_state *state)
{
	const volatile struct plan *plan;
	const volatile struct grab *grabs;
	struct call_record *call;
	struct writing *w;
	bool again;
	__u32 count;
	__u64 at, denied;

	if (!state || !state->slot)
		return 0;
	plan = plan_at(state->plan);
	w = begin_writing(ctx, state->slot, task);
	if (!w) {
		write_aside(ctx, task, state, plan, regs, ret, phase);
		return finish(state, phase);
	}
	at = w->used;
	barrier_var(at);
	if (at > BATCH_MOST)
		return 0;
	call = (struct call_record *)(w->bytes + at);
	call->lead = 0;
	fill_call(call, task, state, plan, regs, ret, phase);
	w->at = at + 40 + 8 * plan->nargs;
	grabs = phase == AT_ENTER ? plan->enter : plan->grab;
	count = phase == AT_ENTER ? plan->enter_grabs : plan->grabs;
	/* Only where writers are called: the shortest way has no functions. */
	again = phase == AT_EXIT && writer > WRITER_CAPTURE && (state->flags & FLAG_MISSED) &&
		(ret < 0 || ((state->flags & FLAG_NO_ENTER) && ret == state->nr));
	denied = phase == AT_EXIT ? denied_in(state, ret) : 0;
	if (count || again || denied || (plan->flags & (PLAN_WORDS | PLAN_NOTE))) {
		if (!take_limits(w, state->slot)) {
			end_writing(w);
			return 0;
		}
		w->flags = state->flags;
		w->pieces = 0;
		w->ret = ret;
		if (phase == AT_ENTER)
			w->sp = stack_pointer(regs);
		__builtin_memcpy(w->args, call->args, sizeof(call->args));
		w->long_items = 0;
		/* First: it must not be what there is no room for. */
		if (denied)
			put_denied(w, denied);
		if (phase == AT_EXIT && (plan->flags & PLAN_NETWORK))
			put_network(w, task);
		if (plan->flags & PLAN_WORDS)
			take_words(w);
		if (phase == AT_EXIT && (plan->flags & PLAN_NOTE) && state->noted)
			put_note(w, plan->note_arg, state->note, plan->note_size);
		else if (again && (plan->flags & PLAN_NOTE))
			put_note_again(w, plan);
		/* Vectors from here: the verifier adds up the stacks of functions that call each other. */
		if (again && writer == WRITER_VECTOR && plan->enter[0].what == WHAT_STRINGS)
			capture_vectors(w, plan->enter);
		if (again)
			capture_again(state->plan, plan->enter_grabs);
		capture_special(w, state->plan, grabs, count, writer, phase);
		if (phase == AT_EXIT && writer <= WRITER_CAPTURE)
			capture(w, grabs, count);
		else
			capture_by_steps(state->plan, phase == AT_ENTER, count);
		call->pieces = w->pieces;
		call->flags = w->flags;
	}
	if (phase == AT_ENTER)
		state->flags |= call->flags & FLAG_MISSED;
	if (phase == AT_ENTER && !(plan->flags & PLAN_ALWAYS) && !call->pieces) {
		end_writing(w);
		return 0;
	}
	at = w->at;
	barrier_var(at);
	if (at <= BATCH_MOST + RECORD_MOST - 16) {
		/* The padding is part of the record: old bytes must not leak into it. */
		*(__u64 *)(w->bytes + at) = 0;
		at = (at + 7) & ~7ull;
		call->size = at - w->used;
		w->used = at;
		w->records++;
		w->calls += phase == AT_EXIT;
	}
	end_writing(w);
	return finish(state, phase);
}

#define WRITE_AT_ENTER(name, writer)                                                             \
	SEC("tp_btf/sys_enter")                                                                  \
	int name(__u64 *ctx)                                                                     \
	{                                                                                        \
		return write(ctx, registers_of(ctx), 0, AT_ENTER, writer, me(),                   \
			     state_of(me(), false));                                             \
	}
#define WRITE_AT_EXIT(name, writer)                                                              \
	SEC("tp_btf/sys_exit")                                                                   \
	int name(__u64 *ctx)                                                                     \
	{                                                                                        \
		return write(ctx, registers_of(ctx), result_of(ctx), AT_EXIT, writer, me(),       \
			     state_of(me(), false));                                             \
	}

WRITE_AT_ENTER(enter_plain, WRITER_PLAIN)
WRITE_AT_ENTER(enter_capture, WRITER_CAPTURE)
WRITE_AT_ENTER(enter_vector, WRITER_VECTOR)
WRITE_AT_ENTER(enter_behind, WRITER_BEHIND)
/* What sys_exit does itself, for calls whose stack was taken first. */
WRITE_AT_EXIT(exit_capture, WRITER_CAPTURE)
WRITE_AT_EXIT(exit_vector, WRITER_VECTOR)
WRITE_AT_EXIT(exit_behind, WRITER_BEHIND)
WRITE_AT_EXIT(exit_iovec, WRITER_IOVEC)
WRITE_AT_EXIT(exit_message, WRITER_MESSAGE)
WRITE_AT_EXIT(exit_dirents, WRITER_DIRENTS)
