/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The answerer as the options and the link want it: with the key file, and with what the engine would advertise. */
#ifndef NOLISTEN_ANSWERING_H
#define NOLISTEN_ANSWERING_H

#include "answerer.h"
#include "config.h"
#include "engine.h"
#include "link_watch.h"

/* Errors are logged. */
int answering_open(struct answerer **out, struct kern *kern, const struct config *config,
		   const struct link_info *link, const struct engine_config *engine);
/* The MTU changed. */
void answering_set_mtu(struct answerer *answerer, const struct engine_config *engine, uint32_t mtu);

#endif
