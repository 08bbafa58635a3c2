/* SPDX-License-Identifier: MIT OR GPL-2.0-only */
/*
 * What sockets send and receive: buffers, messages with their names and control messages, and netlink
 * messages, which are copied further than other data since they are decoded.
 */
#pragma once

enum { NETLINK = 16, NO_NETLINK = -1 };	/* AF_NETLINK */
enum { BAD_FD = -9, NO_SOCKET = -88 };	/* EBADF, ENOTSOCK */

/* The protocol of the netlink socket that argument 0 is. */
static __always_inline int netlink_protocol(const struct writing *w)
{
	struct files_struct *files = BPF_CORE_READ(me(), files);
	struct fdtable *table = BPF_CORE_READ(files, fdt);
	struct file **open = BPF_CORE_READ(table, fd), *file = 0;
	__u32 fd = argument(w, 0);
	struct socket *socket;
	struct sock *sock;

	if (w->ret == BAD_FD || w->ret == NO_SOCKET || fd >= BPF_CORE_READ(table, max_fds))
		return NO_NETLINK;
	if (bpf_probe_read_kernel(&file, sizeof(file), open + fd) || !file)
		return NO_NETLINK;
	socket = BPF_CORE_READ(file, private_data);
	sock = BPF_CORE_READ(socket, sk);
	if (BPF_CORE_READ(sock, __sk_common.skc_family) != NETLINK)
		return NO_NETLINK;
	return BPF_CORE_READ(sock, sk_protocol);
}

enum { LONG_PIECES = 3 };

/* sendto's and recvfrom's buffer: argument 1, argument 2 bytes long. */
static __always_inline void capture_socket_data(struct writing *w, const volatile struct grab *grab)
{
	__u64 from = argument(w, grab->arg), size = argument(w, 2);
	bool received = grab->flags & GRAB_IF_OK;
	int protocol;

	if (!from || (received && w->ret < 0) || !keeps_contents(w))
		return;
	if (received && size > w->ret)
		size = w->ret;
	protocol = netlink_protocol(w);
	if (protocol == NO_NETLINK) {
		put_piece(w, grab->arg, PART_DATA, from, size > strings_of(w) ? strings_of(w) + 1 : size, true);
		return;
	}
	put_number(w, grab->arg, PART_NETLINK, protocol);
	w->from = from;
	w->left = size;
	#pragma clang loop unroll(disable)
	for (__u32 i = 0; i < LONG_PIECES; i++) {
		__u64 here = w->left > PIECE_MOST ? PIECE_MOST : w->left;

		if (i && !here)
			return;
		put_bytes(w, grab->arg, i ? PART_REST : PART_DATA, w->from, here);
		w->from += here;
		w->left -= here;
	}
}

/* A sockaddr_storage; SCM_RIGHTS with the most descriptors it may hold. */
enum { NAME_MOST = 128, CONTROL_MOST = 1040 };

/* Reads the msghdr at w->from into w->head, whatever its width. */
static __always_inline bool read_msghdr(struct writing *w)
{
	__u32 narrow[7] = {};

	if (!(w->flags & FLAG_COMPAT))
		return !bpf_probe_read_user(&w->head, sizeof(w->head), (void *)w->from);
	if (bpf_probe_read_user(narrow, sizeof(narrow), (void *)w->from))
		return false;
	w->head.name = narrow[0];
	w->head.name_length = narrow[1];
	w->head.iov = narrow[2];
	w->head.iov_count = narrow[3];
	w->head.control = narrow[4];
	w->head.control_length = narrow[5];
	return true;
}

/* One piece of a message follows another; each step finds the next one. */
enum stage { STAGE_HEAD, STAGE_NAME, STAGE_NETLINK, STAGE_VECTOR, STAGE_ITEM, STAGE_CONTROL, STAGE_END };

struct step {
	enum part part;
	__u64 from;
	__u64 size;
};

/* The next message's header. */
static __always_inline bool step_head(struct writing *w, bool many, bool received, struct step *step)
{
	bool compat = w->flags & FLAG_COMPAT;
	__u32 width = compat ? 28 : 56, length = 0;

	if (!w->count)
		return false;
	w->count--;
	w->from = w->next;
	if (many) {
		bpf_probe_read_user(&length, sizeof(length), (void *)(w->from + width));
		w->transferred = received ? length : ~0ull;
		width += compat ? 4 : 8;
	}
	w->next += width;
	step->from = w->from;
	step->size = width;
	w->stage = read_msghdr(w) ? STAGE_NAME : STAGE_END;
	return true;
}

