/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Loading, the configuration page, what is answered, and the counters. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <unistd.h>

#include "clock.h"
#include "kern_private.h"

void program_name(uint32_t id, char name[BPF_OBJ_NAME_LEN])
{
	struct bpf_prog_info info = {};
	uint32_t len = sizeof(info);
	int fd = bpf_prog_get_fd_by_id(id);

	name[0] = '\0';
	if (fd < 0)
		return;
	if (!bpf_obj_get_info_by_fd(fd, &info, &len))
		memcpy(name, info.name, BPF_OBJ_NAME_LEN);
	close(fd);
}

static int choose_seed(__u32 *seed)
{
	return getrandom(seed, sizeof(*seed), 0) == sizeof(*seed) ? 0 : -EIO;
}

static int link_tail(const struct bpf_map *map, __u32 place, const struct bpf_program *program)
{
	const int fd = bpf_program__fd(program);

	return bpf_map_update_elem(bpf_map__fd(map), &place, &fd, BPF_ANY);
}

/* Where ingress goes on with all but the plainest SYNs, and where strays end. */
static int link_tails(const struct nolisten_bpf *skel, const struct kern_options *options)
{
	int err =
		link_tail(skel->maps.nol_general, 0, skel->progs.nol_xdp_general)
			?: link_tail(skel->maps.nol_ends, NOL_END_STRAY, skel->progs.nol_xdp_stray);

	if (!err && options->keeps_shut)
		err = link_tail(skel->maps.nol_ends, NOL_END_SHUT, skel->progs.nol_xdp_shut);
	if (!err && options->accepts)
		err = link_tail(skel->maps.nol_syns, 0, skel->progs.nol_tc_syn);
	return err;
}

static int load_programs(struct kern *kern)
{
	const struct kern_options *options = &kern->options;
	struct nolisten_bpf *skel;
	int err;

	skel = kern->skel = nolisten_bpf__open();
	if (!skel)
		return -errno;
	skel->rodata->nol_has_link_header = options->has_link_header;
	skel->rodata->nol_is_loopback = options->is_loopback;
	skel->rodata->nol_connects_back = options->connects_back;
	skel->rodata->nol_accepts = options->accepts;
	skel->rodata->nol_mss_limit = options->mss_limit;
	skel->rodata->nol_defers = options->defers;
	skel->rodata->nol_lacks_endpoints = options->lacks_endpoints;
	skel->rodata->nol_keeps_shut = options->keeps_shut;
	skel->rodata->nol_ring_quarter = options->ring_size / 4;
	skel->rodata->nol_workers = options->workers;
	if (options->max_leases)
		skel->rodata->nol_lease_expiry_ns = options->lease_expiry_s * CLOCK_NS_PER_S;
	bpf_program__set_autoload(skel->progs.nol_tc_ingress, options->accepts);
	bpf_program__set_autoload(skel->progs.nol_tc_syn, options->accepts);
	bpf_program__set_autoload(skel->progs.nol_xdp_shut, options->keeps_shut);
	closed_prepare(kern);
	skel->rodata->nol_keeps = options->keep_ns;
	err = choose_seed(&skel->rodata->nol_worker_seed) ?: keep_reuse(kern);
	if (!err)
		err = capture_prepare(kern);
	if (!err)
		err = bpf_map__set_max_entries(skel->maps.nol_rings, options->workers);
	if (!err)
		err = bpf_map__set_max_entries(skel->maps.nol_events, options->ring_size);
	if (!err)
		err = bpf_map__set_max_entries(skel->maps.nol_flows, options->max_flows);
	if (!err && options->connects_back)
		err = bpf_map__set_max_entries(skel->maps.nol_backs, options->max_flows);
	if (!err && options->max_leases)
		err = bpf_map__set_max_entries(skel->maps.nol_leases, options->max_leases);
	if (!err)
		err = nolisten_bpf__load(skel);
	return err ? err : link_tails(skel, options);
}

