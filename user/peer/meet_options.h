/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The command line of nolisten meet. */
#ifndef NOLISTEN_MEET_OPTIONS_H
#define NOLISTEN_MEET_OPTIONS_H

#include <stdbool.h>
#include <stdint.h>

#include "addr.h"

struct meet_options {
	struct tuple tuple;
	uint64_t timeout_s;
	bool is_crossed, is_help;
	char **command; /* NULL: standard input and output; points into argv */
};

/* 0 or -EINVAL, logged. */
int meet_options_parse(struct meet_options *out, int argc, char **argv);

#endif