/* The next buffer, as far as the bytes that were transferred reach, or what is left of a long one. */
static __always_inline void step_item(struct writing *w, struct step *step)
{
	bool compat = w->flags & FLAG_COMPAT;
	__u32 narrow[2] = {};
	__u64 wide[2] = {};

	step->part = w->left ? PART_REST : PART_ITEM;
	if (!w->left) {
		if (!w->items || (compat ? bpf_probe_read_user(narrow, sizeof(narrow), (void *)w->iov) :
					   bpf_probe_read_user(wide, sizeof(wide), (void *)w->iov))) {
			w->stage = STAGE_CONTROL;
			step->from = 0;
			return;
		}
		w->items--;
		w->iov += compat ? 8 : 16;
		w->item = compat ? narrow[0] : wide[0];
		w->left = compat ? narrow[1] : wide[1];
		if (w->left > w->transferred)
			w->left = w->transferred;
		if (w->transferred != ~0ull)
			w->transferred -= w->left;
		if (!w->long_items && w->left > strings_of(w))
			w->left = strings_of(w) + 1;
	}
	step->from = w->item;
	step->size = w->left > PIECE_MOST ? PIECE_MOST : w->left;
	w->item += step->size;
	w->left -= step->size;
}

/* False when there is nothing left to do. */
static __always_inline bool next_step(struct writing *w, bool many, bool received, struct step *step)
{
	__u16 family = 0;

	switch (w->stage) {
	case STAGE_HEAD:
		return step_head(w, many, received, step);
	case STAGE_NAME:
		w->stage = STAGE_VECTOR;
		step->part = PART_NAME;
		step->from = w->head.name;
		step->size = w->head.name_length > NAME_MOST ? NAME_MOST : w->head.name_length;
		w->long_items = 0;
		if (step->size > 1 && !bpf_probe_read_user(&family, sizeof(family), (void *)step->from) &&
		    family == NETLINK)
			w->stage = STAGE_NETLINK;
		return true;
	case STAGE_VECTOR:
		w->stage = STAGE_ITEM;
		w->iov = w->head.iov;
		w->items = w->head.iov_count > vectors_of(w) ? vectors_of(w) : w->head.iov_count;
		if (!keeps_contents(w))
			w->items = 0;
		w->left = 0;
		step->part = PART_IOV;
		step->from = w->iov;
		step->size = (w->head.iov_count > VECTOR_MOST ? VECTOR_MOST : w->head.iov_count) *
			     (w->flags & FLAG_COMPAT ? 8 : 16);
		return true;
	case STAGE_ITEM:
		step_item(w, step);
		return true;
	case STAGE_CONTROL:
		w->stage = STAGE_HEAD;
		step->part = PART_CONTROL;
		step->from = w->head.control;
		step->size = w->head.control_length > CONTROL_MOST ? CONTROL_MOST : w->head.control_length;
		return true;
	default:
		return false;
	}
}

/*
 * Copies one piece of a message; false when there is nothing left to do. A function of its own, and not a
 * static one: the verifier walks through it once, and not once for each turn of the loop.
 */
__noinline int message_step(__u32 arg, __u32 many, __u32 received)
{
	struct step step = { .part = PART_DATA };
	struct writing *w;
	__u32 zero = 0;

	w = bpf_map_lookup_elem(&writings, &zero);
	if (!w)
		return 0;
	if (w->stage == STAGE_NETLINK) {
		int protocol = netlink_protocol(w);

		w->stage = STAGE_VECTOR;
		w->long_items = protocol != NO_NETLINK;
		if (w->long_items)
			put_number(w, arg, PART_NETLINK, protocol);
		return 1;
	}
	if (!next_step(w, many, received, &step))
		return 0;
	/* A buffer without a place is an item too; other parts are just not there. */
	if (step.part == PART_ITEM ? w->stage == STAGE_ITEM : step.from && step.size)
		put_piece(w, arg, step.part, step.from, step.size, !w->long_items);
	return 1;
}

enum { STEPS = 256 };

/* One msghdr, or an array of mmsghdr: those carry how much of each was transferred. */
static __always_inline void capture_messages(struct writing *w, const volatile struct grab *grab)
{
	__u32 many = grab->what == WHAT_MESSAGES, received = !!(grab->flags & GRAB_CLAMP_RET), arg = grab->arg;
	__u64 count = 1;

	w->next = argument(w, arg);
	if (!w->next || (received && w->ret < 0))
		return;
	w->transferred = received ? w->ret : ~0ull;
	if (many)
		count = received ? w->ret : (__u32)argument(w, grab->length_arg);
	w->count = count > vectors_of(w) ? vectors_of(w) : count;
	w->stage = STAGE_HEAD;
	#pragma clang loop unroll(disable)
	for (__u32 i = 0; i < STEPS; i++)
		if (!message_step(arg, many, received))
			return;
	w->flags |= FLAG_CUT;
}
