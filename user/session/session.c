/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Theory of operation
 *
 * A session lives in one thread, and has one ring: all packets of its flows are in there. It works in rounds:
 *
 *   receive   held packets, a batch at most -> engine -> replies are queued; a flow whose handshake is complete
 *             joins the hand-off list together with a copy of the packet that completed it, and so does
 *             every later packet of such a flow.
 *   flush     the replies leave with one system call.
 *   hand off  for each flow of that list: make its kernel socket; receive once more; replay its packets in order, then hand the
 *             flow over by compare-and-swap. The swap fails when ingress has held one more packet than we have seen;
 *             the flow then stays on the list and the next round brings that packet. So the kernel socket gets every
 *             packet of the flow once and in order, and packets of other flows are worked on meanwhile.
 *
 * From the swap on, ingress passes the flow's packets and the guard lets its RSTs go: it is an ordinary connection, and
 * nothing here touches it again until sock_diag reports that its socket is gone.
 *
 * How a kernel socket comes to be is the socket maker's matter (socket_maker.h): one is made with the flow and takes part in
 * the handshake, another is made at the end. The engine's rules and the swap are the same.
 *
 * A method whose kernel makes the sockets has no packets: accepting.c takes its connections in their place.
 *
 * After the last packet the rounds go on for spin_ns without sleeping, since the wake-up is most of the latency of a
 * handshake; then epoll waits. The time begins when what the packet asked for is done: a hand-off takes most of it. What comes steadily, and a little
 * more seldom than that, is waited for longer (steady_spin_ns): how long a remote needs for its next connection is the machine's matter.
 */
#include "session.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <unistd.h>

#include "accepting.h"
#include "clock.h"
#include "log.h"
#include "session_private.h"
#include "shutting.h"

#define RECEIVE_BATCH 256
#define ACCEPT_BATCH_MAX 64
#define LAST_NS (300 * CLOCK_NS_PER_MS) /* longer than a hand-off waits for a packet */
#define STEADY 8 /* packets in a row */
#define LETTING_GO_MS 10 /* a socket that is being made does not show in the ring */

static void flush(struct session *session)
{
	if (session->wire->ops->flush(session->wire))
		session->stats.send_failed++;
}

static uint64_t deadline_ns(const struct session *session)
{
	return session->is_leaving ? UINT64_MAX : engine_deadline_ns(session->engine);
}

static void expire(struct session *session)
{
	struct engine_action action;

	if (deadline_ns(session) > session->now_ns)
		return;
	while (engine_expire(session->engine, session->now_ns, &action)) {
		acting_on(session, &action, NULL);
	}
}

/*
 * The loop tells of connections, again and again as long as there are any; accept4() for nothing costs as much as a socket's
 * file, and a turn of the loop for each of them more than that. So as many are taken as there were the last time, and
 * twice as many each time that the loop tells again at once.
 */
static int take_connections(struct session *session)
{
	const int max = session->is_leaving || session->accept_batch > ACCEPT_BATCH_MAX
				? ACCEPT_BATCH_MAX
				: session->accept_batch;
	int count;

	if (session->is_lent || (!session->has_connections && !session->is_leaving))
		return 0;
	session->has_connections = false;
	count = accepting_take(session, max);
	session->accept_burst += count;
	if (count == max && max < ACCEPT_BATCH_MAX)
		session->accept_batch *= 2;
	return count;
}

static int wait(struct session *session, int timeout_ms)
{
	int err = loop_wait(session->options.loop, timeout_ms);

	if (!session->has_connections && session->accept_burst) {
		session->accept_batch = session->accept_burst;
		session->accept_burst = 0;
	}
	return err;
}

static int receive(struct session *session)
{
	int count;

	if (session->is_deaf)
		return 0;
	count = session->wire->ops->receive(session->wire, RECEIVE_BATCH, acting_take_packet,
					    session);
	return count > 0 ? count : 0;
}

