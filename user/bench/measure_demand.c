/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * What the first client of a server waits that is started for it: connect() to the first byte. Of listen, from the instant at
 * which the same program is started by hand until it has served somebody: what nobody can be quicker than.
 */
#include <errno.h>
#include <limits.h>
#include <string.h>

#include "clock.h"
#include "measure.h"

#define START_MS 5000

static int connect_once(const struct trial *trial, uint64_t *latency_ns)
{
	const struct load_options options = measure_load();
	int err = lab_enter(trial->lab, LAB_CLIENT) ?: load_one(&options, 0, latency_ns);

	return lab_enter(trial->lab, LAB_HOME) ?: err;
}

static int await_service(const struct trial *trial, uint64_t since_ns, uint64_t *waited_ns)
{
	const uint64_t deadline_ns = since_ns + START_MS * CLOCK_NS_PER_MS;
	uint64_t ignored_ns;
	int err;

	while ((err = connect_once(trial, &ignored_ns)) == -ECONNREFUSED &&
	       clock_monotonic_ns() < deadline_ns && !job_is_interrupted())
		continue;
	*waited_ns = clock_monotonic_ns() - since_ns;
	return err;
}

static int start_by_hand(struct trial *trial, uint64_t *waited_ns)
{
	char path[PATH_MAX];
	char *argv[] = {path, "bench", CONTENDER_SERVE, NULL};
	const struct job_command command = {.argv = argv,
					    .place = LAB_SERVER,
					    .cpu = trial->lab->cpus[LAB_SERVER],
					    .is_pinned = true};
	struct job job = {.log_fd = -1};
	uint64_t since_ns;
	int err = contender_own_path(path, sizeof(path));

	contender_stop(&trial->running, trial->lab);
	since_ns = clock_monotonic_ns();
	err = err ?: job_start_command(trial->lab, &command, &job);
	err = err ?: await_service(trial, since_ns, waited_ns);
	job_stop(&job);
	return err;
}

static int measure(struct trial *trial, uint64_t *waited_ns)
{
	if (trial->contender->kind == CONTENDER_LISTENS)
		return start_by_hand(trial, waited_ns);
	return trial_restart(trial, trial->contender->option) ?: connect_once(trial, waited_ns);
}

int measure_demand(struct trial *trial, uint32_t slice_ms)
{
	uint64_t waited_ns = 0;
	int err = measure(trial, &waited_ns), failed;

	(void)slice_ms;
	if (err && !trial->reason[0])
		trial_fail(trial, err, "nobody was served: %s", strerror(-err));
	if (!err)
		trial_record(trial, "demand.first_byte_ms", waited_ns / 1e6);
	failed = trial->contender->kind == CONTENDER_LISTENS ? trial_restart(trial, NULL) : 0;
	return err ?: failed;
}
