/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Theory of operation
 *
 *	 open()             stand-in: a deaf socket on the 4-tuple; engine: SYN, by a raw socket
 *	 SYN-ACK            the tap has a copy; the kernel's finds the stand-in, which drops it without an answer
 *	 ESTABLISHED        the socket is made beside the stand-in, which goes; then our ACK leaves (opening.c)
 *	 tap drained        what came in before the socket was there has been replayed: the socket is the caller's
 *
 * The stand-in is what gate and flow table are to a passive open. It owns the 4-tuple, as any socket does, so ingress programs,
 * guards and firewalls leave its packets alone; and nothing of it is left when the process dies.
 */
#include "opener.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

#include "clock.h"
#include "icmp_socket.h"
#include "log.h"
#include "opening.h"

#define BATCH 64
#define RESETS_PER_S 1000

struct opener {
	struct loop *loop;
	struct opener_config config;
	struct engine *engine;
	struct opening_wire wire;
	struct icmp_sockets *icmp;
	struct loop_source *tap_source, *timer;
	struct opening *first;
	struct port_set ports; /* of those that are open */
	uint32_t count;
};

static struct opening *find(const struct opener *opener, const struct tuple *tuple)
{
	struct opening *opening = opener->first;

	while (opening && !tuple_is_equal(&opening->options.tuple, tuple))
		opening = opening->next;
	return opening;
}

/* The tap listens to the ports that are in use, and to nothing when there are none. */
static int listen_to_ports(struct opener *opener)
{
	memset(&opener->ports, 0, sizeof(opener->ports));
	if (!opener->first) {
		tap_stop(opener->wire.tap);
		return 0;
	}
	for (const struct opening *one = opener->first; one; one = one->next)
		port_set_add(&opener->ports, one->options.tuple.local.port);
	return tap_set_ports(opener->wire.tap, &opener->ports);
}

static void unlink_opening(struct opening *opening)
{
	struct opener *opener = opening->opener;
	struct opening **link = &opener->first;

	while (*link != opening)
		link = &(*link)->next;
	*link = opening->next;
	opener->count--;
}

static void free_opening(struct opening *opening)
{
	if (opening->flow)
		engine_release(opening->opener->engine, opening->flow);
	stand_in_close(&opening->stand_in);
	if (opening->fd >= 0)
		close(opening->fd);
	free(opening);
}

static void finish(struct opening *opening)
{
	const struct engine_flow *flow = opening->flow ?: &opening->last;
	struct opening_result result = {
		.err = opening->err,
		.fd = opening->fd,
		.tuple = opening->options.tuple,
		.syn = flow->syn.ttl ? &flow->syn : NULL,
		.icmp = opening->has_icmp ? &opening->icmp : NULL,
		.retransmits = flow->retransmits,
		.has_crossed = opening->has_crossed,
	};

	if (flow->established_ns)
		result.rtt_ns = flow->established_ns - flow->sent_ns;
	opening->fd = -1;
	unlink_opening(opening);
	listen_to_ports(opening->opener);
	opening->fn(opening->context, &result);
	free_opening(opening);
}

static bool is_complete(const struct opening *opening)
{
	return !opening->err && opening->fd >= 0 &&
	       tap_received(opening->opener->wire.tap) >= opening->arrived;
}

static void settle(struct opening *opening)
{
	opening->err = opening_settle(opening, &opening->opener->wire);
	if (opening->err)
		opening_abort(opening, &opening->opener->wire);
}

/* Those that have failed, and those whose packets have all been looked at. Never while the tap reports. */
static void finish_ready(struct opener *opener)
{
	struct opening *next;

	for (struct opening *opening = opener->first; opening; opening = next) {
		const bool is_ready = is_complete(opening);

		next = opening->next;
		if (is_ready)
			settle(opening);
		if (is_ready || opening->err)
			finish(opening);
	}
}

/* The engine has removed the flow, whose memory is good until its next call. */
static void end(struct opening *opening, int err)
{
	opening->last = *opening->flow;
	opening->flow = NULL;
	opening->err = err;
}

/* A RST refuses a SYN; what it ends after the SYNs have crossed was a connection in the making. */
static int reset_errno(const struct opening *opening)
{
	return opening->has_crossed ? -ECONNRESET : -ECONNREFUSED;
}

