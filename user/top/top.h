/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* nolisten top: a live table of what loaders do; and the same as text or JSON for programs. */
#ifndef NOLISTEN_TOP_H
#define NOLISTEN_TOP_H

#include <stdbool.h>
#include <stdint.h>

#include "figures.h"

struct top_options {
	const char *ifname; /* NULL: all loaders of this network namespace, in turn */
	uint32_t delay_s; /* between two answers */
	uint32_t count; /* of batches; 0: any number */
	enum figures_sort sort;
	bool is_json;
};

/* In the terminal, until the user has enough. 0 or -errno, logged. */
int top_live(const struct top_options *options);
/* As text or JSON lines on standard output: count times, or until somebody ends it. 0 or -errno, logged. */
int top_batch(const struct top_options *options);

#endif
