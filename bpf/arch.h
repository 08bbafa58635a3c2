/* SPDX-License-Identifier: MIT OR GPL-2.0-only */
/* Where an architecture keeps a system call's number and arguments. */
#pragma once

#if defined(__TARGET_ARCH_x86)

enum { TS_COMPAT = 2 };

/* getpgid, see own.h. */
enum { OWN_CALL = 121 };

static __always_inline bool is_prctl(__s32 nr, bool compat)
{
	return nr == (compat ? 172 : 157);
}

static __always_inline bool is_compat(struct task_struct *task)
{
	return of_task(task, thread_info.status) & TS_COMPAT;
}

static __always_inline int number_at_exit(struct pt_regs *regs)
{
	return regs->orig_ax;
}

static __always_inline void arguments(struct pt_regs *regs, bool compat, __u64 *args)
{
	if (compat) {
		args[0] = (__u32)regs->bx;
		args[1] = (__u32)regs->cx;
		args[2] = (__u32)regs->dx;
		args[3] = (__u32)regs->si;
		args[4] = (__u32)regs->di;
		args[5] = (__u32)regs->bp;
		return;
	}
	args[0] = regs->di;
	args[1] = regs->si;
	args[2] = regs->dx;
	args[3] = regs->r10;
	args[4] = regs->r8;
	args[5] = regs->r9;
}

static __always_inline __u64 stack_pointer(struct pt_regs *regs)
{
	return regs->sp;
}

static __always_inline __u64 instruction_pointer(struct pt_regs *regs)
{
	return regs->ip;
}

static __always_inline __u64 frame_pointer(struct pt_regs *regs)
{
	return regs->bp;
}

/* uc_sigmask above the stack pointer at the start of rt_sigreturn: behind uc_flags, uc_link,
 * uc_stack (40 bytes) and uc_mcontext (256). */
enum { SIGFRAME_MASK = 296 };

#elif defined(__TARGET_ARCH_arm64)

/* _TIF_32BIT of arch/arm64/include/asm/thread_info.h: a task that runs 32-bit code. */
enum { TIF_32BIT = 22 };

/* getpgid, see own.h. */
enum { OWN_CALL = 155 };

static __always_inline bool is_prctl(__s32 nr, bool compat)
{
	return nr == (compat ? 172 : 167);
}

static __always_inline bool is_compat(struct task_struct *task)
{
	return of_task(task, thread_info.flags) >> TIF_32BIT & 1;
}

static __always_inline int number_at_exit(struct pt_regs *regs)
{
	return regs->syscallno;
}

static __always_inline void arguments(struct pt_regs *regs, bool compat, __u64 *args)
{
	__u64 width = compat ? 0xffffffff : ~0ull;

	args[0] = regs->orig_x0 & width;
	args[1] = regs->regs[1] & width;
	args[2] = regs->regs[2] & width;
	args[3] = regs->regs[3] & width;
	args[4] = regs->regs[4] & width;
	args[5] = regs->regs[5] & width;
}

static __always_inline __u64 stack_pointer(struct pt_regs *regs)
{
	return regs->sp;
}

static __always_inline __u64 instruction_pointer(struct pt_regs *regs)
{
	return regs->pc;
}

static __always_inline __u64 frame_pointer(struct pt_regs *regs)
{
	return regs->regs[29];
}

/* struct rt_sigframe begins with a siginfo (128 bytes); uc_sigmask is 40 bytes into the ucontext. */
enum { SIGFRAME_MASK = 168 };

#endif
