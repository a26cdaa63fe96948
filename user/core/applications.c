/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * A port is answered while somebody is there who has asked for it, and for as long as connections may wait for an application
 * that has died: it may come back. One that says that it goes takes its ports with it at once.
 */
#include "applications.h"

#include <errno.h>
#include <net/if.h>
#include <nolisten.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "app_server.h"
#include "claim.h"
#include "clock.h"
#include "listeners.h"
#include "log.h"
#include "methods.h"
#include "passing.h"
#include "rehearsal.h"
#include "socket_spec.h"
#include "worker.h"

#define SAME_NUMBER(member, text) \
	_Static_assert((int)NOL_METHOD_##member == (int)NOLISTEN_METHOD_##member, text);
NOL_METHODS(SAME_NUMBER)

struct application {
	struct application *next;
	uint32_t number, client;
	pid_t pid;
	bool is_away;
	uint64_t gone_ns; /* since when it is away */
	struct claim claim;
};

struct applications {
	struct core *core;
	const struct config *config;
	struct workers *workers;
	struct app_server *server;
	struct application *first;
	uint32_t numbers; /* given so far */
	bool has_left;
	const struct application *lent_to; /* it has the parents of method accept; or NULL */
};

void applications_first_ports(const struct config *config, struct port_set *out)
{
	struct socket_spec spec;
	const bool is_none = socket_spec_of_service(config->service, &spec) && !config->fallback;

	*out = is_none ? (struct port_set){0} : config->ports;
}

struct joining {
	struct passing_claim claim;
	int *fds;
	uint32_t count;
	int err;
};

static void join(struct worker *worker, void *context)
{
	struct joining *joining = context;

	if (joining->err)
		return;
	joining->err = passing_join(worker_service(worker), &joining->claim,
				    &joining->fds[joining->count]);
	joining->count += !joining->err;
}

static void leave(struct worker *worker, void *context)
{
	passing_leave(worker_service(worker), *(const uint32_t *)context);
}

static void forget(struct worker *worker, void *context)
{
	passing_forget(worker_service(worker), *(const uint32_t *)context);
}

struct lending {
	int *fds;
	uint32_t count;
	int err;
};

static void lend(struct worker *worker, void *context)
{
	struct lending *lending = context;

	if (!lending->err)
		lending->err = session_lend(worker_session(worker), &lending->fds[lending->count]);
	lending->count += !lending->err;
}

static void take_back(struct worker *worker, void *context)
{
	struct lending *lending = context;
	int err = session_take_back(worker_session(worker), lending);

	if (lending && !lending->err)
		lending->err = err;
}

/* What is left there waits, for whoever comes. */
static void end_lending(struct applications *applications, const struct application *to)
{
	if (!to || applications->lent_to != to)
		return;
	applications->lent_to = NULL;
	workers_call(applications->workers, take_back, NULL);
}

/* Another wants some: what comes from now on is to be shared out. */
static int share_parents(struct applications *applications)
{
	struct lending lending = {0};

	if (!applications->lent_to)
		return 0;
	workers_call(applications->workers, take_back, &lending);
	if (!lending.err)
		applications->lent_to = NULL;
	return lending.err;
}

/* Those of the ones that are here, and of the ones that may come back. */
static void find_ports(const struct applications *applications, struct port_set *out)
{
	applications_first_ports(applications->config, out);
	for (const struct application *one = applications->first; one; one = one->next)
		port_set_unite(out, &one->claim.ports);
}

static int answer_ports(struct applications *applications)
{
	struct port_set ports;

	find_ports(applications, &ports);
	return core_set_ports(applications->core, &ports);
}

/* Method accept: whoever has all that is answered gets the parents, and asks nobody any more. */
static void lend_parents(struct applications *applications, const struct application *to,
			 struct app_reply *reply, int *fds)
{
	struct lending lending = {.fds = fds + reply->data_count};
	struct claim answered = {0};

	find_ports(applications, &answered.ports);
	if (!method_accepts(applications->config->method) || to->claim.prefix_count ||
	    !claim_is_within(&answered, &to->claim.ports, NULL))
		return;
	workers_call(applications->workers, lend, &lending);
	applications->lent_to = to;
	if (lending.err)
		end_lending(applications, to);
	else
		reply->parent_count = lending.count;
}

static void remove_application(struct applications *applications, struct application *application)
{
	struct application **link = &applications->first;

	while (*link != application)
		link = &(*link)->next;
	*link = application->next;
	answer_ports(applications);
	end_lending(applications, application);
	workers_call(applications->workers, forget, &application->number);
	claim_free(&application->claim);
	free(application);
}

/* Another has what it had: nothing is left to come back for. */
static bool is_replaced(const struct applications *applications,
			const struct application *application)
{
	struct port_set here = {0};

	for (const struct application *one = applications->first; one; one = one->next)
		if (!one->is_away && !one->claim.prefix_count)
			port_set_unite(&here, &one->claim.ports);
	return claim_is_within(&application->claim, &here, NULL);
}

static void remove_away(struct applications *applications, uint64_t before_ns)
{
	struct application *one = applications->first, *next;

	for (; one; one = next) {
		next = one->next;
		if (one->is_away && (one->gone_ns < before_ns || is_replaced(applications, one)))
			remove_application(applications, one);
	}
}

static int refuse(struct app_reply *reply, int err, const char *what, const char *why)
{
	snprintf(reply->why, sizeof(reply->why), "%s%s%s", what, *what ? ": " : "", why);
	return err;
}

static int refuse_port(struct app_reply *reply, int err, uint16_t port, const char *why)
{
	char text[16];

	snprintf(text, sizeof(text), "port %u", port);
	return refuse(reply, err, text, why);
}

/* Whose is it already? */
static int check_others(const struct applications *applications, const struct claim *claim,
			struct app_reply *reply)
{
	char why[64];
	uint16_t port;

	for (const struct application *one = applications->first; one; one = one->next) {
		if (one->is_away || !claim_meets(&one->claim, claim, &port))
			continue;
		snprintf(why, sizeof(why), "another application has it, pid %d", (int)one->pid);
		return refuse_port(reply, -EADDRINUSE, port, why);
	}
	return 0;
}

/* What somebody has asked for by number should be his; of all ports he gets those that nobody has. */
static int check_claim(const struct applications *applications, const struct claim *claim,
		       bool is_explicit, struct app_reply *reply)
{
	const struct config *config = applications->config;
	char text[ADDR_TEXT_SIZE + 4];
	const struct prefix *outside;
	uint16_t port;

	if (!claim_is_within(claim, &config->ports, &port))
		return refuse_port(reply, -EACCES, port, "the loader does not answer it (--port)");
	outside = claim_find_outside(claim, config->prefixes, config->prefix_count);
	if (outside) {
		prefix_format(outside, text);
		return refuse(reply, -EACCES, text, "the loader does not answer it (--address)");
	}
	if (is_explicit && listeners_find(&claim->ports, &port))
		return refuse_port(reply, -EADDRINUSE, port, "a kernel socket listens there");
	return check_others(applications, claim, reply);
}

static int join_workers(struct applications *applications, struct application *application,
			struct app_reply *reply, int *fds)
{
	struct workers *workers = applications->workers;
	struct joining joining = {
		.claim = {application->number, &application->claim.ports,
			  application->claim.prefixes, application->claim.prefix_count},
		.fds = fds,
	};

	workers_call(workers, join, &joining);
	reply->data_count = joining.count;
	reply->scope_id = if_nametoindex(applications->config->ifname);
	return joining.err;
}

static int add_application(struct applications *applications, struct application *application,
			   struct app_reply *reply, int *fds)
{
	int err;

	application->number = applications->numbers++;
	application->next = applications->first;
	applications->first = application;
	err = share_parents(applications);
	if (!err)
		err = join_workers(applications, application, reply, fds);
	if (!err)
		err = answer_ports(applications);
	if (err) {
		remove_application(applications, application);
		return err;
	}
	remove_away(applications, 0);
	lend_parents(applications, application, reply, fds);
	return 0;
}

static int open_application(void *context, uint32_t client, pid_t pid, const char *ports,
			    const char *addresses, struct app_reply *reply,
			    int fds[APP_DESCRIPTORS])
{
	struct applications *applications = context;
	const struct config *config = applications->config;
	struct application *application;
	const char *why = "";
	int err;

	if (applications->has_left)
		return refuse(reply, -ESHUTDOWN, "", "the loader is about to end");
	application = calloc(1, sizeof(*application));
	if (!application)
		return -ENOMEM;
	application->client = client;
	application->pid = pid;
	err = claim_parse(&application->claim, ports, addresses, &config->ports, &why);
	if (err)
		refuse(reply, err, "", *why ? why : strerror(-err));
	else
		err = check_claim(applications, &application->claim, ports && strcmp(ports, "all"),
				  reply);
	if (err) {
		claim_free(&application->claim);
		free(application);
		return err;
	}
	return add_application(applications, application, reply, fds);
}

static void lose_application(void *context, uint32_t client, bool has_said)
{
	struct applications *applications = context;
	struct application *application = applications->first;

	while (application && (application->is_away || application->client != client))
		application = application->next;
	if (!application)
		return;
	if (has_said) {
		remove_application(applications, application);
		return;
	}
	application->is_away = true;
	application->gone_ns = clock_monotonic_ns();
	end_lending(applications, application);
	workers_call(applications->workers, leave, &application->number);
}

void applications_leave(struct applications *applications)
{
	if (applications)
		applications->has_left = true;
}

void applications_beat(struct applications *applications)
{
	const uint64_t now_ns = clock_monotonic_ns();
	uint64_t wait_ns;

	if (!applications)
		return;
	wait_ns = applications->config->queue_ms * CLOCK_NS_PER_MS;
	remove_away(applications, now_ns > wait_ns ? now_ns - wait_ns : 0);
}

int applications_new(struct applications **out, struct core *core, const struct config *config,
		     struct workers *workers)
{
	static const struct app_server_ops ops = {.open = open_application,
						  .gone = lose_application};
	struct applications *applications;
	struct app_access access;
	struct socket_spec spec;
	int err;

	*out = NULL;
	if (!socket_spec_of_service(config->service, &spec))
		return 0;
	if (config->is_rehearsal)
		return rehearsal_service(config->service);
	applications = calloc(1, sizeof(*applications));
	if (!applications)
		return -ENOMEM;
	applications->core = core;
	applications->config = config;
	applications->workers = workers;
	access = (struct app_access){spec.user, spec.group, spec.mode};
	err = app_server_new(&applications->server, spec.path, &access, core_loop(core), &ops,
			     applications);
	if (err) {
		log_error("--service: %s: %s", spec.path,
			  err == -EADDRINUSE ? "another process listens there, or it is no socket"
					     : strerror(-err));
		free(applications);
		return err;
	}
	*out = applications;
	return 0;
}

void applications_free(struct applications *applications)
{
	struct application *one;

	if (!applications)
		return;
	app_server_free(applications->server);
	while ((one = applications->first)) {
		applications->first = one->next;
		claim_free(&one->claim);
		free(one);
	}
	free(applications);
}
