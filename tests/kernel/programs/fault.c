/* Writes where nothing is mapped. */
int main(void)
{
	*(volatile int *)0x1234 = 1;
	return 0;
}
