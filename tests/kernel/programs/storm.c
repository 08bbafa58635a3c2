/* Makes argv[2] cgroups whose paths begin with argv[1]; one process joins each, makes a call and ends. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

int main(int argc, char **argv)
{
	int count = argc > 2 ? atoi(argv[2]) : 0, status;
	char path[512], procs[600];

	for (int n = 0; n < count; n++) {
		snprintf(path, sizeof(path), "%s%d.service", argv[1], n);
		snprintf(procs, sizeof(procs), "%s/cgroup.procs", path);
		if (mkdir(path, 0755))
			return 1;
		if (!fork()) {
			int fd = open(procs, O_WRONLY);

			if (write(fd, "0", 1) != 1)
				_exit(1);
			getppid();
			_exit(0);
		}
		if (wait(&status) < 0 || status)
			return 2;
		while (rmdir(path))
			if (errno != EBUSY)
				return 3;
	}
	return 0;
}
