/* Eight threads that make calls, fork, vfork and clone3; at the end a thread, not the leader, execs. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <linux/sched.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

enum { THREADS = 8, ROUNDS = 40 };

static void child(int status)
{
	syscall(SYS_getppid);
	_exit(status);
}

static void *work(void *number)
{
	long self = (long)number;
	char path[] = "/nonexistent-0";

	path[sizeof(path) - 2] += self;
	for (int round = 0; round < ROUNDS; round++) {
		syscall(SYS_getppid);
		open(path, O_RDONLY);
		if (round % 10 == self % 10) {
			pid_t pid = fork();

			if (pid == 0)
				child(round);
			waitpid(pid, 0, 0);
		}
		if (round % 20 == self) {
			struct clone_args args;
			pid_t pid;

			memset(&args, 0, sizeof(args));
			args.exit_signal = SIGCHLD;
			pid = syscall(SYS_clone3, &args, sizeof(args));
			if (pid == 0)
				child(round);
			waitpid(pid, 0, 0);
		}
		if (round == 20 + self) {
			pid_t pid = vfork();

			if (pid == 0) {
				execl("/bin/true", "true", (char *)0);
				_exit(1);
			}
			waitpid(pid, 0, 0);
		}
	}
	return 0;
}

/*
 * The leader is in pthread_join's futex() then. One that is on its way there when it is killed has begun a call for
 * strace and not for the kernel, or the other way round.
 */
static void wait_until_the_leader_sleeps(void)
{
	char stat[512] = "";

	while (!strstr(stat, ") S ")) {
		int fd = open("/proc/self/stat", O_RDONLY);
		ssize_t size = read(fd, stat, sizeof(stat) - 1);

		stat[size < 0 ? 0 : size] = 0;
		close(fd);
	}
}

static void *become_true(void *nothing)
{
	wait_until_the_leader_sleeps();
	execl("/bin/true", "true", "from-a-thread", (char *)0);
	return nothing;
}

int main(void)
{
	pthread_t threads[THREADS];

	for (long n = 0; n < THREADS; n++)
		pthread_create(&threads[n], 0, work, (void *)n);
	for (int n = 0; n < THREADS; n++)
		pthread_join(threads[n], 0);
	pthread_create(&threads[0], 0, become_true, 0);
	pthread_join(threads[0], 0);
	return 1;
}
