/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * stray_flood [-l] [-o] IFNAME MAC PORT RATE KIND...: until it is ended, RATE segments a second (0: as many as can be) to 10.0.0.2 and
 * fd00::2 at that MAC address, from addresses of 10.9.0.0/16 and fd09::/112. KINDs: the flags of one segment each, as
 * R, .F or S. (tcpdump's letters), with a + behind them where it has data; or
 * first, later: the first of two fragments, or the second, and never the other;
 * silent: a handshake that is completed, and then nothing; slow: one with a request whose answer there is no window for.
 *
 * -l: live frames of XDP (flood_live.h), each from another address and port; else a packet socket, and as many sources as
 * there are frames. -o: all from one address, with -l. Handshakes need -l; their connections are reset at the end.
 * SIGTERM makes it print "N strays in N ms: N SYN-ACKs, N RSTs, N others back" and end.
 */
#include <linux/if_packet.h>
#include <signal.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "tools/flood_live.h"
#include "tools/wire.h"

#define FRAMES 512
#define BURST 256
#define DEBT_MAX (16 * BURST)
#define TURN_NS 200000
#define DATA_LEN 100
#define NS_PER_S 1000000000ull
#define FRAGMENT_AT 24 /* what a fragment has of a TCP segment, or lacks */

struct frame {
	uint8_t bytes[256];
	size_t len;
};

struct flood {
	uint64_t rate;
	bool is_live, has_one_source;
	struct live live;
	int fd; /* of the packet socket */
	uint64_t start_ns, end_ns;
};

static struct frame frames[FRAMES];
static struct wire wire = {.local_mac = {2, 0, 0, 0, 0, 0x77}, .window = 50000};
static volatile sig_atomic_t is_over;

static void end(int signal_number)
{
	(void)signal_number;
	is_over = 1;
}

static int open_interface(const char *ifname)
{
	struct sockaddr_ll address = {.sll_family = AF_PACKET};
	int fd = socket(AF_PACKET, SOCK_RAW, 0);

	address.sll_ifindex = (int)if_nametoindex(ifname);
	if (bind(fd, (struct sockaddr *)&address, sizeof(address)))
		fail(ifname);
	return fd;
}

static enum flood_answer answer_of(const char *kind)
{
	return !strcmp(kind, "silent") ? FLOOD_ANSWER_SILENT
	       : !strcmp(kind, "slow") ? FLOOD_ANSWER_SLOW
				       : FLOOD_ANSWER_NONE;
}

static bool is_fragment(const char *kind)
{
	return !strcmp(kind, "first") || !strcmp(kind, "later");
}

static uint8_t flags_of(const char *kind)
{
	static const char letters[] = "FSRP.U";
	uint8_t flags = 0;

	if (answer_of(kind) || is_fragment(kind))
		return WIRE_SYN;
	for (; *kind; kind++) {
		const char *letter = strchr(letters, *kind);

		if (letter)
			flags |= (uint8_t)(1 << (letter - letters));
	}
	return flags;
}

/* number: of a frame of the packet socket; -1: zeros, to which a program adds. */
static void set_ends(uint32_t frame, int number)
{
	static const uint8_t v4[4] = {10, 0, 0, 2}, v6[16] = {0xfd, [15] = 2};

	wire.is_v6 = frame & 1;
	memcpy(wire.remote_addr, wire.is_v6 ? v6 : v4, wire.is_v6 ? 16 : 4);
	memset(wire.local_addr, 0, sizeof(wire.local_addr));
	memcpy(wire.local_addr, wire.is_v6 ? (uint8_t[]){0xfd, 9} : (uint8_t[]){10, 9}, 2);
	if (number < 0)
		return;
	put16(wire.local_addr + (wire.is_v6 ? 14 : 2), (uint32_t)number + 256);
	wire.local_port = (uint16_t)(1024 + number);
	wire.seq = (uint32_t)number * 0x9e3779b1u;
	wire.ack = wire.flags & WIRE_ACK ? (uint32_t)number * 0x85ebca6bu : 0;
}

/* A SYN alone is a plain one of Linux; one whose SYN-ACK is answered has no timestamp that would have to come back. */
static void set_options(const char *kind)
{
	static const uint8_t options[20] = {2, 4, 5, 0xb4, 4,	     2, 8, 10,
					    0, 0, 0, 1,	   [16] = 1, 3, 3, 7};

	memcpy(wire.options, options, sizeof(options));
	wire.options_len = wire.flags != WIRE_SYN ? 0 : answer_of(kind) ? 4 : sizeof(options);
}

static size_t build(uint32_t frame, int number, const char *kind, uint8_t *out)
{
	uint8_t tcp[256];
	size_t len;

	wire.flags = flags_of(kind);
	set_ends(frame, number);
	set_options(kind);
	wire.payload_len = strchr(kind, '+') ? DATA_LEN : 0;
	len = build_tcp(&wire, tcp);
	if (!strcmp(kind, "first"))
		return build_frame(&wire, out, tcp, FRAGMENT_AT, 1);
	if (!strcmp(kind, "later"))
		return build_frame(&wire, out, tcp, len, FRAGMENT_AT);
	return build_frame(&wire, out, tcp, len, -1);
}

/* The plain segments of the program's frames; those that end connections are RSTs. */
static void fill_live(struct flood *flood, char **kinds, uint32_t count, bool is_ending)
{
	for (uint32_t i = 0; i < FLOOD_FRAMES; i++) {
		const char *kind = kinds[i / 2 % count];
		struct flood_frame *frame = &flood->live.skel->bss->frames[i];
		const enum flood_answer answer = answer_of(kind);

		frame->len = (uint32_t)build(i, -1, is_ending && answer ? "R" : kind,
					     (uint8_t *)frame->words);
		frame->l4_offset = !wire.is_v6 ? 34 : is_fragment(kind) ? 62 : 54;
		frame->ack_step = wire.flags & WIRE_ACK ? 0x85ebca6bu : 0;
		frame->answer = answer;
	}
	flood->live.skel->bss->is_ending = is_ending;
	flood->live.skel->bss->flood_number = 0;
}

static uint64_t clock_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * NS_PER_S + (uint64_t)now.tv_nsec;
}

