/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* A wire around another one, which copies what comes and goes. */
#ifndef NOLISTEN_CAPTURED_WIRE_H
#define NOLISTEN_CAPTURED_WIRE_H

#include "capture.h"
#include "wire.h"

/* The inner wire is freed with it. method: who answers. */
int captured_wire_new(struct wire **out, struct wire *inner, struct capture *capture,
		      enum nol_method method);

#endif
