/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* One opener for all, from the first request on. */
#include "application_connects.h"

#include <errno.h>
#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "app_server.h"
#include "applications_private.h"
#include "clock.h"
#include "methods.h"
#include "opener.h"
#include "source_address.h"
#include "tcp_settings.h"

#define CONNECTS_MAX \
	32 /* at a time: of APP_SERVER_CLIENTS, so that there is room for applications */
#define PRIVILEGED_PORTS 1024

struct pending {
	struct application_connects *connects;
	struct app_server *server;
	struct opening *opening; /* NULL: none */
	bool is_nonblocking;
};

struct application_connects {
	struct loop *loop;
	const char *ifname;
	const struct engine_settings *settings;
	struct opener *opener; /* NULL: nobody has asked yet */
	uint32_t scope_id;
	struct pending pending[APP_SERVER_CLIENTS];
};

int application_connects_new(struct application_connects **out, struct loop *loop,
			     const char *ifname, const struct engine_settings *settings)
{
	struct application_connects *connects = calloc(1, sizeof(*connects));

	if (!connects)
		return -ENOMEM;
	connects->loop = loop;
	connects->ifname = ifname;
	connects->settings = settings;
	*out = connects;
	return 0;
}

void application_connects_free(struct application_connects *connects)
{
	if (!connects)
		return;
	opener_free(connects->opener);
	free(connects);
}

static int open_opener(struct application_connects *connects)
{
	struct engine_config engine = {0};
	struct opener_config config = {
		.max_openings = CONNECTS_MAX,
		.settings = *connects->settings,
	};

	if (connects->opener)
		return 0;
	tcp_settings_read(&engine);
	config.syn_retries = engine.syn_retries;
	config.scope_id = connects->scope_id = if_nametoindex(connects->ifname);
	return opener_new(&connects->opener, connects->loop, &config);
}

static int refuse(struct app_connected *answer, int err, const char *why)
{
	snprintf(answer->why, sizeof(answer->why), "%s", why);
	return err;
}

static int check_layout(const struct app_connect *request, struct tcpopt_layout *out,
			struct app_connected *answer)
{
	if (!(request->given & APP_CONNECT_LAYOUT))
		return 0;
	out->count = request->option_count;
	memcpy(out->kinds, request->options, sizeof(out->kinds));
	return tcpopt_layout_check(out)
		       ? refuse(answer, -EINVAL, "such a list of options cannot be sent")
		       : 0;
}

static void take_syn(const struct app_connect *request, struct engine_syn *out)
{
	out->given = (request->given & APP_CONNECT_MSS ? ENGINE_SYN_MSS : 0) |
		     (request->given & APP_CONNECT_WINDOW ? ENGINE_SYN_WINDOW : 0) |
		     (request->given & APP_CONNECT_WSCALE ? ENGINE_SYN_WSCALE : 0) |
		     (request->given & APP_CONNECT_LAYOUT ? ENGINE_SYN_LAYOUT : 0);
	out->mss = request->mss;
	out->window = request->window;
	out->wscale = request->wscale;
	out->ttl = request->given & APP_CONNECT_TTL ? request->ttl : 0;
}

static int find_source(const struct application_connects *connects, struct tuple *tuple,
		       struct app_connected *answer)
{
	const bool is_link_local = addr_is_link_local(&tuple->remote.addr);
	int err;

	if (!addr_is_one_host(&tuple->remote.addr))
		return refuse(answer, -ENETUNREACH, "not the address of one host");
	if (!addr_is_unspecified(&tuple->local.addr))
		return addr_is_v4(&tuple->local.addr) == addr_is_v4(&tuple->remote.addr)
			       ? 0
			       : refuse(answer, -EINVAL, "one end is IPv4 and the other IPv6");
	err = source_address_find(&tuple->remote.addr, is_link_local ? connects->scope_id : 0, 0,
				  &tuple->local.addr);
	return err == -EACCES ? -ENETUNREACH : err;
}

static int read_request(const struct application_connects *connects, uid_t user,
			const struct app_connect *request, struct opening_options *out,
			struct app_connected *answer)
{
	struct tuple *tuple = &out->tuple;
	int err;

