/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Theory of operation: everything is made in the order in which it is needed, and attached last, so that whatever is
 * missing is said before the host is touched. The control socket comes first: its name is the lock of the interface.
 * Going away is the reverse, in two steps: core_leave() detaches and leaves the open connections to their service;
 * when the last has ended, or at core_stop(), it is over.
 */
#include "core.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "accept_settings.h"
#include "answered.h"
#include "applications.h"
#include "clock.h"
#include "confining.h"
#include "control_point.h"
#include "cookie_settings.h"
#include "core_private.h"
#include "descriptors.h"
#include "event_settings.h"
#include "events.h"
#include "forwarding.h"
#include "guarding.h"
#include "host_watch.h"
#include "keeping.h"
#include "log.h"
#include "methods.h"
#include "metrics_point.h"
#include "rehearsal.h"
#include "service_settings.h"
#include "sockopt_settings.h"
#include "tcp_settings.h"
#include "time_slice.h"
#include "workers.h"

#define BEAT_MS 1000
#define SLICE_NS 100000 /* a handshake is little work, and its remote waits */

static int fail(const struct core *core, const char *what, int err)
{
	log_error("%s: %s: %s", core->config.ifname, what, strerror(-err));
	return err;
}

static void stop_for(struct core *core, int err)
{
	core->err = err;
	workers_stop(core->workers);
}

/* Nobody who comes later could do anything with what is left. */
static void give_up(struct core *core, int err)
{
	if (!core->has_left)
		keeping_end(&core->method);
	stop_for(core, err);
}

static void take_link_event(void *context, enum link_event event, const struct link_info *info,
			    const struct addr *addr)
{
	struct core *core = context;
	const bool follows_addresses =
		!core->config.prefix_count && !(addr && core->config.skips_link_local &&
						!addr_is_v4(addr) && addr_is_link_local(addr));

	switch (event) {
	case LINK_ADDR_ADDED:
	case LINK_ADDR_REMOVED:
		if (follows_addresses)
			answered_follow(core->answered, core->config.ifname, addr,
					event == LINK_ADDR_ADDED, core->started_ns);
		break;
	case LINK_CHANGED:
		if (info->is_up != core->link.is_up) {
			log_info("%s: is %s", core->config.ifname, info->is_up ? "up" : "down");
			if (info->is_up)
				cookies_start(core->cookies);
		}
		if (info->mtu && info->mtu != core->link.mtu) {
			log_info("%s: has an MTU of %u", core->config.ifname, info->mtu);
			workers_set_mtu(core->workers, info->mtu);
			host_watch_set_mtu(core->host, info->mtu);
		}
		core->link = *info;
		break;
	case LINK_GONE:
		log_error("%s: the interface is gone", core->config.ifname);
		give_up(core, -ENODEV);
		break;
	}
}

static void read_link_watch(void *context, uint32_t events)
{
	struct core *core = context;

	(void)events;
	link_watch_read(core->watch);
}

static void beat(void *context, uint32_t events)
{
	struct core *core = context;
	struct gate *gate = core->method.gate;
	struct worker_counts sum;
	const bool accepts = method_accepts(core->config.method);
	const int err = core->has_left ? 0 : keeping_check(&core->method);

	(void)events;
	if (err)
		give_up(core, err);
	else if (gate->ops->beat && !core->has_left)
		gate->ops->beat(gate);
	workers_read(core->workers, NULL, &sum);
	guarding_beat(core->guard);
	if (!core->has_left)
		cookies_beat(core->cookies, sum.half_open);
	host_watch_beat(core->host);
	if (accepts)
		accept_settings_beat(core->config.ifname);
	rates_beat(&core->rates, gate, clock_monotonic_ns());
	if (accepts && !core->has_left)
		method_set_standby(&core->method,
				   standby_beat(&core->standby, core->rates.per_s.cookie_sent));
	applications_beat(core->applications);
	if (core->closing && !accepts && !core->applications && !sum.connections)
		closing_compare(core->closing, sum.session.handed_off);
	alerts_check(&core->alerts, gate, core->events);
	events_beat(core->events);
	capture_beat(core->method.capture);
	if (core->has_left && !sum.connections)
		workers_stop(core->workers);
}

