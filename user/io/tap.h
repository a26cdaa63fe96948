/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Copies of the TCP packets of one interface, or of all, from a packet socket. It is preferred to a raw IP socket because it
 * gives the headers of both IP versions, hears one interface only, and has its copy before IP has the packet: whatever
 * the kernel has already made of a packet, the copy is in the queue. A classic BPF filter, which needs no bpf(), leaves
 * out what is not TCP.
 */
#ifndef NOLISTEN_TAP_H
#define NOLISTEN_TAP_H

#include <stdbool.h>
#include <stdint.h>

#include "ports.h"

struct tap;

struct tap_packet {
	const uint8_t *ip; /* from the IP header; valid during the call */
	uint32_t len;
	bool is_whole; /* false: cut */
	bool is_outgoing;
	uint32_t ifindex; /* where it was seen */
	uint64_t realtime_ns; /* when the kernel had it; 0 unless outgoing ones are seen too */
};

typedef void (*tap_fn)(void *context, const struct tap_packet *packet);

struct tap_options {
	uint32_t ifindex; /* 0: all interfaces */
	const struct port_set *ports; /* local ports of interest: a hint, others may come too */
	bool sees_outgoing; /* with the time of each packet */
};

int tap_new(struct tap **out, const struct tap_options *options);
/* Others are of interest from now on. */
int tap_set_ports(struct tap *tap, const struct port_set *ports);
/* Nothing comes before the start, or after the stop. Errors of the start are logged. */
int tap_start(struct tap *tap);
void tap_stop(struct tap *tap);
void tap_free(struct tap *tap);
int tap_fd(const struct tap *tap);

/* Up to max packets, without waiting; their number or -errno. */
int tap_receive(struct tap *tap, uint32_t max, tap_fn fn, void *context);

/* Since the start: packets received by tap_receive(); those and what waits in the queue; those that the queue had no room for. */
uint64_t tap_received(const struct tap *tap);
uint64_t tap_arrived(struct tap *tap);
uint64_t tap_lost(struct tap *tap);

#endif
