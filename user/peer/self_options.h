/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The command line of nolisten self. */
#ifndef NOLISTEN_SELF_OPTIONS_H
#define NOLISTEN_SELF_OPTIONS_H

#include <stdbool.h>

#include "addr.h"

struct self_options {
	struct endpoint endpoint;
	const char *message; /* points into argv */
	bool is_watch, is_everywhere, is_help;
};

/* 0 or -EINVAL, logged. */
int self_options_parse(struct self_options *out, int argc, char **argv);

#endif
