/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* How far it is, on standard error: a bar that is drawn over on a terminal, else a line now and then. */
#ifndef NOLISTEN_PROGRESS_H
#define NOLISTEN_PROGRESS_H

/* done of total; what is being done. */
void progress_show(unsigned int done, unsigned int total, const char *what, const char *how);
/* Before something else is printed. */
void progress_clear(void);

#endif
