/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * What clients see while forged ACKs come, as many as the server's CPU can be sent: segments that belong to nothing, and
 * that a listener answers by a RST each, as far as it comes to that.
 */
#include <errno.h>
#include <string.h>

#include "measure.h"
#include "open_loop.h"

#define CLIENTS_PER_S 2000
#define STRAYS_PER_S 1000000
#define WARMUP_MS 10
#define WAIT_MS 6000 /* beside the slice */
#define P50_COUNT_MIN 20
#define P99_COUNT_MIN 100

static int clients_in_child(const void *argument, void *result)
{
	return open_loop_run(argument, result);
}

static int run_clients(struct trial *trial, uint32_t slice_ms)
{
	const struct open_loop_options options = {
		.load = measure_load(), .per_s = CLIENTS_PER_S, .duration_ms = slice_ms};
	const struct job_function clients = {.fn = clients_in_child,
					     .argument = &options,
					     .result = trial->scratch,
					     .place = LAB_CLIENT,
					     .cpu = trial->lab->cpus[LAB_CLIENT]};

	memset(trial->scratch, 0, sizeof(struct open_loop_result));
	return job_sleep(WARMUP_MS) ?: job_run(trial->lab, &clients, slice_ms + WAIT_MS);
}

static void record_quantile(struct trial *trial, const char *figure, double share,
			    uint64_t count_min)
{
	const struct open_loop_result *clients = trial->scratch;

	if (clients->first_byte.count < count_min)
		trial_record_reason(trial, figure, "too few were served");
	else
		trial_record(trial, figure, histogram_quantile(&clients->first_byte, share) / 1000);
}

static void record(struct trial *trial)
{
	const struct open_loop_result *clients = trial->scratch;
	const struct flood_result *strays = trial->flood.result;

	record_quantile(trial, "strays.first_byte_p50_us", 0.5, P50_COUNT_MIN);
	record_quantile(trial, "strays.first_byte_p99_us", 0.99, P99_COUNT_MIN);
	trial_record_share(trial, "strays.success_pct", (double)clients->served,
			   (double)clients->attempts);
	trial_record(trial, "strays.offered_per_s", strays->sent * 1e9 / strays->elapsed_ns);
	trial_record(trial, "strays.rst_per_s", strays->seen.rst * 1e9 / strays->elapsed_ns);
}

static int run_both(struct trial *trial, uint32_t slice_ms)
{
	int err = flood_open(&trial->flood, false);

	if (!err)
		err = flood_start(&trial->flood, STRAYS_PER_S, slice_ms + 2 * WARMUP_MS);
	if (err)
		return trial_fail(trial, err, "the flood: %s", strerror(-err));
	err = run_clients(trial, slice_ms);
	if (err) {
		job_stop(&trial->flood.job);
		return err;
	}
	err = flood_wait(&trial->flood);
	if (err)
		return trial_fail(trial, err, "the flood: %s", strerror(-err));
	record(trial);
	return 0;
}

int measure_strays(struct trial *trial, uint32_t slice_ms)
{
	int err;

	trial->flood.forges_acks = true;
	err = run_both(trial, slice_ms);
	trial->flood.forges_acks = false;
	return err;
}
