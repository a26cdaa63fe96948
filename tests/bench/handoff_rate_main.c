/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Hand-offs a second on one thread. Each starts from a finished handshake as the engine leaves it and ends with an
 * established socket; no packet is sent. Closing is not counted, and silent: a socket in repair mode just goes.
 * Runs in a namespace that has LOCAL_ADDRESS and a route to the remote ones.
 */
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "clock.h"
#include "handoff.h"

#define LOCAL_ADDRESS "10.99.0.2"
#define FIRST_REMOTE "10.99.64.1"
#define LOCAL_PORT 34567
#define FIRST_PORT 1024
#define PORTS 64000
#define ROUNDS 7
#define BATCHES 80 /* a round */
#define BATCH 256 /* sockets at a time */

struct series {
	struct engine_flow flow; /* of the last hand-off; ports and sequence numbers move on */
	uint32_t count;
	int fds[BATCH];
};

static bool init_flow(struct engine_flow *flow)
{
	*flow = (struct engine_flow){
		.state = ENGINE_ESTABLISHED,
		.iss = 0x10000000,
		.irs = 0x20000000,
		.remote_mss = 1460,
		.has_wscale = true,
		.has_sack = true,
		.has_timestamps = true,
		.local_wscale = 7,
		.remote_wscale = 7,
		.local_window = 64240,
		.remote_window = 64256,
	};
	flow->tuple.local.port = LOCAL_PORT;
	return addr_parse(LOCAL_ADDRESS, &flow->tuple.local.addr) &&
	       addr_parse(FIRST_REMOTE, &flow->tuple.remote.addr);
}

static void move_on(struct series *series)
{
	struct engine_flow *flow = &series->flow;

	flow->tuple.remote.port = FIRST_PORT + series->count++ % PORTS;
	flow->iss += 64000;
	flow->irs += 64000;
	flow->remote_wl1 = flow->irs + 1;
}

static void close_silently(int fd)
{
	int one = 1;

	setsockopt(fd, IPPROTO_TCP, TCP_REPAIR, &one, sizeof(one));
	close(fd);
}

/* Adds the time of one batch to *spent_ns. */
static int run_batch(struct series *series, uint64_t *spent_ns)
{
	static const struct handoff_options options;
	uint64_t start_ns = clock_monotonic_ns();
	int err = 0, opened = 0;

	while (!err && opened < BATCH) {
		move_on(series);
		err = handoff_open(&series->flow, &options, start_ns, &series->fds[opened]);
		opened += !err;
	}
	*spent_ns += clock_monotonic_ns() - start_ns;
	while (opened)
		close_silently(series->fds[--opened]);
	return err;
}

static int run_round(struct series *series)
{
	uint64_t spent_ns = 0;

	for (int i = 0; i < BATCHES; i++) {
		int err = run_batch(series, &spent_ns);

		if (err)
			return err;
	}
	printf("handoff.per_s %.1f\n", BATCHES * BATCH * 1e9 / spent_ns);
	return 0;
}

int main(void)
{
	static struct series series;
	int err = init_flow(&series.flow) ? 0 : -EINVAL;

	for (int i = 0; !err && i < ROUNDS; i++)
		err = run_round(&series);
	if (err)
		fprintf(stderr, "handoff_rate: hand-off %u: %s\n", series.count, strerror(-err));
	return err ? 1 : 0;
}
