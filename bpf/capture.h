/* SPDX-License-Identifier: MIT OR GPL-2.0-only */
/*
 * Copies what a plan asks for from the caller's memory behind a record's arguments, piece by piece.
 * A capture that fails is a piece with an errno; one that does not fit sets FLAG_CUT.
 */
#pragma once

enum { LAST_PIECE_AT = BATCH_MOST + 40 + 48 + PIECES_ROOM };

/* To a place of any alignment, where clang's memcpy goes byte by byte. */
static __always_inline void put_words(void *to, const __u64 *words, __u32 count)
{
	#pragma clang loop unroll(full)
	for (__u32 i = 0; i < count; i++)
		((__u64 *)to)[i] = words[i];
}

/* Begins a piece; 0 when the record is full. */
static __always_inline struct piece *piece_at(struct writing *w, __u8 arg, enum part part)
{
	struct piece *piece;
	__u64 at = w->at;

	barrier_var(at);
	if (at > LAST_PIECE_AT) {
		w->flags |= FLAG_CUT;
		return 0;
	}
	piece = (struct piece *)(w->bytes + at);
	piece->arg = arg;
	piece->part = part;
	return piece;
}

/* got: bytes, or a negative errno. */
static __always_inline void end_piece(struct writing *w, struct piece *piece, long got)
{
	piece->length = got;
	w->at += sizeof(*piece) + (got > 0 ? got : 0);
	/* Without a branch, of which the verifier would look at both sides. */
	w->flags |= (__u64)got >> 58 & FLAG_MISSED;
	w->pieces++;
}

/*
 * A kernel with hardened user copies looks up what a destination is, and is soonest done with the stack:
 * what is small is read there and moved, in whole words, as the record has room for them. Small is a
 * buffer as far as it is shown by default, with one byte more.
 */
enum { BUFFER_WORDS = 5, STRING_SMALL = 128 };

static __always_inline long read_bytes(void *to, __u32 n, __u64 from)
{
	__u64 words[BUFFER_WORDS] = {};
	long error;

	if (n > sizeof(words))
		return bpf_probe_read_user(to, n, (void *)from);
	/* The verifier of 5.10 forgets the limit of a number that went by way of the stack. */
	barrier_var(n);
	if (n > sizeof(words))
		return 0;
	error = bpf_probe_read_user(words, n, (void *)from);
	put_words(to, words, BUFFER_WORDS);
	return error;
}

/* whole: all of it or nothing, as a reader has it who asks for it at once. */
static __always_inline void put_piece(struct writing *w, __u8 arg, enum part part, __u64 from, __u64 size, bool whole)
{
	struct piece *piece = piece_at(w, arg, part);
	__u32 n = size > PIECE_MOST ? PIECE_MOST : size;
	long error;

	if (!piece)
		return;
	barrier_var(n);
	if (n > PIECE_MOST)
		return;
	error = n ? read_bytes(piece + 1, n, from) : 0;
	if (error && !whole) {
		/* What lies before an unmapped page can still be told. */
		__u32 here = 4096 - (from & 4095);

		if (here < n) {
			n = here;
			barrier_var(n);
			if (n > PIECE_MOST)
				return;
			error = bpf_probe_read_user(piece + 1, n, (void *)from);
		}
	}
	end_piece(w, piece, error ? error : n);
}

static __always_inline void put_bytes(struct writing *w, __u8 arg, enum part part, __u64 from, __u64 size)
{
	put_piece(w, arg, part, from, size, false);
}

static __always_inline long read_string(void *to, __u32 most, __u64 from)
{
	__u64 words[STRING_SMALL / 8];
	long got;

	if (most < STRING_SMALL)
		return bpf_probe_read_user_str(to, most, (void *)from);
	got = bpf_probe_read_user_str(words, STRING_SMALL, (void *)from);
	if (got == STRING_SMALL)
		return bpf_probe_read_user_str(to, most, (void *)from);
	put_words(to, words, STRING_SMALL / 16);
	if (got > STRING_SMALL / 2)
		put_words(to + STRING_SMALL / 2, words + STRING_SMALL / 16, STRING_SMALL / 16);
	return got;
}

