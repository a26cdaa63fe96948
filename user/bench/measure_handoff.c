/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Hand-offs a second against threads. Each starts from a finished handshake as the engine leaves it and ends with an
 * established socket; no packet is sent. Closing is not counted, and silent: a socket in repair mode just goes.
 */
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "clock.h"
#include "measure.h"
#include "repair.h"

#define FIRST_PORT 1024
#define PORTS 64000
#define BATCH 128 /* sockets at a time */
#define WAIT_MS 10000

struct series {
	pthread_t thread;
	struct engine_flow flow; /* of the last hand-off; ports and sequence numbers move on */
	uint64_t end_ns;
	uint64_t count, spent_ns;
	int fds[BATCH];
	int err;
};

struct handoff_run {
	unsigned int threads;
	uint32_t duration_ms;
};

struct handoff_rate {
	double per_s;
};

/* Each thread has a remote address of its own. */
static bool init_flow(struct engine_flow *flow, unsigned int thread)
{
	*flow = (struct engine_flow){
		.state = ENGINE_ESTABLISHED,
		.iss = 0x10000000,
		.irs = 0x20000000,
		.remote_mss = 1460,
		.local_mss = 1460,
		.has_wscale = true,
		.has_sack = true,
		.has_timestamps = true,
		.local_wscale = 7,
		.remote_wscale = 7,
		.local_window = 64240,
		.remote_window = 64256,
	};
	flow->tuple.local.port = BENCH_PORT;
	if (!addr_parse(BENCH_SERVER_ADDRESS, &flow->tuple.local.addr) ||
	    !addr_parse(BENCH_FIRST_SOURCE, &flow->tuple.remote.addr))
		return false;
	flow->tuple.remote.addr.bytes[15] += thread + 1;
	return true;
}

static void move_on(struct series *series)
{
	struct engine_flow *flow = &series->flow;

	flow->tuple.remote.port = FIRST_PORT + series->count % PORTS;
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

static int run_batch(struct series *series)
{
	static const struct socket_place place;
	const uint64_t start_ns = clock_monotonic_ns();
	int err = 0, opened = 0;

	while (!err && opened < BATCH) {
		move_on(series);
		err = repair_open(&series->flow, &place, WIRE_SHIELD_HOLD, start_ns,
				  &series->fds[opened]);
		opened += !err;
		series->count += !err;
	}
	series->spent_ns += clock_monotonic_ns() - start_ns;
	while (opened)
		close_silently(series->fds[--opened]);
	return err;
}

static void *run_thread(void *argument)
{
	struct series *series = argument;

	while (!series->err && clock_monotonic_ns() < series->end_ns)
		series->err = run_batch(series);
	return NULL;
}

static int start_threads(struct series *all, const struct handoff_run *run, unsigned int *started)
{
	const uint64_t end_ns = clock_monotonic_ns() + run->duration_ms * CLOCK_NS_PER_MS;

	for (*started = 0; *started < run->threads; ++*started) {
		struct series *series = &all[*started];

		*series = (struct series){.end_ns = end_ns};
		if (!init_flow(&series->flow, *started))
			return -EINVAL;
		if (pthread_create(&series->thread, NULL, run_thread, series))
			return -EAGAIN;
	}
	return 0;
}

static int run_threads(const void *argument, void *result)
{
	static struct series all[HANDOFF_THREADS_MAX];
	struct handoff_rate *rate = result;
	unsigned int started;
	int err = start_threads(all, argument, &started);

	rate->per_s = 0;
	for (unsigned int i = 0; i < started; i++) {
		pthread_join(all[i].thread, NULL);
		err = err ?: all[i].err;
		if (all[i].spent_ns)
			rate->per_s += all[i].count * 1e9 / all[i].spent_ns;
	}
	return err;
}

static int measure_threads(struct trial *trial, unsigned int threads, uint32_t slice_ms)
{
	const struct handoff_run run = {.threads = threads, .duration_ms = slice_ms};
	struct handoff_rate *rate = trial->scratch;
	const struct job_function function = {.fn = run_threads,
					      .argument = &run,
					      .result = rate,
					      .place = LAB_SERVER,
					      .cpu = JOB_ANY_CPU};
	char figure[SAMPLES_NAME_SIZE];
	int err = job_run(trial->lab, &function, slice_ms + WAIT_MS);

	snprintf(figure, sizeof(figure), "handoff.%u.per_s", threads);
	if (err == -EINTR)
		return err;
	if (err)
		board_record_reason(trial->board, HANDOFF_NAME, figure, strerror(-err));
	else
		board_record(trial->board, HANDOFF_NAME, figure, rate->per_s);
	return 0;
}

int measure_handoff(struct trial *trial, uint32_t slice_ms)
{
	int err = 0;

	for (unsigned int threads = 1; !err && threads <= HANDOFF_THREADS_MAX; threads *= 2)
		err = measure_threads(trial, threads, slice_ms);
	return err;
}
