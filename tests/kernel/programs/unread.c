/* What calls are given lies in pages that nobody has touched yet, or a filter refuses the call: nothing of it can be
 * copied when it begins. */
#define _GNU_SOURCE
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/select.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

extern char **environ;

static void refuse(int number)
{
	struct sock_filter filter[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, 0),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, number, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	struct sock_fprog program = { sizeof(filter) / sizeof(filter[0]), filter };

	prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
	prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program);
}

int main(void)
{
	char *spawned[] = { "true", "spawned", NULL };
	char path[] = "/bin/refused", argument[] = "an-argument";
	char *refused[] = { path, argument, NULL };
	struct timeval time = { 1, 2 };
	fd_set set;
	pid_t child;

	if (!fork()) {
		execl("/bin/true", "true", "constant-argument", NULL);
		_exit(1);
	}
	wait(NULL);
	posix_spawn(&child, "/bin/true", NULL, NULL, spawned, environ);
	waitpid(child, NULL, 0);
	system("exit 3");
	if (!fork()) {
		execl("/nonexistent/program", "program", "of-no-file", NULL);
		_exit(1);
	}
	wait(NULL);
	refuse(SYS_execve);
	refuse(SYS_select);
	execve(path, refused, environ);
	FD_ZERO(&set);
	FD_SET(3, &set);
	syscall(SYS_select, 4, &set, NULL, NULL, &time);
	return 0;
}
