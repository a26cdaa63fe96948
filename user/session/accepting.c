/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Nothing is left to be done for such a connection, so what is told of it is told at once: it is established, and the
 * kernel's. What it takes system calls to tell is asked for only if somebody reads it.
 */
#include "accepting.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "session_private.h"

/* Those of status, stop and the events' readers: whoever floods us must not keep the operator out. */
#define RESERVED_FDS 16

/* As the kernel has it; -1: without timestamps a cookie's child has none. */
static int64_t find_rtt_us(int fd)
{
	struct tcp_info info;
	socklen_t len = sizeof(info);

	if (getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &len) || !info.tcpi_rtt)
		return -1;
	return info.tcpi_rtt;
}

static void tell(struct session *session, const struct accepted *accepted)
{
	struct event event = {
		.kind = EVENT_ESTABLISHED,
		.tuple = &accepted->tuple,
		.created_ns = session->now_ns,
		.method = session->flows->method,
		.rtt_us = find_rtt_us(accepted->fd),
		.handoff_us = -1,
	};

	events_emit(session->options.events, &event);
	event.kind = EVENT_HANDED_OFF;
	event.rtt_us = -1;
	events_emit(session->options.events, &event);
}

static void take_connection(struct session *session, struct accepted *accepted)
{
	const bool has_readers = events_has_readers(session->options.events);
	const struct arrival arrival = {
		.method = session->flows->method,
		.flow_ns = session->now_ns,
	};

	session->stats.established++;
	session->stats.handed_off++;
	/* Where sources are bounded it is known. */
	if (!session->closing && (has_readers || service_wants_local(session->options.service)))
		wire_local_of(accepted->fd, &accepted->tuple.local);
	if (has_readers)
		tell(session, accepted);
	service_take_arrival(session->options.service, accepted->fd, &accepted->tuple, &arrival,
			     false);
}

static void reset(const struct accepted *accepted)
{
	const struct linger at_once = {.l_onoff = 1};

	setsockopt(accepted->fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof(at_once));
	close(accepted->fd);
}

static void refuse(struct session *session, const struct accepted *accepted, int err)
{
	struct tuple tuple = accepted->tuple;

	session->stats.handoff_failed++;
	session->stats.no_descriptors += socket_maker_lacks_descriptors(err);
	wire_local_of(accepted->fd, &tuple.local);
	acting_emit(session, EVENT_RESET, &tuple, session->now_ns,
		    socket_maker_refusal(err, "handoff_failed"));
	reset(accepted);
}

/* Where sources are bounded: may this one have one more? */
static void admit(struct session *session, struct accepted *accepted)
{
	struct flows *flows = session->flows;
	struct nol_flow old;
	int result;

	wire_local_of(accepted->fd, &accepted->tuple.local);
	result = flows->ops->open(flows, &accepted->tuple, session->now_ns, &old);
	if (result == -EDQUOT) {
		session->stats.source_full++;
		reset(accepted);
	} else if (result < 0) {
		refuse(session, accepted, result);
	} else {
		if (result)
			closing_owes(session->closing, &accepted->tuple);
		take_connection(session, accepted);
	}
}

/* It would stay in the queue, and the loop awake: the spare descriptor takes it, and its remote gets a RST. */
static bool refuse_one(struct session *session)
{
	struct wire *wire = session->wire;
	struct accepted accepted;
	int err;

	if (session->spare_fd < 0)
		return false;
	close(session->spare_fd);
	err = wire->ops->accept(wire, &accepted);
	if (!err)
		refuse(session, &accepted, -EMFILE);
	session->spare_fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
	return !err;
}

/* The lowest free number is the one that is given: it tells how many are in use. */
void accepting_reserve(struct session *session)
{
	struct rlimit limit = {.rlim_cur = RLIM_INFINITY};

	getrlimit(RLIMIT_NOFILE, &limit);
	session->reserved_fd =
		limit.rlim_cur > INT_MAX ? INT_MAX : (int)limit.rlim_cur - RESERVED_FDS;
	session->spare_fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
}

int accepting_take(struct session *session, int max)
{
	struct wire *wire = session->wire;
	struct accepted accepted;
	int count;

	for (count = 0; count < max; count++) {
		int err = wire->ops->accept(wire, &accepted);

		if (!err && accepted.fd >= session->reserved_fd)
			refuse(session, &accepted, -EMFILE);
		else if (!err && session->closing)
			admit(session, &accepted);
		else if (!err)
			take_connection(session, &accepted);
		else if (!socket_maker_lacks_descriptors(err) || !refuse_one(session))
			break;
	}
	return count;
}
