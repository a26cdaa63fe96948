/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "forwarding.h"

#include <errno.h>
#include <netinet/tcp.h>

#include "log.h"
#include "sock_diag.h"

struct check {
	const struct config *config;
	const struct answered *answered;
	int err;
};

static bool is_answered(const struct check *check, const struct endpoint *target)
{
	size_t count;
	const struct prefix *prefixes = answered_all(check->answered, &count);

	if (!port_set_has(&check->config->ports, target->port))
		return false;
	for (size_t i = 0; i < count; i++)
		if (prefix_contains(&prefixes[i], &target->addr))
			return true;
	return false;
}

struct search {
	const struct endpoint *target;
	bool is_found;
};

static void compare(void *context, const struct tuple *tuple, uint8_t tcp_state)
{
	struct search *search = context;
	const struct addr *addr = &tuple->local.addr;

	(void)tcp_state;
	if (tuple->local.port == search->target->port &&
	    (addr_is_unspecified(addr) || addr_is_equal(addr, &search->target->addr)))
		search->is_found = true;
}

static bool has_listener(const struct endpoint *target)
{
	struct search search = {.target = target};

	sock_diag_visit(1u << TCP_LISTEN, compare, &search);
	return search.is_found;
}

static void check_target(void *context, const struct endpoint *target)
{
	struct check *check = context;
	char text[ENDPOINT_TEXT_SIZE];

	if (check->err || !is_answered(check, target) || has_listener(target))
		return;
	endpoint_format(target, text);
	log_error(
		"--service: forward to %s: that is answered here itself, and nobody listens there",
		text);
	check->err = -ELOOP;
}

static void check_worker(struct worker *worker, void *context)
{
	service_visit_targets(worker_service(worker), check_target, context);
}

int forwarding_check(const struct config *config, const struct answered *answered,
		     struct workers *workers)
{
	struct check check = {.config = config, .answered = answered};

	workers_call(workers, check_worker, &check);
	return check.err;
}
