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

/* The control message that names the local address, for routing alone: by the header that we send it does not go. */
union source {
	struct cmsghdr header;
	uint8_t v4[CMSG_SPACE(sizeof(struct in_pktinfo))];
	uint8_t v6[CMSG_SPACE(sizeof(struct in6_pktinfo))];
};

struct batch {
	int fd;
	unsigned int count;
	struct mmsghdr messages[BATCH];
	struct iovec vectors[BATCH];
	struct sockaddr_storage addresses[BATCH];
	union source sources[BATCH];
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

/* Addresses that are only routed to this host are no interface's. On IPv4 every raw socket may send from them. */
static void allow_any_source(int v6_fd)
{
	const int on = 1;

	if (v6_fd >= 0)
		setsockopt(v6_fd, IPPROTO_IPV6, IPV6_FREEBIND, &on, sizeof(on));
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
	allow_any_source(sender->v6.fd);
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

int raw_send_bind(struct raw_send *sender, uint32_t ifindex)
{
	const int fds[] = {sender->v4.fd, sender->v6.fd};
	const int device = (int)ifindex;

	for (unsigned int i = 0; i < 2; i++) {
		if (fds[i] >= 0 &&
		    setsockopt(fds[i], SOL_SOCKET, SO_BINDTOIFINDEX, &device, sizeof(device)))
			return -errno;
	}
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

static size_t fill_source_v4(union source *source, const struct addr *local)
{
	struct in_pktinfo *info = (struct in_pktinfo *)CMSG_DATA(&source->header);

	source->header.cmsg_level = IPPROTO_IP;
	source->header.cmsg_type = IP_PKTINFO;
	source->header.cmsg_len = CMSG_LEN(sizeof(*info));
	*info = (struct in_pktinfo){0};
	memcpy(&info->ipi_spec_dst, local->bytes + 12, 4);
	return sizeof(source->v4);
}

static size_t fill_source_v6(union source *source, const struct addr *local, uint32_t scope_id)
{
	struct in6_pktinfo *info = (struct in6_pktinfo *)CMSG_DATA(&source->header);

	source->header.cmsg_level = IPPROTO_IPV6;
	source->header.cmsg_type = IPV6_PKTINFO;
	source->header.cmsg_len = CMSG_LEN(sizeof(*info));
	*info = (struct in6_pktinfo){0};
	memcpy(&info->ipi6_addr, local->bytes, 16);
	if (IN6_IS_ADDR_LINKLOCAL(&info->ipi6_addr))
		info->ipi6_ifindex = scope_id;
	return sizeof(source->v6);
}

/* Rules for routing may look at the source, as they do for a socket that is bound to it. */
static void set_source(struct raw_send *sender, struct batch *batch, unsigned int i,
		       const struct addr *local)
{
	union source *source = &batch->sources[i];
	struct msghdr *message = &batch->messages[i].msg_hdr;

	message->msg_control = source;
	message->msg_controllen = addr_is_v4(local)
					  ? fill_source_v4(source, local)
					  : fill_source_v6(source, local, sender->scope_id);
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
	set_source(sender, batch, i, &segment->tuple.local.addr);
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
