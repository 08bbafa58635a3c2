/* pwrite() with a growing offset, as fast as it can or with so many microseconds between, for so many seconds. */
#include <fcntl.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

int main(int argc, char **argv)
{
	time_t end = time(0) + (argc > 1 ? atoi(argv[1]) : 1);
	long pause = argc > 2 ? atol(argv[2]) : 0;
	int fd = open("/dev/null", O_WRONLY);

	for (long offset = 0; (!pause && offset % 1024) || time(0) < end; offset++) {
		if (pwrite(fd, "x", 1, offset) != 1)
			return 1;
		if (pause)
			usleep(pause);
	}
	return 0;
}