static void send_reply(struct opener *opener, const struct engine_action *action)
{
	if (action->has_reply && !raw_send_queue(opener->wire.sender, &action->reply))
		raw_send_flush(opener->wire.sender);
}

static void act(struct opening *opening, const struct engine_action *action,
		const struct opening_packet *packet)
{
	struct opener *opener = opening->opener;

	opening->has_crossed |= opening->flow->state == ENGINE_SYN_RECEIVED;
	switch (action->event) {
	case ENGINE_EVENT_ESTABLISHED:
		opening_hand_off(opening, &opener->wire, action, packet);
		break;
	case ENGINE_EVENT_HELD:
		if (opening->fd >= 0)
			opening_replay(&opener->wire, packet);
		break;
	case ENGINE_EVENT_RESET:
		end(opening, reset_errno(opening));
		break;
	case ENGINE_EVENT_EXPIRED:
		end(opening, -ETIMEDOUT);
		break;
	default:
		send_reply(opener, action);
	}
}

static void take_packet(void *context, const struct tap_packet *tapped)
{
	struct opener *opener = context;
	struct segment segment;
	const struct opening_packet packet = {&segment, tapped};
	struct engine_action action;
	struct opening *opening;

	if (segment_parse(tapped->ip, tapped->len, &segment))
		return;
	opening = find(opener, &segment.tuple);
	if (!opening || opening->err)
		return;
	engine_input(opener->engine, &segment, clock_monotonic_ns(), NULL, &action);
	act(opening, &action, &packet);
}

static uint64_t next_deadline_ns(const struct opener *opener)
{
	uint64_t deadline_ns = engine_deadline_ns(opener->engine);

	for (const struct opening *one = opener->first; one; one = one->next) {
		if (one->deadline_ns < deadline_ns)
			deadline_ns = one->deadline_ns;
	}
	return deadline_ns;
}

static void look_at_time(void *context, uint32_t events);

/* One that is late by less than a millisecond. */
static int set_timer(struct opener *opener)
{
	const uint64_t deadline_ns = next_deadline_ns(opener), now_ns = clock_monotonic_ns();
	uint64_t wait_ms = 1;

	loop_remove(opener->timer);
	opener->timer = NULL;
	if (deadline_ns == UINT64_MAX)
		return 0;
	if (deadline_ns > now_ns)
		wait_ms += (deadline_ns - now_ns) / CLOCK_NS_PER_MS;
	return loop_add_timer(opener->loop, wait_ms, look_at_time, opener, &opener->timer);
}

static void give_up_late(struct opener *opener, uint64_t now_ns)
{
	for (struct opening *one = opener->first; one; one = one->next) {
		if (one->deadline_ns <= now_ns && one->fd < 0 && !one->err)
			one->err = -ETIMEDOUT;
	}
}

static void look_at_time(void *context, uint32_t events)
{
	struct opener *opener = context;
	const uint64_t now_ns = clock_monotonic_ns();
	struct engine_action action;

	(void)events;
	while (engine_expire(opener->engine, now_ns, &action))
		act(find(opener, &action.flow->tuple), &action, NULL);
	give_up_late(opener, now_ns);
	finish_ready(opener);
	set_timer(opener);
}

static void read_tap(void *context, uint32_t events)
{
	struct opener *opener = context;
	const int count = tap_receive(opener->wire.tap, BATCH, take_packet, opener);

	(void)events;
	if (count < 0)
		log_debug("connect: cannot read packets: %s", strerror(-count));
	finish_ready(opener);
	set_timer(opener);
}

static void take_icmp(void *context, const struct icmp_error *error)
{
	struct opener *opener = context;
	struct opening *opening = find(opener, &error->tuple);
	struct engine_action action;

	if (!opening || opening->err)
		return;
	engine_unreachable(opener->engine, error, clock_monotonic_ns(), &action);
	if (action.event != ENGINE_EVENT_RESET)
		return;
	end(opening, icmp_error_errno(error));
	opening->icmp = *error;
	opening->has_icmp = true;
	finish_ready(opener);
	set_timer(opener);
}

