/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Theory of operation. The guard comes first, then the socket's connect(): from then on the socket is in SYN_SENT and
 * sends its SYN about once a second. Four things can happen:
 *   - the peer is not there: its RST is dropped by the guard, and the socket goes on;
 *   - the peer's SYN comes: SYN_RECEIVED, and soon ESTABLISHED;
 *   - the peer was there before us: its SYN_SENT answers our SYN with SYN-ACK;
 *   - the peer goes away in the middle of that: a RST to SYN_RECEIVED ends this attempt, and the next begins.
 * With --crossed an attempt begins with holding the peer's SYN. If none comes the peer may wait for ours in the same
 * way, so one of the two has to be first: after CROSSING_PATIENCE_MS our SYN goes out.
 */
#include "meet_open.h"

#include <errno.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdbool.h>
#include <string.h>
#include <sys/socket.h>

#include "clock.h"
#include "log.h"
#include "loop.h"
#include "meet_crossing.h"
#include "meet_guard.h"
#include "meet_socket.h"
#include "route.h"
#include "tcp_open.h"

#define RETRY_MS 50
#define CROSSING_PATIENCE_MS 3000

struct meet {
	const struct meet_options *options;
	struct meet_result *result;
	struct loop *loop;
	struct meet_guard *guard;
	struct meet_crossing *crossing; /* NULL: not asked for */
	struct loop_source *socket_source; /* NULL: no connect() under way */
	struct loop_source *timer; /* of the next step of an attempt */
	struct nol_meet_seen seen_before; /* the attempt */
	uint64_t start_ns;
	int fd; /* -1: between two attempts */
	int err;
	bool is_over, is_waiting_for_syn;
};

static void begin_attempt(struct meet *meet);

static void finish(struct meet *meet, int err)
{
	meet->is_over = true;
	meet->err = err;
}

static void stop_timer(struct meet *meet)
{
	loop_remove(meet->timer);
	meet->timer = NULL;
}

static void start_timer(struct meet *meet, uint64_t ms, loop_fn fn)
{
	int err;

	stop_timer(meet);
	err = loop_add_timer(meet->loop, ms, fn, meet, &meet->timer);
	if (err)
		finish(meet, err);
}

static void retry(void *context, uint32_t events)
{
	(void)events;
	begin_attempt(context);
}

/* Another attempt can help, unless it is this host that will not do it. */
static bool is_worth_retrying(int err)
{
	return err == -ECONNREFUSED || err == -ECONNRESET || err == -EPIPE || err == -ETIMEDOUT ||
	       err == -EHOSTUNREACH || err == -EHOSTDOWN;
}

static void fail_attempt(struct meet *meet, int err)
{
	loop_remove(meet->socket_source);
	meet->socket_source = NULL;
	tcp_abort(meet->fd);
	meet->fd = -1;
	meet->result->last_err = err;
	if (is_worth_retrying(err))
		start_timer(meet, RETRY_MS, retry);
	else
		finish(meet, err);
}

static void take_outcome(void *context, uint32_t events)
{
	struct meet *meet = context;
	int err = tcp_take_error(meet->fd);

	(void)events;
	if (err)
		fail_attempt(meet, err);
	else
		finish(meet, 0);
}

/*
 * Our SYN is out: now the peer's may arrive, and what came behind it. The guard goes on holding until the attempt is
 * over, so that everything comes through the ring and nothing overtakes the SYN.
 */
static void let_cross(struct meet *meet)
{
	meet_crossing_release(meet->crossing);
	meet_guard_read(meet->guard);
}

/* Connected: what is still held, data perhaps, belongs to the socket. */
static void stop_holding(struct meet *meet)
{
	meet_guard_set_phase(meet->guard, NOL_MEET_GUARD);
	meet_guard_read(meet->guard);
}

static void start_connect(struct meet *meet)
{
	const struct tuple *tuple = &meet->options->tuple;
	int err;

	stop_timer(meet);
	meet->is_waiting_for_syn = false;
	meet_guard_read_seen(meet->guard, &meet->seen_before);
	err = tcp_connect(meet->fd, &tuple->local, &tuple->remote);
	if (meet->crossing && err == -EINPROGRESS)
		let_cross(meet);
	if (!err || err == -EINPROGRESS)
		err = loop_add(meet->loop, meet->fd, EPOLLOUT, take_outcome, meet,
			       &meet->socket_source);
	if (err)
		fail_attempt(meet, err);
}

static void stop_waiting(void *context, uint32_t events)
{
	(void)events;
	start_connect(context);
}

