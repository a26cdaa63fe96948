/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * relay [tap] CLIENT-NAMESPACE SERVER-NAMESPACE IFNAME DELAY_US: a link with delay, loss and reordering (user/lab/relay.h). A tun
 * device (or tap) of that name in each of the two network namespaces, and what goes into one comes out of the other DELAY_US later,
 * or as the commands on standard input have it (user/lab/relay_rules.h). Prints "ready" when both devices exist; they vanish
 * with the process. Then a line for each TCP segment, when it leaves or is dropped:
 *
 *   arrived=US flow=PORT from=client flags=P. seq=1 ack=1 len=100 win=502 opt=ts verdict=pass late=US number=N
 *
 * arrived is CLOCK_MONOTONIC; number counts all packets in the order in which they came; seq and ack are relative
 * to the SYNs'; late is by how much it left after its time, and how long it may have waited to be read: what this machine
 * has added to the delay.
 */
#include <fcntl.h>
#include <linux/if_ether.h>
#include <sched.h>
#include <unistd.h>

#include "relay.h"
#include "tools/tool.h"

static void enter(const char *namespace)
{
	char path[256];
	int fd;

	snprintf(path, sizeof(path), "/run/netns/%s", namespace);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0 || setns(fd, CLONE_NEWNET))
		fail(namespace);
	close(fd);
}

static void print(const struct relay *relay, const struct relay_packet *packet, uint64_t left_us)
{
	const enum relay_side other = packet->side == RELAY_CLIENT ? RELAY_SERVER : RELAY_CLIENT;
	char flags[RELAY_FLAGS_TEXT], options[RELAY_OPTIONS_TEXT];
	struct relay_segment segment;

	if (!relay_read(packet->frame, packet->len, relay->l2_len, &segment))
		return;
	relay_print_flags(segment.flags, flags);
	relay_print_options(&segment, packet->flow->isn[other], options);
	printf("arrived=%llu flow=%u from=%s flags=%s seq=%u ack=%u len=%zu win=%u opt=%s verdict=%s late=%llu number=%llu\n",
	       (unsigned long long)packet->arrived_us,
	       packet->side == RELAY_CLIENT ? segment.source_port : segment.destination_port,
	       relay_side_names[packet->side], flags, segment.seq - packet->flow->isn[packet->side],
	       segment.flags & RELAY_ACK ? segment.ack - packet->flow->isn[other] : 0,
	       segment.payload_len, segment.window, options, relay_verdict_names[packet->verdict],
	       (unsigned long long)(left_us - packet->due_us), (unsigned long long)packet->number);
}

int main(int argc, char **argv)
{
	static struct relay relay = {.tell = print};
	const bool is_tap = argc > 1 && !strcmp(argv[1], "tap");

	argv += is_tap;
	if (argc - is_tap != 5)
		usage("[tap] CLIENT-NAMESPACE SERVER-NAMESPACE IFNAME DELAY_US");
	relay.rules.delay_us = strtoull(argv[4], NULL, 10);
	relay.l2_len = is_tap ? ETH_HLEN : 0;
	for (int side = 0; side < RELAY_SIDES; side++) {
		enter(argv[1 + side]);
		relay.ends[side] = relay_open_end(argv[3], is_tap);
		if (relay.ends[side] < 0) {
			errno = -relay.ends[side];
			fail(argv[3]);
		}
	}
	setvbuf(stdout, NULL, _IOLBF, BUFSIZ);
	fcntl(0, F_SETFL, fcntl(0, F_GETFL) | O_NONBLOCK);
	puts("ready");
	errno = -relay_run(&relay);
	fail("relay");
}
