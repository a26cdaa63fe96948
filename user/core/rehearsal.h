/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Starting without a trace (config->is_rehearsal): what the core would open or take, and others would see, is only looked at. Each says
 * in the same line what would be said by the real thing, at the same place of the order. 0 or -errno, logged.
 */
#ifndef NOLISTEN_REHEARSAL_H
#define NOLISTEN_REHEARSAL_H

#include "config.h"

/* In place of control_point_open(): has another loader the interface? */
int rehearsal_lock(const char *ifname);
/* The file of --events, if it is a rehearsal. */
int rehearsal_events(const struct config *config);
/* The file of --pcap. */
int rehearsal_capture(const char *path);
/* The socket of service socket. */
int rehearsal_service(const char *service);
/* The address of --metrics; NULL: none. */
int rehearsal_metrics(const char *address);

#endif
