/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What two answers of a loader, one after the other, say of the time between them. Strings are borrowed from the answers. */
#ifndef NOLISTEN_FIGURES_H
#define NOLISTEN_FIGURES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <jansson.h>

#define FIGURES_DROPS_MAX 24
#define FIGURES_SOURCES_MAX 64

/* An answer to "top", and when it came. */
struct reading {
	json_t *status; /* NULL: none */
	uint64_t at_ns;
};

void reading_clear(struct reading *reading);

/* per_s is -1: there is nothing to compare with. */
struct figure {
	const char *name;
	int64_t total;
	double per_s;
};

enum figure_rate {
	FIGURE_SYN,
	FIGURE_ESTABLISHED,
	FIGURE_HANDED_OFF,
	FIGURE_CLOSED,
	FIGURE_REFUSED,
	FIGURE_RST_DROPPED,
	FIGURE_EVENTS_LOST,
	FIGURE_RATES,
};

/* A bound in microseconds that so many took no longer than; 0: nothing was timed; -1: longer than the longest bound. */
struct percentiles {
	int64_t p50_us, p99_us;
};

struct figure_source {
	const char *source;
	int64_t flows, half_open, handed_off;
};

struct figures {
	const char *ifname, *method, *xdp, *tc, *ports, *service;
	const json_t *addresses, *states, *methods;
	int64_t pid, up_s, flows, half_open, connections, workers;
	double interval_s; /* 0: one answer only */
	struct figure rates[FIGURE_RATES];
	struct figure drops[FIGURES_DROPS_MAX]; /* what has happened at all, most first */
	size_t drop_count;
	struct percentiles handshake,
		handoff; /* in between; of all times if there was none in between */
	struct figure_source sources[FIGURES_SOURCES_MAX];
	size_t source_count;
	int64_t sampled;
	bool is_sample; /* sources, states and methods are of so many flows only */
};

enum figures_sort {
	SORT_FLOWS,
	SORT_HALF_OPEN,
	SORT_HANDED_OFF,
	SORT_SOURCE,
};

/* before: of the same loader; else, and without a status, it counts as none. */
void figures_read(struct figures *out, const struct reading *now, const struct reading *before,
		  enum figures_sort sort);
/* An object; NULL: no memory. */
json_t *figures_to_json(const struct figures *figures);

#endif
