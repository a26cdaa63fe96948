/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Is there such a command? As execvp(3) would find it. */
#ifndef NOLISTEN_COMMAND_FIND_H
#define NOLISTEN_COMMAND_FIND_H

/* 0, -ENOENT, or -EACCES: it is there, and cannot be run. */
int command_find(const char *name);

#endif
