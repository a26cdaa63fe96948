/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * fragmented_syn IFNAME PORT MAC: one SYN in two IPv4 fragments from 10.0.0.77 to 10.0.0.2 at that MAC address, which no XDP
 * program can answer and which the kernel answers with a RST where nobody listens. Prints the flags of the
 * first answer within a second, or "silent".
 */
#include <linux/if_packet.h>
#include <net/if.h>
#include <poll.h>
#include <unistd.h>

#include "tools/wire.h"

#define LOCAL_PORT 7777
#define DEADLINE_MS 1000

static int open_interface(const char *ifname)
{
	struct sockaddr_ll address = {.sll_family = AF_PACKET, .sll_protocol = htons(ETH_P_ALL)};
	int fd = socket(AF_PACKET, SOCK_RAW, htons(ETH_P_ALL));

	address.sll_ifindex = (int)if_nametoindex(ifname);
	setsockopt(fd, SOL_PACKET, PACKET_IGNORE_OUTGOING, &(int){1}, sizeof(int));
	if (bind(fd, (struct sockaddr *)&address, sizeof(address)))
		fail(ifname);
	return fd;
}

/* true: an answer to our port came. */
static bool receive(int fd, struct wire_answer *answer)
{
	uint8_t frame[4096];
	ssize_t len = recv(fd, frame, sizeof(frame), 0);

	return len > 0 && wire_parse(frame, (size_t)len, false, answer) &&
	       answer->local_port == LOCAL_PORT;
}

int main(int argc, char **argv)
{
	struct wire wire = {.local_mac = {2, 0, 0, 0, 0, 0x77},
			    .local_addr = {10, 0, 0, 77},
			    .remote_addr = {10, 0, 0, 2},
			    .local_port = LOCAL_PORT,
			    .seq = 1,
			    .flags = WIRE_SYN,
			    .window = 50000,
			    .payload_len = 64,
			    .fragment_at = 40};
	uint64_t deadline = now_ms() + DEADLINE_MS;
	struct pollfd poller = {.events = POLLIN};
	struct wire_answer answer;

	if (argc != 4 || sscanf(argv[3], "%hhx:%hhx:%hhx:%hhx:%hhx:%hhx", &wire.remote_mac[0],
				&wire.remote_mac[1], &wire.remote_mac[2], &wire.remote_mac[3],
				&wire.remote_mac[4], &wire.remote_mac[5]) != 6)
		usage("IFNAME PORT MAC");
	wire.remote_port = (uint16_t)atoi(argv[2]);
	poller.fd = open_interface(argv[1]);
	wire_send(poller.fd, &wire);
	while (now_ms() < deadline && poll(&poller, 1, (int)(deadline - now_ms())) > 0) {
		if (!receive(poller.fd, &answer))
			continue;
		puts(answer.flags & WIRE_RST ? "RST" : "SYN-ACK");
		return 0;
	}
	puts("silent");
	return 0;
}
