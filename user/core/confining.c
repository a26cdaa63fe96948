/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "confining.h"

#include <errno.h>

#include "core_private.h"
#include "log.h"
#include "numbers.h"
#include "socket_spec.h"

#define LOW_PORTS 1024

/* The first port that everybody may bind, but 1024 at least: what the host lets everybody do now may not stay so. */
static uint64_t first_free_port(void)
{
	uint64_t first;

	if (number_read_file("/proc/sys/net/ipv4/ip_unprivileged_port_start", 0, &first) ||
	    first < LOW_PORTS)
		return LOW_PORTS;
	return first;
}

static bool has_low_port(const struct port_set *ports)
{
	const uint64_t first = first_free_port();
	uint32_t port = 1;

	while (port < first && port <= UINT16_MAX && !port_set_has(ports, (uint16_t)port))
		port++;
	return port < first && port <= UINT16_MAX;
}

/* Where they are answered, and where an application of root's may connect from them. */
static bool binds_low_ports(const struct core *core)
{
	struct socket_spec spec;

	return has_low_port(&core->asked.ports) || core->config.may_change ||
	       (socket_spec_of_service(core->config.service, &spec) && spec.may_connect);
}

int confining_enter(struct core *core)
{
	const struct config *config = &core->config;
	struct gate *gate = core->method.gate;
	const struct confine_options options = {
		.config = &config->privileges,
		.ifname = config->ifname,
		.binds_low_ports = binds_low_ports(core),
		.signals_others = config->has_vlans,
		.runs_programs = gate->ops->runs_programs && gate->ops->runs_programs(gate),
	};

	if (options.runs_programs && config->privileges.user.is_set &&
	    config->privileges.user.uid) {
		log_error(
			"--user: method nfqueue needs iptables on this host, which only root can use");
		return -EPERM;
	}
	return confine_loader(&core->confined, core->loop, &options);
}
