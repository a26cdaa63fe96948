/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * exec:COMMAND: a shell command for each connection, which is its standard input and output. posix_spawn()
 * does not copy our page tables, as fork() would. The child has a session of its own: Ctrl-C at our terminal
 * is not for it, and SIGHUP reaches all that the shell started. A pidfd tells when it has ended.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include "connection.h"

/* What ucspi-tcp's tcpserver tells its children. */
enum {
	VARIABLE_PROTO,
	VARIABLE_LOCAL_IP,
	VARIABLE_LOCAL_PORT,
	VARIABLE_REMOTE_IP,
	VARIABLE_REMOTE_PORT,
	VARIABLE_COUNT,
};

static const char *const variable_names[VARIABLE_COUNT] = {
	"PROTO=", "TCPLOCALIP=", "TCPLOCALPORT=", "TCPREMOTEIP=", "TCPREMOTEPORT=",
};

typedef char variable_text[sizeof("TCPREMOTEPORT=") + ADDR_TEXT_SIZE];

struct command {
	char *text;
	char **environment; /* VARIABLE_COUNT places for ours, then what we inherited */
};

struct child {
	struct connection connection;
	pid_t pid; /* 0: not started, or reaped */
	bool has_place; /* counted in service->options.children */
};

static bool is_ours(const char *variable)
{
	for (int i = 0; i < VARIABLE_COUNT; i++)
		if (!strncmp(variable, variable_names[i], strlen(variable_names[i])))
			return true;
	return false;
}

static char **inherit_environment(void)
{
	size_t count = 0, used = VARIABLE_COUNT;
	char **out;

	while (environ && environ[count])
		count++;
	out = calloc(VARIABLE_COUNT + count + 1, sizeof(*out));
	for (size_t i = 0; out && i < count; i++)
		if (!is_ours(environ[i]))
			out[used++] = environ[i];
	return out;
}

static int exec_configure(struct service *service, const char *argument, const char **error)
{
	struct command *command = calloc(1, sizeof(*command));

	(void)error;
	if (!command)
		return -ENOMEM;
	service->settings = command;
	command->text = strdup(argument);
	command->environment = inherit_environment();
	return command->text && command->environment ? 0 : -ENOMEM;
}

static void exec_forget(struct service *service)
{
	struct command *command = service->settings;

	if (!command)
		return;
	free(command->text);
	free(command->environment);
	free(command);
}

static void set_address(variable_text text, int variable, const struct addr *addr)
{
	char value[ADDR_TEXT_SIZE];

	addr_format(addr, value);
	snprintf(text, sizeof(variable_text), "%s%s", variable_names[variable], value);
}

static void set_port(variable_text text, int variable, uint16_t port)
{
	snprintf(text, sizeof(variable_text), "%s%u", variable_names[variable], port);
}

static void set_variables(variable_text texts[VARIABLE_COUNT], const struct tuple *tuple)
{
	snprintf(texts[VARIABLE_PROTO], sizeof(variable_text), "PROTO=TCP");
	set_address(texts[VARIABLE_LOCAL_IP], VARIABLE_LOCAL_IP, &tuple->local.addr);
	set_port(texts[VARIABLE_LOCAL_PORT], VARIABLE_LOCAL_PORT, tuple->local.port);
	set_address(texts[VARIABLE_REMOTE_IP], VARIABLE_REMOTE_IP, &tuple->remote.addr);
	set_port(texts[VARIABLE_REMOTE_PORT], VARIABLE_REMOTE_PORT, tuple->remote.port);
}

/* We block the signals that we read from a signalfd, and ignore SIGPIPE: the child starts from the defaults. */
static int set_attributes(posix_spawnattr_t *attributes)
{
	sigset_t none, all;

	sigemptyset(&none);
	sigfillset(&all);
	posix_spawnattr_setsigmask(attributes, &none);
	posix_spawnattr_setsigdefault(attributes, &all);
	return -posix_spawnattr_setflags(
		attributes, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSID);
}

