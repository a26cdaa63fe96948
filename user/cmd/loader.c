/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The first signal leaves the open connections to their service, the second ends them; SIGHUP reads the configuration file
 * again, and is for who rotates logs. The service manager, if there is one, hears of each.
 */
#include "loader.h"

#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "core.h"
#include "listeners.h"
#include "log.h"
#include "manager.h"
#include "reload.h"
#include "vlan_loaders.h"

struct loader {
	const struct loader_options *options; /* NULL in a VLAN's process */
	const struct config *config;
	struct vlan_loaders *vlans; /* NULL: none */
	int parent_fd; /* of a VLAN's process, else -1 */
	struct core *core;
	struct loop_source *signals; /* or the parent's word */
	struct loop_source *reloads; /* of a VLAN's process */
	bool ignores_hang_up; /* as nohup(1) wants it */
	struct loop_source *watchdog; /* NULL: nobody waits for it */
	struct snapshot snapshot;
	bool has_left;
	int err; /* why it cannot go on */
};

static void print_start(struct loader *loader, const struct port_set *answered)
{
	const struct config *config = loader->config;
	char ports[256], addresses[512], method[2400];

	port_set_format(answered, ports, sizeof(ports));
	core_format_addresses(loader->core, addresses, sizeof(addresses));
	core_format_method(loader->core, method, sizeof(method));
	listeners_warn(answered);
	log_info("%s: answering TCP port %s on %s with %s (%s)", config->ifname, ports, addresses,
		 config->service, method);
	manager_send("READY=1\nSTATUS=answering TCP port %s on %s", ports, addresses);
}

/* keeps: see core_keeps(). */
static void print_summary(struct loader *loader, bool keeps)
{
	struct snapshot *snapshot = &loader->snapshot;
	char left[64] = "detached";
	const struct session_stats *session = &snapshot->sum.session;
	const struct nol_stats *packets = &snapshot->packets;

	core_snapshot(loader->core, snapshot);
	if (keeps)
		snprintf(left, sizeof(left), "answers go on for %u s without a loader",
			 loader->config->pin_s);
	log_info("%s: %s; %" PRIu64 " SYN, %" PRIu64 " established, %" PRIu64
		 " handed off, %" PRIu64 " expired, %" PRIu64 " reset, %" PRIu64
		 " RST dropped, %" PRIu64 " lost",
		 snapshot->ifname, left, session->syn + (uint64_t)packets->cookie_sent,
		 session->established, session->handed_off, session->expired, session->reset,
		 (uint64_t)packets->rst_dropped,
		 (uint64_t)(packets->lost_ring_full + packets->lost_syn + packets->lost_too_long +
			    session->table_full));
}

static void leave(struct loader *loader)
{
	const bool keeps = core_keeps(loader->core);
	const uint64_t active = core_leave(loader->core);

	loader->has_left = true;
	manager_send("STOPPING=1\nSTATUS=%s, %" PRIu64 " open connections",
		     keeps ? "ready for the next loader" : "detached", active);
	print_summary(loader, keeps);
	if (active)
		log_info(
			"%" PRIu64
			" connection%s live%s on until the service ends; interrupt again to close %s now",
			active, active == 1 ? "" : "s", active == 1 ? "s" : "",
			active == 1 ? "it" : "them");
}

static void go(struct loader *loader)
{
	if (loader->has_left)
		core_stop(loader->core);
	else
		leave(loader);
}

/* Tells the manager in any case that it is over. */
static void read_config(struct loader *loader)
{
	char why[OPTION_ERROR_SIZE];

	manager_reloading();
	if (reload(loader->core, loader->options, why)) {
		manager_send("READY=1\nSTATUS=as before, since %s", why);
		return;
	}
	core_snapshot(loader->core, &loader->snapshot);
	print_start(loader, loader->snapshot.ports);
}

/* Where there is nothing to read or open again SIGHUP ends, as it does by default; and so does a terminal that is gone. */
static bool is_end(struct loader *loader, uint32_t signal)
{
	const bool has_config = loader->options->settings.path;
	bool has_files;

	if (signal == LOOP_HANG_UP)
		return !loader->ignores_hang_up;
	if (signal != SIGHUP)
		return true;
	vlan_loaders_reload(loader->vlans);
	has_files = core_reload(loader->core);
	if (has_config && !loader->has_left)
		read_config(loader);
	return !has_files && !has_config && !loader->ignores_hang_up;
}

static void take_signal(void *context, uint32_t signal)
{
	struct loader *loader = context;

	if (!is_end(loader, signal))
		return;
	vlan_loaders_tell(loader->vlans);
	go(loader);
}

