/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Theory of operation: everything is made in the order in which it is needed, and attached last, so that whatever is
 * missing is said before the host is touched. The control socket comes first: its name is the lock of the interface.
 * Going away is the reverse, in two steps: the first signal detaches and leaves the open connections to their
 * service; when the last has ended, or at a second signal, the process ends.
 */
#include "loader.h"

#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/resource.h>
#include <unistd.h>

#include "alerts.h"
#include "answered.h"
#include "answering.h"
#include "clock.h"
#include "control.h"
#include "control_server.h"
#include "link_watch.h"
#include "listeners.h"
#include "log.h"
#include "method.h"
#include "rates.h"
#include "report.h"
#include "tcp_settings.h"
#include "workers.h"

#define BEAT_MS 1000

struct loader {
	const struct config *config;
	struct link_info link;
	struct loop *loop;
	struct method method;
	struct answered *answered;
	struct link_watch *watch;
	struct answerer *answerer; /* NULL: the method has none */
	struct engine_config engine; /* as the sessions began with it */
	struct events *events;
	struct closing *closing;
	struct workers *workers;
	struct control_server *control;
	struct loop_source *signals, *beat, *watch_source;
	struct alerts alerts;
	struct report report;
	struct rates rates;
	bool is_going; /* detached, waits for the last connection */
	int err; /* why it cannot go on */
};

static int fail(const struct loader *loader, const char *what, int err)
{
	log_error("%s: %s: %s", loader->config->ifname, what, strerror(-err));
	return err;
}

static void stop_for(struct loader *loader, int err)
{
	loader->err = err;
	workers_stop(loader->workers);
}

static void take_link_event(void *context, enum link_event event, const struct link_info *info,
			    const struct addr *addr)
{
	struct loader *loader = context;
	const bool follows_addresses = !loader->config->prefix_count;

	switch (event) {
	case LINK_ADDR_ADDED:
		if (follows_addresses)
			answered_add(loader->answered, addr);
		break;
	case LINK_ADDR_REMOVED:
		if (follows_addresses)
			answered_remove(loader->answered, addr);
		break;
	case LINK_CHANGED:
		if (info->is_up != loader->link.is_up) {
			log_info("%s: is %s", loader->config->ifname, info->is_up ? "up" : "down");
			if (info->is_up)
				answerer_start(loader->answerer);
		}
		if (info->mtu && info->mtu != loader->link.mtu) {
			workers_set_mtu(loader->workers, info->mtu);
			answering_set_mtu(loader->answerer, &loader->engine, info->mtu);
		}
		loader->link = *info;
		break;
	case LINK_GONE:
		log_error("%s: the interface is gone", loader->config->ifname);
		stop_for(loader, -ENODEV);
		break;
	}
}

static void read_link_watch(void *context, uint32_t events)
{
	struct loader *loader = context;

	(void)events;
	link_watch_read(loader->watch);
}

static void beat(void *context, uint32_t events)
{
	struct loader *loader = context;
	struct gate *gate = loader->method.gate;
	struct worker_counts sum;

	(void)events;
	if (gate->ops->beat)
		gate->ops->beat(gate);
	workers_sum(loader->workers, &sum);
	answerer_beat(loader->answerer, sum.half_open);
	rates_beat(&loader->rates, gate, clock_monotonic_ns());
	alerts_check(&loader->alerts, gate, loader->events);
	events_flush(loader->events);
	if (loader->is_going && !sum.connections)
		workers_stop(loader->workers);
}

static void print_summary(const struct loader *loader)
{
	struct gate *gate = loader->method.gate;
	struct nol_stats packets = {0};
	struct worker_counts sum;
	const struct session_stats *stats = &sum.session;

	workers_sum(loader->workers, &sum);
	gate->ops->read_stats(gate, &packets);
	log_info("%s: detached; %" PRIu64 " SYN, %" PRIu64 " established, %" PRIu64
		 " handed off, %" PRIu64 " expired, %" PRIu64 " reset, %" PRIu64
		 " RST dropped, %" PRIu64 " lost",
		 loader->config->ifname, stats->syn + (uint64_t)packets.cookie_sent,
		 stats->established, stats->handed_off, stats->expired, stats->reset,
		 (uint64_t)packets.rst_dropped,
		 (uint64_t)(packets.lost_ring_full + packets.lost_too_long + stats->table_full));
}

