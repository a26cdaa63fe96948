/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The ring on the way in, raw and packet sockets on the way out, nol_flows in between. */
#include "method_engine.h"

#include <errno.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <sys/random.h>

#include "raw_send.h"
#include "sock_diag.h"

struct method_engine {
	struct packet_io io;
	struct kern *kern;
	struct kern_ring *ring;
	uint32_t worker;
	uint32_t ifindex;
	struct raw_send *sender;
	struct replay *replay;
	packet_fn fn;
	void *context;
};

static struct method_engine *from_io(struct packet_io *io)
{
	return (struct method_engine *)io;
}

static int attach(struct packet_io *io)
{
	return kern_attach(from_io(io)->kern);
}

static void detach(struct packet_io *io)
{
	kern_detach(from_io(io)->kern);
}

static int add_prefix(struct packet_io *io, const struct prefix *prefix)
{
	return kern_add_prefix(from_io(io)->kern, prefix);
}

static int remove_prefix(struct packet_io *io, const struct prefix *prefix)
{
	return kern_remove_prefix(from_io(io)->kern, prefix);
}

static void set_mtu(struct packet_io *io, uint32_t mtu)
{
	replay_set_mtu(from_io(io)->replay, mtu);
}

static int read_stats(struct packet_io *io, struct nol_stats *out)
{
	return kern_stats_read(from_io(io)->kern, out);
}

static struct held_cookie cookie_of(const struct nol_record *record)
{
	return (struct held_cookie){
		.mss = record->cookie_mss,
		.has_wscale = record->cookie_options & NOL_COOKIE_HAS_WSCALE,
		.has_sack = record->cookie_options & NOL_COOKIE_HAS_SACK,
		.has_timestamps = record->cookie_options & NOL_COOKIE_HAS_TIMESTAMPS,
		.wscale = record->cookie_wscale,
		.ts_offset = record->cookie_ts_offset,
	};
}

static bool is_counted(const struct nol_record *record)
{
	return record->reason == NOL_HOLD_FLOW || record->reason == NOL_HOLD_COOKIE;
}

static void take_record(void *context, const struct nol_record *record, const uint8_t *frame)
{
	const struct method_engine *method = context;
	const struct held_cookie cookie = cookie_of(record);
	const struct held_packet packet = {
		.frame = frame,
		.frame_len = record->snap_len,
		.l3_offset = record->l3_offset,
		.l4_offset = record->l4_offset,
		.is_whole = record->snap_len == record->frame_len,
		.held_ns = record->held_ns,
		.held = is_counted(record) ? record->held : 0,
		.has_time_wait = record->reason == NOL_HOLD_TIME_WAIT,
		.time_wait_snd_nxt = record->time_wait_snd_nxt,
		.is_turned = record->is_turned,
		.cookie = record->reason == NOL_HOLD_COOKIE ? &cookie : NULL,
	};

	method->fn(method->context, &packet);
}

static int receive(struct packet_io *io, uint32_t max, packet_fn fn, void *context)
{
	struct method_engine *method = from_io(io);

	method->fn = fn;
	method->context = context;
	return kern_ring_consume(method->ring, max, take_record, method);
}

static int send_segment(struct packet_io *io, const struct segment *segment)
{
	return raw_send_queue(from_io(io)->sender, segment);
}

static int flush(struct packet_io *io)
{
	return raw_send_flush(from_io(io)->sender);
}

static void set_spinning(struct packet_io *io, bool is_spinning)
{
	struct method_engine *method = from_io(io);
	uint8_t *spinning = &kern_config(method->kern)->spinning[method->worker];

	/* Before sleeping the ring is looked at once more: the store has to be seen by then. */
	__atomic_store_n(spinning, is_spinning, __ATOMIC_SEQ_CST);
}

static bool is_handed_off(struct packet_io *io, const struct tuple *tuple)
{
	struct nol_flow flow;

	return !kern_flow_get(from_io(io)->kern, tuple, &flow) && flow.state == NOL_FLOW_HANDED_OFF;
}

/* Does the kernel still have the connection before this one? */
static bool is_alive(struct packet_io *io, const struct tuple *tuple)
{
	uint8_t state;

	return is_handed_off(io, tuple) && !sock_diag_find(tuple, from_io(io)->ifindex, &state) &&
	       state != TCP_TIME_WAIT;
}

static int replace_flow(struct packet_io *io, const struct tuple *tuple,
			const struct nol_flow *flow)
{
	struct kern *kern = from_io(io)->kern;
	struct nol_flow old = {0};
	int err;

	if (is_alive(io, tuple))
		return -EALREADY;
	kern_flow_remove(kern, tuple, &old);
	err = kern_flow_add(kern, tuple, flow);
	return err ?: old.state == NOL_FLOW_HANDED_OFF;
}

