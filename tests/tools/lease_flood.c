/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * lease_flood IFNAME FLOWS SECONDS THREADS: bare ACKs of so many flows, in turns, from a packet socket of each thread, as fast as they
 * go. Prints how many a second left, and the longest time that a call for 64 of them took.
 */
#include <arpa/inet.h>
#include <linux/if_packet.h>
#include <net/ethernet.h>
#include <net/if.h>
#include <netinet/ip.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <time.h>
#include <unistd.h>

#include "tools/tool.h"

#define BATCH 64
#define FLOWS_A_HOST 50000
#define THREADS_MAX 64

struct frame {
	struct ether_header ethernet;
	struct iphdr ip;
	struct tcphdr tcp;
} __attribute__((packed));

struct sender {
	pthread_t thread;
	struct sockaddr_ll to;
	unsigned int flows, first, step;
	uint64_t end_ns, sent, longest_ns;
};

static uint64_t now(void)
{
	struct timespec time;

	clock_gettime(CLOCK_MONOTONIC, &time);
	return (uint64_t)time.tv_sec * 1000000000ull + (uint64_t)time.tv_nsec;
}

/* 10.0.0.1:10000 and on > 10.1.0.0 and on, port 80; nobody looks at the checksums. */
static void fill(struct frame *frame, unsigned int flow)
{
	*frame = (struct frame){
		.ethernet = {.ether_dhost = {2, 0, 0, 0, 0, 9}, .ether_type = htons(ETHERTYPE_IP)},
		.ip = {.version = 4,
		       .ihl = 5,
		       .ttl = 64,
		       .protocol = IPPROTO_TCP,
		       .tot_len = htons(sizeof(frame->ip) + sizeof(frame->tcp)),
		       .saddr = htonl(0x0a000001),
		       .daddr = htonl(0x0a010000 + flow / FLOWS_A_HOST)},
		.tcp = {.source = htons((uint16_t)(10000 + flow % FLOWS_A_HOST)),
			.dest = htons(80),
			.doff = 5,
			.ack = 1},
	};
}

static void *send_all(void *context)
{
	struct sender *sender = context;
	static __thread struct frame frames[BATCH];
	struct mmsghdr messages[BATCH] = {0};
	struct iovec parts[BATCH];
	unsigned int flow = sender->first;
	uint64_t begin_ns = now(), end_ns;
	int fd = socket(AF_PACKET, SOCK_RAW, 0), count;

	if (fd < 0)
		fail("socket");
	for (int i = 0; i < BATCH; i++) {
		parts[i] = (struct iovec){&frames[i], sizeof(frames[i])};
		messages[i].msg_hdr = (struct msghdr){.msg_name = &sender->to,
						      .msg_namelen = sizeof(sender->to),
						      .msg_iov = &parts[i],
						      .msg_iovlen = 1};
	}
	while (begin_ns < sender->end_ns) {
		for (int i = 0; i < BATCH; i++, flow = (flow + sender->step) % sender->flows)
			fill(&frames[i], flow);
		count = sendmmsg(fd, messages, BATCH, 0);
		end_ns = now();
		sender->sent += count > 0 ? (uint64_t)count : 0;
		if (end_ns - begin_ns > sender->longest_ns)
			sender->longest_ns = end_ns - begin_ns;
		begin_ns = end_ns;
	}
	close(fd);
	return NULL;
}

int main(int argc, char **argv)
{
	static struct sender senders[THREADS_MAX];
	uint64_t sent = 0, longest_ns = 0;
	unsigned int threads, seconds;

	if (argc != 5)
		fail("usage: lease_flood IFNAME FLOWS SECONDS THREADS");
	seconds = (unsigned int)atoi(argv[3]);
	threads = (unsigned int)atoi(argv[4]);
	for (unsigned int i = 0; i < threads; i++) {
		senders[i] = (struct sender){
			.to = {.sll_family = AF_PACKET,
			       .sll_protocol = htons(ETHERTYPE_IP),
			       .sll_ifindex = (int)if_nametoindex(argv[1])},
			.flows = (unsigned int)atoi(argv[2]),
			.first = i,
			.step = threads,
			.end_ns = now() + seconds * 1000000000ull,
		};
		pthread_create(&senders[i].thread, NULL, send_all, &senders[i]);
	}
	for (unsigned int i = 0; i < threads; i++) {
		pthread_join(senders[i].thread, NULL);
		sent += senders[i].sent;
		if (senders[i].longest_ns > longest_ns)
			longest_ns = senders[i].longest_ns;
	}
	printf("%llu segments a second, longest call %llu us\n",
	       (unsigned long long)(sent / seconds), (unsigned long long)(longest_ns / 1000));
	return 0;
}
