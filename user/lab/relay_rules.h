/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * What a relay does to the packets of a connection: exactly what it was told. A command is a line:
 *   flow PORT DELAY_US        the client's port; how long a packet takes, each way
 *   rule PORT WHO KIND N WHAT
 * WHO sends: client, server. KIND: syn, synack, ack (nothing else in it), data, fin, any; of a connection's packets of that
 * KIND the N-th is meant, retransmissions counted, or N-M, or *. WHAT: drop; late=US; dup (twice, the second right behind);
 * swap (it goes behind the next packet of its sender). The first rule that fits is taken; after them all comes loss, which looks random
 * and is a function of the seed, the port, and the packet's KIND and N: so it is the same whoever answers. Pure.
 */
#ifndef NOLISTEN_RELAY_RULES_H
#define NOLISTEN_RELAY_RULES_H

#include "relay_packet.h"

enum relay_side {
	RELAY_CLIENT,
	RELAY_SERVER,
	RELAY_SIDES,
};

enum relay_verdict {
	RELAY_PASS,
	RELAY_DROP,
	RELAY_LATE,
	RELAY_DUP,
	RELAY_SWAP,
	RELAY_VERDICTS,
};

extern const char *const relay_side_names[RELAY_SIDES];
extern const char *const relay_verdict_names[RELAY_VERDICTS];

/* Of connections from the client's ports first_port and above. */
struct relay_loss {
	uint16_t first_port;
	uint32_t per_million; /* 0: none */
	uint64_t seed;
};

struct relay_flow; /* see below */
struct relay_packet;

struct relay_rules {
	uint64_t delay_us; /* of a flow that nothing was said of */
	struct relay_loss loss;
	struct relay_flow *flows[65536]; /* by the client's port */
};

#define RELAY_KINDS 7
#define RELAY_RULES_MAX 8

struct relay_rule {
	enum relay_side side;
	unsigned int kind;
	unsigned int first, last;
	enum relay_verdict verdict;
	uint64_t late_us;
};

struct relay_flow {
	uint64_t delay_us;
	struct relay_rule rules[RELAY_RULES_MAX];
	unsigned int rule_count;
	unsigned int seen[RELAY_SIDES][RELAY_KINDS];
	uint32_t isn[RELAY_SIDES];
	struct relay_packet *swapped[RELAY_SIDES]; /* waits for the next one */
};

/* NULL: no memory. Made at the first call. */
struct relay_flow *relay_flow_get(struct relay_rules *rules, uint16_t port);
/* The line is cut into words. 0; -ENOMEM; -EINVAL: not understood, logged. */
int relay_command(struct relay_rules *rules, char *line);
/* What becomes of the next packet of that side, which is counted. *late_us if it is RELAY_LATE. */
enum relay_verdict relay_judge(const struct relay_rules *rules, uint16_t port, enum relay_side side,
			       const struct relay_segment *segment, uint64_t *late_us);

#endif
