/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Start an actor, wait for its cue and its end. */
#include "explain_actor.h"

#include <errno.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

_Noreturn static void act(const struct lab *lab, enum lab_side side, actor_fn fn, uint16_t port,
			  int cue)
{
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	alarm(ACTOR_SECONDS_MAX);
	_exit(explain_lab_enter(lab, side) ? EPERM : fn(port, cue));
}

int actor_start(struct actor *actor, const struct lab *lab, enum lab_side side, actor_fn fn,
		uint16_t port)
{
	int fds[2], err = 0;

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds))
		return -errno;
	actor->pid = fork();
	if (actor->pid == 0)
		act(lab, side, fn, port, fds[1]);
	if (actor->pid < 0)
		err = -errno;
	actor->cue = fds[0];
	close(fds[1]);
	if (err)
		close(fds[0]);
	return err;
}

int actor_await(struct actor *actor)
{
	char byte;

	return read(actor->cue, &byte, 1) == 1 ? 0 : -ECHILD;
}

int actor_release(struct actor *actor)
{
	return send(actor->cue, "", 1, MSG_NOSIGNAL) == 1 ? 0 : -ECHILD;
}

int actor_join(struct actor *actor)
{
	int status;

	close(actor->cue);
	if (waitpid(actor->pid, &status, 0) != actor->pid) {
		kill(actor->pid, SIGKILL);
		waitpid(actor->pid, &status, 0);
		return EINTR;
	}
	return WIFEXITED(status) ? WEXITSTATUS(status) : ETIMEDOUT;
}
