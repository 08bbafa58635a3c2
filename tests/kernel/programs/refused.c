/* Calls that answer in a structure also where they refuse it, and arguments that have no name. */
#define _GNU_SOURCE
#include <asm/ldt.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <linux/perf_event.h>
#include <linux/sched/types.h>
#include <linux/seccomp.h>
#include <string.h>
#include <sys/personality.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

static void clocks(void)
{
	struct timespec t;
	clockid_t mine;

	clock_getcpuclockid(getpid(), &mine);
	syscall(SYS_clock_gettime, mine, &t);
	syscall(SYS_clock_gettime, -1, &t);
	syscall(SYS_clock_getres, CLOCK_THREAD_CPUTIME_ID, &t);
}

static void capabilities(void)
{
	struct __user_cap_header_struct header = { 0x12345, 0 };
	struct __user_cap_data_struct data[2] = { 0 };

	syscall(SYS_capget, &header, data);
	header.version = 0;
	syscall(SYS_capget, &header, 0);
	header.version = _LINUX_CAPABILITY_VERSION_3;
	syscall(SYS_capget, &header, data);
	header.version = 0x777;
	syscall(SYS_capset, &header, data);
}

static void sizes(void)
{
	struct sched_attr sched = { .size = 500 };
	struct perf_event_attr perf;

	syscall(SYS_sched_setattr, 0, &sched, 0);
	sched.size = 4;
	syscall(SYS_sched_setattr, 0, &sched, 0);
	sched.size = sizeof(sched);
	sched.sched_policy = 77;
	syscall(SYS_sched_setattr, 0, &sched, 0);
	memset(&perf, 0, sizeof(perf));
	perf.size = 4096;
	syscall(SYS_perf_event_open, &perf, 0, -1, -1, 0);
	perf.size = 3;
	syscall(SYS_perf_event_open, &perf, 0, -1, -1, 0);
	perf.size = sizeof(perf);
	perf.type = 99;
	syscall(SYS_perf_event_open, &perf, 0, -1, -1, PERF_FLAG_FD_CLOEXEC);
}

static void segments(void)
{
	struct user_desc segment = { 0 };

	syscall(SYS_modify_ldt, 1, &segment, sizeof(segment));
	syscall(SYS_modify_ldt, 1, &segment, 3);
	syscall(SYS_modify_ldt, 99, &segment, sizeof(segment));
	segment.entry_number = 99999;
	syscall(SYS_modify_ldt, 1, &segment, sizeof(segment));
}

int main(void)
{
	char buffer[64] = "";

	clocks();
	capabilities();
	sizes();
	segments();
	syscall(SYS_prctl, PR_SET_SECCOMP, 1234, 0, 0, 0);
	syscall(SYS_prctl, PR_SET_SECCOMP, SECCOMP_MODE_FILTER, 0, 3, 4);
	syscall(SYS_prctl, PR_GET_SPECULATION_CTRL, 0, 0, 0, 0);
	syscall(SYS_syslog, 10, buffer, 16);
	syscall(SYS_syslog, 99, buffer, 5);
	fcntl(1, F_SETFD, FD_CLOEXEC);
	fcntl(1, F_GETFD);
	fcntl(1, F_GETFL);
	personality(0xffffffff);
	syscall(SYS_ioprio_set, 1, 0, 0x4003);
	syscall(SYS_ioprio_get, 1, 0);
	syscall(SYS_memfd_create, "a", 0);
	syscall(SYS_memfd_create, "b", 7);
	syscall(SYS_statx, AT_FDCWD, "/etc", AT_EMPTY_PATH | AT_STATX_FORCE_SYNC, 0xfff, 0);
	return 0;
}
