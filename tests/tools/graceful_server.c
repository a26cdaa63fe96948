/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * graceful_server PORT [reuseport]: an echo server that ends as one should: on SIGTERM it listens no more, serves the connections that
 * it has accepted, and ends with the last one. One message for each, of at most 4096 bytes. Prints "ready" once it listens;
 * with DELAY_MS in the environment it takes that long to start, and with FAIL ends at once with that status.
 */
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "tools/tool.h"

#define AT_ONCE 1024
#define MESSAGE_MAX 4096

#define LISTENER 0
#define SIGNALS 1
#define FIRST 2 /* of the connections */

static int listen_on(uint16_t port, bool is_shared)
{
	struct sockaddr_in any = {.sin_family = AF_INET, .sin_port = htons(port)};
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);

	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &(int){1}, sizeof(int));
	if (is_shared)
		setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &(int){1}, sizeof(int));
	if (bind(fd, (struct sockaddr *)&any, sizeof(any)) || listen(fd, 4096))
		fail("listen");
	return fd;
}

/* False: it is over. */
static bool serve(int fd)
{
	char message[MESSAGE_MAX];
	ssize_t len = recv(fd, message, sizeof(message), MSG_DONTWAIT);

	if (len < 0)
		return errno == EAGAIN;
	return len > 0 && send(fd, message, (size_t)len, MSG_NOSIGNAL) == len;
}

static nfds_t accept_all(struct pollfd *fds, nfds_t count)
{
	while (count < AT_ONCE) {
		int fd = accept4(fds[LISTENER].fd, NULL, NULL, SOCK_CLOEXEC);

		if (fd < 0)
			break;
		fds[count++] = (struct pollfd){.fd = fd, .events = POLLIN};
	}
	return count;
}

static nfds_t serve_all(struct pollfd *fds, nfds_t count)
{
	for (nfds_t i = count; i-- > FIRST;) {
		if (!fds[i].revents || serve(fds[i].fd))
			continue;
		close(fds[i].fd);
		fds[i] = fds[--count];
	}
	return count;
}

/* A signal that is looked at like all else: ppoll() may never deliver one while there is something to do. */
static int watch_for_end(void)
{
	sigset_t term;

	sigemptyset(&term);
	sigaddset(&term, SIGTERM);
	sigprocmask(SIG_BLOCK, &term, NULL);
	return signalfd(-1, &term, SFD_CLOEXEC);
}

static void run(int listener, int signals)
{
	static struct pollfd fds[AT_ONCE];
	nfds_t count = FIRST;

	fds[LISTENER] = (struct pollfd){.fd = listener, .events = POLLIN};
	fds[SIGNALS] = (struct pollfd){.fd = signals, .events = POLLIN};
	while (fds[LISTENER].fd >= 0 || count > FIRST) {
		if (poll(fds, count, -1) < 0)
			fail("poll");
		if (fds[SIGNALS].revents) {
			close(fds[LISTENER].fd);
			fds[LISTENER].fd = fds[SIGNALS].fd = -1;
		}
		count = serve_all(fds, count);
		if (fds[LISTENER].fd >= 0 && fds[LISTENER].revents)
			count = accept_all(fds, count);
	}
}

int main(int argc, char **argv)
{
	const char *delay = getenv("DELAY_MS"), *status = getenv("FAIL");
	int listener, signals;

	if (argc < 2 || argc > 3)
		usage("PORT [reuseport]");
	if (status)
		return atoi(status);
	if (delay)
		usleep((useconds_t)atoi(delay) * 1000);
	signals = watch_for_end();
	listener = listen_on((uint16_t)atoi(argv[1]), argc == 3);
	puts("ready");
	fflush(stdout);
	run(listener, signals);
	return 0;
}
