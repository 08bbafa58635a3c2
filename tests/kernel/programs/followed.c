/* A process to attach to: a thread that waits, one that becomes the leader by execve, a leader that ends before others. */
#include <pthread.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

static const char *self;
static int pipe_ends[2];

static void *wait_for_nothing(void *nothing)
{
	char byte;

	read(pipe_ends[0], &byte, 1);
	return nothing;
}

static void *run_again(void *nothing)
{
	access("/from-a-thread", F_OK);
	execl(self, self, "again", (char *)0);
	return nothing;
}

static void *outlive_the_leader(void *nothing)
{
	pid_t pid;

	usleep(1500000);
	access("/without-the-leader", F_OK);
	pid = fork();
	if (pid == 0) {
		access("/of-a-child", F_OK);
		_exit(0);
	}
	waitpid(pid, 0, 0);
	_exit(3);
	return nothing;
}

int main(int argc, char **argv)
{
	pthread_t thread;
	char byte;

	self = argv[0];
	if (argc > 1) {
		access("/behind-execve", F_OK);
		pthread_create(&thread, 0, outlive_the_leader, 0);
		syscall(SYS_exit, 0);
	}
	if (pipe(pipe_ends))
		return 1;
	pthread_create(&thread, 0, wait_for_nothing, 0);
	read(0, &byte, 1);
	access("/from-the-leader", F_OK);
	pthread_create(&thread, 0, run_again, 0);
	pause();
	return 1;
}
