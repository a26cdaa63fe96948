/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * From all routes to the few rows that matter. A route counts if no table that is looked into before has any route to
 * all of its prefix; a row is left of it if it says something else than the next shorter one. So a route without metrics
 * stays where a shorter one has some.
 */
#include "routes.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define ROOT_BITS_V4 96

/* Elements that begin with their prefix, in the order of length and address. */
struct table {
	const char *elements;
	size_t size;
	size_t starts[130]; /* by length: the first that is as long, or longer */
};

struct routes {
	struct table table;
	struct routes_row *rows;
	size_t count;
};

static int compare_prefixes(const void *a, const void *b)
{
	const struct prefix *left = a, *right = b;

	if (left->bits != right->bits)
		return left->bits < right->bits ? -1 : 1;
	return memcmp(left->addr.bytes, right->addr.bytes, sizeof(left->addr.bytes));
}

static int compare_routes(const void *a, const void *b)
{
	const struct host_route *left = a, *right = b;
	int order = compare_prefixes(a, b);

	if (left->rank != right->rank)
		return left->rank < right->rank ? -1 : 1;
	if (order || left->priority == right->priority)
		return order;
	return left->priority < right->priority ? -1 : 1;
}

static void open_table(struct table *out, const void *elements, size_t size, size_t count)
{
	size_t at = 0;

	out->elements = elements;
	out->size = size;
	for (unsigned int bits = 0; bits < 130; bits++) {
		while (at < count &&
		       ((const struct prefix *)(out->elements + at * size))->bits < bits)
			at++;
		out->starts[bits] = at;
	}
}

static struct prefix cut(const struct addr *addr, unsigned int bits)
{
	struct prefix prefix = {.bits = (uint8_t)bits};

	memcpy(prefix.addr.bytes, addr->bytes, (bits + 7) / 8);
	if (bits % 8)
		prefix.addr.bytes[bits / 8] &= (uint8_t)(0xff << (8 - bits % 8));
	return prefix;
}

static const void *find_exactly(const struct table *table, const struct prefix *prefix)
{
	const size_t start = table->starts[prefix->bits],
		     count = table->starts[prefix->bits + 1] - start;

	return count ? bsearch(prefix, table->elements + start * table->size, count, table->size,
			       compare_prefixes)
		     : NULL;
}

/* The longest prefix of addr's family with at most so many bits. */
static const void *find_longest(const struct table *table, const struct addr *addr,
				unsigned int most)
{
	const unsigned int least = addr_is_v4(addr) ? ROOT_BITS_V4 : 0;

	for (unsigned int bits = most + 1; bits-- > least;) {
		const struct prefix prefix = cut(addr, bits);
		const void *found = find_exactly(table, &prefix);

		if (found)
			return found;
	}
	return NULL;
}

/* The routes of one rank, from *from on: those that count are added to the kept ones. */
static size_t keep_rank(struct host_route *all, size_t kept, size_t *from, size_t count)
{
	const uint8_t rank = all[*from].rank;
	const size_t earlier = kept;
	struct table before;

	open_table(&before, all, sizeof(*all), earlier);
	for (; *from < count && all[*from].rank == rank; ++*from) {
		const struct prefix *prefix = &all[*from].prefix;

		if (kept > earlier && !compare_prefixes(prefix, &all[kept - 1].prefix))
			continue;
		if (!find_longest(&before, &prefix->addr, prefix->bits))
			all[kept++] = all[*from];
	}
	qsort(all, kept, sizeof(*all), compare_prefixes);
	return kept;
}

static size_t keep_routes(struct host_route *all, size_t count)
{
	size_t kept = 0, from = 0;

	if (count)
		qsort(all, count, sizeof(*all), compare_routes);
	while (from < count)
		kept = keep_rank(all, kept, &from, count);
	return kept;
}

static struct nol_advertised value_of(const struct advertise_host *host,
				      const struct host_route *route, bool is_v4)
{
	static const struct route_metrics none;

	return advertise(host, route ? &route->metrics : &none, is_v4);
}

