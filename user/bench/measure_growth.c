/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * How the cost grows: connections a second, and memory, among more and more flows. The flows are a crowd (crowd.h): established and
 * silent. Half-open ones would be no comparison, as cookies leave none, and the engine sends each its SYN-ACK again.
 */
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <sys/sysinfo.h>

#include "crowd.h"
#include "measure.h"

#define PARALLEL 32
#define WARMUP_MS 10
#define WAIT_MS 6000 /* beside the slice */
#define BYTES_EACH 8192ull /* free memory that a flow takes, with a margin */
#define SOME 10000 /* so many come in a second; more of them in the first round alone */
#define MANY 100000 /* more of them for those who ask for it by --only */
#define MIB (1024.0 * 1024)
#define SETTLE_MS 50

/* Before the first flow, bytes. */
struct baseline {
	double own, all;
};

/* A loader's table has room for what the server can have of the largest. */
static const char max_flows[] = "--max-flows=1048576";

static int load_in_child(const void *argument, void *result)
{
	return load_run(argument, result);
}

static int measure_rate(struct trial *trial, const char *figure, uint32_t slice_ms)
{
	struct load_options options = measure_load();
	const struct job_function function = {.fn = load_in_child,
					      .argument = &options,
					      .result = trial->scratch,
					      .place = LAB_CLIENT,
					      .cpu = trial->lab->cpus[LAB_CLIENT]};
	const struct load_result *result = trial->scratch;
	int err;

	options.warmup_ms = WARMUP_MS;
	options.duration_ms = slice_ms;
	options.parallel = PARALLEL;
	err = job_run(trial->lab, &function, slice_ms + WAIT_MS);
	if (!err && !result->connections)
		return trial_fail(trial, -ENODATA, "no connection came to its end in time");
	if (!err)
		trial_record(trial, figure, result->connections * 1e9 / result->counted_ns);
	return err;
}

static const char *why_not(const struct trial *trial, uint64_t flows)
{
	struct sysinfo info;

	if (flows > SOME && trial->is_quick)
		return "not taken by --quick";
	if (flows > MANY && !trial->board->only)
		return "taken by --only=growth";
	if (flows > SOME && trial->board->round)
		return "taken in the first round";
	if (sysinfo(&info) || (uint64_t)info.freeram * info.mem_unit < flows * BYTES_EACH)
		return "too little memory is free";
	return NULL;
}

static void name_figures(uint64_t flows, char rate[SAMPLES_NAME_SIZE],
			 char memory[SAMPLES_NAME_SIZE])
{
	snprintf(rate, SAMPLES_NAME_SIZE, "growth.%llu.per_s", (unsigned long long)flows);
	snprintf(memory, SAMPLES_NAME_SIZE, "growth.%llu.mib", (unsigned long long)flows);
}

static void record_reason(struct trial *trial, uint64_t flows, const char *reason)
{
	char rate[SAMPLES_NAME_SIZE], memory[SAMPLES_NAME_SIZE];

	name_figures(flows, rate, memory);
	trial_record_reason(trial, rate, reason);
	trial_record_reason(trial, memory, reason);
}

/* The server's own, and by how much the host's sockets have grown. */
static int record_memory(struct trial *trial, const char *figure, const struct baseline *baseline)
{
	double bytes;
	int err = measure_all_memory(trial, &bytes);

	if (!err)
		trial_record(trial, figure, (baseline->own + fmax(bytes - baseline->all, 0)) / MIB);
	return err;
}

/* What could not be measured among so many may be among more; who did not get so many does not get more. */
static int measure_among(struct trial *trial, struct crowd *crowd, uint64_t flows,
			 const struct baseline *baseline, uint32_t slice_ms)
{
	char rate[SAMPLES_NAME_SIZE], memory[SAMPLES_NAME_SIZE];
	int err = crowd_gather(trial, crowd, flows) ?: job_sleep(SETTLE_MS);

	if (err)
		return err;
	name_figures(flows, rate, memory);
	err = record_memory(trial, memory, baseline) ?: measure_rate(trial, rate, slice_ms);
	if (err && err != -EINTR) {
		trial_record_reason(trial, rate, *trial->reason ? trial->reason : strerror(-err));
		trial->reason[0] = '\0';
		err = 0;
	}
	return err;
}

static int measure_all(struct trial *trial, struct crowd *crowd, uint32_t slice_ms)
{
	const char *reason = NULL;
	struct baseline baseline;
	int err = measure_own_memory(trial, &baseline.own)
			  ?: measure_all_memory(trial, &baseline.all);

	if (err)
		return err;

	for (unsigned int i = 0; i < GROWTH_STEPS; i++) {
		const uint64_t flows = growth_flows[i];

		reason = reason ?: why_not(trial, flows);
		if (!reason) {
			err = measure_among(trial, crowd, flows, &baseline, slice_ms);
			if (err == -EINTR)
				return err;
			if (err)
				reason = *trial->reason ? trial->reason : strerror(-err);
		}
		if (reason)
			record_reason(trial, flows, reason);
	}
	return 0;
}

int measure_growth(struct trial *trial, uint32_t slice_ms)
{
	const bool has_table = trial->contender->kind == CONTENDER_LOADER;
	struct crowd crowd;
	int err = has_table ? trial_restart(trial, max_flows) : 0;

	err = err ?: flood_open(&trial->flood, true) ?: crowd_begin(trial, &crowd);
	if (err)
		return err;
	err = measure_all(trial, &crowd, slice_ms);
	crowd_end(trial, &crowd);
	return err;
}
