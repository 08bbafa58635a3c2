/* Things that a program may do to whoever records it; argv[1] says which. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

enum { PAGE = 4096 };

/* The last `n` bytes before memory that is not there. */
static char *edge(int n)
{
	char *two = mmap(0, 2 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	munmap(two + PAGE, PAGE);
	return two + PAGE - n;
}

/* A path without an end, a buffer and an argv that run out of memory. */
static void crosses(void)
{
	char *path = edge(6), *buffer = edge(4);
	char **argv = (char **)edge(16);

	memcpy(path, "/cross", 6);
	syscall(SYS_openat, AT_FDCWD, path, O_RDONLY);
	memcpy(buffer, "four", 4);
	write(open("/dev/null", O_WRONLY), buffer, 8);
	argv[0] = argv[1] = "an-argument";
	syscall(SYS_execve, "/bin/true", argv, 0);
}

static int ends[2];
static char *taken;

static void *taker(void *unused)
{
	usleep(200000);
	munmap(taken, PAGE);
	write(ends[1], "too late", 8);
	return unused;
}

/* The buffer of a read() goes away while the call waits. */
static void unmaps(void)
{
	pthread_t thread;

	pipe(ends);
	taken = edge(PAGE);
	pthread_create(&thread, 0, taker, 0);
	syscall(SYS_read, ends[0], taken, 16);
	pthread_join(thread, 0);
}

static volatile int stop;

static void *changer(void *text)
{
	while (!stop) {
		strcpy(text, "/short");
		strcpy(text, "/a-much-longer-path-than-before");
	}
	return 0;
}

/* A path changes all the time while calls read it. */
static void changes(void)
{
	static char text[64] = "/short";
	pthread_t thread;

	pthread_create(&thread, 0, changer, text);
	for (int i = 0; i < 2000; i++)
		open(text, O_RDONLY);
	stop = 1;
	pthread_join(thread, 0);
}

static void million(void)
{
	int count = 1000000;
	char **argv = malloc((count + 1) * sizeof(*argv));

	for (int i = 0; i < count; i++)
		argv[i] = "x";
	argv[count] = 0;
	syscall(SYS_execve, "/bin/true", argv, 0);
}

/* Terminal sequences, newlines and bytes that are no UTF-8, wherever a name goes. */
static void names(void)
{
	static const char name[] = "\033[31m\n\xff\x9b\"\\", path[] = "/\033]0;owned\007\r\n\xc3\x28\"\\\x7f";
	char *argv[] = { (char *)path, (char *)name, 0 };

	prctl(PR_SET_NAME, name);
	open(path, O_RDONLY);
	write(open("/dev/null", O_WRONLY), path, sizeof(path));
	execv("/bin/true", argv);
}

/* Calls under such a name until it is killed, or somebody has looked long enough. */
static void loop(void)
{
	prctl(PR_SET_NAME, "\033[31m\n\x9b\"\\");
	for (int i = 0; i < 6000; i++) {
		syscall(SYS_getppid);
		usleep(10000);
	}
}

static void *one_call(void *unused)
{
	syscall(SYS_getppid);
	return unused;
}

static void threads(void)
{
	static pthread_t all[10000];
	pthread_attr_t small;

	pthread_attr_init(&small);
	pthread_attr_setstacksize(&small, 16384);
	for (int i = 0; i < 10000; i++)
		if (pthread_create(&all[i], &small, one_call, 0))
			exit(2);
	for (int i = 0; i < 10000; i++)
		pthread_join(all[i], 0);
}

/* Each forks two until there are 1023. */
static void bomb(void)
{
	for (int depth = 1; depth < 10; depth++) {
		pid_t first = fork(), second = first ? fork() : 0;

		if (first < 0 || second < 0)
			_exit(2);
		if (first && second)
			break;
	}
	while (wait(0) > 0)
		;
}

int main(int argc, char **argv)
{
	static const struct { const char *name; void (*run)(void); } all[] = {
		{ "crosses", crosses }, { "unmaps", unmaps }, { "changes", changes }, { "million", million },
		{ "names", names }, { "threads", threads }, { "bomb", bomb }, { "loop", loop },
	};

	for (size_t i = 0; argc > 1 && i < sizeof(all) / sizeof(*all); i++)
		if (!strcmp(argv[1], all[i].name)) {
			all[i].run();
			return 0;
		}
	return 1;
}
