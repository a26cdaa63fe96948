/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * What the methods without BPF share: the flow table in our own memory, whose a packet is, replies and replays through
 * raw sockets. Where ingress asks bpf_skc_lookup_tcp(), sock_diag is asked.
 */
#ifndef NOLISTEN_BPFLESS_H
#define NOLISTEN_BPFLESS_H

#include <linux/types.h>
#include <stdbool.h>
#include <stdint.h>

#include <abi/abi.h>

#include "flow_memory.h"
#include "method_parts.h"
#include "ports.h"
#include "raw_replay.h"
#include "raw_send.h"

/* Everything is borrowed. */
struct bpfless_options {
	const char *ifname;
	uint32_t ifindex;
	uint32_t mtu;
	uint32_t max_flows;
	const struct port_set *ports; /* answered */
};

#define BPFLESS_CACHE_SIZE 256

struct bpfless_owned {
	struct tuple tuple;
	uint64_t until_ns;
	uint8_t seen; /* TCP_FIN, TCP_RST */
};

/* The first member of such a method's own struct. */
struct bpfless {
	struct gate gate;
	struct flows table;
	struct wire wire;
	struct bpfless_options options;
	struct flow_memory *flows;
	struct raw_send *sender;
	struct raw_replay *replay;
	struct prefix *prefixes;
	size_t prefix_count;
	int diag_fd;
	struct nol_stats stats;
	/*
	 * What was a kernel socket's a moment ago: a busy connection is not asked for with each packet, and the last
	 * acknowledgement of one, which ends its socket before we can ask, is not taken for a stray.
	 */
	struct bpfless_owned owned[BPFLESS_CACHE_SIZE];
};

struct bpfless_ops {
	enum nol_method method;
	const struct gate_ops *gate;
	const struct flows_ops *flows;
	const struct wire_ops *wire;
};

/* Zeroed before. Errors are logged; bpfless_release() is due in any case. */
int bpfless_init(struct bpfless *bpfless, const struct bpfless_ops *ops,
		 const struct bpfless_options *options);
void bpfless_release(struct bpfless *bpfless);

/* It begins a connection. */
bool bpfless_is_bare_syn(const struct segment *segment);
/* Of an answered port, not the kernel's: true, and counted as held. False: counted as passed. */
bool bpfless_takes(struct bpfless *bpfless, const struct segment *segment, uint64_t now_ns);
/*
 * Whether the socket that this flow was handed to takes it, or went with it. Not so a SYN, which the remote may send
 * between the end of the socket and our hearing of it: nobody would answer.
 */
bool bpfless_met_socket(const struct bpfless *bpfless, struct flow_entry *entry,
			const struct segment *segment, uint64_t now_ns);
/* The text of the answered prefixes of one family, "10.0.0.2, 10.1.0.0/24"; to be freed. NULL: no memory. */
char *bpfless_format_prefixes(const struct bpfless *bpfless, bool is_v4);

struct bpfless *bpfless_of_gate(struct gate *gate);
struct bpfless *bpfless_of_flows(struct flows *flows);
struct bpfless *bpfless_of_wire(const struct wire *wire);
struct method_parts bpfless_parts(struct bpfless *bpfless);

/* Members of the tables that need nothing of the method. */
int bpfless_add_prefix(struct gate *gate, const struct prefix *prefix);
int bpfless_remove_prefix(struct gate *gate, const struct prefix *prefix);
int bpfless_read_stats(struct gate *gate, struct nol_stats *out);
int bpfless_open_flow(struct flows *flows, const struct tuple *tuple, uint64_t now_ns,
		      struct nol_flow *old);
int bpfless_hand_off_flow(struct flows *flows, const struct tuple *tuple, uint32_t held);
int bpfless_shut_flow(struct flows *flows, const struct tuple *tuple, const struct nol_flow *flow);
int bpfless_end_shut_flow(struct flows *flows, const struct tuple *tuple);
int bpfless_close_flow(struct flows *flows, const struct tuple *tuple);
int bpfless_get_flow(struct flows *flows, const struct tuple *tuple, struct nol_flow *out);
void bpfless_forget_flow(struct flows *flows, const struct tuple *tuple, bool only_closed);
int bpfless_visit_flows(struct flows *flows, flow_fn fn, void *context);
int bpfless_send(struct wire *wire, const struct segment *segment);
int bpfless_flush(struct wire *wire);
int bpfless_replay(struct wire *wire, const struct held_packet *packet);
void bpfless_set_mtu(struct wire *wire, uint32_t mtu);

#endif