static int open_engine(struct opener *opener)
{
	struct engine_config config = {
		.max_flows = opener->config.max_openings,
		.syn_retries = opener->config.syn_retries,
		.settings = opener->config.settings,
		.resets_per_s = RESETS_PER_S,
	};

	if (getrandom(config.key, sizeof(config.key), 0) != sizeof(config.key))
		return -errno;
	return engine_new(&opener->engine, &config);
}

static int watch(struct opener *opener)
{
	int err = icmp_sockets_new(&opener->icmp, opener->loop, take_icmp, opener);

	if (!err)
		err = loop_add(opener->loop, tap_fd(opener->wire.tap), EPOLLIN, read_tap, opener,
			       &opener->tap_source);
	if (err)
		log_error("cannot hear of ICMP errors and packets: %s", strerror(-err));
	return err;
}

int opener_new(struct opener **out, struct loop *loop, const struct opener_config *config)
{
	struct opener *opener = calloc(1, sizeof(*opener));
	int err;

	if (!opener)
		return -ENOMEM;
	opener->loop = loop;
	opener->config = *config;
	err = open_engine(opener);
	if (!err)
		err = opening_wire_open(&opener->wire, config);
	if (!err)
		err = watch(opener);
	if (err)
		opener_free(opener);
	else
		*out = opener;
	return err;
}

void opener_free(struct opener *opener)
{
	if (!opener)
		return;
	while (opener->first)
		opener_cancel(opener->first);
	loop_remove(opener->timer);
	loop_remove(opener->tap_source);
	icmp_sockets_free(opener->icmp);
	opening_wire_close(&opener->wire);
	engine_free(opener->engine);
	free(opener);
}

void opener_set(struct opener *opener, const struct engine_settings *settings)
{
	engine_set(opener->engine, settings);
}

uint32_t opener_count(const struct opener *opener)
{
	return opener->count;
}

void opener_cancel(struct opening *opening)
{
	struct opener *opener = opening->opener;

	unlink_opening(opening);
	listen_to_ports(opener);
	free_opening(opening);
	set_timer(opener);
}

/* Our end, the engine's flow, and the stand-in on the 4-tuple. */
static int begin(struct opening *opening, struct engine_action *action, uint64_t now_ns)
{
	struct opener *opener = opening->opener;
	struct tuple *tuple = &opening->options.tuple;
	int err = stand_in_bind(&opening->stand_in, &tuple->local, opener->config.scope_id);

	if (!err)
		err = engine_connect(opener->engine, tuple, &opening->options.syn, now_ns, action);
	if (err)
		return err == -EEXIST ? -EALREADY : err;
	opening->flow = action->flow;
	err = stand_in_connect(&opening->stand_in, &tuple->remote);
	return err == -EADDRNOTAVAIL ? -EALREADY : err;
}

static int send_syn(struct opener *opener, const struct engine_action *action)
{
	int err = raw_send_queue(opener->wire.sender, &action->reply);

	return err ?: raw_send_flush(opener->wire.sender);
}

static void link_opening(struct opening *opening)
{
	struct opener *opener = opening->opener;

	opening->next = opener->first;
	opener->first = opening;
	opener->count++;
}

int opener_open(struct opener *opener, const struct opening_options *options, opening_fn fn,
		void *context, struct opening **out)
{
	const uint64_t now_ns = clock_monotonic_ns();
	struct opening *opening = calloc(1, sizeof(*opening));
	struct engine_action action;
	int err;

	if (!opening)
		return -ENOMEM;
	*opening = (struct opening){
		.opener = opener,
		.options = *options,
		.fn = fn,
		.context = context,
		.stand_in = STAND_IN_NONE,
		.fd = -1,
		.deadline_ns = options->timeout_ns ? now_ns + options->timeout_ns : UINT64_MAX,
	};
	err = begin(opening, &action, now_ns);
	if (err) {
		free_opening(opening);
		return err;
	}
	link_opening(opening);
	err = listen_to_ports(opener);
	if (!err)
		err = send_syn(opener, &action);
	if (!err)
		err = set_timer(opener);
	if (err)
		opener_cancel(opening);
	else
		*out = opening;
	return err;
}
