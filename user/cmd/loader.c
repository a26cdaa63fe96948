/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The first signal leaves the open connections to their service, the second ends them. */
#include "loader.h"

#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdbool.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "core.h"
#include "listeners.h"
#include "log.h"
#include "vlan_loaders.h"

struct loader {
	const struct config *config;
	struct vlan_loaders *vlans; /* NULL: none */
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
	vlan_loaders_tell(loader->vlans);
	if (loader->has_left)
		core_stop(loader->core);
	else
		leave(loader);
}

/* fd: -1 if nobody waits. */
static void tell_ready(int fd)
{
	if (fd >= 0 && send(fd, "", 1, MSG_NOSIGNAL) != 1)
		log_debug("nobody waits for us: %s", strerror(errno));
	if (fd >= 0)
		close(fd);
}

static int run(struct loader *loader, int ready_fd)
{
	int err = core_attach(loader->core);

	if (!err)
		err = vlan_loaders_begin(loader->vlans);
	if (err)
		return err;
	print_start(loader);
	tell_ready(ready_fd);
	err = core_run(loader->core);
	if (err && !loader->has_left)
		print_summary(loader);
	return err;
}

static int run_on(const struct config *config, struct vlan_loaders *vlans, int ready_fd)
{
	static const int signals[] = {SIGINT, SIGTERM, 0};
	struct loader loader = {.config = config, .vlans = vlans};
	int err = core_open(&loader.core, config);

	if (err)
		return err;
	err = loop_add_signals(core_loop(loader.core), signals, take_signal, &loader,
			       &loader.signals);
	if (err)
		log_error("%s: cannot watch for signals: %s", config->ifname, strerror(-err));
	else
		err = run(&loader, ready_fd);
	loop_remove(loader.signals);
	core_close(loader.core);
	return err;
}

static int run_on_vlan(const struct config *config, int ready_fd)
{
	return run_on(config, NULL, ready_fd);
}

int loader_run(const struct config *config, const struct port_set *vlans)
{
	struct vlan_loaders *loaders = NULL;
	int err = 0, vlans_err;

	if (port_set_count(vlans))
		err = vlan_loaders_new(&loaders, config, vlans, run_on_vlan);
	if (!err)
		err = run_on(config, loaders, -1);
	if (err)
		vlan_loaders_stop(loaders);
	vlans_err = vlan_loaders_free(loaders);
	return err ?: vlans_err;
}
