/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Loads lease.bpf.c, attaches it, and keeps it alive. */
#include "lease_guard.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "clock.h"
#include "kern_private.h"
#include "kernel_function.h"
#include "lease_list.h"
#include "lease_private.h"
#include "log.h"

/* On clsact: the handle is this and a number, which no other guard on the interface has. */
#define HANDLE_BASE 0x6e6f6700u
#define HANDLES 64

#define SWEEP_NS (30 * CLOCK_NS_PER_S)
/* A lease that has just expired may be in use again before it is removed; none is that has long been. */
#define SWEEP_GRACE_NS (60 * CLOCK_NS_PER_S)
#define SWEEP_BEAT 4096 /* leases between two heartbeats */

static bool can_look_up_nat(void)
{
	return kernel_has_function("bpf_skb_ct_lookup", "nf_conntrack");
}

static int load_object(struct lease_guard *guard)
{
	const struct lease_guard_options *options = &guard->options;
	struct lease_bpf *skel = guard->skel = lease_bpf__open();
	int err;

	if (!skel)
		return -errno;
	skel->rodata->nol_has_link_header = options->has_link_header;
	skel->rodata->nol_has_remotes = options->remote_count > 0;
	skel->rodata->nol_has_list = options->mode == NOL_GUARD_PORTS;
	skel->rodata->nol_guards_nat = options->guards_nat;
	skel->rodata->nol_has_conntrack = options->mode != NOL_GUARD_FLOWS && can_look_up_nat();
	err = bpf_map__set_max_entries(skel->maps.nol_leases,
				       options->mode == NOL_GUARD_PORTS ? 1 : options->max_leases);
	if (!err && options->leases_fd > 0)
		err = bpf_map__reuse_fd(skel->maps.nol_leases, options->leases_fd);
	return err ? err : lease_bpf__load(skel);
}

static uint32_t id_of(const struct bpf_map *map)
{
	struct bpf_map_info info = {};
	uint32_t len = sizeof(info);

	return bpf_obj_get_info_by_fd(bpf_map__fd(map), &info, &len) ? 0 : info.id;
}

static int own_netns(uint32_t *out)
{
	struct stat status;

	if (stat("/proc/self/ns/net", &status))
		return -errno;
	*out = (uint32_t)status.st_ino;
	return 0;
}

/* For JSON and terminals: neither control characters nor what is left of a character that was cut. */
static void write_name(char out[NOL_GUARD_NAME_SIZE], const char *name)
{
	snprintf(out, NOL_GUARD_NAME_SIZE, "%s", name);
	for (; *out; out++)
		if (*out < ' ' || *out > '~')
			*out = '?';
}

static int fill_page(struct lease_guard *guard)
{
	const struct lease_guard_options *options = &guard->options;
	struct nol_guard *page = guard->page;

	page->expiry_ns = options->expiry_s * CLOCK_NS_PER_S;
	page->mode = options->mode;
	page->guards_nat = options->guards_nat;
	page->raw = options->raw;
	page->rst_action = options->rst_action;
	page->redirect_ifindex = options->redirect_ifindex;
	page->ifindex = options->ifindex;
	page->pid = (uint32_t)getpid();
	page->max_leases = options->max_leases;
	page->stats_id = id_of(guard->skel->maps.nol_guard_stats);
	if (options->name)
		write_name(page->name, options->name);
	if (options->ports && options->mode == NOL_GUARD_PORTS) {
		port_set_format(options->ports, page->ports, sizeof(page->ports));
		memcpy(guard->skel->bss->nol_guard_ports[0], options->ports->words,
		       sizeof(options->ports->words));
	}
	return own_netns(&page->netns);
}

static int fill_remotes(const struct lease_guard *guard)
{
	const int fd = bpf_map__fd(guard->skel->maps.nol_remotes);
	const __u8 yes = 1;
	int err = 0;

	for (size_t i = 0; !err && i < guard->options.remote_count; i++) {
		const struct prefix *prefix = &guard->options.remotes[i];
		struct nol_prefix_key key = {.bits = prefix->bits};

		memcpy(key.addr, prefix->addr.bytes, sizeof(key.addr));
		err = bpf_map_update_elem(fd, &key, &yes, BPF_ANY);
	}
	return err;
}

