/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What nolisten-loader does with its options. */
#ifndef NOLISTEN_LOADER_RUN_H
#define NOLISTEN_LOADER_RUN_H

/* options: struct loader_options. The exit status. */
int loader_command_run(void *options);

#endif
