/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Numbers from text, strictly: decimal digits only, no sign, no space, nothing behind. */
#ifndef NOLISTEN_NUMBERS_H
#define NOLISTEN_NUMBERS_H

#include <stdbool.h>
#include <stdint.h>

/* true and *out if text is a number from min to max. */
bool number_parse(const char *text, uint64_t min, uint64_t max, uint64_t *out);

/* The index-th word of the file (a sysctl's, from 0 on) as a number; -errno, -EINVAL if it is none. */
int number_read_file(const char *path, unsigned int index, uint64_t *out);

#endif
