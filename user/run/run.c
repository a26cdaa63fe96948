/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The plane is there before COMMAND, and goes after it. */
#include "run.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "child.h"
#include "command_find.h"
#include "early.h"
#include "listen_fds.h"
#include "log.h"
#include "supervisor.h"
#include "survey.h"

#define STATUS_FAILED 1

struct run {
	const struct run_options *options;
	struct loop *loop;
	struct plane *plane;
	struct supervisor *supervisor;
	struct life *life;
	bool has_ended;
	int status;
};

static void end(void *context, int status)
{
	struct run *run = context;

	run->has_ended = true;
	run->status = status;
}

static void answer_again(void *context)
{
	const struct run *run = context;

	if (run->supervisor)
		run_sockets_answer_again(supervisor_sockets(run->supervisor));
	if (run->life)
		life_await_again(run->life);
}

static void take_end(void *context, int status)
{
	life_take_end(((struct run *)context)->life, status);
}

static void take_signal(void *context, int signal)
{
	life_take_signal(((struct run *)context)->life, signal);
}

static bool keeps(void *context, const struct run_socket *socket)
{
	return life_keeps(((struct run *)context)->life, socket);
}

static int pass_listeners(void *context)
{
	return listen_fds_pass(supervisor_sockets(((struct run *)context)->supervisor));
}

static void take_come(void *context)
{
	struct run *run = context;

	if (run->life)
		life_take_come(run->life);
}

static int await(void *context, bool is_on)
{
	struct run *run = context;

	if (is_on)
		return early_await(run->plane, supervisor_sockets(run->supervisor),
				   run->options->ports);
	early_settle(run->plane, run->options->ports);
	return 0;
}

/* Where COMMAND will listen is known. */
static bool needs_early(const struct run_options *options)
{
	return options->address || options->passes_listeners;
}

static int open_supervisor(struct run *run, bool needs_descriptors)
{
	const struct run_options *options = run->options;
	const struct supervisor_options supervisor = {
		.command = options->command,
		.ports = options->ports,
		.interfaces = options->interfaces,
		.user = options->user,
		.needs_descriptors = needs_descriptors,
		.is_quiet = options->is_quiet,
		.ended = take_end,
		.is_kept = keeps,
		.heard = take_signal,
		.kept_signal = options->life.restart ? SIGHUP : 0,
		.prepare = options->passes_listeners ? pass_listeners : NULL,
		.are_passed = options->passes_listeners,
		.context = run,
	};
	struct life_options life = options->life;
	int err = supervisor_new(&run->supervisor, &supervisor, run->plane, run->loop);

	life.name = options->command[0];
	life.is_quiet = options->is_quiet;
	life.over = end;
	life.await = needs_early(options) ? NULL : await;
	life.context = run;
	if (!err && needs_early(options))
		err = early_make(supervisor_sockets(run->supervisor), options->ports,
				 options->address);
	return err ?: life_new(&run->life, &life, run->supervisor, run->loop);
}

/* What stands between COMMAND and listeners of its own. */
struct obstacle {
	bool is_nat;
	char needed[SURVEY_WAY_SIZE + 64];
};

static bool find_obstacle(const struct run_options *options, struct obstacle *out)
{
	char way[SURVEY_WAY_SIZE];

	*out = (struct obstacle){.needed = "Linux 6.9, and no --no-parent"};
	if (options->has_no_parent || !plane_has_parents())
		return true;
	if (options->socket && !plane_takes_parents(options->socket)) {
		snprintf(out->needed, sizeof(out->needed), "a loader with --method=accept");
		return true;
	}
	out->is_nat = !options->socket && survey_nat_prevents(options->ports, way);
	if (out->is_nat)
		snprintf(out->needed, sizeof(out->needed), "no NAT, or a rule: %s", way);
	return out->is_nat;
}

static int open_plane(struct run *run)
{
	struct obstacle obstacle;
	const struct plane_options options = {
		.interfaces = run->options->interfaces,
		.socket = run->options->socket,
		.needs_descriptors = find_obstacle(run->options, &obstacle),
		.renewed = answer_again,
		.woken = take_come,
		.context = run,
	};
	int err;

	if (options.needs_descriptors &&
	    (life_is_kept(&run->options->life) || run->options->passes_listeners)) {
		log_error("run: --on-demand, --restart and --listen-fds need %s", obstacle.needed);
		return -ENOTSUP;
	}
	if (obstacle.is_nat && !run->options->is_quiet)
		log_info("run: NAT is on here, so each connection is put into COMMAND; the quicker "
			 "way needs %s",
			 obstacle.needed + strlen("no NAT, or "));
	err = plane_open(&run->plane, &options, run->loop);
	return err ?: open_supervisor(run, options.needs_descriptors);
}

static int wait_for_end(struct run *run)
{
	int err = 0;

	while (err >= 0 && !run->has_ended)
		err = loop_wait(run->loop, -1);
	if (err < 0)
		log_error("run: cannot wait: %s", strerror(-err));
	return err < 0 ? STATUS_FAILED : run->status;
}

/* On demand it would turn out when somebody waits. */
static int check_command(const struct run_options *options, int *status)
{
	int err = options->life.is_on_demand ? command_find(options->command[0]) : 0;

	if (!err)
		return 0;
	*status = err == -ENOENT ? CHILD_NOT_FOUND : CHILD_NOT_EXECUTABLE;
	log_error("run: cannot run '%s': %s", options->command[0],
		  err == -ENOENT ? "not found" : strerror(-err));
	return err;
}

static int open_all(struct run *run, int *status)
{
	const struct run_options *options = run->options;
	int err = check_command(options, status);

	if (!err && options->passes_listeners)
		err = listen_fds_reserve(port_set_count(options->ports));
	if (err)
		return err;
	err = loop_new(&run->loop);
	if (err)
		log_error("run: %s", strerror(-err));
	return err ?: open_plane(run);
}

int run_command(const struct run_options *options)
{
	struct run run = {.options = options, .status = STATUS_FAILED};
	int status = STATUS_FAILED;

	if (!open_all(&run, &status) && !life_begin(run.life, &status))
		status = wait_for_end(&run);
	life_free(run.life);
	supervisor_free(run.supervisor);
	plane_close(run.plane);
	loop_free(run.loop);
	return status;
}
