/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * What outlives a loader with --pin, in bpffs: the links by their names, and for each load a folder of what its programs need
 * and the next loader takes: maps, rings, the keys of the cookies. The folder is named after the program that the link has, so that who finds
 * the link finds what belongs to it, whenever the loader before was killed; where it is named after a link that was not pinned yet, by the last heartbeat.
 */
#ifndef NOLISTEN_KEPT_H
#define NOLISTEN_KEPT_H

#include <linux/types.h>
#include <stdbool.h>
#include <stdint.h>

#include <abi/abi.h>

struct ring_buffer;

enum kept_link {
	KEPT_XDP,
	KEPT_EGRESS,
	KEPT_INGRESS,
	KEPT_LINKS,
};

struct kept {
	int links[KEPT_LINKS]; /* -1: none that is attached to the interface */
	uint32_t generation;
	uint32_t egress_id; /* of the program, which may be on clsact */
	struct nol_config config; /* as far as it is the same in every version */
	bool has_cookie;
	struct nol_cookie cookie;
	int used_fd; /* nol_used; -1: none that fits */
	int ring_fds[NOL_WORKERS_MAX];
	struct ring_buffer *rings[NOL_WORKERS_MAX];
	uint32_t ring_count;
	void *take; /* during kern_kept_take() only */
};

enum kept_whose {
	KEPT_NOTHING,
	KEPT_OURS,
	KEPT_FOREIGN, /* of a loader in another network namespace, whose programs still wait for it */
};

/* *out is set for KEPT_OURS only. -errno. */
int kept_find(struct kept **out, const char *ifname, uint32_t ifindex, enum kept_whose *whose);
void kept_free(struct kept *kept); /* NULL is legal */

/* Of a map that is pinned there. -errno, -EPROTO: no such map of ours. */
int kept_read_config(const char *path, struct nol_config *out);

const char *kept_link_name(enum kept_link link); /* of the pin */
/* Unpins the folder of a load; those of all loads but one, 0: of all. */
void kept_sweep_one(const char *ifname, uint32_t generation);
void kept_sweep(const char *ifname, uint32_t but);

/* The inode of this thread's network namespace; 0: it cannot be told. */
uint32_t kept_netns(void);

#endif
