// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * A hand-off waits for nothing here: a packet that was queued before the kernel socket existed, and is taken from the
 * queue after the hand-off, is let go and meets the socket.
 */
#include "method_nfqueue.h"

#include <errno.h>
#include <stdlib.h>

#include "bytes.h"
#include "checksum.h"
#include "clock.h"
#include "container.h"
#include "ip.h"
#include "log.h"
#include "queue.h"
#include "queue_rules.h"

#define FIRST_QUEUE 28160 /* far from the small numbers that people give to theirs */
#define MIN_L4_OFFSET 20

struct method_nfqueue {
	struct bpfless bpfless; /* first */
	struct queue *queue;
	struct queue_rules *rules;
	packet_fn fn;
	void *context;
};

static struct method_nfqueue *of(struct bpfless *bpfless)
{
	return container_of(bpfless, struct method_nfqueue, bpfless);
}

static struct method_nfqueue *from_gate(struct gate *gate)
{
	return of(bpfless_of_gate(gate));
}

static struct queue_rules_options rules_for(const struct method_nfqueue *nfqueue,
					    const struct port_set *ports)
{
	return (struct queue_rules_options){
		.ifname = nfqueue->bpfless.options.ifname,
		.ports = ports,
		.queue = queue_number(nfqueue->queue),
	};
}

static int attach(struct gate *gate)
{
	struct method_nfqueue *nfqueue = from_gate(gate);
	const struct queue_rules_options rules = rules_for(nfqueue, nfqueue->bpfless.options.ports);
	int err = queue_rules_install(&nfqueue->rules, &rules);

	if (!err)
		log_info("%s: queue %u, rules by %s", rules.ifname, (unsigned int)rules.queue,
			 queue_rules_backend(nfqueue->rules));
	return err;
}

static void detach(struct gate *gate)
{
	struct method_nfqueue *nfqueue = from_gate(gate);

	queue_rules_remove(nfqueue->rules);
	nfqueue->rules = NULL;
}

/* iptables, where nftables has no queue. */
static bool runs_programs(struct gate *gate)
{
	return queue_rules_run_programs(from_gate(gate)->rules);
}

static int set_ports(struct gate *gate, const struct port_set *ports)
{
	struct method_nfqueue *nfqueue = from_gate(gate);
	const struct queue_rules_options rules = rules_for(nfqueue, ports);

	return nfqueue->rules ? queue_rules_change(nfqueue->rules, &rules) : 0;
}

/* On its way here the stack may have written into options (record route) and left the header's checksum for later. */
static void mend_header(uint8_t *ip, uint32_t len)
{
	const size_t header_len = (ip[0] & 0xf) * 4u;

	if (ip_version(ip) != 4 || header_len <= IP_V4_HEADER_LEN || header_len > len)
		return;
	bytes_put16(ip + 10, 0);
	bytes_put16(ip + 10, (uint16_t)~checksum_fold(checksum_add(0, ip, header_len)));
}

static bool take_packet(void *context, uint8_t *ip, uint32_t len, bool is_whole)
{
	struct method_nfqueue *nfqueue = context;
	const struct held_packet held = {
		.frame = ip,
		.frame_len = len,
		.l4_offset = MIN_L4_OFFSET,
		.is_whole = is_whole,
		.held_ns = clock_monotonic_ns(),
	};
	struct segment segment;

	if (len)
		mend_header(ip, len);
	if (segment_parse(ip, len, &segment)) {
		nfqueue->bpfless.stats.ingress_odd++;
		return true;
	}
	if (!bpfless_takes(&nfqueue->bpfless, &segment, held.held_ns))
		return true;
	nfqueue->fn(nfqueue->context, &held);
	return false;
}

static int receive(struct wire *wire, uint32_t max, packet_fn fn, void *context)
{
	struct method_nfqueue *nfqueue = of(bpfless_of_wire(wire));

	nfqueue->fn = fn;
	nfqueue->context = context;
	return queue_receive(nfqueue->queue, max, take_packet, nfqueue);
}

static int read_stats(struct gate *gate, struct nol_stats *out)
{
	bpfless_read_stats(gate, out);
	out->lost_ring_full = queue_lost(from_gate(gate)->queue);
	return 0;
}

static int fd(const struct wire *wire)
{
	return queue_fd(of(bpfless_of_wire(wire))->queue);
}

static void free_method(struct gate *gate)
{
	struct method_nfqueue *nfqueue = from_gate(gate);

	queue_rules_remove(nfqueue->rules);
	queue_free(nfqueue->queue);
	bpfless_release(&nfqueue->bpfless);
	free(nfqueue);
}

static const struct gate_ops gate_ops = {
	.attach = attach,
	.detach = detach,
	.add_prefix = bpfless_add_prefix,
	.remove_prefix = bpfless_remove_prefix,
	.set_ports = set_ports,
	.read_stats = read_stats,
	.runs_programs = runs_programs,
	.free = free_method,
};

static const struct flows_ops flows_ops = {
	.open = bpfless_open_flow,
	.hand_off = bpfless_hand_off_flow,
	.shut = bpfless_shut_flow,
	.end_shut = bpfless_end_shut_flow,
	.close = bpfless_close_flow,
	.get = bpfless_get_flow,
	.forget = bpfless_forget_flow,
	.visit = bpfless_visit_flows,
};

static const struct wire_ops wire_ops = {
	.shield = WIRE_SHIELD_TRANSPARENT,
	.receive = receive,
	.send = bpfless_send,
	.flush = bpfless_flush,
	.replay = bpfless_replay,
	.set_mtu = bpfless_set_mtu,
	.fd = fd,
};

static const struct bpfless_ops ops = {
	.method = NOL_METHOD_NFQUEUE,
	.gate = &gate_ops,
	.flows = &flows_ops,
	.wire = &wire_ops,
};

int method_nfqueue_new(struct method_parts *out, const struct bpfless_options *options)
{
	struct method_nfqueue *nfqueue = calloc(1, sizeof(*nfqueue));
	int err;

	if (!nfqueue)
		return -ENOMEM;
	err = bpfless_init(&nfqueue->bpfless, &ops, options);
	if (!err)
		err = queue_new(&nfqueue->queue, FIRST_QUEUE);
	if (err)
		free_method(&nfqueue->bpfless.gate);
	else
		*out = bpfless_parts(&nfqueue->bpfless);
	return err;
}
