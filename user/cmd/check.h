/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* --check: can this host run it? */
#ifndef NOLISTEN_CHECK_H
#define NOLISTEN_CHECK_H

/* One line a feature on standard output. 0, or -ENOTSUP if a required one is missing. */
int check_print(void);

#endif
