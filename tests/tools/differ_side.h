/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The two servers that differ compares, each behind an interface of this namespace, and what comes and goes there. */
#ifndef NOLISTEN_TESTS_DIFFER_SIDE_H
#define NOLISTEN_TESTS_DIFFER_SIDE_H

#include <linux/if_packet.h>
#include <net/if.h>
#include <sys/ioctl.h>

#include "tools/differ_text.h"
#include "tools/script.h"

#define SIDES 2
#define RECEIVE_BUFFER (32 << 20) /* both families' answers, to many cases at once */

/* Whom what is sent comes from, and what came back. */
struct conversation {
	uint16_t port;
	struct script_state state;
	struct answer_text text;
	uint64_t heard_ms; /* the first answer, CLOCK_REALTIME */
};

struct side {
	const char *name;
	int fd;
	struct wire wire; /* who talks to whom */
};

static struct side sides[SIDES] = {{.name = "kernel"}, {.name = "nolisten"}};

static void side_open(struct side *side, const char *ifname, bool is_v6, uint16_t port)
{
	struct sockaddr_ll address = {.sll_family = AF_PACKET, .sll_protocol = htons(ETH_P_ALL)};
	struct ifreq request = {0};

	snprintf(request.ifr_name, sizeof(request.ifr_name), "%s", ifname);
	address.sll_ifindex = (int)if_nametoindex(ifname);
	side->fd = socket(AF_PACKET, SOCK_RAW, htons(ETH_P_ALL));
	setsockopt(side->fd, SOL_PACKET, PACKET_AUXDATA, &(int){1}, sizeof(int));
	setsockopt(side->fd, SOL_PACKET, PACKET_IGNORE_OUTGOING, &(int){1}, sizeof(int));
	setsockopt(side->fd, SOL_SOCKET, SO_TIMESTAMPNS, &(int){1}, sizeof(int));
	setsockopt(side->fd, SOL_SOCKET, SO_RCVBUFFORCE, &(int){RECEIVE_BUFFER}, sizeof(int));
	if (ioctl(side->fd, SIOCGIFHWADDR, &request) ||
	    bind(side->fd, (struct sockaddr *)&address, sizeof(address)))
		fail(ifname);
	memcpy(side->wire.local_mac, request.ifr_hwaddr.sa_data, 6);
	memcpy(side->wire.remote_mac, (uint8_t[]){2, 0, 0, 0, 0, 2}, 6);
	side->wire.is_v6 = is_v6;
	side->wire.remote_port = port;
	inet_pton(is_v6 ? AF_INET6 : AF_INET, is_v6 ? "fd00::77" : "10.0.0.77",
		  side->wire.local_addr);
	inet_pton(is_v6 ? AF_INET6 : AF_INET, is_v6 ? "fd00::2" : "10.0.0.2",
		  side->wire.remote_addr);
}

/* What is said of a packet beside it. */
struct beside {
	bool has_checksum; /* what a veth peer sends may be unfinished */
	uint64_t received_ms; /* CLOCK_REALTIME */
};

static struct beside read_beside(struct msghdr *message)
{
	struct beside beside = {.has_checksum = true};
	struct tpacket_auxdata aux;
	struct timespec stamp;

	for (struct cmsghdr *control = CMSG_FIRSTHDR(message); control;
	     control = CMSG_NXTHDR(message, control)) {
		if (control->cmsg_level == SOL_PACKET && control->cmsg_type == PACKET_AUXDATA) {
			memcpy(&aux, CMSG_DATA(control), sizeof(aux));
			beside.has_checksum = !(aux.tp_status & TP_STATUS_CSUMNOTREADY);
		}
		if (control->cmsg_level == SOL_SOCKET && control->cmsg_type == SCM_TIMESTAMPNS) {
			memcpy(&stamp, CMSG_DATA(control), sizeof(stamp));
			beside.received_ms = timespec_ms(&stamp);
		}
	}
	return beside;
}

/* false: there was nothing. *is_answer: it was TCP of our family. */
static bool side_receive(struct side *side, struct wire_answer *out, bool *is_answer)
{
	static uint8_t frame[70000];
	char control[256];
	struct iovec part = {frame, sizeof(frame)};
	struct msghdr message = {.msg_iov = &part,
				 .msg_iovlen = 1,
				 .msg_control = control,
				 .msg_controllen = sizeof(control)};
	ssize_t len = recvmsg(side->fd, &message, MSG_DONTWAIT);
	struct beside beside;

	if (len <= 0)
		return false;
	beside = read_beside(&message);
	*is_answer = get16(frame + 12) == (side->wire.is_v6 ? ETH_P_IPV6 : ETH_P_IP) &&
		     wire_parse(frame, (size_t)len, beside.has_checksum, out);
	out->received_ms = beside.received_ms;
	return true;
}

/* How many packets came that there was no room for. */
TOOL_UNUSED static unsigned int side_lost(const struct side *side)
{
	struct tpacket_stats stats = {0};
	socklen_t len = sizeof(stats);

	if (getsockopt(side->fd, SOL_PACKET, PACKET_STATISTICS, &stats, &len))
		fail(side->name);
	return stats.tp_drops;
}

/* step: segments divided by '&', in the notation of script.h. */
static void side_send(struct side *side, struct conversation *conversation, const char *step)
{
	char text[1024];
	char *save, *segment;

	snprintf(text, sizeof(text), "%s", step);
	for (segment = strtok_r(text, "&", &save); segment; segment = strtok_r(NULL, "&", &save)) {
		char words[1024];
		struct wire wire = side->wire;

		snprintf(words, sizeof(words), "%s", segment);
		wire.local_port = conversation->port;
		script_read_segment(words, &conversation->state, &wire);
		/* Answers to port 0 come to port 0. */
		conversation->port = wire.local_port;
		wire_send(side->fd, &wire);
	}
}

#endif
