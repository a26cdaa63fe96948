/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "guarding.h"

#include <errno.h>
#include <net/if.h>

#include "log.h"
#include "raw_sockets.h"

#define MAX_LEASES 131072

uint32_t guarding_leases(const struct config *config)
{
	return config->guard.is_on && config->guard.mode == NOL_GUARD_FLOWS ? MAX_LEASES : 0;
}

int guarding_open(struct lease_guard **out, const struct config *config,
		  const struct link_info *link, const struct kern *kern)
{
	struct lease_guard_options options = {
		.ifname = config->ifname,
		.ifindex = link->ifindex,
		.has_link_header = link->has_link_header,
		.mode = config->guard.mode,
		.ports = &config->guard.ports,
		.expiry_s = GUARDING_EXPIRY_S,
		.max_leases = MAX_LEASES,
		.rst_action = config->rst_action,
		.leases_fd = kern ? kern_leases_fd(kern) : -1,
		.name = "nolisten-loader",
		.attach = config->tc_mode == KERN_TC_CLSACT ? PAIR_CLSACT : PAIR_AUTO,
	};

	if (!config->guard.is_on)
		return 0;
	if (config->rst_action == NOL_RST_REDIRECT)
		options.redirect_ifindex = if_nametoindex(config->redirect_ifname);
	return lease_guard_new(out, &options);
}

int guarding_begin(struct lease_guard *guard)
{
	return guard ? lease_guard_attach(guard) : 0;
}

void guarding_beat(struct lease_guard *guard)
{
	if (!guard)
		return;
	lease_guard_set_raw_sockets(guard, raw_sockets_take_tcp());
	lease_guard_beat(guard);
}

void guarding_end(struct lease_guard **guard)
{
	lease_guard_free(*guard);
	*guard = NULL;
}
