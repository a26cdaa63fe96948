/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* A list of hosts and ports, in brackets where a host has colons of its own. */
#include "forward_spec.h"

#include <errno.h>
#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "numbers.h"

static const char malformed[] =
	"forward needs HOST:PORT[,HOST:PORT...], ports from 1 to 65535, as in forward:10.0.0.3:80";

/* A host that is being read: its text is cut in place. */
struct host {
	char *name;
	const char *port;
};

static bool split_bracketed(char *text, struct host *out)
{
	char *end = strchr(text, ']');

	if (!end || end[1] != ':')
		return false;
	*end = '\0';
	*out = (struct host){.name = text + 1, .port = end + 2};
	return true;
}

static int split(char *text, struct host *out, const char **error)
{
	char *colon = strchr(text, ':');
	uint64_t port;

	*error = malformed;
	if (*text == '[') {
		if (!split_bracketed(text, out))
			return -EINVAL;
	} else if (colon && strchr(colon + 1, ':')) {
		*error = "an IPv6 address goes into brackets, as in forward:[fd00::3]:80";
		return -EINVAL;
	} else {
		if (!colon)
			return -EINVAL;
		*colon = '\0';
		*out = (struct host){.name = text, .port = colon + 1};
	}
	return *out->name && number_parse(out->port, 1, UINT16_MAX, &port) ? 0 : -EINVAL;
}

typedef int (*host_fn)(void *context, const struct host *host, const char **error);

/* fn for each, until it fails. */
static int for_each_host(const char *spec, host_fn fn, void *context, const char **error)
{
	char *copy = strdup(spec), *rest = copy, *text;
	struct host host;
	int err = 0;

	*error = "out of memory";
	if (!copy)
		return -ENOMEM;
	while (!err && (text = strsep(&rest, ",")))
		err = split(text, &host, error) ?: fn(context, &host, error);
	free(copy);
	return err;
}

static int count_host(void *context, const struct host *host, const char **error)
{
	(void)host;
	*error = "forward takes no more than 64 targets";
	return ++*(size_t *)context > FORWARD_TARGETS_MAX ? -EINVAL : 0;
}

int forward_spec_check(const char *spec, const char **error)
{
	size_t count = 0;

	return for_each_host(spec, count_host, &count, error);
}

static int add_addresses(struct target_list *list, const struct addrinfo *found, const char **error)
{
	for (; found; found = found->ai_next) {
		struct target *target = &list->all[list->count];

		*error = "the names have more than 64 addresses";
		if (list->count == FORWARD_TARGETS_MAX)
			return -EINVAL;
		memcpy(&target->sockaddr, found->ai_addr, found->ai_addrlen);
		target->sockaddr_len = found->ai_addrlen;
		list->count++;
	}
	return 0;
}

static char unresolved[384];

static int resolve_host(void *context, const struct host *host, const char **error)
{
	const struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_flags = AI_NUMERICSERV};
	struct addrinfo *found;
	int err = getaddrinfo(host->name, host->port, &hints, &found);

	if (err) {
		snprintf(unresolved, sizeof(unresolved), "%s: %s", host->name, gai_strerror(err));
		*error = unresolved;
		return -EINVAL;
	}
	err = add_addresses(context, found, error);
	freeaddrinfo(found);
	return err;
}

int forward_spec_resolve(const char *spec, struct target_list *out, const char **error)
{
	*out = (struct target_list){0};
	return for_each_host(spec, resolve_host, out, error);
}

size_t target_choose(const struct target_list *list, size_t first, uint64_t tried, uint64_t now_ns)
{
	size_t last_resort = list->count;

	for (size_t i = 0; i < list->count; i++) {
		const size_t one = (first + i) % list->count;

		if (tried & 1ull << one)
			continue;
		if (list->all[one].failed_until_ns <= now_ns)
			return one;
		if (last_resort == list->count)
			last_resort = one;
	}
	return last_resort;
}

void target_endpoint(const struct target *target, struct endpoint *out)
{
	endpoint_from_sockaddr((const struct sockaddr *)&target->sockaddr, out);
}
