/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The command line of nolisten-loader. */
#ifndef NOLISTEN_LOADER_OPTIONS_H
#define NOLISTEN_LOADER_OPTIONS_H

#include <stdbool.h>

#include "config.h"
#include "option.h"
#include "option_settings.h"

/* Strings point into argv, or into settings. */
struct loader_options {
	struct config config; /* its ifname is NULL only with is_check or settings.is_printed */
	struct port_set vlans; /* IDs */
	bool is_check, is_dry_run, is_json;
	unsigned int verbose;
	struct option_settings settings;
};

extern const struct command loader_command;

/* As much as --verbose asks for. */
void loader_options_set_log(const struct loader_options *options);

#endif
