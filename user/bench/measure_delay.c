/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Clients that are far away: connect() to the first byte over a link (lab/relay.h) that takes its time, once without loss and
 * once with. What is lost is the same for each contender of a round: it is a function of the round, and of the client's port.
 */
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "measure.h"
#include "open_loop.h"
#include "relay.h"

#define IFNAME "far0"
#define PREFIX_BITS 24
#define ONE_WAY_US 10000
#define LOST_PER_MILLION 20000
#define CLIENTS_PER_S 500
#define TIMEOUT_MS 4000 /* two lost SYNs take three seconds */
#define WAIT_MS (TIMEOUT_MS + 2000) /* beside the slice */
#define FIRST_PORT 10000
#define FIRST_LOSSY_PORT 20000
#define P50_COUNT_MIN 20
#define P99_COUNT_MIN 100

static const char *const addresses[LAB_PLACES] = {
	[LAB_SERVER] = "10.98.0.2", [LAB_CLIENT] = "10.98.0.1"};

static int run_relay(const void *argument, void *result)
{
	(void)result;
	return relay_run((struct relay *)argument);
}

static int open_end(const struct lab *lab, enum lab_place place, int *end)
{
	struct lab_link link;
	struct addr addr;
	int err = lab_enter(lab, place);

	if (err || !addr_parse(addresses[place], &addr))
		return err ?: -EINVAL;
	*end = relay_open_end(IFNAME, false);
	if (*end < 0)
		return *end;
	return lab_net_find(IFNAME, &link)
		       ?: lab_net_add_address(link.ifindex, &addr, PREFIX_BITS)
		       ?: lab_net_set_up(link.ifindex);
}

static void close_ends(const struct relay *relay)
{
	for (int side = 0; side < RELAY_SIDES; side++)
		if (relay->ends[side] >= 0)
			close(relay->ends[side]);
}

static int open_link(struct trial *trial, struct relay *relay, struct job *job)
{
	const struct job_function function = {
		.fn = run_relay, .argument = relay, .place = LAB_HOME, .cpu = JOB_ANY_CPU};
	int err = open_end(trial->lab, LAB_CLIENT, &relay->ends[RELAY_CLIENT])
			  ?: open_end(trial->lab, LAB_SERVER, &relay->ends[RELAY_SERVER]);

	err = lab_enter(trial->lab, LAB_HOME) ?: err ?: job_start(trial->lab, &function, job);
	return err ? trial_fail(trial, err, "cannot make a link with delay: %s", strerror(-err))
		   : 0;
}

static int clients_in_child(const void *argument, void *result)
{
	return open_loop_run(argument, result);
}

static int run_clients(struct trial *trial, uint16_t first_port, uint32_t slice_ms)
{
	struct open_loop_options options = {
		.load = {.remote.port = BENCH_PORT, .source_count = 1, .first_port = first_port},
		.per_s = CLIENTS_PER_S,
		.duration_ms = slice_ms,
		.timeout_ms = TIMEOUT_MS};
	const struct job_function clients = {.fn = clients_in_child,
					     .argument = &options,
					     .result = trial->scratch,
					     .place = LAB_CLIENT,
					     .cpu = trial->lab->cpus[LAB_CLIENT]};
	const struct open_loop_result *result = trial->scratch;
	int err;

	if (!addr_parse(addresses[LAB_SERVER], &options.load.remote.addr) ||
	    !addr_parse(addresses[LAB_CLIENT], &options.load.source))
		return -EINVAL;
	memset(trial->scratch, 0, sizeof(*result));
	err = job_run(trial->lab, &clients, slice_ms + WAIT_MS);
	if (!err && !result->served)
		return trial_fail(trial, -ENODATA, "no client was served: %s",
				  strerror(-result->first_error));
	return err;
}

static void record_quantile(struct trial *trial, const char *figure, double share,
			    uint64_t count_min)
{
	const struct open_loop_result *result = trial->scratch;

	if (result->first_byte.count < count_min)
		trial_record_reason(trial, figure, "too few were served");
	else
		trial_record(trial, figure, histogram_quantile(&result->first_byte, share) / 1000);
}

static int measure_both(struct trial *trial, uint32_t slice_ms)
{
	const struct open_loop_result *result = trial->scratch;
	int err = run_clients(trial, FIRST_PORT, slice_ms);

	if (err)
		return err;
	record_quantile(trial, "delay.p50_us", 0.5, P50_COUNT_MIN);
	record_quantile(trial, "delay.p99_us", 0.99, P99_COUNT_MIN);
	err = run_clients(trial, FIRST_LOSSY_PORT, slice_ms);
	if (err)
		return err;
	record_quantile(trial, "delay.lossy_p50_us", 0.5, P50_COUNT_MIN);
	record_quantile(trial, "delay.lossy_p99_us", 0.99, P99_COUNT_MIN);
	trial_record_share(trial, "delay.lossy_served_pct", (double)result->served,
			   (double)result->attempts);
	return 0;
}

/* A listener hears of the link by itself. */
static int move_to(struct trial *trial, const char *ifname, const char *address)
{
	struct contender moved = *trial->contender;

	if (moved.kind != CONTENDER_LOADER)
		return 0;
	moved.ifname = ifname;
	moved.address = address;
	return trial_restart_as(trial, &moved);
}

int measure_delay(struct trial *trial, uint32_t slice_ms)
{
	static struct relay relay;
	struct job job = {.log_fd = -1};
	int err, failed;

	relay = (struct relay){.ends = {-1, -1},
			       .command_fd = -1,
			       .rules = {.delay_us = ONE_WAY_US,
					 .loss = {.first_port = FIRST_LOSSY_PORT,
						  .per_million = LOST_PER_MILLION,
						  .seed = trial->board->round}}};
	err = open_link(trial, &relay, &job);
	err = err ?: move_to(trial, IFNAME, addresses[LAB_SERVER]) ?: measure_both(trial, slice_ms);
	failed = err == -EINTR ? 0 : move_to(trial, NULL, NULL);
	job_stop(&job);
	close_ends(&relay);
	return err ?: failed;
}
