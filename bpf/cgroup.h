/* SPDX-License-Identifier: MIT OR GPL-2.0-only */
/* Cgroups that come and go below recorded ones, and tasks that move into them. */
#pragma once

/* The v1 hierarchies fire these hooks too, with ids of their own; v2 is hierarchy 0. */
static __always_inline bool is_v2(struct cgroup *cgroup)
{
	return cgroup->root->hierarchy_id == 0;
}

SEC("tp_btf/cgroup_mkdir")
int on_mkdir(__u64 *ctx)
{
	struct cgroup *cgroup = (struct cgroup *)ctx[0];
	struct cgroup_subsys_state *above = cgroup->self.parent;
	__u64 id = cgroup->kn->id, parent;
	__u32 *slot, *own;

	if (!is_v2(cgroup) || !above)
		return 0;
	parent = above->cgroup->kn->id;
	slot = bpf_map_lookup_elem(&cgroups, &parent);
	if (!slot || !*slot)
		return 0;
	bpf_map_update_elem(&cgroups, &id, slot, BPF_ANY);
	if (cgroup_storage) {
		own = bpf_cgrp_storage_get(&cgroup_slots, cgroup, 0, BPF_LOCAL_STORAGE_GET_F_CREATE);
		if (own)
			*own = *slot;
	}
	return 0;
}

SEC("tp_btf/cgroup_rmdir")
int on_rmdir(__u64 *ctx)
{
	struct cgroup *cgroup = (struct cgroup *)ctx[0];
	__u64 id = cgroup->kn->id;

	if (is_v2(cgroup))
		bpf_map_delete_elem(&cgroups, &id);
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

	if (!is_v2(cgroup))
		return 0;
	slot = slot_of_cgroup(cgroup);
	if (!slot)
		return 0;
	state = state_of(task, true);
	if (state && task == me())
		state->slot = 0;
	fill(&record, RECORD_JOIN, task);
	output(ctx, slot, &record, sizeof(record), 1, 0);
	if (tell_files)
		send_files(ctx, slot, task);
	return 0;
}
