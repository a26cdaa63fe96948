/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The words for segments and states. */
#ifndef NOLISTEN_WORDS_H
#define NOLISTEN_WORDS_H

#include <linux/types.h>
#include <stdbool.h>
#include <stdint.h>

#include <abi/trace.h>

#include "addr.h"

#define WORDS_SIZE 192

/* "SYN-ACK", "RST+ACK", "ACK with data" */
void words_flags(uint8_t flags, char out[WORDS_SIZE]);
/* "SYN-ACK seq 1 ack 2 win 3 len 4"; the label leaves the window out. */
void words_packet(const struct nol_step *step, char out[WORDS_SIZE]);
void words_label(const struct nol_step *step, char out[WORDS_SIZE]);

/* "10.0.0.2:80", of a flow key's parts. */
void words_end(const __u8 addr[16], uint16_t port, char out[ENDPOINT_TEXT_SIZE]);

/* What connect() does to a socket in repair mode, if no SYN was sent. */
bool words_is_repair(const struct nol_step *step);
/* Nothing happened to the connection: copies and acknowledged data that are freed. */
bool words_is_hidden(const struct nol_step *step, const char *reason);

#endif
