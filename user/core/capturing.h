/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* --pcap: what the programs copy, and what goes over the workers' wires. */
#ifndef NOLISTEN_CAPTURING_H
#define NOLISTEN_CAPTURING_H

#include "capture.h"
#include "method.h"

/* What the programs have to copy: see struct kern_options. */
uint32_t capturing_wants(const struct config *config);
/* Of a method whose programs are loaded; *out stays NULL if nothing is captured. Errors are logged. */
int capturing_open(struct capture **out, const struct method *method);
/* The same wire, of which all packets are copied. On failure the wire is still the caller's. */
int capturing_wrap(struct wire **wire, struct capture *capture, const struct method *method);

#endif
