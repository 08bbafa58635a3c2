/* SPDX-License-Identifier: MIT OR GPL-2.0-only */
/*
 * What io_uring does inside the kernel: requests that are submitted and that complete. Raw tracepoints,
 * as their arguments differ from kernel to kernel; userspace reads from BTF which of the forms below
 * this kernel has, and loads nothing where it has none. Both may run for a request in another task than its
 * own (the ring's polling thread, a worker, whoever posts to the ring), so a record goes where the request's thread is.
 */
#pragma once

/* Arguments of io_uring_submit_req, before 6.4 or so io_uring_submit_sqe. */
enum uring_submits {
	SUBMITS_NONE = 0,
	SUBMITS_REQUEST = 1,		/* request (6.0) */
	SUBMITS_RING_REQUEST = 2,	/* ring, request, opcode, user_data (5.13) */
	SUBMITS_RING = 3,		/* ring, opcode, user_data (5.10) */
};

/* Arguments of io_uring_complete. */
enum uring_completes {
	COMPLETES_NONE = 0,
	COMPLETES_CQE = 1,		/* ring, request, cqe (6.14) */
	COMPLETES_REQUEST = 2,		/* ring, request, user_data, res, flags (5.17) */
	COMPLETES_RING = 3,		/* ring, user_data, res (5.10) */
	COMPLETES_RING_FLAGS = 4,	/* ring, user_data, res, flags (5.15) */
};

enum {
	SQE_SIZE = 64,
	SQE_USER_DATA = 32,
	SQE_ADDR = 16,
	SETUP_SQE128 = 1 << 10,
	SETUP_NO_SQARRAY = 1 << 16,
	CQE_F_MORE = 1 << 1,
};

/* Requests whose sqe's addr is a path: OPENAT STATX OPENAT2 RENAMEAT UNLINKAT MKDIRAT SYMLINKAT LINKAT. */
static const __u64 uring_paths = 1ull << 18 | 1ull << 21 | 1ull << 28 | 1ull << 35 | 1ull << 36 | 1ull << 37 |
				 1ull << 38 | 1ull << 39;

/* Whether the completion of a request names it. */
static __always_inline bool names_request(void)
{
	return uring_completes == COMPLETES_CQE || uring_completes == COMPLETES_REQUEST;
}

static __always_inline __u64 ring_id(struct io_ring_ctx *ring)
{
	return ((__u64)ring ^ uring_secret) * 0x9e3779b97f4a7c15ull;
}

/*
 * By the maps alone: a raw tracepoint's pointers are not typed. A request may complete when its process is
 * gone: whether it is followed was decided when it was submitted.
 */
static __always_inline __u32 slot_by_id(__u64 cgroup, __u32 process, bool submitted)
{
	__u32 *slot;

	if (followed_slot)
		return submitted || bpf_map_lookup_elem(&followed, &process) ? followed_slot : 0;
	slot = bpf_map_lookup_elem(&cgroups, &cgroup);
	return slot ? *slot & ~CGROUP_PARTED : 0;
}

static __always_inline bool records_uring(__u32 slot)
{
	const struct profile *profile = watching ? profile_of(slot) : 0;

	return !watching || (profile && profile->uring && !profile->off);
}

static __always_inline void fill_uring(struct uring_record *record, struct io_ring_ctx *ring, struct task_struct *task)
{
	__builtin_memset(record, 0, sizeof(*record));
	record->kind = RECORD_URING;
	record->time = bpf_ktime_get_boot_ns();
	record->tid = BPF_CORE_READ(task, pid);
	record->tgid = BPF_CORE_READ(task, tgid);
	record->cgroup = BPF_CORE_READ(task, cgroups, dfl_cgrp, kn, id);
	record->ring = ring_id(ring);
	BPF_CORE_READ_STR_INTO(&record->comm, task, comm);
}

/* What was submitted last, as it stands in the ring; the program may have written over it since. */
static __always_inline void read_sqe(struct uring_record *record, struct io_ring_ctx *ring)
{
	__u32 flags = BPF_CORE_READ(ring, flags), entries = BPF_CORE_READ(ring, sq_entries);
	__u32 index = (record->number - 1) & (entries - 1);
	char *sqes = (char *)BPF_CORE_READ(ring, sq_sqes);
	__u64 user_data;

	if (!(flags & SETUP_NO_SQARRAY) &&
	    bpf_probe_read_kernel(&index, sizeof(index), BPF_CORE_READ(ring, sq_array) + index))
		return;
	if (index >= entries)
		return;
	if (flags & SETUP_SQE128)
		index *= 2;
	if (bpf_probe_read_kernel(record->sqe, SQE_SIZE, sqes + (__u64)index * SQE_SIZE))
		return;
	__builtin_memcpy(&user_data, record->sqe + SQE_USER_DATA, sizeof(user_data));
	if (user_data == record->user_data && record->sqe[0] == record->opcode)
		record->how |= URING_SQE;
}

static __always_inline void read_path(struct uring_submission *made)
{
	__u64 from;
	long got;

	if (made->record.opcode >= 64 || !(uring_paths >> made->record.opcode & 1))
		return;
	__builtin_memcpy(&from, made->record.sqe + SQE_ADDR, sizeof(from));
	got = bpf_probe_read_user_str(made->path, URING_PATH, (void *)from);
	if (got > 0)
		made->record.path = got;
}