/* Returns its length with the NUL, or a negative errno. */
static __always_inline long put_string(struct writing *w, __u8 arg, enum part part, __u64 from, __u32 most)
{
	struct piece *piece = piece_at(w, arg, part);
	__u32 less = most - 1;
	long got;

	if (!piece)
		return 0;
	if (most > PIECE_MOST)
		most = PIECE_MOST;
	barrier_var(most);
	if (most > PIECE_MOST)
		return 0;
	got = read_string(piece + 1, most, from);
	barrier_var(less);
	/* Without the last byte it can still be seen that the string goes on. */
	if (got < 0 && less < PIECE_MOST - 1 && !bpf_probe_read_user(piece + 1, less, (void *)from))
		got = less;
	end_piece(w, piece, got);
	return got;
}

static __always_inline void put_error(struct writing *w, __u8 arg, enum part part, long error)
{
	struct piece *piece = piece_at(w, arg, part);

	if (piece)
		end_piece(w, piece, error);
}

static __always_inline void put_where(struct writing *w, __u8 arg, __u64 where)
{
	struct piece *piece = piece_at(w, arg, PART_WHERE);

	if (!piece)
		return;
	put_words(piece + 1, &where, 1);
	end_piece(w, piece, sizeof(where));
}

static __always_inline void put_number(struct writing *w, __u8 arg, enum part part, __u32 number)
{
	struct piece *piece = piece_at(w, arg, part);

	if (!piece)
		return;
	__builtin_memcpy(piece + 1, &number, sizeof(number));
	end_piece(w, piece, sizeof(number));
}

static __always_inline __u64 argument(const struct writing *w, __u32 n)
{
	return w->args[n & 7];
}

static __always_inline __u64 pointer_at(__u64 from, bool compat, bool *fault)
{
	__u64 wide = 0;

	if (compat) {
		__u32 narrow = 0;

		*fault = bpf_probe_read_user(&narrow, sizeof(narrow), (void *)from);
		return narrow;
	}
	*fault = bpf_probe_read_user(&wide, sizeof(wide), (void *)from);
	return wide;
}

/* How many bytes a grab copies. */
static __always_inline __u64 grab_size(const struct writing *w, const volatile struct grab *grab)
{
	__u32 most = most_of(w, grab);
	__u64 count = 1;
	__u32 at = 0;

	switch (grab->length) {
	case LENGTH_ONE:
		break;
	case LENGTH_ARG:
		count = argument(w, grab->length_arg);
		break;
	case LENGTH_ARG32:
		count = (__u32)argument(w, grab->length_arg);
		break;
	case LENGTH_RET:
		count = w->ret > 0 ? w->ret : 0;
		break;
	case LENGTH_AT:
		if (bpf_probe_read_user(&at, sizeof(at), (void *)argument(w, grab->length_arg)))
			return 0;
		count = at;
		break;
	case LENGTH_BITS:
		count = ((argument(w, grab->length_arg) & 0xffff) + 63) / 64 * 8;
		break;
	case LENGTH_PAGES:
		count = (argument(w, grab->length_arg) + 4095) / 4096;
		break;
	case LENGTH_HEAD:
		if (bpf_probe_read_user(&at, sizeof(at), (void *)argument(w, grab->arg)))
			return 0;
		count = at;
		break;
	default:		/* fields of structures: behind_size's */
		break;
	}
	if (count > 0xffff)
		count = 0xffff;
	count *= grab->size;
	if ((grab->flags & GRAB_CLAMP_RET) && w->ret >= 0 && count > w->ret)
		count = w->ret;
	if ((grab->flags & GRAB_SAID) && (__u32)argument(w, 0) == SAID_FD && most < SAID_MOST)
		most = SAID_MOST;
	return count > most ? most : count;
}

/* setsockopt and getsockopt: arguments 1 and 2 are level and option. */
static __always_inline bool sets_key(const struct writing *w)
{
	__s32 level = argument(w, 1), name = argument(w, 2);

	#pragma clang loop unroll(disable)
	for (__u32 i = 0; i < KEY_OPTIONS && key_options[i].level; i++)
		if (key_options[i].level == level && key_options[i].name == name)
			return true;
	return false;
}

static __always_inline bool grab_wanted(const struct writing *w, const volatile struct grab *grab, __u64 from)
{
	if (!from)
		return false;
	if ((grab->flags & GRAB_IF_OK) && w->ret < 0)
		return false;
	if ((grab->flags & GRAB_IF_FAILED) && w->ret >= 0)
		return false;
	if (!keeps_contents(w) && (grab->contents || ((grab->flags & GRAB_NO_KEY) && sets_key(w))))
		return false;
	return true;
}

