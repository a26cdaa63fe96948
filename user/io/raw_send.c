/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Raw IP sockets, one a family, and a batch of built packets. */
#include "raw_send.h"

#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "log.h"

#define BATCH 64
#define PACKET_MAX 128 /* IPv6 and TCP headers with all options; we never send payload */

struct batch {
	int fd;
	unsigned int count;
	struct mmsghdr messages[BATCH];
	struct iovec vectors[BATCH];
	struct sockaddr_storage addresses[BATCH];
	uint8_t packets[BATCH][PACKET_MAX];
};

struct raw_send {
	uint32_t scope_id;
	uint64_t failures;
	struct batch v4, v6;
};

static int open_raw(int family, uint32_t mark)
{
	int fd = socket(family, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, IPPROTO_RAW);
	int err;

	if (fd < 0)
		return -errno;
	if (setsockopt(fd, SOL_SOCKET, SO_MARK, &mark, sizeof(mark))) {
		err = -errno;
		close(fd);
		return err;
	}
	return fd;
}

int raw_send_new(struct raw_send **out, uint32_t scope_id, uint32_t mark)
{
	struct raw_send *sender = calloc(1, sizeof(*sender));
	int err = 0;

	if (!sender)
		return -ENOMEM;
	sender->scope_id = scope_id;
	sender->v4.fd = open_raw(AF_INET, mark);
	sender->v6.fd = open_raw(AF_INET6, mark);
	if (sender->v4.fd < 0)
		err = sender->v4.fd;
	else if (sender->v6.fd < 0 && sender->v6.fd != -EAFNOSUPPORT)
		err = sender->v6.fd;
	if (err) {
		log_error("cannot open a raw socket: %s", strerror(-err));
		raw_send_free(sender);
		return err;
	}
	*out = sender;
	return 0;
}

void raw_send_free(struct raw_send *sender)
{
	if (!sender)
		return;
	if (sender->v4.fd >= 0)
		close(sender->v4.fd);
	if (sender->v6.fd >= 0)
		close(sender->v6.fd);
	free(sender);
}

int raw_send_queue(struct raw_send *sender, const struct segment *segment)
{
	struct batch *batch = addr_is_v4(&segment->tuple.remote.addr) ? &sender->v4 : &sender->v6;
	struct endpoint to = {.addr = segment->tuple.remote.addr}; /* raw IPv6 wants port 0 */
	unsigned int i;
	size_t len;

	if (batch->fd < 0)
		return batch->fd;
	if (batch->count == BATCH)
		raw_send_flush(sender);
	i = batch->count;
	len = segment_build(segment, batch->packets[i], PACKET_MAX);
	if (!len)
		return -EMSGSIZE;
	batch->vectors[i] = (struct iovec){.iov_base = batch->packets[i], .iov_len = len};
	batch->messages[i].msg_hdr = (struct msghdr){
		.msg_name = &batch->addresses[i],
		.msg_namelen = endpoint_to_sockaddr(&to, sender->scope_id, &batch->addresses[i]),
		.msg_iov = &batch->vectors[i],
		.msg_iovlen = 1,
	};
	batch->count++;
	return 0;
}

/* sendmmsg() stops at the first message that fails: step over it, the others must leave. */
static int flush_batch(struct raw_send *sender, struct batch *batch)
{
	unsigned int next = 0;
	int err = 0;
	int sent;

	while (next < batch->count) {
		sent = sendmmsg(batch->fd, &batch->messages[next], batch->count - next, 0);
		if (sent > 0) {
			next += sent;
			continue;
		}
		if (errno == EINTR)
			continue;
		err = -errno;
		sender->failures++;
		next++;
	}
	batch->count = 0;
	return err;
}

int raw_send_flush(struct raw_send *sender)
{
	int err = 0;

	if (sender->v4.count)
		err = flush_batch(sender, &sender->v4);
	if (sender->v6.count)
		err = flush_batch(sender, &sender->v6) ?: err;
	return err;
}

uint64_t raw_send_failures(const struct raw_send *sender)
{
	return sender->failures;
}
