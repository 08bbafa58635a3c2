/* Dies in the way that its argument names. */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

static void die(const char *doing)
{
	perror(doing);
	exit(1);
}

static int dial(int flags)
{
	struct sockaddr_in to = { .sin_family = AF_INET, .sin_port = htons(9) };
	int fd = socket(AF_INET, SOCK_STREAM | flags, 0);

	to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	if (connect(fd, (struct sockaddr *)&to, sizeof(to)) && errno != EINPROGRESS)
		fprintf(stderr, "cannot reach the cache: %s\n", strerror(errno));
	return fd;
}

static void *worker(void *unused)
{
	pthread_setname_np(pthread_self(), "worker");
	usleep(100000);
	*(volatile int *)8 = 1;
	return unused;
}

static void again(int signo)
{
	static const char note[] = "handler: crashed\n";

	signal(signo, SIG_DFL);
	if (write(2, note, sizeof(note) - 1) > 0)
		raise(signo);
}

static int recurse(int n)
{
	volatile char room[4096];

	room[0] = n;
	return recurse(n + 1) + room[0];
}

static void forbid_mkdir(unsigned action)
{
	struct sock_filter code[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_mkdir, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, action),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	struct sock_fprog program = { sizeof(code) / sizeof(*code), code };

	prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
	if (prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program))
		die("seccomp");
	syscall(SYS_mkdir, "/tmp/forbidden", 0700);
}

static int is(const char *name, const char *wanted)
{
	return !strcmp(name, wanted);
}

int main(int argc, char **argv)
{
	const char *how = argc > 1 ? argv[1] : "";
	volatile int zero = 0, count = 0;

	if (is(how, "null"))
		*(volatile int *)8 = 1;
	if (is(how, "assert"))
		assert(count == 1);
	if (is(how, "divide"))
		return (int)getpid() / zero;
	if (is(how, "illegal"))
		__builtin_trap();
	if (is(how, "recurse"))
		return recurse(0);
	if (is(how, "bus")) {
		int fd = open(argv[2], O_RDWR | O_CREAT, 0600);
		volatile char *map = mmap(0, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);

		return map[0];
	}
	if (is(how, "thread")) {
		pthread_t thread;

		pthread_create(&thread, 0, worker, 0);
		pthread_exit(0);
	}
	if (is(how, "again")) {
		signal(SIGSEGV, again);
		*(volatile int *)0x123 = 1;
	}
	if (is(how, "alarm")) {
		alarm(1);
		pause();
	}
	if (is(how, "pipe")) {
		int ends[2];

		if (pipe(ends))
			die("pipe");
		close(ends[0]);
		return write(ends[1], "x", 1) == 1;
	}
	if (is(how, "seccomp"))
		forbid_mkdir(SECCOMP_RET_KILL_PROCESS);
	if (is(how, "seccomp-thread"))
		forbid_mkdir(SECCOMP_RET_KILL_THREAD);
	if (is(how, "descriptors")) {
		while (open("/dev/null", O_RDONLY) >= 0)
			;
		die("open /dev/null");
	}
	if (is(how, "connect")) {
		dial(0);
		*(volatile int *)8 = 1;
	}
	if (is(how, "later")) {
		int fd = dial(SOCK_NONBLOCK), error = 0;
		struct pollfd ready = { fd, POLLOUT, 0 };
		socklen_t length = sizeof(error);

		poll(&ready, 1, 1000);
		getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &length);
		return error ? 1 : 0;
	}
	if (is(how, "orphan")) {
		if (!fork()) {
			prctl(PR_SET_PDEATHSIG, SIGTERM);
			pause();
		}
		usleep(200000);
		return 0;
	}
	return 0;
}
