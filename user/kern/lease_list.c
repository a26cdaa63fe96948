/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Finds nol_guard maps among all maps of the kernel, and reads them and what they name. */
#include "lease_list.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "clock.h"
#include "kern_private.h"

#define BATCH_MIN 1024
#define PROGRAM_MAPS 16

uint64_t lease_last_ns(const struct nol_lease *lease)
{
	return lease->out_ns > lease->in_ns ? lease->out_ns : lease->in_ns;
}

int lease_stats_read(int stats_fd, struct nol_guard_stats *out)
{
	const int cpus = libbpf_num_possible_cpus();
	struct nol_guard_stats *each;
	const __u32 zero = 0;
	int err;

	if (cpus < 0)
		return cpus;
	each = calloc((size_t)cpus, sizeof(*each));
	if (!each)
		return -ENOMEM;
	memset(out, 0, sizeof(*out));
	err = bpf_map_lookup_elem(stats_fd, &zero, each);
	for (int cpu = 0; !err && cpu < cpus; cpu++)
		for (size_t i = 0; i < sizeof(*out) / sizeof(__u64); i++)
			((__u64 *)out)[i] += ((__u64 *)&each[cpu])[i];
	free(each);
	return err;
}

struct batch {
	struct nol_flow_key *keys;
	struct nol_lease *leases;
	__u32 size, place, has_place;
};

static int grow(struct batch *batch, __u32 size)
{
	void *keys = reallocarray(batch->keys, size, sizeof(*batch->keys)), *leases;

	if (!keys)
		return -ENOMEM;
	batch->keys = keys;
	leases = reallocarray(batch->leases, size, sizeof(*batch->leases));
	if (!leases)
		return -ENOMEM;
	batch->leases = leases;
	batch->size = size;
	return 0;
}

/* The next ones. -ENOENT: they are the last. -ENOSPC: one bucket of the table has more than fit. */
static int read_batch(struct batch *batch, int fd, __u32 *count)
{
	*count = batch->size;
	return bpf_map_lookup_batch(fd, batch->has_place ? &batch->place : NULL, &batch->place,
				    batch->keys, batch->leases, count, NULL);
}

static int each_batch(struct batch *batch, int fd, lease_fn fn, void *context)
{
	__u32 count;
	int err;

	do {
		err = read_batch(batch, fd, &count);
		if (err == -ENOSPC) {
			err = grow(batch, batch->size * 2);
			continue;
		}
		if (err && err != -ENOENT)
			return err;
		batch->has_place = 1;
		for (__u32 i = 0; i < count; i++)
			fn(context, &batch->keys[i], &batch->leases[i]);
	} while (!err);
	return err == -ENOENT ? 0 : err;
}

int lease_each(int leases_fd, lease_fn fn, void *context)
{
	struct batch batch = {0};
	int err = grow(&batch, BATCH_MIN);

	if (!err)
		err = each_batch(&batch, leases_fd, fn, context);
	free(batch.keys);
	free(batch.leases);
	return err;
}

static bool is_beating(const struct nol_guard *guard)
{
	return (int64_t)(clock_monotonic_ns() - guard->heartbeat_ns) <
	       (int64_t)NOL_HEARTBEAT_STALE_NS;
}

/* Is the map a guard's? Then what it says. */
static bool read_guard(uint32_t map_id, struct nol_guard *out)
{
	struct bpf_map_info info = {};
	uint32_t len = sizeof(info);
	const __u32 zero = 0;
	int fd = bpf_map_get_fd_by_id(map_id);
	bool is_guard;

	if (fd < 0)
		return false;
	is_guard = !bpf_obj_get_info_by_fd(fd, &info, &len) && info.type == BPF_MAP_TYPE_ARRAY &&
		   info.value_size == sizeof(*out) && !strcmp(info.name, "nol_guard") &&
		   !bpf_map_lookup_elem(fd, &zero, out) && out->leases_id;
	close(fd);
	return is_guard;
}

bool lease_is_alive(uint32_t program_id)
{
	__u32 ids[PROGRAM_MAPS];
	struct bpf_prog_info info = {.nr_map_ids = PROGRAM_MAPS, .map_ids = (uintptr_t)ids};
	uint32_t len = sizeof(info);
	struct nol_guard guard;
	bool is_alive = false;
	int fd = bpf_prog_get_fd_by_id(program_id);

	if (fd < 0)
		return false;
	if (bpf_obj_get_info_by_fd(fd, &info, &len))
		info.nr_map_ids = 0;
	close(fd);
	for (__u32 i = 0; i < info.nr_map_ids && i < PROGRAM_MAPS; i++)
		is_alive |= read_guard(ids[i], &guard) && is_beating(&guard);
	return is_alive;
}

/* *view has the guard. False: it has gone meanwhile. */
static bool open_view(struct lease_view *view)
{
	int stats_fd = bpf_map_get_fd_by_id(view->guard.stats_id), err;

	if (stats_fd < 0)
		return false;
	err = lease_stats_read(stats_fd, &view->stats);
	close(stats_fd);
	view->is_alive = is_beating(&view->guard);
	view->leases_fd = bpf_map_get_fd_by_id(view->guard.leases_id);
	return !err && view->leases_fd >= 0;
}

int lease_list(uint32_t ifindex, void (*fn)(void *context, const struct lease_view *view),
	       void *context)
{
	struct lease_view view;
	struct stat netns;
	uint32_t id = 0;
	int err;

	if (stat("/proc/self/ns/net", &netns))
		return -errno;
	while (!(err = bpf_map_get_next_id(id, &id))) {
		if (!read_guard(id, &view.guard) || view.guard.netns != (uint32_t)netns.st_ino ||
		    (ifindex && view.guard.ifindex != ifindex))
			continue;
		if (!open_view(&view))
			continue;
		fn(context, &view);
		close(view.leases_fd);
	}
	return err == -ENOENT ? 0 : err;
}
