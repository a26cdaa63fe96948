/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "crowd.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "listen_server.h"

#define PORT 34500 /* of the holders */
#define ARRIVALS_PER_S 10000
#define HELD_ARRIVALS_PER_S 40000
#define SHARE_MIN 0.8 /* of the crowd; else it is none */
#define LOOK_MS 20
#define SILENCE_MS 300 /* no more will come */
#define OWN_MAX 100000 /* they come slowly */
#define SPARE_DESCRIPTORS 1000 /* for what else a server has, and the clients */
#define SHARE_VARIES 1.15 /* connections fall to holders by a hash */

/* Established ones: those of a crowd before, whose ends are on their way, are none. The second line that begins so has the values. */
static int read_established(uint64_t *out)
{
	FILE *file = fopen("/proc/thread-self/net/snmp", "re");
	unsigned long long count;
	int err = file ? -ENODATA : -errno;
	char line[1024];

	while (file && fgets(line, sizeof(line), file)) {
		if (sscanf(line, "Tcp: %*d %*d %*d %*d %*u %*u %*u %*u %llu", &count) != 1)
			continue;
		*out = count;
		err = 0;
	}
	if (file)
		fclose(file);
	return err;
}

static int count_sockets(const struct trial *trial, uint64_t *out)
{
	int err = lab_enter(trial->lab, LAB_SERVER);

	if (err)
		return err;
	err = read_established(out);
	return lab_enter(trial->lab, LAB_HOME) ?: err;
}

/* Until so many are there, or no more have come for a while. */
static int await_sockets(struct trial *trial, uint64_t wanted, uint64_t *out)
{
	uint64_t last = 0;
	int err = 0;

	for (uint32_t ms = 0; !err && ms < SILENCE_MS; ms += LOOK_MS) {
		err = count_sockets(trial, out);
		if (err || *out >= wanted)
			break;
		ms = *out > last ? 0 : ms;
		last = *out;
		err = job_sleep(LOOK_MS);
	}
	return err;
}

int crowd_begin(struct trial *trial, struct crowd *crowd)
{
	*crowd = (struct crowd){0};
	return count_sockets(trial, &crowd->before);
}

static uint64_t count_descriptors(void)
{
	struct rlimit limit;

	return getrlimit(RLIMIT_NOFILE, &limit) ? 0 : limit.rlim_max;
}

uint64_t crowd_own_max(void)
{
	const uint64_t descriptors = count_descriptors();

	if (descriptors > OWN_MAX + SPARE_DESCRIPTORS)
		return OWN_MAX;
	return descriptors > SPARE_DESCRIPTORS ? descriptors - SPARE_DESCRIPTORS : 0;
}

/* Sends for as many as are missing; *count is how many there are then. */
static int add_missing(struct trial *trial, struct crowd *crowd, uint64_t wanted, uint32_t per_s,
		       uint64_t *count)
{
	const uint64_t besides = crowd->before + crowd->own + crowd->others - *count;
	uint64_t sockets = besides;
	int err = flood_send(&trial->flood, (uint32_t)(wanted - *count), per_s)
			  ?: await_sockets(trial, besides + wanted, &sockets);

	*count = sockets > besides ? sockets - besides : 0;
	return err;
}

/*
 * More connections, up to about that number. What is lost on the way is not sent again, so others take its place; if
 * most are lost, it is not the way.
 */
static int add(struct trial *trial, struct crowd *crowd, uint64_t wanted, uint32_t per_s,
	       uint64_t *count)
{
	const uint64_t enough = (uint64_t)(SHARE_MIN * (double)wanted);
	uint64_t last, missing;
	int err = 0;

	while (!err && *count < enough) {
		last = *count;
		missing = wanted - last;
		err = add_missing(trial, crowd, wanted, per_s, count);
		if (*count <= last + missing / 2)
			break;
	}
	if (!err && *count < enough)
		return trial_fail(
			trial, -ENODATA, "only %llu of %llu connections were established",
			(unsigned long long)(crowd->own + crowd->others),
			(unsigned long long)(wanted + crowd->own + crowd->others - *count));
	return err;
}

static int hold(const void *argument, void *result)
{
	(void)result;
	return listen_server_serve(*(const int *)argument);
}

/* It listens before it is there, so nobody has to wait for it. */
static int start_holder(struct trial *trial, struct crowd *crowd)
{
	int listen_fd, err = lab_enter(trial->lab, LAB_SERVER);
	const struct job_function function = {
		.fn = hold, .argument = &listen_fd, .place = LAB_SERVER, .cpu = JOB_ANY_CPU};

	if (err)
		return err;
	listen_fd = listen_server_open(PORT, true);
	err = lab_enter(trial->lab, LAB_HOME);
	if (listen_fd < 0)
		return listen_fd;
	err = err ?: job_start(trial->lab, &function, &crowd->holders[crowd->holder_count]);
	crowd->holder_count += !err;
	close(listen_fd);
	return err;
}

static int start_holders(struct trial *trial, struct crowd *crowd, uint64_t count)
{
	const uint64_t each = crowd_own_max();
	const uint64_t wanted = each ? (uint64_t)((double)count * SHARE_VARIES / (double)each) + 1
				     : CROWD_HOLDERS_MAX + 1;
	int err = 0;

	if (wanted > CROWD_HOLDERS_MAX)
		return trial_fail(trial, -EMFILE, "a process may have %llu descriptors only",
				  (unsigned long long)count_descriptors());
	while (!err && crowd->holder_count < wanted)
		err = start_holder(trial, crowd);
	return err;
}

static int aim(struct trial *trial, uint16_t port)
{
	trial->flood.port = port;
	return flood_aim(&trial->flood);
}

static int add_others(struct trial *trial, struct crowd *crowd, uint64_t count)
{
	int err = start_holders(trial, crowd, count) ?: aim(trial, PORT);

	err = err ?: add(trial, crowd, count, HELD_ARRIVALS_PER_S, &crowd->others);
	return aim(trial, 0) ?: err;
}

int crowd_gather(struct trial *trial, struct crowd *crowd, uint64_t count)
{
	const uint64_t own_max = crowd_own_max(), own = count < own_max ? count : own_max;
	int err = add(trial, crowd, own, ARRIVALS_PER_S, &crowd->own);

	return err || own == count ? err : add_others(trial, crowd, count - own);
}

void crowd_end(struct trial *trial, struct crowd *crowd)
{
	(void)trial;
	while (crowd->holder_count)
		job_stop(&crowd->holders[--crowd->holder_count]);
}