static int map_page(struct lease_guard *guard)
{
	void *page = mmap(NULL, (size_t)sysconf(_SC_PAGESIZE), PROT_READ | PROT_WRITE, MAP_SHARED,
			  bpf_map__fd(guard->skel->maps.nol_guard), 0);

	if (page == MAP_FAILED)
		return -errno;
	guard->page = page;
	return 0;
}

static int load(struct lease_guard *guard, struct load_failure *failure)
{
	int err;

	if (guard->options.guards_nat && !can_look_up_nat())
		return load_failure_say(
			failure, -ENOTSUP,
			"--nat needs bpf_skb_ct_lookup: Linux 5.18, conntrack loaded");
	load_log_begin(failure);
	err = load_log_end(load_object(guard));
	if (err)
		return err;
	err = map_page(guard);
	if (!err)
		err = fill_page(guard);
	if (!err)
		err = fill_remotes(guard);
	return err ? load_failure_set(failure, err, "fill its maps") : 0;
}

/* On clsact a killed guard leaves its filters behind; the qdisc is ours if any guard has made it. */
static uint32_t choose_handle(uint32_t ifindex, bool *owns_clsact)
{
	uint32_t chosen = 0;

	*owns_clsact = false;
	for (uint32_t i = 0; i < HANDLES; i++) {
		const uint32_t handle = HANDLE_BASE + i;
		bool is_own;
		uint32_t program = pair_find(ifindex, handle, &is_own);

		*owns_clsact |= program && is_own;
		if (program && !lease_is_alive(program)) {
			pair_remove(ifindex, handle);
			program = 0;
		}
		if (!program && !chosen)
			chosen = handle;
	}
	return chosen;
}

static int attach(struct lease_guard *guard)
{
	const struct pair_programs programs = {
		.in_fd = bpf_program__fd(guard->skel->progs.nol_guard_in),
		.out_fd = bpf_program__fd(guard->skel->progs.nol_guard_out),
	};
	const uint32_t ifindex = guard->options.ifindex;
	bool owns_clsact;
	uint32_t handle = choose_handle(ifindex, &owns_clsact);

	if (!handle)
		return -EBUSY;
	guard->page->started_ns = guard->turned_ns = guard->swept_ns = clock_monotonic_ns();
	lease_guard_beat(guard);
	return pair_attach(&guard->attachment, ifindex, &programs, handle, owns_clsact,
			   guard->options.attach);
}

/* From here on others find it. */
static void publish(struct lease_guard *guard)
{
	__atomic_store_n(&guard->page->leases_id, id_of(guard->skel->maps.nol_leases),
			 __ATOMIC_RELEASE);
}

static int open_guard(struct lease_guard *guard)
{
	struct load_failure failure;
	char why[LOAD_TEXT_SIZE];
	int err = load(guard, &failure);

	if (err) {
		load_failure_format(&failure, why);
		log_error("%s: cannot set up the guard: %s", guard->options.ifname, why);
		load_failure_log(&failure);
	}
	return err;
}

int lease_guard_new(struct lease_guard **out, const struct lease_guard_options *options)
{
	struct lease_guard *guard = calloc(1, sizeof(*guard));
	int err;

	if (!guard)
		return -ENOMEM;
	guard->options = *options;
	guard->attachment = PAIR_NOT_ATTACHED;
	err = open_guard(guard);
	if (err)
		lease_guard_free(guard);
	else
		*out = guard;
	return err;
}

static void unlock(int lock_fd)
{
	if (lock_fd >= 0)
		close(lock_fd);
}

/* One that is attached and not published yet looks dead. */
int lease_guard_attach(struct lease_guard *guard)
{
	const int lock_fd = pair_lock();
	int err = attach(guard);

	if (err)
		log_error("%s: cannot attach the guard: %s", guard->options.ifname,
			  load_error_text(err));
	else
		publish(guard);
	unlock(lock_fd);
	return err;
}

