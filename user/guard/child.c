/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* posix_spawnp(), a signalfd and a pidfd. */
#include "child.h"

#include <errno.h>
#include <signal.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include "log.h"

static const int passed_on[] = {SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGUSR1, SIGUSR2};

/* What the terminal signals reaches our process group, and so the command unless it has left that. */
static bool has_heard(const struct child *child, const struct signalfd_siginfo *info)
{
	return info->ssi_code > 0 && getpgid(child->pid) == getpgrp();
}

static void pass_on(void *context, uint32_t events)
{
	const struct child *child = context;
	struct signalfd_siginfo info;

	(void)events;
	while (read(child->signal_fd, &info, sizeof(info)) == sizeof(info))
		if (!has_heard(child, &info))
			pidfd_send_signal(child->pid_fd, (int)info.ssi_signo, NULL, 0);
}

static void take_end(void *context, uint32_t events)
{
	struct child *child = context;
	int status;

	(void)events;
	if (waitpid(child->pid, &status, WNOHANG) != child->pid)
		return;
	child->has_ended = true;
	child->status = WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

/* A script without #! is sh's, as for env(1) and shells; sh finds it as we do. */
static int spawn_script(pid_t *pid, char **command, const posix_spawnattr_t *attributes)
{
	static const char *const sh[] = {"/bin/sh", "-c", "exec \"$0\" \"$@\""};
	const size_t size = sizeof(sh) / sizeof(sh[0]);
	size_t count = 0;
	const char **words;
	int err;

	while (command[count])
		count++;
	words = calloc(size + count + 1, sizeof(*words));
	if (!words)
		return ENOMEM;
	memcpy(words, sh, sizeof(sh));
	memcpy(words + size, command, count * sizeof(*words));
	err = posix_spawn(pid, words[0], NULL, attributes, (char **)words, environ);
	free(words);
	return err;
}

/* The command gets the mask that we were started with. */
static int spawn(pid_t *pid, char **command, const sigset_t *mask)
{
	posix_spawnattr_t attributes;
	int err;

	posix_spawnattr_init(&attributes);
	posix_spawnattr_setsigmask(&attributes, mask);
	posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK);
	err = posix_spawnp(pid, command[0], NULL, &attributes, command, environ);
	if (err == ENOEXEC)
		err = spawn_script(pid, command, &attributes);
	posix_spawnattr_destroy(&attributes);
	return -err;
}

static int watch(struct child *child, struct loop *loop, const sigset_t *signals)
{
	int err;

	child->signal_fd = signalfd(-1, signals, SFD_CLOEXEC | SFD_NONBLOCK);
	if (child->signal_fd < 0)
		return -errno;
	child->pid_fd = pidfd_open(child->pid, 0);
	if (child->pid_fd < 0)
		return -errno;
	err = loop_add(loop, child->signal_fd, EPOLLIN, pass_on, child, NULL);
	return err ? err : loop_add(loop, child->pid_fd, EPOLLIN, take_end, child, NULL);
}

int child_start(struct child *child, struct loop *loop, char **command, int *status)
{
	sigset_t signals, before;
	int err;

	sigemptyset(&signals);
	for (size_t i = 0; i < sizeof(passed_on) / sizeof(passed_on[0]); i++)
		sigaddset(&signals, passed_on[i]);
	sigprocmask(SIG_BLOCK, &signals, &before);
	signal(SIGCHLD, SIG_DFL); /* of whoever ignores it no child has an exit status */
	err = spawn(&child->pid, command, &before);
	if (err) {
		*status = err == -ENOENT ? CHILD_NOT_FOUND : CHILD_NOT_EXECUTABLE;
		log_error("guard: cannot run '%s': %s", command[0],
			  err == -ENOENT ? "not found" : strerror(-err));
		return err;
	}
	err = watch(child, loop, &signals);
	if (err) {
		kill(child->pid, SIGTERM);
		*status = 1;
		log_error("guard: cannot watch '%s': %s", command[0], strerror(-err));
	}
	return err;
}