/* The number of packets that came in meanwhile. */
static int hand_off(struct session *session)
{
	int count;

	handoff_make_sockets(session->handoff, session->now_ns);
	count = receive(session);
	handoff_work(session->handoff, session->now_ns);
	flush(session);
	return count;
}

/* The number of packets that came in. */
static int take_packets(struct session *session)
{
	int count;

	closing_poll(session->closing, session->options.loop);
	count = receive(session);
	acting_end_killed(session);
	expire(session);
	flush(session);
	if (handoff_has_work(session->handoff))
		count += hand_off(session);
	return count;
}

/* Something has come. */
static void note_gap(struct session *session, uint64_t now_ns)
{
	const uint64_t gap_ns = now_ns - session->last_packet_ns;

	if (gap_ns > session->options.steady_spin_ns)
		session->short_gaps = 0;
	else if (session->short_gaps < STEADY)
		session->short_gaps++;
}

static uint64_t spin_ns(const struct session *session)
{
	const bool is_steady = session->short_gaps == STEADY;

	return is_steady ? session->options.steady_spin_ns : session->options.spin_ns;
}

/* One round; the number of packets or connections that came in. */
static int work(struct session *session)
{
	uint64_t begun_ns;
	int count;

	session->now_ns = begun_ns = clock_monotonic_ns();
	count = session->wire->ops->accept ? take_connections(session) : take_packets(session);
	service_flush(session->options.service);
	if (count <= 0)
		return 0;
	events_flush(session->options.events);
	note_gap(session, begun_ns);
	session->now_ns = session->last_packet_ns = clock_monotonic_ns();
	return count;
}

static int timeout_ms(const struct session *session)
{
	const uint64_t next_ns = deadline_ns(session);

	if (handoff_has_work(session->handoff) || next_ns <= session->now_ns)
		return 0;
	if (next_ns == UINT64_MAX)
		return -1;
	return (int)((next_ns - session->now_ns) / CLOCK_NS_PER_MS) + 1;
}

static void set_spinning(struct session *session, bool is_spinning)
{
	if (session->is_spinning == is_spinning)
		return;
	session->is_spinning = is_spinning;
	if (session->wire->ops->set_spinning)
		session->wire->ops->set_spinning(session->wire, is_spinning);
}

int session_run(struct session *session)
{
	bool is_busy;
	int err = 0;

	while (!session->is_stopping && err >= 0) {
		work(session);
		set_spinning(session, session->now_ns - session->last_packet_ns < spin_ns(session));
		/*
		 * A packet may have come between the last look and the end of spinning: its wake-up was skipped. Under
		 * a flood there always is one, and the loop has its turn all the same. Connections wait to be told of.
		 */
		is_busy = session->is_spinning || (!session->wire->ops->accept && work(session));
		if (!is_busy)
			events_flush(session->options.events);
		err = wait(session, is_busy ? 0 : timeout_ms(session));
	}
	set_spinning(session, false);
	return err < 0 ? err : 0;
}

void session_stop(struct session *session)
{
	session->is_stopping = true;
}

void session_drain(struct session *session)
{
	/* Bounded: under a flood the ring never runs dry. */
	for (int round = 0; round < 64; round++) {
		handoff_ask_again(session->handoff);
		if (!work(session) && handoff_is_empty(session->handoff))
			break;
	}
}

void session_leave(struct session *session)
{
	session->is_leaving = true;
	session_drain(session);
	if (session->maker && session->maker->ops->forget_half_open)
		session->maker->ops->forget_half_open(session->maker);
}

static bool is_under_way(const struct session *session)
{
	return session_half_open(session) || !handoff_is_empty(session->handoff);
}

static void await_packet(const struct session *session)
{
	struct pollfd ring = {.fd = session->wire->ops->fd(session->wire), .events = POLLIN};

	poll(&ring, 1, LETTING_GO_MS);
}

