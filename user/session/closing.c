/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The word of flows whose socket is gone, the queue of graces, and a new look at everything when word was lost. The word is the
 * flow table's where that has it from the kernel itself, or else sock_diag's.
 */
#include "closing.h"

#include <errno.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "clock.h"
#include "grace.h"
#include "log.h"
#include "sock_diag.h"

#define GRACE_NS (3 * CLOCK_NS_PER_S)
#define TICK_MS 250
#define MANY_WORDS 25 /* a tick: to be woken for each of them would be a good part of their cost */
#define OWED_NS CLOCK_NS_PER_S
#define OWED 256
#define FORGET_BATCH 64
#define LOOK_NS (10 * CLOCK_NS_PER_S) /* at most so often after ends were missed, */
#define DIFFERS_S 2 /* what ends has been told of by then */
#define LOOK_SHARE 20 /* nor for more than this part of the time */
#define HALF_TOLD 64

/*
 * The kernel tells of a destroyed socket from a work queue, and a client may have connected again from the same port by
 * then. That late word must not be taken for the end of the new connection.
 */
struct owed {
	struct tuple tuple;
	uint64_t until_ns; /* words may be lost */
};

struct closing {
	struct closing_options options;
	pthread_mutex_t lock; /* of grace and owed */
	struct grace *grace;
	uint64_t count, unheard; /* atomic; all, and those that a look has found */
	int watch_fd; /* sock_diag; -1: the flow table tells */
	struct loop_source *watch_source, *tick_source;
	struct owed owed[OWED];
	uint32_t owed_count;
	uint64_t next_look_ns;
	/* Remotes with a connection that has ended, which one is to be looked for. */
	struct addr half_told[HALF_TOLD];
	uint32_t half_told_count;
	uint64_t next_half_told_ns;
	uint32_t differs_s; /* seconds that closing_compare() has found a difference */
	bool has_to_look; /* the last look has not seen everything */
	uint32_t words; /* the flow table's, since the last tick */
	bool reads_at_ticks;
};

static bool find_owed(struct closing *closing, const struct tuple *tuple)
{
	for (uint32_t i = 0; i < closing->owed_count; i++) {
		if (!tuple_is_equal(&closing->owed[i].tuple, tuple))
			continue;
		closing->owed[i] = closing->owed[--closing->owed_count];
		return true;
	}
	return false;
}

static bool take_owed(struct closing *closing, const struct tuple *tuple)
{
	bool is_owed;

	pthread_mutex_lock(&closing->lock);
	is_owed = find_owed(closing, tuple);
	pthread_mutex_unlock(&closing->lock);
	return is_owed;
}

static void forget_owed(struct closing *closing, uint64_t now_ns)
{
	uint32_t i = 0;

	while (i < closing->owed_count) {
		if (closing->owed[i].until_ns > now_ns)
			i++;
		else
			closing->owed[i] = closing->owed[--closing->owed_count];
	}
}

static void tell_closed(struct closing *closing, const struct tuple *tuple,
			const struct nol_flow *flow, struct events *events)
{
	const struct event event = {
		.kind = EVENT_CLOSED,
		.tuple = tuple,
		.created_ns = flow->created_ns,
		.method = flow->method,
		.rtt_us = -1,
		.handoff_us = -1,
	};

	__atomic_add_fetch(&closing->count, 1, __ATOMIC_RELAXED);
	events_emit(events, &event);
}

uint64_t closing_count(const struct closing *closing)
{
	return __atomic_load_n(&closing->count, __ATOMIC_RELAXED);
}

uint64_t closing_unheard(const struct closing *closing)
{
	return __atomic_load_n(&closing->unheard, __ATOMIC_RELAXED);
}

void closing_compare(struct closing *closing, uint64_t handed_off)
{
	if (handed_off <= closing_count(closing))
		closing->differs_s = 0;
	else if (++closing->differs_s >= DIFFERS_S)
		closing->has_to_look = true;
}

void closing_owes(struct closing *closing, const struct tuple *tuple)
{
	if (closing->watch_fd < 0)
		return; /* what took its place cannot be closed by a late word */
	pthread_mutex_lock(&closing->lock);
	if (closing->owed_count < OWED)
		closing->owed[closing->owed_count++] = (struct owed){
			.tuple = *tuple,
			.until_ns = clock_monotonic_ns() + OWED_NS,
		};
	pthread_mutex_unlock(&closing->lock);
}

void closing_replaced(struct closing *closing, const struct tuple *tuple,
		      const struct nol_flow *old, struct events *events)
{
	tell_closed(closing, tuple, old, events);
	closing_owes(closing, tuple);
}