static int set_descriptors(posix_spawn_file_actions_t *actions, int fd)
{
	int err = posix_spawn_file_actions_adddup2(actions, fd, STDIN_FILENO);

	if (!err)
		err = posix_spawn_file_actions_adddup2(actions, fd, STDOUT_FILENO);
	if (!err)
		err = posix_spawn_file_actions_addclosefrom_np(actions, STDERR_FILENO + 1);
	return -err;
}

static int spawn(pid_t *pid, int fd, const struct command *command)
{
	char *const argv[] = {"sh", "-c", command->text, NULL};
	posix_spawn_file_actions_t actions;
	posix_spawnattr_t attributes;
	int err;

	posix_spawn_file_actions_init(&actions);
	posix_spawnattr_init(&attributes);
	err = set_descriptors(&actions, fd);
	if (!err)
		err = set_attributes(&attributes);
	if (!err)
		err = -posix_spawn(pid, "/bin/sh", &actions, &attributes, argv,
				   command->environment);
	posix_spawnattr_destroy(&attributes);
	posix_spawn_file_actions_destroy(&actions);
	return err;
}

/* A program that does not know of O_NONBLOCK would take EAGAIN for an error. */
static int make_blocking(int fd)
{
	int flags = fcntl(fd, F_GETFL);

	if (flags < 0)
		return -errno;
	if (flags & O_NONBLOCK && fcntl(fd, F_SETFL, flags & ~O_NONBLOCK))
		return -errno;
	return 0;
}

static int start_child(struct child *child, const struct tuple *tuple)
{
	const struct command *command = child->connection.service->settings;
	variable_text texts[VARIABLE_COUNT];
	int err = make_blocking(child->connection.fd);

	if (err)
		return err;
	set_variables(texts, tuple);
	for (int i = 0; i < VARIABLE_COUNT; i++)
		command->environment[i] = texts[i];
	return spawn(&child->pid, child->connection.fd, command);
}

/* The child has the connection now; what we watch is the child. */
static int watch_child(struct child *child)
{
	int pidfd = pidfd_open(child->pid, 0);

	if (pidfd < 0)
		return -errno;
	close(child->connection.fd);
	child->connection.fd = pidfd;
	return connection_watch(&child->connection, EPOLLIN);
}

/* Nobody would reap it: end it here and now. */
static void kill_child(struct child *child)
{
	kill(-child->pid, SIGKILL);
	while (waitpid(child->pid, NULL, 0) < 0 && errno == EINTR)
		;
	child->pid = 0;
}

/* Is there room for one more? */
static bool take_place(struct child *child)
{
	const struct service *service = child->connection.service;
	uint32_t *children = service->options.children;

	if (!children)
		return service->active <= service->options.max_children;
	child->has_place = true;
	return __atomic_add_fetch(children, 1, __ATOMIC_RELAXED) <= service->options.max_children;
}

static void leave_place(struct child *child)
{
	if (child->has_place)
		__atomic_sub_fetch(child->connection.service->options.children, 1,
				   __ATOMIC_RELAXED);
}

static int exec_start(struct connection *connection, const struct tuple *tuple)
{
	struct child *child = (struct child *)connection;
	int err;

	if (!take_place(child))
		return -EAGAIN;
	err = start_child(child, tuple);
	if (err)
		return err;
	err = watch_child(child);
	if (err)
		kill_child(child);
	return err;
}

static void exec_ready(struct connection *connection)
{
	struct child *child = (struct child *)connection;

	if (waitpid(child->pid, NULL, WNOHANG) == 0)
		return;
	child->pid = 0;
	connection_close(connection);
}

static void exec_stop(struct connection *connection)
{
	struct child *child = (struct child *)connection;

	if (child->pid)
		kill(-child->pid, SIGHUP);
	leave_place(child);
}

const struct service_kind service_exec = {
	.name = "exec",
	.form = "exec:COMMAND",
	.meaning = "a shell command for each, on its standard input and output",
	.missing_argument = "exec needs a command, as in exec:cat",
	.is_apart = true,
	.connection_size = sizeof(struct child),
	.wants_local = true,
	.configure = exec_configure,
	.forget = exec_forget,
	.start = exec_start,
	.ready = exec_ready,
	.stop = exec_stop,
};
