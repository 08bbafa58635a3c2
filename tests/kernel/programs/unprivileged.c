/*
 * What the kernel refuses to who is not root, each call once: unprivileged DIRECTORY, where a file of root's is made.
 * Behind them calls that are refused to everybody.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

int main(int argc, char **argv)
{
	struct sockaddr_in privileged = { .sin_family = AF_INET, .sin_port = htons(81) };
	struct epoll_event event = { .events = EPOLLIN };
	int file, sealed;

	if (argc < 2 || chmod(argv[1], 0755) || chdir(argv[1]))
		return 2;
	close(open("secret", O_CREAT | O_WRONLY, 0600));
	file = open("/proc/self/exe", O_RDONLY);
	if (setgid(65534) || setuid(65534))
		return 2;

	bind(socket(AF_INET, SOCK_STREAM, 0), (struct sockaddr *)&privileged, sizeof(privileged));
	socket(AF_INET, SOCK_RAW, IPPROTO_ICMP);
	mount("none", ".", "tmpfs", 0, 0);
	chroot(".");
	setuid(0);
	kill(1, 0);
	setpriority(PRIO_PROCESS, 0, -5);
	open("secret", O_RDONLY);
	chmod("secret", 0666);

	mmap(0, 4096, PROT_WRITE, MAP_SHARED, file, 0);
	epoll_ctl(epoll_create1(0), EPOLL_CTL_ADD, file, &event);
	sealed = memfd_create("sealed", MFD_ALLOW_SEALING);
	fcntl(sealed, F_ADD_SEALS, F_SEAL_WRITE);
	write(sealed, "a", 1);
	return 0;
}
