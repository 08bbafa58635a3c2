/* Built with -m32: a few calls whose numbers differ from the 64-bit ABI's. */
#include <fcntl.h>
#include <unistd.h>

int main(void)
{
	open("/nonexistent-of-32-bits", O_RDONLY);
	if (write(1, "thirty-two", 10) < 0)
		return 1;
	getppid();
	return 3;
}
