/*
 * Threads that number their calls: pwrite() with a growing offset, so many each, on another CPU every so many calls,
 * while the main thread moves them among the cgroups that are named, as fast as it can. The last words are the
 * threads' ids, one a line.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { THREADS_MOST = 64 };

static long calls, hop;
static atomic_int running;
static atomic_int tids[THREADS_MOST];

static void *number(void *arg)
{
	long self = (long)arg, cpus = sysconf(_SC_NPROCESSORS_ONLN);
	int fd = open("/dev/null", O_WRONLY);

	tids[self] = syscall(SYS_gettid);
	for (long n = 0; n < calls; n++) {
		if (hop && n % hop == 0) {
			cpu_set_t one;

			CPU_ZERO(&one);
			CPU_SET((n / hop + self) % cpus, &one);
			sched_setaffinity(0, sizeof(one), &one);
		}
		if (pwrite(fd, "x", 1, n) != 1)
			abort();
	}
	running--;
	return 0;
}

int main(int argc, char **argv)
{
	int threads = atoi(argv[1]), doors[16], places = 0;
	pthread_t thread[THREADS_MOST];

	calls = atol(argv[2]);
	hop = atol(argv[3]);
	for (int i = 4; i < argc && places < 16; i++) {
		char path[4096];

		snprintf(path, sizeof(path), "%s/cgroup.threads", argv[i]);
		doors[places] = open(path, O_WRONLY);
		if (doors[places++] < 0)
			return 2;
	}
	running = threads;
	for (long i = 0; i < threads; i++)
		pthread_create(&thread[i], 0, number, (void *)i);
	for (long move = 0; running; move++) {
		char id[16];
		int tid = tids[move % threads];

		if (!places) {
			usleep(1000);
			continue;
		}
		/* One that has ended is moved no more. */
		if (tid && write(doors[move / threads % places], id, snprintf(id, sizeof(id), "%d", tid)) < 0)
			continue;
	}
	for (int i = 0; i < threads; i++)
		pthread_join(thread[i], 0);
	for (int i = 0; i < threads; i++)
		printf("%d\n", tids[i]);
	return 0;
}
