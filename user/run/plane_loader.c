/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * What a loader says goes through a pipe of ours, line by line: should it outlive us, because others use it, it does not keep open what
 * our own output goes to. Two that are started at once on an interface: one loses its lock, and whoever started it dials the other's.
 */
#include "plane_loader.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "clock.h"
#include "control.h"
#include "loader_path.h"
#include "log.h"

#define READY_MS 15000 /* an emulated machine takes seconds to verify the programs */
#define ASK_AGAIN_MS 10
#define PATH_FORM "@nolisten-run/%s"
#define SAID_SIZE 4096

struct plane_loader {
	struct plane_loader_options options;
	char path[sizeof(PATH_FORM) + IF_NAMESIZE];
	pid_t pid; /* 0: we have started none, or it has ended */
	int out_fd; /* what it says; -1 */
	struct loop_source *out_source;
	char said[SAID_SIZE]; /* and nobody was told */
	size_t said_len;
	struct nolisten *client; /* of one that was there; NULL */
	int control_fd; /* a question to whoever has the interface's lock; -1 */
};

/* In the child. Nothing of ours is to be held by it but the pipe. */
__attribute__((noreturn)) static void become_loader(const struct plane_loader *loader,
						    const char *program, int out_fd)
{
	char service[sizeof(loader->path) + 32];
	const char *const accept[] = {program,
				      "--method=accept",
				      "--xdp=none",
				      "--port=all",
				      "--address=host",
				      "--quiet",
				      "--service",
				      service,
				      "--",
				      loader->options.ifname->text,
				      NULL};
	const char *const other[] = {program,
				     "--port=all",
				     "--address=host",
				     "--quiet",
				     "--service",
				     service,
				     "--",
				     loader->options.ifname->text,
				     NULL};
	sigset_t none;
	int null_fd = open("/dev/null", O_RDWR | O_CLOEXEC);

	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	snprintf(service, sizeof(service), "socket:%s,transient", loader->path);
	setsid();
	signal(SIGPIPE, SIG_IGN); /* it may outlive us */
	if (null_fd < 0 || dup2(null_fd, STDIN_FILENO) < 0 || dup2(null_fd, STDOUT_FILENO) < 0 ||
	    dup2(out_fd, STDERR_FILENO) < 0 || chdir("/") || close_range(3, ~0u, 0))
		_exit(EXIT_FAILURE);
	execv(program, (char *const *)(loader->options.has_parents ? accept : other));
	dprintf(STDERR_FILENO, "%s: %s\n", program, strerror(errno));
	_exit(EXIT_FAILURE);
}

/* What it says when all is well is nobody's business, nor who else listens: what else it says is passed on. */
static bool is_worth_saying(const struct plane_loader *loader, const char *line)
{
	static const char *const starts[] = {": answering", ": detached"};
	static const char port[] = "nolisten-loader: port ";
	char start[IF_NAMESIZE + 32];

	for (size_t i = 0; i < sizeof(starts) / sizeof(starts[0]); i++) {
		snprintf(start, sizeof(start), "nolisten-loader: %s%s",
			 loader->options.ifname->text, starts[i]);
		if (!strncmp(line, start, strlen(start)))
			return false;
	}
	return strncmp(line, port, sizeof(port) - 1);
}

/* Whole lines, and what is too long for one. */
static void say_lines(struct plane_loader *loader)
{
	char *line = loader->said, *end;

	loader->said[loader->said_len] = '\0';
	while ((end = strchr(line, '\n')) ||
	       (line == loader->said && loader->said_len == SAID_SIZE - 1)) {
		if (end)
			*end = '\0';
		if (is_worth_saying(loader, line))
			dprintf(STDERR_FILENO, "%s\n", line);
		line = end ? end + 1 : loader->said + loader->said_len;
	}
	loader->said_len -= (size_t)(line - loader->said);
	memmove(loader->said, line, loader->said_len);
}

/* False: there is no more. */
static bool read_output(struct plane_loader *loader)
{
	ssize_t len;

	if (loader->said_len == SAID_SIZE - 1)
		say_lines(loader);
	len = read(loader->out_fd, loader->said + loader->said_len,
		   SAID_SIZE - 1 - loader->said_len);
	if (len <= 0)
		return len < 0 && (errno == EAGAIN || errno == EINTR);
	loader->said_len += (size_t)len;
	return true;
}

static void end_output(struct plane_loader *loader)
{
	loop_remove(loader->out_source);
	loader->out_source = NULL;
	if (loader->out_fd >= 0)
		close(loader->out_fd);
	loader->out_fd = -1;
}

/* It has closed it, which it does at its end; then it is nobody's child. */
static void take_output(void *context, uint32_t events)
{
	struct plane_loader *loader = context;

	(void)events;
	if (read_output(loader)) {
		say_lines(loader);
		return;
	}
	end_output(loader);
	if (loader->pid && waitpid(loader->pid, NULL, WNOHANG) != 0)
		loader->pid = 0;
}

static int start_loader(struct plane_loader *loader, const char *program)
{
	int fds[2];
	int err = pipe2(fds, O_CLOEXEC) ? -errno : 0;

	if (err)
		return err;
	loader->pid = fork();
	if (!loader->pid)
		become_loader(loader, program, fds[1]);
	err = loader->pid < 0 ? -errno : 0;
	close(fds[1]);
	loader->out_fd = fds[0];
	loader->said_len = 0;
	fcntl(loader->out_fd, F_SETFL, O_NONBLOCK);
	if (err)
		loader->pid = 0;
	else
		err = loop_add(loader->options.loop, loader->out_fd, EPOLLIN, take_output, loader,
			       &loader->out_source);
	return err;
}

