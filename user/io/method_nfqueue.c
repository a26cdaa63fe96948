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

static struct method_nfqueue *from_io(struct packet_io *io)
{
	return (struct method_nfqueue *)io;
}

static int attach(struct packet_io *io)
{
	struct method_nfqueue *nfqueue = from_io(io);
	const struct queue_rules_options rules = {
		.ifname = nfqueue->bpfless.options.ifname,
		.ports = nfqueue->bpfless.options.ports,
		.queue = queue_number(nfqueue->queue),
	};
	int err = queue_rules_install(&nfqueue->rules, &rules);

	if (!err)
		log_info("%s: queue %u, rules by %s", rules.ifname, (unsigned int)rules.queue,
			 queue_rules_backend(nfqueue->rules));
	return err;
}

static void detach(struct packet_io *io)
{
	struct method_nfqueue *nfqueue = from_io(io);

	queue_rules_remove(nfqueue->rules);
	nfqueue->rules = NULL;
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

static int receive(struct packet_io *io, uint32_t max, packet_fn fn, void *context)
{
	struct method_nfqueue *nfqueue = from_io(io);

	nfqueue->fn = fn;
	nfqueue->context = context;
	return queue_receive(nfqueue->queue, max, take_packet, nfqueue);
}

static int read_stats(struct packet_io *io, struct nol_stats *out)
{
	bpfless_read_stats(io, out);
	out->lost_ring_full = queue_lost(from_io(io)->queue);
	return 0;
}

static int fd(const struct packet_io *io)
{
	return queue_fd(((const struct method_nfqueue *)io)->queue);
}

static void free_method(struct packet_io *io)
{
	struct method_nfqueue *nfqueue = from_io(io);

	queue_rules_remove(nfqueue->rules);
	queue_free(nfqueue->queue);
	bpfless_release(&nfqueue->bpfless);
	free(nfqueue);
}

static const struct packet_io_ops ops = {
	.method = NOL_METHOD_NFQUEUE,
	.shield = PACKET_SHIELD_TRANSPARENT,
	.attach = attach,
	.detach = detach,
	.add_prefix = bpfless_add_prefix,
	.remove_prefix = bpfless_remove_prefix,
	.set_mtu = bpfless_set_mtu,
	.read_stats = read_stats,
	.receive = receive,
	.send = bpfless_send,
	.flush = bpfless_flush,
	.set_spinning = bpfless_set_spinning,
	.open_flow = bpfless_open_flow,
	.replay = bpfless_replay,
	.hand_off_flow = bpfless_hand_off_flow,
	.close_flow = bpfless_close_flow,
	.is_handed_off = bpfless_is_handed_off,
	.forget_flow = bpfless_forget_flow,
	.visit_flows = bpfless_visit_flows,
	.fd = fd,
	.free = free_method,
};

int method_nfqueue_new(struct packet_io **out, const struct bpfless_options *options)
{
	struct method_nfqueue *nfqueue = calloc(1, sizeof(*nfqueue));
	int err;

	if (!nfqueue)
		return -ENOMEM;
	err = bpfless_init(&nfqueue->bpfless, &ops, options);
	if (!err)
		err = queue_new(&nfqueue->queue, FIRST_QUEUE);
	if (err)
		free_method(&nfqueue->bpfless.io);
	else
		*out = &nfqueue->bpfless.io;
	return err;
}
