/* SPDX-License-Identifier: MIT OR GPL-2.0-only */
/*
 * What a descriptor stands for, told by the file itself: its path through all mounts, its inode, a
 * socket's addresses. Only where a recording asks for it, when a call makes a descriptor or changes
 * what is to be told of it, and when a task moves into the cgroup.
 */
#pragma once

enum {
	NAMES_MOST = 1024,	/* bytes of a path's components together */
	NAME_BYTES = 256,
	STEPS_MOST = 48,	/* components and mounts of a path */
	JOIN_FDS = 32,
	SOCKFS = 0x534f434b,
	PIDFS = 0x50494446,
	MAX_ADDRESS = 112,
};

static __always_inline struct file_record *file_record_of(struct writing *w)
{
	__u64 at = w->used;

	barrier_var(at);
	return at > BATCH_MOST ? 0 : (struct file_record *)(w->bytes + at);
}

/* Adds a NUL-terminated name behind the record. */
static __always_inline bool add_name(struct writing *w, const unsigned char *name)
{
	__u64 at = w->at;
	long got;

	barrier_var(at);
	if (at > BATCH_MOST + sizeof(struct file_record) + NAMES_MOST)
		return false;
	got = bpf_probe_read_kernel_str(w->bytes + at, NAME_BYTES, name);
	if (got <= 0)
		return false;
	w->at += got;
	return true;
}

/* The path's components from the innermost out. The place on the way is kept in the map: the
 * verifier's states converge. */
static __always_inline void put_path(struct writing *w, struct file_record *record, struct dentry *dentry,
				     struct vfsmount *vfsmount)
{
	struct mount *mount = (struct mount *)((char *)vfsmount - bpf_core_field_offset(struct mount, mnt));

	w->from = (__u64)dentry;
	w->iov = (__u64)mount;
	#pragma clang loop unroll(disable)
	for (int i = 0; i < STEPS_MOST; i++) {
		struct dentry *here, *above;
		struct mount *on;

		/* What the first turn has in registers is read anew: no jump into the middle of the loop, which
		 * kernels before 6.6 or so take for an endless one. */
		barrier();
		here = (struct dentry *)w->from;
		on = (struct mount *)w->iov;
		if (here == BPF_CORE_READ(on, mnt.mnt_root)) {
			struct mount *parent = BPF_CORE_READ(on, mnt_parent);

			if (parent == on) {
				record->how |= FILE_WHOLE;
				return;
			}
			w->from = (__u64)BPF_CORE_READ(on, mnt_mountpoint);
			w->iov = (__u64)parent;
			continue;
		}
		above = BPF_CORE_READ(here, d_parent);
		if (!add_name(w, BPF_CORE_READ(here, d_name.name)))
			return;
		record->names++;
		if (above == here)
			return;
		w->from = (__u64)above;
	}
}

static __always_inline __u64 inode_of_sock(struct sock *sk)
{
	struct socket *socket = BPF_CORE_READ(sk, sk_socket);
	struct socket_alloc *both;

	if (!socket)
		return 0;
	both = (struct socket_alloc *)((char *)socket - bpf_core_field_offset(struct socket_alloc, socket));
	return BPF_CORE_READ(both, vfs_inode.i_ino);
}

