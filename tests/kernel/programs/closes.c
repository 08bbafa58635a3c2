/* Closes descriptor argv[1], which is not open, argv[2] times. */
#include <stdlib.h>
#include <unistd.h>

int main(int argc, char **argv)
{
	int fd = argc > 1 ? atoi(argv[1]) : -1, times = argc > 2 ? atoi(argv[2]) : 1;

	while (times--)
		close(fd);
	return 0;
}