static int open_flow(struct packet_io *io, const struct tuple *tuple, uint64_t now_ns)
{
	const struct nol_flow flow = {
		.state = NOL_FLOW_SYN_RECEIVED,
		.created_ns = now_ns,
		.method = io->ops->method,
	};
	struct kern *kern = from_io(io)->kern;
	int err = kern_flow_add(kern, tuple, &flow);

	if (err != -EEXIST)
		return err;
	kern_flow_lock(kern);
	err = replace_flow(io, tuple, &flow);
	kern_flow_unlock(kern);
	return err;
}

static int replay_held(struct packet_io *io, const struct held_packet *packet)
{
	return replay_packet(from_io(io)->replay, packet);
}

static int hand_off_flow(struct packet_io *io, const struct tuple *tuple, uint32_t held)
{
	return kern_flow_change(from_io(io)->kern, tuple, NOL_FLOW_HANDED_OFF, held);
}

static void force_flow(struct packet_io *io, const struct tuple *tuple)
{
	kern_flow_set(from_io(io)->kern, tuple, NOL_FLOW_HANDED_OFF);
}

static int close_flow(struct packet_io *io, const struct tuple *tuple)
{
	struct kern *kern = from_io(io)->kern;
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

static enum nol_method flow_method(struct packet_io *io, const struct tuple *tuple)
{
	struct nol_flow flow;

	return kern_flow_get(from_io(io)->kern, tuple, &flow) ? NOL_METHOD_ENGINE : flow.method;
}

static void forget_flow(struct packet_io *io, const struct tuple *tuple, bool only_closed)
{
	struct kern *kern = from_io(io)->kern;
	struct nol_flow flow;

	if (!only_closed) {
		kern_flow_remove(kern, tuple, NULL);
		return;
	}
	kern_flow_lock(kern);
	if (!kern_flow_get(kern, tuple, &flow) && flow.state == NOL_FLOW_CLOSED)
		kern_flow_remove(kern, tuple, NULL);
	kern_flow_unlock(kern);
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

static int visit_flows(struct packet_io *io, flow_fn fn, void *context)
{
	struct visit visit = {fn, context};

	return kern_flow_visit(from_io(io)->kern, visit_one, &visit);
}

static int ring_fd(const struct packet_io *io)
{
	return kern_ring_fd(((const struct method_engine *)io)->ring);
}

static void free_method(struct packet_io *io)
{
	struct method_engine *method = from_io(io);

	raw_send_free(method->sender);
	replay_free(method->replay);
	free(method);
}

/* The same for both methods: with connect a kernel socket sends the SYN-ACK, and the rest is the engine's. */
#define OPS(of_method)                                                                             \
	{                                                                                          \
		.method = of_method, .attach = attach, .detach = detach, .add_prefix = add_prefix, \
		.remove_prefix = remove_prefix, .set_mtu = set_mtu, .read_stats = read_stats,      \
		.receive = receive, .flush = flush, .set_spinning = set_spinning,                  \
		.open_flow = open_flow, .hand_off_flow = hand_off_flow, .force_flow = force_flow,  \
		.close_flow = close_flow, .is_handed_off = is_handed_off,                          \
		.flow_method = flow_method, .forget_flow = forget_flow,                            \
		.visit_flows = visit_flows, .send = send_segment, .replay = replay_held,           \
		.fd = ring_fd, .free = free_method                                                 \
	}

static const struct packet_io_ops engine_ops = OPS(NOL_METHOD_ENGINE);
static const struct packet_io_ops connect_ops = OPS(NOL_METHOD_CONNECT);

/* The IPv4 part of a tag must not be 0: idle senders use that identification (RFC 6864). */
static int choose_tag(uint32_t *tag)
{
	do {
		if (getrandom(tag, sizeof(*tag), 0) != sizeof(*tag))
			return -EIO;
	} while (!(*tag & 0xffff));
	return 0;
}

static int tell_programs(struct kern *kern, enum nol_method kind, uint32_t worker)
{
	struct nol_config *config = kern_config(kern);

	if (worker)
		return 0;
	config->method = kind;
	return choose_tag(&config->replay_tag);
}

int method_engine_new(struct packet_io **out, struct kern *kern, enum nol_method kind,
		      uint32_t worker, const struct replay_options *options)
{
	struct method_engine *method = calloc(1, sizeof(*method));
	struct replay_options with_tag = *options;
	int err;

	if (!method)
		return -ENOMEM;
	method->io.ops = kind == NOL_METHOD_CONNECT ? &connect_ops : &engine_ops;
	method->kern = kern;
	method->ring = kern_ring(kern, worker);
	method->worker = worker;
	method->ifindex = options->ifindex;
	err = tell_programs(kern, kind, worker);
	if (err)
		goto out;
	with_tag.tag = kern_config(kern)->replay_tag;
	err = raw_send_new(&method->sender, options->ifindex, NOL_MARK);
	if (!err)
		err = replay_new(&method->replay, &with_tag);
out:
	if (err)
		free_method(&method->io);
	else
		*out = &method->io;
	return err;
}
