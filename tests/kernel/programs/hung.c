/*
 * A file server that answers everything but what matters: mounts a FUSE file system at argv[1], and serves one file
 * there, "file". Its children hold it as asked: "memory" maps the file and calls open() with a path in it, which
 * waits for ever; "held" has it open, and from then on nobody is answered at all. Says "ready" when they do.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/fuse.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

static int device;
static atomic_int *ready;

static void answer(__u64 unique, int error, const void *body, size_t size)
{
	struct fuse_out_header head = { .len = sizeof(head) + size, .error = error, .unique = unique };
	struct iovec parts[2] = { { &head, sizeof(head) }, { (void *)body, size } };

	if (writev(device, parts, size ? 2 : 1) < 0 && errno != ENOENT)
		perror("answer");
}

static struct fuse_attr attributes(__u64 node)
{
	return (struct fuse_attr){ .ino = node, .size = 4096, .mode = node == 1 ? S_IFDIR | 0755 : S_IFREG | 0644, .nlink = 1 };
}

static void serve(int held)
{
	static char buffer[1 << 17];

	for (;;) {
		struct fuse_in_header *in = (struct fuse_in_header *)buffer;

		if (read(device, buffer, sizeof(buffer)) < 0) {
			if (errno == EINTR || errno == ENOENT)
				continue;
			return;
		}
		/* The file is open: from now on there is only silence. */
		if (held && *ready)
			continue;
		switch (in->opcode) {
		case FUSE_INIT: {
			struct fuse_init_out out = { .major = 7, .minor = 31, .max_write = 4096 };

			answer(in->unique, 0, &out, sizeof(out));
			break;
		}
		case FUSE_LOOKUP: {
			struct fuse_entry_out out = { .nodeid = 2, .attr = attributes(2) };

			answer(in->unique, 0, &out, sizeof(out));
			break;
		}
		case FUSE_GETATTR: {
			struct fuse_attr_out out = { .attr = attributes(in->nodeid) };

			answer(in->unique, 0, &out, sizeof(out));
			break;
		}
		case FUSE_OPEN: {
			struct fuse_open_out out = { .fh = 1 };

			answer(in->unique, 0, &out, sizeof(out));
			break;
		}
		case FUSE_READ:
		case FUSE_FORGET:
		case FUSE_INTERRUPT:
			break;
		default:
			answer(in->unique, -ENOSYS, 0, 0);
		}
	}
}

static void hold(const char *directory, int held)
{
	char path[4096];
	int fd;
	char *memory;

	snprintf(path, sizeof(path), "%s/file", directory);
	fd = open(path, O_RDONLY);
	if (fd < 0)
		exit(3);
	if (held) {
		*ready = 1;
		pause();
	}
	memory = mmap(0, 4096, PROT_READ, MAP_SHARED, fd, 0);
	if (memory == MAP_FAILED)
		exit(4);
	*ready = 1;
	open(memory, O_RDONLY);
	exit(0);
}

int main(int argc, char **argv)
{
	int held = argc > 2 && !strcmp(argv[2], "held");
	char options[256];
	pid_t child;

	ready = mmap(0, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	device = open("/dev/fuse", O_RDWR | O_CLOEXEC);
	if (device < 0)
		return 77;
	snprintf(options, sizeof(options), "fd=%d,rootmode=40000,user_id=0,group_id=0", device);
	if (mount("hung", argv[1], "fuse", MS_NOSUID | MS_NODEV, options)) {
		perror("mount");
		return 77;
	}
	child = fork();
	if (!child) {
		/* Only the server may hold the device: with its end all who wait are let go. */
		close(device);
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		hold(argv[1], held);
	}
	child = fork();
	if (!child) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		close(device);
		while (!*ready)
			usleep(1000);
		usleep(200000);
		puts("ready");
		fflush(stdout);
		pause();
	}
	serve(held);
	return 0;
}
