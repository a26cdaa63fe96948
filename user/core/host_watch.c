/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* A new table of routes replaces the old one; nothing is changed in place, since workers read it meanwhile. */
#include "host_watch.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "log.h"
#include "route_watch.h"
#include "sysctls.h"

#define SYN_ACK_RETRIES 5

struct host_watch {
	const char *ifname;
	host_fn fn;
	void *context;
	struct sysctls *sysctls;
	struct route_watch *route_watch; /* NULL: there is no hearing of them */
	struct route_list list;
	struct advertise_host host;
	struct routes *routes;
	struct engine_settings settings;
};

static void log_settings(const struct host_watch *watch)
{
	const struct nol_advertised *v4 = &watch->settings.v4, *v6 = &watch->settings.v6;
	size_t count;

	routes_all(watch->routes, &count);
	log_debug("%s: SYN-ACKs: mss %u and %u, window %u and %u, shift count %u, options %#x; "
		  "%zu routes with metrics of their own",
		  watch->ifname, v4->mss, v6->mss, v4->window[1], v6->window[1], v4->wscale,
		  watch->settings.offers, count);
}

/* The kernel's order of tables is known without rules only; where there are others, these are not followed. */
static void log_rules(const struct host_watch *watch, bool had_rules)
{
	if (watch->list.has_rules && !had_rules)
		log_debug("%s: ip rule has more than local, main and default: SYN-ACKs go by "
			  "these three tables",
			  watch->ifname);
}

static void list_routes(struct host_watch *watch)
{
	const bool had_rules = watch->list.has_rules;
	int err;

	free(watch->list.all);
	err = route_watch_list(watch->route_watch, &watch->list);
	if (err)
		log_debug("%s: cannot list the routes: %s", watch->ifname, strerror(-err));
	log_rules(watch, had_rules);
}

static struct routes *make_routes(struct host_watch *watch)
{
	struct routes *routes = NULL;
	int err = routes_new(&routes, &watch->host, watch->list.all, watch->list.count);

	if (err)
		log_warning("%s: SYN-ACKs do not follow the metrics of routes: %s", watch->ifname,
			    err == -E2BIG ? "there are too many" : strerror(-err));
	return routes;
}

static void make_settings(struct host_watch *watch)
{
	static const struct route_metrics none;
	const uint32_t retries = watch->host.sysctls.synack_retries;

	watch->routes = make_routes(watch);
	watch->settings = (struct engine_settings){
		.v4 = advertise(&watch->host, &none, true),
		.v6 = advertise(&watch->host, &none, false),
		.routes = watch->routes,
		.offers = watch->host.limits.is_shut ? 0 : advertise_offers(&watch->host.sysctls),
		.mss_limit = watch->host.limits.mss,
		.syn_ack_retries = retries < SYN_ACK_RETRIES ? retries : SYN_ACK_RETRIES,
	};
	log_settings(watch);
}

static bool look(struct host_watch *watch, uint32_t mtu)
{
	bool is_new = sysctls_read(watch->sysctls, &watch->host.sysctls);

	is_new |= mtu != watch->host.mtu;
	watch->host.mtu = mtu;
	if (watch->route_watch && route_watch_is_stale(watch->route_watch)) {
		list_routes(watch);
		is_new = true;
	}
	return is_new;
}

static void look_again(struct host_watch *watch, uint32_t mtu)
{
	struct routes *old = watch->routes;

	if (!look(watch, mtu))
		return;
	make_settings(watch);
	watch->fn(watch->context, &watch->settings, old);
	routes_free(old);
}

void host_watch_beat(struct host_watch *watch)
{
	look_again(watch, watch->host.mtu);
}

void host_watch_set_mtu(struct host_watch *watch, uint32_t mtu)
{
	look_again(watch, mtu);
}

int host_watch_new(struct host_watch **out, const char *ifname, const struct link_info *link,
		   const struct advertise_limits *limits, host_fn fn, void *context)
{
	struct host_watch *watch = calloc(1, sizeof(*watch));
	int err;

	if (!watch)
		return -ENOMEM;
	watch->ifname = ifname;
	watch->fn = fn;
	watch->context = context;
	watch->host.limits = *limits;
	err = sysctls_new(&watch->sysctls, ifname);
	if (err) {
		host_watch_free(watch);
		return err;
	}
	err = route_watch_new(&watch->route_watch, link->ifindex);
	if (err)
		log_warning("%s: SYN-ACKs do not follow the routes: %s", ifname, strerror(-err));
	look(watch, link->mtu);
	make_settings(watch);
	*out = watch;
	return 0;
}

void host_watch_free(struct host_watch *watch)
{
	if (!watch)
		return;
	sysctls_free(watch->sysctls);
	route_watch_free(watch->route_watch);
	free(watch->list.all);
	routes_free(watch->routes);
	free(watch);
}

const struct engine_settings *host_watch_settings(const struct host_watch *watch)
{
	return &watch->settings;
}
