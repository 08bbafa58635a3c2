/*
 * io_uring by its system calls alone: opens and reads the file that is named, reads what fails, waits for a
 * timeout, and a pipe that another thread writes to later. With `poll` a kernel thread submits.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/io_uring.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

static int ring, polled, ends[2];
static struct io_uring_sqe *sqes;
static unsigned *sq_tail, *sq_mask, *sq_array, *sq_flags, *cq_head, *cq_tail, *cq_mask;
static struct io_uring_cqe *cqes;

static void set_up(void)
{
	struct io_uring_params params = { 0 };
	char *sq, *cq;

	if (polled) {
		params.flags = IORING_SETUP_SQPOLL;
		params.sq_thread_idle = 50;
	}
	ring = syscall(SYS_io_uring_setup, 8, &params);
	if (ring < 0) {
		perror("io_uring_setup");
		exit(77);
	}
	sq = mmap(0, params.sq_off.array + params.sq_entries * sizeof(unsigned), PROT_READ | PROT_WRITE,
		  MAP_SHARED | MAP_POPULATE, ring, IORING_OFF_SQ_RING);
	cq = mmap(0, params.cq_off.cqes + params.cq_entries * sizeof(struct io_uring_cqe), PROT_READ | PROT_WRITE,
		  MAP_SHARED | MAP_POPULATE, ring, IORING_OFF_CQ_RING);
	sqes = mmap(0, params.sq_entries * sizeof(*sqes), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_POPULATE, ring,
		    IORING_OFF_SQES);
	sq_tail = (unsigned *)(sq + params.sq_off.tail);
	sq_mask = (unsigned *)(sq + params.sq_off.ring_mask);
	sq_array = (unsigned *)(sq + params.sq_off.array);
	sq_flags = (unsigned *)(sq + params.sq_off.flags);
	cq_head = (unsigned *)(cq + params.cq_off.head);
	cq_tail = (unsigned *)(cq + params.cq_off.tail);
	cq_mask = (unsigned *)(cq + params.cq_off.ring_mask);
	cqes = (struct io_uring_cqe *)(cq + params.cq_off.cqes);
}

static void submit(struct io_uring_sqe sqe)
{
	unsigned tail = *sq_tail, at = tail & *sq_mask;

	sqes[at] = sqe;
	sq_array[at] = at;
	__atomic_store_n(sq_tail, tail + 1, __ATOMIC_SEQ_CST);
	if (!polled)
		syscall(SYS_io_uring_enter, ring, 1, 0, 0, NULL, 0);
	else if (__atomic_load_n(sq_flags, __ATOMIC_SEQ_CST) & IORING_SQ_NEED_WAKEUP)
		syscall(SYS_io_uring_enter, ring, 0, 0, IORING_ENTER_SQ_WAKEUP, NULL, 0);
}

static int result(void)
{
	unsigned head = *cq_head;
	int res;

	while (__atomic_load_n(cq_tail, __ATOMIC_ACQUIRE) == head)
		syscall(SYS_io_uring_enter, ring, 0, 1, IORING_ENTER_GETEVENTS, NULL, 0);
	res = cqes[head & *cq_mask].res;
	__atomic_store_n(cq_head, head + 1, __ATOMIC_RELEASE);
	return res;
}

static void *write_later(void *unused)
{
	usleep(30000);
	if (write(ends[1], "later", 5) != 5)
		abort();
	return unused;
}

int main(int argc, char **argv)
{
	static char buffer[64];
	struct __kernel_timespec time = { .tv_nsec = 20000000 };
	pthread_t writer;
	int file;

	polled = argc > 2 && !strcmp(argv[2], "poll");
	if (argc < 2 || pipe(ends))
		return 2;
	set_up();
	submit((struct io_uring_sqe){ .opcode = IORING_OP_OPENAT, .fd = AT_FDCWD, .addr = (unsigned long)argv[1],
				      .open_flags = O_RDONLY, .user_data = 0xa1 });
	file = result();
	submit((struct io_uring_sqe){ .opcode = IORING_OP_READ, .fd = file, .addr = (unsigned long)buffer, .len = 16,
				      .off = 2, .user_data = 0xa2 });
	printf("%d\n", result());
	submit((struct io_uring_sqe){ .opcode = IORING_OP_READ, .fd = 99, .addr = (unsigned long)buffer, .len = 16,
				      .user_data = 0xa3 });
	printf("%d\n", result());
	submit((struct io_uring_sqe){ .opcode = IORING_OP_TIMEOUT, .addr = (unsigned long)&time, .len = 1,
				      .user_data = 0xa4 });
	printf("%d\n", result());
	pthread_create(&writer, NULL, write_later, NULL);
	submit((struct io_uring_sqe){ .opcode = IORING_OP_READ, .fd = ends[0], .addr = (unsigned long)buffer,
				      .len = 16, .flags = IOSQE_ASYNC, .user_data = 0xa5 });
	printf("%d\n", result());
	pthread_join(writer, NULL);
	return 0;
}
