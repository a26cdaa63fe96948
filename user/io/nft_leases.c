/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* A transaction of nf_tables, by libmnl. What the kernel answers is there when the message has been sent. */
#include "nft_leases.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>

#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>

#include <libmnl/libmnl.h>

#define TRANSACTION_SIZE 32768 /* three times NFT_LEASES_MAX elements of 80 bytes, and more */
#define ANSWER_SIZE 8192
#define KEY_SIZE 40

struct transaction {
	char buffer[TRANSACTION_SIZE] __attribute__((aligned(8)));
	size_t len;
};

static struct nlmsghdr *begin_message(struct transaction *transaction, uint16_t type,
				      uint16_t flags, uint8_t family)
{
	struct nlmsghdr *header = mnl_nlmsg_put_header(transaction->buffer + transaction->len);
	struct nfgenmsg *body = mnl_nlmsg_put_extra_header(header, sizeof(*body));

	header->nlmsg_type = type;
	header->nlmsg_flags = NLM_F_REQUEST | flags;
	body->nfgen_family = family;
	body->version = NFNETLINK_V0;
	return header;
}

static void end_message(struct transaction *transaction, const struct nlmsghdr *header)
{
	transaction->len += NLMSG_ALIGN(header->nlmsg_len);
}

static void put_border(struct transaction *transaction, uint16_t type)
{
	struct nlmsghdr *header = begin_message(transaction, type, 0, AF_UNSPEC);

	((struct nfgenmsg *)mnl_nlmsg_get_payload(header))->res_id = htons(NFNL_SUBSYS_NFTABLES);
	end_message(transaction, header);
}

/* Each part of a concatenation is filled up to four bytes. */
static size_t put_end(uint8_t *key, const struct endpoint *end)
{
	const bool is_v4 = addr_is_v4(&end->addr);
	const size_t len = is_v4 ? 4 : 16;

	memcpy(key, end->addr.bytes + (is_v4 ? 12 : 0), len);
	key[len] = (uint8_t)(end->port >> 8);
	key[len + 1] = (uint8_t)end->port;
	key[len + 2] = key[len + 3] = 0;
	return len + 4;
}

static void put_element(struct nlmsghdr *header, const struct nft_leases *leases,
			const struct tuple *tuple)
{
	struct nlattr *element = mnl_attr_nest_start(header, NFTA_LIST_ELEM);
	struct nlattr *data = mnl_attr_nest_start(header, NFTA_SET_ELEM_KEY);
	uint8_t key[KEY_SIZE];
	size_t len = put_end(key, &tuple->local);

	if (leases->has_remote)
		len += put_end(key + len, &tuple->remote);
	mnl_attr_put(header, NFTA_DATA_VALUE, len, key);
	mnl_attr_nest_end(header, data);
	mnl_attr_nest_end(header, element);
}

static void put_elements(struct transaction *transaction, const struct nft_leases *leases,
			 uint16_t command, uint16_t flags)
{
	struct nlmsghdr *header = begin_message(transaction, NFNL_SUBSYS_NFTABLES << 8 | command,
						flags, NFPROTO_INET);
	struct nlattr *list;

	mnl_attr_put_strz(header, NFTA_SET_ELEM_LIST_TABLE, leases->table);
	mnl_attr_put_strz(header, NFTA_SET_ELEM_LIST_SET, leases->set);
	list = mnl_attr_nest_start(header, NFTA_SET_ELEM_LIST_ELEMENTS);
	for (size_t i = 0; i < leases->count; i++)
		put_element(header, leases, &leases->tuples[i]);
	mnl_attr_nest_end(header, list);
	end_message(transaction, header);
}

/* The first error of what has been answered; -EPROTO if nothing was. */
static int read_answers(int fd)
{
	char buffer[ANSWER_SIZE] __attribute__((aligned(8)));
	int err = -EPROTO, left;

	while ((left = (int)recv(fd, buffer, sizeof(buffer), MSG_DONTWAIT)) > 0) {
		const struct nlmsghdr *header = (const struct nlmsghdr *)buffer;

		for (; mnl_nlmsg_ok(header, left); header = mnl_nlmsg_next(header, &left)) {
			const struct nlmsgerr *answer = mnl_nlmsg_get_payload(header);

			if (header->nlmsg_type == NLMSG_ERROR && (err == -EPROTO || !err))
				err = answer->error;
		}
	}
	return err;
}

/* What is there keeps its time when it is added: so it is added, taken out and added. */
int nft_add_leases(struct nft *nft, const struct nft_leases *leases)
{
	struct transaction transaction = {.len = 0};

	put_border(&transaction, NFNL_MSG_BATCH_BEGIN);
	if (leases->is_renewal) {
		put_elements(&transaction, leases, NFT_MSG_NEWSETELEM, NLM_F_CREATE);
		put_elements(&transaction, leases, NFT_MSG_DELSETELEM, 0);
	}
	put_elements(&transaction, leases, NFT_MSG_NEWSETELEM, NLM_F_CREATE | NLM_F_ACK);
	put_border(&transaction, NFNL_MSG_BATCH_END);
	if (send(nft_fd(nft), transaction.buffer, transaction.len, 0) < 0)
		return -errno;
	return read_answers(nft_fd(nft));
}
