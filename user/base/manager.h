/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Word to the service manager by the protocol of sd_notify(3): datagrams to the unix socket that NOTIFY_SOCKET names. Without
 * one nothing is sent. The descriptor is kept: under load there may be no other.
 */
#ifndef NOLISTEN_MANAGER_H
#define NOLISTEN_MANAGER_H

#include <stdint.h>

/*
 * Look into the environment, and take out of it what is meant for this process alone. 0, also if there is no manager;
 * -errno: there is one that cannot be reached.
 */
int manager_open(void);
void manager_close(void);

/* "READY=1\nSTATUS=..."; cut if it is long. Never waits: 0 or -errno. */
int manager_send(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* From now until READY=1 what counts is being changed. */
void manager_reloading(void);

/* After manager_open(): how often the manager wants to hear WATCHDOG=1 at least; 0: it does not. */
uint64_t manager_watchdog_us(void);

#endif
