/* SPDX-License-Identifier: MIT OR GPL-2.0-only */
/*
 * Whose a thread is: one user's alone, if he could trace it with ptrace(2) himself. Then all that it does from there on
 * until it executes another program is his: without a capability there is no way to another user's rights but an execve.
 * Calls that are the user's whose the slot is are marked with FLAG_USER; the first one that is seen there is.
 */
#pragma once

/* Nobody's alone: root's, of two users, with capabilities, or not to be traced. */
#define NOBODYS (~0ull)

/* Whether the kernel lets others of the same user trace a process (linux/sched/coredump.h). */
enum { MMF_DUMPABLE_MASK = 3, SUID_DUMP_USER = 1 };

static __always_inline bool is_dumpable(struct task_struct *task)
{
	struct mm_struct *mm = BPF_CORE_READ(task, mm);
	struct mm_struct___from_6_18 *newer = (void *)mm;
	unsigned long flags = 0;

	if (bpf_core_field_exists(task->exec_state))
		return BPF_CORE_READ(task, exec_state, dumpable) == TASK_DUMPABLE_OWNER;
	if (bpf_core_field_exists(mm->flags))
		bpf_core_read(&flags, sizeof(flags), &mm->flags);
	else if (bpf_core_field_exists(newer->flags))
		bpf_core_read(&flags, sizeof(flags), &newer->flags);
	return (flags & MMF_DUMPABLE_MASK) == SUID_DUMP_USER;
}

/* A thread's user, and above it his group. */
static __always_inline __u64 user_of(struct task_struct *task)
{
	const struct cred *cred = BPF_CORE_READ(task, real_cred);
	__u32 uid = BPF_CORE_READ(cred, uid.val), gid = BPF_CORE_READ(cred, gid.val);
	__u64 permitted = ~0ull;

	/* In whichever words older kernels have it. */
	if (bpf_core_read(&permitted, sizeof(permitted), &cred->cap_permitted))
		return NOBODYS;
	if (!uid || permitted || BPF_CORE_READ(cred, suid.val) != uid || BPF_CORE_READ(cred, euid.val) != uid ||
	    BPF_CORE_READ(cred, fsuid.val) != uid || BPF_CORE_READ(cred, sgid.val) != gid ||
	    BPF_CORE_READ(cred, egid.val) != gid || BPF_CORE_READ(cred, fsgid.val) != gid || !is_dumpable(task))
		return NOBODYS;
	return (__u64)gid << 32 | uid;
}

/* Whether a slot is that user's; the first one who comes has it. */
static __always_inline bool has_slot(__u32 slot, __u64 user)
{
	__u64 *known = bpf_map_lookup_elem(&users, &slot), *first;

	if (!known)
		return false;
	if (!*known) {
		/* Two may come at once: of a hash only one gets the entry. */
		bpf_map_update_elem(&first_users, &slot, &user, BPF_NOEXIST);
		first = bpf_map_lookup_elem(&first_users, &slot);
		if (!first)
			return false;
		*known = *first;
	}
	return *known == user;
}

/* FLAG_USER, if the call that begins is the slot's user's. */
static __always_inline enum record_flag flag_user(struct task_struct *task, struct task_state *state, __u32 slot, __s32 nr,
						  bool compat)
{
	__u64 user;

	if (!watching)
		return 0;
	user = state->user;
	if (!user)
		user = user_of(task);
	/* With prctl it may forbid to be traced: it is looked at again. */
	state->user = is_prctl(nr, compat) ? 0 : user;
	return user != NOBODYS && has_slot(slot, user) ? FLAG_USER : 0;
}
