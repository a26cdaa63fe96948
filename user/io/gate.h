/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What a method does to the host: which packets it keeps from the kernel, from when, until when. */
#ifndef NOLISTEN_GATE_H
#define NOLISTEN_GATE_H

#include <linux/types.h>
#include <stdbool.h>
#include <stdint.h>

#include <abi/abi.h>

#include "addr.h"
#include "ports.h"

struct gate;

struct gate_ops {
	/* From now on handshakes are answered; everything that the host is changed by happens here. Errors are logged. */
	int (*attach)(struct gate *gate);
	/* Going away: packets pass from now on, while the kernel's RSTs are still kept in. NULL: that is one with detach(). */
	void (*stop_holding)(struct gate *gate);
	/* The host is as before; flows and counters stay readable. */
	void (*detach)(struct gate *gate);
	/* What is answered; each prefix is added once. */
	int (*add_prefix)(struct gate *gate, const struct prefix *prefix);
	int (*remove_prefix)(struct gate *gate, const struct prefix *prefix);
	/*
	 * These local ports are answered, from now on; -errno: the old ones still are. Connections that were handed off go
	 * on. The set that the method was made with is its caller's, and changes first.
	 */
	int (*set_ports)(struct gate *gate, const struct port_set *ports);
	/* Once a second: we are alive. NULL: what the host is changed by goes with the process. */
	void (*beat)(struct gate *gate);
	/* The counters that the method has; others are 0. */
	int (*read_stats)(struct gate *gate, struct nol_stats *out);
	/* Once attached: does it run programs to change the host later, and at its end? NULL: none. */
	bool (*runs_programs)(struct gate *gate);
	void (*free)(struct gate *gate); /* detached or not */
};

struct gate {
	const struct gate_ops *ops;
};

#endif
