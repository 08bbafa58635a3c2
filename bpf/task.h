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

/*
 * The contexts of sys_enter, sys_exit and sched_process_exit: a typed tracepoint's arguments, or a classic
 * one's record, in which the number and the result stand behind a word that is not for programs.
 */
static __always_inline struct pt_regs *registers_of(__u64 *ctx)
{
	return classic ? (struct pt_regs *)bpf_task_pt_regs(me()) : (struct pt_regs *)ctx[0];
}

/* The task of sched_process_exit, which is the one that runs. */
static __always_inline struct task_struct *ending(__u64 *ctx)
{
	return classic ? me() : (struct task_struct *)ctx[0];
}

static __always_inline __u32 number_of(__u64 *ctx)
{
	return ctx[1];
}

static __always_inline long result_of(__u64 *ctx)
{
	long result;

	if (!classic)
		return ctx[1];
	/* As it stands: clang would choose between the addresses, and the verifier wants constants. */
	asm volatile("%0 = *(u64 *)(%1 + 16)" : "=r"(result) : "r"(ctx));
	return result;
}

/* of_task(task, a, b) is task->a->b, whichever kind of pointer it is. */
#define of_task(task, ...)                                                             \
	(typed_task ? ___arrow(task, ##__VA_ARGS__) : BPF_CORE_READ(task, ##__VA_ARGS__))
