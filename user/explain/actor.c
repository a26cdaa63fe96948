/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Start an actor, wait for its cue and its end. */
#include "actor.h"

#include <errno.h>
#include <sys/socket.h>
#include <unistd.h>

#define PATIENCE_MS 10000 /* none lives longer */

struct part {
	actor_fn fn;
	uint16_t port;
	int cue;
};

static int act(const void *argument, void *result)
{
	const struct part *part = argument;

	(void)result;
	return -part->fn(part->port, part->cue);
}

int actor_start(struct actor *actor, const struct lab *lab, enum lab_place place, actor_fn fn,
		uint16_t port)
{
	struct part part = {.fn = fn, .port = port};
	const struct job_function function = {
		.fn = act, .argument = &part, .place = place, .cpu = JOB_ANY_CPU};
	int fds[2], err;

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds))
		return -errno;
	part.cue = fds[1];
	err = job_start(lab, &function, &actor->job);
	actor->cue = fds[0];
	close(fds[1]);
	if (err)
		close(fds[0]);
	return err;
}

int actor_await(struct actor *actor)
{
	int err = job_await(actor->cue, PATIENCE_MS);
	char byte;

	if (err)
		return err;
	return read(actor->cue, &byte, 1) == 1 ? 0 : -ECHILD;
}

int actor_release(struct actor *actor)
{
	return send(actor->cue, "", 1, MSG_NOSIGNAL) == 1 ? 0 : -ECHILD;
}

int actor_join(struct actor *actor)
{
	close(actor->cue);
	return -job_wait(&actor->job, PATIENCE_MS);
}
