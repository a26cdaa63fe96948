/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The first signal leaves the open connections to their service, the second ends them. */
#include "loader.h"

#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdbool.h>
#include <string.h>

#include "core.h"
#include "listeners.h"
#include "log.h"

struct loader {
	const struct config *config;
	struct core *core;
	struct loop_source *signals;
	struct snapshot snapshot;
	bool has_left;
};

static void print_start(struct loader *loader)
{
	const struct config *config = loader->config;
	char ports[256], addresses[512], method[128];

	port_set_format(&config->ports, ports, sizeof(ports));
	core_format_addresses(loader->core, addresses, sizeof(addresses));
	core_format_method(loader->core, method, sizeof(method));
	listeners_warn(&config->ports);
	log_info("%s: answering TCP port %s on %s with %s (%s)", config->ifname, ports, addresses,
		 config->service, method);
}

static void print_summary(struct loader *loader)
{
	struct snapshot *snapshot = &loader->snapshot;
	const struct session_stats *session = &snapshot->sum.session;
	const struct nol_stats *packets = &snapshot->packets;

	core_snapshot(loader->core, snapshot);
	log_info(
		"%s: detached; %" PRIu64 " SYN, %" PRIu64 " established, %" PRIu64
		" handed off, %" PRIu64 " expired, %" PRIu64 " reset, %" PRIu64
		" RST dropped, %" PRIu64 " lost",
		snapshot->ifname, session->syn + (uint64_t)packets->cookie_sent,
		session->established, session->handed_off, session->expired, session->reset,
		(uint64_t)packets->rst_dropped,
		(uint64_t)(packets->lost_ring_full + packets->lost_too_long + session->table_full));
}

static void leave(struct loader *loader)
{
	const uint64_t active = core_leave(loader->core);

	loader->has_left = true;
	print_summary(loader);
	if (active)
		log_info(
			"%" PRIu64
			" connection%s live%s on until the service ends; interrupt again to close %s now",
			active, active == 1 ? "" : "s", active == 1 ? "s" : "",
			active == 1 ? "it" : "them");
}

static void take_signal(void *context, uint32_t signal)
{
	struct loader *loader = context;

	(void)signal;
	if (loader->has_left)
		core_stop(loader->core);
	else
		leave(loader);
}

static int run(struct loader *loader)
{
	int err = core_attach(loader->core);

	if (err)
		return err;
	print_start(loader);
	err = core_run(loader->core);
	if (err && !loader->has_left)
		print_summary(loader);
	return err;
}

int loader_run(const struct config *config)
{
	static const int signals[] = {SIGINT, SIGTERM, 0};
	struct loader loader = {.config = config};
	int err = core_open(&loader.core, config);

	if (err)
		return err;
	err = loop_add_signals(core_loop(loader.core), signals, take_signal, &loader,
			       &loader.signals);
	if (err)
		log_error("%s: cannot watch for signals: %s", config->ifname, strerror(-err));
	else
		err = run(&loader);
	loop_remove(loader.signals);
	core_close(loader.core);
	return err;
}
