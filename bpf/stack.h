/* SPDX-License-Identifier: MIT OR GPL-2.0-only */
/*
 * Where in the program a call was made: the user's stack, by frame pointers, as offsets in files that
 * are known by their build ids. Only where a recording asks for it. A stack goes in front of the call's own record.
 *
 * A file is told once, in the map of modules; a frame names it by number. The path is taken then, from the
 * mapping itself, so that nothing has to be asked of the process later.
 */
#pragma once

/* bpf_get_stack */
enum {
	USER_STACK = 1 << 8,
	USER_BUILD_ID = 1 << 11,
	BUILD_ID_VALID = 1,
	BUILD_ID_SIZE = 20,
	CALLER = FRAMES_MOST,	/* the place of what is no frame pointer's */
	VM_EXEC = 4,
	ENOENT = 2,
};

#define FRAME_MASK ((1ull << FRAME_SHIFT) - 1)

/* What is used of a mapping. */
struct mapping {
	__u64 start;
	__u64 end;
	__u64 offset;
	__u64 dentry;
	__u64 mount;
	__u64 ino;
	__u64 changed;
	__u32 device;
	__u32 executable;
};

static __always_inline struct unwinding *my_unwinding(void)
{
	__u32 zero = 0;

	return bpf_map_lookup_elem(&unwindings, &zero);
}

/* Whether a call's stack is wanted at its end. */
static __always_inline bool wants_stack(const struct task_state *state, const volatile struct plan *plan, long ret)
{
	const struct profile *profile = watching ? profile_of(state->slot) : 0;
	__u32 which = profile ? profile->stacks : stacks;
	bool failed = ret < 0 && ret >= -ERRNO_MOST && !(ret <= -RESTART_FIRST && ret >= -RESTART_LAST);

	/* It was taken at the start, or the program that made the call is gone. */
	if ((plan->flags & PLAN_ALWAYS) && (which == STACKS_ALL || !failed))
		return false;
	switch (which) {
	case STACKS_ALL: return true;
	case STACKS_FAILED: return failed;
	case STACKS_SLOWER:
		return !(state->flags & FLAG_NO_ENTER) && bpf_ktime_get_boot_ns() - state->entered >=
					       (profile ? profile->stacks_slower : stacks_slower);
	default: return false;
	}
}

static __always_inline __u64 changed(struct inode *inode)
{
	struct inode___before_6_11 *old = (void *)inode;
	struct inode___before_6_7 *older = (void *)inode;

	if (bpf_core_field_exists(inode->i_ctime_sec))
		return BPF_CORE_READ(inode, i_ctime_sec);
	if (bpf_core_field_exists(old->__i_ctime))
		return BPF_CORE_READ(old, __i_ctime.tv_sec);
	if (bpf_core_field_exists(older->i_ctime))
		return BPF_CORE_READ(older, i_ctime.tv_sec);
	return 0;
}

static long note_mapping(struct task_struct *task, struct vm_area_struct *vma, struct mapping *to)
{
	struct file *file = vma->vm_file;
	struct inode *inode;

	to->start = vma->vm_start;
	to->end = vma->vm_end;
	to->offset = vma->vm_pgoff << 12;
	to->executable = vma->vm_flags & VM_EXEC;
	if (!file)
		return 0;
	inode = BPF_CORE_READ(file, f_inode);
	to->dentry = (__u64)BPF_CORE_READ(file, f_path.dentry);
	to->mount = (__u64)BPF_CORE_READ(file, f_path.mnt);
	to->ino = BPF_CORE_READ(inode, i_ino);
	to->device = BPF_CORE_READ(inode, i_sb, s_dev);
	to->changed = changed(inode);
	return 0;
}

/* The components of the file's path, the innermost first. */
static __always_inline void name_module(struct unwinding *u, const struct mapping *from)
{
	u->dentry = from->dentry;
	u->mount = (__u64)((char *)from->mount - bpf_core_field_offset(struct mount, mnt));
	u->module.length = 0;
	#pragma clang loop unroll(disable)
	for (int i = 0; i < STEPS_MOST; i++) {
		struct dentry *here, *above;
		struct mount *on;
		__u64 at;
		long got;

		barrier();
		here = (struct dentry *)u->dentry;
		on = (struct mount *)u->mount;
		if (here == BPF_CORE_READ(on, mnt.mnt_root)) {
			struct mount *parent = BPF_CORE_READ(on, mnt_parent);

			if (parent == on)
				return;
			u->dentry = (__u64)BPF_CORE_READ(on, mnt_mountpoint);
			u->mount = (__u64)parent;
			continue;
		}
		above = BPF_CORE_READ(here, d_parent);
		if (above == here)
			return;
		at = u->module.length;
		barrier_var(at);
		if (at > MODULE_NAMES)
			return;
		got = bpf_probe_read_kernel_str(u->module.names + at, NAME_BYTES, BPF_CORE_READ(here, d_name.name));
		if (got <= 0)
			return;
		u->module.length += got;
		u->dentry = (__u64)above;
	}
}

