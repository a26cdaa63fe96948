/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The maps in bpffs, for bpftool and others to read while the owner lives. */
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "clock.h"
#include "kern_private.h"
#include "log.h"
#include "pin_path.h"
#include "plan.h"

_Static_assert(sizeof(PIN_PARENT) + IF_NAMESIZE + 2 <= KERN_PLAN_PATH_SIZE, "has no room");

static void path_of(const struct kern *kern, const char *map, char path[PIN_PATH_SIZE])
{
	pin_path(kern->ifname, map, path);
}

/*
 * Pins outlive a killed process, its heartbeat does not. What was kept for us is ours to replace, and so is what belongs to this interface: of
 * two loaders on it there is never more than one.
 */
static bool has_live_owner(const struct kern *kern)
{
	struct nol_config config;
	char path[PIN_PATH_SIZE];

	path_of(kern, "nol_config", path);
	return !kern->kept && !kept_read_config(path, &config) && config.netns != kept_netns() &&
	       (int64_t)(clock_monotonic_ns() - config.heartbeat_ns) < (int64_t)config.keep_ns;
}

/*
 * Our own maps: those of constant data and .bss have a name with a dot, which bpffs refuses; the keys of the
 * cookies must not outlive the process; nol_rings would keep all rings alive for the sake of none; nol_closed and nol_pcap, which is
 * not always there, are read by nobody else.
 */
static bool is_pinnable(const struct kern *kern, const struct bpf_map *map)
{
	return !bpf_map__is_internal(map) && map != kern->skel->maps.nol_cookie &&
	       map != kern->skel->maps.nol_rings && map != kern->skel->maps.nol_closed &&
	       map != kern->skel->maps.nol_pcap;
}

/* Of other versions as well, whose maps have other names: all but the folders, and the links, of what outlives a loader. */
static void remove_pins(const struct kern *kern)
{
	const struct dirent *entry;
	char path[PIN_PATH_SIZE];
	DIR *folder;

	path_of(kern, "", path);
	folder = opendir(path);
	while (folder && (entry = readdir(folder)))
		if (!strncmp(entry->d_name, "nol_", 4))
			unlinkat(dirfd(folder), entry->d_name, 0);
	if (folder)
		closedir(folder);
}

static int pin_maps(const struct kern *kern)
{
	char path[PIN_PATH_SIZE];
	struct bpf_map *map;
	int err = 0;

	bpf_object__for_each_map(map, kern->skel->obj)
	{
		if (err || !is_pinnable(kern, map))
			continue;
		path_of(kern, bpf_map__name(map), path);
		err = bpf_obj_pin(bpf_map__fd(map), path);
	}
	return err;
}

int kern_pin(struct kern *kern)
{
	char folder[PIN_PATH_SIZE];
	int err;

	if (!pin_has_place()) {
		log_debug("%s: no bpffs at %s, maps are not pinned", kern->ifname, PIN_ROOT);
		return 0;
	}
	if (has_live_owner(kern)) {
		log_debug("%s: %s/%s belongs to a live owner, maps are not pinned", kern->ifname,
			  PIN_PARENT, kern->ifname);
		return 0;
	}
	path_of(kern, "", folder);
	err = pin_make_folders(kern->ifname);
	if (!err) {
		kern->is_pinned = true;
		remove_pins(kern);
		err = pin_maps(kern);
	}
	if (err) {
		log_warning("%s: cannot pin maps in %s: %s", kern->ifname, folder, strerror(-err));
		pin_remove(kern);
	}
	return err;
}

void pin_plan(const struct kern *kern, struct kern_plan *out)
{
	char folder[PIN_PATH_SIZE];

	path_of(kern, "", folder);
	out->takes_over = kern->kept;
	snprintf(out->folder, sizeof(out->folder), "%.*s", (int)strlen(folder) - 1, folder);
	if (!pin_has_place())
		out->pins = KERN_PINS_NO_PLACE;
	else if (has_live_owner(kern))
		out->pins = KERN_PINS_OWNED;
	else
		out->pins = access(out->folder, F_OK) ? KERN_PINS_NEW : KERN_PINS_STALE;
}

void pin_remove(struct kern *kern)
{
	if (!kern->is_pinned)
		return;
	remove_pins(kern);
	pin_remove_folders(kern->ifname);
	kern->is_pinned = false;
}
