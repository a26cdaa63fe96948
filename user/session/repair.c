/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The order of calls is a protocol of its own:
 *   1. TCP_REPAIR on, which also spares bind() its walk over every socket of the port
 *   2. what a listener would have given it before the handshake; then
 *   2. TCP_MAXSEG before connect(): our own MSS, which limits advmss, and with it how the receive buffer grows. It also limits
 *      what we send, until the replayed final ACK brings a window that is larger than any before: the kernel computes the
 *      MSS anew then. So 8 makes the window a byte smaller than it is.
 *      TCP_WINDOW_CLAMP when no window scale was agreed, or connect() chooses one that shifts our windows
 *   3. both sequence numbers: IRS+1, then ISS+1; with timestamps ISS, see 7
 *   4. TCP_TIMESTAMP, its low bit clear (the bit asks for microseconds); rounded up, since a TSval below that of our
 *      SYN-ACK would be dropped by the remote (RFC 7323, 5.3; Linux alone forgives 1)
 *      TCP_REPAIR_WINDOW for the first time: connect() estimates the size of the remote's segments by the receive window, at 88
 *      bytes without one. A first small segment would then be taken for a full one, whose overhead costs most of the window
 *      (seen on 6.18)
 *   5. bind(), connect(): ESTABLISHED at once, nothing is sent
 *   6. TCP_REPAIR_OPTIONS: only what was agreed
 *   7. with timestamps: one byte, where our SYN stood. Nothing leaves; it is on its way as far as the socket knows, and the
 *      replayed final ACK acknowledges it: the socket learns its RTT from the echo, and an RTO that is not the 3 s of
 *      a handshake that was repeated (RFC 6298, 5.7). Behind 6, which asks that nothing was sent
 *   8. TCP_REPAIR_WINDOW again, which connect() has chosen for itself
 *   9. TCP_REPAIR off without a window probe, then SO_REUSEADDR, which turning repair off has cleared
 * From before 5 until behind 9 the shield is up: connect() makes the socket visible to packets.
 */
#include "repair.h"

#include <errno.h>
#include <linux/filter.h>
#include <linux/tcp.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "clock.h"
#include "container.h"
#include "cwnd.h"
#include "first_flight.h"
#include "log.h"
#include "sock_diag.h"

#ifndef TCP_REPAIR_OFF_NO_WP
#define TCP_REPAIR_OFF_NO_WP -1
#endif

/* The limits of setsockopt(TCP_MAXSEG); a smaller or larger MSS is set to the nearest. */
#define MAXSEG_MIN 88
#define MAXSEG_MAX 32767
#define TIMESTAMPS_LEN 12 /* bytes of every segment, with their two NOPs */

#define WALKS_PER_S 10

/* Option kinds of struct tcp_repair_opt. */
enum {
	OPTION_MSS = 2,
	OPTION_WSCALE = 3,
	OPTION_SACK = 4,
	OPTION_TIMESTAMPS = 8,
};

static int set_int(int fd, int name, int value)
{
	return setsockopt(fd, IPPROTO_TCP, name, &value, sizeof(value)) ? -errno : 0;
}

static int set_sequence(int fd, int queue, uint32_t next)
{
	return set_int(fd, TCP_REPAIR_QUEUE, queue) ?: set_int(fd, TCP_QUEUE_SEQ, (int)next);
}

static int set_transparent(int fd, bool is_v4, int is_on)
{
	const int level = is_v4 ? IPPROTO_IP : IPPROTO_IPV6;
	const int name = is_v4 ? IP_TRANSPARENT : IPV6_TRANSPARENT;

	return setsockopt(fd, level, name, &is_on, sizeof(is_on)) ? -errno : 0;
}

static int set_deaf(int fd, bool is_on)
{
	struct sock_filter nothing = BPF_STMT(BPF_RET | BPF_K, 0);
	const struct sock_fprog program = {.len = 1, .filter = &nothing};
	const int ignored = 0;
	int err = is_on ? setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof(program))
			: setsockopt(fd, SOL_SOCKET, SO_DETACH_FILTER, &ignored, sizeof(ignored));

	return err ? -errno : 0;
}

static int set_shield(int fd, const struct engine_flow *flow, enum wire_shield shield, bool is_up)
{
	switch (shield) {
	case WIRE_SHIELD_DEAF:
		return set_deaf(fd, is_up);
	case WIRE_SHIELD_TRANSPARENT:
		return set_transparent(fd, addr_is_v4(&flow->tuple.local.addr), is_up);
	case WIRE_SHIELD_HOLD:
		break;
	}
	return 0;
}