static __always_inline void capture_one(struct writing *w, const volatile struct grab *grab)
{
	enum part part = grab->flags & GRAB_START ? PART_START : grab->part;
	__u64 from = argument(w, grab->arg);

	if (grab->what == WHAT_SIGFRAME)
		from = w->sp + (w->flags & FLAG_COMPAT ? 0 : SIGFRAME_MASK);
	if (!grab_wanted(w, grab, from))
		return;
	from += grab->offset;
	if (grab->what == WHAT_STRING) {
		/* A string of all that fits may go on. */
		if (put_string(w, grab->arg, part, from, most_of(w, grab)) == PIECE_MOST)
			put_bytes(w, grab->arg, PART_MORE, from + PIECE_MOST - 1, 1);
	} else if (grab->what == WHAT_BYTES || grab->what == WHAT_SIGFRAME)
		put_piece(w, grab->arg, part, from, grab_size(w, grab), grab->flags & GRAB_WHOLE);
}

/* The grabs of an ordinary call: strings, structures, buffers. */
static __always_inline void capture(struct writing *w, const volatile struct grab *grabs, __u32 count)
{
	#pragma clang loop unroll(disable)
	for (__u32 i = 0; i < GRABS; i++) {
		if (i >= count)
			break;
		capture_one(w, &grabs[i]);
	}
}

/*
 * What loops is from here on a function of its own for one turn, and not a static one: the verifier walks
 * through it once, and not once for each turn. It knows the place to write by itself, and numbers only.
 * Zero: there is nothing more to do.
 */
__noinline int capture_step(__u32 plan, __u32 at_enter, __u32 n)
{
	struct writing *w = my_writing();

	if (!w || n >= GRABS)
		return 0;
	capture_one(w, at_enter ? &plan_at(plan)->enter[n] : &plan_at(plan)->grab[n]);
	return 1;
}

/* The same, by steps: for all but the shortest way. */
static __always_inline void capture_by_steps(__u32 plan, bool at_enter, __u32 count)
{
	#pragma clang loop unroll(disable)
	for (__u32 i = 0; i < GRABS; i++)
		if (i >= count || !capture_step(plan, at_enter, i))
			return;
}

enum { VECTOR_MOST = 64 };

/* last: there may be no more strings than these. */
__noinline int string_step(__u32 arg, __u32 last)
{
	struct writing *w = my_writing();
	bool fault = false;
	__u64 string;

	if (!w)
		return 0;
	string = pointer_at(w->from, w->flags & FLAG_COMPAT, &fault);
	if (fault)
		put_error(w, arg, PART_MORE, -14);
	if (fault || !string)
		return 0;
	if (last) {
		put_number(w, arg, PART_MORE, 0);
		return 0;
	}
	if (put_string(w, arg, PART_ITEM, string, strings_of(w) + 2) < 0)
		put_where(w, arg, string);
	w->from += w->flags & FLAG_COMPAT ? 4 : 8;
	return 1;
}

/* argv: each string, cut one byte behind the limit so that the reader sees that it goes on. */
static __always_inline void capture_strings(struct writing *w, __u8 arg, __u64 from)
{
	if (!from)
		return;
	w->from = from;
	#pragma clang loop unroll(disable)
	for (__u32 i = 0; i <= VECTOR_MOST; i++)
		if (!string_step(arg, i >= vectors_of(w)))
			return;
}

__noinline int block_step(__u32 arg, __u32 size)
{
	struct writing *w = my_writing();
	__u64 block, buffer = 0, length = 0;
	__u16 opcode = 0;
	bool fault;

	if (!w)
		return 0;
	block = pointer_at(w->from, w->flags & FLAG_COMPAT, &fault);
	if (fault)
		return 0;
	put_bytes(w, arg, PART_ITEM, block, size);
	bpf_probe_read_user(&opcode, sizeof(opcode), (void *)(block + 16));
	if (keeps_contents(w) && opcode == 1 && !bpf_probe_read_user(&buffer, sizeof(buffer), (void *)(block + 24)) &&
	    !bpf_probe_read_user(&length, sizeof(length), (void *)(block + 32)))
		put_bytes(w, arg, PART_FIRST, buffer, length > strings_of(w) ? strings_of(w) : length);
	w->from += w->flags & FLAG_COMPAT ? 4 : 8;
	return 1;
}

