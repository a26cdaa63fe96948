/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * What leaves the interface is looked at once: if no kernel socket has the flow, and its source is this host's, it is leased. The other
 * flows, the kernel's own and those that it forwards, are remembered for a moment, leases for half of their time; then they are looked at again, and renewed. A place of the table that two flows
 * want is asked for anew each time, no more.
 */
#include "filter_guard.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cap-ng.h>

#include "clock.h"
#include "filter_rules.h"
#include "link_watch.h"
#include "log.h"
#include "nft_leases.h"
#include "sent_tap.h"
#include "siphash.h"
#include "sock_diag.h"

#define SEEN_COUNT 65536 /* a power of two */
#define OTHERS_NS (CLOCK_NS_PER_S / 2)
#define BATCH NFT_LEASES_MAX

struct seen {
	struct tuple tuple;
	uint64_t until_ns;
	bool is_leased; /* else a kernel socket has it, or another host */
};

struct filter_guard {
	struct lease_guard_options options;
	struct nft *nft;
	char table[NFT_TABLE_SIZE];
	int tap_fd, diag_fd;
	struct seen *seen;
	uint64_t leased, refused;
};

static int write_table(struct filter_guard *guard)
{
	const struct lease_guard_options *options = &guard->options;
	const bool has_ports = options->mode == NOL_GUARD_PORTS;
	char *ports = has_ports ? nft_format_ports(options->ports) : NULL;
	char *table = NULL;
	int err = -ENOMEM;

	if (!has_ports || ports)
		table = filter_rules_table(guard->table, options, ports);
	if (table)
		err = nft_run(guard->nft, "%s", table);
	if (err)
		log_error("%s: nftables refuses the rules (nf_tables with inet tables, sets and "
			  "socket lookup is needed): %s",
			  options->ifname, nft_error(guard->nft));
	free(table);
	free(ports);
	return err;
}

static int open_tap(struct filter_guard *guard)
{
	guard->seen = calloc(SEEN_COUNT, sizeof(*guard->seen));
	if (!guard->seen)
		return -ENOMEM;
	guard->diag_fd = sock_diag_open();
	if (guard->diag_fd < 0)
		return guard->diag_fd;
	guard->tap_fd = sent_tap_open(guard->options.ifindex);
	return guard->tap_fd < 0 ? guard->tap_fd : 0;
}

/* libnftables has words of its own for that, and says them itself. */
static bool may_write_rules(void)
{
	return !capng_get_caps_process() && capng_have_capability(CAPNG_EFFECTIVE, CAP_NET_ADMIN);
}

static int open_guard(struct filter_guard *guard)
{
	const char *ifname = guard->options.ifname;
	int err;

	if (!may_write_rules()) {
		log_error("%s: not permitted: nftables needs root, or CAP_NET_ADMIN", ifname);
		return -EPERM;
	}
	err = nft_new(&guard->nft);
	if (err) {
		log_error("%s: netfilter does not answer: %s", ifname, strerror(-err));
		return err;
	}
	err = write_table(guard);
	if (err || guard->options.mode == NOL_GUARD_PORTS)
		return err;
	err = open_tap(guard);
	if (err)
		log_error(
			"%s: cannot see what is sent (CAP_NET_RAW is needed; --port does without): %s",
			ifname, strerror(-err));
	return err;
}

int filter_guard_new(struct filter_guard **out, const struct lease_guard_options *options)
{
	struct filter_guard *guard = calloc(1, sizeof(*guard));
	int err;

	if (!guard)
		return -ENOMEM;
	guard->options = *options;
	guard->tap_fd = guard->diag_fd = -1;
	snprintf(guard->table, sizeof(guard->table), "nolisten_guard_%u", (unsigned int)getpid());
	err = open_guard(guard);
	if (err)
		filter_guard_free(guard);
	else
		*out = guard;
	return err;
}

/* The table goes with nft's socket. */
void filter_guard_free(struct filter_guard *guard)
{
	if (!guard)
		return;
	nft_free(guard->nft);
	if (guard->tap_fd >= 0)
		close(guard->tap_fd);
	if (guard->diag_fd >= 0)
		close(guard->diag_fd);
	free(guard->seen);
	free(guard);
}

int filter_guard_fd(const struct filter_guard *guard)
{
	return guard->tap_fd;
}

/* What a lease says of it. */
static struct tuple key_of(const struct filter_guard *guard, const struct tuple *tuple)
{
	struct tuple key = *tuple;

	if (guard->options.mode != NOL_GUARD_FLOWS)
		memset(&key.remote, 0, sizeof(key.remote));
	return key;
}

static struct seen *place_of(const struct filter_guard *guard, const struct tuple *tuple)
{
	static const uint8_t no_secret[SIPHASH_KEY_SIZE];

	return &guard->seen[siphash_24(no_secret, tuple, sizeof(*tuple)) & (SEEN_COUNT - 1)];
}

