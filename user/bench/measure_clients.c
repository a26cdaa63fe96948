/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What clients see: latency, connections a second, and how they fare in a flood. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "measure.h"
#include "open_loop.h"

#define IDLE_PER_S 2000
#define FLOODED_PER_S 2000
#define WARMUP_MS 10
#define PARALLEL 32
#define WAIT_MS 6000 /* beside the slice itself */
#define QUANTILE_COUNT_MIN 20
#define P99_COUNT_MIN 100
#define P999_COUNT_MIN 1000

static struct load_options lab_load(void)
{
	struct load_options options = {.remote.port = BENCH_PORT, .source_count = BENCH_SOURCES};

	addr_parse(BENCH_SERVER_ADDRESS, &options.remote.addr);
	addr_parse(BENCH_FIRST_SOURCE, &options.source);
	return options;
}

/* Runs in the client's namespace; *scratch of trial is where the result is. */
static int run_in_client(struct trial *trial, job_fn fn, const void *argument, void *result,
			 uint32_t slice_ms)
{
	const struct job_function function = {.fn = fn,
					      .argument = argument,
					      .result = result,
					      .place = LAB_CLIENT,
					      .cpu = trial->lab->cpus[LAB_CLIENT]};

	return job_run(trial->lab, &function, slice_ms + WAIT_MS);
}

static void take_tally(struct tally *tally, const struct open_loop_result *result)
{
	tally->attempts += result->attempts;
	tally->connected += result->connected;
	tally->served += result->served;
	tally->first_error = tally->first_error ?: result->first_error;
	histogram_merge(&tally->connect, &result->connect);
	histogram_merge(&tally->first_byte, &result->first_byte);
}

static int connect_in_child(const void *argument, void *result)
{
	return open_loop_connect(argument, result);
}

int measure_connect(struct trial *trial, uint32_t slice_ms)
{
	const struct open_loop_options options = {
		.load = lab_load(), .per_s = IDLE_PER_S, .duration_ms = slice_ms};
	struct open_loop_result *result = trial->scratch;
	int err;

	memset(result, 0, sizeof(*result));
	err = run_in_client(trial, connect_in_child, &options, result, slice_ms);
	if (err)
		return err;
	if (!result->connected)
		return trial_fail(trial, -ECONNREFUSED, "connect(): %s",
				  strerror(-result->first_error));
	take_tally(&trial->row->tallies.idle, result);
	return 0;
}

static int load_in_child(const void *argument, void *result)
{
	return load_run(argument, result);
}

static int run_load(struct trial *trial, uint32_t parallel, uint32_t slice_ms,
		    const struct load_result **out)
{
	struct load_options options = lab_load();
	struct load_result *result = trial->scratch;
	int err;

	options.warmup_ms = WARMUP_MS;
	options.duration_ms = slice_ms;
	options.parallel = parallel;
	err = run_in_client(trial, load_in_child, &options, result, slice_ms);
	if (err)
		return err;
	if (!result->connections)
		return trial_fail(trial, -ENODATA, "%s",
				  result->failed ? strerror(-result->first_error)
						 : "no connection came to its end in time");
	*out = result;
	return 0;
}

static double quantile_us(const struct histogram *histogram, double share)
{
	return histogram_quantile(histogram, share) / 1000;
}

static double per_second(const struct load_result *result)
{
	return result->connections * 1e9 / result->counted_ns;
}

int measure_serial(struct trial *trial, uint32_t slice_ms)
{
	const struct load_result *result;
	int err = run_load(trial, 1, slice_ms, &result);

	if (err)
		return err;
	trial_record(trial, "serial.per_s", per_second(result));
	trial_record(trial, "serial.failed", result->failed);
	trial_record(trial, "serial.p50_us", quantile_us(&result->latency, 0.5));
	trial_record(trial, "serial.p90_us", quantile_us(&result->latency, 0.9));
	trial_record(trial, "serial.p99_us", quantile_us(&result->latency, 0.99));
	return 0;
}

int measure_parallel(struct trial *trial, uint32_t slice_ms)
{
	const struct load_result *result;
	int err = run_load(trial, PARALLEL, slice_ms, &result);

	if (err)
		return err;
	trial_record(trial, "parallel.per_s", per_second(result));
	trial_record(trial, "parallel.failed", result->failed);
	trial_record(trial, "parallel.p50_us", quantile_us(&result->latency, 0.5));
	trial_record(trial, "parallel.p99_us", quantile_us(&result->latency, 0.99));
	return 0;
}

static int open_loop_in_child(const void *argument, void *result)
{
	return open_loop_run(argument, result);
}

