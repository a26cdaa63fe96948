/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* How each option of nolisten-loader reads its argument. Seen by options.c only. */
#ifndef NOLISTEN_OPTION_RULES_H
#define NOLISTEN_OPTION_RULES_H

#include "options.h"

/* Options without a letter. */
enum option_key {
	KEY_RST = 0x100,
	KEY_XDP,
	KEY_TC,
	KEY_EVENTS,
	KEY_MAX_CHILDREN,
	KEY_MAX_FLOWS,
	KEY_RING,
	KEY_SPIN,
	KEY_WORKERS,
	KEY_COOKIE_KEY,
	KEY_CHECK,
};

struct option_parse {
	struct loader_options *options;
	bool has_ports; /* the default is gone */
	char *error; /* OPTIONS_ERROR_SIZE bytes */
	int err; /* 0 or -errno; then error has the line */
};

/* Take an option's argument: 0, EINVAL or ENOMEM as argp likes them; -1: there is no such key. */
int option_take(struct option_parse *parse, int key, const char *arg);

/* Word the error; EINVAL. */
int option_fail(struct option_parse *parse, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

#endif
