/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Method connect: a half-open flow has a kernel socket that connect()s back to the remote, whose SYN was held. The
 * programs turn its SYN into the SYN-ACK, and the remote's ACK into the SYN-ACK that it waits for (struct nol_back).
 * The engine follows the handshake and answers what is odd; the socket answers what is not.
 */
#ifndef NOLISTEN_CONNECT_BACK_H
#define NOLISTEN_CONNECT_BACK_H

#include <stdbool.h>
#include <stdint.h>

#include "socket_maker.h"

struct kern;

/* kern and wire are borrowed. */
struct connect_back_options {
	struct kern *kern;
	struct wire *wire;
	struct socket_place place;
	uint8_t syn_retries; /* TCP_SYNCNT */
	bool is_loopback;
};

/* Freed, half-open sockets end without a word. -ENOMEM. */
int connect_back_new(struct socket_maker **out, const struct connect_back_options *options);

#endif
