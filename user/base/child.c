/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* fork(), execvp(), a signalfd and a pidfd. What fails in the child comes back over a pipe that exec closes. */
#include "child.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include "log.h"

static const int passed_on[] = {SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGUSR1, SIGUSR2};

/* Which of the two has failed, and how. */
struct failure {
	int in_prepare, in_exec; /* -errno; 0: not that */
};

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
	while (read(child->signal_fd, &info, sizeof(info)) == sizeof(info)) {
		if (!child->has_ended && !has_heard(child, &info) &&
		    (int)info.ssi_signo != child->options.kept_signal)
			pidfd_send_signal(child->pid_fd, (int)info.ssi_signo, NULL, 0);
		if (child->options.heard)
			child->options.heard(child->options.context, (int)info.ssi_signo);
	}
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
	loop_remove(child->end_source);
	child->end_source = NULL;
	if (child->options.ended)
		child->options.ended(child->options.context, child->status);
}

/* In the child. The command gets the mask that we were started with; execvp() runs a script without #! by sh. */
__attribute__((noreturn)) static void become(const struct child *child, char **command,
					     const sigset_t *mask, int failure_fd)
{
	struct failure failure = {0};

	if (child->options.prepare)
		failure.in_prepare = child->options.prepare(child->options.context);
	if (!failure.in_prepare) {
		sigprocmask(SIG_SETMASK, mask, NULL);
		execvp(command[0], command);
		failure.in_exec = -errno;
	}
	_exit(write(failure_fd, &failure, sizeof(failure)) == sizeof(failure) ? 1 : 2);
}

/* 0: it has become the command. */
static int await_exec(struct child *child, int failure_fd, struct failure *out)
{
	ssize_t len;

	do
		len = read(failure_fd, out, sizeof(*out));
	while (len < 0 && errno == EINTR);
	if (len == 0)
		return 0;
	waitpid(child->pid, NULL, 0);
	if (len != sizeof(*out))
		*out = (struct failure){.in_prepare = -EIO};
	return out->in_prepare ? out->in_prepare : out->in_exec;
}

static int start(struct child *child, char **command, const sigset_t *mask, struct failure *out)
{
	int fds[2], err = 0;

	if (pipe2(fds, O_CLOEXEC))
		return -errno;
	child->pid = fork();
	if (!child->pid)
		become(child, command, mask, fds[1]);
	if (child->pid < 0)
		err = -errno;
	close(fds[1]);
	if (!err)
		err = await_exec(child, fds[0], out);
	close(fds[0]);
	return err;
}

static int watch_signals(struct child *child, struct loop *loop, const sigset_t *signals)
{
	if (child->signal_fd >= 0)
		return 0;
	child->signal_fd = signalfd(-1, signals, SFD_CLOEXEC | SFD_NONBLOCK);
	if (child->signal_fd < 0)
		return -errno;
	return loop_add(loop, child->signal_fd, EPOLLIN, pass_on, child, NULL);
}

static int watch(struct child *child, struct loop *loop, const sigset_t *signals)
{
	int err = watch_signals(child, loop, signals);

	if (err)
		return err;
	if (child->pid_fd >= 0)
		close(child->pid_fd);
	child->pid_fd = pidfd_open(child->pid, 0);
	if (child->pid_fd < 0)
		return -errno;
	return loop_add(loop, child->pid_fd, EPOLLIN, take_end, child, &child->end_source);
}

static void tell_failure(const struct child *child, const char *command, int err,
			 const struct failure *failure, int *status)
{
	*status = 1;
	if (failure->in_prepare)
		return; /* said by who has prepared */
	if (!failure->in_exec) {
		log_error("%s: cannot start '%s': %s", child->options.who, command, strerror(-err));
		return;
	}
	*status = err == -ENOENT ? CHILD_NOT_FOUND : CHILD_NOT_EXECUTABLE;
	log_error("%s: cannot run '%s': %s", child->options.who, command,
		  err == -ENOENT ? "not found" : strerror(-err));
}

int child_start(struct child *child, struct loop *loop, char **command, int *status)
{
	struct failure failure = {0};
	sigset_t signals;
	int err;

	sigemptyset(&signals);
	for (size_t i = 0; i < sizeof(passed_on) / sizeof(passed_on[0]); i++)
		sigaddset(&signals, passed_on[i]);
	if (!child->has_mask)
		sigprocmask(SIG_BLOCK, &signals, &child->mask);
	child->has_mask = true;
	child->has_ended = false;
	signal(SIGCHLD, SIG_DFL); /* of whoever ignores it no child has an exit status */
	err = start(child, command, &child->mask, &failure);
	if (err) {
		tell_failure(child, command[0], err, &failure, status);
		return err;
	}
	err = watch(child, loop, &signals);
	if (err) {
		kill(child->pid, SIGTERM);
		*status = 1;
		log_error("%s: cannot watch '%s': %s", child->options.who, command[0],
			  strerror(-err));
	}
	return err;
}