/* Of a VLAN's process: the parent's, or somebody's who means all of us. */
static void take_reload(void *context, uint32_t signal)
{
	struct loader *loader = context;

	(void)signal;
	core_reload(loader->core);
}

/* Without a parent there is nothing to wait for. */
static void take_parents_word(void *context, uint32_t events)
{
	struct loader *loader = context;

	(void)events;
	if (vlan_parent_await(loader->parent_fd)) {
		go(loader);
		return;
	}
	loop_remove(loader->signals);
	loader->signals = NULL;
	if (!loader->has_left)
		leave(loader);
	core_stop(loader->core);
}

static void feed_watchdog(void *context, uint32_t events)
{
	(void)context;
	(void)events;
	manager_send("WATCHDOG=1");
}

/* Twice as often as it has to be. */
static int begin_watchdog(struct loader *loader)
{
	const uint64_t period_ms = manager_watchdog_us() / 2000;

	if (!manager_watchdog_us() || loader->parent_fd >= 0)
		return 0;
	return loop_add_timer(core_loop(loader->core), period_ms ?: 1, feed_watchdog, NULL,
			      &loader->watchdog);
}

static int watch_for_end(struct loader *loader)
{
	static const int signals[] = {SIGINT, SIGTERM, SIGHUP, 0}, reloads[] = {SIGHUP, 0};
	struct loop *loop = core_loop(loader->core);
	struct sigaction hang_up;
	int err;

	sigaction(SIGHUP, NULL, &hang_up);
	loader->ignores_hang_up = hang_up.sa_handler == SIG_IGN;
	if (loader->parent_fd < 0)
		err = loop_add_signals(loop, signals, take_signal, loader, &loader->signals)
			      ?: begin_watchdog(loader);
	else
		err = loop_add(loop, loader->parent_fd, EPOLLIN, take_parents_word, loader,
			       &loader->signals)
			      ?: loop_add_signals(loop, reloads, take_reload, loader,
						  &loader->reloads);
	if (err)
		log_error("%s: cannot watch for signals: %s", loader->config->ifname,
			  strerror(-err));
	return err;
}

/* All answer, those of the VLANs too. */
static void take_ready(void *context, int err)
{
	struct loader *loader = context;

	loader->err = err;
	if (err)
		core_stop(loader->core);
	else
		print_start(loader, &loader->config->ports);
}

/* Of a VLAN's process: it is open; may it begin? */
static bool may_begin(const struct loader *loader)
{
	return loader->parent_fd < 0 ||
	       (vlan_parent_tell(loader->parent_fd) && vlan_parent_await(loader->parent_fd));
}

static int run(struct loader *loader)
{
	int err = core_attach(loader->core);

	if (!err)
		err = vlan_loaders_begin(loader->vlans, core_loop(loader->core), take_ready,
					 loader);
	if (err) {
		core_fail(loader->core);
		return err;
	}
	if (loader->parent_fd >= 0)
		vlan_parent_tell(loader->parent_fd);
	err = core_run(loader->core) ?: loader->err;
	if (err && !loader->has_left)
		print_summary(loader, core_keeps(loader->core));
	return err;
}

static int run_on(const struct loader_options *options, const struct config *config,
		  struct vlan_loaders *vlans, int parent_fd)
{
	struct loader loader = {
		.options = options, .config = config, .vlans = vlans, .parent_fd = parent_fd};
	int err = core_open(&loader.core, config);

	if (err)
		return err;
	if (may_begin(&loader))
		err = watch_for_end(&loader) ?: run(&loader);
	vlan_loaders_unwatch(vlans);
	loop_remove(loader.signals);
	loop_remove(loader.reloads);
	loop_remove(loader.watchdog);
	core_close(loader.core);
	return err;
}

/* The manager hears of the parent alone. */
static int run_on_vlan(const struct config *config, int parent_fd)
{
	manager_close();
	return run_on(NULL, config, NULL, parent_fd);
}

static int run_with_vlans(const struct loader_options *options)
{
	struct config below = options->config;
	struct vlan_loaders *vlans;
	int err = vlan_loaders_new(&vlans, &options->config, &options->vlans, run_on_vlan);
	int vlans_err;

	if (err)
		return err;
	/* Those of the VLAN devices are the same, and a tag may be gone when XDP sees a frame. */
	below.skips_link_local = true;
	below.has_vlans = true;
	err = run_on(options, &below, vlans, -1);
	vlans_err = vlan_loaders_free(vlans, err);
	return err ?: vlans_err;
}

int loader_run(const struct loader_options *options)
{
	int err = manager_open();

	if (err)
		log_warning("cannot reach the service manager: %s", strerror(-err));
	err = port_set_count(&options->vlans) ? run_with_vlans(options)
					      : run_on(options, &options->config, NULL, -1);
	manager_close();
	return err;
}
