/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What one interface is asked to do. */
#ifndef NOLISTEN_CONFIG_H
#define NOLISTEN_CONFIG_H

#include <linux/types.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <abi/guard.h>

#include "addr.h"
#include "capture.h"
#include "confine.h"
#include "kern.h"
#include "ports.h"
#include "sockopts.h"

/* Everything is borrowed. */
struct config {
	const char *ifname;
	struct port_set ports;
	struct prefix *prefixes; /* none: the interface's own addresses */
	size_t prefix_count;
	bool has_host_addresses; /* no prefixes: those of the host's other interfaces as well */
	bool skips_link_local; /* of the interface's own IPv6 addresses: a device on top of it has the same */
	enum nol_method method; /* NOL_METHOD_NONE: auto */
	struct guard_config {
		bool is_on;
		enum nol_guard_mode mode; /* NOL_GUARD_FLOWS or NOL_GUARD_PORTS */
		struct port_set ports; /* NOL_GUARD_PORTS: none of them is answered */
	} guard; /* of raw-socket programs */
	const char *service; /* passed service_check() */
	const char *
		fallback; /* likewise: what connections get that no application takes; NULL: a RST */
	uint32_t queue_max; /* connections that wait for an application */
	uint32_t queue_ms; /* so long */
	uint32_t connect_ms; /* forward waits so long for each target */
	bool has_proxy_header; /* and tells them who is forwarded */
	uint32_t record_ms; /* record waits so long for bytes */
	uint32_t tarpit_s; /* tarpit holds so long; 0: it is another service */
	enum nol_rst_action rst_action;
	const char *redirect_ifname; /* with NOL_RST_REDIRECT */
	enum kern_xdp_mode xdp_mode;
	enum kern_tc_mode tc_mode;
	struct events_config {
		const char *target; /* passed event_target_parse(); NULL: none */
		uint16_t community_id_seed;
		uint32_t rate; /* of one kind a second; 0: any */
	} events;
	struct capture_config capture;
	const char *metrics; /* passed metrics_address_check(); NULL: none */
	uint32_t max_children;
	uint32_t max_flows;
	uint32_t max_per_source; /* flows; 0: as many as there are */
	struct source_prefix {
		uint8_t v4, v6; /* bits */
	} source_prefix;
	uint32_t ring_size; /* bytes, of each worker's ring */
	uint32_t workers;
	uint32_t spin_us; /* how long to poll after the last packet before sleeping */
	struct sockopts sockopts; /* of the connections */
	const char *cookie_key_path; /* NULL: random keys */
	uint32_t pin_s; /* the programs outlive the loader by so much; 0: they go with it */
	struct confine_config privileges;
	bool is_quiet; /* no line for each event */
	bool may_change; /* the ports, later */
	bool has_vlans; /* with processes of their own */
	bool is_rehearsal; /* see rehearsal.h: it is opened, and never attached */
};

#endif
