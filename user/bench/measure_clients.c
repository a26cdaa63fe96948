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

/* Runs in the client's namespace; *scratch of bench is where the result is. */
static int run_in_client(struct bench *bench, job_fn fn, const void *argument, void *result,
			 uint32_t slice_ms)
{
	const struct job_function function = {.fn = fn,
					      .argument = argument,
					      .result = result,
					      .place = LAB_CLIENT,
					      .cpu = bench->lab.cpus[LAB_CLIENT]};

	return job_run(&bench->lab, &function, slice_ms + WAIT_MS);
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

int measure_connect(struct bench *bench, uint32_t slice_ms)
{
	const struct open_loop_options options = {
		.load = lab_load(), .per_s = IDLE_PER_S, .duration_ms = slice_ms};
	struct open_loop_result *result = (void *)bench->scratch;
	int err;

	memset(result, 0, sizeof(*result));
	err = run_in_client(bench, connect_in_child, &options, result, slice_ms);
	if (err)
		return err;
	if (!result->connected)
		return bench_fail(bench, -ECONNREFUSED, "connect(): %s",
				  strerror(-result->first_error));
	take_tally(&bench_tallies(bench)->idle, result);
	return 0;
}

static int load_in_child(const void *argument, void *result)
{
	return load_run(argument, result);
}

static int run_load(struct bench *bench, uint32_t parallel, uint32_t slice_ms,
		    const struct load_result **out)
{
	struct load_options options = lab_load();
	struct load_result *result = (void *)bench->scratch;
	int err;

	options.warmup_ms = WARMUP_MS;
	options.duration_ms = slice_ms;
	options.parallel = parallel;
	err = run_in_client(bench, load_in_child, &options, result, slice_ms);
	if (err)
		return err;
	if (!result->connections)
		return bench_fail(bench, -ENODATA, "%s",
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

int measure_serial(struct bench *bench, uint32_t slice_ms)
{
	const struct load_result *result;
	int err = run_load(bench, 1, slice_ms, &result);

	if (err)
		return err;
	bench_record(bench, "serial.per_s", per_second(result));
	bench_record(bench, "serial.failed", result->failed);
	bench_record(bench, "serial.p50_us", quantile_us(&result->latency, 0.5));
	bench_record(bench, "serial.p90_us", quantile_us(&result->latency, 0.9));
	bench_record(bench, "serial.p99_us", quantile_us(&result->latency, 0.99));
	return 0;
}

int measure_parallel(struct bench *bench, uint32_t slice_ms)
{
	const struct load_result *result;
	int err = run_load(bench, PARALLEL, slice_ms, &result);

	if (err)
		return err;
	bench_record(bench, "parallel.per_s", per_second(result));
	bench_record(bench, "parallel.failed", result->failed);
	bench_record(bench, "parallel.p50_us", quantile_us(&result->latency, 0.5));
	bench_record(bench, "parallel.p99_us", quantile_us(&result->latency, 0.99));
	return 0;
}

static int open_loop_in_child(const void *argument, void *result)
{
	return open_loop_run(argument, result);
}

/* The clients come while the flood is on, and it stays on until the last has had its time. */
static int flood_once(struct bench *bench, unsigned int rate, uint32_t slice_ms)
{
	const struct open_loop_options options = {
		.load = lab_load(), .per_s = FLOODED_PER_S, .duration_ms = slice_ms};
	struct open_loop_result *result = (void *)bench->scratch;
	const struct flood_result *flood = bench->flood.result;
	const uint32_t per_s = bench->flood_rates[rate];
	char name[SAMPLES_NAME_SIZE];
	int err = flood_start(&bench->flood, per_s, slice_ms + WARMUP_MS * 2);

	if (!err)
		err = job_sleep(WARMUP_MS);
	memset(result, 0, sizeof(*result));
	if (!err)
		err = run_in_client(bench, open_loop_in_child, &options, result, slice_ms);
	if (err) {
		job_stop(&bench->flood.job);
		return err;
	}
	err = flood_wait(&bench->flood);
	if (err)
		return bench_fail(bench, err, "the flood: %s", strerror(-err));
	take_tally(&bench_tallies(bench)->under_flood[rate], result);
	snprintf(name, sizeof(name), "flood.%u.offered_per_s", per_s);
	bench_record(bench, name, flood->sent * 1e9 / flood->elapsed_ns);
	return 0;
}

int measure_flood(struct bench *bench, uint32_t slice_ms)
{
	int err = flood_open(&bench->flood, false);

	if (err)
		return bench_fail(bench, err, "the flood: %s", strerror(-err));
	for (unsigned int i = 0; !err && bench->flood_rates[i]; i++)
		err = flood_once(bench, i, slice_ms);
	return err;
}

/* A quantile of fewer values than it takes to have one is no figure. */
static void record_quantile(struct bench *bench, const char *prefix, const char *name,
			    const struct histogram *histogram, double share, uint64_t count_min)
{
	char figure[SAMPLES_NAME_SIZE], reason[SAMPLES_REASON_SIZE];

	snprintf(figure, sizeof(figure), "%s%s", prefix, name);
	if (histogram->count >= count_min) {
		bench_record(bench, figure, quantile_us(histogram, share));
		return;
	}
	snprintf(reason, sizeof(reason), "%llu latencies are too few",
		 (unsigned long long)histogram->count);
	bench_record_reason(bench, figure, reason);
}

static void record_flooded(struct bench *bench, uint32_t per_s, const struct tally *tally)
{
	char prefix[SAMPLES_NAME_SIZE / 2], name[SAMPLES_NAME_SIZE];

	snprintf(prefix, sizeof(prefix), "flood.%u.", per_s);
	snprintf(name, sizeof(name), "%ssuccess_pct", prefix);
	bench_record(bench, name, tally->served * 100.0 / tally->attempts);
	record_quantile(bench, prefix, "connect_p50_us", &tally->connect, 0.5, QUANTILE_COUNT_MIN);
	record_quantile(bench, prefix, "connect_p99_us", &tally->connect, 0.99, P99_COUNT_MIN);
	record_quantile(bench, prefix, "connect_p999_us", &tally->connect, 0.999, P999_COUNT_MIN);
	record_quantile(bench, prefix, "first_byte_p50_us", &tally->first_byte, 0.5,
			QUANTILE_COUNT_MIN);
	record_quantile(bench, prefix, "first_byte_p99_us", &tally->first_byte, 0.99,
			P99_COUNT_MIN);
}

void measure_finish(struct bench *bench)
{
	for (bench->current = 0; bench->current < bench->contender_count; bench->current++) {
		const struct tallies *tallies = bench_tallies(bench);
		const struct histogram *idle = &tallies->idle.connect;

		if (tallies->idle.attempts) {
			record_quantile(bench, "connect.", "p50_us", idle, 0.5, QUANTILE_COUNT_MIN);
			record_quantile(bench, "connect.", "p99_us", idle, 0.99, P99_COUNT_MIN);
			record_quantile(bench, "connect.", "p999_us", idle, 0.999, P999_COUNT_MIN);
			bench_record(bench, "connect.success_pct",
				     tallies->idle.connected * 100.0 / tallies->idle.attempts);
		}
		for (unsigned int i = 0; bench->flood_rates[i]; i++)
			if (tallies->under_flood[i].attempts)
				record_flooded(bench, bench->flood_rates[i],
					       &tallies->under_flood[i]);
	}
}
