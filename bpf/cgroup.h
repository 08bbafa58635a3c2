/* SPDX-License-Identifier: MIT OR GPL-2.0-only */
/* Cgroups that come and go below recorded ones, and tasks that move into them. */
#pragma once

/* The v1 hierarchies fire these hooks too, with ids of their own; v2 is hierarchy 0. */
static __always_inline bool is_v2(struct cgroup *cgroup)
{
	return cgroup->root->hierarchy_id == 0;
}

static __always_inline bool fits(const struct name_rule *rule, const char *name, __u32 length)
{
	__u8 window[NAME_TEXT] = {};
	__u32 wanted = rule->length, at = 0;

	if (wanted > length || wanted > NAME_TEXT)
		return false;
	if (rule->where == NAME_WHOLE && wanted != length)
		return false;
	if (rule->where == NAME_SUFFIX)
		at = length - wanted;
	if (wanted && bpf_probe_read_kernel(window, wanted, name + at))
		return false;
	for (int i = 0; i < NAME_TEXT; i++) {
		if (i < wanted && window[i] != rule->text[i])
			return false;
	}
	return true;
}

static __always_inline enum name_kind kind_of_name(const char *name, __u32 length)
{
	for (__u32 i = 0; i < NAME_RULES; i++) {
		__u32 key = i;
		struct name_rule *rule = bpf_map_lookup_elem(&name_rules, &key);

		if (!rule || rule->where == NAME_NOWHERE)
			break;
		if (fits(rule, name, length))
			return rule->kind;
	}
	return NAME_LEAF;
}

static __always_inline bool is_pooled(__u32 slot)
{
	return slot != lobby && slot != rest;
}

/* A slot that is ready, or the lobby: never none. */
static __always_inline __u32 take_slot(void)
{
	__u32 slot = 0;

	if (!bpf_map_pop_elem(&pool, &slot) && slot)
		return slot;
	count(pool_empty);
	return lobby;
}

/* Where the records of a cgroup go whose parent is parted: by its name. */
static __always_inline __u32 part(const char *name, __u32 length)
{
	switch (kind_of_name(name, length)) {
	case NAME_PASS: return rest | CGROUP_PARTED;
	case NAME_BOTH: return take_slot() | CGROUP_PARTED;
	default: return take_slot();
	}
}

static __always_inline void fill_made(struct notice *notice, struct cgroup *cgroup, __u64 parent, __u32 slot, bool own)
{
	long length;

	fill_notice(notice, NOTICE_MADE, cgroup->kn->id, slot);
	notice->own = own;
	notice->parent = parent;
	length = bpf_probe_read_kernel_str(notice->name, sizeof(notice->name), cgroup->kn->name);
	notice->length = length > 0 ? length - 1 : 0;
}

/* parted: the cgroup above only holds others, so that this one has a name of its own. */
static __always_inline void tell_made(struct cgroup *cgroup, __u64 parent, __u32 slot, bool parted)
{
	__u32 number = slot & ~CGROUP_PARTED;
	bool own = parted && is_pooled(number);
	struct notice *owner = own ? bpf_map_lookup_elem(&owners, &number) : 0;
	struct notice *notice = bpf_ringbuf_reserve(&notices, sizeof(*notice), 0);

	if (owner)
		fill_made(owner, cgroup, parent, slot, own);
	if (notice) {
		fill_made(notice, cgroup, parent, slot, own);
		bpf_ringbuf_submit(notice, 0);
		return;
	}
	count(notices_lost);
	if (parted && number == lobby)
		count(unnamed);
}

SEC("tp_btf/cgroup_mkdir")
int on_mkdir(__u64 *ctx)
{
	struct cgroup *cgroup = (struct cgroup *)ctx[0];
	struct cgroup_subsys_state *above = cgroup->self.parent;
	__u64 id = cgroup->kn->id, parent;
	__u32 *given, *own, slot;

	if (!is_v2(cgroup) || !above)
		return 0;
	parent = above->cgroup->kn->id;
	given = bpf_map_lookup_elem(&cgroups, &parent);
	if (!given || !*given)
		return 0;
	slot = *given;
	if (watching && (slot & CGROUP_PARTED)) {
		char name[CGROUP_NAME_MOST];
		long length = bpf_probe_read_kernel_str(name, sizeof(name), cgroup->kn->name);

		slot = part(cgroup->kn->name, length > 0 ? length - 1 : 0);
	}
	if (bpf_map_update_elem(&cgroups, &id, &slot, BPF_ANY))
		count(cgroups_full);
	if (cgroup_storage) {
		own = bpf_cgrp_storage_get(&cgroup_slots, cgroup, 0, BPF_LOCAL_STORAGE_GET_F_CREATE);
		if (own)
			*own = slot;
	}
	if (watching)
		tell_made(cgroup, parent, slot, *given & CGROUP_PARTED);
	return 0;
}

SEC("tp_btf/cgroup_rmdir")
int on_rmdir(__u64 *ctx)
{
	struct cgroup *cgroup = (struct cgroup *)ctx[0];
	__u64 id = cgroup->kn->id;
	struct notice *notice;

	if (!is_v2(cgroup))
		return 0;
	if (bpf_map_delete_elem(&cgroups, &id) || !watching)
		return 0;
	notice = begin_notice(NOTICE_REMOVED, id, 0);
	if (notice)
		bpf_ringbuf_submit(notice, 0);
	return 0;
}

/* A task joins inside its write() to cgroup.procs: with a state, the end of that call is recorded. */
SEC("tp_btf/cgroup_attach_task")
int on_attach(__u64 *ctx)
{
	struct cgroup *cgroup = (struct cgroup *)ctx[0];
	struct task_struct *task = (struct task_struct *)ctx[2];
	struct task_record record;
	struct task_state *state;
	__u32 slot;

	if (followed_slot || !is_v2(cgroup))
		return 0;
	slot = slot_of_cgroup(cgroup);
	/* The end of a call that it is inside of is the new cgroup's. */
	state = state_of(task, slot != 0);
	if (state) {
		state->moved = 1;
		state->watched = 0;
	} else if (slot) {
		count(stateless);
	}
	if (!slot)
		return 0;
	fill(&record, RECORD_JOIN, task);
	output_in_order(ctx, slot, &record, sizeof(record));
	if (tell_files)
		send_files(ctx, slot, task);
	return 0;
}
