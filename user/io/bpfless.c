// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* The same decisions as bpf/classify.h, made in user space. */
#include "bpfless.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "clock.h"
#include "container.h"
#include "log.h"
#include "sock_diag.h"

#define OWNED_NS CLOCK_NS_PER_S
#define ASKED_NS (10 * CLOCK_NS_PER_MS)

struct bpfless *bpfless_of_gate(struct gate *gate)
{
	return container_of(gate, struct bpfless, gate);
}

struct bpfless *bpfless_of_flows(struct flows *flows)
{
	return container_of(flows, struct bpfless, table);
}

struct bpfless *bpfless_of_wire(const struct wire *wire)
{
	return container_of(wire, struct bpfless, wire);
}

struct method_parts bpfless_parts(struct bpfless *bpfless)
{
	return (struct method_parts){
		.gate = &bpfless->gate,
		.flows = &bpfless->table,
		.wire = &bpfless->wire,
	};
}

int bpfless_init(struct bpfless *bpfless, const struct bpfless_ops *ops,
		 const struct bpfless_options *options)
{
	int err;

	bpfless->gate.ops = ops->gate;
	bpfless->table = (struct flows){.ops = ops->flows, .method = ops->method};
	bpfless->wire.ops = ops->wire;
	bpfless->options = *options;
	bpfless->diag_fd = sock_diag_open();
	err = bpfless->diag_fd < 0 ? bpfless->diag_fd : 0;
	if (!err)
		err = flow_memory_new(&bpfless->flows, options->max_flows);
	if (err) {
		log_error("%s: cannot make a flow table: %s", options->ifname, strerror(-err));
		return err;
	}
	err = raw_send_new(&bpfless->sender, options->ifindex, NOL_MARK);
	return err ?: raw_replay_new(&bpfless->replay, options->ifindex, options->mtu);
}

void bpfless_release(struct bpfless *bpfless)
{
	if (bpfless->diag_fd >= 0)
		close(bpfless->diag_fd);
	raw_send_free(bpfless->sender);
	raw_replay_free(bpfless->replay);
	flow_memory_free(bpfless->flows);
	free(bpfless->prefixes);
}

static bool is_answered(const struct bpfless *bpfless, const struct endpoint *local)
{
	if (!port_set_has(bpfless->options.ports, local->port))
		return false;
	for (size_t i = 0; i < bpfless->prefix_count; i++)
		if (prefix_contains(&bpfless->prefixes[i], &local->addr))
			return true;
	return false;
}

bool bpfless_is_bare_syn(const struct segment *segment)
{
	return (segment->flags & (TCP_SYN | TCP_ACK | TCP_RST | TCP_FIN)) == TCP_SYN;
}

static struct bpfless_owned *owned_slot(struct bpfless *bpfless, const struct tuple *tuple)
{
	const unsigned int slot =
		(tuple->remote.port ^ tuple->local.port ^ tuple->remote.addr.bytes[15]) %
		BPFLESS_CACHE_SIZE;

	return &bpfless->owned[slot];
}

/*
 * The owner may be gone, and this is not what it went with: no acknowledgement has ended it, nor does a RST that is
 * behind the one that did ask for an answer.
 */
static bool may_outlive(uint8_t seen, const struct segment *segment)
{
	if (segment->flags & TCP_RST)
		return false;
	return seen & TCP_RST ||
	       (seen & TCP_FIN && (segment->flags & TCP_FIN || segment->payload_len));
}

/* What cannot be told is the kernel's. */
static bool ask_for_owner(const struct bpfless *bpfless, const struct tuple *tuple)
{
	bool has_owner = true;

	sock_diag_has_owner(bpfless->diag_fd, tuple, bpfless->options.ifindex, &has_owner);
	return has_owner;
}

/*
 * A SYN begins something new: for it nothing is taken from memory. Nor behind a RST, which may have ended the socket and
 * is seen here before the kernel has taken it.
 */
