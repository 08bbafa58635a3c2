/* Makes so many getppid and so many openat of a file that is not there, and exits: known GETPPIDS OPENATS. */
#include <fcntl.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <unistd.h>

int main(int argc, char **argv)
{
	long getppids = argc > 1 ? atol(argv[1]) : 0, openats = argc > 2 ? atol(argv[2]) : 0;

	while (getppids-- > 0)
		syscall(SYS_getppid);
	while (openats-- > 0)
		syscall(SYS_openat, AT_FDCWD, "/nonexistent/known", O_RDONLY, 0);
	return 0;
}