	memcpy(&tuple->remote.addr, request->remote_addr, sizeof(tuple->remote.addr));
	memcpy(&tuple->local.addr, request->local_addr, sizeof(tuple->local.addr));
	tuple->remote.port = request->remote_port;
	tuple->local.port = request->local_port;
	out->timeout_ns = request->timeout_ms * CLOCK_NS_PER_MS;
	if (user && request->local_port && request->local_port < PRIVILEGED_PORTS)
		return refuse(answer, -EACCES, "only root may connect from a port below 1024");
	err = check_layout(request, &out->syn.layout, answer);
	if (err)
		return err;
	take_syn(request, &out->syn);
	return find_source(connects, tuple, answer);
}

static void describe(const struct opening_result *result, struct app_record *out)
{
	const struct syn_print *syn = result->syn;

	memcpy(out->local_addr, result->tuple.local.addr.bytes, sizeof(out->local_addr));
	memcpy(out->remote_addr, result->tuple.remote.addr.bytes, sizeof(out->remote_addr));
	out->local_port = result->tuple.local.port;
	out->remote_port = result->tuple.remote.port;
	out->method = NOL_METHOD_ENGINE;
	out->has_syn = !!syn;
	if (!syn)
		return;
	out->syn_ttl = syn->ttl;
	out->syn_window = syn->window;
	out->syn_mss = syn->mss;
	out->syn_wscale = syn->wscale;
	out->syn_option_count = syn->option_count;
	memcpy(out->syn_options, syn->options, sizeof(out->syn_options));
}

static void explain(const struct opening_result *result, struct app_connected *answer)
{
	char from[ADDR_TEXT_SIZE];

	if (!result->icmp)
		return;
	addr_format(&result->icmp->from, from);
	snprintf(answer->why, sizeof(answer->why), "%s (ICMP %s, from %s)", strerror(-result->err),
		 icmp_error_name(result->icmp), from);
}

static void set_blocking(int fd)
{
	int off = 0;

	ioctl(fd, FIONBIO, &off);
}

static void take_result(void *context, const struct opening_result *result)
{
	struct pending *pending = context;
	struct application_connects *connects = pending->connects;
	struct app_connected answer = {.err = result->err, .scope_id = connects->scope_id};

	pending->opening = NULL;
	if (result->err) {
		explain(result, &answer);
	} else {
		describe(result, &answer.record);
		if (!pending->is_nonblocking)
			set_blocking(result->fd);
	}
	app_server_connected(pending->server, (uint32_t)(pending - connects->pending), &answer,
			     result->fd);
	if (result->fd >= 0)
		close(result->fd);
}

int application_connects_ask(struct application_connects *connects, struct app_server *server,
			     uint32_t client, uid_t user, const struct app_connect *request,
			     struct app_connected *answer)
{
	struct opening_options options = {0};
	struct pending *pending;
	int err;

	if (!connects)
		return refuse(
			answer, -EACCES,
			"the loader opens no connections (--service=socket:PATH,connect=yes)");
	err = open_opener(connects);
	if (!err)
		err = read_request(connects, user, request, &options, answer);
	if (err)
		return err;
	if (opener_count(connects->opener) == CONNECTS_MAX)
		return refuse(answer, -EAGAIN, "too many are being opened at the moment");
	pending = &connects->pending[client];
	*pending = (struct pending){
		.connects = connects,
		.server = server,
		.is_nonblocking = request->given & APP_CONNECT_NONBLOCK,
	};
	opener_set(connects->opener, connects->settings);
	err = opener_open(connects->opener, &options, take_result, pending, &pending->opening);
	return err == -EALREADY ? -EADDRINUSE : err;
}

void application_connects_cancel(struct application_connects *connects, uint32_t client)
{
	struct pending *pending = &connects->pending[client];

	if (pending->opening)
		opener_cancel(pending->opening);
	pending->opening = NULL;
}

int application_connect(void *context, uint32_t client, uid_t user,
			const struct app_connect *request, struct app_connected *answer)
{
	struct applications *applications = context;

	if (applications->has_left)
		return refuse(answer, -ESHUTDOWN, "the loader is about to end");
	return application_connects_ask(applications->connects, applications->server, client, user,
					request, answer);
}

void application_cancel(void *context, uint32_t client)
{
	struct applications *applications = context;

	application_connects_cancel(applications->connects, client);
}