static bool is_special(const struct advertise_host *host, const struct table *table,
		       const struct host_route *route, struct nol_advertised *value)
{
	const bool is_v4 = addr_is_v4(&route->prefix.addr) && route->prefix.bits >= ROOT_BITS_V4;
	const struct host_route *shorter = NULL;
	struct nol_advertised otherwise;

	if (route->prefix.bits > (is_v4 ? ROOT_BITS_V4 : 0))
		shorter = find_longest(table, &route->prefix.addr, route->prefix.bits - 1);
	*value = value_of(host, route, is_v4);
	otherwise = value_of(host, shorter, is_v4);
	return memcmp(value, &otherwise, sizeof(otherwise));
}

static int add_row(struct routes *routes, const struct prefix *prefix,
		   const struct nol_advertised *value)
{
	struct routes_row *grown;

	if (routes->count == ROUTES_MAX)
		return -E2BIG;
	if (!(routes->count & (routes->count + 1))) {
		grown = reallocarray(routes->rows, 2 * routes->count + 1, sizeof(*grown));
		if (!grown)
			return -ENOMEM;
		routes->rows = grown;
	}
	routes->rows[routes->count++] =
		(struct routes_row){.prefix = *prefix, .advertised = *value};
	return 0;
}

/* In the kernel's trie ::/0 is before IPv4's addresses as well: they get a root of their own. */
static int add_root_v4(struct routes *routes, const struct advertise_host *host)
{
	static const uint8_t zero[4];
	const struct prefix root = {.addr = addr_from_v4(zero), .bits = ROOT_BITS_V4};
	const struct nol_advertised value = value_of(host, NULL, true);
	bool is_covered = false;

	for (size_t i = 0; i < routes->count; i++) {
		if (!compare_prefixes(&routes->rows[i].prefix, &root))
			return 0;
		is_covered |= routes->rows[i].prefix.bits < ROOT_BITS_V4 &&
			      prefix_contains(&routes->rows[i].prefix, &root.addr);
	}
	return is_covered ? add_row(routes, &root, &value) : 0;
}

static int add_rows(struct routes *routes, const struct advertise_host *host,
		    const struct host_route *all, size_t count)
{
	struct nol_advertised value;
	struct table table;
	int err = 0;

	open_table(&table, all, sizeof(*all), count);
	for (size_t i = 0; i < count && !err; i++)
		if (is_special(host, &table, &all[i], &value))
			err = add_row(routes, &all[i].prefix, &value);
	return err ?: add_root_v4(routes, host);
}

int routes_new(struct routes **out, const struct advertise_host *host, struct host_route *all,
	       size_t count)
{
	struct routes *routes = calloc(1, sizeof(*routes));
	int err;

	if (!routes)
		return -ENOMEM;
	err = add_rows(routes, host, all, keep_routes(all, count));
	if (err || !routes->count) {
		routes_free(routes);
		routes = NULL;
	} else {
		qsort(routes->rows, routes->count, sizeof(*routes->rows), compare_prefixes);
		open_table(&routes->table, routes->rows, sizeof(*routes->rows), routes->count);
	}
	if (!err)
		*out = routes;
	return err;
}

void routes_free(struct routes *routes)
{
	if (!routes)
		return;
	free(routes->rows);
	free(routes);
}

const struct nol_advertised *routes_find(const struct routes *routes, const struct addr *remote)
{
	const struct routes_row *row = routes ? find_longest(&routes->table, remote, 128) : NULL;

	return row ? &row->advertised : NULL;
}

const struct routes_row *routes_all(const struct routes *routes, size_t *count)
{
	*count = routes ? routes->count : 0;
	return routes ? routes->rows : NULL;
}

const struct routes_row *routes_row(const struct routes *routes, const struct prefix *prefix)
{
	return routes ? find_exactly(&routes->table, prefix) : NULL;
}
