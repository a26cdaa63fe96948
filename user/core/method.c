// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* A row a method; those with BPF share the programs and their guard. */
#include "method.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "accept_settings.h"
#include "accepted_flows.h"
#include "bounded_flows.h"
#include "capturing.h"
#include "clock.h"
#include "connect_back.h"
#include "events.h"
#include "guarding.h"
#include "hidden.h"
#include "log.h"
#include "method_bpf.h"
#include "method_filter.h"
#include "method_nfqueue.h"
#include "method_raw.h"
#include "queue_rules.h"
#include "repair.h"
#include "socket_spec.h"
#include "tcp_settings.h"
#include "wire_parent.h"
#include "wire_ring.h"

struct method_kind {
	/* Without BPF: its parts. NULL: it has the programs, and a ring for each worker. */
	int (*open)(struct method_parts *out, const struct bpfless_options *options);
	bool connects_back; /* its sockets are made with the flow, and are one thread's */
	bool accepts; /* the kernel makes its sockets */
};

static const struct method_kind kinds[] = {
	[NOL_METHOD_NONE] = {NULL},
	[NOL_METHOD_XDP] = {NULL},
	[NOL_METHOD_ENGINE] = {NULL},
	[NOL_METHOD_CONNECT] = {NULL, .connects_back = true},
	[NOL_METHOD_ACCEPT] = {NULL, .accepts = true},
	[NOL_METHOD_NFQUEUE] = {method_nfqueue_new},
	[NOL_METHOD_FILTER] = {method_filter_new},
	[NOL_METHOD_RAW] = {method_raw_new},
};

bool method_needs_bpf(enum nol_method method)
{
	return !kinds[method].open;
}

bool method_can_share(enum nol_method method)
{
	return method_needs_bpf(method) && !kinds[method].connects_back;
}

bool method_accepts(enum nol_method method)
{
	return kinds[method].accepts;
}

bool method_lends(const struct config *config)
{
	return kinds[config->method].accepts && !config->max_per_source;
}

bool method_watches(const struct config *config)
{
	return !kinds[config->method].accepts || config->max_per_source;
}

bool method_connects_back(enum nol_method method)
{
	return kinds[method].connects_back;
}

static int configure_guard(struct kern *kern, const struct config *config,
			   const struct link_info *link)
{
	struct nol_config *shared = kern_config(kern);
	struct link_info redirect;
	int err;

	shared->ifindex = link->ifindex;
	shared->rst_action = config->rst_action;
	if (config->rst_action != NOL_RST_REDIRECT)
		return 0;
	err = link_find(config->redirect_ifname, &redirect);
	if (err) {
		log_error("--rst: %s: no such interface", config->redirect_ifname);
		return err;
	}
	shared->redirect_ifindex = redirect.ifindex;
	return 0;
}

/* Something else that may do, for one line. */
static const char *way_out(const struct config *config, const struct load_failure *failure)
{
	if (failure->err == -ENOMEM || failure->err == -E2BIG)
		return "smaller --max-flows or --ring take less memory";
	if (failure->err == -EMFILE)
		return "ulimit -n raises the limit";
	if (kinds[config->method].accepts)
		return "use method xdp or auto";
	if (failure->is_rejected && kinds[config->method].connects_back)
		return "method engine asks less of the kernel; nfqueue, filter and raw do without BPF";
	if (failure->is_rejected && config->workers > 1)
		return "--workers=1 asks less of the kernel; methods nfqueue, filter and raw do without BPF";
	return "methods nfqueue, filter and raw do without BPF";
}

static void log_failure(const struct config *config, const struct load_failure *failure)
{
	char why[LOAD_TEXT_SIZE];

	load_failure_format(failure, why);
	log_error("%s: cannot load the programs: %s (%s; --check -v tells more)", config->ifname,
		  why, way_out(config, failure));
	load_failure_log(failure);
}