static int dial(const struct plane_loader *loader, struct nolisten **out)
{
	const struct nolisten_options nothing = {.path = loader->path, .ports = "none"};

	return nolisten_open(out, &nothing);
}

int plane_loader_begin(struct plane_loader **out, const struct plane_loader_options *options)
{
	struct plane_loader *loader = calloc(1, sizeof(*loader));
	char program[PATH_MAX], reason[LOADER_REASON_SIZE];
	int err;

	if (!loader)
		return -ENOMEM;
	*loader = (struct plane_loader){.options = *options, .out_fd = -1, .control_fd = -1};
	snprintf(loader->path, sizeof(loader->path), PATH_FORM, options->ifname->text);
	*out = loader;
	if (!dial(loader, &loader->client))
		return 0;
	err = loader_path_find(program, reason);
	if (err) {
		log_error("%s", reason);
	} else {
		err = start_loader(loader, program);
		if (err)
			log_error("%s: cannot start its loader: %s", options->ifname->text,
				  strerror(-err));
	}
	if (err) {
		plane_loader_free(loader);
		*out = NULL;
	}
	return err;
}

/* Has ours ended? Then another's may be there, or nobody's will be. */
static bool has_ended(struct plane_loader *loader)
{
	if (loader->pid && waitpid(loader->pid, NULL, WNOHANG) != 0)
		loader->pid = 0;
	return !loader->pid;
}

static void await_a_moment(struct plane_loader *loader)
{
	struct pollfd poll_fd = {.fd = loader->out_fd, .events = POLLIN};

	if (poll(&poll_fd, 1, ASK_AGAIN_MS) > 0 && !read_output(loader))
		end_output(loader);
}

static bool may_come(int err)
{
	return err == -ECONNREFUSED || err == -ENOENT || err == -ESHUTDOWN || err == -ECONNRESET;
}

/* Why it failed is what the loader has said, if it has said anything. */
static int fail(struct plane_loader *loader, int err)
{
	const char *ifname = loader->options.ifname->text;

	while (loader->out_fd >= 0 && has_ended(loader) && read_output(loader))
		;
	if (!may_come(err))
		log_error("%s: %s", ifname, nolisten_why());
	else
		log_error("%s: its loader has not come up: --interface=LIST leaves it out, "
			  "--socket=PATH asks a loader that runs already",
			  ifname);
	say_lines(loader);
	return err;
}

static int start_another(struct plane_loader *loader)
{
	char program[PATH_MAX], reason[LOADER_REASON_SIZE];

	end_output(loader);
	return loader_path_find(program, reason) ?: start_loader(loader, program);
}

static void end_question(struct plane_loader *loader)
{
	if (loader->control_fd >= 0)
		close(loader->control_fd);
	loader->control_fd = -1;
}

/*
 * Ours has lost the interface's lock. To another's that is starting, which does not answer yet; to one that was about to end, and there is
 * nobody now; or to one that answers, and is not for us: -EBUSY.
 */
static int look_at_lock(struct plane_loader *loader)
{
	char byte;
	ssize_t len;

	if (loader->control_fd < 0)
		loader->control_fd = control_connect(loader->options.ifname->text, "status");
	if (loader->control_fd < 0)
		return loader->control_fd == -ECONNREFUSED ? start_another(loader)
							   : loader->control_fd;
	len = recv(loader->control_fd, &byte, sizeof(byte), MSG_DONTWAIT | MSG_PEEK);
	if (len > 0)
		return -EBUSY;
	if (len == 0 || errno != EAGAIN)
		end_question(loader);
	return 0;
}

/* All that it has said is here by now. */
static bool has_lost_lock(struct plane_loader *loader)
{
	while (loader->out_fd >= 0 && read_output(loader))
		;
	loader->said[loader->said_len] = '\0';
	return strstr(loader->said, CONTROL_TAKEN);
}

static int dial_until(struct plane_loader *loader, uint64_t until_ns, struct nolisten **out)
{
	int err = -ECONNREFUSED;

	while (may_come(err) && clock_monotonic_ns() < until_ns) {
		err = dial(loader, out);
		if (!err)
			return 0;
		if (has_ended(loader) && (!has_lost_lock(loader) || look_at_lock(loader)))
			return dial(loader, out); /* it may listen by now */
		await_a_moment(loader);
	}
	return err;
}

int plane_loader_await(struct plane_loader *loader, struct nolisten **out)
{
	int err;

	*out = loader->client;
	loader->client = NULL;
	if (*out)
		return 0;
	err = dial_until(loader, clock_monotonic_ns() + READY_MS * CLOCK_NS_PER_MS, out);
	end_question(loader);
	if (err)
		return fail(loader, err);
	/* Of one that lost the lock to the other's nobody need hear. */
	if (has_ended(loader))
		loader->said_len = 0;
	say_lines(loader);
	return 0;
}

const char *plane_loader_path(const struct plane_loader *loader)
{
	return loader->path;
}

void plane_loader_free(struct plane_loader *loader)
{
	if (!loader)
		return;
	end_output(loader);
	nolisten_close(loader->client);
	free(loader);
}
