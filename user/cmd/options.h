/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The command line of nolisten-loader. */
#ifndef NOLISTEN_OPTIONS_H
#define NOLISTEN_OPTIONS_H

#include <stdbool.h>

#include "config.h"

#define OPTIONS_ERROR_SIZE 256

/* Strings point into argv. */
struct loader_options {
	struct config config; /* its ifname is NULL only with is_check */
	bool is_check, is_json;
	unsigned int verbose;
};

/*
 * 0; -EINVAL (exit status 2) or -ENOMEM with one line in error, without the program's name. --help and
 * --version print and exit. out has to be freed in any case.
 */
int options_parse(struct loader_options *out, int argc, char **argv,
		  char error[OPTIONS_ERROR_SIZE]);
void options_free(struct loader_options *options);

#endif
