/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * graceful_server PORT [reuseport]: an echo server that ends as one should: on SIGTERM it listens no more, serves the connections that
 * it has accepted, and ends with the last one. One message for each, of at most 4096 bytes. Prints "ready" once it listens;
 * with DELAY_MS in the environment it takes that long to start, and with FAIL ends at once with that status.
 *
 * graceful_server PORT library FILE: the same as an application of libnolisten. On SIGTERM it takes what there is, serves what it has, and
 * ends without nolisten_close(): what comes from then on is its successor's. FILE has two numbers that outlive it and that its successors
 * add to, 64 bits each: the connections that were taken, and those of them that were served.
 */
#include <fcntl.h>
#include <netinet/in.h>
#include <nolisten.h>
#include <poll.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "tools/tool.h"

#define AT_ONCE 4096
#define MESSAGE_MAX 4096

#define SOURCE 0
#define SIGNALS 1
#define FIRST 2 /* of the connections */

struct numbers {
	uint64_t taken, served;
};

/* Where connections come from: a listener, or, if there is one, the library. */
struct source {
	int fd; /* to be polled */
	struct nolisten *nolisten;
	struct numbers *numbers;
};

static struct numbers *map_numbers(const char *path)
{
	int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	struct numbers *numbers;

	if (fd < 0 || ftruncate(fd, sizeof(*numbers)))
		fail(path);
	numbers = mmap(NULL, sizeof(*numbers), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (numbers == MAP_FAILED)
		fail("mmap");
	close(fd);
	return numbers;
}

static void ask_for(struct source *source, const char *ports)
{
	const struct nolisten_options options = {.ports = ports};

	if (nolisten_open(&source->nolisten, &options) < 0) {
		fprintf(stderr, "graceful_server: %s\n", nolisten_why());
		exit(1);
	}
	source->fd = nolisten_fd(source->nolisten);
}

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
static bool serve(int fd, struct numbers *numbers)
{
	char message[MESSAGE_MAX];
	ssize_t len = recv(fd, message, sizeof(message), MSG_DONTWAIT);

	if (len < 0)
		return errno == EAGAIN;
	if (len == 0 || send(fd, message, (size_t)len, MSG_NOSIGNAL) != len)
		return false;
	numbers->served++;
	return true;
}

static int take_one(const struct source *source)
{
	int fd = source->nolisten ? nolisten_accept(source->nolisten, NULL)
				  : accept4(source->fd, NULL, NULL, SOCK_CLOEXEC);

	if (fd == -ESHUTDOWN) {
		errno = ESHUTDOWN;
		fail("nolisten_accept");
	}
	source->numbers->taken += fd >= 0;
	return fd;
}

/* False: that were all. */
static bool take_all(const struct source *source, struct pollfd *fds, nfds_t *count)
{
	int fd;

	while (*count < AT_ONCE && (fd = take_one(source)) >= 0)
		fds[(*count)++] = (struct pollfd){.fd = fd, .events = POLLIN};
	return *count == AT_ONCE;
}

/* False: it has to take some yet that are its own already. */
static bool end_source(const struct source *source, struct pollfd *fds, nfds_t *count)
{
	if (source->nolisten)
		return !take_all(source, fds, count);
	close(source->fd);
	return true;
}

static nfds_t serve_all(struct pollfd *fds, nfds_t count, struct numbers *numbers)
{
	for (nfds_t i = count; i-- > FIRST;) {
		if (!fds[i].revents || serve(fds[i].fd, numbers))
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

static void run(const struct source *source, int signals)
{
	static struct pollfd fds[AT_ONCE];
	nfds_t count = FIRST;

	fds[SOURCE] = (struct pollfd){.fd = source->fd, .events = POLLIN};
	fds[SIGNALS] = (struct pollfd){.fd = signals, .events = POLLIN};
	while (fds[SOURCE].fd >= 0 || count > FIRST) {
		if (poll(fds, count, -1) < 0)
			fail("poll");
		count = serve_all(fds, count, source->numbers);
		if (fds[SIGNALS].revents && end_source(source, fds, &count))
			fds[SOURCE].fd = fds[SIGNALS].fd = -1;
		if (fds[SOURCE].fd >= 0 && fds[SOURCE].revents)
			take_all(source, fds, &count);
	}
}

int main(int argc, char **argv)
{
	const char *delay = getenv("DELAY_MS"), *status = getenv("FAIL");
	struct numbers numbers = {0};
	struct source source = {.numbers = &numbers};
	int signals;

	if (argc < 2 || argc > 4)
		usage("PORT [reuseport | library FILE]");
	if (status)
		return atoi(status);
	if (delay)
		usleep((useconds_t)atoi(delay) * 1000);
	signals = watch_for_end();
	if (argc == 4) {
		source.numbers = map_numbers(argv[3]);
		ask_for(&source, argv[1]);
	} else {
		source.fd = listen_on((uint16_t)atoi(argv[1]), argc == 3);
	}
	puts("ready");
	fflush(stdout);
	run(&source, signals);
	return 0;
}