void method_kern_options(struct kern_options *out, const struct config *config,
			 const struct link_info *link)
{
	struct socket_spec applications;

	*out = (struct kern_options){
		.ifname = config->ifname,
		.ifindex = link->ifindex,
		.has_link_header = link->has_link_header,
		.is_loopback = link->is_loopback,
		.xdp_mode = config->xdp_mode,
		.tc_mode = config->tc_mode,
		.ring_size = config->ring_size,
		.workers = config->workers,
		.max_flows = config->max_flows,
		.max_leases = guarding_leases(config),
		.lease_expiry_s = GUARDING_EXPIRY_S,
		.connects_back = kinds[config->method].connects_back,
		.accepts = kinds[config->method].accepts,
		.mss_limit = (uint16_t)config->sockopts.values[SOCKOPT_MAXSEG],
		.lacks_endpoints =
			config->service && !socket_spec_of_service(config->service, &applications),
		.keeps_shut = config->tarpit_s,
		.defers = config->sockopts.values[SOCKOPT_DEFER_ACCEPT],
		.captures = capturing_wants(config),
		.capture_size = KERN_CAPTURE_SIZE,
		.keep_ns = config->pin_s * CLOCK_NS_PER_S,
	};
}

static int open_kern(struct method *method)
{
	const struct config *config = method->config;
	struct load_failure failure;
	struct kern_options kern;
	int err;

	method_kern_options(&kern, config, method->link);
	err = kern_open(&method->kern, &kern, &failure);
	if (err && failure.err)
		log_failure(config, &failure);
	if (err)
		return err;
	kern_set_ports(method->kern, &config->ports);
	kern_beat(method->kern);
	return configure_guard(method->kern, config, method->link);
}

/* Who answers what XDP does not. */
static enum nol_method answers_for(const struct method_kind *kind)
{
	if (kind->accepts)
		return NOL_METHOD_ACCEPT;
	return kind->connects_back ? NOL_METHOD_CONNECT : NOL_METHOD_ENGINE;
}

/* What the kernel has to be willing to do, and the address of the listeners. */
static int open_parent(struct method *method)
{
	int err = accept_settings_check(method->config->ifname);

	if (err)
		return err;
	/* A rehearsal finds it by itself. */
	if (!method->config->is_rehearsal)
		accept_settings_warn(method->config->ifname, &method->config->ports);
	err = hidden_choose(&method->parent);
	if (err)
		log_error("%s: no address for a listener: %s", method->config->ifname,
			  strerror(-err));
	return err;
}

static int open_parts(struct method *method, struct method_parts *out)
{
	const struct config *config = method->config;
	const struct bpfless_options bpfless = {
		.ifname = config->ifname,
		.ifindex = method->link->ifindex,
		.mtu = method->link->mtu,
		.max_flows = config->max_flows,
		.ports = &config->ports,
	};
	int err;

	if (method->kind->open)
		return method->kind->open(out, &bpfless);
	err = method->kind->accepts ? open_parent(method) : 0;
	if (!err)
		err = open_kern(method);
	return err
		       ?: method_bpf_new(out, method->kern, answers_for(method->kind),
					 method->link->ifindex);
}

/* Without BPF, and where the kernel does not take the program, it does without. */
static void open_cwnd(struct method *method)
{
	int err;

	if (!method->kern || method->kind->connects_back)
		return;
	err = cwnd_new(&method->cwnd);
	if (err)
		log_debug("%s: no congestion windows of one segment: %s", method->config->ifname,
			  strerror(-err));
}

static void tell_source_full(void *context, const struct addr *source, bool is_full)
{
	kern_set_source_full(context, source, is_full);
}

/* Method accept has none, so far. */
static int count_accepted(struct method *method, struct sources_options *options)
{
	options->full = tell_source_full;
	options->context = method->kern;
	kern_bound_sources(method->kern, options->bits_v4, options->bits_v6);
	return accepted_flows_new(&method->bounded_flows, options);
}

/* The gate has the table, and frees it. */
static int bound_sources(struct method *method)
{
	const struct config *config = method->config;
	struct sources_options options = {
		.max = config->max_per_source,
		.bits_v4 = config->source_prefix.v4,
		.bits_v6 = config->source_prefix.v6,
		.max_flows = config->max_flows,
	};
	int err = method->kind->accepts
			  ? count_accepted(method, &options)
			  : bounded_flows_new(&method->bounded_flows, method->flows, &options);

	if (err)
		log_error("%s: cannot count what sources hold: %s", config->ifname, strerror(-err));
	else
		method->flows = method->bounded_flows;
	return err;
}

