/* The same number by both ways into the kernel. */
#include <stdlib.h>

static long by_interrupt(long number)
{
	long result;

	__asm__ volatile("int $0x80" : "=a"(result) : "a"(number), "b"(-1), "c"(0), "d"(0) : "memory", "r8", "r9", "r10", "r11");
	return result;
}

static long by_syscall(long number)
{
	long result;

	__asm__ volatile("syscall" : "=a"(result) : "a"(number), "D"(-1), "S"(0), "d"(0) : "memory", "rcx", "r11");
	return result;
}

int main(void)
{
	/* No call has these; their lower halves are calls' numbers, and so is what is behind x32's bit. */
	by_interrupt(0x10014);
	by_interrupt(-1);
	by_syscall(0x10014);
	by_syscall(0x40000014);
	return by_interrupt(20) > 0 && by_syscall(20) < 0 ? 0 : 1;
}