uint64_t core_leave(struct core *core)
{
	const bool is_kept = keeping_is_on(&core->method);
	struct gate *gate = core->method.gate;
	uint64_t active;

	workers_drain(core->workers);
	if (is_kept)
		keeping_let_go(&core->method, core->workers);
	else if (gate->ops->stop_holding)
		gate->ops->stop_holding(gate);
	workers_leave(core->workers);
	applications_leave(core->applications);
	/* The guard is on the qdisc that the gate has made. */
	guarding_end(&core->guard);
	gate->ops->detach(gate);
	core->has_left = true;
	if (is_kept) {
		/* The next loader may come, while we still have connections. */
		control_server_free(core->control);
		metrics_server_free(core->metrics);
		core->control = NULL;
		core->metrics = NULL;
	}
	active = workers_connections(core->workers);
	if (!active)
		core_stop(core);
	return active;
}

void core_fail(struct core *core)
{
	keeping_fail(&core->method);
}

bool core_keeps(const struct core *core)
{
	return keeping_is_on(&core->method);
}

void core_stop(struct core *core)
{
	workers_stop(core->workers);
}

static int open_answered(struct core *core)
{
	const struct config *config = &core->config;
	int err = answered_new(&core->answered, core->method.gate);

	for (size_t i = 0; !err && i < config->prefix_count; i++)
		err = answered_add_prefix(core->answered, &config->prefixes[i], config->ifname);
	if (!err && config->has_host_addresses && core->link.is_loopback)
		err = answered_add_loopback(core->answered, config->ifname);
	return err;
}

static int open_closing(struct core *core)
{
	const struct closing_options closing = {
		.loop = core->loop,
		.flows = core->method.flows,
		.events = core->events,
		.ifindex = core->link.ifindex,
		.ports = &core->known_ports,
	};

	return method_watches(&core->config) ? closing_new(&core->closing, &closing) : 0;
}

static void take_settings(void *context, const struct engine_settings *settings,
			  const struct routes *old)
{
	struct core *core = context;
	struct engine_settings adjusted = *settings;

	method_adjust(&core->method, &adjusted);
	workers_set(core->workers, &adjusted);
	cookie_settings_advertise(core->cookies, core->method.kern, settings, old);
}

/* One for all workers and, where there is one, XDP. */
static struct nol_limit *limit_resets(struct core *core, uint32_t per_s)
{
	if (core->method.kern)
		return kern_limit_resets(core->method.kern, per_s);
	nol_limit_set(&core->resets, per_s);
	return &core->resets;
}

/* What the engine advertises and how long it waits: as the kernel's own listener would. */
static int configure_engine(struct core *core)
{
	struct engine_config *engine = &core->engine;

	engine->max_flows = method_accepts(core->config.method) ? 1 : core->config.max_flows;
	tcp_settings_read(engine);
	engine->shut_ns = core->config.tarpit_s * CLOCK_NS_PER_S; /* 0 but with tarpit */
	engine->limit = limit_resets(core, engine->resets_per_s);
	engine->settings = *host_watch_settings(core->host);
	method_adjust(&core->method, &engine->settings);
	if (getrandom(engine->key, sizeof(engine->key), 0) != sizeof(engine->key))
		return fail(core, "no random numbers", -EIO);
	return 0;
}

static int open_workers(struct core *core)
{
	const struct workers_options workers = {
		.config = &core->config,
		.method = &core->method,
		.loop = core->loop,
		.events = core->events,
		.closing = core->closing,
		.engine = &core->engine,
		.apart_fds = core->process ? service_process_fds(core->process) : NULL,
	};
	struct sockopt_settings sockopts;
	int err = sockopt_settings_read(&sockopts, &core->config.sockopts);

	if (err)
		return err;
	core->engine.defer_timeouts = sockopts.defer_timeouts;
	sockopts.limits.is_shut = core->config.tarpit_s;
	err = host_watch_new(&core->host, core->config.ifname, &core->link, &sockopts.limits,
			     take_settings, core);
	if (err)
		return fail(core, "cannot read the host's settings", err);
	err = configure_engine(core);
	if (!err && core->method.kern)
		err = cookie_settings_open(&core->cookies, core->method.kern, &core->config,
					   &core->link);
	if (!err)
		cookie_settings_advertise(core->cookies, core->method.kern,
					  host_watch_settings(core->host), NULL);
	return err ?: workers_new(&core->workers, &workers);
}

/* What is pinned stays: the next loader has a service again. Applications go on without their fallback. */
static void take_service_end(void *context, const char *signal)
{
	struct core *core = context;
	const bool is_fallback = core->config.fallback;

	log_error("%s: nobody has the %s any more%s%s%s: %s", core->config.ifname,
		  is_fallback ? "fallback" : "service", signal ? " (its keeper: " : "",
		  signal ?: "", signal ? ")" : "",
		  is_fallback ? "its connections get a RST until a restart" : "the loader ends");
	if (!is_fallback)
		stop_for(core, -ECHILD);
}

