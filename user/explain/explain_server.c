/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Start and stop a loader; it says "answering" when it does. */
#include "explain_server.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "loader_path.h"

#define READY_WORD "answering"
#define READY_MS 10000

_Noreturn static void run(const char *path, const char *ifname, const char *method, int messages)
{
	prctl(PR_SET_PDEATHSIG, SIGTERM);
	dup2(messages, STDERR_FILENO);
	execl(path, LOADER_NAME, "-m", method, ifname, (char *)NULL);
	dprintf(STDERR_FILENO, "%s: %s\n", path, strerror(errno));
	_exit(1);
}

/* The last whole line of text, without the program's name. */
static void find_reason(char *text, char reason[SERVER_REASON_SIZE])
{
	const char *line = strtok(text, "\n"), *last = "it ended without a word";

	for (; line; line = strtok(NULL, "\n"))
		last = line;
	if (strncmp(last, LOADER_NAME ": ", sizeof(LOADER_NAME ": ") - 1) == 0)
		last += sizeof(LOADER_NAME ": ") - 1;
	snprintf(reason, SERVER_REASON_SIZE, "%s", last);
}

/* Read its messages until it says that it is ready. */
static int await_ready(const struct server *server, char reason[SERVER_REASON_SIZE])
{
	struct pollfd ready = {.fd = server->messages, .events = POLLIN};
	char text[4096] = "";
	size_t len = 0;
	ssize_t more;

	while (!strstr(text, READY_WORD)) {
		if (len == sizeof(text) - 1 || poll(&ready, 1, READY_MS) != 1) {
			snprintf(reason, SERVER_REASON_SIZE, "it does not get ready");
			return -ETIMEDOUT;
		}
		more = read(server->messages, text + len, sizeof(text) - 1 - len);
		if (more <= 0) {
			find_reason(text, reason);
			return -ECHILD;
		}
		len += (size_t)more;
		text[len] = '\0';
	}
	return 0;
}

static int start(struct server *server, const char *path, const char *ifname, const char *method)
{
	int fds[2], err = 0;

	if (pipe(fds))
		return -errno;
	server->pid = fork();
	if (server->pid == 0)
		run(path, ifname, method, fds[1]);
	if (server->pid < 0)
		err = -errno;
	close(fds[1]);
	server->messages = fds[0];
	if (err) {
		close(fds[0]);
		server->pid = 0;
	}
	return err;
}

int server_start(struct server *server, const char *path, const char *ifname, const char *method,
		 char reason[SERVER_REASON_SIZE])
{
	int err;

	memset(server, 0, sizeof(*server));
	err = start(server, path, ifname, method);
	if (err) {
		snprintf(reason, SERVER_REASON_SIZE, "%s", strerror(-err));
		return err;
	}
	err = await_ready(server, reason);
	if (err)
		server_stop(server);
	return err;
}

void server_stop(struct server *server)
{
	if (!server->pid)
		return;
	kill(server->pid, SIGTERM);
	/* What it says until its end must not block it. */
	close(server->messages);
	while (waitpid(server->pid, NULL, 0) < 0 && errno == EINTR)
		;
	server->pid = 0;
}
