/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What the server can do at most: SYN-ACKs, and whole handshakes. */
#include <errno.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "clock.h"
#include "control.h"
#include "measure.h"

#define ANSWER_MS 3000

/* Handshakes that the contender has completed and sockets it has made of them, since it started. */
struct completed {
	uint64_t handshakes, sockets;
};

static int run_unpaced(struct trial *trial, bool finishes_handshakes, uint32_t slice_ms)
{
	int err = flood_open(&trial->flood, finishes_handshakes);

	if (!err)
		err = flood_start(&trial->flood, 0, slice_ms);
	if (!err)
		err = flood_wait(&trial->flood);
	if (err && err != -EINTR)
		trial_fail(trial, err, "the flood: %s", strerror(-err));
	return err;
}

int measure_synack(struct trial *trial, uint32_t slice_ms)
{
	const struct flood_result *result = trial->flood.result;
	int err = run_unpaced(trial, false, slice_ms);
	uint64_t answers;

	if (err)
		return err;
	answers = trial->contender->kind == CONTENDER_REFLECTS ? result->seen.reflected
							       : result->seen.syn_ack;
	if (!answers)
		return trial_fail(trial, -ENODATA, "%s",
				  result->seen.rst ? "answered by RSTs" : "no answer came back");
	trial_record(trial, "synack.per_s", answers * 1e9 / result->elapsed_ns);
	trial_record(trial, "synack.offered_per_s", result->sent * 1e9 / result->elapsed_ns);
	return 0;
}

/* The second line that begins with "Tcp: " has the values; the first has their names. */
static int read_passive_opens(uint64_t *out)
{
	FILE *file = fopen("/proc/thread-self/net/snmp", "re");
	unsigned long long value = 0;
	char line[1024];
	int err = file ? -ENODATA : -errno;

	while (file && fgets(line, sizeof(line), file))
		if (sscanf(line, "Tcp: %*d %*d %*d %*d %*u %llu", &value) == 1)
			err = 0;
	if (file)
		fclose(file);
	*out = value;
	return err;
}

static uint64_t number_of(const json_t *status, const char *object, const char *name)
{
	return (uint64_t)json_integer_value(json_object_get(json_object_get(status, object), name));
}

/* A cookie that came back completes a handshake, whether the engine hears of it or not. */
static int read_loader(struct completed *out)
{
	int fd = control_connect(BENCH_IFNAME, "status");
	json_t *status = NULL;
	char *message = NULL;
	uint64_t cookies;

	if (fd < 0)
		return fd;
	if (control_read(fd, &message) > 0)
		status = json_loads(message, 0, NULL);
	close(fd);
	free(message);
	if (!status)
		return -ENODATA;
	cookies = number_of(status, "counters", "held_cookie");
	out->handshakes = number_of(status, "engine", "established");
	if (out->handshakes < cookies)
		out->handshakes = cookies;
	out->sockets = number_of(status, "engine", "handed_off");
	json_decref(status);
	return 0;
}

static int read_completed(struct trial *trial, struct completed *out)
{
	int err = lab_enter(trial->lab, LAB_SERVER);

	if (err)
		return err;
	*out = (struct completed){0};
	if (trial->contender->kind == CONTENDER_LOADER) {
		err = read_loader(out);
	} else {
		err = read_passive_opens(&out->handshakes);
		out->sockets = out->handshakes;
	}
	return lab_enter(trial->lab, LAB_HOME) ?: err;
}

/* A loader that has just been flooded may be too busy to answer at once. */
static int await_completed(struct trial *trial, struct completed *out)
{
	const uint64_t deadline_ns = clock_monotonic_ns() + ANSWER_MS * CLOCK_NS_PER_MS;
	int err = read_completed(trial, out);

	while (err && err != -EINTR && clock_monotonic_ns() < deadline_ns)
		err = job_sleep(20) ?: read_completed(trial, out);
	return err;
}

int measure_handshake(struct trial *trial, uint32_t slice_ms)
{
	const struct flood_result *result = trial->flood.result;
	struct completed before, after;
	int err = await_completed(trial, &before);

	if (err)
		return trial_fail(trial, err, "its counters: %s", strerror(-err));
	err = run_unpaced(trial, true, slice_ms);
	if (err)
		return err;
	err = await_completed(trial, &after);
	if (err)
		return trial_fail(trial, err, "its counters: %s", strerror(-err));
	if (after.handshakes == before.handshakes)
		return trial_fail(trial, -ENODATA, "not one was completed");
	trial_record(trial, "handshake.per_s",
		     (after.handshakes - before.handshakes) * 1e9 / result->elapsed_ns);
	trial_record(trial, "handshake.sockets_per_s",
		     (after.sockets - before.sockets) * 1e9 / result->elapsed_ns);
	return 0;
}