/* The first signal: hand off what is complete, detach, leave the rest to the service. */
static void begin_going(struct loader *loader)
{
	struct gate *gate = loader->method.gate;
	uint64_t active;

	workers_drain(loader->workers);
	if (gate->ops->stop_holding)
		gate->ops->stop_holding(gate);
	workers_leave(loader->workers);
	gate->ops->detach(gate);
	loader->is_going = true;
	print_summary(loader);
	active = workers_connections(loader->workers);
	if (!active) {
		workers_stop(loader->workers);
		return;
	}
	log_info("%" PRIu64
		 " connection%s live%s on until the service ends; interrupt again to close %s now",
		 active, active == 1 ? "" : "s", active == 1 ? "s" : "",
		 active == 1 ? "it" : "them");
}

static void take_signal(void *context, uint32_t signal)
{
	struct loader *loader = context;

	(void)signal;
	if (loader->is_going)
		workers_stop(loader->workers);
	else
		begin_going(loader);
}

int loader_find_link(const char *ifname, struct link_info *out)
{
	int err = link_find(ifname, out);

	if (err == -ENODEV)
		log_error("%s: no such interface", ifname);
	else if (err == -EPFNOSUPPORT)
		log_error("%s: neither Ethernet, loopback nor an IP device", ifname);
	else if (err)
		log_error("%s: cannot look it up: %s", ifname, strerror(-err));
	return err;
}

static int open_control(struct loader *loader)
{
	int fd = control_listen(loader->config->ifname);
	int err = fd;

	if (fd == -EADDRINUSE)
		log_error("%s: another nolisten-loader is on this interface",
			  loader->config->ifname);
	else if (fd < 0)
		fail(loader, "cannot open the control socket", fd);
	if (fd < 0)
		return err;
	err = control_server_new(&loader->control, fd, loader->loop, report_answer,
				 &loader->report);
	return err ? fail(loader, "cannot serve the control socket", err) : 0;
}

static int open_answered(struct loader *loader)
{
	const struct config *config = loader->config;
	int err = answered_new(&loader->answered, loader->method.gate);

	for (size_t i = 0; !err && i < config->prefix_count; i++)
		err = answered_add_prefix(loader->answered, &config->prefixes[i], config->ifname);
	return err;
}

static int open_events(struct loader *loader)
{
	const struct events_options events = {
		.json_path = loader->config->events_path,
		.is_quiet = loader->config->is_quiet,
	};

	return events_new(&loader->events, &events);
}

static int open_closing(struct loader *loader)
{
	const struct closing_options closing = {
		.loop = loader->loop,
		.flows = loader->method.flows,
		.events = loader->events,
		.ifindex = loader->link.ifindex,
		.ports = &loader->config->ports,
	};

	return closing_new(&loader->closing, &closing);
}

/* What the engine advertises and how long it waits: as the kernel's own listener would. */
static int configure_engine(struct loader *loader)
{
	struct engine_config *engine = &loader->engine;

	engine->max_flows = loader->config->max_flows;
	tcp_settings_read(engine, loader->link.mtu);
	method_adjust(&loader->method, engine);
	if (getrandom(engine->key, sizeof(engine->key), 0) != sizeof(engine->key))
		return fail(loader, "no random numbers", -EIO);
	return 0;
}

