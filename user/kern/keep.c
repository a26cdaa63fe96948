/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * --pin: the programs outlive the loader, and the next one takes over.
 *
 * Each load has maps of its own, all of them, so that no version has to understand the tables of another, and nothing is answered by half a
 * configuration: the programs of the new load are complete before a link changes to them, in one step. What
 * waits in the rings of the load before is then given to the new programs as if it came in just now. Nothing else of it is needed but the
 * keys by which its cookies are known, and which cookies were used.
 *
 * The folder of a load is complete before the first link has its programs, and goes after the last link has others: whoever is
 * killed in between leaves one more than is needed, and the next one removes it. Tail calls need that as well: the kernel empties
 * their tables when the last descriptor and pin of them has gone.
 */
#include "keep.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <linux/if_link.h>
#include <linux/membarrier.h>
#include <sys/syscall.h>

#include "kern_private.h"
#include "log.h"
#include "pin_path.h"

int keep_find(struct kern *kern)
{
	const bool is_asked = kern->options.keep_ns;
	enum kept_whose whose;
	int err;

	if (is_asked && !pin_has_place()) {
		log_error("%s: --pin: no bpffs on " PIN_ROOT ": mount -t bpf bpf " PIN_ROOT,
			  kern->ifname);
		return -ENOTSUP;
	}
	err = kept_find(&kern->kept, kern->ifname, kern->options.ifindex, &whose);
	if (err || whose != KEPT_FOREIGN || !is_asked)
		return err;
	log_error("%s: --pin: " PIN_PARENT
		  "/%s is of a loader in another network namespace: end it, or give the interface "
		  "another name",
		  kern->ifname, kern->ifname);
	return -EBUSY;
}

int keep_reuse(struct kern *kern)
{
	const struct kept *kept = kern->kept;

	if (!kept || kept->used_fd < 0)
		return 0;
	/* Its places are by this. */
	kern->skel->rodata->nol_worker_seed = kept->config.worker_seed;
	return bpf_map__reuse_fd(kern->skel->maps.nol_used, kept->used_fd);
}

void keep_configure(struct kern *kern)
{
	struct nol_config *config = kern->config;
	const struct kept *kept = kern->kept;

	config->record_head = sizeof(struct nol_record);
	config->keep_ns = kern->options.keep_ns ?: NOL_HEARTBEAT_STALE_NS;
	config->netns = kept_netns();
	config->abi = NOL_ABI;
	config->worker_seed = kern->skel->rodata->nol_worker_seed;
	if (!kept)
		return;
	config->presence = NOL_TAKING_OVER;
	config->can_transmit = kept->config.can_transmit;
	if (kept->has_cookie) {
		*kern->cookie = kept->cookie;
		kern->cookie->has_routes = 0; /* nol_routes is new */
	} else {
		log_warning("%s: cookies of the last loader are of another version: handshakes "
			    "that are under way are lost",
			    kern->ifname);
	}
}

static uint32_t id_of(const struct bpf_program *program)
{
	struct bpf_prog_info info = {0};
	__u32 len = sizeof(info);

	return bpf_obj_get_info_by_fd(bpf_program__fd(program), &info, &len) ? 0 : info.id;
}

static int pin_at(const struct kern *kern, const char *name, int fd)
{
	char path[PIN_PATH_SIZE];

	pin_path_kept(kern->ifname, kern->generation, name, path);
	return bpf_obj_pin(fd, path);
}

static int pin_rings(const struct kern *kern)
{
	char name[16];
	int err = 0;

	for (uint32_t i = 0; i < kern->options.workers && !err; i++) {
		snprintf(name, sizeof(name), "ring_%u", (uint8_t)i);
		err = pin_at(kern, name, kern_ring_fd(kern_ring((struct kern *)kern, i)));
	}
	return err;
}

/* By the programs or by the next loader. */
static bool is_needed(const struct nolisten_bpf *skel, const struct bpf_map *map)
{
	return bpf_map__type(map) == BPF_MAP_TYPE_PROG_ARRAY || map == skel->maps.nol_config ||
	       map == skel->maps.nol_cookie || map == skel->maps.nol_used;
}

static int pin_load(const struct kern *kern)
{
	const struct nolisten_bpf *skel = kern->skel;
	struct bpf_map *map;
	int err = 0;

	bpf_object__for_each_map(map, skel->obj)
	{
		if (!err && is_needed(skel, map))
			err = pin_at(kern, bpf_map__name(map), bpf_map__fd(map));
	}
	return err ?: pin_at(kern, "nol_tc_egress", bpf_program__fd(skel->progs.nol_tc_egress))
			      ?: pin_rings(kern);
}

static void undo(struct kern *kern)
{
	if (!kern->generation)
		return;
	kept_sweep_one(kern->ifname, kern->generation);
	pin_remove_folders(kern->ifname);
	kern->generation = 0;
}

int keep_begin(struct kern *kern)
{
	const struct nolisten_bpf *skel = kern->skel;
	char path[PIN_PATH_SIZE];
	int err;

	/* Who takes over without --pin has one until it is done: the links are pinned so long. */
	if (!kern->options.keep_ns && !kern->kept)
		return 0;
	kern->generation = id_of(kern->options.accepts ? skel->progs.nol_tc_ingress
						       : skel->progs.nol_xdp_ingress);
	pin_path_kept(kern->ifname, kern->generation, "", path);
	err = pin_make_folders(kern->ifname);
	if (!err && mkdir(path, 0700))
		err = -errno;
	if (!err)
		err = pin_load(kern);
	if (!err)
		return 0;
	log_error("%s: --pin: cannot pin in " PIN_PARENT "/%s: %s", kern->ifname, kern->ifname,
		  strerror(-err));
	undo(kern);
	return err;
}

