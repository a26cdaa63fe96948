// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* The packet socket, its statistics, and a batch of buffers. */
#include "tap.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "clock.h"
#include "log.h"
#include "tap_filter.h"

#define BATCH 16
#define PACKET_MAX 65552u
#define QUEUE_SIZE (8 << 20) /* bytes that may wait */

struct buffer {
	uint8_t data[PACKET_MAX];
	uint8_t control[CMSG_SPACE(sizeof(struct timespec))] __attribute__((aligned(8)));
	struct sockaddr_ll from;
	struct iovec vector;
};

struct tap {
	int fd;
	uint32_t ifindex;
	bool sees_outgoing;
	uint64_t received, arrived, lost;
	struct mmsghdr messages[BATCH];
	struct buffer buffers[BATCH];
};

int tap_set_ports(struct tap *tap, const struct port_set *ports)
{
	struct sock_filter code[TAP_FILTER_MAX];
	const struct sock_fprog program = {
		.len = (unsigned short)tap_filter_build(ports, tap->sees_outgoing, code),
		.filter = code,
	};

	return setsockopt(tap->fd, SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof(program)) ? -errno
											    : 0;
}

static int set_options(const struct tap *tap)
{
	const int size = QUEUE_SIZE, on = 1;

	if (setsockopt(tap->fd, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof(size)))
		setsockopt(tap->fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof(size));
	if (tap->sees_outgoing)
		return setsockopt(tap->fd, SOL_SOCKET, SO_TIMESTAMPNS, &on, sizeof(on)) ? -errno
											: 0;
	return setsockopt(tap->fd, SOL_PACKET, PACKET_IGNORE_OUTGOING, &on, sizeof(on)) ? -errno
											: 0;
}

/* Protocol 0: it hears nothing until it is bound. */
static int open_socket(struct tap *tap, const struct tap_options *options)
{
	int err;

	tap->fd = socket(AF_PACKET, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	err = tap->fd < 0 ? -errno : tap_set_ports(tap, options->ports);
	return err ?: set_options(tap);
}

int tap_new(struct tap **out, const struct tap_options *options)
{
	struct tap *tap = calloc(1, sizeof(*tap));
	int err;

	if (!tap)
		return -ENOMEM;
	tap->ifindex = options->ifindex;
	tap->sees_outgoing = options->sees_outgoing;
	err = open_socket(tap, options);
	if (err) {
		log_error("cannot open a packet socket: %s", strerror(-err));
		tap_free(tap);
		return err;
	}
	*out = tap;
	return 0;
}

void tap_free(struct tap *tap)
{
	if (!tap)
		return;
	if (tap->fd >= 0)
		close(tap->fd);
	free(tap);
}

int tap_start(struct tap *tap)
{
	const struct sockaddr_ll address = {
		.sll_family = AF_PACKET,
		.sll_protocol = htons(ETH_P_ALL),
		.sll_ifindex = (int)tap->ifindex,
	};

	if (!bind(tap->fd, (const struct sockaddr *)&address, sizeof(address)))
		return 0;
	log_error("cannot bind a packet socket: %s", strerror(errno));
	return -errno;
}

static void ignore(void *context, const struct tap_packet *packet)
{
	(void)context;
	(void)packet;
}

void tap_stop(struct tap *tap)
{
	struct sock_filter nothing = BPF_STMT(BPF_RET | BPF_K, 0);
	const struct sock_fprog program = {.len = 1, .filter = &nothing};

	setsockopt(tap->fd, SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof(program));
	while (tap_receive(tap, BATCH, ignore, NULL) > 0)
		;
}

int tap_fd(const struct tap *tap)
{
	return tap->fd;
}

static void prepare_batch(struct tap *tap)
{
	for (unsigned int i = 0; i < BATCH; i++) {
		struct buffer *buffer = &tap->buffers[i];

		buffer->vector = (struct iovec){buffer->data, sizeof(buffer->data)};
		tap->messages[i].msg_hdr = (struct msghdr){
			.msg_name = &buffer->from,
			.msg_namelen = sizeof(buffer->from),
			.msg_iov = &buffer->vector,
			.msg_iovlen = 1,
			.msg_control = tap->sees_outgoing ? buffer->control : NULL,
			.msg_controllen = tap->sees_outgoing ? sizeof(buffer->control) : 0,
		};
	}
}

static uint64_t time_of(struct msghdr *message)
{
	struct timespec time;

	for (struct cmsghdr *control = CMSG_FIRSTHDR(message); control;
	     control = CMSG_NXTHDR(message, control)) {
		if (control->cmsg_level != SOL_SOCKET || control->cmsg_type != SCM_TIMESTAMPNS)
			continue;
		memcpy(&time, CMSG_DATA(control), sizeof(time));
		return (uint64_t)time.tv_sec * CLOCK_NS_PER_S + (uint64_t)time.tv_nsec;
	}
	return 0;
}

static void report_batch(struct tap *tap, unsigned int count, tap_fn fn, void *context)
{
	for (unsigned int i = 0; i < count; i++) {
		struct msghdr *message = &tap->messages[i].msg_hdr;
		const struct tap_packet packet = {
			.ip = tap->buffers[i].data,
			.len = tap->messages[i].msg_len,
			.is_whole = !(message->msg_flags & MSG_TRUNC),
			.is_outgoing = tap->buffers[i].from.sll_pkttype == PACKET_OUTGOING,
			.ifindex = (uint32_t)tap->buffers[i].from.sll_ifindex,
			.realtime_ns = time_of(message),
		};

		tap->received++;
		fn(context, &packet);
	}
}

int tap_receive(struct tap *tap, uint32_t max, tap_fn fn, void *context)
{
	uint32_t total = 0;

	while (total < max) {
		int count;

		prepare_batch(tap);
		count = recvmmsg(tap->fd, tap->messages, max - total < BATCH ? max - total : BATCH,
				 MSG_DONTWAIT, NULL);
		/* An interface that goes down is said once, and is no reason to stop. */
		if (count < 0 && (errno == EAGAIN || errno == ENETDOWN || errno == EINTR))
			break;
		if (count < 0)
			return -errno;
		report_batch(tap, (unsigned int)count, fn, context);
		total += (uint32_t)count;
		if (count < BATCH)
			break;
	}
	return (int)total;
}

/* Reading the kernel's statistics clears them. tp_packets has those that were lost in it. */
static void update_statistics(struct tap *tap)
{
	struct tpacket_stats stats;
	socklen_t len = sizeof(stats);

	if (getsockopt(tap->fd, SOL_PACKET, PACKET_STATISTICS, &stats, &len))
		return;
	tap->arrived += stats.tp_packets - stats.tp_drops;
	tap->lost += stats.tp_drops;
}

uint64_t tap_received(const struct tap *tap)
{
	return tap->received;
}

uint64_t tap_arrived(struct tap *tap)
{
	update_statistics(tap);
	return tap->arrived;
}

uint64_t tap_lost(struct tap *tap)
{
	update_statistics(tap);
	return tap->lost;
}