static int open_workers(struct loader *loader)
{
	const struct workers_options workers = {
		.config = loader->config,
		.method = &loader->method,
		.loop = loader->loop,
		.events = loader->events,
		.closing = loader->closing,
		.engine = &loader->engine,
	};
	int err = configure_engine(loader);

	if (!err && loader->method.kern)
		err = answering_open(&loader->answerer, loader->method.kern, loader->config,
				     &loader->link, &loader->engine);
	return err ?: workers_new(&loader->workers, &workers);
}

static int open_sources(struct loader *loader)
{
	static const int signals[] = {SIGINT, SIGTERM, 0};
	struct loop *loop = loader->loop;
	int err = loop_add_signals(loop, signals, take_signal, loader, &loader->signals);

	if (!err)
		err = loop_add_timer(loop, BEAT_MS, beat, loader, &loader->beat);
	if (!err)
		err = link_watch_new(&loader->watch, loader->link.ifindex, take_link_event, loader);
	if (!err)
		err = loop_add(loop, link_watch_fd(loader->watch), EPOLLIN, read_link_watch, loader,
			       &loader->watch_source);
	return err ? fail(loader, "cannot watch the interface", err) : 0;
}

static void fill_report(struct loader *loader)
{
	loader->report = (struct report){
		.ifname = loader->config->ifname,
		.method_name = method_text(loader->config->method),
		.service_name = loader->config->service,
		.method = &loader->method,
		.workers = loader->workers,
		.answered = loader->answered,
		.ports = &loader->config->ports,
		.rates = &loader->rates,
		.events = loader->events,
		.started_ns = clock_monotonic_ns(),
	};
}

static void print_start(const struct loader *loader)
{
	char ports[256], addresses[512], method[128];

	port_set_format(&loader->config->ports, ports, sizeof(ports));
	answered_format(loader->answered, addresses, sizeof(addresses));
	method_format(&loader->method, method, sizeof(method));
	if (!loader->link.is_up)
		log_warning("%s: is down, nothing arrives until it is up", loader->config->ifname);
	listeners_warn(&loader->config->ports);
	log_info("%s: answering TCP port %s on %s with %s (%s)", loader->config->ifname, ports,
		 addresses, loader->config->service, method);
}

static int start(struct loader *loader)
{
	int err = loop_new(&loader->loop);

	if (err)
		return fail(loader, "cannot make an event loop", err);
	err = loader_find_link(loader->config->ifname, &loader->link);
	if (!err)
		err = open_control(loader);
	if (!err)
		err = method_open(&loader->method, loader->config, &loader->link);
	if (!err)
		err = open_answered(loader);
	if (!err)
		err = open_events(loader);
	if (!err)
		err = open_closing(loader);
	if (!err)
		err = open_workers(loader);
	if (!err)
		err = open_sources(loader);
	if (!err)
		err = loader->method.gate->ops->attach(loader->method.gate);
	if (!err)
		err = workers_start(loader->workers);
	if (err)
		return err;
	answerer_start(loader->answerer);
	fill_report(loader);
	print_start(loader);
	return 0;
}

static void finish(struct loader *loader)
{
	loop_remove(loader->watch_source);
	loop_remove(loader->beat);
	loop_remove(loader->signals);
	control_server_free(loader->control);
	link_watch_free(loader->watch);
	workers_free(loader->workers);
	closing_free(loader->closing);
	events_free(loader->events);
	answerer_free(loader->answerer);
	answered_free(loader->answered);
	method_close(&loader->method);
	loop_free(loader->loop);
}

/* Every connection is a descriptor: as many as the host allows. */
static void raise_descriptor_limit(void)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit))
		return;
	limit.rlim_cur = limit.rlim_max;
	setrlimit(RLIMIT_NOFILE, &limit);
}

int loader_run(const struct config *config)
{
	struct loader loader = {.config = config};
	int err;

	raise_descriptor_limit();
	err = start(&loader);
	if (!err)
		err = workers_run(loader.workers);
	if (!err)
		err = loader.err;
	if (loader.workers && !loader.is_going && loader.err)
		print_summary(&loader);
	finish(&loader);
	return err;
}
