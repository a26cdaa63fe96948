/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Options of the socket, and what is in its way. */
#include "meet_socket.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include "log.h"
#include "route.h"
#include "sock_diag.h"
#include "tcp_open.h"

#define TCP_RTO_MAX_MS_OPTION 44 /* TCP_RTO_MAX_MS, from Linux 6.15 on */
#define SYN_INTERVAL_MAX_MS 1000
#define RTO_MAX_MS 120000 /* the kernel's default */
#define SYN_COUNT_MAX 127 /* the most that TCP_SYNCNT takes: our own timer is shorter */

/* What has the 4-tuple already? A TIME-WAIT socket would only make connect() fail for a minute. */
static int clear_tuple(const struct tuple *tuple)
{
	char local[ENDPOINT_TEXT_SIZE], remote[ENDPOINT_TEXT_SIZE];
	uint32_t ifindex = 0;
	uint8_t state;

	/* Only sockets of link-local addresses are bound to an interface; without a route there is none. */
	if (route_find(&tuple->local.addr, &tuple->remote.addr, &ifindex))
		return 0;
	if (sock_diag_find(tuple, ifindex, &state))
		return 0;
	if (state == TCP_TIME_WAIT && !sock_diag_end_time_wait(tuple, ifindex))
		return 0;
	endpoint_format(&tuple->local, local);
	endpoint_format(&tuple->remote, remote);
	log_error("meet: %s and %s are connected already (see ss -tanp)", local, remote);
	return -EALREADY;
}

int meet_socket_open(const struct tuple *tuple, int *fd)
{
	const int count = SYN_COUNT_MAX, interval_ms = SYN_INTERVAL_MAX_MS;
	int result = clear_tuple(tuple);

	if (result)
		return result;
	result = tcp_open(&tuple->local);
	if (result < 0)
		return -EALREADY;
	setsockopt(result, IPPROTO_TCP, TCP_SYNCNT, &count, sizeof(count));
	/* An older kernel sends its SYN at longer and longer intervals, as ever. */
	setsockopt(result, IPPROTO_TCP, TCP_RTO_MAX_MS_OPTION, &interval_ms, sizeof(interval_ms));
	*fd = result;
	return 0;
}

void meet_socket_settle(int fd)
{
	const int max_ms = RTO_MAX_MS;

	setsockopt(fd, IPPROTO_TCP, TCP_RTO_MAX_MS_OPTION, &max_ms, sizeof(max_ms));
}

int meet_socket_make_blocking(int fd)
{
	int flags = fcntl(fd, F_GETFL);

	if (flags < 0 || fcntl(fd, F_SETFL, flags & ~O_NONBLOCK))
		return -errno;
	return 0;
}
