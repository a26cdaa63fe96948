/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The programs and nol_flows. */
#include "method_bpf.h"

#include <errno.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <sys/random.h>

#include "container.h"
#include "sock_diag.h"

struct method_bpf {
	struct gate gate;
	struct flows flows;
	struct kern *kern;
	uint32_t ifindex;
};

static struct method_bpf *from_gate(struct gate *gate)
{
	return container_of(gate, struct method_bpf, gate);
}

static struct method_bpf *from_flows(struct flows *flows)
{
	return container_of(flows, struct method_bpf, flows);
}

static int attach(struct gate *gate)
{
	struct kern *kern = from_gate(gate)->kern;
	int err = kern_attach(kern);

	if (!err)
		kern_pin(kern);
	return err;
}

static void stop_holding(struct gate *gate)
{
	kern_detach_ingress(from_gate(gate)->kern);
}

static void detach(struct gate *gate)
{
	kern_detach(from_gate(gate)->kern);
}

static int add_prefix(struct gate *gate, const struct prefix *prefix)
{
	return kern_add_prefix(from_gate(gate)->kern, prefix);
}

static int remove_prefix(struct gate *gate, const struct prefix *prefix)
{
	return kern_remove_prefix(from_gate(gate)->kern, prefix);
}

static int set_ports(struct gate *gate, const struct port_set *ports)
{
	kern_set_ports(from_gate(gate)->kern, ports);
	return 0;
}

static void beat(struct gate *gate)
{
	kern_beat(from_gate(gate)->kern);
}

static int read_stats(struct gate *gate, struct nol_stats *out)
{
	return kern_stats_read(from_gate(gate)->kern, out);
}

static void free_method(struct gate *gate)
{
	free(from_gate(gate));
}

static const struct gate_ops gate_ops = {
	.attach = attach,
	.stop_holding = stop_holding,
	.detach = detach,
	.add_prefix = add_prefix,
	.remove_prefix = remove_prefix,
	.set_ports = set_ports,
	.beat = beat,
	.read_stats = read_stats,
	.free = free_method,
};

static int get_flow(struct flows *flows, const struct tuple *tuple, struct nol_flow *out)
{
	return kern_flow_get(from_flows(flows)->kern, tuple, out);
}

/* Does the kernel still have the connection before this one? Where nobody can say, it has. */
static bool is_alive(struct flows *flows, const struct tuple *tuple)
{
	uint8_t state = 0;

	return flows_is_handed_off(flows, tuple) &&
	       sock_diag_find(tuple, from_flows(flows)->ifindex, &state) != -ENOENT &&
	       state != TCP_TIME_WAIT;
}

static int replace_flow(struct flows *flows, const struct tuple *tuple, const struct nol_flow *flow,
			struct nol_flow *old)
{
	struct kern *kern = from_flows(flows)->kern;
	int err;

	*old = (struct nol_flow){0};
	if (is_alive(flows, tuple))
		return -EALREADY;
	kern_flow_remove(kern, tuple, old);
	err = kern_flow_add(kern, tuple, flow);
	return err ?: old->state == NOL_FLOW_HANDED_OFF;
}

static int open_flow(struct flows *flows, const struct tuple *tuple, uint64_t now_ns,
		     struct nol_flow *old)
{
	const struct nol_flow flow = {
		.state = NOL_FLOW_SYN_RECEIVED,
		.created_ns = now_ns,
		.method = flows->method,
	};
	struct kern *kern = from_flows(flows)->kern;
	int err = kern_flow_add(kern, tuple, &flow);

	if (err != -EEXIST)
		return err;
	kern_flow_lock(kern);
	err = replace_flow(flows, tuple, &flow, old);
	kern_flow_unlock(kern);
	return err;
}

static int hand_off_flow(struct flows *flows, const struct tuple *tuple, uint32_t held)
{
	return kern_flow_change(from_flows(flows)->kern, tuple, NOL_FLOW_HANDED_OFF, held);
}

static void force_flow(struct flows *flows, const struct tuple *tuple)
{
	kern_flow_set(from_flows(flows)->kern, tuple, NOL_FLOW_HANDED_OFF);
}

static int shut_flow(struct flows *flows, const struct tuple *tuple, const struct nol_flow *flow)
{
	return kern_flow_shut(from_flows(flows)->kern, tuple, flow);
}

