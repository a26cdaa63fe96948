/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Two raw sockets. A flood of ICMP is kept from them as far as types and protocols tell, in the kernel; of what is left a
 * buffer is taken at a time, a batch a round of the loop, and the rest is dropped there.
 */
#include "icmp_socket.h"

#include <errno.h>
#include <linux/filter.h>
#include <netinet/icmp6.h>
#include <netinet/in.h>
#include <netinet/ip_icmp.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#define BATCH 64
#define PACKET_SIZE \
	2048 /* an error is no longer than 576 or 1280 bytes (RFC 1812, 4.3.2.3; RFC 4443, 2.4) */
#define BUFFER_SIZE 65536

struct icmp_socket {
	struct icmp_sockets *sockets;
	bool (*parse)(const uint8_t *packet, size_t len, struct icmp_error *out);
	int fd; /* -1: none */
	struct loop_source *source;
};

struct icmp_sockets {
	icmp_error_fn fn;
	void *context;
	struct icmp_socket v4, v6;
};

#define ACCEPT 0xffff

/* The IP header comes first. Which codes matter is icmp_error_parse_v4()'s, and then the caller's, to say. */
static struct sock_filter filter_v4[] = {
	BPF_STMT(BPF_LDX | BPF_B | BPF_MSH, 0),
	BPF_STMT(BPF_LD | BPF_B | BPF_IND, 0),
	BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, ICMP_DEST_UNREACH, 2, 0),
	BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, ICMP_TIME_EXCEEDED, 1, 0),
	BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, ICMP_PARAMETERPROB, 0, 3),
	BPF_STMT(BPF_LD | BPF_B | BPF_IND, 8 + 9),
	BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, IPPROTO_TCP, 0, 1),
	BPF_STMT(BPF_RET | BPF_K, ACCEPT),
	BPF_STMT(BPF_RET | BPF_K, 0),
};

static struct sock_filter filter_v6[] = {
	BPF_STMT(BPF_LD | BPF_B | BPF_ABS, 0),
	BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, ICMP6_DST_UNREACH, 2, 0),
	BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, ICMP6_TIME_EXCEEDED, 1, 0),
	BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, ICMP6_PARAM_PROB, 0, 3),
	BPF_STMT(BPF_LD | BPF_B | BPF_ABS, 8 + 6),
	BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, IPPROTO_TCP, 0, 1),
	BPF_STMT(BPF_RET | BPF_K, ACCEPT),
	BPF_STMT(BPF_RET | BPF_K, 0),
};

#define LEN(array) (sizeof(array) / sizeof((array)[0]))

static void read_errors(void *context, uint32_t events)
{
	struct icmp_socket *socket = context;
	struct icmp_sockets *sockets = socket->sockets;
	uint8_t packet[PACKET_SIZE];
	struct endpoint from = {0};
	struct icmp_error error;

	(void)events;
	for (int i = 0; i < BATCH; i++) {
		struct sockaddr_storage name;
		socklen_t name_len = sizeof(name);
		ssize_t len = recvfrom(socket->fd, packet, sizeof(packet), MSG_TRUNC,
				       (struct sockaddr *)&name, &name_len);

		if (len < 0 && errno != EINTR)
			return;
		if (len <= 0 || (size_t)len > sizeof(packet) ||
		    !socket->parse(packet, (size_t)len, &error))
			continue;
		if (endpoint_from_sockaddr((struct sockaddr *)&name, &from))
			error.from = from.addr;
		sockets->fn(sockets->context, &error);
	}
}

static int open_socket(struct icmp_socket *out, struct loop *loop, int family, int protocol,
		       const struct sock_fprog *program)
{
	const int size = BUFFER_SIZE;

	out->fd = socket(family, SOCK_RAW | SOCK_NONBLOCK | SOCK_CLOEXEC, protocol);
	if (out->fd < 0)
		return errno == EAFNOSUPPORT ? 0 : -errno;
	if (setsockopt(out->fd, SOL_SOCKET, SO_ATTACH_FILTER, program, sizeof(*program)) ||
	    setsockopt(out->fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof(size)))
		return -errno;
	return loop_add(loop, out->fd, EPOLLIN, read_errors, out, &out->source);
}

int icmp_sockets_new(struct icmp_sockets **out, struct loop *loop, icmp_error_fn fn, void *context)
{
	const struct sock_fprog v4 = {.len = LEN(filter_v4), .filter = filter_v4};
	const struct sock_fprog v6 = {.len = LEN(filter_v6), .filter = filter_v6};
	struct icmp_sockets *sockets = calloc(1, sizeof(*sockets));
	int err;

	if (!sockets)
		return -ENOMEM;
	sockets->fn = fn;
	sockets->context = context;
	sockets->v4 = (struct icmp_socket){sockets, icmp_error_parse_v4, .fd = -1};
	sockets->v6 = (struct icmp_socket){sockets, icmp_error_parse_v6, .fd = -1};
	err = open_socket(&sockets->v4, loop, AF_INET, IPPROTO_ICMP, &v4);
	if (!err)
		err = open_socket(&sockets->v6, loop, AF_INET6, IPPROTO_ICMPV6, &v6);
	if (err)
		icmp_sockets_free(sockets);
	else
		*out = sockets;
	return err;
}

static void close_socket(struct icmp_socket *socket)
{
	loop_remove(socket->source);
	if (socket->fd >= 0)
		close(socket->fd);
}

void icmp_sockets_free(struct icmp_sockets *sockets)
{
	if (!sockets)
		return;
	close_socket(&sockets->v4);
	close_socket(&sockets->v6);
	free(sockets);
}
