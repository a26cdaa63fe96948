/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The order of calls matters here too:
 *   1. TCP_REPAIR on: bind() is spared its walk over every socket of the port, and TCP_QUEUE_SEQ chooses the ISS, so
 *      that flow, table and socket know the same from the start
 *   2. bind(), then TCP_REPAIR off, or connect() would send nothing; SO_REUSEADDR, which turning it off has cleared
 *   3. the interface, since only there the SYN is turned
 *   4. the table's entry, then connect(): the SYN leaves within it
 *   5. once it is connected, a call that takes the socket's lock: the ACK of the SYN-ACK, which the remote is not to see,
 *      has left by then, and the entry that keeps it back may go
 */
#include "connect_back.h"

#include <errno.h>
#include <linux/tcp.h>
#include <net/ethernet.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "clock.h"
#include "container.h"
#include "kern.h"
#include "log.h"
#include "sock_diag.h"

#define LINK_HEADER_MAX (ETHER_HDR_LEN + 4) /* with a VLAN tag */
#define SYN_ACK_MAX 128

#define REPAIR_ON 1
#define REPAIR_OFF (-1) /* without a window probe */

struct making {
	struct making *previous, *next;
	struct tuple tuple;
	int fd; /* -1: closed early, see forget_half_open() */
	bool is_complete; /* the handshake; connect() may not know it yet */
};

struct connect_back {
	struct socket_maker maker;
	struct connect_back_options options;
	struct making *first;
};

static struct connect_back *from_maker(struct socket_maker *maker)
{
	return container_of(maker, struct connect_back, maker);
}

static void link_making(struct connect_back *backs, struct making *making)
{
	making->next = backs->first;
	if (backs->first)
		backs->first->previous = making;
	backs->first = making;
}

static void unlink_making(struct connect_back *backs, struct making *making)
{
	if (making->previous)
		making->previous->next = making->next;
	else
		backs->first = making->next;
	if (making->next)
		making->next->previous = making->previous;
}

/* The socket, if it is still there, is silent in SYN-SENT. */
static void free_making(struct connect_back *backs, struct making *making)
{
	if (making->fd >= 0)
		close(making->fd);
	kern_back_remove(backs->options.kern, &making->tuple);
	unlink_making(backs, making);
	free(making);
}

static void forget(struct socket_maker *maker, struct engine_flow *flow)
{
	if (flow->making)
		free_making(from_maker(maker), flow->making);
	flow->making = NULL;
}

/* Before the programs are detached, or bare SYNs would get out. */
static void forget_half_open(struct socket_maker *maker)
{
	struct making *making = from_maker(maker)->first;

	for (; making; making = making->next) {
		if (making->is_complete)
			continue;
		if (making->fd >= 0)
			close(making->fd);
		making->fd = -1;
	}
}

static void free_backs(struct socket_maker *maker)
{
	struct connect_back *backs = from_maker(maker);

	while (backs->first)
		free_making(backs, backs->first);
	free(backs);
}

static int set_int(int fd, int level, int name, int value)
{
	return setsockopt(fd, level, name, &value, sizeof(value)) ? -errno : 0;
}

static int bind_with_iss(int fd, const struct engine_flow *flow, const struct socket_place *place)
{
	const bool is_v4 = addr_is_v4(&flow->tuple.local.addr);
	struct sockaddr_storage address;
	socklen_t len = endpoint_to_sockaddr(&flow->tuple.local, place->scope_id, &address);
	int err = set_int(fd, IPPROTO_TCP, TCP_REPAIR, REPAIR_ON);

	if (!err)
		err = set_int(fd, IPPROTO_TCP, TCP_REPAIR_QUEUE, TCP_SEND_QUEUE);
	if (!err)
		err = set_int(fd, IPPROTO_TCP, TCP_QUEUE_SEQ, (int)flow->iss);
	if (!err && place->needs_freebind)
		err = is_v4 ? set_int(fd, IPPROTO_IP, IP_FREEBIND, 1)
			    : set_int(fd, IPPROTO_IPV6, IPV6_FREEBIND, 1);
	if (!err && bind(fd, (struct sockaddr *)&address, len))
		err = -errno;
	if (!err)
		err = set_int(fd, IPPROTO_TCP, TCP_REPAIR, REPAIR_OFF);
	return err ?: set_int(fd, SOL_SOCKET, SO_REUSEADDR, 1);
}

/* On lo a packet to an address of another interface counts as that one's, and no route leads elsewhere anyway. */
static int configure(int fd, const struct connect_back_options *options)
{
	const int ifindex = options->is_loopback ? 0 : (int)options->place.scope_id;
	int err = set_int(fd, SOL_SOCKET, SO_BINDTOIFINDEX, ifindex);

	if (!err)
		err = sockopts_apply(fd, options->place.sockopts, SOCKOPTS_BEFORE_CONNECT, NULL);
	return err ?: set_int(fd, IPPROTO_TCP, TCP_SYNCNT, options->syn_retries);
}

