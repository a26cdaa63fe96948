/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * What a complete connection costs the server: all of its CPU's time that clients at a fixed rate use up, in kernel and
 * user space, interrupts and softirqs included (leftover.h), less what is used without them. Each end's packets are taken
 * by its own CPU for the time, as from a network card. nolisten does not poll after a packet (--spin=0): that takes time
 * which nobody else wants, and is no work.
 */
#include <errno.h>
#include <math.h>
#include <string.h>

#include "clock.h"
#include "leftover.h"
#include "measure.h"
#include "open_loop.h"

#define PER_S 5000
#define PAIRS_MAX 12
#define PART_MIN_MS 25 /* half a pair */
#define IDLE_SHARE_MAX \
	0.05 /* that others have before the clients come, or behind them; else they have it meanwhile as well */
#define WAIT_MS 6000 /* beside the slices */

struct cpu_load {
	struct open_loop_options clients;
	unsigned int pairs;
};

struct cpu_pair {
	struct leftover_mark idle[2], loaded[2];
	uint64_t served;
};

/* In the trial's scratch memory. */
struct cpu_run {
	struct leftover leftover;
	struct cpu_pair pairs[PAIRS_MAX];
	unsigned int count;
	struct open_loop_result clients;
};
_Static_assert(sizeof(struct cpu_run) <= TRIAL_SCRATCH_SIZE, "there is room for a run");

/* Without clients, but with their CPU as busy as it is with them. */
static int rest(uint32_t ms)
{
	const uint64_t end_ns = clock_monotonic_ns() + ms * CLOCK_NS_PER_MS;

	while (clock_monotonic_ns() < end_ns)
		continue;
	return 0;
}

static int run_pair(const struct cpu_load *load, struct cpu_run *run, struct cpu_pair *pair)
{
	const uint64_t before = run->clients.served;
	int err = leftover_mark(&run->leftover, &pair->idle[0]) ?: rest(load->clients.duration_ms)
		?: leftover_mark(&run->leftover, &pair->idle[1])
		?: leftover_mark(&run->leftover, &pair->loaded[0])
		?: open_loop_run(&load->clients, &run->clients)
		?: leftover_mark(&run->leftover, &pair->loaded[1]);

	pair->served = run->clients.served - before;
	return err;
}

static int load_in_child(const void *argument, void *result)
{
	const struct cpu_load *load = argument;
	struct cpu_run *run = result;
	int err = 0;

	for (; !err && run->count < load->pairs; run->count++)
		err = run_pair(load, run, &run->pairs[run->count]);
	return err;
}

static unsigned int count_pairs(uint32_t slice_ms)
{
	const uint32_t count = slice_ms / PART_MIN_MS;

	return count < 1 ? 1 : count > PAIRS_MAX ? PAIRS_MAX : count;
}

static int run_load(struct trial *trial, uint32_t slice_ms)
{
	struct cpu_run *run = trial->scratch;
	const struct job_function watch = {.fn = leftover_run,
					   .result = &run->leftover,
					   .place = LAB_SERVER,
					   .cpu = trial->lab->cpus[LAB_SERVER]};
	const unsigned int pairs = count_pairs(slice_ms);
	const struct cpu_load load = {.clients = {.load = measure_load(),
						  .per_s = PER_S,
						  .duration_ms = slice_ms / pairs},
				      .pairs = pairs};
	const struct job_function clients = {.fn = load_in_child,
					     .argument = &load,
					     .result = run,
					     .place = LAB_CLIENT,
					     .cpu = trial->lab->cpus[LAB_CLIENT]};
	struct job job;
	int err;

	memset(run, 0, sizeof(*run));
	err = job_start(trial->lab, &watch, &job);
	if (err)
		return err;
	err = job_run(trial->lab, &clients, 2 * slice_ms + WAIT_MS);
	job_stop(&job);
	/* The watcher has the lowest priority: it waits as long as there is anybody else. */
	if (err == -ETIMEDOUT)
		return trial_fail(trial, err, "others use the server's CPU, and leave none of it");
	return err;
}

static bool is_quiet(const struct cpu_run *run, unsigned int index)
{
	return index >= run->count || leftover_share(run->pairs[index].idle) <= IDLE_SHARE_MAX;
}

/* Of those whose clients were served, with nobody else before and after them. */
static unsigned int list_pairs(const struct cpu_run *run, double us[PAIRS_MAX])
{
	unsigned int count = 0;

	for (unsigned int i = 0; i < run->count; i++) {
		const struct cpu_pair *pair = &run->pairs[i];

		if (pair->served && is_quiet(run, i) && is_quiet(run, i + 1))
			us[count++] = leftover_more_ns(pair->loaded, pair->idle) /
				      (double)pair->served / CLOCK_NS_PER_US;
	}
	return count;
}

static double most_of_others(const struct cpu_run *run)
{
	double most = 0;

	for (unsigned int i = 0; i < run->count; i++)
		most = fmax(most, leftover_share(run->pairs[i].idle));
	return most;
}

static int record(struct trial *trial)
{
	const struct cpu_run *run = trial->scratch;
	const struct open_loop_result *clients = &run->clients;
	double us[PAIRS_MAX];
	const unsigned int count = list_pairs(run, us);

	if (!clients->served)
		return trial_fail(trial, -ENODATA, "no connection was served: %s",
				  strerror(-clients->first_error));
	if (count < (run->count + 2) / 3)
		return trial_fail(trial, -EBUSY, "others use up to %.0f %% of the server's CPU",
				  most_of_others(run) * 100);
	trial_record(trial, "cpu.us_per_connection",
		     interval_of_median(us, count, INTERVAL_MISS).value);
	trial_record_share(trial, "cpu.served_pct", (double)clients->served,
			   (double)clients->attempts);
	return 0;
}

static int restart(struct trial *trial, const char *spin)
{
	if (!(trial->contender->kind & (CONTENDER_LOADER | CONTENDER_APPLICATION)))
		return 0;
	return trial_restart(trial, spin);
}

int measure_cpu(struct trial *trial, uint32_t slice_ms)
{
	int err, failed;

	if (trial->lab->cpus[LAB_SERVER] == trial->lab->cpus[LAB_CLIENT])
		return trial_fail(trial, -ENODEV, "server and client share one CPU");
	err = restart(trial, "--spin=0");
	if (err) {
		restart(trial, NULL);
		return err;
	}
	err = bench_lab_steer(trial->lab, true);
	if (err)
		trial_fail(trial, err, "cannot steer packets to CPUs: %s", strerror(-err));
	err = err ?: run_load(trial, slice_ms) ?: record(trial);
	failed = bench_lab_steer(trial->lab, false) ?: restart(trial, NULL);
	return err ?: failed;
}