void session_let_go(struct session *session, uint64_t end_ns)
{
	if (session->wire->ops->accept)
		return;
	while (is_under_way(session) && clock_monotonic_ns() < end_ns) {
		await_packet(session);
		handoff_ask_again(session->handoff);
		work(session);
	}
	session->is_deaf = true;
	/* Those that wait for one more packet get none from us any more: they are handed off as they are. */
	while (!handoff_is_empty(session->handoff) && clock_monotonic_ns() < end_ns + LAST_NS) {
		poll(NULL, 0, 1);
		handoff_ask_again(session->handoff);
		work(session);
	}
	loop_remove(session->wire_source);
	session->wire_source = NULL;
}

/* The ring is readable, or the parent: that woke the loop, the next round takes what is there. */
static void wake(void *context, uint32_t events)
{
	struct session *session = context;

	(void)events;
	session->has_connections = true;
}

static int watch_wire(struct session *session)
{
	return loop_add(session->options.loop, session->wire->ops->fd(session->wire), EPOLLIN, wake,
			session, &session->wire_source);
}

int session_lend(struct session *session, int *fd)
{
	if (!session->wire->ops->accept || session->is_lent)
		return -EBUSY;
	loop_remove(session->wire_source);
	session->wire_source = NULL;
	session->has_connections = false;
	session->is_lent = true;
	*fd = session->wire->ops->fd(session->wire);
	return 0;
}

int session_take_back(struct session *session, bool is_left)
{
	int err = session->is_lent ? session->wire->ops->renew(session->wire, !is_left) : 0;

	/* Of one who has gone the old one is better than none. */
	if (!session->is_lent || (err && is_left))
		return err;
	err = watch_wire(session);
	session->is_lent = err;
	while (!is_left && accepting_take(session, ACCEPT_BATCH_MAX) == ACCEPT_BATCH_MAX)
		;
	return err;
}

static int open_handoff(struct session *session)
{
	const struct handoff_options options = {
		.wire = session->wire,
		.flows = session->flows,
		.engine = session->engine,
		.maker = session->maker,
		.loop = session->options.loop,
		.service = session->options.service,
		.events = session->options.events,
		.stats = &session->stats,
		.again = acting_take_packet,
		.context = session,
	};

	return handoff_new(&session->handoff, &options);
}

int session_new(struct session **out, const struct session_options *options)
{
	struct session *session = calloc(1, sizeof(*session));
	int err;

	if (!session)
		return -ENOMEM;
	session->options = *options;
	session->wire = options->wire;
	session->flows = options->flows;
	session->closing = options->closing;
	session->maker = options->maker;
	session->now_ns = clock_monotonic_ns();
	session->spare_fd = -1;
	session->accept_batch = 1;
	if (session->wire->ops->accept)
		accepting_reserve(session);
	err = engine_new(&session->engine, &options->engine);
	if (!err)
		err = open_handoff(session);
	if (!err)
		err = watch_wire(session);
	if (!err && options->engine.shut_ns && options->is_first)
		err = shutting_watch(session);
	if (err)
		session_free(session);
	else
		*out = session;
	return err;
}

void session_free(struct session *session)
{
	if (!session)
		return;
	loop_remove(session->wire_source);
	loop_remove(session->shut_source);
	if (session->spare_fd >= 0)
		close(session->spare_fd);
	handoff_free(session->handoff);
	engine_free(session->engine);
	free(session);
}

void session_closed(struct session *session, const struct tuple *tuple, uint64_t flow_ns)
{
	session->stats.closed++;
	acting_emit(session, EVENT_CLOSED, tuple, flow_ns, NULL);
}

void session_set(struct session *session, const struct engine_settings *settings)
{
	engine_set(session->engine, settings);
}

const struct session_stats *session_stats(const struct session *session)
{
	return &session->stats;
}

uint32_t session_half_open(const struct session *session)
{
	return engine_flow_count(session->engine);
}