static uint8_t offers_of(const struct engine_flow *flow)
{
	return NOL_OFFER_MSS | (flow->has_wscale ? NOL_OFFER_WSCALE : 0) |
	       (flow->has_sack ? NOL_OFFER_SACK : 0) |
	       (flow->has_timestamps ? NOL_OFFER_TIMESTAMPS : 0);
}

static int add_back(struct connect_back *backs, const struct engine_flow *flow)
{
	const struct nol_back back = {
		.remote_isn = flow->irs,
		.local_iss = flow->iss,
		.remote_tsval = flow->ts_recent,
		.remote_mss = flow->remote_mss,
		.remote_wscale = flow->remote_wscale,
		.remote_offers = offers_of(flow),
	};

	return kern_back_add(backs->options.kern, &flow->tuple, &back);
}

static int connect_to(int fd, const struct endpoint *remote, uint32_t scope_id)
{
	struct sockaddr_storage address;
	socklen_t len = endpoint_to_sockaddr(remote, scope_id, &address);

	if (!connect(fd, (struct sockaddr *)&address, len) || errno == EINPROGRESS)
		return 0;
	return -errno;
}

static int open_socket(struct connect_back *backs, const struct engine_flow *flow, int *out)
{
	const struct socket_place *place = &backs->options.place;
	const int family = addr_is_v4(&flow->tuple.local.addr) ? AF_INET : AF_INET6;
	int fd = socket(family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, IPPROTO_TCP);
	const char *step = "socket";
	int err = fd < 0 ? -errno : 0;

	if (!err)
		step = "bind", err = bind_with_iss(fd, flow, place);
	if (!err)
		step = "options", err = configure(fd, &backs->options);
	if (!err)
		step = "table", err = add_back(backs, flow);
	if (!err)
		step = "connect", err = connect_to(fd, &flow->tuple.remote, place->scope_id);
	if (!err) {
		*out = fd;
		return 0;
	}
	log_debug("connect back: %s: %s", step, strerror(-err));
	kern_back_remove(backs->options.kern, &flow->tuple);
	if (fd >= 0)
		close(fd);
	return err;
}

static int begin(struct socket_maker *maker, struct engine_flow *flow, bool has_time_wait)
{
	struct connect_back *backs = from_maker(maker);
	struct making *making = calloc(1, sizeof(*making));
	int err;

	if (!making)
		return -ENOMEM;
	/* connect() over a TIME-WAIT socket would choose another ISS. */
	if (has_time_wait)
		sock_diag_end_time_wait(&flow->tuple, backs->options.place.scope_id);
	flow->iss = flow->iss ?: 1; /* 0 would leave the choice to connect() */
	err = open_socket(backs, flow, &making->fd);
	if (err) {
		free(making);
		return err;
	}
	making->tuple = flow->tuple;
	link_making(backs, making);
	flow->making = making;
	return 0;
}

static void refresh(struct socket_maker *maker, struct engine_flow *flow)
{
	struct nol_back back;

	if (kern_back_get(from_maker(maker)->options.kern, &flow->tuple, &back) || !back.sent_ns)
		return;
	flow->has_wscale = flow->has_wscale && back.local_offers & NOL_OFFER_WSCALE;
	flow->has_sack = flow->has_sack && back.local_offers & NOL_OFFER_SACK;
	flow->has_timestamps = flow->has_timestamps && back.local_offers & NOL_OFFER_TIMESTAMPS;
	flow->local_window = back.local_window;
	flow->local_wscale = flow->has_wscale ? back.local_wscale : 0;
	flow->remote_wscale = flow->has_wscale ? flow->remote_wscale : 0;
	flow->sent_ns = back.sent_ns;
	flow->ts_offset = back.first_tsval - nol_clock_ms(flow->created_ns);
	flow->tsval_ns = flow->created_ns + (back.last_tsval - back.first_tsval) * CLOCK_NS_PER_MS;
}

/* The socket sends the first SYN-ACK and those that time asks for; a repeated SYN is answered by the engine. */
static bool amend(struct socket_maker *maker, struct engine_action *action)
{
	struct tcp_options *options = &action->reply.options;
	struct nol_back back;

	if (action->event == ENGINE_EVENT_SYN || action->reason == ENGINE_REASON_TIMEOUT)
		return false;
	if (!action->flow ||
	    kern_back_get(from_maker(maker)->options.kern, &action->flow->tuple, &back))
		return true;
	if (!back.sent_ns) /* its neighbour is still being looked for: the options are not known */
		return !(action->reply.flags & TCP_SYN);
	/* One that the socket has sent, or it would not know it when it comes back. */
	if (options->has_timestamps)
		options->tsval = back.last_tsval;
	if (options->has_mss)
		options->mss = back.local_mss;
	return true;
}

