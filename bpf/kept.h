/* SPDX-License-Identifier: MIT OR GPL-2.0-only */
/*
 * What is left of a unit's calls when recording all of them costs more than it may: those that a history keeps longest,
 * as userspace has summed them up by number, or none. The others are counted.
 */
#pragma once

enum { AGAIN = 11, INTERRUPTED = 4, TIME_OVER = 110, IN_PROGRESS_ALREADY = 114, IN_PROGRESS = 115 };
/* include/uapi/asm-generic/fcntl.h: O_WRONLY, O_RDWR, O_CREAT, O_TRUNC. */
enum { OPENS_FOR_WRITING = 01 | 02 | 0100 | 01000 };

static __always_inline void skip_call(__u32 slot)
{
	__u32 index = slot * cpus + bpf_get_smp_processor_id();
	struct tally *tally = bpf_map_lookup_elem(&tallies, &index);

	if (tally)
		tally->skipped++;
}

/* Other than "not yet" and "again". */
static __always_inline bool has_failed(long ret, bool timed)
{
	if (ret >= 0 || ret < -ERRNO_MOST || (ret <= -RESTART_FIRST && ret >= -RESTART_LAST))
		return false;
	if (ret == -AGAIN || ret == -INTERRUPTED || ret == -IN_PROGRESS || ret == -IN_PROGRESS_ALREADY)
		return false;
	return !timed || ret != -TIME_OVER;
}

static __always_inline bool is_kept(const struct task_state *state, struct pt_regs *regs, long ret)
{
	bool compat = state->flags & FLAG_COMPAT;
	__u32 index = plan_index(state->nr, compat);
	const struct kept_call *call = bpf_map_lookup_elem(&kept_calls, &index);

	if (!call)
		return true;
	if ((call->kept & KEPT_ALWAYS) || ((call->kept & KEPT_FAILED) && has_failed(ret, call->kept & KEPT_TIMED)))
		return true;
	if ((call->kept & KEPT_SLOW) && !(state->flags & FLAG_NO_ENTER) &&
	    bpf_ktime_get_boot_ns() - state->entered >= call->least)
		return true;
	if (call->kept & KEPT_WRITING) {
		__u64 args[8] = {};

		arguments(regs, compat, args);
		return args[call->flags_arg & 7] & OPENS_FOR_WRITING;
	}
	return false;
}