/* io_submit's control blocks, each with the head of the buffer that it writes from. */
static __always_inline void capture_blocks(struct writing *w, const volatile struct grab *grab)
{
	__u64 count = argument(w, grab->length_arg);
	__u32 arg = grab->arg, size = grab->size;

	w->from = argument(w, arg);
	if (!w->from)
		return;
	#pragma clang loop unroll(disable)
	for (__u32 i = 0; i < VECTOR_MOST; i++)
		if (i >= count || i >= vectors_of(w) || !block_step(arg, size))
			return;
}

enum { COUNT_MOST = 512 };

enum { COUNT_END = 0, COUNT_ON = 1, COUNT_FAULT = 2 };

__noinline int count_step(void)
{
	struct writing *w = my_writing();
	bool fault = false;
	__u64 batch[4];

	if (!w)
		return COUNT_END;
	if (!(w->flags & FLAG_COMPAT) && !bpf_probe_read_user(batch, sizeof(batch), (void *)w->from) && batch[0] &&
	    batch[1] && batch[2] && batch[3]) {
		w->from += sizeof(batch);
		w->count += 4;
		return COUNT_ON;
	}
	if (!pointer_at(w->from, w->flags & FLAG_COMPAT, &fault) || fault)
		return fault ? COUNT_FAULT : COUNT_END;
	w->from += w->flags & FLAG_COMPAT ? 4 : 8;
	w->count++;
	return COUNT_ON;
}

/* envp: only how many strings there are. */
static __always_inline void capture_count(struct writing *w, __u8 arg, __u64 from)
{
	int step = COUNT_ON;

	w->count = 0;
	w->from = from;
	if (!from)
		return;
	#pragma clang loop unroll(disable)
	for (__u32 i = 0; i < COUNT_MOST; i++) {
		step = count_step();
		if (step != COUNT_ON)
			break;
	}
	if (step == COUNT_FAULT && !w->count)
		return;
	put_number(w, arg, PART_COUNT, w->count);
	if (step == COUNT_FAULT)
		put_error(w, arg, PART_MORE, -14);
}

struct user_iovec {
	__u64 base;
	__u64 length;
};

enum { IOV_MOST = 32 };

/* An iovec array without its buffers. */
static __always_inline void put_iovec(struct writing *w, __u8 arg, enum part part, __u64 from, __u64 count)
{
	__u32 width = w->flags & FLAG_COMPAT ? 8 : 16;

	if (from)
		put_bytes(w, arg, part, from, (count > VECTOR_MOST ? VECTOR_MOST : count) * width);
}

/* The next buffer. */
__noinline int iovec_step(__u32 arg)
{
	struct writing *w = my_writing();
	struct user_iovec iov = {};
	__u32 most;
	__u64 here;

	if (!w || !w->iov_left)
		return 0;
	most = strings_of(w);
	w->iov_left--;
	if (w->flags & FLAG_COMPAT) {
		__u32 narrow[2] = {};

		if (bpf_probe_read_user(narrow, sizeof(narrow), (void *)w->iov))
			return 0;
		iov.base = narrow[0];
		iov.length = narrow[1];
		w->iov += 8;
	} else {
		if (bpf_probe_read_user(&iov, sizeof(iov), (void *)w->iov))
			return 0;
		w->iov += 16;
	}
	here = iov.length < w->transferred ? iov.length : w->transferred;
	if (w->transferred != ~0ull)
		w->transferred -= here;
	if (most && (__u32)argument(w, 0) == SAID_FD && most < SAID_MOST)
		most = SAID_MOST;
	if (most && keeps_contents(w))
		put_piece(w, arg, PART_ITEM, iov.base, here > most ? most + 1 : here, true);
	return 1;
}

/* An iovec array and the heads of its buffers, as far as w->transferred bytes reach. */
static __always_inline void capture_iovec(struct writing *w, __u8 arg, enum part part, __u64 from, __u64 count,
					  __u32 most)
{
	if (!from)
		return;
	put_iovec(w, arg, part, from, count);
	w->iov = from;
	w->iov_left = count;
	#pragma clang loop unroll(disable)
	for (__u32 i = 0; i < most; i++)
		if (i >= vectors_of(w) || !iovec_step(arg))
			return;
}