/* Where nobody can say (for want of memory, or of descriptors), it has one, and is looked for again. */
static bool has_socket(struct closing *closing, const struct tuple *tuple)
{
	uint8_t state = 0;
	const int err = sock_diag_find(tuple, closing->options.ifindex, &state);

	if (err && err != -ENOENT)
		closing->has_to_look = true;
	return err != -ENOENT && state != TCP_TIME_WAIT;
}

/* The word may have come before it was owed: then what is owed is nothing, and this is the end of the new connection. */
static bool is_late(struct closing *closing, const struct tuple *tuple)
{
	return take_owed(closing, tuple) && has_socket(closing, tuple);
}

static int begin_grace(struct closing *closing, const struct tuple *tuple)
{
	int err;

	pthread_mutex_lock(&closing->lock);
	err = grace_add(closing->grace, tuple, clock_monotonic_ns() + GRACE_NS);
	pthread_mutex_unlock(&closing->lock);
	return err;
}

/* The oldest whose grace is over at now_ns. */
static bool end_grace(struct closing *closing, uint64_t now_ns, struct tuple *out)
{
	bool is_over;

	pthread_mutex_lock(&closing->lock);
	is_over = grace_take(closing->grace, now_ns, out);
	pthread_mutex_unlock(&closing->lock);
	return is_over;
}

static void take_closed(void *context, const struct tuple *tuple, const struct nol_flow *flow)
{
	struct closing *closing = context;
	struct flows *flows = closing->options.flows;

	closing->words++;
	tell_closed(closing, tuple, flow, closing->options.events);
	if (begin_grace(closing, tuple))
		flows->ops->forget(flows, tuple, true);
}

/* False: it was none of ours, or its end is known. */
static bool end_flow(struct closing *closing, const struct tuple *tuple)
{
	struct flows *flows = closing->options.flows;
	struct nol_flow flow;

	if (!port_set_has(closing->options.ports, tuple->local.port) || is_late(closing, tuple) ||
	    flows->ops->close(flows, tuple))
		return false;
	flow = flows_find(flows, tuple);
	take_closed(closing, tuple, &flow);
	return true;
}

static bool is_half_told(const struct closing *closing, const struct addr *remote)
{
	for (uint32_t i = 0; i < closing->half_told_count; i++)
		if (addr_is_equal(&closing->half_told[i], remote))
			return true;
	return false;
}

static void note_half_told(struct closing *closing, const struct addr *remote)
{
	if (is_half_told(closing, remote))
		return;
	if (closing->half_told_count < HALF_TOLD)
		closing->half_told[closing->half_told_count++] = *remote;
	else
		closing->has_to_look = true;
}

/* What was closed with SO_LINGER of 0 was disconnected first: its word has no remote port. */
static void close_flow(void *context, const struct tuple *tuple, uint8_t tcp_state)
{
	struct closing *closing = context;

	(void)tcp_state;
	if (tuple->remote.port)
		end_flow(closing, tuple);
	else if (port_set_has(closing->options.ports, tuple->local.port))
		note_half_told(closing, &tuple->remote.addr);
}

static bool close_if_gone(void *context, const struct tuple *tuple, const struct nol_flow *flow)
{
	struct closing *closing = context;

	if (flow->state == NOL_FLOW_HANDED_OFF && !has_socket(closing, tuple) &&
	    end_flow(closing, tuple))
		__atomic_add_fetch(&closing->unheard, 1, __ATOMIC_RELAXED);
	return true;
}

static bool close_if_half_told(void *context, const struct tuple *tuple,
			       const struct nol_flow *flow)
{
	struct closing *closing = context;

	if (flow->state == NOL_FLOW_HANDED_OFF && is_half_told(closing, &tuple->remote.addr) &&
	    !has_socket(closing, tuple))
		end_flow(closing, tuple);
	return true;
}

static void look_for_half_told(struct closing *closing, uint64_t now_ns)
{
	struct flows *flows = closing->options.flows;

	if (!closing->half_told_count || now_ns < closing->next_half_told_ns)
		return;
	if (flows->ops->visit(flows, close_if_half_told, closing) < 0)
		closing->has_to_look = true;
	closing->half_told_count = 0;
	closing->next_half_told_ns = now_ns + (clock_monotonic_ns() - now_ns) * LOOK_SHARE;
}

/* Which flows have no socket any more? */
static void look(struct closing *closing)
{
	struct flows *flows = closing->options.flows;

	closing->has_to_look = false;
	if (flows->ops->visit(flows, close_if_gone, closing) < 0)
		closing->has_to_look = true;
}

static int read_words(struct closing *closing)
{
	struct flows *flows = closing->options.flows;

	return closing->watch_fd < 0 ? flows->ops->take_closed(flows, take_closed, closing)
				     : sock_diag_read(closing->watch_fd, close_flow, closing);
}