static void detach(struct lease_guard *guard)
{
	const int lock_fd = guard->attachment.handle ? pair_lock() : -1;

	pair_detach(&guard->attachment);
	unlock(lock_fd);
}

int lease_guard_probe(struct load_failure *failure)
{
	struct lease_guard guard = {.options = {.ifindex = 1,
						.mode = NOL_GUARD_PORTS,
						.expiry_s = 1,
						.max_leases = 1,
						.has_link_header = true,
						.guards_nat = can_look_up_nat()}};
	int err = load(&guard, failure);

	lease_bpf__destroy(guard.skel);
	return err;
}

void lease_guard_free(struct lease_guard *guard)
{
	if (!guard)
		return;
	detach(guard);
	if (guard->page)
		munmap(guard->page, (size_t)sysconf(_SC_PAGESIZE));
	lease_bpf__destroy(guard->skel);
	free(guard);
}

/* What was written in the last turn is read for one more. */
static void take_turns(struct lease_guard *guard, uint64_t now_ns)
{
	const uint32_t next = !guard->page->turn;

	if (guard->page->mode == NOL_GUARD_PORTS ||
	    now_ns - guard->turned_ns < guard->page->expiry_ns)
		return;
	memset(guard->skel->bss->nol_guard_ports[next], 0,
	       sizeof(guard->skel->bss->nol_guard_ports[next]));
	__atomic_store_n(&guard->page->turn, next, __ATOMIC_RELEASE);
	guard->turned_ns = now_ns;
}

struct sweep {
	struct lease_guard *guard;
	uint64_t before_ns;
	uint32_t seen;
};

static void remove_expired(void *context, const struct nol_flow_key *key,
			   const struct nol_lease *lease)
{
	struct sweep *sweep = context;

	/* Millions take seconds. */
	if (++sweep->seen % SWEEP_BEAT == 0)
		sweep->guard->page->heartbeat_ns = clock_monotonic_ns();
	if ((int64_t)(lease_last_ns(lease) - sweep->before_ns) < 0 &&
	    !bpf_map_delete_elem(bpf_map__fd(sweep->guard->skel->maps.nol_leases), key))
		sweep->guard->page->removed++;
}

static void sweep_leases(struct lease_guard *guard, uint64_t now_ns)
{
	struct sweep sweep = {guard, now_ns - guard->page->expiry_ns - SWEEP_GRACE_NS, 0};

	if (now_ns - guard->swept_ns < SWEEP_NS)
		return;
	guard->swept_ns = now_ns;
	lease_each(bpf_map__fd(guard->skel->maps.nol_leases), remove_expired, &sweep);
}

void lease_guard_beat(struct lease_guard *guard)
{
	const uint64_t now_ns = clock_monotonic_ns();

	guard->page->heartbeat_ns = now_ns;
	take_turns(guard, now_ns);
	sweep_leases(guard, now_ns);
}

void lease_guard_set_raw_sockets(struct lease_guard *guard, bool are_there)
{
	guard->page->has_raw_sockets = are_there;
}

int lease_guard_stats(const struct lease_guard *guard, struct nol_guard_stats *out)
{
	return lease_stats_read(bpf_map__fd(guard->skel->maps.nol_guard_stats), out);
}

static void count_lease(void *context, const struct nol_flow_key *key,
			const struct nol_lease *lease)
{
	(void)key;
	(void)lease;
	++*(uint64_t *)context;
}

uint64_t lease_guard_evicted(const struct lease_guard *guard)
{
	struct nol_guard_stats stats;
	uint64_t there = 0;

	if (lease_guard_stats(guard, &stats) ||
	    lease_each(bpf_map__fd(guard->skel->maps.nol_leases), count_lease, &there))
		return 0;
	there += guard->page->removed;
	return stats.leased > there ? stats.leased - there : 0;
}

const char *lease_guard_attach_text(const struct lease_guard *guard)
{
	return guard->attachment.handle ? "clsact" : "tcx";
}
