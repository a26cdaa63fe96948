/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Sends back what it gets: four threads, each with a connection of its own, in ordinary blocking calls.
 *
 *	cc -pthread -o threads threads.c $(pkg-config --cflags --libs nolisten) && ./threads 8080
 */
#include <errno.h>
#include <nolisten.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <unistd.h>

#define THREADS 4

static void echo(int fd)
{
	char text[16384];
	ssize_t len;

	while ((len = recv(fd, text, sizeof(text), 0)) > 0)
		if (send(fd, text, (size_t)len, MSG_NOSIGNAL) != len)
			break;
	close(fd);
}

/* poll() may wake all of them: one has the connection, for the others it is -EAGAIN. */
static void *serve(void *context)
{
	struct nolisten *nolisten = context;
	struct pollfd poll_fd = {.fd = nolisten_fd(nolisten), .events = POLLIN};
	int fd;

	do {
		poll(&poll_fd, 1, -1);
		fd = nolisten_accept(nolisten, NULL);
		if (fd >= 0)
			echo(fd);
	} while (fd != -ESHUTDOWN);
	return NULL;
}

int main(int argc, char **argv)
{
	struct nolisten_options options = {.ports = argc > 1 ? argv[1] : NULL};
	struct nolisten *nolisten;
	pthread_t threads[THREADS];

	if (nolisten_open(&nolisten, &options) < 0) {
		fprintf(stderr, "threads: %s\n", nolisten_why());
		return 1;
	}
	puts("ready");
	fflush(stdout);
	for (int i = 0; i < THREADS; i++)
		if (pthread_create(&threads[i], NULL, serve, nolisten))
			return 1;
	for (int i = 0; i < THREADS; i++)
		pthread_join(threads[i], NULL);
	nolisten_close(nolisten);
	return 0;
}