static int open_sources(struct core *core)
{
	struct loop *loop = core->loop;
	int err = loop_add_timer(loop, BEAT_MS, beat, core, &core->beat);

	if (!err)
		err = link_watch_new(&core->watch, core->link.ifindex,
				     core->config.has_host_addresses, take_link_event, core);
	if (!err)
		err = loop_add(loop, link_watch_fd(core->watch), EPOLLIN, read_link_watch, core,
			       &core->watch_source);
	if (err)
		return fail(core, "cannot watch the interface", err);
	err = service_process_watch(core->process, loop, take_service_end, core);
	if (err)
		return fail(core, "cannot watch the service's process", err);
	return forwarding_check(&core->config, core->answered, core->workers);
}

static int start(struct core *core)
{
	int err = loop_new(&core->loop);

	if (err)
		return fail(core, "cannot make an event loop", err);
	err = core_find_link(core->config.ifname, &core->link);
	if (!err)
		err = control_point_open(&core->control, core, &core->config, core->loop);
	if (!err)
		err = method_open(&core->method, &core->config, &core->link);
	if (!err)
		err = guarding_open(&core->guard, &core->config, &core->link, core->method.kern);
	if (!err)
		err = open_answered(core);
	if (!err)
		err = event_settings_open(&core->events, &core->config, &core->link);
	if (!err)
		err = open_closing(core);
	if (!err)
		err = open_workers(core);
	if (!err)
		err = applications_new(&core->applications, core, &core->asked, core->workers,
				       core->method.kern, host_watch_settings(core->host));
	if (!err)
		err = open_sources(core);
	if (!err)
		err = metrics_point_open(&core->metrics, core, &core->config, core->loop);
	return err;
}

int core_attach(struct core *core)
{
	struct gate *gate = core->method.gate;
	int err = gate->ops->attach(gate) ?: guarding_begin(core->guard);

	time_slice_set(SLICE_NS); /* without it remotes wait longer, and that is all */
	if (!err)
		err = confining_enter(core);
	if (!err)
		err = workers_start(core->workers);
	if (err)
		return err;
	keeping_take_over(&core->method, core->workers);
	cookies_start(core->cookies);
	core->started_ns = clock_monotonic_ns();
	if (!core->link.is_up)
		log_warning("%s: is down, nothing arrives until it is up", core->config.ifname);
	return 0;
}

void core_close(struct core *core)
{
	if (!core)
		return;
	loop_remove(core->watch_source);
	loop_remove(core->beat);
	control_server_free(core->control);
	metrics_server_free(core->metrics);
	applications_free(core->applications);
	link_watch_free(core->watch);
	workers_free(core->workers);
	host_watch_free(core->host);
	closing_free(core->closing);
	events_free(core->events);
	cookies_free(core->cookies);
	answered_free(core->answered);
	guarding_end(&core->guard);
	method_close(&core->method);
	service_process_free(core->process);
	confined_free(core->confined);
	loop_free(core->loop);
	free(core);
}

int core_open(struct core **out, const struct config *config)
{
	struct core *core = calloc(1, sizeof(*core));
	int err;

	if (!core)
		return -ENOMEM;
	core->config = core->asked = *config;
	applications_first_ports(config, &core->config.ports);
	core->known_ports = config->ports;
	err = service_settings_start(&core->process, &core->config);
	descriptors_raise_limit();
	if (!err)
		err = start(core);
	if (err)
		core_close(core);
	else
		*out = core;
	return err;
}

int core_run(struct core *core)
{
	return workers_run(core->workers) ?: core->err;
}

int core_set_ports(struct core *core, const struct port_set *ports)
{
	const struct port_set old = core->config.ports;
	struct gate *gate = core->method.gate;
	int err;

	if (core->has_left)
		return 0;
	port_set_unite(&core->known_ports, ports);
	core->config.ports = *ports;
	err = gate->ops->set_ports(gate, ports);
	if (!err)
		return 0;
	/* Some of the host's rules may have changed by then. */
	core->config.ports = old;
	gate->ops->set_ports(gate, &old);
	return fail(core, "cannot answer other ports", err);
}

bool core_reload(struct core *core)
{
	const bool has_capture = capture_reopen(core->method.capture);
	const bool has_keys = cookie_settings_reload(core->cookies, &core->config);

	return events_reopen(core->events) || has_capture || has_keys;
}

int core_set_prefixes(struct core *core, const struct prefix *prefixes, size_t count)
{
	return core->has_left ? 0
			      : answered_set_prefixes(core->answered, prefixes, count,
						      core->config.ifname);
}

struct loop *core_loop(struct core *core)
{
	return core->loop;
}