static void read_watch(void *context, uint32_t events)
{
	struct closing *closing = context;

	(void)events;
	if (read_words(closing) != -ENOBUFS)
		return;
	pthread_mutex_lock(&closing->lock);
	closing->owed_count = 0;
	pthread_mutex_unlock(&closing->lock);
	look(closing);
}

/* The kernel may leave the flow table's word out, without saying of whom. */
static bool has_missed(const struct closing *closing)
{
	struct flows *flows = closing->options.flows;

	return closing->watch_fd < 0 && flows->ops->has_missed && flows->ops->has_missed(flows);
}

static void look_for_missed(struct closing *closing, uint64_t now_ns)
{
	uint64_t took_ns;

	if (now_ns < closing->next_look_ns || (!closing->has_to_look && !has_missed(closing)))
		return;
	look(closing);
	took_ns = clock_monotonic_ns() - now_ns;
	closing->next_look_ns =
		now_ns + (took_ns * LOOK_SHARE > LOOK_NS ? took_ns * LOOK_SHARE : LOOK_NS);
}

static void forget(struct flows *flows, const struct tuple *tuples, uint32_t count)
{
	if (flows->ops->forget_closed) {
		flows->ops->forget_closed(flows, tuples, count);
		return;
	}
	for (uint32_t i = 0; i < count; i++)
		flows->ops->forget(flows, &tuples[i], true);
}

/* Of up to max flows whose grace is over at now_ns. */
static void forget_oldest(struct closing *closing, uint64_t now_ns, uint32_t max)
{
	struct tuple tuples[FORGET_BATCH];
	uint32_t count;

	do {
		count = 0;
		while (count < max && count < FORGET_BATCH &&
		       end_grace(closing, now_ns, &tuples[count]))
			count++;
		max -= count;
		if (count)
			forget(closing->options.flows, tuples, count);
	} while (count == FORGET_BATCH);
}

/* While there are many words they are read with what comes next, and at every tick. */
static void choose_when_to_read(struct closing *closing)
{
	struct flows *flows = closing->options.flows;
	const bool has_many = closing->words >= MANY_WORDS;

	closing->words = 0;
	if (closing->watch_fd >= 0 || !flows->ops->read_ends || has_many == closing->reads_at_ticks)
		return;
	closing->reads_at_ticks = has_many;
	flows->ops->read_ends(flows, has_many);
	read_watch(closing, EPOLLIN);
}

static void end_graces(void *context, uint32_t events)
{
	struct closing *closing = context;
	const uint64_t now_ns = clock_monotonic_ns();

	if (closing->reads_at_ticks)
		read_watch(closing, events);
	choose_when_to_read(closing);
	pthread_mutex_lock(&closing->lock);
	forget_owed(closing, now_ns);
	pthread_mutex_unlock(&closing->lock);
	forget_oldest(closing, now_ns, UINT32_MAX);
	look_for_half_told(closing, now_ns);
	look_for_missed(closing, now_ns);
}

void closing_poll(struct closing *closing, const struct loop *loop)
{
	if (closing && closing->watch_fd < 0 && closing->options.loop == loop)
		read_watch(closing, EPOLLIN);
}

/* A descriptor, or -errno. */
static int open_watch(struct closing *closing)
{
	struct flows *flows = closing->options.flows;
	const int fd = flows->ops->watch_closed ? flows->ops->watch_closed(flows) : -EOPNOTSUPP;

	if (fd >= 0)
		return fd;
	closing->watch_fd = sock_diag_watch();
	return closing->watch_fd;
}

int closing_new(struct closing **out, const struct closing_options *options)
{
	struct closing *closing = calloc(1, sizeof(*closing));
	struct loop *loop = options->loop;
	int fd, err;

	if (!closing)
		return -ENOMEM;
	closing->options = *options;
	closing->watch_fd = -1;
	pthread_mutex_init(&closing->lock, NULL);
	fd = open_watch(closing);
	err = fd < 0 ? fd : grace_new(&closing->grace);
	if (!err)
		err = loop_add(loop, fd, EPOLLIN, read_watch, closing, &closing->watch_source);
	if (!err)
		err = loop_add_timer(loop, TICK_MS, end_graces, closing, &closing->tick_source);
	if (err) {
		log_error("cannot watch for closed sockets: %s", strerror(-err));
		closing_free(closing);
		return err;
	}
	*out = closing;
	return 0;
}

void closing_free(struct closing *closing)
{
	if (!closing)
		return;
	if (closing->reads_at_ticks)
		read_watch(closing, EPOLLIN);
	loop_remove(closing->watch_source);
	loop_remove(closing->tick_source);
	if (closing->watch_fd >= 0)
		close(closing->watch_fd);
	grace_free(closing->grace);
	pthread_mutex_destroy(&closing->lock);
	free(closing);
}

void closing_make_room(struct closing *closing, uint32_t count)
{
	forget_oldest(closing, UINT64_MAX, count);
}
