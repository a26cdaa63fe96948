/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Clients among a crowd: their first byte while thousands of connections are established and silent, and what each of
 * these costs the server's process and its maps beside the socket. The crowd comes from the generator, so that it has
 * no sockets at the client's end.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/sysinfo.h>

#include "crowd.h"
#include "measure.h"
#include "name_list.h"
#include "open_loop.h"

#define CROWD 10000
#define CROWD_QUICK 2000
#define CROWD_LARGE 100000
#define LARGE_BYTES (100000 * 8192ull) /* free memory that it takes, with a margin */
#define CLIENTS_PER_S 2000
#define WAIT_MS 6000 /* beside the slice */

static int clients_in_child(const void *argument, void *result)
{
	return open_loop_run(argument, result);
}

static int run_clients(struct trial *trial, const char *prefix, uint32_t slice_ms)
{
	const struct open_loop_options options = {
		.load = measure_load(), .per_s = CLIENTS_PER_S, .duration_ms = slice_ms};
	const struct job_function clients = {.fn = clients_in_child,
					     .argument = &options,
					     .result = trial->scratch,
					     .place = LAB_CLIENT,
					     .cpu = trial->lab->cpus[LAB_CLIENT]};
	struct open_loop_result *result = trial->scratch;
	char figure[SAMPLES_NAME_SIZE];
	int err;

	memset(result, 0, sizeof(*result));
	err = job_run(trial->lab, &clients, slice_ms + WAIT_MS);
	if (err)
		return err;
	if (!result->served)
		return trial_fail(trial, -ENODATA, "no client was served: %s",
				  strerror(-result->first_error));
	snprintf(figure, sizeof(figure), "%sfirst_byte_p50_us", prefix);
	trial_record(trial, figure, histogram_quantile(&result->first_byte, 0.5) / 1000);
	snprintf(figure, sizeof(figure), "%sfirst_byte_p99_us", prefix);
	trial_record(trial, figure, histogram_quantile(&result->first_byte, 0.99) / 1000);
	return 0;
}

/* It takes seconds and memory. */
static const char *why_not_large(const struct trial *trial)
{
	struct sysinfo info;

	if (trial->is_quick)
		return "not taken by --quick";
	if (!trial->board->only && !name_list_has(MEASURE_CHIEF, trial->row->name))
		return "taken by --only=crowd";
	if (trial->board->round)
		return "taken in the first round";
	if (sysinfo(&info) || (uint64_t)info.freeram * info.mem_unit < LARGE_BYTES)
		return "too little memory is free";
	return NULL;
}

static int take_large(struct trial *trial, struct crowd *crowd, uint32_t slice_ms)
{
	int err = crowd_gather(trial, crowd, CROWD_LARGE)
			  ?: run_clients(trial, "crowd.100000.", slice_ms);

	if (!err)
		trial_record(trial, "crowd.100000.established",
			     (double)(crowd->own + crowd->others));
	return err;
}

static int run_large(struct trial *trial, struct crowd *crowd, uint32_t slice_ms)
{
	const char *reason = why_not_large(trial);
	int err;

	if (!reason) {
		err = take_large(trial, crowd, slice_ms);
		if (!err || err == -EINTR)
			return err;
		reason = *trial->reason ? trial->reason : strerror(-err);
	}
	trial_record_reason(trial, "crowd.100000.established", reason);
	trial_record_reason(trial, "crowd.100000.first_byte_p50_us", reason);
	trial_record_reason(trial, "crowd.100000.first_byte_p99_us", reason);
	return 0;
}

static int prepare(struct trial *trial)
{
	const bool has_table = trial->contender->kind == CONTENDER_LOADER;
	int err =
		has_table && !why_not_large(trial) ? trial_restart(trial, "--max-flows=131072") : 0;

	if (err)
		return err;
	err = flood_open(&trial->flood, true);
	return err ? trial_fail(trial, err, "the crowd: %s", strerror(-err)) : 0;
}

static int take_crowd(struct trial *trial, struct crowd *crowd, uint32_t slice_ms)
{
	double bytes_before, bytes;
	int err = measure_own_memory(trial, &bytes_before)
			  ?: crowd_gather(trial, crowd, trial->is_quick ? CROWD_QUICK : CROWD)
			  ?: measure_own_memory(trial, &bytes)
			  ?: run_clients(trial, "crowd.", slice_ms);

	if (err)
		return err;
	trial_record(trial, "crowd.established", (double)crowd->own);
	bytes = (bytes - bytes_before) / (double)crowd->own;
	trial_record(trial, "crowd.own_bytes", bytes > 0 ? bytes : 0);
	return run_large(trial, crowd, slice_ms);
}

int measure_crowd(struct trial *trial, uint32_t slice_ms)
{
	struct crowd crowd;
	int err = prepare(trial) ?: crowd_begin(trial, &crowd);

	if (err)
		return err;
	err = take_crowd(trial, &crowd, slice_ms);
	crowd_end(trial, &crowd);
	return err;
}
