/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Who serves these ports already: sockets that listen, and IPVS. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sock_diag.h"
#include "survey.h"

#define IPVS "/proc/net/ip_vs"
#define SHOWN_MAX 16

struct found {
	uint64_t inode;
	struct endpoint local;
};

struct search {
	const struct port_set *ports;
	struct found *found;
	int count;
	int err;
};

/* Sockets with SO_REUSEPORT share an address. */
static bool is_known(const struct search *search, const struct endpoint *local)
{
	for (int i = 0; i < search->count; i++)
		if (search->found[i].local.port == local->port &&
		    addr_is_equal(&search->found[i].local.addr, &local->addr))
			return true;
	return false;
}

static void take_listener(void *context, const struct endpoint *local, uint64_t inode)
{
	struct search *search = context;
	struct found *grown;

	if (!port_set_has(search->ports, local->port) || is_known(search, local))
		return;
	grown = reallocarray(search->found, (size_t)search->count + 1, sizeof(*grown));
	if (!grown) {
		search->err = -ENOMEM;
		return;
	}
	search->found = grown;
	grown[search->count++] = (struct found){inode, *local};
}

static int compare(const void *a, const void *b)
{
	const struct found *first = a, *second = b;

	if (first->local.port != second->local.port)
		return first->local.port < second->local.port ? -1 : 1;
	return memcmp(&first->local.addr, &second->local.addr, sizeof(first->local.addr));
}

static void find_owners(struct survey_listener *out, const struct search *search)
{
	struct socket_owner owner;

	for (int i = 0; i < search->count; i++) {
		/* All of /proc for each of them: of many the last are left without a name. */
		memset(&owner, 0, sizeof(owner));
		if (i < SHOWN_MAX)
			socket_owner_find(search->found[i].inode, &owner);
		out[i].local = search->found[i].local;
		out[i].pid = owner.pid;
		memcpy(out[i].name, owner.name, sizeof(out[i].name));
	}
}

int survey_listeners(struct survey_listener **out, const struct port_set *ports)
{
	struct search search = {.ports = ports};
	struct survey_listener *all = NULL;
	int err = sock_diag_visit_listeners(take_listener, &search) ?: search.err;

	if (!err)
		all = calloc((size_t)search.count + 1, sizeof(*all));
	if (all) {
		if (search.count)
			qsort(search.found, (size_t)search.count, sizeof(*search.found), compare);
		find_owners(all, &search);
	}
	free(search.found);
	if (!all)
		return err ?: -ENOMEM;
	*out = all;
	return search.count;
}

static bool is_answered(const struct survey_target *target, const struct addr *addr)
{
	for (size_t i = 0; i < target->prefix_count; i++)
		if (prefix_contains(&target->prefixes[i], addr))
			return true;
	return false;
}

/* "TCP  0A000002:0050 rr", and "TCP  [fd00:0000:...:0002]:0050 rr" */
static bool parse_service(const char *line, struct endpoint *out)
{
	unsigned int word, port;
	uint8_t bytes[4];
	char text[64];

	if (sscanf(line, "TCP %8x:%4x", &word, &port) == 2) {
		for (int i = 0; i < 4; i++)
			bytes[i] = (uint8_t)(word >> (24 - 8 * i));
		out->addr = addr_from_v4(bytes);
	} else if (sscanf(line, "TCP [%63[0-9a-fA-F:]]:%4x", text, &port) != 2 ||
		   !addr_parse(text, &out->addr)) {
		return false;
	}
	out->port = (uint16_t)port;
	return true;
}

void survey_ipvs(struct survey *survey, const struct survey_target *target, const char *path)
{
	FILE *file = fopen(path, "re");
	struct endpoint service;
	char line[256], text[ENDPOINT_TEXT_SIZE], way[64];

	while (file && fgets(line, sizeof(line), file)) {
		if (!parse_service(line, &service) || !port_set_has(target->ports, service.port) ||
		    !is_answered(target, &service.addr))
			continue;
		endpoint_format(&service, text);
		snprintf(way, sizeof(way), "leave port %u out of --port", service.port);
		survey_add(survey, target->has_bpf ? SURVEY_BLOCKS : SURVEY_MAY, "ipvs", way,
			   "%s is a virtual service of IPVS: %s", text,
			   target->has_bpf
				   ? "nolisten answers its connections before that, and its "
				     "real servers get none"
				   : "IPVS takes its connections, or both answer");
	}
	if (file)
		fclose(file);
}

void survey_services(struct survey *survey, const struct survey_target *target)
{
	survey_ipvs(survey, target, IPVS);
}
