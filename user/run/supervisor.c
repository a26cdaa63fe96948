/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "supervisor.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "caller.h"
#include "calls.h"
#include "child.h"
#include "fd_message.h"
#include "filter.h"
#include "log.h"
#include "run_accept.h"

#define SWEEP_MS 200

struct supervisor {
	struct supervisor_options options;
	struct plane *plane;
	struct loop *loop;
	struct calls calls;
	struct loop_source *notify_source, *tick_source;
	struct child child;
	int filter_fds[2]; /* by which the child gives us its filter */
	bool is_started, is_left_behind; /* COMMAND has ended, its children have its sockets */
};

static void forget_filter(struct supervisor *supervisor)
{
	loop_remove(supervisor->notify_source);
	supervisor->notify_source = NULL;
}

static void stop_asking(struct supervisor *supervisor)
{
	forget_filter(supervisor);
	run_accept_free(&supervisor->calls);
	notify_free(supervisor->calls.notify);
	supervisor->calls.notify = NULL;
}

/* The kernel says when nobody is left under the filter: then notify_source is gone. */
static void end_if_over(struct supervisor *supervisor)
{
	const int status = supervisor->child.status;

	if (!supervisor->is_started || !supervisor->child.has_ended)
		return;
	if (supervisor->notify_source) {
		if (!supervisor->is_left_behind && !supervisor->options.is_quiet)
			log_info("run: '%s' has ended, what it has started goes on",
				 supervisor->options.command[0]);
		supervisor->is_left_behind = true;
		return;
	}
	supervisor->is_started = supervisor->is_left_behind = false;
	stop_asking(supervisor);
	supervisor->options.ended(supervisor->options.context, status);
}

static void tick(void *context, uint32_t events)
{
	struct supervisor *supervisor = context;

	(void)events;
	run_accept_tick(&supervisor->calls);
	if (!run_accept_is_needed(&supervisor->calls)) {
		loop_remove(supervisor->tick_source);
		supervisor->tick_source = NULL;
	}
}

static void take_call(void *context, uint32_t events)
{
	struct supervisor *supervisor = context;
	struct calls *calls = &supervisor->calls;
	struct call call;

	if (events & EPOLLIN && !notify_receive(calls->notify, &call))
		calls_answer(calls, &call);
	if (run_accept_is_needed(calls) && !supervisor->tick_source)
		loop_add_timer(supervisor->loop, RUN_ACCEPT_TICK_MS, tick, supervisor,
			       &supervisor->tick_source);
	if (events & EPOLLHUP && !(events & EPOLLIN)) {
		forget_filter(supervisor);
		run_sockets_sweep(calls->sockets, true);
		end_if_over(supervisor);
	}
}

static void sweep(void *context, uint32_t events)
{
	struct supervisor *supervisor = context;

	(void)events;
	run_sockets_sweep(supervisor->calls.sockets, false);
	end_if_over(supervisor);
}

static void take_connections(void *context, uint32_t events)
{
	struct supervisor *supervisor = context;

	(void)events;
	run_accept_take(&supervisor->calls, supervisor->plane);
}

/* In the child. What comes last no exec undoes, but that of a set-user-ID program. */
static int prepare(void *context)
{
	struct supervisor *supervisor = context;
	const pid_t parent = getppid();
	int fd = filter_install(supervisor->options.needs_descriptors);
	int err = fd < 0 ? fd : fd_message_send(supervisor->filter_fds[1], "", 1, &fd, 1);

	if (fd < 0)
		log_error("run: cannot filter system calls: %s",
			  fd == -EBUSY ? "another supervisor does" : strerror(-fd));
	else if (err)
		log_error("run: cannot pass the filter on: %s", strerror(-err));
	else
		err = run_user_become(supervisor->options.user);
	if (err)
		return err;
	close(fd);
	if (supervisor->options.prepare)
		err = supervisor->options.prepare(supervisor->options.context);
	if (err)
		return err;
	prctl(PR_SET_PDEATHSIG, SIGTERM);
	return getppid() == parent ? 0 : -ESRCH;
}

static bool is_deserted(const struct supervisor *supervisor)
{
	struct pollfd filter = {.fd = notify_fd(supervisor->calls.notify)};

	return poll(&filter, 1, 0) == 1 && filter.revents & POLLHUP;
}

/* It may have left somebody behind. */
static void end_child(void *context, int status)
{
	struct supervisor *supervisor = context;

	(void)status;
	run_sockets_sweep(supervisor->calls.sockets, true);
	if (supervisor->notify_source && is_deserted(supervisor))
		forget_filter(supervisor);
	end_if_over(supervisor);
}

static void signal_holder(void *context, pid_t pid)
{
	kill(pid, *(const int *)context);
}

