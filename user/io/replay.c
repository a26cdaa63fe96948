/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* A batch of slices, and the packet socket or, on lo, the raw sockets that send it. */
#include "replay.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "log.h"
#include "slice.h"

#define BATCH 16
#define SLICE_MAX 9216 /* a jumbo frame; a larger MTU (lo) is cut here */

struct replay {
	struct replay_options options;
	int fd; /* AF_PACKET; on lo: raw IPv4 */
	int v6_fd; /* on lo: raw IPv6; else -1 */
	unsigned int count;
	struct sockaddr_storage address;
	socklen_t address_len;
	struct mmsghdr messages[BATCH];
	struct iovec vectors[BATCH];
	uint8_t frames[BATCH][ETH_HLEN + SLICE_MAX];
};

static int set_mark(int fd, uint32_t mark)
{
	return setsockopt(fd, SOL_SOCKET, SO_MARK, &mark, sizeof(mark)) ? -errno : 0;
}

static int open_marked(int family, int protocol)
{
	int fd = socket(family, SOCK_RAW | SOCK_CLOEXEC, protocol);
	int err = fd < 0 ? -errno : set_mark(fd, NOL_MARK_REPLAY);

	if (!err)
		return fd;
	if (fd >= 0)
		close(fd);
	return err;
}

int replay_new(struct replay **out, const struct replay_options *options)
{
	struct replay *replay = calloc(1, sizeof(*replay));
	int err;

	if (!replay)
		return -ENOMEM;
	replay->options = *options;
	replay->v6_fd = -1;
	if (options->is_loopback) {
		replay->fd = open_marked(AF_INET, IPPROTO_RAW);
		replay->v6_fd = open_marked(AF_INET6, IPPROTO_RAW); /* a host may have no IPv6 */
	} else {
		replay->fd =
			open_marked(AF_PACKET, 0); /* protocol 0: sends, and receives nothing */
	}
	err = replay->fd < 0 ? replay->fd : 0;
	if (err) {
		log_error("cannot open a socket for replay: %s", strerror(-err));
		replay_free(replay);
		return err;
	}
	*out = replay;
	return 0;
}

void replay_free(struct replay *replay)
{
	if (!replay)
		return;
	if (replay->fd >= 0)
		close(replay->fd);
	if (replay->v6_fd >= 0)
		close(replay->v6_fd);
	free(replay);
}

void replay_set_mtu(struct replay *replay, uint32_t mtu)
{
	replay->options.mtu = mtu;
}

static int flush_slices(struct replay *replay)
{
	const bool is_raw_v6 = replay->address.ss_family == AF_INET6;
	const int fd = is_raw_v6 ? replay->v6_fd : replay->fd;
	unsigned int next = 0;
	int err = 0;
	int sent;

	while (next < replay->count) {
		sent = sendmmsg(fd, &replay->messages[next], replay->count - next, 0);
		if (sent > 0) {
			next += sent;
			continue;
		}
		if (errno == EINTR)
			continue;
		err = -errno;
		next++;
	}
	replay->count = 0;
	return err;
}

static bool has_link_header(const struct replay *replay)
{
	return replay->options.has_link_header && !replay->options.is_loopback;
}

/* Room for the next slice, behind its link header. */
static uint8_t *next_slice(struct replay *replay)
{
	return replay->frames[replay->count] + (has_link_header(replay) ? ETH_HLEN : 0);
}

/* Where all slices of a packet go: out of the interface, or on lo to the local address. */
static void set_address(struct replay *replay, const uint8_t *ip)
{
	const bool is_v6 = ip[0] >> 4 == 6;
	const struct endpoint local = {.addr = is_v6 ? addr_from_v6(ip + 24)
						     : addr_from_v4(ip + 16)};
	const struct sockaddr_ll link = {
		.sll_family = AF_PACKET,
		.sll_ifindex = replay->options.ifindex,
		.sll_protocol = htons(is_v6 ? ETH_P_IPV6 : ETH_P_IP),
	};

	if (replay->options.is_loopback) {
		replay->address_len =
			endpoint_to_sockaddr(&local, replay->options.ifindex, &replay->address);
		return;
	}
	memcpy(&replay->address, &link, sizeof(link));
	replay->address_len = sizeof(link);
}

static void queue_slice(struct replay *replay, const struct held_packet *packet, size_t len)
{
	const bool is_v6 = next_slice(replay)[0] >> 4 == 6;
	const uint16_t protocol = htons(is_v6 ? ETH_P_IPV6 : ETH_P_IP);
	uint8_t *frame = replay->frames[replay->count];
	unsigned int i = replay->count++;

	if (has_link_header(replay)) {
		/* Addresses as they came; a VLAN tag 0 is not needed any more. */
		memcpy(frame, packet->frame, 2 * ETH_ALEN);
		memcpy(frame + 2 * ETH_ALEN, &protocol, sizeof(protocol));
		len += ETH_HLEN;
	}
	replay->vectors[i] = (struct iovec){.iov_base = frame, .iov_len = len};
	replay->messages[i].msg_hdr = (struct msghdr){
		.msg_name = &replay->address,
		.msg_namelen = replay->address_len,
		.msg_iov = &replay->vectors[i],
		.msg_iovlen = 1,
	};
}

int replay_answer(struct replay *replay, const void *frame, size_t len)
{
	const size_t l3_offset = has_link_header(replay) ? ETH_HLEN : 0;
	int err = replay->options.is_loopback || len <= l3_offset ? -EOPNOTSUPP : 0;

	if (!err)
		err = set_mark(replay->fd, NOL_MARK);
	if (err)
		return err;
	set_address(replay, (const uint8_t *)frame + l3_offset);
	if (sendto(replay->fd, frame, len, 0, (struct sockaddr *)&replay->address,
		   replay->address_len) < 0)
		err = -errno;
	return set_mark(replay->fd, NOL_MARK_REPLAY) ?: err;
}

int replay_packet(struct replay *replay, const struct held_packet *packet)
{
	const size_t mtu = replay->options.mtu < SLICE_MAX ? replay->options.mtu : SLICE_MAX;
	struct slicer slicer;
	int first_err = 0;
	size_t len;
	int err;

	if (!packet->is_whole || packet->l3_offset > packet->frame_len)
		return -EMSGSIZE;
	err = slicer_init(&slicer, packet->frame + packet->l3_offset,
			  packet->frame_len - packet->l3_offset, mtu, replay->options.tag);
	if (err)
		return err;
	set_address(replay, packet->frame + packet->l3_offset);
	while ((len = slicer_next(&slicer, next_slice(replay), SLICE_MAX))) {
		queue_slice(replay, packet, len);
		if (replay->count == BATCH)
			first_err = flush_slices(replay) ?: first_err;
	}
	return flush_slices(replay) ?: first_err;
}
