/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "flood.h"

#include <errno.h>
#include <string.h>
#include <sys/prctl.h>
#include <time.h>
#include <unistd.h>

#include "clock.h"
#include "schedule.h"

#define CHUNK 16384 /* frames a call, as fast as it goes: each call makes its pages anew */
#define TICK_NS 250000 /* between two calls of a paced flood */
#define BURST_MAX \
	256 /* what is due beyond that is not made up for: a burst would overflow the queue */

void flood_init(struct flood *flood, const struct lab *lab, struct bench_kern *kern,
		struct flood_result *result)
{
	*flood = (struct flood){.lab = lab,
				.kern = kern,
				.result = result,
				.job = (struct job){.log_fd = -1},
				.take_fd = -1,
				.send_fd = -1};
}

int flood_aim(const struct flood *flood)
{
	const struct lab *lab = flood->lab;
	struct bench_target target = {.remote.port = flood->port ?: BENCH_PORT,
				      .forges_acks = flood->forges_acks};

	memcpy(target.local_mac, lab->links[LAB_CLIENT].mac, sizeof(target.local_mac));
	memcpy(target.remote_mac, lab->links[LAB_SERVER].mac, sizeof(target.remote_mac));
	if (!addr_parse(BENCH_SERVER_ADDRESS, &target.remote.addr) ||
	    !addr_parse(BENCH_FLOOD_PREFIX, &target.source))
		return -EINVAL;
	return bench_kern_aim(flood->kern, &target);
}

static int attach(struct flood *flood)
{
	const struct lab *lab = flood->lab;

	flood->take_fd =
		bench_kern_attach(flood->kern, BENCH_TAKE, lab->links[LAB_CLIENT].ifindex, false);
	if (flood->take_fd < 0)
		return flood->take_fd;
	flood->send_fd = bench_kern_attach(flood->kern, BENCH_SEND, lab->spare_ifindex, true);
	return flood->send_fd < 0 ? flood->send_fd : 0;
}

int flood_open(struct flood *flood, bool finishes_handshakes)
{
	int err = flood_aim(flood);

	bench_kern_finish_handshakes(flood->kern, finishes_handshakes);
	if (err || flood->take_fd >= 0)
		return err;
	err = lab_enter(flood->lab, LAB_CLIENT);
	if (err)
		return err;
	err = attach(flood);
	err = lab_enter(flood->lab, LAB_HOME) ?: err;
	if (!err)
		err = bench_lab_set_gro(flood->lab, true);
	if (err)
		flood_close(flood);
	return err;
}

void flood_close(struct flood *flood)
{
	job_stop(&flood->job);
	flood->has_run = false;
	if (flood->take_fd < 0)
		return;
	close(flood->take_fd);
	if (flood->send_fd >= 0)
		close(flood->send_fd);
	flood->take_fd = flood->send_fd = -1;
	bench_lab_set_gro(flood->lab, false);
}

static bool is_over(const struct flood *flood, uint64_t now_ns, uint64_t end_ns)
{
	return flood->count ? flood->result->sent >= flood->count : now_ns >= end_ns;
}

static int send_paced(const struct flood *flood, uint64_t end_ns)
{
	const struct pace pace = {clock_monotonic_ns(), flood->per_s};
	uint64_t given_up = 0, due;
	int err = 0;

	prctl(PR_SET_TIMERSLACK, 1);
	for (uint64_t now_ns = pace.start_ns; !err && !is_over(flood, now_ns, end_ns);
	     now_ns = clock_monotonic_ns()) {
		due = pace_due(&pace, now_ns) - given_up - flood->result->sent;
		if (flood->count && due > flood->count - flood->result->sent)
			due = flood->count - flood->result->sent;
		if (due > BURST_MAX) {
			given_up += due - BURST_MAX;
			due = BURST_MAX;
		}
		err = bench_kern_send(flood->kern, flood->lab->links[LAB_CLIENT].ifindex, due);
		flood->result->sent += due;
		clock_sleep_until(now_ns + TICK_NS);
	}
	return err;
}

static int send_unpaced(const struct flood *flood, uint64_t end_ns)
{
	int err = 0;

	while (!err && clock_monotonic_ns() < end_ns) {
		err = bench_kern_send(flood->kern, flood->lab->links[LAB_CLIENT].ifindex, CHUNK);
		flood->result->sent += CHUNK;
	}
	return err;
}

static int run_flood(const void *argument, void *result)
{
	const struct flood *flood = argument;
	struct flood_result *out = result;
	const uint64_t start_ns = clock_monotonic_ns();
	const uint64_t end_ns = start_ns + flood->duration_ms * CLOCK_NS_PER_MS;
	struct bench_seen before, after;
	int err = bench_kern_read(flood->kern, &before);

	*out = (struct flood_result){0};
	if (!err)
		err = flood->per_s ? send_paced(flood, end_ns) : send_unpaced(flood, end_ns);
	out->elapsed_ns = clock_monotonic_ns() - start_ns;
	if (!err)
		err = bench_kern_read(flood->kern, &after);
	if (err)
		return err;
	out->seen = (struct bench_seen){after.syn_ack - before.syn_ack,
					after.reflected - before.reflected, after.rst - before.rst,
					after.other - before.other};
	return 0;
}

static int start(struct flood *flood)
{
	struct job_function function = {
		.fn = run_flood, .argument = flood, .result = flood->result, .place = LAB_CLIENT};

	flood->has_run = true;
	function.cpu = flood->lab->cpus[flood->per_s ? LAB_SERVER : LAB_CLIENT];
	return job_start(flood->lab, &function, &flood->job);
}

int flood_start(struct flood *flood, uint32_t per_s, uint32_t duration_ms)
{
	flood->per_s = per_s;
	flood->duration_ms = duration_ms;
	flood->count = 0;
	return start(flood);
}

int flood_wait(struct flood *flood)
{
	return job_wait(&flood->job, flood->duration_ms + 5000);
}

int flood_send(struct flood *flood, uint32_t count, uint32_t per_s)
{
	flood->per_s = per_s;
	flood->duration_ms = count * 1000 / per_s;
	flood->count = count;
	return start(flood) ?: flood_wait(flood);
}
