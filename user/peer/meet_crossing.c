/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* One kept SYN and the way back into the stack. */
#include "meet_crossing.h"

#include <errno.h>
#include <linux/if_ether.h>
#include <net/if.h>
#include <stdlib.h>
#include <string.h>

#include "link_watch.h"
#include "log.h"
#include "replay.h"
#include "segment.h"

struct meet_crossing {
	struct replay *replay;
	struct link_info link;
	struct nol_meet_frame syn;
	bool has_syn, is_released;
};

static int open_replay(struct meet_crossing *crossing, uint32_t ifindex)
{
	struct replay_options options = {.ifindex = ifindex};
	char ifname[IF_NAMESIZE];
	int err;

	if (!if_indextoname(ifindex, ifname))
		return -errno;
	err = link_find(ifname, &crossing->link);
	if (err)
		return err;
	options.has_link_header = crossing->link.has_link_header;
	options.mtu = crossing->link.mtu;
	return replay_new(&crossing->replay, &options);
}

int meet_crossing_new(struct meet_crossing **out, uint32_t ifindex)
{
	struct meet_crossing *crossing = calloc(1, sizeof(*crossing));
	int err;

	if (!crossing)
		return -ENOMEM;
	err = open_replay(crossing, ifindex);
	if (err) {
		log_error("meet: cannot replay packets: %s", strerror(-err));
		free(crossing);
		return err;
	}
	*out = crossing;
	return 0;
}

void meet_crossing_free(struct meet_crossing *crossing)
{
	if (!crossing)
		return;
	replay_free(crossing->replay);
	free(crossing);
}

void meet_crossing_begin(struct meet_crossing *crossing)
{
	crossing->has_syn = crossing->is_released = false;
}

bool meet_crossing_has_syn(const struct meet_crossing *crossing)
{
	return crossing->has_syn;
}

static void put_back(struct meet_crossing *crossing, const struct nol_meet_frame *frame)
{
	const uint32_t l3_offset = crossing->link.has_link_header ? ETH_HLEN : 0;
	const struct held_packet packet = {
		.frame = frame->frame,
		.frame_len = frame->len,
		.l3_offset = l3_offset,
		.l4_offset = l3_offset + frame->l4_offset,
		.is_whole = true,
	};
	int err = replay_packet(crossing->replay, &packet);

	if (err)
		log_warning("meet: cannot replay a held packet: %s", strerror(-err));
}

static bool is_bare_syn(const struct nol_meet_frame *frame)
{
	return (frame->flags & (TCP_SYN | TCP_ACK | TCP_RST)) == TCP_SYN;
}

void meet_crossing_take(struct meet_crossing *crossing, const struct nol_meet_frame *frame)
{
	if (crossing->is_released) {
		put_back(crossing, frame);
	} else if (is_bare_syn(frame)) {
		crossing->syn = *frame;
		crossing->has_syn = true;
	}
}

void meet_crossing_release(struct meet_crossing *crossing)
{
	crossing->is_released = true;
	if (crossing->has_syn)
		put_back(crossing, &crossing->syn);
}
