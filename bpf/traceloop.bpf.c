// SPDX-License-Identifier: MIT OR GPL-2.0-only
/*
 * The recorder's kernel side, one object: dispatch.h finds the track (followed.h: of processes that are
 * followed) and what is wanted of a call, write.h and capture.h write it down, process.h and cgroup.h what
 * happens around them, profile.h how a slot's calls are recorded, kept.h which of them at least, file.h what descriptors
 * stand for, stack.h where calls were made, uring.h what io_uring does, notice.h what userspace is told at once, user.h
 * whose calls are, rule.h of which calls, own.h of its own calls, capability.h which capabilities a refused call was without.
 */
#include "vmlinux.h"
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_core_read.h>
#include "record.h"
#include "plan.h"
#include "notice.h"
#include "maps.h"
#include "task.h"
#include "arch.h"
#include "followed.h"
#include "profile.h"
#include "track.h"
#include "user.h"
#include "capture.h"
#include "message.h"
#include "capability.h"
#include "write.h"
#include "file.h"
#include "count.h"
#include "kept.h"
#include "stack.h"
#include "rule.h"
#include "own.h"
#include "dispatch.h"
#include "process.h"
#include "cgroup.h"
#include "uring.h"

SEC("tp_btf/sys_enter")
int sys_enter(__u64 *ctx)
{
	return on_enter(ctx, registers_of(ctx), number_of(ctx));
}

SEC("tp_btf/sys_exit")
int sys_exit(__u64 *ctx)
{
	return on_exit(ctx, registers_of(ctx), result_of(ctx));
}

char LICENSE[] SEC("license") = "Dual MIT/GPL";
