/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The packet socket, its filter, and a batch of headers. */
#include "sent_tap.h"

#include <errno.h>
#include <linux/filter.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <linux/types.h>
#include <sys/socket.h>
#include <unistd.h>

#include <abi/abi.h>

#include "segment.h"

#define BATCH 64
#define HEADERS_MAX 128
#define QUEUE_SIZE (4 << 20) /* bytes that may wait */
#define FRAGMENT_OFFSET 0x1fffu
#define ENDING (TCP_RST | TCP_FIN)
#define IPV6_LEN 40

#define LOAD(size, at) BPF_STMT(BPF_LD | (size) | BPF_ABS, at)
#define EXTRA(what) LOAD(BPF_W, (__u32)(SKF_AD_OFF + (what)))
#define IF_EQUAL(value, yes, no) BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, value, yes, no)
#define IF_ANY(bits, yes, no) BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, bits, yes, no)

/* Behind IPv6 extension headers nothing is looked for. */
static const struct sock_filter filter[] = {
	EXTRA(SKF_AD_PKTTYPE),
	IF_EQUAL(PACKET_OUTGOING, 0, 20),
	EXTRA(SKF_AD_MARK),
	IF_EQUAL(NOL_MARK, 18, 0),
	LOAD(BPF_B, 0),
	BPF_STMT(BPF_ALU | BPF_AND | BPF_K, 0xf0),
	IF_EQUAL(0x60, 9, 0),
	IF_EQUAL(0x40, 0, 14),
	LOAD(BPF_B, 9),
	IF_EQUAL(IPPROTO_TCP, 0, 12),
	LOAD(BPF_H, 6),
	IF_ANY(FRAGMENT_OFFSET, 10, 0),
	BPF_STMT(BPF_LDX | BPF_B | BPF_MSH, 0),
	BPF_STMT(BPF_LD | BPF_B | BPF_IND, 13),
	IF_ANY(ENDING, 7, 0),
	BPF_STMT(BPF_RET | BPF_K, HEADERS_MAX),
	LOAD(BPF_B, 6),
	IF_EQUAL(IPPROTO_TCP, 0, 4),
	LOAD(BPF_B, IPV6_LEN + 13),
	IF_ANY(ENDING, 2, 0),
	BPF_STMT(BPF_RET | BPF_K, HEADERS_MAX),
	BPF_STMT(BPF_RET | BPF_K, 0),
	BPF_STMT(BPF_RET | BPF_K, 0),
};

static int set_up(int fd, uint32_t ifindex)
{
	const struct sock_fprog program = {
		.len = sizeof(filter) / sizeof(filter[0]),
		.filter = (struct sock_filter *)filter,
	};
	const struct sockaddr_ll address = {
		.sll_family = AF_PACKET,
		.sll_protocol = htons(ETH_P_ALL),
		.sll_ifindex = (int)ifindex,
	};
	const int size = QUEUE_SIZE;

	if (setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof(program)))
		return -errno;
	if (setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof(size)))
		setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof(size));
	return bind(fd, (const struct sockaddr *)&address, sizeof(address)) ? -errno : 0;
}

/* Protocol 0: it hears nothing until it is bound. */
int sent_tap_open(uint32_t ifindex)
{
	int fd = socket(AF_PACKET, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0), err;

	if (fd < 0)
		return -errno;
	err = set_up(fd, ifindex);
	if (!err)
		return fd;
	close(fd);
	return err;
}

/* segment_read_tuple() reads a packet that came in. */
static bool read_tuple(const uint8_t *packet, size_t len, struct tuple *out)
{
	const size_t l4_offset = len && packet[0] >> 4 == 4 ? (packet[0] & 15u) * 4 : IPV6_LEN;
	struct tuple turned;

	if (!segment_read_tuple(packet, len, l4_offset, &turned))
		return false;
	out->local = turned.remote;
	out->remote = turned.local;
	return true;
}

int sent_tap_read(int fd, struct tuple *out, int max)
{
	static uint8_t packets[BATCH][HEADERS_MAX];
	struct mmsghdr messages[BATCH] = {0};
	struct iovec vectors[BATCH];
	int count, used = 0;

	for (int i = 0; i < BATCH; i++) {
		vectors[i] = (struct iovec){packets[i], HEADERS_MAX};
		messages[i].msg_hdr.msg_iov = &vectors[i];
		messages[i].msg_hdr.msg_iovlen = 1;
	}
	count = recvmmsg(fd, messages, (unsigned int)(max < BATCH ? max : BATCH), MSG_DONTWAIT,
			 NULL);
	if (count < 0)
		return errno == EAGAIN || errno == EINTR || errno == ENETDOWN ? 0 : -errno;
	for (int i = 0; i < count; i++)
		used += read_tuple(packets[i], messages[i].msg_len, &out[used]);
	return used;
}