static __always_inline void put_socket(struct writing *w, struct file_record *record, struct socket *socket)
{
	struct sock *sk = BPF_CORE_READ(socket, sk);
	struct proto *proto = BPF_CORE_READ(sk, sk_prot_creator);

	if (!sk)
		return;
	record->family = BPF_CORE_READ(sk, __sk_common.skc_family);
	record->protocol = BPF_CORE_READ(sk, sk_protocol);
	record->state = BPF_CORE_READ(sk, __sk_common.skc_state);
	bpf_probe_read_kernel_str(record->proto, sizeof(record->proto), &proto->name);
	switch (record->family) {
	case 1: {
		if (!bpf_core_type_exists(struct unix_sock))
			break;
		struct unix_sock *own = (struct unix_sock *)sk;
		struct sock *peer = BPF_CORE_READ(own, peer);
		struct unix_address *address = BPF_CORE_READ(own, addr);

		if (peer)
			record->peer = inode_of_sock(peer);
		if (address) {
			__u64 length = BPF_CORE_READ(address, len);
			__u64 at = w->at;

			barrier_var(at);
			if (within(length, 3, MAX_ADDRESS - 1) && at <= BATCH_MOST + sizeof(*record) + NAMES_MOST) {
				if (!bpf_probe_read_kernel(w->bytes + at, length, &address->name)) {
					w->at += length;
					record->address = length;
				}
			}
		}
		break;
	}
	case 2:
		BPF_CORE_READ_INTO((__u32 *)record->source, sk, __sk_common.skc_rcv_saddr);
		BPF_CORE_READ_INTO((__u32 *)record->target, sk, __sk_common.skc_daddr);
		break;
	case 10:
		BPF_CORE_READ_INTO((struct in6_addr *)record->source, sk, __sk_common.skc_v6_rcv_saddr);
		BPF_CORE_READ_INTO((struct in6_addr *)record->target, sk, __sk_common.skc_v6_daddr);
		break;
	case 16: {
		if (!bpf_core_type_exists(struct netlink_sock))
			break;
		struct netlink_sock *netlink = (struct netlink_sock *)sk;

		record->peer = BPF_CORE_READ(netlink, portid);
		break;
	}
	}
	if (record->family == 2 || record->family == 10) {
		record->source_port = BPF_CORE_READ(sk, __sk_common.skc_num);
		record->target_port = BPF_CORE_READ(sk, __sk_common.skc_dport);
	}
}

enum { S_IFMT = 0170000, S_IFDIR = 0040000 };

/* Writes the record of one file into this CPU's place, which the caller has taken. */
static __always_inline void put_file(struct writing *w, struct task_struct *task, int fd, __u32 how,
				     struct dentry *dentry, struct vfsmount *mount, struct file *file)
{
	struct file_record *record = file_record_of(w);
	struct inode *inode = file ? BPF_CORE_READ(file, f_inode) : BPF_CORE_READ(dentry, d_inode);
	__u64 at;

	if (!record || !inode)
		return;
	__builtin_memset(record, 0, sizeof(*record));
	record->kind = RECORD_FILE;
	record->time = bpf_ktime_get_boot_ns();
	record->tid = BPF_CORE_READ(task, pid);
	record->tgid = BPF_CORE_READ(task, tgid);
	record->fd = fd;
	record->how = how;
	record->magic = BPF_CORE_READ(inode, i_sb, s_magic);
	record->ino = BPF_CORE_READ(inode, i_ino);
	record->mode = BPF_CORE_READ(inode, i_mode);
	record->rdev = BPF_CORE_READ(inode, i_rdev);
	/* The root of a mount is in no directory, and is not gone for that. */
	if (!BPF_CORE_READ(dentry, d_hash.pprev) &&
	    !((record->mode & S_IFMT) == S_IFDIR && BPF_CORE_READ(dentry, d_parent) == dentry))
		record->how |= FILE_UNHASHED;
	w->at = w->used + sizeof(*record);
	if (file && record->magic == SOCKFS) {
		put_socket(w, record, BPF_CORE_READ(file, private_data));
	} else {
		struct pid *pid = record->magic == PIDFS ? BPF_CORE_READ(inode, i_private)
				  : file ? BPF_CORE_READ(file, private_data) : 0;

		if (pid)
			record->peer = BPF_CORE_READ(pid, numbers[0].nr);
		put_path(w, record, dentry, mount);
	}
	at = w->at;
	barrier_var(at);
	if (at > BATCH_MOST + sizeof(*record) + NAMES_MOST + NAME_BYTES)
		return;
	*(__u64 *)(w->bytes + at) = 0;
	at = (at + 7) & ~7ull;
	record->size = at - w->used;
	w->used = at;
	w->records++;
}

