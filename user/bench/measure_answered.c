/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * How the cost of a SYN grows with what is answered: SYN-ACKs a second against the number of prefixes, of which the flood's is the last,
 * and against the number of ports.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "measure.h"

#define FIRST_PORT 1024 /* of others than the flood's */
#define OPTION_SIZE 80000

/* --address=10.112.0.0/24,...: the flood's own behind the others. */
static void list_prefixes(char *option, unsigned int count)
{
	size_t used = (size_t)snprintf(option, OPTION_SIZE, "--address=");

	for (unsigned int i = 0; i + 1 < count; i++)
		used += (size_t)snprintf(option + used, OPTION_SIZE - used, "10.%u.%u.0/24,",
					 112 + i / 256, i % 256);
	snprintf(option + used, OPTION_SIZE - used, BENCH_SERVER_ADDRESS);
}

/* Beside the one that is answered anyhow. */
static void list_ports(char *option, unsigned int count)
{
	if (count > UINT16_MAX)
		snprintf(option, OPTION_SIZE, "--port=all");
	else if (count > 1)
		snprintf(option, OPTION_SIZE, "--port=%u-%u", FIRST_PORT, FIRST_PORT + count - 2);
	else
		snprintf(option, OPTION_SIZE, "--port=%u", BENCH_PORT);
}

static int measure_rate(struct trial *trial, const char *figure, uint32_t slice_ms)
{
	const struct flood_result *result = trial->flood.result;
	int err = flood_open(&trial->flood, false)
			  ?: flood_start(&trial->flood, 0, slice_ms)
			  ?: flood_wait(&trial->flood);

	if (err)
		return err;
	if (!result->seen.syn_ack)
		return trial_fail(trial, -ENODATA, "no answer came back");
	trial_record(trial, figure, result->seen.syn_ack * 1e9 / result->elapsed_ns);
	return 0;
}

static int measure_with(struct trial *trial, const char *kind, unsigned int count,
			void (*list)(char *option, unsigned int count), uint32_t slice_ms)
{
	char figure[SAMPLES_NAME_SIZE], *option = malloc(OPTION_SIZE);
	int err;

	if (!option)
		return -ENOMEM;
	list(option, count);
	snprintf(figure, sizeof(figure), "answered.%s.%u.per_s", kind, count);
	err = trial_restart(trial, option) ?: measure_rate(trial, figure, slice_ms);
	if (err && err != -EINTR) {
		trial_record_reason(trial, figure, *trial->reason ? trial->reason : strerror(-err));
		err = 0;
	}
	free(option);
	return err;
}

int measure_answered(struct trial *trial, uint32_t slice_ms)
{
	int err = 0;

	for (unsigned int i = 0; !err && i < ANSWERED_STEPS; i++)
		err = measure_with(trial, "prefixes", answered_prefixes[i], list_prefixes,
				   slice_ms);
	for (unsigned int i = 0; !err && i < ANSWERED_STEPS; i++)
		err = measure_with(trial, "ports", answered_ports[i], list_ports, slice_ms);
	return err ?: trial_restart(trial, NULL);
}
