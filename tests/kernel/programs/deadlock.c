/* Two threads that take two mutexes in the opposite order; argv[1]: two processes that do so with two files' locks. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <sys/file.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

static pthread_mutex_t locks[2] = { PTHREAD_MUTEX_INITIALIZER, PTHREAD_MUTEX_INITIALIZER };
static pthread_barrier_t both;

static void *take(void *which)
{
	int first = which != 0;

	prctl(PR_SET_NAME, first ? "transfer" : "audit");
	pthread_mutex_lock(&locks[first]);
	pthread_barrier_wait(&both);
	pthread_mutex_lock(&locks[!first]);
	return 0;
}

static void take_files(const char *place, int first)
{
	char path[2][256];

	prctl(PR_SET_NAME, first ? "rotate" : "backup");
	for (int i = 0; i < 2; i++)
		snprintf(path[i], sizeof(path[i]), "%s.%d", place, i);
	flock(open(path[first], O_CREAT | O_RDWR, 0600), LOCK_EX);
	sleep(1);
	flock(open(path[!first], O_CREAT | O_RDWR, 0600), LOCK_EX);
}

int main(int count, char **args)
{
	pthread_t threads[2];

	if (count > 1) {
		for (int i = 0; i < 2; i++)
			if (!fork()) {
				take_files(args[1], i);
				return 0;
			}
		while (wait(0) > 0) {
		}
		return 0;
	}
	pthread_barrier_init(&both, 0, 2);
	for (int i = 0; i < 2; i++)
		pthread_create(&threads[i], 0, take, (void *)(long)i);
	for (int i = 0; i < 2; i++)
		pthread_join(threads[i], 0);
	return 0;
}
