/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Listeners that an application has of its own: method accept has the kernel queue connections there. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "applications_private.h"
#include "listener.h"
#include "methods.h"

struct application *application_of_client(const struct applications *applications, uint32_t client)
{
	struct application *one = applications->first;

	while (one && (one->is_away || one->client != client))
		one = one->next;
	return one;
}

int application_refuse(struct app_reply *reply, int err, const char *what, const char *why)
{
	snprintf(reply->why, sizeof(reply->why), "%s%s%s", what, *what ? ": " : "", why);
	return err;
}

static int refuse_endpoint(struct app_reply *reply, int err, const struct endpoint *at,
			   const char *why)
{
	char text[ENDPOINT_TEXT_SIZE];

	endpoint_format(at, text);
	return application_refuse(reply, err, text, why);
}

/* May it have that, whoever else is there? */
static int check_offered(const struct applications *applications, uint32_t client,
			 const struct offered *offered, struct app_reply *reply)
{
	const struct config *config = applications->config;
	struct prefix at = offered_prefix(offered);
	struct claim claim = {.prefixes = &at, .prefix_count = 1};

	port_set_add(&claim.ports, offered->local.port);
	if (!method_lends(config))
		return application_refuse(
			reply, -EOPNOTSUPP, "",
			method_accepts(config->method)
				? "--max-per-source counts what the loader accepts"
				: "only method accept has listeners of others");
	if (!claim_is_within(&claim, &config->ports, NULL))
		return refuse_endpoint(reply, -EACCES, &offered->local,
				       "the loader does not answer it (--port)");
	if (at.bits == 128 && claim_find_outside(&claim, config->prefixes, config->prefix_count))
		return refuse_endpoint(reply, -EACCES, &offered->local,
				       "the loader does not answer it (--address)");
	if (endpoints_meet(applications->endpoints, client, offered))
		return refuse_endpoint(reply, -EADDRINUSE, &offered->local,
				       "another application has it");
	if (endpoints_has_listener(offered))
		return refuse_endpoint(reply, -EADDRINUSE, &offered->local,
				       "a kernel socket listens there");
	for (const struct application *one = applications->first; one; one = one->next)
		if (!one->is_away && one->client != client &&
		    claim_meets(&one->claim, &claim, NULL))
			return refuse_endpoint(reply, -EADDRINUSE, &offered->local,
					       "another application has it");
	return 0;
}

static struct offered read_offered(const struct app_endpoint *endpoint)
{
	struct offered offered = {.local.port = endpoint->port, .is_v6only = endpoint->is_v6only};

	memcpy(offered.local.addr.bytes, endpoint->addr, sizeof(endpoint->addr));
	return offered;
}

static bool is_waiting(void *context, const struct endpoint *local)
{
	const struct applications *applications = context;
	uint32_t client;

	return endpoints_is_waiting(applications->endpoints, local, &client);
}

static void wake(void *context, const struct endpoint *local)
{
	const struct applications *applications = context;
	uint32_t client;

	if (endpoints_is_waiting(applications->endpoints, local, &client))
		app_server_wake(applications->server, client);
}

int application_offers_open(struct applications *applications, struct kern *kern)
{
	struct link_info link;
	int err;

	if (!method_lends(applications->config))
		return 0;
	err = core_find_link(applications->config->ifname, &link);
	return err
		       ?: awaiting_new(&applications->awaiting, kern, &link,
				       core_loop(applications->core), wake, applications);
}

void application_offers_settle(struct applications *applications)
{
	applications_answer(applications);
	if (applications->awaiting)
		awaiting_release(applications->awaiting, is_waiting);
}

/* What it offers is looked at, and not kept: once the application has closed it, nobody listens there. */
int application_offer(void *context, uint32_t client, const struct app_endpoint *endpoint,
		      int parent, struct app_reply *reply)
{
	struct applications *applications = context;
	const struct offered offered = read_offered(endpoint);
	struct endpoint listener;
	const char *why;
	int err;

	if (endpoint->is_waiting) {
		err = check_offered(applications, client, &offered, reply);
		if (!err)
			err = endpoints_await(applications->endpoints, client, &offered, true);
		return err ?: applications_answer(applications);
	}
	err = listener_read(parent, &listener, &why);
	if (err)
		return application_refuse(reply, err, "the listener", why);
	if (addr_is_v4(&listener.addr) && !addr_is_v4(&offered.local.addr))
		return application_refuse(reply, -EINVAL, "the listener",
					  "an IPv4 socket can have no IPv6");
	err = check_offered(applications, client, &offered, reply);
	if (!err)
		err = endpoints_offer(applications->endpoints, client, &offered, &listener);
	if (!err)
		application_offers_settle(applications);
	return err;
}

void application_withdraw(void *context, uint32_t client, const struct app_endpoint *endpoint)
{
	struct applications *applications = context;
	const struct offered offered = read_offered(endpoint);
	struct endpoint parent = {.port = endpoint->parent_port};

	memcpy(parent.addr.bytes, endpoint->parent_addr, sizeof(endpoint->parent_addr));
	if (endpoint->is_waiting)
		endpoints_await(applications->endpoints, client, &offered, false);
	else
		endpoints_withdraw(applications->endpoints, client, &offered,
				   parent.port ? &parent : NULL);
	application_offers_settle(applications);
}