/* Whatever does not fit is not sent: it is a flood. */
static uint64_t send_some(struct flood *flood, uint64_t tried, uint64_t wanted)
{
	uint64_t count = 0;

	if (flood->is_live)
		return live_send(&flood->live, wanted);
	for (uint64_t i = 0; i < wanted; i++) {
		const struct frame *frame = &frames[(tried + i) % FRAMES];

		count += send(flood->fd, frame->bytes, frame->len, MSG_DONTWAIT) ==
			 (ssize_t)frame->len;
	}
	return count;
}

/* A burst a turn at most, or the queue would overflow; what is late by some turns is not made up for. */
static uint64_t run(struct flood *flood)
{
	const struct timespec turn = {.tv_nsec = TURN_NS};
	uint64_t tried = 0, given_up = 0, sent = 0;

	flood->start_ns = clock_ns();
	while (!is_over) {
		uint64_t due = (clock_ns() - flood->start_ns) / 1000 * flood->rate / 1000000;

		due = flood->rate ? due - given_up - tried : BURST;
		if (due > DEBT_MAX) {
			given_up += due - DEBT_MAX;
			due = DEBT_MAX;
		}
		due = due < BURST ? due : BURST;
		if (due)
			sent += send_some(flood, tried, due);
		tried += due;
		if (flood->rate)
			nanosleep(&turn, NULL);
	}
	flood->end_ns = clock_ns();
	return sent;
}

/* All numbers that were used once more, as RSTs, if any of them has opened a connection. */
static void end_connections(struct flood *flood, char **kinds, uint32_t count)
{
	const uint32_t *number = &flood->live.skel->bss->flood_number;
	const uint32_t used = *number;
	bool has_any = false;

	for (uint32_t i = 0; i < count; i++)
		has_any |= answer_of(kinds[i]) != FLOOD_ANSWER_NONE;
	if (!has_any)
		return;
	fill_live(flood, kinds, count, true);
	while (*(const volatile uint32_t *)number < used)
		live_send(&flood->live, BURST);
}

static void open_flood(struct flood *flood, char **argv, uint32_t count)
{
	if (sscanf(argv[1], "%hhx:%hhx:%hhx:%hhx:%hhx:%hhx", &wire.remote_mac[0],
		   &wire.remote_mac[1], &wire.remote_mac[2], &wire.remote_mac[3],
		   &wire.remote_mac[4], &wire.remote_mac[5]) != 6)
		usage("MAC: six bytes in hexadecimal, with colons");
	wire.remote_port = (uint16_t)atoi(argv[2]);
	flood->rate = strtoull(argv[3], NULL, 10);
	prctl(PR_SET_TIMERSLACK, 1);
	if (flood->is_live) {
		live_open(&flood->live, argv[0], flood->has_one_source);
		fill_live(flood, argv + 4, count, false);
		return;
	}
	flood->fd = open_interface(argv[0]);
	for (uint32_t i = 0; i < FRAMES; i++)
		frames[i].len = build(i, (int)i, argv[4 + i / 2 % count], frames[i].bytes);
}

static void report(const struct flood *flood, uint64_t sent)
{
	const struct flood_seen seen =
		flood->is_live ? live_seen(&flood->live) : (struct flood_seen){0};

	printf("%llu strays in %llu ms: %llu SYN-ACKs, %llu RSTs, %llu others back\n",
	       (unsigned long long)sent,
	       (unsigned long long)((flood->end_ns - flood->start_ns) / 1000000), seen.syn_ack,
	       seen.rst, seen.other);
}

int main(int argc, char **argv)
{
	const struct sigaction action = {.sa_handler = end};
	struct flood flood = {0};
	uint64_t sent;
	int option;

	while ((option = getopt(argc, argv, "+lo")) != -1) {
		if (option == '?')
			return 2;
		flood.is_live |= option == 'l';
		flood.has_one_source |= option == 'o';
	}
	argv += optind;
	argc -= optind;
	if (argc < 5)
		usage("[-l] [-o] IFNAME MAC PORT RATE KIND...");
	sigaction(SIGTERM, &action, NULL);
	open_flood(&flood, argv, (uint32_t)argc - 4);
	sent = run(&flood);
	report(&flood, sent);
	if (flood.is_live)
		end_connections(&flood, argv + 4, (uint32_t)argc - 4);
	return 0;
}
