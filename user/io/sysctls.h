/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The sysctls that show in a SYN-ACK. No message tells of a change: they are looked at, from files that stay open. */
#ifndef NOLISTEN_SYSCTLS_H
#define NOLISTEN_SYSCTLS_H

#include <stdbool.h>

#include "host.h"

struct sysctls;

/* Of the caller's network namespace. */
int sysctls_new(struct sysctls **out, const char *ifname);
void sysctls_free(struct sysctls *sysctls);

/* All of them; the kernel's default for what cannot be read. True: something is new since the last time. */
bool sysctls_read(struct sysctls *sysctls, struct tcp_sysctls *out);

#endif
