/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * What flows cost: the server's own memory, its BPF maps, and the kernel's socket caches, before and after a number
 * of half-open flows, then of established ones. The flows come from the generator, so no client's sockets are
 * in it; other sockets of the host that come and go meanwhile are.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "measure.h"

#define FLOWS 2000
#define FLOWS_PER_S 50000
#define FLOWS_MIN (FLOWS / 4)
#define SETTLE_MS 50
#define LOOK_MS 10
#define SILENCE_MS 300 /* no more will be answered */

static const char *const caches[] = {
	"TCP",	"TCPv6",   "request_sock_TCP", "request_sock_TCPv6", "sock_inode_cache",
	"filp", "ep_head", "eventpoll_epi",    "eventpoll_pwq",
};

static bool is_socket_cache(const char *name)
{
	for (size_t i = 0; i < sizeof(caches) / sizeof(caches[0]); i++)
		if (!strcmp(name, caches[i]))
			return true;
	return false;
}

static int read_caches(uint64_t *bytes)
{
	FILE *file = fopen("/proc/slabinfo", "re");
	unsigned long long objects, size;
	char line[512], name[64];

	if (!file)
		return -errno;
	while (fgets(line, sizeof(line), file))
		if (sscanf(line, "%63s %llu %*u %llu", name, &objects, &size) == 3 &&
		    is_socket_cache(name))
			*bytes += objects * size;
	fclose(file);
	return 0;
}

static int read_anonymous(pid_t pid, uint64_t *bytes)
{
	unsigned long long kib;
	char path[64], line[256];
	FILE *file;

	snprintf(path, sizeof(path), "/proc/%d/status", pid);
	file = fopen(path, "re");
	if (!file)
		return -errno;
	while (fgets(line, sizeof(line), file))
		if (sscanf(line, "RssAnon: %llu kB", &kib) == 1)
			*bytes += kib * 1024;
	fclose(file);
	return 0;
}

int measure_own_memory(const struct trial *trial, double *out)
{
	const pid_t pid = trial->running.job.pid;
	uint64_t bytes = 0, maps = 0;
	int err = read_anonymous(pid, &bytes);

	if (!err)
		err = bench_kern_map_bytes(pid, &maps);
	*out = (double)bytes + (double)maps;
	return err;
}

int measure_all_memory(const struct trial *trial, double *out)
{
	uint64_t bytes = 0;
	int err = measure_own_memory(trial, out) ?: read_caches(&bytes);

	*out += (double)bytes;
	return err;
}

/* How many of the flows are answered, when all are or nothing more has come for a while; then the server has settled. */
static int await_answers(struct trial *trial, uint64_t before, uint64_t *answered)
{
	struct bench_seen seen;
	int err = 0;

	*answered = 0;
	for (uint32_t ms = 0; !err && ms < SILENCE_MS && *answered < FLOWS; ms += LOOK_MS) {
		err = job_sleep(LOOK_MS) ?: bench_kern_read(trial->kern, &seen);
		if (err)
			break;
		ms = seen.syn_ack - before > *answered ? 0 : ms;
		*answered = seen.syn_ack - before;
	}
	return err ?: job_sleep(SETTLE_MS);
}

/* Bytes a flow of those that were answered; negative ones are noise around 0. */
static int measure_step(struct trial *trial, bool finishes_handshakes, const char *figure)
{
	struct bench_seen seen;
	double before, after;
	uint64_t answered;
	int err = flood_open(&trial->flood, finishes_handshakes);

	if (!err)
		err = bench_kern_read(trial->kern, &seen);
	if (!err)
		err = measure_all_memory(trial, &before);
	if (!err)
		err = flood_send(&trial->flood, FLOWS, FLOWS_PER_S);
	if (!err)
		err = await_answers(trial, seen.syn_ack, &answered);
	if (!err)
		err = measure_all_memory(trial, &after);
	if (err)
		return err;
	if (answered < FLOWS_MIN)
		return trial_fail(trial, -ENODATA, "only %llu of %d flows were answered",
				  (unsigned long long)answered, FLOWS);
	after = (after - before) / answered;
	trial_record(trial, figure, after > 0 ? after : 0);
	return 0;
}

int measure_memory(struct trial *trial, uint32_t slice_ms)
{
	int err = measure_step(trial, false, "memory.half_open");

	(void)slice_ms;
	return err ?: measure_step(trial, true, "memory.established");
}
