/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The rules that put packets of answered ports into a queue, unless a kernel socket has them: in a table of nftables
 * that goes with the process where the kernel has "queue" there, else in a chain of iptables' mangle table. The rules
 * are in INPUT, where packets are whole again and for this host. A queue that nobody reads is passed by, so that rules
 * left behind by a killed process do no harm until the next start removes them.
 */
#ifndef NOLISTEN_QUEUE_RULES_H
#define NOLISTEN_QUEUE_RULES_H

#include <stdbool.h>
#include <stdint.h>

#include "ports.h"

struct queue_rules;

struct queue_rules_options {
	const char *ifname;
	const struct port_set *ports;
	uint16_t queue;
};

/* Errors are logged: what is missing. */
int queue_rules_install(struct queue_rules **out, const struct queue_rules_options *options);
/* For other ports; -errno, logged: the old ones are queued still. */
int queue_rules_change(struct queue_rules *rules, const struct queue_rules_options *options);
void queue_rules_remove(struct queue_rules *rules); /* NULL is legal */
/* "nftables", "iptables": who has them. */
const char *queue_rules_backend(const struct queue_rules *rules);
/* By iptables. */
bool queue_rules_run_programs(const struct queue_rules *rules);

/* Remove what a killed process has left for this interface. */
void queue_rules_sweep(const char *ifname);

#endif
