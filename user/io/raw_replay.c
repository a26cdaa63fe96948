// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* One raw socket a family; a slice at a time, since one is the rule. */
#include "raw_replay.h"

#include <errno.h>
#include <linux/types.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <abi/abi.h>

#include "log.h"
#include "segment.h"
#include "slice.h"

#define SLICE_MAX 9216 /* a jumbo frame; a larger MTU (lo) is cut here */

struct raw_replay {
	uint32_t scope_id, mtu;
	int v4_fd, v6_fd;
	uint8_t slice[SLICE_MAX];
};

static int open_raw(int family)
{
	const uint32_t mark = NOL_MARK_REPLAY;
	int fd = socket(family, SOCK_RAW | SOCK_CLOEXEC, IPPROTO_RAW);
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

int raw_replay_new(struct raw_replay **out, uint32_t scope_id, uint32_t mtu)
{
	struct raw_replay *replay = calloc(1, sizeof(*replay));

	if (!replay)
		return -ENOMEM;
	replay->scope_id = scope_id;
	replay->mtu = mtu;
	replay->v4_fd = open_raw(AF_INET);
	replay->v6_fd = open_raw(AF_INET6);
	if (replay->v4_fd < 0 || (replay->v6_fd < 0 && replay->v6_fd != -EAFNOSUPPORT)) {
		int err = replay->v4_fd < 0 ? replay->v4_fd : replay->v6_fd;

		log_error("cannot open a raw socket for replays: %s", strerror(-err));
		raw_replay_free(replay);
		return err;
	}
	*out = replay;
	return 0;
}

void raw_replay_free(struct raw_replay *replay)
{
	if (!replay)
		return;
	if (replay->v4_fd >= 0)
		close(replay->v4_fd);
	if (replay->v6_fd >= 0)
		close(replay->v6_fd);
	free(replay);
}

void raw_replay_set_mtu(struct raw_replay *replay, uint32_t mtu)
{
	replay->mtu = mtu;
}

static int send_slice(const struct raw_replay *replay, const struct tuple *tuple, size_t len)
{
	const struct endpoint to = {.addr = tuple->local.addr}; /* raw IPv6 wants port 0 */
	struct sockaddr_storage address;
	socklen_t address_len = endpoint_to_sockaddr(&to, replay->scope_id, &address);
	int fd = addr_is_v4(&to.addr) ? replay->v4_fd : replay->v6_fd;

	return sendto(fd, replay->slice, len, 0, (struct sockaddr *)&address, address_len) < 0
		       ? -errno
		       : 0;
}

int raw_replay_packet(struct raw_replay *replay, const struct held_packet *packet)
{
	const size_t mtu = replay->mtu < SLICE_MAX ? replay->mtu : SLICE_MAX;
	struct segment segment;
	struct slicer slicer;
	size_t ip_len, len;
	int first_err = 0;
	int err;

	if (!packet->is_whole || packet->l3_offset > packet->frame_len)
		return -EMSGSIZE;
	ip_len = packet->frame_len - packet->l3_offset;
	if (segment_parse(packet->frame + packet->l3_offset, ip_len, &segment))
		return -EINVAL;
	err = slicer_init(&slicer, packet->frame + packet->l3_offset, ip_len, mtu, 0);
	if (err)
		return err;
	while ((len = slicer_next(&slicer, replay->slice, SLICE_MAX))) {
		err = send_slice(replay, &segment.tuple, len);
		first_err = first_err ?: err;
	}
	return first_err;
}
