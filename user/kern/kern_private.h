/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What the files of this folder share; tests that run single programs look in here too. */
#ifndef NOLISTEN_KERN_PRIVATE_H
#define NOLISTEN_KERN_PRIVATE_H

#include <linux/types.h>
#include <net/if.h>
#include <pthread.h>

#include <abi/abi.h> /* the skeleton has types of it */

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include <nolisten.skel.h>

#include "keep.h"
#include "kern.h"

struct kern {
	struct kern_options options; /* ifname points to the copy below */
	char ifname[IF_NAMESIZE];
	struct nolisten_bpf *skel;
	struct nol_config *config; /* the mapped page of nol_config */
	struct nol_cookie *cookie; /* and that of nol_cookie */
	struct kern_ring *rings; /* options.workers of them */
	pthread_mutex_t flow_lock;
	struct closed_reader *closed; /* NULL: nobody watches */
	struct capture_reader *captured; /* NULL: nothing is captured */
	bool is_pinned;
	struct kept *kept; /* what the last loader has left; NULL: nothing */
	bool is_kept; /* it is pinned, and stays when we go */
	uint32_t generation; /* the folder that it is pinned in; 0: none yet */
	bool adopted[KEPT_LINKS]; /* the link was the last loader's */

	int xdp_link_fd; /* -1: not attached */
	bool is_xdp_generic;
	bool is_xdp_standby; /* method accept: generic XDP is attached in floods only */
	bool is_xdp_refused; /* in this one another program has its place */
	bool is_xdp_absent; /* --xdp=none, or method accept found no place for it */
	int tc_ingress_fd; /* -1: not attached */
	int tcx_link_fd; /* -1: not attached, or to clsact */
	uint32_t clsact_handle; /* of our filter; 0: not on clsact */
};

/* All rings but the first, which is loaded with the programs, and what reads them. -errno: rings_close() all the same. */
int rings_open(struct kern *kern);
void rings_close(struct kern *kern);

/* Before the load: the tracepoint's program, if the kernel has the tracepoint. */
void closed_prepare(struct kern *kern);
void closed_close(struct kern *kern);

/* Before the load: the ring and what goes into it, if anything does. After it: what reads the ring. */
int capture_prepare(struct kern *kern);
int capture_open_ring(struct kern *kern);
void capture_close_ring(struct kern *kern);

/* Errors are logged. -EBUSY: another XDP program is there. */
int xdp_attach(struct kern *kern);
void xdp_detach(struct kern *kern);

/* Errors are logged. */
int tc_attach(struct kern *kern);
void tc_detach(struct kern *kern);
/* Removes our filters from clsact, and the qdisc if that was ours; false: there were none. Of kern: ifname, options.ifindex, kept. */
bool tc_sweep(const struct kern *kern);
/* On clsact: is our filter gone, or another in its place? */
bool tc_is_replaced(const struct kern *kern);

/* Method accept only. Errors are logged. */
int tc_ingress_attach(struct kern *kern);
void tc_ingress_detach(struct kern *kern);

/* Is there no filter, of ingress or egress, on the interface's clsact qdisc? False as well if that cannot be told. */
bool clsact_is_empty(uint32_t ifindex);

/* The name of the program with this id, or "" if there is none. */
void program_name(uint32_t id, char name[BPF_OBJ_NAME_LEN]);

void pin_remove(struct kern *kern);

/* The parts of kern_plan(). Errors are logged, as those of attaching. */
struct kern_plan;
int xdp_plan(const struct kern *kern, struct kern_plan *out);
int tc_plan(const struct kern *kern, struct kern_plan *out);
void pin_plan(const struct kern *kern, struct kern_plan *out);
/* Has a device on top of it, or the one that it belongs to, an XDP program? The kernel refuses one below. */
bool plan_has_xdp_on_top(uint32_t ifindex);

#endif
