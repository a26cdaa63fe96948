/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Rows in the order of their ports and prefixes, each the same as one of nol_endpoints. A row is there while a claim names it,
 * or while it has a parent.
 */
#include <errno.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "endpoint_parents.h"
#include "endpoints_private.h"
#include "sock_diag.h"

struct prefix offered_prefix(const struct offered *offered)
{
	struct prefix prefix = {.addr = offered->local.addr, .bits = 128};

	if (addr_is_unspecified(&prefix.addr))
		prefix.bits = addr_is_v4(&prefix.addr) ? 96 : 0;
	return prefix;
}

static int compare(const struct row *row, uint16_t port, const struct prefix *at)
{
	if (row->port != port)
		return row->port < port ? -1 : 1;
	if (row->at.bits != at->bits)
		return row->at.bits < at->bits ? -1 : 1;
	return memcmp(row->at.addr.bytes, at->addr.bytes, sizeof(at->addr.bytes));
}

/* Where it is, or belongs. */
static size_t find_place(const struct endpoints *endpoints, uint16_t port, const struct prefix *at)
{
	size_t low = 0, high = endpoints->count;

	while (low < high) {
		const size_t middle = (low + high) / 2;

		if (compare(endpoints->rows[middle], port, at) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static struct row *find(const struct endpoints *endpoints, uint16_t port, const struct prefix *at)
{
	const size_t place = find_place(endpoints, port, at);
	struct row *row = place < endpoints->count ? endpoints->rows[place] : NULL;

	return row && !compare(row, port, at) ? row : NULL;
}

static int tell(const struct endpoints *endpoints, const struct row *row)
{
	struct nol_endpoint value = row->value;

	value.is_v6only = value.is_v6only && !row->claims;
	return kern_set_endpoint(endpoints->kern, &row->at, row->port, &value);
}

static struct row *insert(struct endpoints *endpoints, uint16_t port, const struct prefix *at)
{
	const size_t place = find_place(endpoints, port, at), count = endpoints->count;
	struct row *row = count < NOL_ENDPOINTS_MAX ? calloc(1, sizeof(*row)) : NULL, **grown;

	if (!row)
		return NULL;
	grown = reallocarray(endpoints->rows, count + 1, sizeof(*grown));
	if (!grown) {
		free(row);
		return NULL;
	}
	endpoints->rows = grown;
	memmove(grown + place + 1, grown + place, (count - place) * sizeof(*grown));
	*row = (struct row){.port = port, .at = *at};
	grown[place] = row;
	endpoints->count++;
	return row;
}

/* As it is now, or away if nobody wants it any more. */
static void settle(struct endpoints *endpoints, struct row *row)
{
	const size_t place = find_place(endpoints, row->port, &row->at);

	if (row->claims || endpoint_is_offered(row)) {
		tell(endpoints, row);
		return;
	}
	kern_remove_endpoint(endpoints->kern, &row->at, row->port);
	endpoints->count--;
	memmove(endpoints->rows + place, endpoints->rows + place + 1,
		(endpoints->count - place) * sizeof(*endpoints->rows));
	free(row);
}

static void unclaim_one(struct endpoints *endpoints, uint16_t port, const struct prefix *at)
{
	struct row *row = find(endpoints, port, at);

	if (!row || !row->claims)
		return;
	row->claims--;
	settle(endpoints, row);
}

static int claim_one(struct endpoints *endpoints, uint16_t port, const struct prefix *at)
{
	struct row *row = find(endpoints, port, at) ?: insert(endpoints, port, at);
	int err;

	if (!row)
		return -ENOSPC;
	row->claims++;
	err = tell(endpoints, row);
	if (err)
		unclaim_one(endpoints, port, at);
	return err;
}

/* The first so many pairs, or all. */
static void unclaim_first(struct endpoints *endpoints, const struct claim *claim, size_t count)
{
	for (uint32_t port = 1; port <= UINT16_MAX; port++)
		for (size_t i = 0; port_set_has(&claim->ports, port) && i < claim->prefix_count;
		     i++) {
			if (!count--)
				return;
			unclaim_one(endpoints, port, &claim->prefixes[i]);
		}
}

int endpoints_claim(struct endpoints *endpoints, const struct claim *claim)
{
	const size_t total = port_set_count(&claim->ports) * claim->prefix_count;
	size_t count = 0;
	int err = 0;

	if (!endpoints->kern || !total)
		return 0;
	if (total > NOL_ENDPOINTS_MAX - endpoints->count)
		return -ENOSPC;
	for (uint32_t port = 1; !err && port <= UINT16_MAX; port++)
		for (size_t i = 0;
		     !err && port_set_has(&claim->ports, port) && i < claim->prefix_count; i++) {
			err = claim_one(endpoints, port, &claim->prefixes[i]);
			count += !err;
		}
	if (err)
		unclaim_first(endpoints, claim, count);
	return err;
}

void endpoints_unclaim(struct endpoints *endpoints, const struct claim *claim)
{
	if (endpoints->kern)
		unclaim_first(endpoints, claim, SIZE_MAX);
}

static int add_parent(struct row *row, uint32_t client, const struct offered *offered,
		      const struct endpoint *parent)
{
	int err = endpoint_add_parent(&row->value, parent);

	if (err)
		return err;
	row->value.is_v6only = offered->is_v6only;
	row->client = client;
	return 0;
}

static void remove_all_parents(struct row *row)
{
	row->value = (struct nol_endpoint){0};
}

int endpoints_offer(struct endpoints *endpoints, uint32_t client, const struct offered *offered,
		    const struct endpoint *parent)
{
	const struct prefix at = offered_prefix(offered);
	struct row *row = find(endpoints, offered->local.port, &at)
				  ?: insert(endpoints, offered->local.port, &at);
	int err;

	if (!row)
		return -ENOSPC;
	err = add_parent(row, client, offered, parent);
	if (!err)
		err = tell(endpoints, row);
	if (err) {
		const int i = endpoint_find_parent(&row->value, parent);

		if (i >= 0)
			endpoint_remove_parent(&row->value, i);
		settle(endpoints, row);
	}
	return err;
}

static void tell_waiting(const struct endpoints *endpoints)
{
	bool is_any = false;

	for (size_t i = 0; i < endpoints->count; i++)
		is_any |= endpoints->rows[i]->value.is_waiting;
	kern_set_waiting(endpoints->kern, is_any);
}

int endpoints_await(struct endpoints *endpoints, uint32_t client, const struct offered *offered,
		    bool is_on)
{
	const struct prefix at = offered_prefix(offered);
	struct row *row = find(endpoints, offered->local.port, &at);

	if (!row && !is_on)
		return 0;
	row = row ?: insert(endpoints, offered->local.port, &at);
	if (!row)
		return -ENOSPC;
	row->value.is_waiting = is_on;
	row->client = client;
	if (is_on && !row->value.count)
		row->value.is_v6only = offered->is_v6only;
	settle(endpoints, row);
	tell_waiting(endpoints);
	return 0;
}

bool endpoints_is_waiting(const struct endpoints *endpoints, const struct endpoint *local,
			  uint32_t *client)
{
	const struct row *best = NULL;

	for (size_t i = 0; i < endpoints->count; i++) {
		const struct row *row = endpoints->rows[i];

		if (row->port == local->port && prefix_contains(&row->at, &local->addr) &&
		    (!best || row->at.bits > best->at.bits))
			best = row;
	}
	if (!best || !best->value.is_waiting || best->value.count)
		return false;
	*client = best->client;
	return true;
}

void endpoints_withdraw(struct endpoints *endpoints, uint32_t client, const struct offered *offered,
			const struct endpoint *parent)
{
	const struct prefix at = offered_prefix(offered);
	struct row *row = find(endpoints, offered->local.port, &at);
	int i;

	if (!row || row->client != client)
		return;
	i = parent ? endpoint_find_parent(&row->value, parent) : 0;
	if (i < 0)
		return;
	if (parent)
		endpoint_remove_parent(&row->value, i);
	else
		remove_all_parents(row);
	settle(endpoints, row);
}

/* From the last one: settle() may remove it. */
bool endpoints_withdraw_all(struct endpoints *endpoints, uint32_t client)
{
	bool has_changed = false;

	for (size_t i = endpoints->count; i-- > 0;) {
		struct row *row = endpoints->rows[i];

		if (row->client != client || !endpoint_is_offered(row))
			continue;
		remove_all_parents(row);
		settle(endpoints, row);
		has_changed = true;
	}
	if (has_changed)
		tell_waiting(endpoints);
	return has_changed;
}

static void note_listener(void *context, const struct tuple *tuple, uint8_t tcp_state)
{
	const struct endpoints *endpoints = context;

	(void)tcp_state;
	for (size_t i = 0; i < endpoints->count; i++) {
		struct row *row = endpoints->rows[i];
		const int parent = endpoint_find_parent(&row->value, &tuple->local);

		if (parent >= 0)
			row->alive |= 1ull << parent;
	}
}

/* A list that comes in parts may leave one out while others come and go: whom it does not have is asked for. */
static bool is_gone(const struct row *row, int i)
{
	struct tuple tuple = {.remote.port = 1};
	int fd = sock_diag_open(), err;
	bool has_owner = true;

	endpoint_parent_at(&row->value, i, &tuple.local);
	tuple.remote.addr = tuple.local.addr;
	err = fd < 0 ? fd : sock_diag_has_owner(fd, &tuple, 0, &has_owner);
	if (fd >= 0)
		close(fd);
	return !err && !has_owner;
}

static bool sweep_row(struct endpoints *endpoints, struct row *row)
{
	const int before = row->value.count;

	for (int i = before; i-- > 0;)
		if (!(row->alive >> i & 1) && is_gone(row, i))
			endpoint_remove_parent(&row->value, i);
	if (row->value.count == before)
		return false;
	settle(endpoints, row);
	return true;
}

bool endpoints_sweep(struct endpoints *endpoints)
{
	bool has_changed = false, has_any = false;

	for (size_t i = 0; i < endpoints->count; i++) {
		endpoints->rows[i]->alive = 0;
		has_any |= endpoints->rows[i]->value.count;
	}
	if (!has_any || sock_diag_visit(1u << TCP_LISTEN, note_listener, endpoints) < 0)
		return false;
	for (size_t i = endpoints->count; i-- > 0;)
		has_changed |= sweep_row(endpoints, endpoints->rows[i]);
	return has_changed;
}

int endpoints_new(struct endpoints **out, struct kern *kern)
{
	struct endpoints *endpoints = calloc(1, sizeof(*endpoints));

	if (!endpoints)
		return -ENOMEM;
	endpoints->kern = kern;
	*out = endpoints;
	return 0;
}

void endpoints_free(struct endpoints *endpoints)
{
	if (!endpoints)
		return;
	for (size_t i = 0; i < endpoints->count; i++)
		free(endpoints->rows[i]);
	free(endpoints->rows);
	free(endpoints);
}

void endpoints_add_ports(const struct endpoints *endpoints, struct port_set *ports)
{
	for (size_t i = 0; i < endpoints->count; i++)
		if (endpoint_is_offered(endpoints->rows[i]))
			port_set_add(ports, endpoints->rows[i]->port);
}

/* A row for all addresses makes its port wide as well. */
void endpoints_narrow(struct endpoints *endpoints, const struct port_set *wide)
{
	struct port_set narrowed = {0}, all = *wide;

	if (!endpoints->kern)
		return;
	for (size_t i = 0; i < endpoints->count; i++) {
		const struct row *row = endpoints->rows[i];

		port_set_add(!row->at.bits && (row->claims || !row->value.is_v6only) ? &all
										     : &narrowed,
			     row->port);
	}
	port_set_subtract(&narrowed, &all);
	kern_narrow_ports(endpoints->kern, &narrowed);
}
