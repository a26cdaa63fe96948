/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* A list of prefixes, kept equal to what the method answers. */
#include "answered.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "link_watch.h"
#include "log.h"

struct answered {
	struct gate *gate;
	struct prefix *prefixes;
	size_t count;
};

int answered_new(struct answered **out, struct gate *gate)
{
	struct answered *answered = calloc(1, sizeof(*answered));

	if (!answered)
		return -ENOMEM;
	answered->gate = gate;
	*out = answered;
	return 0;
}

void answered_free(struct answered *answered)
{
	if (!answered)
		return;
	free(answered->prefixes);
	free(answered);
}

static struct prefix *find(struct answered *answered, const struct prefix *prefix)
{
	for (size_t i = 0; i < answered->count; i++) {
		if (answered->prefixes[i].bits == prefix->bits &&
		    addr_is_equal(&answered->prefixes[i].addr, &prefix->addr))
			return &answered->prefixes[i];
	}
	return NULL;
}

static int add(struct answered *answered, const struct prefix *prefix)
{
	struct prefix *grown;
	int err;

	if (find(answered, prefix))
		return 0;
	grown = reallocarray(answered->prefixes, answered->count + 1, sizeof(*grown));
	if (!grown)
		return -ENOMEM;
	answered->prefixes = grown;
	err = answered->gate->ops->add_prefix(answered->gate, prefix);
	if (!err)
		answered->prefixes[answered->count++] = *prefix;
	return err;
}

static int add_address(struct answered *answered, const struct addr *addr)
{
	const struct prefix prefix = {.addr = *addr, .bits = 128};

	return add(answered, &prefix);
}

static int remove_prefix(struct answered *answered, const struct prefix *prefix)
{
	struct prefix *found = find(answered, prefix);
	const struct prefix gone = *found;

	*found = answered->prefixes[--answered->count];
	return answered->gate->ops->remove_prefix(answered->gate, &gone);
}

static int remove_address(struct answered *answered, const struct addr *addr)
{
	const struct prefix prefix = {.addr = *addr, .bits = 128};

	return find(answered, &prefix) ? remove_prefix(answered, &prefix) : 0;
}

void answered_follow(struct answered *answered, const char *ifname, const struct addr *addr,
		     bool is_there, bool is_told)
{
	const size_t before = answered->count;
	char text[ADDR_TEXT_SIZE];
	int err = is_there ? add_address(answered, addr) : remove_address(answered, addr);

	addr_format(addr, text);
	if (err)
		log_warning("%s: cannot %s %s: %s", ifname, is_there ? "answer" : "forget", text,
			    strerror(-err));
	else if (is_told && answered->count != before)
		log_info(is_there ? "%s: answering %s as well" : "%s: no longer answering %s",
			 ifname, text);
}

int answered_add_prefix(struct answered *answered, const struct prefix *prefix, const char *ifname)
{
	char text[ADDR_TEXT_SIZE + 4];
	bool is_local;
	int err = link_is_local(&prefix->addr, &is_local);

	prefix_format(prefix, text);
	if (err) {
		log_error("--address: %s: cannot look up its route: %s", text, strerror(-err));
		return err;
	}
	if (!is_local) {
		log_error("--address: %s is not local to this host, connections to it would be "
			  "forwarded: ip route add local %s dev %s",
			  text, text, ifname);
		return -EADDRNOTAVAIL;
	}
	return add(answered, prefix);
}

static bool is_among(const struct prefix *prefix, const struct prefix *prefixes, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (prefixes[i].bits == prefix->bits &&
		    addr_is_equal(&prefixes[i].addr, &prefix->addr))
			return true;
	return false;
}

/* All but the first kept ones that are not among those. Removing changes their order: from the end on. */
static int remove_others(struct answered *answered, size_t kept, const struct prefix *prefixes,
			 size_t count)
{
	int err = 0;

	for (size_t i = answered->count; i > kept; i--) {
		const struct prefix prefix = answered->prefixes[i - 1];

		if (!is_among(&prefix, prefixes, count))
			err = remove_prefix(answered, &prefix) ?: err;
	}
	return err;
}

int answered_set_prefixes(struct answered *answered, const struct prefix *prefixes, size_t count,
			  const char *ifname)
{
	const size_t before = answered->count;
	int err = 0;

	for (size_t i = 0; !err && i < count; i++)
		err = answered_add_prefix(answered, &prefixes[i], ifname);
	if (err)
		remove_others(answered, before, NULL, 0);
	else
		err = remove_others(answered, 0, prefixes, count);
	return err;
}

int answered_add_loopback(struct answered *answered, const char *ifname)
{
	struct prefix loopback;
	int err = prefix_parse("127.0.0.0/8", &loopback) ? add(answered, &loopback) : -EINVAL;

	if (err)
		log_error("%s: cannot answer 127.0.0.0/8: %s", ifname, strerror(-err));
	return err;
}

const struct prefix *answered_all(const struct answered *answered, size_t *count)
{
	*count = answered->count;
	return answered->prefixes;
}

void answered_format(const struct answered *answered, char *text, size_t size)
{
	char one[ADDR_TEXT_SIZE + 4];
	size_t used = 0;

	snprintf(text, size, "no address");
	for (size_t i = 0; i < answered->count; i++) {
		if (answered->prefixes[i].bits == 128)
			addr_format(&answered->prefixes[i].addr, one);
		else
			prefix_format(&answered->prefixes[i], one);
		/* Room for this one, and for the dots if another follows. */
		if (used + strlen(one) + 8 > size) {
			snprintf(text + used, size - used, ", ...");
			return;
		}
		used += snprintf(text + used, size - used, "%s%s", i ? ", " : "", one);
	}
}