static struct segment syn_ack_of(const struct engine_flow *flow)
{
	return (struct segment){
		.tuple = {.local = flow->tuple.remote, .remote = flow->tuple.local},
		.seq = flow->irs,
		.ack = flow->iss + 1,
		.flags = TCP_SYN | TCP_ACK,
		.window = flow->remote_window > UINT16_MAX ? UINT16_MAX
							   : (uint16_t)flow->remote_window,
		.options =
			{
				.has_mss = true,
				.mss = flow->remote_mss,
				.has_sack_permitted = flow->has_sack,
				.has_wscale = flow->has_wscale,
				.wscale = flow->remote_wscale,
				.has_timestamps = flow->has_timestamps,
				.tsval = flow->ts_recent,
				.tsecr = engine_tsval(flow, flow->tsval_ns),
			},
	};
}

/* The SYN-ACK for the socket, where the programs have not made it of the segment that completed the handshake. */
static int inject(struct connect_back *backs, const struct engine_flow *flow,
		  const struct held_packet *packet)
{
	const struct segment syn_ack = syn_ack_of(flow);
	uint8_t frame[LINK_HEADER_MAX + SYN_ACK_MAX];
	struct held_packet whole = *packet;
	size_t len;

	if (packet->l3_offset > LINK_HEADER_MAX)
		return -EMSGSIZE;
	memcpy(frame, packet->frame, packet->l3_offset);
	len = segment_build(&syn_ack, frame + packet->l3_offset, SYN_ACK_MAX);
	whole.frame = frame;
	whole.frame_len = packet->l3_offset + (uint32_t)len;
	whole.l4_offset = packet->l3_offset + (addr_is_v4(&flow->tuple.local.addr) ? 20 : 40);
	whole.is_whole = true;
	return backs->options.wire->ops->replay(backs->options.wire, &whole);
}

/* Has it data or a FIN for the socket? A bare ACK that became a SYN-ACK, here or there, has said all. */
static bool needs_replay(const struct held_packet *packet)
{
	struct segment segment;

	if (packet->is_turned ||
	    segment_parse(packet->frame + packet->l3_offset, packet->frame_len - packet->l3_offset,
			  &segment) != SEGMENT_OK)
		return false;
	return segment.payload_len || segment.flags & TCP_FIN;
}

static int complete(struct socket_maker *maker, struct engine_flow *flow,
		    const struct held_packet *packet)
{
	int err = packet->is_turned ? 0 : inject(from_maker(maker), flow, packet);

	flow->making->is_complete = true;
	/* The SYN-ACK may have left, and the ACK come, since the round began. */
	flow->established_ns = packet->held_ns;
	return err ?: needs_replay(packet);
}

/* The stack may be a moment behind. */
static int result_of(int fd)
{
	struct pollfd poller = {.fd = fd, .events = POLLOUT};
	int err = 0;
	socklen_t len = sizeof(err);

	if (fd < 0)
		return -ECONNABORTED; /* forget_half_open() */
	if (poll(&poller, 1, 0) < 1)
		return -EINPROGRESS;
	if (!(poller.revents & (POLLERR | POLLHUP)))
		return 0;
	getsockopt(fd, SOL_SOCKET, SO_ERROR, &err, &len);
	/* Connected and reset meanwhile: the service is to see it. */
	return err == ECONNRESET || !err ? 0 : -err;
}

/* A link-local address has no meaning without its interface. The call has to be made: it takes the socket's lock. */
static void free_from_interface(struct socket_maker *maker, const struct engine_flow *flow, int fd)
{
	const bool is_free = !addr_is_link_local(&flow->tuple.remote.addr);

	set_int(fd, SOL_SOCKET, SO_BINDTOIFINDEX,
		is_free ? 0 : (int)from_maker(maker)->options.place.scope_id);
}

/* Connected, it becomes an ordinary socket. */
static int take(struct socket_maker *maker, struct engine_flow *flow, uint64_t now_ns, int *fd)
{
	struct making *making = flow->making;
	int err = result_of(making->fd);

	(void)now_ns;
	if (!err || err == -EINPROGRESS)
		*fd = making->fd;
	if (err == -EINPROGRESS)
		return err;
	if (!err)
		free_from_interface(maker, flow, making->fd);
	/* At the start the kernel took them; what fails now is for the socket to tell. */
	if (!err)
		sockopts_apply(making->fd, from_maker(maker)->options.place.sockopts,
			       SOCKOPTS_CONNECTED, NULL);
	if (!err)
		making->fd = -1;
	forget(maker, flow);
	return err;
}

static const struct socket_maker_ops ops = {
	.begin = begin,
	.refresh = refresh,
	.amend = amend,
	.forget = forget,
	.forget_half_open = forget_half_open,
	.complete = complete,
	.take = take,
	.free = free_backs,
};

int connect_back_new(struct socket_maker **out, const struct connect_back_options *options)
{
	struct connect_back *backs = calloc(1, sizeof(*backs));

	if (!backs)
		return -ENOMEM;
	backs->maker.ops = &ops;
	backs->options = *options;
	*out = &backs->maker;
	return 0;
}
