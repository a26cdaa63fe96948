/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "xdp_features.h"

#include <errno.h>
#include <linux/genetlink.h>
#include <string.h>

#include <libmnl/libmnl.h>

#include "netlink.h"

/* linux/netdev.h, which Linux 6.1 has not. */
#define FAMILY "netdev"
#define DEV_GET 1
#define DEV_IFINDEX 1
#define DEV_XDP_FEATURES 3
#define XDP_ACT_BASIC 1

static void take_family(void *context, const struct nlmsghdr *message)
{
	const uint16_t *id =
		netlink_find(message, sizeof(struct genlmsghdr), CTRL_ATTR_FAMILY_ID, sizeof(*id));

	if (id)
		*(uint16_t *)context = *id;
}

static int find_family(uint16_t *out)
{
	union netlink_request request;
	struct genlmsghdr *body =
		netlink_request_init(&request, GENL_ID_CTRL, 0, sizeof(struct genlmsghdr));
	int err;

	*out = 0;
	body->cmd = CTRL_CMD_GETFAMILY;
	mnl_attr_put_strz(&request.header, CTRL_ATTR_FAMILY_NAME, FAMILY);
	err = netlink_ask_once(NETLINK_GENERIC, &request, take_family, out);
	return err || !*out ? -EOPNOTSUPP : 0;
}

struct answer {
	uint64_t features;
	bool is_there;
};

static void take_features(void *context, const struct nlmsghdr *message)
{
	struct answer *answer = context;
	const void *features = netlink_find(message, sizeof(struct genlmsghdr), DEV_XDP_FEATURES,
					    sizeof(answer->features));

	if (!features)
		return;
	memcpy(&answer->features, features, sizeof(answer->features));
	answer->is_there = true;
}

int xdp_features_native(uint32_t ifindex, bool *out)
{
	struct answer answer = {0};
	union netlink_request request;
	struct genlmsghdr *body;
	uint16_t family;
	int err = find_family(&family);

	if (err)
		return err;
	body = netlink_request_init(&request, family, 0, sizeof(*body));
	body->cmd = DEV_GET;
	mnl_attr_put_u32(&request.header, DEV_IFINDEX, ifindex);
	err = netlink_ask_once(NETLINK_GENERIC, &request, take_features, &answer);
	if (err || !answer.is_there)
		return -EOPNOTSUPP;
	*out = answer.features & XDP_ACT_BASIC;
	return 0;
}
