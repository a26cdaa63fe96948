// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * nfq_stolen QUEUE: takes the queue, says "ready", and gives the first packet the verdict NF_STOLEN. Prints what the
 * kernel answers, and how many packets are still in the queue.
 */
#include <arpa/inet.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nfnetlink_queue.h>
#include <poll.h>
#include <unistd.h>

#include <libmnl/libmnl.h>
#include <libnetfilter_queue/libnetfilter_queue.h>

#include "tool.h"

#define DEADLINE_MS 10000

static struct mnl_socket *netlink;
static uint16_t number;
static char buffer[65536 + 4096];

static ssize_t receive(void)
{
	struct pollfd ready = {.fd = mnl_socket_get_fd(netlink), .events = POLLIN};
	ssize_t len;

	if (poll(&ready, 1, DEADLINE_MS) != 1)
		fail("nothing came");
	len = mnl_socket_recvfrom(netlink, buffer, sizeof(buffer));
	if (len < 0)
		fail("netlink");
	return len;
}

/* Send, and errno of the answer. */
static int ask(struct nlmsghdr *request)
{
	request->nlmsg_flags |= NLM_F_ACK;
	if (mnl_socket_sendto(netlink, request, request->nlmsg_len) < 0)
		fail("netlink");
	return mnl_cb_run(buffer, (size_t)receive(), 0, 0, NULL, NULL) < 0 ? errno : 0;
}

static void take_queue(void)
{
	char request[MNL_NLMSG_HDRLEN + 256];
	struct nlmsghdr *message = nfq_nlmsg_put(request, NFQNL_MSG_CONFIG, number);

	nfq_nlmsg_cfg_put_cmd(message, AF_UNSPEC, NFQNL_CFG_CMD_BIND);
	errno = ask(message);
	if (errno)
		fail("bind");
	message = nfq_nlmsg_put(request, NFQNL_MSG_CONFIG, number);
	nfq_nlmsg_cfg_put_params(message, NFQNL_COPY_META, 0);
	errno = ask(message);
	if (errno)
		fail("configure");
}

static int keep_id(const struct nlmsghdr *message, void *id)
{
	struct nlattr *attributes[NFQA_MAX + 1] = {NULL};
	const struct nfqnl_msg_packet_hdr *header;

	if (nfq_nlmsg_parse(message, attributes) < 0 || !attributes[NFQA_PACKET_HDR])
		return MNL_CB_ERROR;
	header = mnl_attr_get_payload(attributes[NFQA_PACKET_HDR]);
	*(uint32_t *)id = ntohl(header->packet_id);
	return MNL_CB_STOP;
}

static unsigned int waiting(void)
{
	FILE *file = fopen("/proc/self/net/netfilter/nfnetlink_queue", "r");
	unsigned int count = 0, total, queue;
	char line[256];

	if (!file)
		fail("nfnetlink_queue");
	while (fgets(line, sizeof(line), file))
		if (sscanf(line, "%u %*u %u", &queue, &total) == 2 && queue == number)
			count = total;
	fclose(file);
	return count;
}

int main(int argc, char **argv)
{
	char request[MNL_NLMSG_HDRLEN + 256];
	struct nlmsghdr *verdict;
	uint32_t id;

	if (argc != 2)
		usage("QUEUE");
	number = (uint16_t)atoi(argv[1]);
	netlink = mnl_socket_open(NETLINK_NETFILTER);
	if (!netlink || mnl_socket_bind(netlink, 0, MNL_SOCKET_AUTOPID))
		fail("netlink");
	take_queue();
	puts("ready");
	fflush(stdout);
	if (mnl_cb_run(buffer, (size_t)receive(), 0, 0, keep_id, &id) < 0)
		fail("packet");
	verdict = nfq_nlmsg_put(request, NFQNL_MSG_VERDICT, number);
	nfq_nlmsg_verdict_put(verdict, (int)id, NF_STOLEN);
	printf("NF_STOLEN: %s, ", strerror(ask(verdict)));
	printf("%u waiting\n", waiting());
	return 0;
}
