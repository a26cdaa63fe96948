// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* libnetfilter_queue's messages over one netlink socket. */
#include "queue.h"

#include <arpa/inet.h>
#include <errno.h>
#include <inttypes.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nfnetlink_queue.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <libmnl/libmnl.h>
#include <libnetfilter_queue/libnetfilter_queue.h>

#include "log.h"

#define MESSAGE_MAX (65536 + 4096) /* a packet and what comes with it */
#define SNAP_LEN 0xffff
#define QUEUE_LEN 8192 /* packets that may wait in the kernel */
#define SOCKET_SIZE (8 << 20) /* bytes that may wait */
#define NUMBERS_TRIED 64

struct queue {
	struct mnl_socket *socket;
	uint16_t number;
	queue_fn fn;
	void *context;
	uint8_t message[MESSAGE_MAX] __attribute__((aligned(8)));
};

/* Send a request and wait for its acknowledgement. */
static int ask(struct queue *queue, struct nlmsghdr *request)
{
	ssize_t len;

	request->nlmsg_flags |= NLM_F_ACK;
	if (mnl_socket_sendto(queue->socket, request, request->nlmsg_len) < 0)
		return -errno;
	len = mnl_socket_recvfrom(queue->socket, queue->message, sizeof(queue->message));
	if (len < 0)
		return -errno;
	return mnl_cb_run(queue->message, (size_t)len, 0, 0, NULL, NULL) < 0 ? -errno : 0;
}

static int bind_number(struct queue *queue, uint16_t number)
{
	char buffer[MNL_NLMSG_HDRLEN + 256];
	struct nlmsghdr *request = nfq_nlmsg_put(buffer, NFQNL_MSG_CONFIG, number);

	nfq_nlmsg_cfg_put_cmd(request, AF_UNSPEC, NFQNL_CFG_CMD_BIND);
	queue->number = number;
	return ask(queue, request);
}

/* A queue of another process answers EPERM, as everything does without CAP_NET_ADMIN. */
static int bind_free_number(struct queue *queue, uint16_t first)
{
	int err = -EBUSY;

	for (unsigned int i = 0; i < NUMBERS_TRIED && (err == -EBUSY || err == -EPERM); i++)
		err = bind_number(queue, (uint16_t)(first + i));
	return err;
}

/*
 * With NFQA_CFG_F_GSO what came as one packet is queued as one: cut into segments, the last of them would still wait when
 * the first has already made the kernel socket, and later packets would overtake them there.
 */
static int configure(struct queue *queue)
{
	char buffer[MNL_NLMSG_HDRLEN + 256];
	struct nlmsghdr *request = nfq_nlmsg_put(buffer, NFQNL_MSG_CONFIG, queue->number);

	nfq_nlmsg_cfg_put_params(request, NFQNL_COPY_PACKET, SNAP_LEN);
	nfq_nlmsg_cfg_put_qmaxlen(request, QUEUE_LEN);
	mnl_attr_put_u32(request, NFQA_CFG_FLAGS, htonl(NFQA_CFG_F_GSO));
	mnl_attr_put_u32(request, NFQA_CFG_MASK, htonl(NFQA_CFG_F_GSO));
	return ask(queue, request);
}

static int open_socket(struct queue *queue)
{
	const int size = SOCKET_SIZE, on = 1;
	int fd;

	queue->socket = mnl_socket_open2(NETLINK_NETFILTER, SOCK_CLOEXEC);
	if (!queue->socket || mnl_socket_bind(queue->socket, 0, MNL_SOCKET_AUTOPID))
		return -errno;
	fd = mnl_socket_get_fd(queue->socket);
	if (setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof(size)))
		setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof(size));
	/* What is lost is counted by the kernel; recv() need not say it. */
	setsockopt(fd, SOL_NETLINK, NETLINK_NO_ENOBUFS, &on, sizeof(on));
	return 0;
}

int queue_new(struct queue **out, uint16_t first)
{
	struct queue *queue = calloc(1, sizeof(*queue));
	int err;

	if (!queue)
		return -ENOMEM;
	err = open_socket(queue);
	if (!err)
		err = bind_free_number(queue, first);
	if (!err)
		err = configure(queue);
	if (err) {
		log_error("cannot bind a netfilter queue (nfnetlink_queue): %s", strerror(-err));
		queue_free(queue);
		return err;
	}
	*out = queue;
	return 0;
}

void queue_free(struct queue *queue)
{
	if (!queue)
		return;
	if (queue->socket)
		mnl_socket_close(queue->socket);
	free(queue);
}

uint16_t queue_number(const struct queue *queue)
{
	return queue->number;
}

int queue_fd(const struct queue *queue)
{
	return mnl_socket_get_fd(queue->socket);
}

/* NF_STOLEN would be answered with EINVAL, and the packet would stay where it is. */
static int give_verdict(struct queue *queue, uint32_t id, bool is_accepted)
{
	char buffer[MNL_NLMSG_HDRLEN + 256];
	struct nlmsghdr *verdict = nfq_nlmsg_put(buffer, NFQNL_MSG_VERDICT, queue->number);

	nfq_nlmsg_verdict_put(verdict, (int)id, is_accepted ? NF_ACCEPT : NF_DROP);
	return mnl_socket_sendto(queue->socket, verdict, verdict->nlmsg_len) < 0 ? -errno : 0;
}

static int take_message(const struct nlmsghdr *message, void *context)
{
	struct nlattr *attributes[NFQA_MAX + 1] = {NULL};
	const struct nfqnl_msg_packet_hdr *header;
	struct queue *queue = context;
	bool is_accepted = true;

	if (nfq_nlmsg_parse(message, attributes) < 0 || !attributes[NFQA_PACKET_HDR])
		return MNL_CB_OK;
	header = mnl_attr_get_payload(attributes[NFQA_PACKET_HDR]);
	if (attributes[NFQA_PAYLOAD])
		is_accepted =
			queue->fn(queue->context, mnl_attr_get_payload(attributes[NFQA_PAYLOAD]),
				  mnl_attr_get_payload_len(attributes[NFQA_PAYLOAD]),
				  !attributes[NFQA_CAP_LEN]);
	give_verdict(queue, ntohl(header->packet_id), is_accepted);
	return MNL_CB_OK;
}

int queue_receive(struct queue *queue, uint32_t max, queue_fn fn, void *context)
{
	uint32_t count = 0;
	ssize_t len;

	queue->fn = fn;
	queue->context = context;
	for (; count < max; count++) {
		len = recv(queue_fd(queue), queue->message, sizeof(queue->message), MSG_DONTWAIT);
		if (len < 0 && (errno == EAGAIN || errno == EINTR || errno == ENOBUFS))
			break;
		if (len < 0)
			return -errno;
		mnl_cb_run(queue->message, (size_t)len, 0, 0, take_message, queue);
	}
	return (int)count;
}

uint64_t queue_lost(const struct queue *queue)
{
	FILE *file = fopen("/proc/self/net/netfilter/nfnetlink_queue", "re");
	uint64_t lost = 0, full, unread;
	char line[256];
	unsigned int number;

	while (file && fgets(line, sizeof(line), file)) {
		if (sscanf(line, "%u %*u %*u %*u %*u %" SCNu64 " %" SCNu64, &number, &full,
			   &unread) == 3 &&
		    number == queue->number)
			lost = full + unread;
	}
	if (file)
		fclose(file);
	return lost;
}