static int end_shut_flow(struct flows *flows, const struct tuple *tuple)
{
	struct kern *kern = from_flows(flows)->kern;
	struct nol_flow flow;
	int err;

	kern_flow_lock(kern);
	err = kern_flow_get(kern, tuple, &flow);
	if (!err && !nol_is_shut(flow.state))
		err = -ENOENT;
	if (!err)
		err = kern_flow_remove(kern, tuple, NULL);
	kern_flow_unlock(kern);
	return err;
}

static int close_flow(struct flows *flows, const struct tuple *tuple)
{
	struct kern *kern = from_flows(flows)->kern;
	struct nol_flow flow;
	int err;

	kern_flow_lock(kern);
	err = kern_flow_get(kern, tuple, &flow);
	if (!err && flow.state != NOL_FLOW_HANDED_OFF)
		err = -ENOENT;
	if (!err)
		err = kern_flow_set(kern, tuple, NOL_FLOW_CLOSED);
	kern_flow_unlock(kern);
	return err;
}

static int watch_closed(struct flows *flows)
{
	return kern_closed_watch(from_flows(flows)->kern);
}

struct take {
	flow_closed_fn fn;
	void *context;
};

static void take_one(void *context, const struct nol_closed *closed)
{
	const struct nol_flow flow = {
		.state = NOL_FLOW_CLOSED,
		.method = closed->method,
		.created_ns = closed->created_ns,
	};
	const struct take *take = context;
	struct tuple tuple;

	kern_flow_tuple(&closed->key, &tuple);
	take->fn(take->context, &tuple, &flow);
}

static int take_closed(struct flows *flows, flow_closed_fn fn, void *context)
{
	struct take take = {fn, context};

	return kern_closed_take(from_flows(flows)->kern, take_one, &take);
}

/* Who stops looks once more: the store has to be seen by then. */
static void read_ends(struct flows *flows, bool at_ticks)
{
	__atomic_store_n(&kern_config(from_flows(flows)->kern)->reads_ends, at_ticks,
			 __ATOMIC_SEQ_CST);
}

static bool has_missed(struct flows *flows)
{
	return kern_closed_has_missed(from_flows(flows)->kern);
}

static void forget_closed(struct flows *flows, const struct tuple *tuples, uint32_t count)
{
	struct kern *kern = from_flows(flows)->kern;

	kern_flow_lock(kern);
	kern_flow_forget(kern, tuples, count);
	kern_flow_unlock(kern);
}

static void forget_flow(struct flows *flows, const struct tuple *tuple, bool only_closed)
{
	if (only_closed)
		forget_closed(flows, tuple, 1);
	else
		kern_flow_remove(from_flows(flows)->kern, tuple, NULL);
}

struct visit {
	flow_fn fn;
	void *context;
};

static bool visit_one(void *context, const struct nol_flow_key *key, const struct nol_flow *flow)
{
	const struct visit *visit = context;
	struct tuple tuple;

	kern_flow_tuple(key, &tuple);
	return visit->fn(visit->context, &tuple, flow);
}

static int visit_flows(struct flows *flows, flow_fn fn, void *context)
{
	struct visit visit = {fn, context};

	return kern_flow_visit(from_flows(flows)->kern, visit_one, &visit);
}

static const struct flows_ops flows_ops = {
	.open = open_flow,
	.hand_off = hand_off_flow,
	.force = force_flow,
	.shut = shut_flow,
	.end_shut = end_shut_flow,
	.close = close_flow,
	.watch_closed = watch_closed,
	.take_closed = take_closed,
	.read_ends = read_ends,
	.has_missed = has_missed,
	.get = get_flow,
	.forget = forget_flow,
	.forget_closed = forget_closed,
	.visit = visit_flows,
};

/* The IPv4 part of a tag must not be 0: idle senders use that identification (RFC 6864). */
static int choose_tag(uint32_t *tag)
{
	do {
		if (getrandom(tag, sizeof(*tag), 0) != sizeof(*tag))
			return -EIO;
	} while (!(*tag & 0xffff));
	return 0;
}

int method_bpf_new(struct method_parts *out, struct kern *kern, enum nol_method kind,
		   uint32_t ifindex)
{
	struct method_bpf *method = calloc(1, sizeof(*method));
	struct nol_config *config = kern_config(kern);
	int err;

	if (!method)
		return -ENOMEM;
	method->gate.ops = &gate_ops;
	method->flows = (struct flows){.ops = &flows_ops, .method = kind};
	method->kern = kern;
	method->ifindex = ifindex;
	config->method = kind;
	err = choose_tag(&config->replay_tag);
	if (err)
		free(method);
	else
		*out = (struct method_parts){.gate = &method->gate, .flows = &method->flows};
	return err;
}
