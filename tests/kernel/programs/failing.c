/* Children that fail at once, for so many seconds. */
#include <stdlib.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

int main(int argc, char **argv)
{
	time_t end = time(0) + (argc > 1 ? atoi(argv[1]) : 1);

	while (time(0) < end) {
		if (vfork() == 0)
			_exit(1);
		while (waitpid(-1, 0, 0) > 0)
			;
	}
	return 0;
}
