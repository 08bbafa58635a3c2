/* Calls that answer in the very memory that they read from, one by one and interrupted. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <linux/aio_abi.h>
#include <mqueue.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

struct kernel_action {
	void *handler;
	unsigned long flags;
	void *restorer;
	uint64_t mask;
};

static void on_alarm(int signo) { (void)signo; }

/* Interrupts the sleep that follows. */
static void wake(void)
{
	struct itimerval soon = { .it_value = { .tv_usec = 30000 } };

	setitimer(ITIMER_REAL, &soon, 0);
}

int main(void)
{
	struct sigaction alarm = { .sa_handler = on_alarm };
	struct timespec t = { 0, 1000 };
	struct kernel_action action = { .handler = SIG_IGN };
	struct itimerval timer = { { 1, 2 }, { 300, 4 } };
	struct itimerspec spec = { { 5, 6 }, { 700, 8 } };
	struct rlimit64 { uint64_t now, most; } limit = { 1000, 2000 };
	struct mq_attr attr = { 0, 3, 64, 0 };
	stack_t stack = { .ss_flags = SS_DISABLE };
	uint64_t mask = 1 << (SIGUSR1 - 1);
	char path[64] = "/proc/self/exe";
	aio_context_t context = 0;
	struct iocb block = { 0 }, *blocks[] = { &block, &block };
	struct io_event events[2];
	char name[32];
	int fd, id;

	sigaction(SIGALRM, &alarm, 0);
	syscall(SYS_nanosleep, &t, &t);
	t = (struct timespec){ 5, 0 };
	wake();
	syscall(SYS_nanosleep, &t, &t);
	t = (struct timespec){ 6, 0 };
	wake();
	syscall(SYS_clock_nanosleep, CLOCK_MONOTONIC, 0, &t, &t);
	clock_gettime(CLOCK_MONOTONIC, &t);
	t.tv_sec += 7;
	wake();
	syscall(SYS_clock_nanosleep, CLOCK_MONOTONIC, TIMER_ABSTIME, &t, &t);
	syscall(SYS_rt_sigaction, SIGUSR2, &action, &action, 8);
	syscall(SYS_rt_sigprocmask, SIG_BLOCK, &mask, &mask, 8);
	syscall(SYS_rt_sigprocmask, SIG_SETMASK, &mask, &mask, 8);
	syscall(SYS_sigaltstack, &stack, &stack);
	syscall(SYS_setitimer, ITIMER_VIRTUAL, &timer, &timer);
	syscall(SYS_setitimer, ITIMER_VIRTUAL, &timer, &timer);
	syscall(SYS_timer_create, CLOCK_MONOTONIC, 0, &id);
	syscall(SYS_timer_settime, id, 0, &spec, &spec);
	fd = timerfd_create(CLOCK_MONOTONIC, 0);
	spec = (struct itimerspec){ { 9, 10 }, { 110, 12 } };
	syscall(SYS_timerfd_settime, fd, 0, &spec, &spec);
	syscall(SYS_timerfd_settime, fd, 0, (char *)&spec, (char *)&spec);
	syscall(SYS_prlimit64, 0, RLIMIT_NPROC, &limit, &limit);
	snprintf(name, sizeof(name), "traceloop-%d", getpid());
	fd = syscall(SYS_mq_open, name, O_CREAT | O_RDWR, 0600, &attr);
	attr = (struct mq_attr){ O_NONBLOCK, 4, 5, 6 };
	syscall(SYS_mq_getsetattr, fd, &attr, &attr);
	syscall(SYS_mq_unlink, name);
	syscall(SYS_readlink, path, path, sizeof(path));
	fd = open("/dev/null", O_WRONLY);
	syscall(SYS_io_setup, 4, &context);
	block.aio_fildes = fd;
	block.aio_lio_opcode = IOCB_CMD_PWRITE;
	block.aio_buf = (uintptr_t)"a block";
	block.aio_nbytes = 7;
	syscall(SYS_io_submit, context, 2, blocks);
	syscall(SYS_io_getevents, context, 1, 2, events, 0);
	return 0;
}
