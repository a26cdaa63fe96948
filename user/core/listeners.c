/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* A walk over the listening sockets of this network namespace. */
#include "listeners.h"

#include <netinet/tcp.h>

#include "log.h"
#include "sock_diag.h"

struct found {
	const struct port_set *answered;
	struct port_set warned;
};

static void warn(void *context, const struct tuple *tuple, uint8_t tcp_state)
{
	struct found *found = context;
	const uint16_t port = tuple->local.port;

	(void)tcp_state;
	if (!port_set_has(found->answered, port) || port_set_has(&found->warned, port))
		return;
	port_set_add(&found->warned, port);
	log_warning("port %u: a kernel socket listens there, it is left to it", port);
}

void listeners_warn(const struct port_set *answered)
{
	struct found found = {.answered = answered};

	sock_diag_visit(1u << TCP_LISTEN, warn, &found);
}

struct search {
	const struct port_set *ports;
	uint16_t port; /* 0: none so far */
};

static void compare(void *context, const struct tuple *tuple, uint8_t tcp_state)
{
	struct search *search = context;

	(void)tcp_state;
	if (!search->port && port_set_has(search->ports, tuple->local.port))
		search->port = tuple->local.port;
}

bool listeners_find(const struct port_set *ports, uint16_t *port)
{
	struct search search = {.ports = ports};

	sock_diag_visit(1u << TCP_LISTEN, compare, &search);
	*port = search.port;
	return search.port;
}
