/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Run a program, give it its input, hear why it failed. No shell. */
#ifndef NOLISTEN_COMMAND_H
#define NOLISTEN_COMMAND_H

#include <stddef.h>

/*
 * argv[0] is looked for in PATH. input (may be long) becomes its standard input. 0; -EIO if it failed: error has the
 * first line of what it said; -ENOENT: there is no such program; or -errno.
 */
int command_run(char *const argv[], const char *input, char *error, size_t error_size);

/* Without input; *out is all that it said on both outputs, to be freed. 0, or as above. */
int command_read(char *const argv[], char **out);

#endif
