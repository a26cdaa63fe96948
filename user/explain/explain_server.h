/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The loader that the demonstration runs, in the caller's namespace. */
#ifndef NOLISTEN_EXPLAIN_SERVER_H
#define NOLISTEN_EXPLAIN_SERVER_H

#include <sys/types.h>

#define SERVER_REASON_SIZE 160

struct server {
	pid_t pid; /* 0: none */
	int messages; /* its standard error */
};

/* path: of nolisten-loader. 0 once it answers; else -errno and in reason why not, one line. */
int server_start(struct server *server, const char *path, const char *ifname, const char *method,
		 char reason[SERVER_REASON_SIZE]);
void server_stop(struct server *server); /* and waits for its end */

#endif