/* A descriptor of the task in w->task. A function of its own: verified once, and so without pointers. */
__noinline int tell_file(int fd, __u32 how)
{
	struct writing *w = my_writing();
	struct task_struct *task = w ? (struct task_struct *)w->task : 0;
	struct fdtable *table;
	unsigned long bits = 0;
	struct file *file = 0;
	struct file **files;

	if (!task)
		return 0;
	if (fd == FD_CWD) {
		struct fs_struct *fs = BPF_CORE_READ(task, fs);

		if (fs)
			put_file(w, task, fd, how, BPF_CORE_READ(fs, pwd.dentry), BPF_CORE_READ(fs, pwd.mnt), 0);
		return 0;
	}
	table = BPF_CORE_READ(task, files, fdt);
	if (fd < 0 || !table || fd >= BPF_CORE_READ(table, max_fds))
		return 0;
	files = BPF_CORE_READ(table, fd);
	if (bpf_probe_read_kernel(&file, sizeof(file), files + fd) || !file)
		return 0;
	if (!bpf_probe_read_kernel(&bits, sizeof(bits), BPF_CORE_READ(table, close_on_exec) + fd / 64) &&
	    bits >> (fd & 63) & 1)
		how |= FILE_CLOEXEC;
	put_file(w, task, fd, how, BPF_CORE_READ(file, f_path.dentry), BPF_CORE_READ(file, f_path.mnt), file);
	return 0;
}

/* One file of a task, into the ring of its slot. */
static __always_inline void send_file(void *ctx, __u32 slot, struct task_struct *task, int fd, enum file_how how)
{
	struct writing *w = begin_writing(ctx, slot, task);

	if (!w)
		return;
	w->task = (__u64)task;
	tell_file(fd, how);
	end_writing(w);
}

/* Calls that make descriptors: what the new ones stand for goes in front of the call's own record. */
SEC("tp_btf/sys_exit")
int exit_file(__u64 *ctx)
{
	struct task_state *state = state_of(me(), false);
	struct pt_regs *regs = registers_of(ctx);
	const volatile struct plan *plan;
	__u64 args[6];
	int pair[2];
	long ret = result_of(ctx);

	if (!state || !state->slot)
		return 0;
	plan = plan_at(state->plan);
	switch (plan->files) {
	case FILES_RESULT:
		if (ret >= 0)
			send_file(ctx, state->slot, me(), ret, FILE_BY_CALL);
		break;
	case FILES_CWD:
		if (!ret)
			send_file(ctx, state->slot, me(), FD_CWD, FILE_BY_CALL);
		break;
	case FILES_ARG:
		arguments(regs, state->flags & FLAG_COMPAT, args);
		send_file(ctx, state->slot, me(), args[0], FILE_BY_CALL);
		break;
	case FILES_PAIR:
		arguments(regs, state->flags & FLAG_COMPAT, args);
		if (ret >= 0 && !bpf_probe_read_user(pair, sizeof(pair), (void *)(plan->pair_arg ? args[3] : args[0]))) {
			send_file(ctx, state->slot, me(), pair[0], FILE_BY_CALL);
			send_file(ctx, state->slot, me(), pair[1], FILE_BY_CALL);
		}
		break;
	default:
		break;
	}
	return write(ctx, regs, ret, AT_EXIT, WRITER_FILE, me(), state);
}

/* All that a task brings with it. */
static __always_inline void send_files(void *ctx, __u32 slot, struct task_struct *task)
{
	send_file(ctx, slot, task, FD_CWD, FILE_AS_IS);
	#pragma clang loop unroll(disable)
	for (int fd = 0; fd < JOIN_FDS; fd++)
		send_file(ctx, slot, task, fd, FILE_AS_IS);
}
