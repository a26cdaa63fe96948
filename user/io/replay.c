/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The packet socket and its batch of slices. */
#include "replay.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
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
	int fd;
	unsigned int count;
	struct sockaddr_ll address;
	struct mmsghdr messages[BATCH];
	struct iovec vectors[BATCH];
	uint8_t frames[BATCH][ETH_HLEN + SLICE_MAX];
};

int replay_new(struct replay **out, const struct replay_options *options)
{
	struct replay *replay = calloc(1, sizeof(*replay));
	const uint32_t mark = NOL_MARK_REPLAY;
	int err = 0;

	if (!replay)
		return -ENOMEM;
	replay->options = *options;
	/* Protocol 0: sends, and receives nothing. */
	replay->fd = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0);
	if (replay->fd < 0 || setsockopt(replay->fd, SOL_SOCKET, SO_MARK, &mark, sizeof(mark))) {
		err = -errno;
		log_error("cannot open a packet socket: %s", strerror(-err));
		replay_free(replay);
		return err;
	}
	replay->address = (struct sockaddr_ll){
		.sll_family = AF_PACKET,
		.sll_ifindex = options->ifindex,
	};
	*out = replay;
	return 0;
}

void replay_free(struct replay *replay)
{
	if (!replay)
		return;
	if (replay->fd >= 0)
		close(replay->fd);
	free(replay);
}

void replay_set_mtu(struct replay *replay, uint32_t mtu)
{
	replay->options.mtu = mtu;
}

static int flush_slices(struct replay *replay)
{
	unsigned int next = 0;
	int err = 0;
	int sent;

	while (next < replay->count) {
		sent = sendmmsg(replay->fd, &replay->messages[next], replay->count - next, 0);
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

/* Room for the next slice, behind its link header. */
static uint8_t *next_slice(struct replay *replay)
{
	return replay->frames[replay->count] + (replay->options.has_link_header ? ETH_HLEN : 0);
}

static void queue_slice(struct replay *replay, const struct held_packet *packet, size_t len)
{
	const bool is_v6 = next_slice(replay)[0] >> 4 == 6;
	const uint16_t protocol = htons(is_v6 ? ETH_P_IPV6 : ETH_P_IP);
	uint8_t *frame = replay->frames[replay->count];
	unsigned int i = replay->count++;

	if (replay->options.has_link_header) {
		/* Addresses as they came; a VLAN tag 0 is not needed any more. */
		memcpy(frame, packet->frame, 2 * ETH_ALEN);
		memcpy(frame + 2 * ETH_ALEN, &protocol, sizeof(protocol));
		len += ETH_HLEN;
	}
	replay->address.sll_protocol = protocol;
	replay->vectors[i] = (struct iovec){.iov_base = frame, .iov_len = len};
	replay->messages[i].msg_hdr = (struct msghdr){
		.msg_name = &replay->address,
		.msg_namelen = sizeof(replay->address),
		.msg_iov = &replay->vectors[i],
		.msg_iovlen = 1,
	};
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
	while ((len = slicer_next(&slicer, next_slice(replay), SLICE_MAX))) {
		queue_slice(replay, packet, len);
		if (replay->count == BATCH)
			first_err = flush_slices(replay) ?: first_err;
	}
	return flush_slices(replay) ?: first_err;
}
