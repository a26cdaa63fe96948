/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Who takes part: ways to answer a SYN on BENCH_PORT of the server, started and stopped once a round. */
#ifndef NOLISTEN_CONTENDER_H
#define NOLISTEN_CONTENDER_H

#include <stdbool.h>

#include "bench_kern.h"
#include "bench_lab.h"
#include "job.h"

#define CONTENDERS_MAX 32
#define CONTENDER_DIR "/tmp/nolisten-bench.XXXXXX"

enum contender_kind {
	CONTENDER_LISTENS = 1, /* listen() and accept() */
	CONTENDER_LOADER = 2, /* nolisten-loader */
	CONTENDER_REFLECTS = 4, /* sends packets back, speaks no TCP */
	CONTENDER_PEER = 8, /* a command that was given */
	CONTENDER_APPLICATION = 16, /* a program by libnolisten, of a loader */
	CONTENDER_RUN = 32, /* the listen() server under nolisten run */
};

struct contender {
	const char *name;
	const char *text;
	enum contender_kind kind;
	const char *syncookies; /* CONTENDER_LISTENS: tcp_syncookies */
	bool has_synproxy;
	const char *method; /* CONTENDER_LOADER, CONTENDER_APPLICATION */
	const char *xdp; /* its option; NULL: the default */
	const char *option; /* one more; NULL: none */
	const char *ifname, *address; /* where it answers; NULL: at the server's end of the veth */
	bool is_native; /* native XDP on our side, which needs a native program on the peer's */
	bool is_never_connected; /* it shows what happens without help: no connection to wait for */
	char *command; /* CONTENDER_PEER */
	bool is_lazy; /* its first connection is what is to be measured */
	bool is_unasked; /* takes part if --methods has it */
	/* How it went. */
	bool is_out; /* cannot be started: not tried again */
	bool is_unknown; /* this build has no such method */
	char reason[JOB_REASON_SIZE];
};

/* What is running. */
struct running {
	const struct contender *contender;
	struct job job;
	int link_fd; /* CONTENDER_REFLECTS */
	struct job application; /* CONTENDER_APPLICATION: job is its loader */
	char dir[sizeof(CONTENDER_DIR)]; /* where the two meet; empty: none */
};

extern const struct contender contender_table[]; /* ended by a NULL name */

/* The listen() server as a program of its own: this program with "bench" and CONTENDER_SERVE. -errno. */
#define CONTENDER_SERVE "--serve=34567"
int contender_own_path(char *path, size_t size);

/* Serves when this returns 0, or would, if it is lazy; -errno and contender->reason. loader: the path of nolisten-loader. */
int contender_start(struct contender *contender, const struct lab *lab, struct bench_kern *kern,
		    const char *loader, struct running *out);
void contender_stop(struct running *running, const struct lab *lab);

#endif