static bool signal_holders(const struct supervisor *supervisor, int signal_number)
{
	const struct run_socket *one = run_sockets_first(supervisor->calls.sockets);

	while (one && one->state == RUN_KEPT)
		one = one->next;
	if (one)
		caller_each_holder(one->socket, signal_holder, &signal_number);
	return one;
}

/* What COMMAND has left behind hears what COMMAND would have heard. Who is to be ended and cannot be found is left alone. */
static void signal_left_behind(struct supervisor *supervisor, int signal_number)
{
	if (!supervisor->is_left_behind || signal_holders(supervisor, signal_number) ||
	    (signal_number != SIGTERM && signal_number != SIGINT))
		return;
	forget_filter(supervisor);
	end_if_over(supervisor);
}

static void take_signal(void *context, int signal_number)
{
	struct supervisor *supervisor = context;
	const struct supervisor_options *options = &supervisor->options;

	if (options->heard)
		options->heard(options->context, signal_number);
	if (signal_number != options->kept_signal)
		signal_left_behind(supervisor, signal_number);
}

bool supervisor_is_running(const struct supervisor *supervisor)
{
	return supervisor->is_started;
}

void supervisor_signal(struct supervisor *supervisor, int signal_number)
{
	if (supervisor->is_left_behind)
		signal_left_behind(supervisor, signal_number);
	else if (supervisor->is_started && !supervisor->child.has_ended)
		kill(supervisor->child.pid, signal_number);
}

static int watch(struct supervisor *supervisor)
{
	int err = loop_add_timer(supervisor->loop, SWEEP_MS, sweep, supervisor, NULL);

	if (!err && supervisor->options.needs_descriptors)
		err = loop_add(supervisor->loop, plane_fd(supervisor->plane), EPOLLIN,
			       take_connections, supervisor, NULL);
	return err;
}

int supervisor_new(struct supervisor **out, const struct supervisor_options *options,
		   struct plane *plane, struct loop *loop)
{
	struct supervisor *supervisor = calloc(1, sizeof(*supervisor));
	const struct run_sockets_options sockets = {
		.plane = plane,
		.needs_descriptors = options->needs_descriptors,
		.is_kept = options->is_kept,
		.context = options->context,
	};
	int err = -ENOMEM;

	if (supervisor) {
		*supervisor = (struct supervisor){
			.options = *options,
			.plane = plane,
			.loop = loop,
			.calls = {.ports = options->ports, .interfaces = options->interfaces},
			.child = CHILD_INIT(.who = "run", .prepare = prepare, .ended = end_child,
					    .heard = take_signal,
					    .kept_signal = options->kept_signal,
					    .context = supervisor),
		};
		err = run_sockets_new(&supervisor->calls.sockets, &sockets);
	}
	if (!err)
		err = watch(supervisor);
	if (err) {
		log_error("run: %s", strerror(-err));
		supervisor_free(supervisor);
		return err;
	}
	*out = supervisor;
	return 0;
}

static int take_filter(struct supervisor *supervisor)
{
	size_t count;
	char byte;
	int fd, err;

	if (fd_message_receive(supervisor->filter_fds[0], &byte, 1, &fd, 1, &count) != 1 || !count)
		return -EIO;
	err = notify_new(&supervisor->calls.notify, fd);
	return err
		       ?: loop_add(supervisor->loop, notify_fd(supervisor->calls.notify), EPOLLIN,
				   take_call, supervisor, &supervisor->notify_source);
}

/* It has them without having asked. */
static void adopt_all(struct supervisor *supervisor)
{
	struct run_socket *one = run_sockets_first(supervisor->calls.sockets);

	for (; one; one = one->next)
		if (one->state == RUN_KEPT)
			run_sockets_adopt(one);
}

/* The descriptor is on its way to us before COMMAND begins. */
static int start(struct supervisor *supervisor, int *status)
{
	int err = child_start(&supervisor->child, supervisor->loop, supervisor->options.command,
			      status);

	if (err)
		return err;
	supervisor->is_started = true;
	if (supervisor->options.are_passed)
		adopt_all(supervisor);
	err = take_filter(supervisor);
	if (err) {
		log_error("run: cannot answer '%s': %s", supervisor->options.command[0],
			  strerror(-err));
		kill(supervisor->child.pid, SIGKILL);
		*status = 1;
	}
	return err;
}

int supervisor_start(struct supervisor *supervisor, int *status)
{
	int err;

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, supervisor->filter_fds)) {
		err = -errno;
		log_error("run: socketpair: %s", strerror(-err));
		*status = 1;
		return err;
	}
	err = start(supervisor, status);
	close(supervisor->filter_fds[0]);
	close(supervisor->filter_fds[1]);
	return err;
}

struct run_sockets *supervisor_sockets(const struct supervisor *supervisor)
{
	return supervisor->calls.sockets;
}

void supervisor_free(struct supervisor *supervisor)
{
	if (!supervisor)
		return;
	stop_asking(supervisor);
	run_sockets_free(supervisor->calls.sockets);
	free(supervisor);
}
