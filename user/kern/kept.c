/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "kept.h"

#include <dirent.h>
#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "clock.h"
#include "pin_path.h"

#define CONFIG_HEAD (offsetof(struct nol_config, abi) + sizeof(__u16))

uint32_t kept_netns(void)
{
	struct stat status;

	return stat("/proc/thread-self/ns/net", &status) ? 0 : (uint32_t)status.st_ino;
}

const char *kept_link_name(enum kept_link link)
{
	static const char *const names[] = {
		[KEPT_XDP] = "link_xdp",
		[KEPT_EGRESS] = "link_tc_egress",
		[KEPT_INGRESS] = "link_tc_ingress",
	};

	return names[link];
}

/* The first entry of an array, whatever size it has there; what is missing in it is zero. -EPROTO: less than min. */
static int read_entry(int fd, void *out, size_t size, size_t min)
{
	struct bpf_map_info info = {0};
	__u32 len = sizeof(info), zero = 0;
	void *value;
	int err;

	if (bpf_obj_get_info_by_fd(fd, &info, &len))
		return -errno;
	if (info.type != BPF_MAP_TYPE_ARRAY || info.value_size < min)
		return -EPROTO;
	value = malloc((info.value_size + 7) & ~7u);
	if (!value)
		return -ENOMEM;
	err = bpf_map_lookup_elem(fd, &zero, value);
	memset(out, 0, size);
	if (!err)
		memcpy(out, value, size < info.value_size ? size : info.value_size);
	explicit_bzero(value, info.value_size);
	free(value);
	return err;
}

static int read_pinned(const char *path, void *out, size_t size, size_t min)
{
	const int fd = bpf_obj_get(path);
	int err;

	if (fd < 0)
		return fd;
	err = read_entry(fd, out, size, min);
	close(fd);
	return err;
}

int kept_read_config(const char *path, struct nol_config *out)
{
	return read_pinned(path, out, sizeof(*out), CONFIG_HEAD);
}

/* The program's id; 0: there is no such link. It is kept only if it is on the interface. */
static uint32_t open_link(struct kept *kept, const char *ifname, uint32_t ifindex,
			  enum kept_link link)
{
	struct bpf_link_info info = {0};
	__u32 len = sizeof(info);
	char path[PIN_PATH_SIZE];
	int fd;

	pin_path(ifname, kept_link_name(link), path);
	fd = bpf_obj_get(path);
	if (fd < 0)
		return 0;
	/* That of a TCX link is at the same place. */
	if (!bpf_obj_get_info_by_fd(fd, &info, &len) && info.xdp.ifindex == ifindex)
		kept->links[link] = fd;
	else
		close(fd);
	return info.prog_id;
}

static bool has_link(const struct kept *kept)
{
	return kept->links[KEPT_XDP] >= 0 || kept->links[KEPT_EGRESS] >= 0 ||
	       kept->links[KEPT_INGRESS] >= 0;
}

static uint32_t program_id_at(const char *path)
{
	struct bpf_prog_info info = {0};
	__u32 len = sizeof(info);
	const int fd = bpf_obj_get(path);

	if (fd < 0)
		return 0;
	if (bpf_obj_get_info_by_fd(fd, &info, &len))
		info.id = 0;
	close(fd);
	return info.id;
}

static void open_used(struct kept *kept, const char *ifname)
{
	struct bpf_map_info info = {0};
	__u32 len = sizeof(info);
	char path[PIN_PATH_SIZE];

	pin_path_kept(ifname, kept->generation, "nol_used", path);
	if (kept->config.abi == NOL_ABI)
		kept->used_fd = bpf_obj_get(path);
	if (kept->used_fd >= 0 && (bpf_obj_get_info_by_fd(kept->used_fd, &info, &len) ||
				   info.max_entries != NOL_USED_PLACES)) {
		close(kept->used_fd);
		kept->used_fd = -1;
	}
}

static void open_rings(struct kept *kept, const char *ifname)
{
	char path[PIN_PATH_SIZE], name[16];

	while (kept->ring_count < NOL_WORKERS_MAX) {
		int fd;

		snprintf(name, sizeof(name), "ring_%u", (uint8_t)kept->ring_count);
		pin_path_kept(ifname, kept->generation, name, path);
		fd = bpf_obj_get(path);
		if (fd < 0)
			break;
		kept->ring_fds[kept->ring_count++] = fd;
	}
}

static void open_rest(struct kept *kept, const char *ifname)
{
	char path[PIN_PATH_SIZE];

	pin_path_kept(ifname, kept->generation, "nol_cookie", path);
	kept->has_cookie =
		!read_pinned(path, &kept->cookie, sizeof(kept->cookie), sizeof(kept->cookie)) &&
		kept->cookie.format == NOL_COOKIE_FORMAT;
	pin_path_kept(ifname, kept->generation, "nol_tc_egress", path);
	kept->egress_id = program_id_at(path);
	open_used(kept, ifname);
	open_rings(kept, ifname);
}