static int clamp_mss(int mss)
{
	return mss < MAXSEG_MIN ? MAXSEG_MIN : mss > MAXSEG_MAX ? MAXSEG_MAX : mss;
}

/* Of an active open the final ACK is ours, and nothing comes that would acknowledge the byte. */
static bool learns_rtt(const struct engine_flow *flow)
{
	return flow->has_timestamps && !flow->is_active;
}

/* Without a window scale no window is larger. */
static int clamp_window(int fd, const struct engine_flow *flow, const struct sockopts *sockopts)
{
	if (flow->has_wscale || (sockopts_has(sockopts, SOCKOPT_WINDOW_CLAMP) &&
				 sockopts->values[SOCKOPT_WINDOW_CLAMP] < UINT16_MAX))
		return 0;
	return set_int(fd, TCP_WINDOW_CLAMP, UINT16_MAX);
}

/*
 * The segment that completed the handshake is replayed, and its window is larger than one that is a byte smaller: then the kernel
 * computes the MSS anew. Not with a small window: it would take half of that, which it does not of a listener's child.
 */
static bool learns_mss(const struct engine_flow *flow)
{
	return !flow->is_active && !flow->starts_slowly &&
	       flow->remote_window > 2u * flow->remote_mss;
}

/* One segment's after lost SYN-ACKs, see first_flight.h. */
static int set_window(int fd, const struct engine_flow *flow)
{
	const bool is_to_grow = learns_mss(flow);
	const struct tcp_repair_window window = {
		.snd_wl1 = flow->remote_wl1,
		.snd_wnd = first_flight_window(flow) - is_to_grow,
		.max_window = flow->remote_window - is_to_grow,
		.rcv_wnd = flow->local_window,
		.rcv_wup = flow->irs + 1,
	};

	return setsockopt(fd, IPPROTO_TCP, TCP_REPAIR_WINDOW, &window, sizeof(window)) ? -errno : 0;
}

/* What a listener's child has for advmss. Without the replay it would stay the MSS of what we send, too. */
static int set_mss(int fd, const struct engine_flow *flow)
{
	int mss = flow->local_mss - (flow->has_timestamps ? TIMESTAMPS_LEN : 0);

	if (!learns_mss(flow))
		mss = flow->remote_mss;
	return set_int(fd, TCP_MAXSEG, clamp_mss(mss));
}

static int prepare(int fd, const struct engine_flow *flow, const struct sockopts *sockopts,
		   uint64_t now_ns)
{
	int err = set_int(fd, TCP_REPAIR, 1);

	if (!err)
		err = sockopts_apply(fd, sockopts, SOCKOPTS_BEFORE_CONNECT, NULL);
	if (!err)
		err = set_mss(fd, flow);
	if (!err)
		err = clamp_window(fd, flow, sockopts);
	if (!err)
		err = set_sequence(fd, TCP_RECV_QUEUE, flow->irs + 1);
	/* The last queue to be chosen: repeat_syn() sends into it. */
	if (!err)
		err = set_sequence(fd, TCP_SEND_QUEUE, flow->iss + !learns_rtt(flow));
	if (!err && flow->has_timestamps)
		err = set_int(fd, TCP_TIMESTAMP, (int)((engine_tsval(flow, now_ns) + 1) & ~1u));
	if (!err)
		err = set_window(fd, flow);
	return err;
}

static int bind_local(int fd, const struct endpoint *local, const struct socket_place *place)
{
	const bool is_v4 = addr_is_v4(&local->addr);
	struct sockaddr_storage address;
	socklen_t len = endpoint_to_sockaddr(local, place->scope_id, &address);
	const int on = 1;

	if (place->needs_freebind)
		setsockopt(fd, is_v4 ? IPPROTO_IP : IPPROTO_IPV6,
			   is_v4 ? IP_FREEBIND : IPV6_FREEBIND, &on, sizeof(on));
	return bind(fd, (struct sockaddr *)&address, len) ? -errno : 0;
}

static int connect_remote(int fd, const struct endpoint *remote, uint32_t scope_id)
{
	struct sockaddr_storage address;
	socklen_t len = endpoint_to_sockaddr(remote, scope_id, &address);

	return connect(fd, (struct sockaddr *)&address, len) ? -errno : 0;
}

/* A TIME-WAIT socket of the last connection may still hold the 4-tuple: a newer SYN ends it (RFC 9293, 3.6.1). */
static int bind_and_connect(int fd, const struct tuple *tuple, const struct socket_place *place)
{
	int err = bind_local(fd, &tuple->local, place);

	if (err)
		return err;
	err = connect_remote(fd, &tuple->remote, place->scope_id);
	if (err != -EADDRNOTAVAIL || sock_diag_end_time_wait(tuple, place->scope_id))
		return err;
	return connect_remote(fd, &tuple->remote, place->scope_id);
}

