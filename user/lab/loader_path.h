/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Where nolisten finds nolisten-loader, for the commands that start one. */
#ifndef NOLISTEN_LOADER_PATH_H
#define NOLISTEN_LOADER_PATH_H

#include <limits.h>
#include <stdbool.h>

#define LOADER_NAME "nolisten-loader"
#define LOADER_REASON_SIZE (2 * PATH_MAX + 64)

/*
 * Beside our own program, as it is built; in ../sbin, as it is installed; in PATH. -ENOENT: reason names the places,
 * without the program's name.
 */
int loader_path_find(char path[PATH_MAX], char reason[LOADER_REASON_SIZE]);

/* Can this file be run? */
bool loader_path_is_program(const char *path);

#endif