static bool is_owned(struct bpfless *bpfless, const struct segment *segment, uint64_t now_ns)
{
	const struct tuple *tuple = &segment->tuple;
	struct bpfless_owned *owned = owned_slot(bpfless, tuple);
	const bool is_known = tuple_is_equal(&owned->tuple, tuple) && !bpfless_is_bare_syn(segment);
	const uint8_t seen = is_known ? owned->seen : 0;

	if (!is_known || now_ns >= owned->until_ns || may_outlive(seen, segment)) {
		if (!ask_for_owner(bpfless, tuple))
			return false;
		*owned = (struct bpfless_owned){*tuple, now_ns + OWNED_NS, seen};
	}
	owned->seen |= segment->flags & (TCP_FIN | TCP_RST);
	return true;
}

/* A RST or FIN that the socket has ignored shall not make every packet behind it cost a question. */
static bool has_owner_still(const struct bpfless *bpfless, struct flow_entry *entry,
			    const struct segment *segment, uint64_t now_ns)
{
	if (now_ns < entry->owned_until_ns)
		return true;
	entry->owned_until_ns = now_ns + ASKED_NS;
	return ask_for_owner(bpfless, &segment->tuple);
}

bool bpfless_met_socket(const struct bpfless *bpfless, struct flow_entry *entry,
			const struct segment *segment, uint64_t now_ns)
{
	const uint8_t ends = segment->flags & (TCP_FIN | TCP_RST);

	if (may_outlive(entry->seen, segment) && !has_owner_still(bpfless, entry, segment, now_ns))
		entry->is_outlived = true;
	if (ends)
		entry->owned_until_ns = 0;
	entry->seen |= ends;
	return !bpfless_is_bare_syn(segment) && !entry->is_outlived;
}

bool bpfless_takes(struct bpfless *bpfless, const struct segment *segment, uint64_t now_ns)
{
	struct flow_entry *entry = flow_memory_find(bpfless->flows, &segment->tuple);
	struct nol_stats *stats = &bpfless->stats;

	if (entry &&
	    (entry->flow.state == NOL_FLOW_SYN_RECEIVED || nol_is_shut(entry->flow.state))) {
		entry->seen |= segment->flags & (TCP_FIN | TCP_RST);
		entry->flow.held += !nol_is_shut(entry->flow.state);
		stats->held_flow++;
		return true;
	}
	if (entry && entry->flow.state == NOL_FLOW_HANDED_OFF &&
	    bpfless_met_socket(bpfless, entry, segment, now_ns)) {
		stats->ingress_handed_off++;
		return false;
	}
	if (!is_answered(bpfless, &segment->tuple.local)) {
		stats->ingress_not_answered++;
		return false;
	}
	if (is_owned(bpfless, segment, now_ns)) {
		stats->ingress_owned++;
		return false;
	}
	if (bpfless_is_bare_syn(segment))
		stats->held_syn++;
	else
		stats->held_stray++;
	return true;
}

char *bpfless_format_prefixes(const struct bpfless *bpfless, bool is_v4)
{
	char *text = calloc(bpfless->prefix_count + 1, ADDR_TEXT_SIZE + 8);
	size_t used = 0;

	for (size_t i = 0; text && i < bpfless->prefix_count; i++) {
		char one[ADDR_TEXT_SIZE + 4];

		if (addr_is_v4(&bpfless->prefixes[i].addr) != is_v4)
			continue;
		prefix_format(&bpfless->prefixes[i], one);
		used += sprintf(text + used, "%s%s", used ? ", " : "", one);
	}
	return text;
}

int bpfless_add_prefix(struct gate *gate, const struct prefix *prefix)
{
	struct bpfless *bpfless = bpfless_of_gate(gate);
	struct prefix *grown =
		reallocarray(bpfless->prefixes, bpfless->prefix_count + 1, sizeof(*grown));

	if (!grown)
		return -ENOMEM;
	bpfless->prefixes = grown;
	grown[bpfless->prefix_count++] = *prefix;
	return 0;
}

int bpfless_remove_prefix(struct gate *gate, const struct prefix *prefix)
{
	struct bpfless *bpfless = bpfless_of_gate(gate);

	for (size_t i = 0; i < bpfless->prefix_count; i++) {
		if (bpfless->prefixes[i].bits != prefix->bits ||
		    !addr_is_equal(&bpfless->prefixes[i].addr, &prefix->addr))
			continue;
		bpfless->prefixes[i] = bpfless->prefixes[--bpfless->prefix_count];
		return 0;
	}
	return -ENOENT;
}

