/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* A server of the kind that nolisten exists for: it answers SYNs through a raw socket, after the kernel has. */
#include <arpa/inet.h>
#include <errno.h>
#include <sys/time.h>
#include <unistd.h>

#include "actor.h"
#include "demo_lab.h"
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

/* Wait for a SYN to our port. */
static int take_syn(int fd, struct segment *syn)
{
	uint8_t packet[2048];
	ssize_t len;

	while ((len = recv(fd, packet, sizeof(packet), 0)) > 0) {
		if (segment_parse(packet, (size_t)len, syn) != SEGMENT_OK)
			continue;
		if (syn->tuple.local.port == ACTOR_SERVER_PORT && syn->flags == TCP_SYN)
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

	inet_pton(AF_INET, DEMO_CLIENT, &to.sin_addr);
	if (sendto(fd, packet, len, 0, (struct sockaddr *)&to, sizeof(to)) < 0)
		return errno;
	return 0;
}

int actor_answer_raw(uint16_t port, int cue)
{
	struct segment syn;
	int in, out, err;

	(void)port;
	err = open_raw(IPPROTO_TCP, &in);
	if (!err)
		err = open_raw(IPPROTO_RAW, &out);
	if (!err && write(cue, "", 1) != 1)
		err = errno;
	if (!err)
		err = take_syn(in, &syn);
	return err ? err : send_syn_ack(out, &syn);
}