static __always_inline int uring_submitted(__u64 *ctx)
{
	struct task_struct *task = (struct task_struct *)bpf_get_current_task();
	struct io_kiocb *request = 0;
	struct uring_submission *made;
	struct uring_request note;
	struct io_ring_ctx *ring;
	struct uring_record *record;
	__u64 key, size;
	__u32 zero = 0, slot;

	slot = slot_by_id(BPF_CORE_READ(task, cgroups, dfl_cgrp, kn, id), BPF_CORE_READ(task, tgid), false);
	made = bpf_map_lookup_elem(&uring_submissions, &zero);
	if (!slot || !made || !records_uring(slot))
		return 0;
	record = &made->record;
	if (uring_submits == SUBMITS_REQUEST) {
		request = (struct io_kiocb *)ctx[0];
		ring = BPF_CORE_READ(request, ctx);
	} else {
		ring = (struct io_ring_ctx *)ctx[0];
	}
	fill_uring(record, ring, task);
	record->how = URING_SUBMITTED | URING_REQUEST;
	if (uring_submits == SUBMITS_REQUEST) {
		record->opcode = BPF_CORE_READ(request, opcode);
		record->user_data = BPF_CORE_READ(request, cqe.user_data);
	} else if (uring_submits == SUBMITS_RING_REQUEST) {
		request = (struct io_kiocb *)ctx[1];
		record->opcode = ctx[2];
		record->user_data = ctx[3];
	} else {
		record->opcode = ctx[1];
		record->user_data = ctx[2];
	}
	record->number = BPF_CORE_READ(ring, cached_sq_head);
	read_sqe(record, ring);
	if (record->how & URING_SQE)
		read_path(made);
	__builtin_memset(&note, 0, sizeof(note));
	note.ring = record->ring;
	note.user_data = record->user_data;
	note.began = record->time;
	note.cgroup = record->cgroup;
	note.tid = record->tid;
	note.tgid = record->tgid;
	note.number = record->number;
	note.opcode = record->opcode;
	__builtin_memcpy(note.comm, record->comm, sizeof(note.comm));
	key = names_request() ? (__u64)request : record->user_data;
	if (bpf_map_update_elem(&uring_requests, &key, &note, BPF_ANY))
		count(uring_full);
	/* Its completion tells whether it was slow. */
	if (least_time(slot))
		return 0;
	size = record->path;
	barrier_var(size);
	if (size > URING_PATH)
		return 0;
	__builtin_memset(made->path + size, 0, 8);
	size = sizeof(*record) + ((size + 7) & ~7ull);
	record->size = size;
	if (within(size, sizeof(*record), sizeof(*made)))
		output_in_order(ctx, slot, record, size);
	return 0;
}

SEC("raw_tp/io_uring_submit_req")
int uring_req(__u64 *ctx)
{
	return uring_submitted(ctx);
}

SEC("raw_tp/io_uring_submit_sqe")
int uring_sqe(__u64 *ctx)
{
	return uring_submitted(ctx);
}

/* Whose request it is, where its submission was not seen. */
static __always_inline struct task_struct *task_of_request(struct io_ring_ctx *ring, struct io_kiocb *request)
{
	struct io_kiocb___before_6_13 *old = (void *)request;
	struct task_struct *task = 0;

	if (request && bpf_core_field_exists(request->tctx))
		task = BPF_CORE_READ(request, tctx, task);
	if (request && !task && bpf_core_field_exists(old->task))
		task = BPF_CORE_READ(old, task);
	if (!task && bpf_core_field_exists(ring->submitter_task))
		task = BPF_CORE_READ(ring, submitter_task);
	return task ? task : (struct task_struct *)bpf_get_current_task();
}

SEC("raw_tp/io_uring_complete")
int uring_complete(__u64 *ctx)
{
	struct io_ring_ctx *ring = (struct io_ring_ctx *)ctx[0];
	struct io_kiocb *request = 0;
	struct uring_record record;
	struct uring_request *note;
	__u64 user_data, key, least;
	__u32 slot, more = 0;
	__s32 res;

	if (uring_completes == COMPLETES_CQE) {
		struct io_uring_cqe *cqe = (struct io_uring_cqe *)ctx[2];

		request = (struct io_kiocb *)ctx[1];
		user_data = BPF_CORE_READ(cqe, user_data);
		res = BPF_CORE_READ(cqe, res);
		more = BPF_CORE_READ(cqe, flags);
	} else if (uring_completes == COMPLETES_REQUEST) {
		request = (struct io_kiocb *)ctx[1];
		user_data = ctx[2];
		res = ctx[3];
		more = ctx[4];
	} else {
		user_data = ctx[1];
		res = ctx[2];
		if (uring_completes == COMPLETES_RING_FLAGS)
			more = ctx[3];
	}
	key = names_request() ? (__u64)request : user_data;
	note = key || !names_request() ? bpf_map_lookup_elem(&uring_requests, &key) : 0;
	if (note && (note->ring != ring_id(ring) || note->user_data != user_data))
		note = 0;
	if (note) {
		__builtin_memset(&record, 0, sizeof(record));
		record.kind = RECORD_URING;
		record.time = bpf_ktime_get_boot_ns();
		record.tid = note->tid;
		record.tgid = note->tgid;
		record.cgroup = note->cgroup;
		record.ring = note->ring;
		record.began = note->began;
		record.number = note->number;
		record.opcode = note->opcode;
		record.how = URING_COMPLETED | URING_REQUEST;
		__builtin_memcpy(record.comm, note->comm, sizeof(record.comm));
		if (!(more & CQE_F_MORE))
			bpf_map_delete_elem(&uring_requests, &key);
	} else {
		fill_uring(&record, ring, task_of_request(ring, request));
	}
	slot = slot_by_id(record.cgroup, record.tgid, !!note);
	if (!slot || !records_uring(slot))
		return 0;
	least = least_time(slot);
	if (least && (!record.began || record.time - record.began < least))
		return 0;
	record.user_data = user_data;
	record.res = res;
	record.more = more;
	record.size = sizeof(record);
	output_in_order(ctx, slot, &record, sizeof(record));
	return 0;
}
