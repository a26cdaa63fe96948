/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What must hold: says which line, and ends the target. */
#ifndef NOLISTEN_FUZZ_CHECK_H
#define NOLISTEN_FUZZ_CHECK_H

#include <stdio.h>
#include <stdlib.h>

#define check(is_true)                                                                \
	do {                                                                          \
		if (!(is_true)) {                                                     \
			fprintf(stderr, "%s:%d: %s\n", __FILE__, __LINE__, #is_true); \
			abort();                                                      \
		}                                                                     \
	} while (0)

#endif