/* The number of a module; it is told first if it is new. 0: there is no room. */
static __always_inline __u32 number_module(struct unwinding *u, const struct module_key *key,
					   const struct mapping *from)
{
	struct module *known = bpf_map_lookup_elem(&modules, key);
	__u32 number;

	if (known)
		return known->number;
	number = u->made * cpus + bpf_get_smp_processor_id() + 1;
	if (number > MODULES_LAST) {
		count(modules_full);
		return 0;
	}
	name_module(u, from);
	u->module.number = number;
	if (bpf_map_update_elem(&modules, key, &u->module, BPF_NOEXIST)) {
		/* Another CPU was faster, or there is no room. */
		known = bpf_map_lookup_elem(&modules, key);
		if (known)
			return known->number;
		count(modules_full);
		return 0;
	}
	u->made++;
	return number;
}

/*
 * A place of u->addresses as a frame: u->encoded. 0: nothing is there that could run, so nothing behind it is a frame.
 * A function of its own: verified once.
 */
__noinline int encode_frame(__u32 i)
{
	struct unwinding *u = my_unwinding();
	struct bpf_stack_build_id *frame;
	struct module_key key = {};
	struct mapping mapping = {};
	struct module *known;
	__u32 number = 0;
	__u64 address;
	long error;

	if (!u || i > CALLER)
		return 0;
	frame = &u->frames[i];
	address = u->addresses[i];
	u->encoded = address;
	if (frame->status == BUILD_ID_VALID) {
		/* The kernel takes the next mapping for an address that is in none: the offset is negative then. */
		if (frame->offset >> FRAME_SHIFT)
			return 0;
		__builtin_memcpy(key.id, frame->build_id, BUILD_ID_SIZE);
		known = bpf_map_lookup_elem(&modules, &key);
		if (known) {
			u->encoded = (__u64)known->number << FRAME_SHIFT | (frame->offset & FRAME_MASK);
			return 1;
		}
	}
	error = bpf_find_vma(bpf_get_current_task_btf(), address, note_mapping, &mapping, 0);
	/* The mappings are being changed: the address is all there is. */
	if (error)
		return error != -ENOENT && address >> FRAME_SHIFT == 0;
	if (!mapping.executable)
		return 0;
	if (!mapping.dentry)
		return 1;
	if (frame->status != BUILD_ID_VALID) {
		key.kind = MODULE_FILE;
		__builtin_memcpy(key.id, &mapping.ino, 8);
		__builtin_memcpy(key.id + 8, &mapping.changed, 8);
		__builtin_memcpy(key.id + 16, &mapping.device, 4);
	}
	number = number_module(u, &key, &mapping);
	if (number)
		u->encoded = (__u64)number << FRAME_SHIFT |
			     ((address - mapping.start + mapping.offset) & FRAME_MASK);
	return 1;
}

#if defined(__TARGET_ARCH_x86)

/* Whether the seven bytes before an address end with a call: e8, or ff /2 with its ways of addressing. */
static __always_inline bool is_behind_call(const __u8 *code)
{
	return code[2] == 0xe8 || (code[5] == 0xff && (code[6] & 0x38) == 0x10) ||
	       (code[4] == 0xff && (code[5] & 0x38) == 0x10) || (code[3] == 0xff && (code[4] & 0x38) == 0x10) ||
	       (code[1] == 0xff && (code[2] & 0x38) == 0x10) || (code[0] == 0xff && (code[1] & 0x38) == 0x10);
}

/*
 * A function that makes no frame of its own, as libc's for system calls, leaves its caller out of the chain of frame
 * pointers: its return address is the word at the stack pointer, if a call stands before what it points to.
 */
static __always_inline __u64 caller_of(struct pt_regs *regs, bool compat)
{
	__u8 code[8] = {};
	__u64 word = 0;

	if (compat)
		return 0;
	if (bpf_probe_read_user(&word, sizeof(word), (void *)stack_pointer(regs)) || word < 4096 ||
	    word >> FRAME_SHIFT)
		return 0;
	if (bpf_probe_read_user(code, 7, (void *)(word - 7)) || !is_behind_call(code))
		return 0;
	return word;
}

#else

static __always_inline __u64 caller_of(struct pt_regs *regs, bool compat)
{
	return 0;
}

#endif

