/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The flow table: what the kernel side is told of each flow, and whose it is. The map nol_flows, or memory of our own. With
 * several workers it is everybody's: each call may come from any thread.
 */
#ifndef NOLISTEN_FLOWS_H
#define NOLISTEN_FLOWS_H

#include <linux/types.h>
#include <stdbool.h>
#include <stdint.h>

#include <abi/abi.h>

#include "addr.h"

typedef bool (*flow_fn)(void *context, const struct tuple *tuple, const struct nol_flow *flow);
/* flow: its method and created_ns. */
typedef void (*flow_closed_fn)(void *context, const struct tuple *tuple,
			       const struct nol_flow *flow);

struct flows;

struct flows_ops {
	/*
	 * From now on the flow's packets are held: before the SYN-ACK leaves. A flow in its grace is replaced; 1: and
	 * so was one whose kernel socket is gone without a word of it yet, which *old is a copy of.
	 * -E2BIG: the table is full; -EDQUOT: its source holds as much as it may; -EALREADY: a kernel socket has the 4-tuple, the
	 * SYN was held just before.
	 */
	int (*open)(struct flows *flows, const struct tuple *tuple, uint64_t now_ns,
		    struct nol_flow *old);
	/* May this one stay, whose entry ingress has made? 0 or -EDQUOT. NULL: all may. */
	int (*admit)(struct flows *flows, const struct tuple *tuple);
	/* From now on the flow is the kernel's. -EAGAIN: more than held packets were held; receive and replay them first. */
	int (*hand_off)(struct flows *flows, const struct tuple *tuple, uint32_t held);
	/* The same, whatever was held. NULL: all that hand_off() waits for is certain to come. */
	void (*force)(struct flows *flows, const struct tuple *tuple);
	/* It is, or stays, a tarpit's connection: flow's state, held and shut; nobody counts what is held of it. 0 or -ENOENT. */
	int (*shut)(struct flows *flows, const struct tuple *tuple, const struct nol_flow *flow);
	/* One of these is over, and removed. -ENOENT: it was none, or is none any more. */
	int (*end_shut)(struct flows *flows, const struct tuple *tuple);
	/* Its kernel socket is gone: the grace begins. -ENOENT: no flow of ours was handed off there. */
	int (*close)(struct flows *flows, const struct tuple *tuple);
	/*
	 * A descriptor that is readable when flows were closed because their kernel socket is gone, without anybody's
	 * close(). NULL, or -errno: nobody does so. Closing alone calls this and the next, in one thread.
	 */
	int (*watch_closed)(struct flows *flows);
	/* fn for each such flow; their number. -ENOBUFS: some were not closed, for lack of room; look for them. */
	int (*take_closed)(struct flows *flows, flow_closed_fn fn, void *context);
	/* From now on the descriptor need not be readable for a word alone: the caller reads at every tick. NULL: it always is. */
	void (*read_ends)(struct flows *flows, bool at_ticks);
	/* Since the last call, may flows not have been closed, without anything that tells which? NULL: never. Closing alone calls it. */
	bool (*has_missed)(struct flows *flows);
	/* 0 and the flow, or -ENOENT. */
	int (*get)(struct flows *flows, const struct tuple *tuple, struct nol_flow *out);
	/* The flow is over without a socket, or its grace is: only_closed spares a new connection in its place. */
	void (*forget)(struct flows *flows, const struct tuple *tuple, bool only_closed);
	/* The graces of so many are over: as forget() of closed ones. NULL: one by one. */
	void (*forget_closed)(struct flows *flows, const struct tuple *tuples, uint32_t count);
	/* fn for every flow until it returns false. Number or -errno. */
	int (*visit)(struct flows *flows, flow_fn fn, void *context);
};

struct flows {
	const struct flows_ops *ops;
	enum nol_method method; /* who answers the SYNs of those that are opened */
};

/* Was it handed off? Then a packet that was held before the flow was known is the kernel's. */
bool flows_is_handed_off(struct flows *flows, const struct tuple *tuple);
/* As get(); of one that there is not, our method and nothing else. */
struct nol_flow flows_find(struct flows *flows, const struct tuple *tuple);

#endif