static void begin_attempt(struct meet *meet)
{
	int err = 0;

	stop_timer(meet);
	if (meet->fd < 0)
		err = meet_socket_open(&meet->options->tuple, &meet->fd);
	if (err) {
		finish(meet, err);
	} else if (meet->crossing) {
		meet_crossing_begin(meet->crossing);
		meet->is_waiting_for_syn = true;
		meet_guard_set_phase(meet->guard, NOL_MEET_HOLD);
		start_timer(meet, CROSSING_PATIENCE_MS, stop_waiting);
	} else {
		start_connect(meet);
	}
}

static void take_frame(void *context, const struct nol_meet_frame *frame)
{
	struct meet *meet = context;

	if (meet->crossing)
		meet_crossing_take(meet->crossing, frame);
}

static void read_frames(void *context, uint32_t events)
{
	struct meet *meet = context;
	int err = meet_guard_read(meet->guard);

	(void)events;
	if (err)
		finish(meet, err);
	else if (meet->is_waiting_for_syn && meet_crossing_has_syn(meet->crossing))
		start_connect(meet);
}

static void beat(void *context, uint32_t events)
{
	(void)events;
	meet_guard_beat(((struct meet *)context)->guard);
}

static void time_out(void *context, uint32_t events)
{
	(void)events;
	finish(context, -ETIMEDOUT);
}

static void interrupt(void *context, uint32_t signal)
{
	(void)signal;
	finish(context, -EINTR);
}

static int add_sources(struct meet *meet)
{
	static const int signals[] = {SIGINT, SIGTERM, 0};
	struct loop *loop = meet->loop;
	int err = loop_add_signals(loop, signals, interrupt, meet, NULL);

	if (!err)
		err = loop_add_timer(loop, MEET_GUARD_BEAT_MS, beat, meet, NULL);
	if (!err)
		err = loop_add_timer(loop, meet->options->timeout_s * 1000, time_out, meet, NULL);
	if (!err)
		err = loop_add(loop, meet_guard_fd(meet->guard), EPOLLIN, read_frames, meet, NULL);
	return err;
}

static int find_route(const struct tuple *tuple, uint32_t *ifindex)
{
	int err = route_find(&tuple->local.addr, &tuple->remote.addr, ifindex);

	if (err) {
		log_error("meet: no route to the remote address: %s", strerror(-err));
	} else if (route_is_broadcast(&tuple->remote.addr)) {
		log_error(
			"meet: the remote end has a broadcast address: TCP connects single hosts");
		err = -EDESTADDRREQ;
	}
	return err;
}

static int set_up(struct meet *meet)
{
	const struct tuple *tuple = &meet->options->tuple;
	uint32_t ifindex;
	int err = meet_socket_open(tuple, &meet->fd);

	if (err)
		return err;
	if (find_route(tuple, &ifindex))
		return -EALREADY;
	if (meet_guard_new(&meet->guard, ifindex, tuple, take_frame, meet))
		return -EALREADY;
	if (meet->options->is_crossed && meet_crossing_new(&meet->crossing, ifindex))
		return -EALREADY;
	err = loop_new(&meet->loop);
	return err ? err : add_sources(meet);
}

static int run(struct meet *meet)
{
	begin_attempt(meet);
	while (!meet->is_over) {
		int count = loop_wait(meet->loop, -1);

		if (count < 0)
			return count;
	}
	return meet->err;
}

static void subtract(struct nol_meet_seen *seen, const struct nol_meet_seen *before)
{
	seen->syn -= before->syn;
	seen->syn_ack -= before->syn_ack;
	seen->syn_ack_crossed -= before->syn_ack_crossed;
}

static void fill_result(struct meet *meet, int err)
{
	struct meet_result *result = meet->result;

	if (meet->guard)
		meet_guard_read_seen(meet->guard, &result->seen);
	result->elapsed_ns = clock_monotonic_ns() - meet->start_ns;
	if (err)
		return;
	stop_holding(meet);
	subtract(&result->seen, &meet->seen_before);
	result->fd = meet->fd;
	meet->fd = -1;
}

int meet_open(const struct meet_options *options, struct meet_result *out)
{
	struct meet meet = {
		.options = options, .result = out, .fd = -1, .start_ns = clock_monotonic_ns()};
	int err;

	*out = (struct meet_result){.fd = -1};
	err = set_up(&meet);
	if (!err)
		err = run(&meet);
	fill_result(&meet, err);
	loop_free(meet.loop);
	tcp_abort(meet.fd);
	meet_crossing_free(meet.crossing);
	meet_guard_free(meet.guard);
	return err;
}