int method_open(struct method *out, const struct config *config, const struct link_info *link)
{
	struct method_parts parts;
	int err;

	*out = (struct method){
		.kind = &kinds[config->method],
		.config = config,
		.link = link,
	};
	if (!config->is_rehearsal)
		queue_rules_sweep(config->ifname);
	err = open_parts(out, &parts);
	if (err)
		return err;
	open_cwnd(out);
	out->gate = parts.gate;
	out->flows = parts.flows;
	out->wire = parts.wire;
	err = config->max_per_source ? bound_sources(out) : 0;
	return err ?: capturing_open(&out->capture, out);
}

int method_open_wire(struct method *method, uint32_t worker, struct wire **out)
{
	const struct link_info *link = method->link;
	const struct replay_options replay = {
		.ifindex = link->ifindex,
		.has_link_header = link->has_link_header,
		.is_loopback = link->is_loopback,
		.mtu = link->mtu,
	};

	int err = 0;

	if (method->kind->accepts)
		return wire_parent_new(out, method->kern, worker, &method->parent,
				       &method->config->sockopts);
	if (method->wire)
		*out = method->wire;
	else
		err = wire_ring_new(out, method->kern, worker, &replay);
	return err ?: capturing_wrap(out, method->capture, method);
}

int method_open_maker(struct method *method, struct wire *wire, struct socket_maker **out)
{
	struct connect_back_options options = {
		.kern = method->kern,
		.wire = wire,
		.place = {.scope_id = method->link->ifindex,
			  .needs_freebind = method->config->prefix_count > 0,
			  .sockopts = &method->config->sockopts},
		.is_loopback = method->link->is_loopback,
	};

	if (method->kind->accepts) {
		*out = NULL;
		return 0;
	}
	if (!method->kind->connects_back)
		return repair_new(out, &options.place, wire->ops->shield, method->cwnd);
	options.syn_retries = tcp_settings_syn_retries();
	return connect_back_new(out, &options);
}

void method_adjust(const struct method *method, struct engine_settings *settings)
{
	if (method->kind->connects_back)
		tcp_settings_adjust_to_connect(settings);
}

int method_plan(const struct method *method, struct kern_plan *out)
{
	*out = (struct kern_plan){0};
	return method->kern ? kern_plan(method->kern, out) : 0;
}

void method_close(struct method *method)
{
	capture_free(method->capture);
	if (method->gate)
		method->gate->ops->free(method->gate);
	if (method->bounded_flows && method->kind->accepts)
		accepted_flows_free(method->bounded_flows);
	else
		bounded_flows_free(method->bounded_flows);
	cwnd_free(method->cwnd);
	kern_close(method->kern);
}

void method_set_standby(const struct method *method, bool is_on)
{
	if (method->kern)
		kern_set_standby(method->kern, is_on);
}

const char *method_xdp_text(const struct method *method)
{
	return method->kern ? kern_xdp_mode_text(method->kern) : "none";
}

const char *method_tc_text(const struct method *method)
{
	return method->kern ? kern_tc_mode_text(method->kern) : "none";
}

size_t method_parents(const struct method *method, struct endpoint out[NOL_WORKERS_MAX])
{
	size_t count = 0;

	if (!method->kind->accepts)
		return 0;
	for (uint32_t i = 0; i < method->config->workers; i++)
		count += kern_get_parent(method->kern, i, &out[count]);
	return count;
}

/* "; listens on [100::1]:4000, where nobody can reach it" */
static void format_parents(const struct method *method, char *text, size_t size)
{
	struct endpoint parents[NOL_WORKERS_MAX];
	const size_t count = method_parents(method, parents);
	char at[ENDPOINT_TEXT_SIZE];
	size_t len = 0;

	for (size_t i = 0; i < count && len < size; i++) {
		endpoint_format(&parents[i], at);
		len += (size_t)snprintf(text + len, size - len, "%s%s",
					len ? ", " : "; listens on ", at);
	}
	if (len && len < size)
		snprintf(text + len, size - len, ", where nobody can reach it");
}

void method_format(const struct method *method, char *text, size_t size)
{
	const char *name = method_text(method->config->method);
	char parents[2304] = "";

	if (!method->kern) {
		snprintf(text, size, "method %s", name);
		return;
	}
	format_parents(method, parents, sizeof(parents));
	snprintf(text, size, "method %s, xdp %s, guard %s%s", name, method_xdp_text(method),
		 method_tc_text(method), parents);
}