static bool is_waiting(const struct nol_config *config)
{
	return (int64_t)(clock_monotonic_ns() - config->heartbeat_ns) < (int64_t)config->keep_ns;
}

/*
 * A load whose own link was not pinned yet when it was killed had perhaps changed others to its programs, or removed them: of all folders
 * it is the one with the last heartbeat. 0: there are none.
 */
static uint32_t find_last(const char *ifname, struct nol_config *out)
{
	char path[PIN_PATH_SIZE];
	struct nol_config config;
	const struct dirent *entry;
	uint32_t last = 0;
	unsigned int generation;
	DIR *folder;

	pin_path(ifname, "", path);
	folder = opendir(path);
	while (folder && (entry = readdir(folder))) {
		if (sscanf(entry->d_name, "kept_%u", &generation) != 1)
			continue;
		pin_path_kept(ifname, generation, "nol_config", path);
		if (kept_read_config(path, &config) ||
		    (last && config.heartbeat_ns < out->heartbeat_ns))
			continue;
		last = generation;
		*out = config;
	}
	if (folder)
		closedir(folder);
	return last;
}

/* The links are there: what belongs to them? */
static enum kept_whose look_at(struct kept *kept, const char *ifname,
			       const uint32_t ids[KEPT_LINKS])
{
	static const enum kept_link names[] = {KEPT_XDP, KEPT_INGRESS};
	char path[PIN_PATH_SIZE];

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]) && !kept->generation; i++) {
		pin_path_kept(ifname, ids[names[i]], "nol_config", path);
		if (ids[names[i]] && !kept_read_config(path, &kept->config))
			kept->generation = ids[names[i]];
	}
	if (!kept->generation)
		kept->generation = find_last(ifname, &kept->config);
	if (!kept->generation)
		return KEPT_NOTHING;
	if (kept->config.netns != kept_netns())
		return is_waiting(&kept->config) ? KEPT_FOREIGN : KEPT_NOTHING;
	if (!has_link(kept))
		return KEPT_NOTHING;
	open_rest(kept, ifname);
	return KEPT_OURS;
}

int kept_find(struct kept **out, const char *ifname, uint32_t ifindex, enum kept_whose *whose)
{
	struct kept *kept = calloc(1, sizeof(*kept));
	uint32_t ids[KEPT_LINKS];

	if (!kept)
		return -ENOMEM;
	*whose = KEPT_NOTHING;
	kept->used_fd = -1;
	for (enum kept_link link = 0; link < KEPT_LINKS; link++)
		kept->links[link] = -1;
	for (enum kept_link link = 0; link < KEPT_LINKS && pin_has_place(); link++)
		ids[link] = open_link(kept, ifname, ifindex, link);
	if (pin_has_place())
		*whose = look_at(kept, ifname, ids);
	if (*whose == KEPT_OURS)
		*out = kept;
	else
		kept_free(kept);
	return 0;
}

void kept_free(struct kept *kept)
{
	if (!kept)
		return;
	for (enum kept_link link = 0; link < KEPT_LINKS; link++)
		if (kept->links[link] >= 0)
			close(kept->links[link]);
	for (uint32_t i = 0; i < kept->ring_count; i++) {
		ring_buffer__free(kept->rings[i]);
		close(kept->ring_fds[i]);
	}
	if (kept->used_fd >= 0)
		close(kept->used_fd);
	explicit_bzero(&kept->cookie, sizeof(kept->cookie));
	free(kept);
}

void kept_sweep_one(const char *ifname, uint32_t generation)
{
	const struct dirent *entry;
	char path[PIN_PATH_SIZE];
	DIR *folder;

	pin_path_kept(ifname, generation, "", path);
	folder = opendir(path);
	while (folder && (entry = readdir(folder)))
		if (entry->d_name[0] != '.')
			unlinkat(dirfd(folder), entry->d_name, 0);
	if (folder)
		closedir(folder);
	rmdir(path);
}

void kept_sweep(const char *ifname, uint32_t but)
{
	char path[PIN_PATH_SIZE];
	DIR *folder;
	const struct dirent *entry;
	unsigned int generation;

	pin_path(ifname, "", path);
	folder = opendir(path);
	while (folder && (entry = readdir(folder))) {
		if (sscanf(entry->d_name, "kept_%u", &generation) != 1 || generation == but)
			continue;
		kept_sweep_one(ifname, generation);
	}
	if (folder)
		closedir(folder);
}
