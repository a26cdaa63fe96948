/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* A socket maker that fails where it is told to. Its sockets are ends of socket pairs. */
#ifndef NOLISTEN_TESTS_SESSION_MAKER_H
#define NOLISTEN_TESTS_SESSION_MAKER_H

#include "session_io.h"

#define MS(number) ((number)*CLOCK_NS_PER_MS)

/* What a maker keeps for a half-open flow. */
struct making {
	struct making *next;
	struct tuple tuple;
	bool is_complete;
};

struct fake_maker {
	struct socket_maker maker;
	int begin_err, complete_result; /* of every call */
	int take_err; /* 0: there is a socket */
	bool is_mute; /* amend(): the socket sends it */
	bool has_no_sack; /* refresh(): the kernel's SYN-ACK did not offer it */
	bool gives_reset_sockets; /* the remote's RST came before the hand-off */
	bool is_late; /* the handshake is complete only after the round began */
	int pending_fd; /* of -EINPROGRESS */
	struct making *first;
	int ends[32], end_count; /* the other ends of the sockets */
};

static inline struct fake_maker *from_maker(struct socket_maker *maker)
{
	return container_of(maker, struct fake_maker, maker);
}

static inline void free_fake_making(struct fake_maker *fake, struct making *making)
{
	struct making **link = &fake->first;

	while (*link != making)
		link = &(*link)->next;
	*link = making->next;
	free(making);
}

static inline void forget_fake_socket(struct socket_maker *maker, struct engine_flow *flow)
{
	if (!flow->making)
		return;
	note(&flow->tuple, "forget_socket");
	free_fake_making(from_maker(maker), flow->making);
	flow->making = NULL;
}

static inline void forget_fake_half_open(struct socket_maker *maker)
{
	for (struct making *making = from_maker(maker)->first; making; making = making->next) {
		if (!making->is_complete)
			note(&making->tuple, "forget_half_open");
	}
}

static inline int begin_fake_socket(struct socket_maker *maker, struct engine_flow *flow,
				    bool has_time_wait)
{
	struct fake_maker *fake = from_maker(maker);

	note(&flow->tuple, "begin%s", has_time_wait ? " over TIME-WAIT" : "");
	if (fake->begin_err)
		return fake->begin_err;
	flow->making = malloc(sizeof(*flow->making));
	assert_non_null(flow->making);
	*flow->making = (struct making){.next = fake->first, .tuple = flow->tuple};
	fake->first = flow->making;
	return 0;
}

static inline void refresh_fake_socket(struct socket_maker *maker, struct engine_flow *flow)
{
	if (from_maker(maker)->has_no_sack)
		flow->has_sack = false;
}

static inline bool amend_fake_reply(struct socket_maker *maker, struct engine_action *action)
{
	action->reply.options.mss = 1234;
	return !from_maker(maker)->is_mute;
}

static inline int complete_fake_socket(struct socket_maker *maker, struct engine_flow *flow,
				       const struct held_packet *packet)
{
	note(&flow->tuple, "complete");
	flow->making->is_complete = true;
	flow->established_ns = packet->held_ns + from_maker(maker)->is_late * MS(1);
	return from_maker(maker)->complete_result;
}

static inline int make_fake_socket(struct fake_maker *fake)
{
	int pair[2];

	if (fake->gives_reset_sockets)
		return socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, pair),
			 0);
	assert_true(fake->end_count < (int)(sizeof(fake->ends) / sizeof(fake->ends[0])));
	fake->ends[fake->end_count++] = pair[1];
	return pair[0];
}

static inline int take_fake_socket(struct socket_maker *maker, struct engine_flow *flow,
				   uint64_t now_ns, int *fd)
{
	struct fake_maker *fake = from_maker(maker);
	const int err = fake->take_err;

	assert_int_equal(now_ns, clock_ns);
	note(&flow->tuple, "take%s%s", err ? ": " : "", err ? strerrorname_np(-err) : "");
	if (err == -EINPROGRESS) {
		*fd = fake->pending_fd;
		return err;
	}
	if (flow->making)
		free_fake_making(fake, flow->making);
	flow->making = NULL;
	if (!err)
		*fd = make_fake_socket(fake);
	return err;
}

/* One that makes the socket at the end, as repair does. */
static const struct socket_maker_ops late_maker_ops = {.take = take_fake_socket};
/* One that takes part in the handshake, as connect_back does. */
static const struct socket_maker_ops early_maker_ops = {
	.begin = begin_fake_socket,
	.refresh = refresh_fake_socket,
	.amend = amend_fake_reply,
	.forget = forget_fake_socket,
	.forget_half_open = forget_fake_half_open,
	.complete = complete_fake_socket,
	.take = take_fake_socket,
};

static inline void open_fake_maker(struct fake_maker *fake)
{
	fake->maker.ops = &late_maker_ops;
	fake->pending_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	assert_true(fake->pending_fd >= 0);
}

static inline void close_fake_maker(struct fake_maker *fake)
{
	while (fake->first)
		free_fake_making(fake, fake->first);
	for (int i = 0; i < fake->end_count; i++)
		close(fake->ends[i]);
	close(fake->pending_fd);
}

#endif
