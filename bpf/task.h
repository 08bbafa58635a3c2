/* SPDX-License-Identifier: MIT OR GPL-2.0-only */
/* The current task, and how to read from one. */
#pragma once

static __always_inline __u32 my_tid(void)
{
	return (__u32)bpf_get_current_pid_tgid();
}

/* A pointer that the verifier knows (kernels from 5.11 on), or else one to be read with of_task only. */
static __always_inline struct task_struct *me(void)
{
	return (struct task_struct *)(typed_task ? (__u64)bpf_get_current_task_btf() : bpf_get_current_task());
}

/* of_task(task, a, b) is task->a->b, whichever kind of pointer it is. */
#define of_task(task, ...)                                                             \
	(typed_task ? ___arrow(task, ##__VA_ARGS__) : BPF_CORE_READ(task, ##__VA_ARGS__))
