/*
 * Ends for reasons that only the kernel knows. argv[1]:
 * thread: a thread has a seccomp filter that ends it alone when it calls chdir; the process then exits with 3
 * process: the same, but the filter ends the process
 * orphan: a child has asked for SIGTERM at its parent's end, and the parent exits with 0
 */
#define _GNU_SOURCE
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <pthread.h>
#include <signal.h>
#include <stddef.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

static void forbid_chdir(unsigned int how)
{
	struct sock_filter filter[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_chdir, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, how),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	struct sock_fprog program = { sizeof(filter) / sizeof(*filter), filter };

	prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
	prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program);
}

static void *thread(void *nothing)
{
	forbid_chdir(SECCOMP_RET_KILL_THREAD);
	syscall(SYS_chdir, "/");
	return nothing;
}

int main(int count, char **args)
{
	const char *how = count > 1 ? args[1] : "";
	pthread_t id;

	if (!strcmp(how, "thread")) {
		pthread_create(&id, 0, thread, 0);
		pthread_join(id, 0);
		return 3;
	}
	if (!strcmp(how, "process")) {
		forbid_chdir(SECCOMP_RET_KILL_PROCESS);
		syscall(SYS_chdir, "/");
	}
	if (!strcmp(how, "orphan")) {
		int ready[2];
		char byte;

		pipe(ready);
		if (!fork()) {
			prctl(PR_SET_PDEATHSIG, SIGTERM);
			write(ready[1], "x", 1);
			for (;;)
				pause();
		}
		read(ready[0], &byte, 1);
	}
	return 0;
}
