/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* A server of the kind that nolisten exists for: it answers SYNs through a raw socket, after the kernel has. */
#include <arpa/inet.h>
#include <errno.h>
#include <sys/time.h>
#include <unistd.h>

#include "explain_actor.h"
#include "segment.h"

#define WAIT_S 5
#define ISS 1000

static int open_raw(int protocol, int *fd)
{
	const struct timeval patience = {.tv_sec = WAIT_S};

	*fd = socket(AF_INET, SOCK_RAW | SOCK_CLOEXEC, protocol);
	if (*fd < 0)
		return errno;
	setsockopt(*fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
	return 0;
}

/* Wait for a segment to our port with these flags and no others. */
static int take(int fd, uint8_t flags, struct segment *segment)
{
	uint8_t packet[2048];
	ssize_t len;

	while ((len = recv(fd, packet, sizeof(packet), 0)) > 0) {
		if (segment_parse(packet, (size_t)len, segment) != SEGMENT_OK)
			continue;
		if (segment->tuple.local.port == ACTOR_SERVER_PORT && segment->flags == flags)
			return 0;
	}
	return len < 0 ? errno : EPROTO;
}

static int send_syn_ack(int fd, const struct segment *syn)
{
	struct sockaddr_in to = {.sin_family = AF_INET};
	struct segment answer = {
		.tuple = syn->tuple,
		.seq = ISS,
		.ack = syn->seq + 1,
		.flags = TCP_SYN | TCP_ACK,
		.window = 64240,
	};
	uint8_t packet[128];
	const size_t len = segment_build(&answer, packet, sizeof(packet));

	inet_pton(AF_INET, LAB_CLIENT, &to.sin_addr);
	if (sendto(fd, packet, len, 0, (struct sockaddr *)&to, sizeof(to)) < 0)
		return errno;
	return 0;
}

int actor_answer_raw(uint16_t port, int cue)
{
	struct segment syn, rst;
	int in, out, err;

	(void)port;
	err = open_raw(IPPROTO_TCP, &in);
	if (!err)
		err = open_raw(IPPROTO_RAW, &out);
	if (!err && write(cue, "", 1) != 1)
		err = errno;
	if (!err)
		err = take(in, TCP_SYN, &syn);
	if (!err)
		err = send_syn_ack(out, &syn);
	/* The client, refused already, is too. */
	return err ? err : take(in, TCP_RST, &rst);
}
