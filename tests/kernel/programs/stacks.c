#define _GNU_SOURCE
/*
 * Calls from functions whose names tell where they stand; to be compiled with frame pointers. One fails, one is
 * slow; with `hang` the last one never ends.
 */
#include <fcntl.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

__attribute__((noinline)) static int innermost(const char *path)
{
	int made = syscall(SYS_openat, AT_FDCWD, path, O_RDONLY);

	return made + 1;
}

__attribute__((noinline)) static int middle(const char *path)
{
	int made = innermost(path);

	return made + write(1, "w", 1);
}

__attribute__((noinline)) static int slow(void)
{
	struct timespec time = { .tv_nsec = 60000000 };

	return syscall(SYS_nanosleep, &time, NULL) + 1;
}

__attribute__((noinline)) static int hang(void)
{
	int ends[2];
	char byte;

	return pipe(ends) || read(ends[0], &byte, 1) < 0;
}

__attribute__((noinline)) static int outermost(int argc, char **argv)
{
	int sum = middle("/nonexistent") + slow();

	if (argc > 1 && !strcmp(argv[1], "hang"))
		sum += hang();
	return sum;
}

int main(int argc, char **argv)
{
	int sum = outermost(argc, argv);

	_exit(sum & 1);
}