/* The page of an array with one entry; NULL with errno. */
static void *map_page(const struct bpf_map *map)
{
	void *page = mmap(NULL, sysconf(_SC_PAGESIZE), PROT_READ | PROT_WRITE, MAP_SHARED,
			  bpf_map__fd(map), 0);

	return page == MAP_FAILED ? NULL : page;
}

static int map_config(struct kern *kern)
{
	kern->config = map_page(kern->skel->maps.nol_config);
	if (!kern->config)
		return -errno;
	kern->config->ifindex = kern->options.ifindex;
	kern->cookie = map_page(kern->skel->maps.nol_cookie);
	if (!kern->cookie)
		return -errno;
	keep_configure(kern);
	return 0;
}

static void unmap_page(void *page)
{
	if (page)
		munmap(page, sysconf(_SC_PAGESIZE));
}

static struct kern *make_kern(const struct kern_options *options)
{
	struct kern *kern = calloc(1, sizeof(*kern));

	if (!kern)
		return NULL;
	kern->options = *options;
	kern->options.ifname = kern->ifname;
	kern->options.workers = options->workers ?: 1;
	snprintf(kern->ifname, sizeof(kern->ifname), "%s", options->ifname);
	pthread_mutex_init(&kern->flow_lock, NULL);
	kern->xdp_link_fd = -1;
	kern->tcx_link_fd = -1;
	kern->tc_ingress_fd = -1;
	return kern;
}

int kern_open(struct kern **out, const struct kern_options *options, struct load_failure *failure)
{
	struct kern *kern = make_kern(options);
	int err;

	if (!kern)
		return load_failure_set(failure, -ENOMEM, "allocate memory");
	if (options->accepts && !kern_can_accept()) {
		err = load_failure_say(failure, -ENOTSUP,
				       "this kernel has no bpf_sk_assign_tcp_reqsk (Linux 6.9)");
		goto out;
	}
	err = keep_find(kern);
	if (err) {
		*failure = (struct load_failure){0}; /* it has been said */
		goto out;
	}
	load_log_begin(failure);
	err = load_log_end(load_programs(kern));
	if (err)
		goto out;
	err = map_config(kern);
	if (err) {
		load_failure_set(failure, err, "map the configuration");
		goto out;
	}
	err = rings_open(kern);
	if (err) {
		load_failure_set(failure, err, "map the ring buffers");
		goto out;
	}
	err = capture_open_ring(kern);
	if (err) {
		load_failure_set(failure, err, "map the ring of captured packets");
		goto out;
	}
	*out = kern;
	kern = NULL;
out:
	kern_close(kern);
	return err;
}

/* Whatever stops RSTs is there before the first SYN is answered, whatever takes the last ACKs too. */
static int attach(struct kern *kern)
{
	if (kern->options.accepts)
		return tc_attach(kern) ?: tc_ingress_attach(kern) ?: xdp_attach(kern);
	return xdp_attach(kern) ?: tc_attach(kern);
}

int kern_attach(struct kern *kern)
{
	int err = keep_begin(kern);

	if (err)
		return err;
	kern_beat(kern);
	err = attach(kern) ?: keep_finish(kern);
	if (err)
		keep_fail(kern);
	return err;
}

void kern_detach_ingress(struct kern *kern)
{
	if (kern->is_kept)
		return;
	xdp_detach(kern);
	tc_ingress_detach(kern);
}

void kern_detach(struct kern *kern)
{
	if (kern->is_kept) {
		keep_let_go(kern);
		return;
	}
	kern_detach_ingress(kern);
	tc_detach(kern);
}

int kern_leases_fd(const struct kern *kern)
{
	return kern->options.max_leases ? bpf_map__fd(kern->skel->maps.nol_leases) : -1;
}

void kern_close(struct kern *kern)
{
	if (!kern)
		return;
	kern_detach(kern);
	pin_remove(kern);
	kept_free(kern->kept);
	closed_close(kern);
	capture_close_ring(kern);
	rings_close(kern);
	unmap_page(kern->config);
	unmap_page(kern->cookie);
	nolisten_bpf__destroy(kern->skel);
	pthread_mutex_destroy(&kern->flow_lock);
	free(kern);
}

struct nol_config *kern_config(struct kern *kern)
{
	return kern->config;
}

