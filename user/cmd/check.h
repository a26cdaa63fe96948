/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* --check: can this host run it? */
#ifndef NOLISTEN_CHECK_H
#define NOLISTEN_CHECK_H

#include <stdbool.h>

/* One line a feature on standard output. 0, or -ENOTSUP if a required one is missing; without_bpf: of those needed then. */
int check_print(bool without_bpf);

#endif
