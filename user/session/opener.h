/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Active opens by the engine: a SYN of any shape, a handshake without a kernel socket, and then an ordinary one. It needs no
 * BPF, no gate and no flow table, and so goes beside whatever answers on the same interface. Of one loop, in its thread.
 */
#ifndef NOLISTEN_OPENER_H
#define NOLISTEN_OPENER_H

#include <linux/types.h>
#include <stdbool.h>
#include <stdint.h>

#include "engine.h"
#include "icmp_error.h"
#include "loop.h"

struct opener;
struct opening;

struct opener_config {
	uint32_t max_openings; /* at a time */
	uint32_t scope_id; /* the interface of link-local addresses */
	uint32_t
		ifindex; /* all segments leave by it, and the sockets are bound to it; 0: by the routes */
	uint8_t syn_retries; /* unless an engine_syn says otherwise */
	struct engine_settings settings; /* to begin with */
};

struct opening_options {
	struct tuple tuple; /* local port 0: any that is free */
	struct engine_syn syn; /* all zeros: as the settings have it */
	uint64_t timeout_ns; /* 0: until the last SYN has waited */
};

struct opening_result {
	int err; /* 0, -ECONNREFUSED, -ETIMEDOUT, -ECONNRESET, what an ICMP error means, or of our own */
	int fd; /* connected, non-blocking, close-on-exec, the taker's; -1 with an error */
	struct tuple tuple;
	const struct syn_print *syn; /* the remote's SYN-ACK, or SYN; NULL: there was none */
	const struct icmp_error *icmp; /* what ended it; NULL: no such */
	uint64_t rtt_ns; /* of the handshake */
	uint8_t retransmits; /* of our SYN */
	bool has_crossed; /* the remote's SYN came: a simultaneous open */
};

/* What the result points to is there until it returns. No other opening may be begun or cancelled in it. */
typedef void (*opening_fn)(void *context, const struct opening_result *result);

/* -EPERM without CAP_NET_RAW and CAP_NET_ADMIN. Errors are logged. */
int opener_new(struct opener **out, struct loop *loop, const struct opener_config *config);
void opener_free(
	struct opener *opener); /* with what is open still, of which nobody hears; NULL is legal */
void opener_set(struct opener *opener, const struct engine_settings *settings);

/*
 * Sends the first SYN; fn is called once, from the loop. -errno: nothing was sent, fn is not called. -EADDRNOTAVAIL: the local
 * address is none of this host's; -EADDRINUSE: another socket has the port; -EALREADY: the 4-tuple is in use, or was a
 * minute ago; -EINVAL: both ends are the same; -ENOSPC: too many at a time; what routes and firewalls say.
 */
int opener_open(struct opener *opener, const struct opening_options *options, opening_fn fn,
		void *context, struct opening **out);
/* fn is not called. */
void opener_cancel(struct opening *opening);
uint32_t opener_count(const struct opener *opener);

#endif
