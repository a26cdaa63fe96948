/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What a method is: the gate, the flow table, and each worker's wire. */
#ifndef NOLISTEN_METHOD_PARTS_H
#define NOLISTEN_METHOD_PARTS_H

#include "flows.h"
#include "gate.h"
#include "wire.h"

/* The gate owns the flow table, and the wire too where that has no free(). */
struct method_parts {
	struct gate *gate;
	struct flows *flows;
	struct wire *wire; /* the only one; NULL: one is made for each worker */
};

#endif
