/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * A flood of SYNs, or of forged ACKs, from the client's end of the veth: as fast as it goes, or paced. Paced it runs on the server's CPU,
 * where a network card would have its packets taken; unpaced it does not, so that user space that answers has a CPU.
 */
#ifndef NOLISTEN_FLOOD_H
#define NOLISTEN_FLOOD_H

#include <stdbool.h>
#include <stdint.h>

#include "bench_kern.h"
#include "bench_lab.h"
#include "job.h"

struct flood {
	const struct lab *lab;
	struct bench_kern *kern;
	struct flood_result *result; /* shared */
	struct job job;
	int take_fd; /* the program that takes what comes back */
	int send_fd; /* the program that sends, on an interface that leads nowhere */
	bool has_run; /* since flood_open() */
	uint16_t port; /* 0: BENCH_PORT; looked at by flood_aim() */
	bool forges_acks; /* else SYNs; looked at by flood_aim() */
	uint32_t per_s; /* 0: as fast as it goes */
	uint32_t duration_ms;
	uint32_t count; /* 0: whatever the time has room for */
};

/* While it runs, then final. */
struct flood_result {
	uint64_t sent;
	uint64_t elapsed_ns;
	struct bench_seen seen; /* during the flood */
};

/* result: from job_share(). */
void flood_init(struct flood *flood, const struct lab *lab, struct bench_kern *kern,
		struct flood_result *result);

/* What its segments look like: addresses of the laboratory. flood_open() does it as well. -errno. */
int flood_aim(const struct flood *flood);
/* What comes back to the sources of floods is taken from now on; until flood_close(). */
int flood_open(struct flood *flood, bool finishes_handshakes);
void flood_close(struct flood *flood);

int flood_start(struct flood *flood, uint32_t per_s, uint32_t duration_ms);
/* 0, -errno, -EINTR. */
int flood_wait(struct flood *flood);
/* count SYNs, per_s of them a second or, where that cannot be kept up, fewer: but all of them. */
int flood_send(struct flood *flood, uint32_t count, uint32_t per_s);

#endif
