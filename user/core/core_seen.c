/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What others may know of a core. */
#include "answered.h"
#include "clock.h"
#include "cookies.h"
#include "core_private.h"
#include "events.h"
#include "methods.h"
#include "workers.h"

void core_snapshot(struct core *core, struct snapshot *out)
{
	struct gate *gate = core->method.gate;

	*out = (struct snapshot){
		.ifname = core->config.ifname,
		.up_ns = clock_monotonic_ns() - core->started_ns,
		.method = core->config.method,
		.xdp = method_xdp_text(&core->method),
		.tc = method_tc_text(&core->method),
		.service = core->config.service,
		.source_bits_v4 = core->config.source_prefix.v4,
		.source_bits_v6 = core->config.source_prefix.v6,
		.ports = &core->config.ports,
		.events_lost = events_lost(core->events),
		.events_limited = events_limited(core->events),
		.rates = core->rates.per_s,
		.worker_count = workers_count(core->workers),
	};
	out->parent_count = method_parents(&core->method, out->parents);
	out->cookie_key_count = cookies_key_ids(core->cookies, out->cookie_keys);
	out->prefixes = answered_all(core->answered, &out->prefix_count);
	gate->ops->read_stats(gate, &out->packets);
	capture_read(core->method.capture, &out->capture);
	workers_read(core->workers, out->workers, &out->sum);
	out->sum.session.source_full += out->packets.accept_source_full;
}

int core_visit_flows(struct core *core, flow_fn fn, void *context)
{
	if (method_accepts(core->config.method))
		return workers_visit(core->workers, fn, context);
	return core->method.flows->ops->visit(core->method.flows, fn, context);
}

void core_format_addresses(const struct core *core, char *text, size_t size)
{
	answered_format(core->answered, text, size);
}

int core_plan(const struct core *core, struct core_plan *out)
{
	out->link = core->link;
	out->prefixes = answered_all(core->answered, &out->prefix_count);
	return method_plan(&core->method, &out->kern);
}

void core_format_method(const struct core *core, char *text, size_t size)
{
	method_format(&core->method, text, size);
}
