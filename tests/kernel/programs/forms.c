/* Forms of lines that ordinary programs seldom have: a stop, a call that is none, words for places in arrays. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <linux/io_uring.h>
#include <net/if.h>
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/select.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

static void stopped(void)
{
	int status;
	pid_t child = fork();

	if (!child) {
		raise(SIGSTOP);
		_exit(0);
	}
	waitpid(child, &status, WUNTRACED);
	kill(child, SIGCONT);
	waitpid(child, &status, 0);
}

static void terminal(void)
{
	int fd = posix_openpt(O_RDWR | O_NOCTTY);
	struct termios settings;

	if (fd < 0 || tcgetattr(fd, &settings))
		exit(3);
	settings.c_cc[VINTR] = 3;
	tcsetattr(fd, TCSANOW, &settings);
	close(fd);
}

static void interfaces(void)
{
	struct ifreq some[2];
	struct ifconf list = { .ifc_len = sizeof(some), .ifc_req = some };
	int fd = socket(AF_INET, SOCK_DGRAM, 0);

	ioctl(fd, SIOCGIFCONF, &list);
	list.ifc_req = NULL;
	ioctl(fd, SIOCGIFCONF, &list);
	ioctl(-1, SIOCGIFCONF, &list);
	close(fd);
}

static void ring(void)
{
	struct { struct io_uring_probe head; struct io_uring_probe_op ops[4]; } probe = { 0 };
	int files[2] = { 0, -2 };
	uint64_t tags[2] = { 0, 16 };
	struct io_uring_files_update update = { .offset = 1, .fds = (uintptr_t)files };
	struct io_uring_rsrc_register more = { .nr = 2, .data = (uintptr_t)files, .tags = (uintptr_t)tags };
	struct io_uring_rsrc_update2 other = { .offset = 1, .data = (uintptr_t)files, .tags = (uintptr_t)tags, .nr = 2 };
	struct io_uring_restriction only[2] = { { .opcode = 1, .sqe_op = 2 }, { .opcode = 2, .sqe_flags = 1 } };
	struct io_uring_params params = { 0 };
	int fd = syscall(SYS_io_uring_setup, 1, &params);

	syscall(SYS_io_uring_register, fd, IORING_REGISTER_PROBE, &probe, 4);
	syscall(SYS_io_uring_register, -1, IORING_REGISTER_FILES_UPDATE, &update, 2);
	syscall(SYS_io_uring_register, -1, 13 /* FILES2 */, &more, 32);
	syscall(SYS_io_uring_register, -1, 14 /* FILES_UPDATE2 */, &other, 32);
	syscall(SYS_io_uring_register, -1, 13 /* FILES2 */, &more, 8);
	syscall(SYS_io_uring_register, -1, IORING_REGISTER_RESTRICTIONS, only, 2);
}

int main(void)
{
	fd_set *cut = aligned_alloc(4096, 4096);

	syscall(500, 1, 2, 3, 4, 5, 6);
	syscall(0x1000, 0, 0, 0, 0, 0, 0xfeed);
	syscall(0x10001, 1, 2, 3, 4, 5, 6);
	syscall(0x1003b, 1, 2, 3, 4, 5, 6);
	syscall(-1, 1, 2, 3, 4, 5, 6);
	stopped();
	terminal();
	interfaces();
	ring();
	prctl(62 /* PR_SCHED_CORE */, 0, 0, 0xffffffff00000001, 0);
	FD_ZERO(cut);
	syscall(SYS_select, 1, cut, NULL, NULL, &(struct timeval){ 0, 1 });
	syscall(SYS_bpf, 16 /* BPF_PROG_QUERY */, cut, 4);
	return 0;
}
