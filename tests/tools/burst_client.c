/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * burst_client HOST PORT COUNT BYTES [plain|reset|hasty|abort]: COUNT connections to an echo service, one after the other.
 * The ACK that completes each handshake carries the first of BYTES, all of which must come back, then the
 * end of the stream. plain: the ACK goes out alone. reset: closes with a RST when the bytes are back. hasty: the ACK goes
 * out alone, and everything up to the FIN follows within 60 us, a little later with each connection. abort: as hasty, but
 * it is a RST that follows, behind the data of every second one, and nothing is read; all on one CPU, or what is
 * sent next might overtake it.
 *
 * Prints "N connections, N with data in the final ACK, N bytes"; exit status 1 if a stream was damaged.
 */
#include <inttypes.h>
#include <linux/tcp.h>
#include <netinet/in.h>
#include <sched.h>
#include <unistd.h>

#include "tools/tool.h"

#define READ_DEADLINE_S 10
#define HASTY_STEPS 100 /* of half a microsecond and a bit */
#define HASTY_STEP_NS 600

struct plan {
	struct sockaddr_storage peer;
	socklen_t peer_len;
	size_t bytes;
	bool is_data_first, is_reset, is_hasty, is_abort;
	uint8_t *sent, *got;
};

/*
 * Without quick ACKs Linux delays the ACK of a SYN-ACK, so that data written at once carries it. The send
 * buffer is large enough for one write() to queue everything.
 */
static int open_connection(const struct plan *plan)
{
	const struct timeval deadline = {.tv_sec = READ_DEADLINE_S};
	int fd = socket(plan->peer.ss_family, SOCK_STREAM, 0);

	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &deadline, sizeof(deadline));
	setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &(int){1 << 20}, sizeof(int));
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &(int){1}, sizeof(int));
	if (plan->is_data_first)
		setsockopt(fd, IPPROTO_TCP, TCP_QUICKACK, &(int){0}, sizeof(int));
	if (connect(fd, (const struct sockaddr *)&plan->peer, plan->peer_len))
		fail("connect");
	return fd;
}

static struct tcp_info get_info(int fd)
{
	struct tcp_info info = {0};
	socklen_t len = sizeof(info);

	getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &len);
	return info;
}

/* SYN out, nothing else: the ACK of the SYN-ACK is still to come. */
static bool is_ack_pending(const struct tcp_info *info)
{
	return info->tcpi_segs_out == 1;
}

static void say_why_not_pending(const struct tcp_info *info, uint64_t number, uint64_t took_ms)
{
	fprintf(stderr,
		"connection %" PRIu64 ": open after %" PRIu64
		" ms, sent %u segments, %u again, got %u, RTT %u us\n",
		number, took_ms, info->tcpi_segs_out, info->tcpi_total_retrans, info->tcpi_segs_in,
		info->tcpi_rtt);
}

static void read_back(int fd, const struct plan *plan)
{
	size_t have = 0;

	while (have < plan->bytes) {
		ssize_t got = recv(fd, plan->got + have, plan->bytes - have, 0);
		if (got < 0)
			fail("recv");
		if (got == 0) {
			errno = EPIPE;
			fail("the stream ended early");
		}
		have += (size_t)got;
	}
	if (memcmp(plan->sent, plan->got, plan->bytes)) {
		errno = EBADMSG;
		fail("the echo differs");
	}
}

static void finish(int fd, const struct plan *plan)
{
	const struct linger hard = {.l_onoff = 1};
	char byte;

	if (plan->is_reset || plan->is_abort) {
		setsockopt(fd, SOL_SOCKET, SO_LINGER, &hard, sizeof(hard));
	} else {
		shutdown(fd, SHUT_WR);
		if (recv(fd, &byte, 1, 0) != 0)
			fail("no end of the stream");
	}
	close(fd);
}

/* A sleep would be too long. */
static void spin_ns(uint64_t ns)
{
	struct timespec start, now;

	clock_gettime(CLOCK_MONOTONIC, &start);
	do
		clock_gettime(CLOCK_MONOTONIC, &now);
	while ((uint64_t)(now.tv_sec - start.tv_sec) * 1000000000 + (uint64_t)now.tv_nsec -
		       (uint64_t)start.tv_nsec <
	       ns);
}

/* Did the final ACK carry data? */
static bool run_one(const struct plan *plan, uint64_t seed)
{
	uint64_t began_ms = now_ms();
	int fd = open_connection(plan);
	struct tcp_info info;

	fill_pattern(plan->sent, plan->bytes, seed, 0);
	info = get_info(fd);
	if (plan->is_data_first && !is_ack_pending(&info))
		say_why_not_pending(&info, seed, now_ms() - began_ms);
	if (plan->is_hasty || plan->is_abort)
		spin_ns(seed % HASTY_STEPS * HASTY_STEP_NS);
	if (!(plan->is_abort && seed % 2) &&
	    send(fd, plan->sent, plan->bytes, MSG_NOSIGNAL) != (ssize_t)plan->bytes)
		fail("send");
	if (plan->is_hasty)
		shutdown(fd, SHUT_WR);
	if (!plan->is_abort)
		read_back(fd, plan);
	finish(fd, plan);
	return is_ack_pending(&info);
}

static void stay_on_this_cpu(void)
{
	cpu_set_t cpus;

	CPU_ZERO(&cpus);
	CPU_SET((unsigned int)sched_getcpu(), &cpus);
	sched_setaffinity(0, sizeof(cpus), &cpus);
}

static void read_mode(struct plan *plan, const char *mode)
{
	plan->is_reset = !strcmp(mode, "reset");
	plan->is_hasty = !strcmp(mode, "hasty");
	plan->is_abort = !strcmp(mode, "abort");
	plan->is_data_first = strcmp(mode, "plain") && !plan->is_hasty && !plan->is_abort;
	if (plan->is_abort)
		stay_on_this_cpu();
}

int main(int argc, char **argv)
{
	struct plan plan = {0};
	unsigned long count, with_data = 0;

	if (argc < 5 || argc > 6)
		usage("HOST PORT COUNT BYTES [plain|reset|hasty|abort]");
	plan.peer_len = resolve(argv[1], argv[2], &plan.peer);
	count = strtoul(argv[3], NULL, 10);
	plan.bytes = strtoul(argv[4], NULL, 10);
	read_mode(&plan, argc == 6 ? argv[5] : "");
	plan.sent = malloc(plan.bytes);
	plan.got = malloc(plan.bytes);
	if (!plan.sent || !plan.got)
		fail("malloc");
	for (unsigned long i = 0; i < count; i++)
		with_data += run_one(&plan, i);
	printf("%lu connections, %lu with data in the final ACK, %zu bytes\n", count, with_data,
	       plan.bytes);
	free(plan.sent);
	free(plan.got);
	return 0;
}
