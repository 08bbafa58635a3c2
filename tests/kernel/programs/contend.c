/* Six processes on one CPU, with argv[1] calls of getppid() each. */
#define _GNU_SOURCE
#include <sched.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

int main(int argc, char **argv)
{
	int calls = argc > 1 ? atoi(argv[1]) : 1, status, failed = 0;
	cpu_set_t one;

	CPU_ZERO(&one);
	CPU_SET(0, &one);
	if (sched_setaffinity(0, sizeof(one), &one))
		return 1;
	for (int n = 0; n < 6; n++)
		if (!fork()) {
			for (int i = 0; i < calls; i++)
				syscall(SYS_getppid);
			_exit(0);
		}
	while (wait(&status) > 0)
		failed |= status;
	return failed != 0;
}
