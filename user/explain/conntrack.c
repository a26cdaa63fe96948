/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The table has each connection under two 4-tuples, one for each direction's packets as they arrive here. Both are found by the
 * same question; where the other direction's packets come from is who the connection belongs to.
 */
#include "conntrack.h"

#include <errno.h>
#include <string.h>

#include <linux/netfilter/nfnetlink.h>
#include <linux/netfilter/nfnetlink_conntrack.h>

#include <libmnl/libmnl.h>

#include "netlink.h"

struct directions {
	struct tuple original, reply; /* local: the source */
	bool is_found;
};

static void put_addresses(struct nlmsghdr *header, const struct nol_flow_key *key, bool is_v4)
{
	struct nlattr *nest = mnl_attr_nest_start(header, CTA_TUPLE_IP);

	if (is_v4) {
		mnl_attr_put(header, CTA_IP_V4_SRC, 4, key->remote_addr + 12);
		mnl_attr_put(header, CTA_IP_V4_DST, 4, key->local_addr + 12);
	} else {
		mnl_attr_put(header, CTA_IP_V6_SRC, 16, key->remote_addr);
		mnl_attr_put(header, CTA_IP_V6_DST, 16, key->local_addr);
	}
	mnl_attr_nest_end(header, nest);
}

static void put_ports(struct nlmsghdr *header, const struct nol_flow_key *key)
{
	struct nlattr *nest = mnl_attr_nest_start(header, CTA_TUPLE_PROTO);

	mnl_attr_put_u8(header, CTA_PROTO_NUM, IPPROTO_TCP);
	mnl_attr_put_u16(header, CTA_PROTO_SRC_PORT, htons(key->remote_port));
	mnl_attr_put_u16(header, CTA_PROTO_DST_PORT, htons(key->local_port));
	mnl_attr_nest_end(header, nest);
}

static void build_request(union netlink_request *request, const struct nol_flow_key *key)
{
	struct nfgenmsg *body = netlink_request_init(
		request, NFNL_SUBSYS_CTNETLINK << 8 | IPCTNL_MSG_CT_GET, 0, sizeof(*body));
	struct addr local;
	struct nlattr *nest;
	bool is_v4;

	memcpy(local.bytes, key->local_addr, sizeof(local.bytes));
	is_v4 = addr_is_v4(&local);
	body->nfgen_family = is_v4 ? AF_INET : AF_INET6;
	nest = mnl_attr_nest_start(&request->header, CTA_TUPLE_ORIG);
	put_addresses(&request->header, key, is_v4);
	put_ports(&request->header, key);
	mnl_attr_nest_end(&request->header, nest);
}

static void read_addresses(const struct nlattr *nest, struct tuple *out)
{
	const struct nlattr *attribute;

	mnl_attr_for_each_nested(attribute, nest)
	{
		const uint16_t type = mnl_attr_get_type(attribute);
		const void *bytes = mnl_attr_get_payload(attribute);
		const uint16_t len = mnl_attr_get_payload_len(attribute);

		if (type == CTA_IP_V4_SRC && len >= 4)
			out->local.addr = addr_from_v4(bytes);
		else if (type == CTA_IP_V4_DST && len >= 4)
			out->remote.addr = addr_from_v4(bytes);
		else if (type == CTA_IP_V6_SRC && len >= 16)
			out->local.addr = addr_from_v6(bytes);
		else if (type == CTA_IP_V6_DST && len >= 16)
			out->remote.addr = addr_from_v6(bytes);
	}
}

static void read_ports(const struct nlattr *nest, struct tuple *out)
{
	const struct nlattr *attribute;

	mnl_attr_for_each_nested(attribute, nest)
	{
		if (mnl_attr_get_payload_len(attribute) < 2)
			continue;
		if (mnl_attr_get_type(attribute) == CTA_PROTO_SRC_PORT)
			out->local.port = ntohs(mnl_attr_get_u16(attribute));
		else if (mnl_attr_get_type(attribute) == CTA_PROTO_DST_PORT)
			out->remote.port = ntohs(mnl_attr_get_u16(attribute));
	}
}

static void read_tuple(const struct nlattr *nest, struct tuple *out)
{
	const struct nlattr *attribute;

	mnl_attr_for_each_nested(attribute, nest)
	{
		if (mnl_attr_get_type(attribute) == CTA_TUPLE_IP)
			read_addresses(attribute, out);
		else if (mnl_attr_get_type(attribute) == CTA_TUPLE_PROTO)
			read_ports(attribute, out);
	}
}

static void take_entry(void *context, const struct nlmsghdr *message)
{
	struct directions *out = context;
	const struct nlattr *attribute;

	if (mnl_nlmsg_get_payload_len(message) < sizeof(struct nfgenmsg))
		return;
	mnl_attr_for_each(attribute, message, sizeof(struct nfgenmsg))
	{
		if (mnl_attr_get_type(attribute) == CTA_TUPLE_ORIG)
			read_tuple(attribute, &out->original);
		else if (mnl_attr_get_type(attribute) == CTA_TUPLE_REPLY)
			read_tuple(attribute, &out->reply);
	}
	out->is_found = true;
}

static struct tuple tuple_of(const struct nol_flow_key *key)
{
	struct tuple tuple = {.local.port = key->remote_port, .remote.port = key->local_port};

	memcpy(tuple.local.addr.bytes, key->remote_addr, sizeof(tuple.local.addr.bytes));
	memcpy(tuple.remote.addr.bytes, key->local_addr, sizeof(tuple.remote.addr.bytes));
	return tuple;
}

int conntrack_find_owner(int fd, const struct nol_flow_key *key, struct endpoint *owner)
{
	const struct tuple asked = tuple_of(key);
	struct directions found = {0};
	union netlink_request request;
	int err;

	build_request(&request, key);
	err = netlink_ask(fd, &request, take_entry, &found);
	if (err)
		return err;
	if (!found.is_found)
		return -ENOENT;
	*owner = tuple_is_equal(&found.original, &asked) ? found.reply.local : found.original.local;
	return 0;
}
