/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The ports and addresses that an application asks for: every port on every address. */
#ifndef NOLISTEN_CLAIM_H
#define NOLISTEN_CLAIM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "addr.h"
#include "ports.h"

struct claim {
	struct port_set ports;
	struct prefix *prefixes; /* none: any address */
	size_t prefix_count;
};

/*
 * ports: NULL: all that there are; "none": none. addresses: a list of prefixes with commas; NULL: any. -EINVAL with *why, a constant text,
 * or -ENOMEM.
 */
int claim_parse(struct claim *out, const char *ports, const char *addresses,
		const struct port_set *all, const char **why);
void claim_free(struct claim *claim);

bool claim_is_empty(const struct claim *claim); /* it has no port */
/* *outside: the first port that is not among these; may be NULL. */
bool claim_is_within(const struct claim *claim, const struct port_set *ports, uint16_t *outside);
/* A prefix of it that is in none of these; NULL: there is none, or there are no prefixes. */
const struct prefix *claim_find_outside(const struct claim *claim, const struct prefix *prefixes,
					size_t count);
/* Does a connection exist that both want? *port: the first such. */
bool claim_meets(const struct claim *a, const struct claim *b, uint16_t *port);

#endif
