/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Which addresses of which ports applications have asked for, and the listeners that they have offered for them: what ingress knows
 * as nol_endpoints. Of the main thread.
 */
#ifndef NOLISTEN_ENDPOINTS_H
#define NOLISTEN_ENDPOINTS_H

#include <stdbool.h>
#include <stdint.h>

#include "addr.h"
#include "claim.h"
#include "kern.h"
#include "ports.h"

struct endpoints;

/* As bind(2) has it: 0.0.0.0 is any IPv4 address, :: any of both families, or of IPv6 alone. */
struct offered {
	struct endpoint local;
	bool is_v6only;
};

/* kern: NULL: nothing is narrowed, and nobody has parents. */
int endpoints_new(struct endpoints **out, struct kern *kern);
void endpoints_free(struct endpoints *endpoints);

/* Each port of a claim on each of its prefixes; none without prefixes. -ENOSPC: too many: nothing is added. */
int endpoints_claim(struct endpoints *endpoints, const struct claim *claim);
void endpoints_unclaim(struct endpoints *endpoints, const struct claim *claim);

/* 0, also if it is there. -EINVAL: a parent of another family or address than before. -ENOSPC: too many. */
int endpoints_offer(struct endpoints *endpoints, uint32_t client, const struct offered *offered,
		    const struct endpoint *parent);
/* Without a listener, for the time being: who connects waits. Or no longer. 0 or -ENOSPC. */
int endpoints_await(struct endpoints *endpoints, uint32_t client, const struct offered *offered,
		    bool is_on);
/* Does a connection to there wait for a listener? */
bool endpoints_is_waiting(const struct endpoints *endpoints, const struct endpoint *local,
			  uint32_t *client);
/* parent: NULL: all of them. */
void endpoints_withdraw(struct endpoints *endpoints, uint32_t client, const struct offered *offered,
			const struct endpoint *parent);
/* All that it has offered. False: nothing. */
bool endpoints_withdraw_all(struct endpoints *endpoints, uint32_t client);
/* Listeners that are gone. False: none. */
bool endpoints_sweep(struct endpoints *endpoints);

/* Has another client offered something that both would get? */
bool endpoints_meet(const struct endpoints *endpoints, uint32_t client,
		    const struct offered *offered);
/* The same of a claim; *port: on which port. */
bool endpoints_meet_claim(const struct endpoints *endpoints, uint32_t client,
			  const struct claim *claim, uint16_t *port);
/* Does a kernel socket listen there? */
bool endpoints_has_listener(const struct offered *offered);

/* Adds those of which something is offered. */
void endpoints_add_ports(const struct endpoints *endpoints, struct port_set *ports);
/* All but these are answered only where somebody has said. */
void endpoints_narrow(struct endpoints *endpoints, const struct port_set *wide);

struct prefix offered_prefix(const struct offered *offered);

#endif