void bpfless_set_mtu(struct wire *wire, uint32_t mtu)
{
	raw_replay_set_mtu(bpfless_of_wire(wire)->replay, mtu);
}

int bpfless_read_stats(struct gate *gate, struct nol_stats *out)
{
	*out = bpfless_of_gate(gate)->stats;
	return 0;
}

int bpfless_send(struct wire *wire, const struct segment *segment)
{
	return raw_send_queue(bpfless_of_wire(wire)->sender, segment);
}

int bpfless_flush(struct wire *wire)
{
	return raw_send_flush(bpfless_of_wire(wire)->sender);
}

int bpfless_open_flow(struct flows *flows, const struct tuple *tuple, uint64_t now_ns,
		      struct nol_flow *old)
{
	struct bpfless *bpfless = bpfless_of_flows(flows);
	struct flow_entry *entry = flow_memory_find(bpfless->flows, tuple);
	const bool is_replaced = entry && entry->flow.state == NOL_FLOW_HANDED_OFF;

	/* Whether the kernel still has the connection before this one was asked when its SYN came. */
	if (!entry)
		entry = flow_memory_add(bpfless->flows, tuple);
	if (!entry)
		return -errno;
	*old = entry->flow;
	*entry = (struct flow_entry){
		.flow = {.state = NOL_FLOW_SYN_RECEIVED,
			 .created_ns = now_ns,
			 .method = flows->method},
	};
	return is_replaced;
}

int bpfless_replay(struct wire *wire, const struct held_packet *packet)
{
	int err = raw_replay_packet(bpfless_of_wire(wire)->replay, packet);

	if (!err)
		bpfless_of_wire(wire)->stats.replay_turned++;
	return err;
}

int bpfless_hand_off_flow(struct flows *flows, const struct tuple *tuple, uint32_t held)
{
	struct flow_entry *entry = flow_memory_find(bpfless_of_flows(flows)->flows, tuple);

	(void)held;
	if (!entry)
		return -ENOENT;
	entry->flow.state = NOL_FLOW_HANDED_OFF;
	return 0;
}

int bpfless_shut_flow(struct flows *flows, const struct tuple *tuple, const struct nol_flow *flow)
{
	struct flow_entry *entry = flow_memory_find(bpfless_of_flows(flows)->flows, tuple);

	if (!entry)
		return -ENOENT;
	entry->flow.state = flow->state;
	entry->flow.held = flow->held;
	entry->flow.shut = flow->shut;
	return 0;
}

int bpfless_end_shut_flow(struct flows *flows, const struct tuple *tuple)
{
	struct bpfless *bpfless = bpfless_of_flows(flows);
	const struct flow_entry *entry = flow_memory_find(bpfless->flows, tuple);

	if (!entry || !nol_is_shut(entry->flow.state))
		return -ENOENT;
	flow_memory_remove(bpfless->flows, tuple);
	return 0;
}

int bpfless_close_flow(struct flows *flows, const struct tuple *tuple)
{
	struct flow_entry *entry = flow_memory_find(bpfless_of_flows(flows)->flows, tuple);

	if (!entry || entry->flow.state != NOL_FLOW_HANDED_OFF)
		return -ENOENT;
	entry->flow.state = NOL_FLOW_CLOSED;
	return 0;
}

int bpfless_get_flow(struct flows *flows, const struct tuple *tuple, struct nol_flow *out)
{
	const struct flow_entry *entry = flow_memory_find(bpfless_of_flows(flows)->flows, tuple);

	if (!entry)
		return -ENOENT;
	*out = entry->flow;
	if (entry->is_outlived)
		out->state = NOL_FLOW_CLOSED;
	return 0;
}

void bpfless_forget_flow(struct flows *flows, const struct tuple *tuple, bool only_closed)
{
	struct bpfless *bpfless = bpfless_of_flows(flows);
	const struct flow_entry *entry = flow_memory_find(bpfless->flows, tuple);

	if (entry && (!only_closed || entry->flow.state == NOL_FLOW_CLOSED))
		flow_memory_remove(bpfless->flows, tuple);
}

int bpfless_visit_flows(struct flows *flows, flow_fn fn, void *context)
{
	return flow_memory_visit(bpfless_of_flows(flows)->flows, fn, context);
}