/* The caller as a frame: a module that another frame is in is that module. */
__noinline int encode_caller(__u32 frames)
{
	struct unwinding *u = my_unwinding();
	struct mapping mapping = {};
	__u64 address;

	if (!u)
		return 0;
	address = u->addresses[CALLER];
	if (bpf_find_vma(bpf_get_current_task_btf(), address, note_mapping, &mapping, 0) || !mapping.executable)
		return 0;
	for (__u32 i = 0; i < FRAMES_MOST; i++) {
		__u64 beside = u->addresses[i];

		if (i >= frames)
			break;
		if (beside >= mapping.start && beside < mapping.end && u->found[i] >> FRAME_SHIFT) {
			u->encoded = u->found[i] + (address - beside);
			return 1;
		}
	}
	u->frames[CALLER].status = 0;
	return encode_frame(CALLER);
}

/* Takes the stack apart; how many frames there are, without the caller that no frame pointer tells. */
static __always_inline __u32 unwind(void *ctx, struct unwinding *u)
{
	long with_ids = bpf_get_stack(ctx, u->frames, FRAMES_MOST * sizeof(u->frames[0]), USER_STACK | USER_BUILD_ID);
	long plain = bpf_get_stack(ctx, u->addresses, FRAMES_MOST * sizeof(u->addresses[0]), USER_STACK);
	__u32 frames = 0;

	if (with_ids <= 0 || plain <= 0)
		return 0;
	#pragma clang loop unroll(disable)
	for (__u32 i = 0; i < FRAMES_MOST; i++) {
		if (i * sizeof(u->frames[0]) >= with_ids || i * sizeof(u->addresses[0]) >= plain)
			break;
		if (!encode_frame(i))
			break;
		u->found[i] = u->encoded;
		frames = i + 1;
	}
	return frames;
}

static __always_inline void put_stack(void *ctx, struct writing *w, struct unwinding *u, struct task_struct *task,
				      struct pt_regs *regs, bool compat, __u64 time)
{
	struct stack_record *record;
	__u32 frames;
	__u64 at = w->used, size;

	barrier_var(at);
	if (at > BATCH_MOST)
		return;
	record = (struct stack_record *)(w->bytes + at);
	__builtin_memset(record, 0, sizeof(*record));
	record->kind = RECORD_STACK;
	record->time = time;
	record->tid = of_task(task, pid);
	frames = unwind(ctx, u);
	if (!frames)
		count(stacks_failed);
	record->frames = frames;
	record->flags = frames == FRAMES_MOST ? FLAG_CUT : 0;
	u->addresses[CALLER] = frames ? caller_of(regs, compat) : 0;
	if (u->addresses[CALLER] && (frames < 2 || u->addresses[CALLER] != u->addresses[1]) &&
	    encode_caller(frames))
		record->caller = u->encoded;
	size = 8 * (__u64)frames;
	if (within(size, 8, FRAMES_MOST * 8))
		bpf_probe_read_kernel(w->bytes + at + sizeof(*record), size, u->found);
	else
		size = 0;
	record->size = sizeof(*record) + size;
	w->used = at + sizeof(*record) + size;
	w->records++;
}

/* No later than the record that it belongs to. */
static __always_inline void send_stack(void *ctx, struct task_state *state, struct pt_regs *regs, __u64 time)
{
	struct unwinding *u = my_unwinding();
	struct writing *w = begin_writing(ctx, state->slot, me());

	if (!w || !u) {
		count(stacks_failed);
		if (w)
			end_writing(w);
		return;
	}
	put_stack(ctx, w, u, me(), regs, state->flags & FLAG_COMPAT, time);
	end_writing(w);
}

/* Of a call that has ended, if it is wanted; its record follows. */
SEC("tp_btf/sys_exit")
int exit_stack(__u64 *ctx)
{
	struct task_state *state = state_of(me(), false);
	struct pt_regs *regs = registers_of(ctx);
	const volatile struct plan *plan;
	enum writer writer;

	if (!state || !state->slot)
		return 0;
	plan = plan_at(state->plan);
	if (wants_stack(state, plan, result_of(ctx)))
		send_stack(ctx, state, regs, bpf_ktime_get_boot_ns());
	writer = writer_again(state, plan->writer);
	bpf_tail_call(ctx, &exit_writers, writer < WRITER_CAPTURE ? WRITER_CAPTURE : writer);
	state->slot = 0;
	return 0;
}

/* Of a call that does not return to where it was made; the record of its start follows. */
SEC("tp_btf/sys_enter")
int enter_stack(__u64 *ctx)
{
	struct task_state *state = state_of(me(), false);

	if (!state || !state->slot)
		return 0;
	send_stack(ctx, state, registers_of(ctx), state->entered);
	bpf_tail_call(ctx, &enter_writers, plan_at(state->plan)->enter_writer);
	return 0;
}
