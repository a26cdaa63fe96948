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

#include "applications_private.h"
#include "claim.h"
#include "clock.h"
#include "endpoints.h"
#include "lending.h"
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

#define FIRST_CLIENT_NS \
	(10 * CLOCK_NS_PER_S) /* whoever started a transient loader has come by then */

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

static void end_lending(struct applications *applications, const struct application *to)
{
	if (!to || applications->lent_to != to)
		return;
	applications->lent_to = NULL;
	lending_end(applications->workers);
}

/* Who asks for nothing takes nothing from others. */
static int share_parents(struct applications *applications, const struct application *with)
{
	int err;

	if (!applications->lent_to || claim_is_empty(&with->claim))
		return 0;
	err = lending_share(applications->workers);
	if (!err)
		applications->lent_to = NULL;
	return err;
}

/* Those of the ones that are here, and of the ones that may come back. */
static void find_ports(const struct applications *applications, struct port_set *out)
{
	applications_first_ports(applications->config, out);
	for (const struct application *one = applications->first; one; one = one->next)
		port_set_unite(out, &one->claim.ports);
}

/* Those that are answered at every address. */
static void find_wide(const struct applications *applications, struct port_set *out)
{
	applications_first_ports(applications->config, out);
	for (const struct application *one = applications->first; one; one = one->next)
		if (!one->is_narrow)
			port_set_unite(out, &one->claim.ports);
}

int applications_answer(struct applications *applications)
{
	struct port_set ports, wide;

	find_wide(applications, &wide);
	endpoints_narrow(applications->endpoints, &wide);
	find_ports(applications, &ports);
	endpoints_add_ports(applications->endpoints, &ports);
	return core_set_ports(applications->core, &ports);
}

/* Too many are answered at every address, and refused later. */
static void narrow(struct applications *applications, struct application *application)
{
	int err = application->claim.prefix_count
			  ? endpoints_claim(applications->endpoints, &application->claim)
			  : -ENOENT;

	application->is_narrow = !err;
	if (err == -ENOSPC)
		log_debug("pid %d: too many ports and addresses to tell ingress of",
			  (int)application->pid);
}

/* Has it all that workers get? */
static bool may_borrow(const struct applications *applications, const struct application *to)
{
	struct claim asked = {0};

	find_ports(applications, &asked.ports);
	return method_lends(applications->config) && !applications->lent_to && !to->is_away &&
	       !to->claim.prefix_count && !claim_is_empty(&to->claim) &&
	       claim_is_within(&asked, &to->claim.ports, NULL);
}

/* Method accept: whoever has all that is answered gets the parents, and asks nobody any more. */
static void lend_parents(struct applications *applications, const struct application *to,
			 struct app_reply *reply, int *fds)
{
	int err;

	if (!may_borrow(applications, to))
		return;
	err = lending_begin(applications->workers, fds + reply->data_count, &reply->parent_count);
	applications->lent_to = to;
	if (!err)
		return;
	reply->parent_count = 0;
	end_lending(applications, to);
}

/* One that was alone once more, or is so for the first time. */
static void lend_again(struct applications *applications)
{
	const struct application *to = applications->first;
	struct app_reply reply = {0};
	int fds[APP_DESCRIPTORS];

	while (to && !may_borrow(applications, to))
		to = to->next;
	if (!to || applications->has_left)
		return;
	lend_parents(applications, to, &reply, fds);
	if (reply.parent_count && app_server_lend(applications->server, to->client, &reply, fds))
		end_lending(applications, to);
}

static void remove_application(struct applications *applications, struct application *application)
{
	struct application **link = &applications->first;

	while (*link != application)
		link = &(*link)->next;
	*link = application->next;
	if (application->is_narrow)
		endpoints_unclaim(applications->endpoints, &application->claim);
	applications_answer(applications);
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

static int refuse_port(struct app_reply *reply, int err, uint16_t port, const char *why)
{
	char text[16];

	snprintf(text, sizeof(text), "port %u", port);
	return application_refuse(reply, err, text, why);
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
		return application_refuse(reply, -EACCES, text,
					  "the loader does not answer it (--address)");
	}
	if (endpoints_meet_claim(applications->endpoints, UINT32_MAX, claim, &port))
		return refuse_port(reply, -EADDRINUSE, port, "another application has it");
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
	narrow(applications, application);
	err = share_parents(applications, application);
	if (!err)
		err = join_workers(applications, application, reply, fds);
	if (!err)
		err = applications_answer(applications);
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
		return application_refuse(reply, -ESHUTDOWN, "", "the loader is about to end");
	application = calloc(1, sizeof(*application));
	if (!application)
		return -ENOMEM;
	application->client = client;
	application->pid = pid;
	err = claim_parse(&application->claim, ports, addresses, &config->ports, &why);
	if (err)
		application_refuse(reply, err, "", *why ? why : strerror(-err));
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

static void end_if_transient(struct applications *applications)
{
	if (applications->is_transient && !app_server_clients(applications->server))
		core_stop(applications->core);
}

static void lose_application(void *context, uint32_t client, bool has_said)
{
	struct applications *applications = context;
	struct application *application = application_of_client(applications, client);

	if (!application)
		return;
	if (endpoints_withdraw_all(applications->endpoints, client))
		application_offers_settle(applications);
	if (has_said || claim_is_empty(&application->claim)) {
		remove_application(applications, application);
	} else {
		application->is_away = true;
		application->gone_ns = clock_monotonic_ns();
		end_lending(applications, application);
		workers_call(applications->workers, leave, &application->number);
	}
	lend_again(applications);
	end_if_transient(applications);
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
	if (endpoints_sweep(applications->endpoints))
		applications_answer(applications);
	lend_again(applications);
	if (now_ns - applications->started_ns > FIRST_CLIENT_NS)
		end_if_transient(applications);
}

int applications_new(struct applications **out, struct core *core, const struct config *config,
		     struct workers *workers, struct kern *kern,
		     const struct engine_settings *settings)
{
	static const struct app_server_ops ops = {
		.open = open_application,
		.connect = application_connect,
		.cancel = application_cancel,
		.offer = application_offer,
		.withdraw = application_withdraw,
		.gone = lose_application,
	};
	struct applications *applications;
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
	applications->is_transient = spec.is_transient;
	applications->started_ns = clock_monotonic_ns();
	err = endpoints_new(&applications->endpoints, kern)
		      ?: application_offers_open(applications, kern);
	if (!err && spec.may_connect)
		err = application_connects_new(&applications->connects, core_loop(core),
					       config->ifname, settings);
	if (!err)
		err = applications_listen(applications, &spec, &ops);
	if (err) {
		applications_free(applications);
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
	application_connects_free(applications->connects);
	awaiting_free(applications->awaiting);
	while ((one = applications->first)) {
		applications->first = one->next;
		claim_free(&one->claim);
		free(one);
	}
	endpoints_free(applications->endpoints);
	free(applications);
}