/* The clients come while the flood is on, and it stays on until the last has had its time. */
static int flood_once(struct trial *trial, unsigned int rate, uint32_t slice_ms)
{
	const struct open_loop_options options = {
		.load = lab_load(), .per_s = FLOODED_PER_S, .duration_ms = slice_ms};
	struct open_loop_result *result = trial->scratch;
	const struct flood_result *flood = trial->flood.result;
	const uint32_t per_s = trial->board->flood_rates[rate];
	char name[SAMPLES_NAME_SIZE];
	int err = flood_start(&trial->flood, per_s, slice_ms + WARMUP_MS * 2);

	if (!err)
		err = job_sleep(WARMUP_MS);
	memset(result, 0, sizeof(*result));
	if (!err)
		err = run_in_client(trial, open_loop_in_child, &options, result, slice_ms);
	if (err) {
		job_stop(&trial->flood.job);
		return err;
	}
	err = flood_wait(&trial->flood);
	if (err)
		return trial_fail(trial, err, "the flood: %s", strerror(-err));
	take_tally(&trial->row->tallies.under_flood[rate], result);
	snprintf(name, sizeof(name), "flood.%u.offered_per_s", per_s);
	trial_record(trial, name, flood->sent * 1e9 / flood->elapsed_ns);
	return 0;
}

int measure_flood(struct trial *trial, uint32_t slice_ms)
{
	int err = flood_open(&trial->flood, false);

	if (err)
		return trial_fail(trial, err, "the flood: %s", strerror(-err));
	for (unsigned int i = 0; !err && trial->board->flood_rates[i]; i++)
		err = flood_once(trial, i, slice_ms);
	return err;
}

/* What a figure is recorded for: a contender, and a flood or none. */
struct recorded {
	struct board *board;
	const char *name, *prefix;
};

/* A quantile of fewer values than it takes to have one is no figure. */
static void record_quantile(const struct recorded *of, const char *name,
			    const struct histogram *histogram, double share, uint64_t count_min)
{
	char figure[SAMPLES_NAME_SIZE], reason[SAMPLES_REASON_SIZE];

	snprintf(figure, sizeof(figure), "%s%s", of->prefix, name);
	if (histogram->count >= count_min) {
		board_record(of->board, of->name, figure, quantile_us(histogram, share));
		return;
	}
	snprintf(reason, sizeof(reason), "%llu latencies are too few",
		 (unsigned long long)histogram->count);
	board_record_reason(of->board, of->name, figure, reason);
}

static void record_idle(struct board *board, const char *name, const struct tally *tally)
{
	const struct recorded of = {board, name, "connect."};

	if (!tally->attempts)
		return;
	record_quantile(&of, "p50_us", &tally->connect, 0.5, QUANTILE_COUNT_MIN);
	record_quantile(&of, "p99_us", &tally->connect, 0.99, P99_COUNT_MIN);
	record_quantile(&of, "p999_us", &tally->connect, 0.999, P999_COUNT_MIN);
	board_record(board, name, "connect.success_pct",
		     tally->connected * 100.0 / tally->attempts);
}

static void record_flooded(struct board *board, const char *name, uint32_t per_s,
			   const struct tally *tally)
{
	char prefix[SAMPLES_NAME_SIZE / 2], figure[SAMPLES_NAME_SIZE];
	const struct recorded of = {board, name, prefix};

	if (!tally->attempts)
		return;
	snprintf(prefix, sizeof(prefix), "flood.%u.", per_s);
	snprintf(figure, sizeof(figure), "%ssuccess_pct", prefix);
	board_record(board, name, figure, tally->served * 100.0 / tally->attempts);
	record_quantile(&of, "connect_p50_us", &tally->connect, 0.5, QUANTILE_COUNT_MIN);
	record_quantile(&of, "connect_p99_us", &tally->connect, 0.99, P99_COUNT_MIN);
	record_quantile(&of, "connect_p999_us", &tally->connect, 0.999, P999_COUNT_MIN);
	record_quantile(&of, "first_byte_p50_us", &tally->first_byte, 0.5, QUANTILE_COUNT_MIN);
	record_quantile(&of, "first_byte_p99_us", &tally->first_byte, 0.99, P99_COUNT_MIN);
}

void measure_finish(struct board *board)
{
	for (unsigned int i = 0; i < board->row_count; i++) {
		const struct board_row *row = &board->rows[i];

		record_idle(board, row->name, &row->tallies.idle);
		for (unsigned int rate = 0; board->flood_rates[rate]; rate++)
			record_flooded(board, row->name, board->flood_rates[rate],
				       &row->tallies.under_flood[rate]);
	}
}
