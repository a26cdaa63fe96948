/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The benchmark's own BPF programs (bench.bpf.c), and the timing of other people's. Interfaces are those of the
 * network namespace that the caller is in.
 */
#ifndef NOLISTEN_BENCH_KERN_H
#define NOLISTEN_BENCH_KERN_H

#include <linux/types.h>
#include <stdbool.h>
#include <stdint.h>

#include "addr.h"
#include "load_failure.h"

#define BENCH_KERN_BATCH 64 /* frames that are sent at a time */

struct bench_kern;

/* Nothing is logged. */
int bench_kern_open(struct bench_kern **out, struct load_failure *failure);
/* Would it load? */
int bench_kern_probe(struct load_failure *failure);
void bench_kern_close(struct bench_kern *kern); /* NULL is legal */

struct bench_target {
	uint8_t local_mac[6], remote_mac[6]; /* of the sender, of who is flooded */
	struct endpoint remote; /* IPv4 */
	struct addr source; /* a /16: the sources of the flood */
	bool forges_acks; /* of handshakes that never were; else SYNs */
};

/* Where the next flood goes. A child process that was forked before sees it too. */
int bench_kern_aim(struct bench_kern *kern, const struct bench_target *target);

/*
 * Send count segments out of the interface, each from another source, as fast as it goes. BENCH_SEND has to be attached
 * to some idle interface: otherwise each call waits 20 ms and more until the kernel has patched its dispatcher.
 */
int bench_kern_send(struct bench_kern *kern, uint32_t ifindex, uint32_t count);

enum bench_program {
	BENCH_TAKE, /* counts and drops what comes back to the sources of the flood */
	BENCH_REFLECT, /* sends every packet of the flood back */
	BENCH_SEND, /* makes the flood */
};

/* A link that lives as long as the descriptor, or -errno. */
int bench_kern_attach(struct bench_kern *kern, enum bench_program program, uint32_t ifindex,
		      bool is_generic);
/* Shall BENCH_TAKE answer SYN-ACKs by ACKs, and FINs by RSTs? */
void bench_kern_finish_handshakes(struct bench_kern *kern, bool is_on);

/* What BENCH_TAKE has counted since it was loaded. */
struct bench_seen {
	uint64_t syn_ack, reflected, rst, other;
};
int bench_kern_read(struct bench_kern *kern, struct bench_seen *out);

/* The program of that name which the process holds (by its first 15 characters): descriptor, or -ENOENT. */
int bench_kern_find(int pid, const char *name);

/* One kind of packet in one program. */
struct bench_timing {
	const uint8_t *frame;
	uint32_t frame_len;
	bool is_xdp; /* else TC */
	uint32_t verdict; /* that the program has to come to */
	uint32_t ifindex; /* XDP: where the packet came in; 0: nowhere */
	uint32_t repeat;
};

/*
 * Thread CPU time a run, ns. -EBADMSG: another verdict. It includes what the loop around it costs: compare with a
 * program that returns the verdict at once.
 */
int bench_kern_time(const struct bench_timing *timing, int program_fd, double *ns);
/* A program that returns the verdict at once. */
int bench_kern_load_empty(const struct bench_timing *timing);
/*
 * Attach an XDP program to some idle interface, as long as the descriptor (or -errno) lives. The kernel calls XDP
 * programs by a dispatcher, patched for those that are attached; for any other it is patched before and after each
 * call of bench_kern_time(), which the thread pays for: up to 200 us on a virtual machine.
 */
int bench_kern_hold(int program_fd, uint32_t ifindex);

/*
 * A SYN of the flood in an XDP program that answers it in place, or in BENCH_KERN_EMPTY. What is called is a
 * program of ours, which makes the SYN anew each time: hold that one.
 */
#define BENCH_KERN_EMPTY -1
int bench_kern_time_syn(struct bench_kern *kern, int program_fd, const struct bench_timing *timing,
			double *ns);
int bench_kern_hold_syn(struct bench_kern *kern, uint32_t ifindex);

/* Bytes of kernel memory of the process's maps, as fdinfo tells it. */
int bench_kern_map_bytes(int pid, uint64_t *out);

#endif
