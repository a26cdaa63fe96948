/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* For people two kinds of lines, a guard and its leases; in JSON an object for each of both. */
#include "guard_list.h"

#include <errno.h>
#include <inttypes.h>
#include <net/if.h>
#include <stdio.h>
#include <string.h>

#include <jansson.h>

#include "addr.h"
#include "clock.h"
#include "lease_list.h"
#include "load_failure.h"
#include "log.h"

struct list {
	const struct lease_view *view; /* the guard whose leases are being read */
	char ifname[IF_NAMESIZE];
	uint64_t now_ns;
	uint64_t expired, all; /* of its leases */
	bool is_json;
	int err;
};

static const char *const modes[] = {[NOL_GUARD_FLOWS] = "flows",
				    [NOL_GUARD_LEASED_PORTS] = "leased ports",
				    [NOL_GUARD_PORTS] = "ports"};
static const char *const senders[] = {
	[NOL_SENDER_PACKET] = "packet", [NOL_SENDER_RAW] = "raw", [NOL_SENDER_RAW_TCP] = "raw-tcp"};

static bool is_current(const struct list *list, const struct nol_lease *lease)
{
	return (int64_t)(list->now_ns - lease_last_ns(lease)) <
	       (int64_t)list->view->guard.expiry_ns;
}

static void count_lease(void *context, const struct nol_flow_key *key,
			const struct nol_lease *lease)
{
	struct list *list = context;

	(void)key;
	list->all++;
	if (!is_current(list, lease))
		list->expired++;
}

static uint64_t evicted(const struct list *list)
{
	const uint64_t known = list->all + list->view->guard.removed;

	return list->view->stats.leased > known ? list->view->stats.leased - known : 0;
}

static void format_end(const struct nol_flow_key *key, bool is_remote, char *text)
{
	struct endpoint end = {.port = is_remote ? key->remote_port : key->local_port};

	memcpy(end.addr.bytes, is_remote ? key->remote_addr : key->local_addr,
	       sizeof(end.addr.bytes));
	if (is_remote && !end.port && addr_is_unspecified(&end.addr))
		strcpy(text, "*");
	else
		endpoint_format(&end, text);
}

static double age_s(const struct list *list, uint64_t since_ns)
{
	return since_ns < list->now_ns ? (double)(list->now_ns - since_ns) / CLOCK_NS_PER_S : 0;
}

static const char *sender_text(const struct nol_lease *lease)
{
	return lease->sender <= NOL_SENDER_RAW_TCP && senders[lease->sender]
		       ? senders[lease->sender]
		       : "?";
}

static void print_object(struct list *list, json_t *object)
{
	if (!object || json_dumpf(object, stdout, JSON_COMPACT))
		list->err = -ENOMEM;
	else
		putchar('\n');
	json_decref(object);
}

static void print_lease_json(struct list *list, const struct nol_lease *lease, const char *local,
			     const char *remote)
{
	print_object(list,
		     json_pack("{s:s s:s s:s s:s s:s s:f s:f s:I s:I s:I s:I}", "type", "lease",
			       "iface", list->ifname, "local", local, "remote", remote, "sender",
			       sender_text(lease), "age_s", age_s(list, lease->leased_ns), "idle_s",
			       age_s(list, lease_last_ns(lease)), "out", (json_int_t)lease->out,
			       "in", (json_int_t)lease->in, "ended", (json_int_t)lease->ended,
			       "rst_stopped", (json_int_t)lease->rst_stopped));
}

static void print_lease(void *context, const struct nol_flow_key *key,
			const struct nol_lease *lease)
{
	char local[ENDPOINT_TEXT_SIZE], remote[ENDPOINT_TEXT_SIZE];
	struct list *list = context;

	if (!is_current(list, lease))
		return;
	format_end(key, false, local);
	format_end(key, true, remote);
	if (list->is_json)
		print_lease_json(list, lease, local, remote);
	else
		printf("  %-24s %-24s %-8s idle %.0fs  out %u  in %u  ended %u  RSTs stopped %u\n",
		       local, remote, sender_text(lease), age_s(list, lease_last_ns(lease)),
		       lease->out, lease->in, lease->ended, lease->rst_stopped);
}

static json_t *counters_json(const struct nol_guard_stats *stats)
{
	json_t *object = json_object();

#define SET(name, text) json_object_set_new(object, #name, json_integer((json_int_t)stats->name));
	NOL_GUARD_STATS(SET)
#undef SET
	return object;
}

static void print_guard_json(struct list *list)
{
	const struct nol_guard *guard = &list->view->guard;
	const bool is_static = guard->mode == NOL_GUARD_PORTS;

	print_object(list,
		     json_pack("{s:s s:s s:i s:s s:s s:s? s:b s:b s:f s:I s:I s:I s:I s:o}", "type",
			       "guard", "iface", list->ifname, "pid", (int)guard->pid, "for",
			       guard->name, "mode", modes[guard->mode % 3], "ports",
			       is_static ? guard->ports : NULL, "nat", guard->guards_nat, "alive",
			       list->view->is_alive, "age_s", age_s(list, guard->started_ns),
			       "expire_s", (json_int_t)(guard->expiry_ns / CLOCK_NS_PER_S),
			       "max_leases", (json_int_t)guard->max_leases, "leases",
			       (json_int_t)(list->all - list->expired), "evicted",
			       (json_int_t)evicted(list), "counters",
			       counters_json(&list->view->stats)));
}

static void print_guard_text(const struct list *list)
{
	const struct nol_guard *guard = &list->view->guard;
	const struct nol_guard_stats *stats = &list->view->stats;

	printf("%s: %s (pid %u)%s: %s %s", list->ifname, guard->name, guard->pid,
	       list->view->is_alive ? "" : ", stands still and guards nothing",
	       modes[guard->mode % 3], guard->mode == NOL_GUARD_PORTS ? guard->ports : "");
	if (guard->mode != NOL_GUARD_PORTS)
		printf("%" PRIu64 " of %u leases, %" PRIu64 " made room for others",
		       list->all - list->expired, guard->max_leases, evicted(list));
	printf("%s; segments ended %llu, went on %llu; RSTs stopped %llu\n",
	       guard->guards_nat ? ", and what conntrack translates" : "", stats->in_ended,
	       stats->in_passed, stats->rst_dropped + stats->rst_redirected);
}

static void print_guard(void *context, const struct lease_view *view)
{
	struct list *list = context;
	int err;

	list->view = view;
	list->all = list->expired = 0;
	list->now_ns = clock_monotonic_ns();
	if (!if_indextoname(view->guard.ifindex, list->ifname))
		strcpy(list->ifname, "?");
	err = lease_each(view->leases_fd, count_lease, list);
	if (list->is_json)
		print_guard_json(list);
	else
		print_guard_text(list);
	if (!err)
		err = lease_each(view->leases_fd, print_lease, list);
	if (err)
		list->err = err;
}

int guard_list(const char *ifname, bool is_json)
{
	struct list list = {.is_json = is_json};
	uint32_t ifindex = ifname ? if_nametoindex(ifname) : 0;
	int err;

	if (ifname && !ifindex) {
		log_error("%s: no such interface", ifname);
		return -ENODEV;
	}
	err = lease_list(ifindex, print_guard, &list) ?: list.err;
	if (err)
		log_error("guard: cannot read the leases: %s", load_error_text(err));
	return err;
}