/* -1: there is none. */
static int link_fd(const struct kern *kern, enum kept_link link)
{
	const int fds[KEPT_LINKS] = {
		[KEPT_XDP] = kern->is_xdp_standby ? -1 : kern->xdp_link_fd,
		[KEPT_EGRESS] = kern->tcx_link_fd,
		[KEPT_INGRESS] = kern->tc_ingress_fd,
	};

	return fds[link];
}

static int pin_link(const struct kern *kern, enum kept_link link)
{
	char path[PIN_PATH_SIZE];

	pin_path(kern->ifname, kept_link_name(link), path);
	if (kern->adopted[link])
		return 0;
	unlink(path);
	return link_fd(kern, link) < 0 ? 0 : bpf_obj_pin(link_fd(kern, link), path);
}

static void unpin_links(const struct kern *kern)
{
	char path[PIN_PATH_SIZE];

	for (enum kept_link link = 0; link < KEPT_LINKS; link++) {
		pin_path(kern->ifname, kept_link_name(link), path);
		unlink(path);
	}
}

int keep_finish(struct kern *kern)
{
	int err = 0;

	if (!kern->options.keep_ns) {
		/* From now on all of it is this process's. */
		if (kern->kept)
			keep_forget(kern);
		return 0;
	}
	for (enum kept_link link = 0; link < KEPT_LINKS && !err; link++)
		err = pin_link(kern, link);
	if (err) {
		log_error("%s: --pin: cannot pin in " PIN_PARENT "/%s: %s", kern->ifname,
			  kern->ifname, strerror(-err));
		return err;
	}
	kern->is_kept = true;
	kept_sweep(kern->ifname, kern->generation);
	return 0;
}

void keep_forget(struct kern *kern)
{
	kern->is_kept = false;
	unpin_links(kern);
	kept_sweep(kern->ifname, 0);
	pin_remove_folders(kern->ifname);
}

static void close_link(int *fd)
{
	if (*fd >= 0)
		close(*fd);
	*fd = -1;
}

void keep_let_go(struct kern *kern)
{
	__atomic_store_n(&kern->config->presence, NOL_AWAY, __ATOMIC_RELEASE);
	close_link(&kern->xdp_link_fd);
	close_link(&kern->tcx_link_fd);
	close_link(&kern->tc_ingress_fd);
	kern->clsact_handle = 0;
	/* From now on the pins may be the next loader's. */
	kern->is_kept = kern->is_pinned = false;
}

bool kern_has_adopted(const struct kern *kern)
{
	return kern->adopted[KEPT_XDP] || kern->adopted[KEPT_EGRESS] || kern->adopted[KEPT_INGRESS];
}

/* What has been taken over is left to who comes next, if it can be. */
void keep_fail(struct kern *kern)
{
	const bool has_adopted = kern_has_adopted(kern);

	if (has_adopted && kern->options.keep_ns) {
		keep_let_go(kern);
		return;
	}
	if (has_adopted)
		keep_forget(kern);
	kern_detach(kern);
	if (!kern->kept)
		unpin_links(kern);
	undo(kern);
}

int keep_adopt(struct kern *kern, enum kept_link link, const struct bpf_program *program)
{
	struct kept *kept = kern->kept;
	const int fd = kept ? kept->links[link] : -1;
	int err;

	if (fd < 0)
		return -ENOENT;
	err = bpf_link_update(fd, bpf_program__fd(program), NULL);
	if (err) {
		log_debug("%s: %s: %s", kern->ifname, kept_link_name(link), strerror(-err));
		return err;
	}
	kern->adopted[link] = true;
	kept->links[link] = -1;
	return fd;
}

void keep_drop(struct kern *kern, enum kept_link link)
{
	struct kept *kept = kern->kept;
	char path[PIN_PATH_SIZE];

	if (!kept || kept->links[link] < 0)
		return;
	pin_path(kern->ifname, kept_link_name(link), path);
	unlink(path);
	bpf_link_detach(kept->links[link]);
	close(kept->links[link]);
	kept->links[link] = -1;
}

bool keep_is_generic(const struct kern *kern)
{
	LIBBPF_OPTS(bpf_xdp_query_opts, query);

	return !bpf_xdp_query((int)kern->options.ifindex, 0, &query) &&
	       query.attach_mode == XDP_ATTACHED_SKB;
}

/* The kernel waits until every program that has begun before this has ended. */
void kern_await_programs(void)
{
	syscall(SYS_membarrier, MEMBARRIER_CMD_GLOBAL, 0, 0);
}

bool kern_is_takeover(const struct kern *kern)
{
	return kern->kept;
}

bool kern_has_kept_cookies(const struct kern *kern)
{
	return kern->kept && kern->kept->has_cookie;
}

void kern_leave_begin(struct kern *kern)
{
	if (!kern->is_kept)
		return;
	__atomic_store_n(&kern->config->presence, NOL_AWAY, __ATOMIC_RELEASE);
	kern_await_programs();
}

bool kern_has_adopted_xdp(const struct kern *kern)
{
	return kern->adopted[KEPT_XDP];
}

bool kern_is_kept(const struct kern *kern)
{
	return kern->is_kept;
}

void kern_forget_kept(struct kern *kern)
{
	if (kern->is_kept)
		keep_forget(kern);
}

void kern_settle(struct kern *kern)
{
	kept_free(kern->kept);
	kern->kept = NULL;
	__atomic_store_n(&kern->config->presence, NOL_PRESENT, __ATOMIC_RELEASE);
}