static void see(struct seen *seen, const struct tuple *tuple, uint64_t until_ns, bool is_leased)
{
	seen->tuple = *tuple;
	seen->until_ns = until_ns;
	seen->is_leased = is_leased;
}

enum wish {
	WISH_NONE,
	WISH_LEASE,
	WISH_RENEWAL
};

/* What is not for its own addresses the kernel never answers. */
static bool is_of_program(const struct filter_guard *guard, const struct tuple *tuple)
{
	bool is_owned, is_local;

	if (sock_diag_has_owner(guard->diag_fd, tuple, guard->options.ifindex, &is_owned) ||
	    is_owned)
		return false;
	return link_is_local(&tuple->local.addr, &is_local) || is_local;
}

/*
 * A connection's segments are looked at by its 4-tuple: another one may be a program's, from the same port, and then what it leases is
 * there already, which is no harm.
 */
static enum wish find_wish(struct filter_guard *guard, const struct tuple *tuple, uint64_t now_ns)
{
	const uint64_t lease_ns = guard->options.expiry_s * CLOCK_NS_PER_S;
	struct seen *seen = place_of(guard, tuple);
	const bool is_known = tuple_is_equal(&seen->tuple, tuple);
	const bool was_leased = is_known && seen->is_leased;
	bool is_programs;

	if (is_known && seen->until_ns > now_ns)
		return WISH_NONE;
	is_programs = is_of_program(guard, tuple);
	see(seen, tuple, now_ns + (is_programs ? lease_ns / 2 : OTHERS_NS), is_programs);
	if (!is_programs)
		return WISH_NONE;
	return was_leased ? WISH_RENEWAL : WISH_LEASE;
}

static bool has_tuple(const struct tuple *tuples, size_t count, const struct tuple *tuple)
{
	for (size_t i = 0; i < count; i++)
		if (tuple_is_equal(&tuples[i], tuple))
			return true;
	return false;
}

struct leases {
	struct tuple keys[BATCH];
	size_t count;
	bool is_renewal;
};

static void add_lease(struct leases *leases, const struct tuple *key)
{
	if (!has_tuple(leases->keys, leases->count, key))
		leases->keys[leases->count++] = *key;
}

/* One refused takes the others with it, so then each is tried alone. */
static void write_leases(struct filter_guard *guard, const struct nft_leases *leases)
{
	struct nft_leases one = *leases;
	int err = nft_add_leases(guard->nft, leases);

	if (!err && !leases->is_renewal)
		guard->leased += leases->count;
	else if (err && leases->count == 1)
		guard->refused++;
	one.count = 1;
	for (size_t i = 0; err && leases->count > 1 && i < leases->count; i++) {
		one.tuples = &leases->tuples[i];
		write_leases(guard, &one);
	}
}

static void write_family(struct filter_guard *guard, const struct leases *leases, bool is_v4)
{
	struct tuple tuples[BATCH];
	struct nft_leases some = {
		.table = guard->table,
		.set = is_v4 ? "leases_v4" : "leases_v6",
		.has_remote = guard->options.mode == NOL_GUARD_FLOWS,
		.is_renewal = leases->is_renewal,
		.tuples = tuples,
	};

	for (size_t i = 0; i < leases->count; i++)
		if (addr_is_v4(&leases->keys[i].local.addr) == is_v4)
			tuples[some.count++] = leases->keys[i];
	if (some.count)
		write_leases(guard, &some);
}

static void lease(struct filter_guard *guard, const struct tuple *tuples, int count)
{
	const uint64_t now_ns = clock_monotonic_ns();
	struct leases fresh = {0}, renewed = {.is_renewal = true};

	for (int i = 0; i < count; i++) {
		const struct tuple key = key_of(guard, &tuples[i]);
		const enum wish wish = find_wish(guard, &tuples[i], now_ns);

		if (wish == WISH_LEASE)
			add_lease(&fresh, &key);
		else if (wish == WISH_RENEWAL)
			add_lease(&renewed, &key);
	}
	write_family(guard, &fresh, true);
	write_family(guard, &fresh, false);
	write_family(guard, &renewed, true);
	write_family(guard, &renewed, false);
}

int filter_guard_take(struct filter_guard *guard)
{
	struct tuple tuples[BATCH];
	int count = sent_tap_read(guard->tap_fd, tuples, BATCH);

	if (count > 0)
		lease(guard, tuples, count);
	return count < 0 ? count : 0;
}

void filter_guard_stats(struct filter_guard *guard, struct filter_guard_stats *out)
{
	const char *packets = NULL;

	*out = (struct filter_guard_stats){.leased = guard->leased, .refused = guard->refused};
	if (!nft_run(guard->nft, "list counter inet %s rst_dropped\n", guard->table))
		packets = strstr(nft_output(guard->nft), "packets ");
	if (packets)
		out->rst_dropped = strtoull(packets + strlen("packets "), NULL, 10);
}
