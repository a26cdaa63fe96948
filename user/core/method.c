// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* One constructor a method; those with BPF share the programs and their guard. */
#include "method.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "events.h"
#include "log.h"
#include "method_engine.h"
#include "method_filter.h"
#include "method_nfqueue.h"
#include "method_raw.h"
#include "queue_rules.h"

bool method_needs_bpf(enum nol_method method)
{
	return method != NOL_METHOD_NFQUEUE && method != NOL_METHOD_FILTER &&
	       method != NOL_METHOD_RAW;
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
	if (failure->is_rejected && config->method == NOL_METHOD_CONNECT)
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
		.connects_back = config->method == NOL_METHOD_CONNECT,
	};
}

static int open_kern(struct method *method, const struct config *config,
		     const struct link_info *link)
{
	struct kern_options kern;
	struct load_failure failure;
	int err;

	method_kern_options(&kern, config, link);
	err = kern_open(&method->kern, &kern, &failure);
	if (err) {
		log_failure(config, &failure);
		return err;
	}
	kern_set_ports(method->kern, &config->ports);
	kern_beat(method->kern);
	return configure_guard(method->kern, config, link);
}

int method_open_ring(struct method *method, const struct config *config,
		     const struct link_info *link, uint32_t worker, struct packet_io **out)
{
	const struct replay_options replay = {
		.ifindex = link->ifindex,
		.has_link_header = link->has_link_header,
		.is_loopback = link->is_loopback,
		.mtu = link->mtu,
	};
	const bool connects_back = config->method == NOL_METHOD_CONNECT;

	return method_engine_new(out, method->kern,
				 connects_back ? NOL_METHOD_CONNECT : NOL_METHOD_ENGINE, worker,
				 &replay);
}

static int open_with_bpf(struct method *method, const struct config *config,
			 const struct link_info *link)
{
	int err = open_kern(method, config, link);

	return err ?: method_open_ring(method, config, link, 0, &method->io);
}

int method_open(struct method *out, const struct config *config, const struct link_info *link)
{
	const struct bpfless_options bpfless = {
		.ifname = config->ifname,
		.ifindex = link->ifindex,
		.mtu = link->mtu,
		.max_flows = config->max_flows,
		.ports = &config->ports,
	};

	out->name = method_text(config->method);
	queue_rules_sweep(config->ifname);
	switch (config->method) {
	case NOL_METHOD_NFQUEUE:
		return method_nfqueue_new(&out->io, &bpfless);
	case NOL_METHOD_RAW:
		return method_raw_new(&out->io, &bpfless);
	case NOL_METHOD_FILTER:
		return method_filter_new(&out->io, &bpfless);
	default:
		return open_with_bpf(out, config, link);
	}
}

int method_attach(struct method *method)
{
	int err = method->io->ops->attach(method->io);

	if (!err && method->kern)
		kern_pin(method->kern);
	return err;
}

void method_stop_holding(struct method *method)
{
	if (method->kern)
		kern_detach_ingress(method->kern);
}

void method_beat(struct method *method)
{
	if (method->kern)
		kern_beat(method->kern);
}

void method_close(struct method *method)
{
	if (method->io)
		method->io->ops->free(method->io);
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
	if (method->kern)
		snprintf(text, size, "method %s, xdp %s, guard %s", method->name,
			 method_xdp_text(method), method_tc_text(method));
	else
		snprintf(text, size, "method %s", method->name);
}
