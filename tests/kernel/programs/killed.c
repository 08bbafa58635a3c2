/* Processes whose threads each wait in a call of their own, and that end by exit, SIGKILL and SIGTERM. */
#include <linux/futex.h>
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stddef.h>
#include <sys/epoll.h>
#include <sys/select.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static int ends[2];
static int word;

static void *in_read(void *unused)
{
	char byte;

	read(ends[0], &byte, 1);
	return unused;
}

static void *in_futex(void *unused)
{
	syscall(SYS_futex, &word, FUTEX_WAIT_PRIVATE, 0, NULL, NULL, 0);
	return unused;
}

static void *in_poll(void *unused)
{
	struct pollfd end = { ends[0], POLLIN, 0 };

	poll(&end, 1, -1);
	return unused;
}

static void *in_nanosleep(void *unused)
{
	struct timespec long_time = { 100, 0 };

	nanosleep(&long_time, &long_time);
	return unused;
}

static void *in_epoll_wait(void *unused)
{
	struct epoll_event event;

	epoll_wait(epoll_create1(0), &event, 1, -1);
	return unused;
}

static void *in_accept(void *unused)
{
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	listen(fd, 1);
	accept(fd, NULL, NULL);
	return unused;
}

static void *in_select(void *unused)
{
	fd_set set;

	FD_ZERO(&set);
	FD_SET(ends[0], &set);
	select(ends[0] + 1, &set, NULL, NULL, NULL);
	return unused;
}

static void *in_pause(void *unused)
{
	pause();
	return unused;
}

static void *in_sigwait(void *unused)
{
	sigset_t set;
	int signo;

	sigemptyset(&set);
	sigaddset(&set, SIGUSR1);
	sigwait(&set, &signo);
	return unused;
}

static void *(*const waits[])(void *) = { in_read, in_futex, in_poll, in_nanosleep, in_epoll_wait,
					  in_accept, in_select, in_pause, in_sigwait };

int main(void)
{
	static const int signals[] = { 0, SIGKILL, SIGTERM };

	pipe(ends);
	for (size_t how = 0; how < sizeof(signals) / sizeof(*signals); how++) {
		pid_t child = fork();

		if (!child) {
			for (size_t i = 0; i < sizeof(waits) / sizeof(*waits); i++) {
				pthread_t thread;

				pthread_create(&thread, NULL, waits[i], NULL);
				usleep(20000);
			}
			usleep(100000);
			if (!signals[how])
				_exit(3);
			pause();
		}
		usleep(600000);
		if (signals[how])
			kill(child, signals[how]);
		waitpid(child, NULL, 0);
	}
	return 0;
}
