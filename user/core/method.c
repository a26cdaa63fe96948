// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* A row a method; those with BPF share the programs and their guard. */
#include "method.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "connect_back.h"
#include "events.h"
#include "log.h"
#include "method_bpf.h"
#include "method_filter.h"
#include "method_nfqueue.h"
#include "method_raw.h"
#include "queue_rules.h"
#include "repair.h"
#include "tcp_settings.h"
#include "wire_ring.h"

struct method_kind {
	/* Without BPF: its parts. NULL: it has the programs, and a ring for each worker. */
	int (*open)(struct method_parts *out, const struct bpfless_options *options);
	bool connects_back; /* its sockets are made with the flow, and are one thread's */
};

static const struct method_kind kinds[] = {
	[NOL_METHOD_NONE] = {NULL},
	[NOL_METHOD_XDP] = {NULL},
	[NOL_METHOD_ENGINE] = {NULL},
	[NOL_METHOD_CONNECT] = {NULL, .connects_back = true},
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
		.connects_back = kinds[config->method].connects_back,
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
	if (err) {
		log_failure(config, &failure);
		return err;
	}
	kern_set_ports(method->kern, &config->ports);
	kern_beat(method->kern);
	return configure_guard(method->kern, config, method->link);
}

/* Who answers what XDP does not. */
static enum nol_method answers_for(const struct method_kind *kind)
{
	return kind->connects_back ? NOL_METHOD_CONNECT : NOL_METHOD_ENGINE;
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
	err = open_kern(method);
	return err
		       ?: method_bpf_new(out, method->kern, answers_for(method->kind),
					 method->link->ifindex);
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
	queue_rules_sweep(config->ifname);
	err = open_parts(out, &parts);
	if (err)
		return err;
	out->gate = parts.gate;
	out->flows = parts.flows;
	out->wire = parts.wire;
	return 0;
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

	if (!method->wire)
		return wire_ring_new(out, method->kern, worker, &replay);
	*out = method->wire;
	return 0;
}

int method_open_maker(struct method *method, struct wire *wire, struct socket_maker **out)
{
	struct connect_back_options options = {
		.kern = method->kern,
		.wire = wire,
		.place = {.scope_id = method->link->ifindex,
			  .needs_freebind = method->config->prefix_count > 0},
		.is_loopback = method->link->is_loopback,
	};

	if (!method->kind->connects_back)
		return repair_new(out, &options.place, wire->ops->shield);
	options.syn_retries = tcp_settings_syn_retries();
	return connect_back_new(out, &options);
}

void method_adjust(const struct method *method, struct engine_config *engine)
{
	if (method->kind->connects_back)
		tcp_settings_adjust_to_connect(engine);
}

void method_close(struct method *method)
{
	if (method->gate)
		method->gate->ops->free(method->gate);
	kern_close(method->kern);
}

const char *method_xdp_text(const struct method *method)
{
	return method->kern ? kern_xdp_mode_text(method->kern) : "none";
}

const char *method_tc_text(const struct method *method)
{
	return method->kern ? kern_tc_mode_text(method->kern) : "none";
}

void method_format(const struct method *method, char *text, size_t size)
{
	const char *name = method_text(method->config->method);

	if (method->kern)
		snprintf(text, size, "method %s, xdp %s, guard %s", name, method_xdp_text(method),
			 method_tc_text(method));
	else
		snprintf(text, size, "method %s", name);
}