static int set_agreed_options(int fd, const struct engine_flow *flow)
{
	struct tcp_repair_opt options[4];
	unsigned int count = 0;

	options[count++] = (struct tcp_repair_opt){OPTION_MSS, flow->remote_mss};
	if (flow->has_wscale)
		options[count++] = (struct tcp_repair_opt){
			OPTION_WSCALE, flow->remote_wscale | flow->local_wscale << 16};
	if (flow->has_sack)
		options[count++] = (struct tcp_repair_opt){OPTION_SACK, 0};
	if (flow->has_timestamps)
		options[count++] = (struct tcp_repair_opt){OPTION_TIMESTAMPS, 0};
	return setsockopt(fd, IPPROTO_TCP, TCP_REPAIR_OPTIONS, options, count * sizeof(options[0]))
		       ? -errno
		       : 0;
}

static int repeat_syn(int fd, const struct engine_flow *flow)
{
	if (!learns_rtt(flow))
		return 0;
	return send(fd, "", 1, MSG_NOSIGNAL) == 1 ? 0 : -errno;
}

static int finish(int fd)
{
	const int on = 1;
	int err = set_int(fd, TCP_REPAIR, TCP_REPAIR_OFF_NO_WP);

	if (!err && setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)))
		err = -errno;
	return err;
}

int repair_open(const struct engine_flow *flow, const struct socket_place *place,
		enum wire_shield shield, uint64_t now_ns, int *out)
{
	const int family = addr_is_v4(&flow->tuple.local.addr) ? AF_INET : AF_INET6;
	int fd = socket(family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, IPPROTO_TCP);
	const char *step = "socket";
	int err = fd < 0 ? -errno : 0;

	if (!err)
		step = "repair mode", err = prepare(fd, flow, place->sockopts, now_ns);
	if (!err)
		step = "shield", err = set_shield(fd, flow, shield, true);
	if (!err)
		step = "bind and connect", err = bind_and_connect(fd, &flow->tuple, place);
	if (!err)
		step = "options", err = set_agreed_options(fd, flow);
	if (!err)
		step = "the byte of the SYN", err = repeat_syn(fd, flow);
	if (!err)
		step = "window", err = set_window(fd, flow);
	if (!err)
		step = "leaving repair mode", err = finish(fd);
	if (!err)
		step = "socket options",
		err = sockopts_apply(fd, place->sockopts, SOCKOPTS_CONNECTED, NULL);
	if (!err)
		step = "shield", err = set_shield(fd, flow, shield, false);
	if (!err) {
		*out = fd;
		return 0;
	}
	log_debug("hand-off: %s: %s", step, strerror(-err));
	if (fd >= 0)
		close(fd); /* silent: it is in repair mode */
	return err;
}

struct repair {
	struct socket_maker maker;
	struct socket_place place;
	struct cwnd *cwnd;
	struct nol_limit walks;
};

/*
 * Behind the replay, since the ACK of the SYN's byte opens the window by one. Each costs a walk, and somebody may make as
 * many such flows as he likes.
 */
static void settle(struct socket_maker *maker, const struct engine_flow *flow, int fd)
{
	struct repair *repair = container_of(maker, struct repair, maker);
	int err;

	if (!flow->starts_slowly || !repair->cwnd ||
	    !nol_limit_take(&repair->walks, clock_monotonic_ns()))
		return;
	err = cwnd_set(repair->cwnd, fd, 1);
	if (err)
		log_debug("hand-off: congestion window: %s", strerror(-err));
}

static int take(struct socket_maker *maker, struct engine_flow *flow, uint64_t now_ns, int *fd)
{
	const struct repair *repair = container_of(maker, struct repair, maker);

	return repair_open(flow, &repair->place, maker->shield, now_ns, fd);
}

static void free_repair(struct socket_maker *maker)
{
	free(container_of(maker, struct repair, maker));
}

static const struct socket_maker_ops ops = {.take = take, .settle = settle, .free = free_repair};

int repair_new(struct socket_maker **out, const struct socket_place *place, enum wire_shield shield,
	       struct cwnd *cwnd)
{
	struct repair *repair = calloc(1, sizeof(*repair));

	if (!repair)
		return -ENOMEM;
	repair->maker = (struct socket_maker){.ops = &ops, .shield = shield};
	repair->place = *place;
	repair->cwnd = cwnd;
	nol_limit_set(&repair->walks, WALKS_PER_S);
	*out = &repair->maker;
	return 0;
}
