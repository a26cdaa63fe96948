/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The loader that the demonstration runs, in the server's place; job_stop() ends it. */
#ifndef NOLISTEN_SERVER_H
#define NOLISTEN_SERVER_H

#include "job.h"

/* path: of nolisten-loader. 0 once it answers; else -errno and in reason why not, one line: it has ended then. */
int server_start(struct job *server, const struct lab *lab, const char *path, const char *method,
		 char reason[JOB_REASON_SIZE]);

#endif
