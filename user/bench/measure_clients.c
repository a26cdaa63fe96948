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

struct load_options measure_load(void)
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

/* Whose figures they are, and how their names begin: "connect.p50_us", or "flood.600000.first_byte_p50_us". */
struct recorded {
	struct board *board;
	const char *name;
	char success[SAMPLES_NAME_SIZE / 2], connect[SAMPLES_NAME_SIZE / 2];
	char first_byte[SAMPLES_NAME_SIZE / 2]; /* empty: not told */
};

static struct recorded of_idle(struct board *board, const struct board_row *row)
{
	return (struct recorded){board, row->name, "connect.", "connect.", ""};
}

static struct recorded of_flood(struct board *board, const struct board_row *row, uint32_t per_s)
{
	struct recorded of = {.board = board, .name = row->name};

	snprintf(of.success, sizeof(of.success), "flood.%u.", per_s);
	snprintf(of.connect, sizeof(of.connect), "flood.%u.connect_", per_s);
	snprintf(of.first_byte, sizeof(of.first_byte), "flood.%u.first_byte_", per_s);
	return of;
}

static double quantile_us(const struct histogram *histogram, double share)
{
	return histogram_quantile(histogram, share) / 1000;
}

static const struct quantile {
	const char *figure;
	double share;
	uint64_t count_min; /* a quantile of fewer values is no figure */
} quantiles[] = {{"p50_us", 0.5, 20}, {"p99_us", 0.99, 100}, {"p999_us", 0.999, 1000}};

#define QUANTILES (sizeof(quantiles) / sizeof(quantiles[0]))

static void record_quantiles(const struct recorded *of, const char *prefix,
			     const struct histogram *histogram)
{
	char figure[SAMPLES_NAME_SIZE];

	for (size_t i = 0; *prefix && i < QUANTILES; i++) {
		if (histogram->count < quantiles[i].count_min)
			continue;
		snprintf(figure, sizeof(figure), "%s%s", prefix, quantiles[i].figure);
		board_record(of->board, of->name, figure,
			     quantile_us(histogram, quantiles[i].share));
	}
}

static void record_slice(const struct recorded *of, const struct open_loop_result *result,
			 uint64_t good)
{
	char figure[SAMPLES_NAME_SIZE];

	record_quantiles(of, of->connect, &result->connect);
	record_quantiles(of, of->first_byte, &result->first_byte);
	snprintf(figure, sizeof(figure), "%ssuccess_pct", of->success);
	if (result->attempts)
		board_record_share(of->board, of->name, figure, (double)good,
				   (double)result->attempts);
}

/* What no slice had enough values for comes from all of them together. */
static void record_missing(const struct recorded *of, const char *prefix,
			   const struct histogram *histogram)
{
	char figure[SAMPLES_NAME_SIZE], reason[SAMPLES_REASON_SIZE];
	struct interval ignored;

	for (size_t i = 0; *prefix && i < QUANTILES; i++) {
		snprintf(figure, sizeof(figure), "%s%s", prefix, quantiles[i].figure);
		if (board_get(of->board, of->name, figure, &ignored))
			continue;
		snprintf(reason, sizeof(reason), "%llu latencies are too few",
			 (unsigned long long)histogram->count);
		if (histogram->count >= quantiles[i].count_min)
			board_record(of->board, of->name, figure,
				     quantile_us(histogram, quantiles[i].share));
		else
			board_record_reason(of->board, of->name, figure, reason);
	}
}

static void record_all(const struct recorded *of, const struct tally *tally)
{
	if (!tally->connect.count)
		return;
	record_missing(of, of->connect, &tally->connect);
	record_missing(of, of->first_byte, &tally->first_byte);
}

static void take_tally(struct tally *tally, const struct open_loop_result *result)
{
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
		.load = measure_load(), .per_s = IDLE_PER_S, .duration_ms = slice_ms};
	const struct recorded of = of_idle(trial->board, trial->row);
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
	record_slice(&of, result, result->connected);
	return 0;
}

static int load_in_child(const void *argument, void *result)
{
	return load_run(argument, result);
}

static int run_load(struct trial *trial, uint32_t parallel, uint32_t requests, uint32_t slice_ms,
		    const struct load_result **out)
{
	struct load_options options = measure_load();
	struct load_result *result = trial->scratch;
	int err;

	options.warmup_ms = WARMUP_MS;
	options.duration_ms = slice_ms;
	options.parallel = parallel;
	options.requests = requests;
	err = run_in_client(trial, load_in_child, &options, result, slice_ms);
	if (err)
		return err;
	if (!result->connections && !result->requests)
		return trial_fail(trial, -ENODATA, "%s",
				  result->failed ? strerror(-result->first_error)
						 : "no connection came to its end in time");
	*out = result;
	return 0;
}

static double per_second(const struct load_result *result)
{
	return result->connections * 1e9 / result->counted_ns;
}

int measure_serial(struct trial *trial, uint32_t slice_ms)
{
	const struct load_result *result;
	int err = run_load(trial, 1, 1, slice_ms, &result);

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
	int err = run_load(trial, PARALLEL, 1, slice_ms, &result);

	if (err)
		return err;
	trial_record(trial, "parallel.per_s", per_second(result));
	trial_record(trial, "parallel.each_us", 1e6 / per_second(result));
	trial_record(trial, "parallel.failed", result->failed);
	trial_record(trial, "parallel.p50_us", quantile_us(&result->latency, 0.5));
	trial_record(trial, "parallel.p99_us", quantile_us(&result->latency, 0.99));
	return 0;
}

/* What a server does with connections once it has them: nobody of ours is in their way. */
int measure_requests(struct trial *trial, uint32_t slice_ms)
{
	const struct load_result *result;
	int err = run_load(trial, PARALLEL, UINT32_MAX, slice_ms, &result);

	if (err)
		return err;
	trial_record(trial, "requests.per_s", result->requests * 1e9 / result->counted_ns);
	trial_record(trial, "requests.failed", result->failed);
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
		.load = measure_load(), .per_s = FLOODED_PER_S, .duration_ms = slice_ms};
	struct open_loop_result *result = trial->scratch;
	const struct flood_result *flood = trial->flood.result;
	const uint32_t per_s = trial->board->flood_rates[rate];
	const struct recorded of = of_flood(trial->board, trial->row, per_s);
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
	record_slice(&of, result, result->served);
	snprintf(name, sizeof(name), "%soffered_per_s", of.success);
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

void measure_finish(struct board *board)
{
	for (unsigned int i = 0; i < board->row_count; i++) {
		const struct board_row *row = &board->rows[i];
		struct recorded of = of_idle(board, row);

		record_all(&of, &row->tallies.idle);
		for (unsigned int rate = 0; board->flood_rates[rate]; rate++) {
			of = of_flood(board, row, board->flood_rates[rate]);
			record_all(&of, &row->tallies.under_flood[rate]);
		}
	}
}