/* How many bytes a field of the structure says there are behind its pointer. */
static __always_inline __u64 behind_size(const struct writing *w, const volatile struct grab *grab)
{
	__u64 count = 1;
	__u32 at = 0;

	if (grab->length != LENGTH_ONE) {
		bpf_probe_read_user(&at, sizeof(at), (void *)(argument(w, grab->arg) + grab->length_arg));
		count = grab->length == LENGTH_FIELD ? at : (__u16)at;
	}
	if (count > 0xffff)
		count = 0xffff;
	count *= grab->size;
	return count > most_of(w, grab) ? most_of(w, grab) : count;
}

__noinline int behind_step(__u32 plan, __u32 at_enter, __u32 n)
{
	const volatile struct grab *grab;
	struct writing *w = my_writing();
	__u64 from;
	bool fault;

	if (!w || n >= GRABS)
		return 0;
	grab = at_enter ? &plan_at(plan)->enter[n] : &plan_at(plan)->grab[n];
	if ((grab->what != WHAT_BEHIND && grab->what != WHAT_BEHIND_STRING) ||
	    ((grab->flags & GRAB_IF_OK) && w->ret < 0) || (grab->contents && !keeps_contents(w)))
		return 1;
	from = argument(w, grab->arg);
	if (!from)
		return 1;
	from = pointer_at(from + grab->offset, (w->flags & FLAG_COMPAT) && !(grab->flags & GRAB_WIDE), &fault);
	if (!from)
		return 1;
	if (grab->what == WHAT_BEHIND_STRING)
		put_string(w, grab->arg, grab->part, from, most_of(w, grab));
	else
		put_bytes(w, grab->arg, grab->part, from, behind_size(w, grab));
	return 1;
}

/* What the pointers in a structure point to: pieces with labels of their own. */
static __always_inline void capture_behind(__u32 plan, bool at_enter, __u32 count)
{
	#pragma clang loop unroll(disable)
	for (__u32 i = 0; i < GRABS; i++)
		if (i >= count || !behind_step(plan, at_enter, i))
			return;
}

/*
 * What was to be copied at the start of a call and was not there: the kernel had yet to bring its page, or seccomp
 * refused the call before anybody was asked. At the end of a call that has failed it is there, and still true.
 */
__noinline int again_step(__u32 plan, __u32 n)
{
	struct writing *w = my_writing();
	const volatile struct grab *grab;

	if (!w || n >= GRABS)
		return 0;
	grab = &plan_at(plan)->enter[n];
	if (!(grab->flags & GRAB_FLEETS) || (w->flags & FLAG_NO_ENTER))
		capture_one(w, grab);
	return 1;
}

/* argv, and envp: whole, or how long it is. */
static __always_inline void capture_vectors(struct writing *w, const volatile struct grab *grabs)
{
	capture_strings(w, grabs[0].arg, argument(w, grabs[0].arg));
	if (grabs[1].what == WHAT_STRINGS)
		capture_strings(w, grabs[1].arg, argument(w, grabs[1].arg));
	else
		capture_count(w, grabs[1].arg, argument(w, grabs[1].arg));
}

static __always_inline void capture_again(__u32 plan, __u32 count)
{
	#pragma clang loop unroll(disable)
	for (__u32 i = 0; i < GRABS; i++)
		if (i >= count || !again_step(plan, i))
			break;
	capture_behind(plan, true, count);
}

enum { DIRENTS_MOST = 1400 };

__noinline int dirent_step(__u32 reclen_at)
{
	struct writing *w = my_writing();
	__u16 reclen = 0;

	if (!w || w->from >= w->item)
		return 0;
	if (bpf_probe_read_user(&reclen, sizeof(reclen), (void *)(w->from + reclen_at)) || !reclen)
		return 0;
	w->from += reclen;
	w->count++;
	return 1;
}

/* How many entries getdents returned, unless there are too many: strace tells no more either. */
static __always_inline void capture_dirents(struct writing *w, const volatile struct grab *grab)
{
	/* d_reclen stands behind two words: longs in the old layout. */
	__u32 reclen_at = grab->what == WHAT_DIRENTS_OLD && (w->flags & FLAG_COMPAT) ? 8 : 16;

	w->from = argument(w, grab->arg);
	if (w->ret < 0 || !w->from)
		return;
	w->item = w->from + w->ret;
	w->count = 0;
	#pragma clang loop unroll(disable)
	for (__u32 i = 0; i < DIRENTS_MOST; i++)
		if (!dirent_step(reclen_at))
			break;
	if (w->from >= w->item)
		put_number(w, grab->arg, PART_COUNT, w->count);
}