struct nol_cookie *kern_cookie(struct kern *kern)
{
	return kern->cookie;
}

struct nol_limit *kern_limit_resets(struct kern *kern, uint32_t per_s)
{
	nol_limit_set(&kern->skel->bss->nol_resets, per_s);
	nol_limit_set(&kern->skel->bss->nol_strays, per_s);
	return &kern->skel->bss->nol_resets;
}

void kern_beat(struct kern *kern)
{
	__atomic_store_n(&kern->config->heartbeat_ns, clock_monotonic_ns(), __ATOMIC_RELAXED);
}

void kern_set_ports(struct kern *kern, const struct port_set *ports)
{
	__u64 *words = kern->skel->bss->nol_ports;

	for (size_t i = 0; i < sizeof(ports->words) / sizeof(ports->words[0]); i++)
		__atomic_store_n(&words[i], ports->words[i], __ATOMIC_RELAXED);
}

static struct nol_prefix_key key_of(const struct prefix *prefix)
{
	struct nol_prefix_key key = {.bits = prefix->bits};

	memcpy(key.addr, prefix->addr.bytes, sizeof(key.addr));
	return key;
}

/* Its place in nol_addresses. */
static __u64 *place_of(struct kern *kern, const struct nol_prefix_key *key)
{
	return kern->skel->bss->nol_addresses[nol_address_place(key->addr)];
}

static void remember_address(struct kern *kern, const struct nol_prefix_key *key)
{
	__u64 *place = place_of(kern, key), words[2];

	if (key->bits != 128 || place[1])
		return;
	memcpy(words, key->addr, sizeof(words));
	__atomic_store_n(&place[0], words[0], __ATOMIC_RELAXED);
	__atomic_store_n(&place[1], words[1], __ATOMIC_RELEASE);
}

static void forget_address(struct kern *kern, const struct nol_prefix_key *key)
{
	__u64 *place = place_of(kern, key);

	if (key->bits == 128 && !memcmp(place, key->addr, sizeof(key->addr)))
		__atomic_store_n(&place[1], 0, __ATOMIC_RELAXED);
}

int kern_add_prefix(struct kern *kern, const struct prefix *prefix)
{
	struct nol_prefix_key key = key_of(prefix);
	__u8 present = 1;
	int err;

	err = bpf_map_update_elem(bpf_map__fd(kern->skel->maps.nol_answered), &key, &present,
				  BPF_ANY);
	if (!err)
		remember_address(kern, &key);
	return err;
}

int kern_remove_prefix(struct kern *kern, const struct prefix *prefix)
{
	struct nol_prefix_key key = key_of(prefix);

	forget_address(kern, &key);
	return bpf_map_delete_elem(bpf_map__fd(kern->skel->maps.nol_answered), &key);
}

int kern_set_route(struct kern *kern, const struct prefix *remotes,
		   const struct nol_advertised *advertised)
{
	struct nol_prefix_key key = key_of(remotes);

	return bpf_map_update_elem(bpf_map__fd(kern->skel->maps.nol_routes), &key, advertised,
				   BPF_ANY);
}

int kern_remove_route(struct kern *kern, const struct prefix *remotes)
{
	struct nol_prefix_key key = key_of(remotes);

	return bpf_map_delete_elem(bpf_map__fd(kern->skel->maps.nol_routes), &key);
}

int kern_stats_read(struct kern *kern, struct nol_stats *out)
{
	const size_t count = sizeof(*out) / sizeof(__u64);
	int cpus = libbpf_num_possible_cpus(), err;
	__u64 *sums = (__u64 *)out, *values;
	__u32 zero = 0;

	if (cpus < 0)
		return cpus;
	values = calloc(cpus, sizeof(*out));
	if (!values)
		return -ENOMEM;
	err = bpf_map_lookup_elem(bpf_map__fd(kern->skel->maps.nol_stats), &zero, values);
	if (!err) {
		memset(out, 0, sizeof(*out));
		for (size_t i = 0; i < count * cpus; i++)
			sums[i % count] += values[i];
	}
	free(values);
	return err;
}
