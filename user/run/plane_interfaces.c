/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "plane_interfaces.h"

#include <errno.h>
#include <ifaddrs.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "log.h"

struct names {
	struct interface_name *names;
	size_t count;
};

/* One that is there already is not added. */
static int add(struct names *names, const char *text)
{
	struct interface_name *grown;

	for (size_t i = 0; i < names->count; i++)
		if (!strcmp(names->names[i].text, text))
			return 0;
	grown = reallocarray(names->names, names->count + 1, sizeof(*grown));
	if (!grown)
		return -ENOMEM;
	names->names = grown;
	memset(&grown[names->count], 0, sizeof(*grown));
	strncpy(grown[names->count++].text, text, IF_NAMESIZE - 1);
	return 0;
}

static bool has_address(const struct ifaddrs *one)
{
	return one->ifa_flags & IFF_UP && one->ifa_addr &&
	       (one->ifa_addr->sa_family == AF_INET || one->ifa_addr->sa_family == AF_INET6);
}

/* Of an alias ("eth0:1") the label; the interface is in front of it. */
static int find_all(struct names *names)
{
	struct ifaddrs *all;
	char text[IF_NAMESIZE];
	int err = 0;

	if (getifaddrs(&all))
		return -errno;
	for (const struct ifaddrs *one = all; one && !err; one = one->ifa_next) {
		if (!has_address(one))
			continue;
		strncpy(text, one->ifa_name, sizeof(text) - 1);
		text[sizeof(text) - 1] = '\0';
		text[strcspn(text, ":")] = '\0';
		err = add(names, text);
	}
	freeifaddrs(all);
	return err;
}

static int find_listed(struct names *names, const char *list)
{
	char *copy = strdup(list), *rest = copy, *text;
	int err = copy ? 0 : -ENOMEM;

	while (!err && (text = strsep(&rest, ","))) {
		if (if_nametoindex(text)) {
			err = add(names, text);
		} else {
			log_error("%s: no such interface", *text ? text : "an empty name");
			err = -ENODEV;
		}
	}
	free(copy);
	return err;
}

int plane_interfaces_find(struct interface_name **out, size_t *count, const char *list)
{
	struct names names = {0};
	int err = list ? find_listed(&names, list) : find_all(&names);

	if (!err && !names.count) {
		log_error("no interface is up and has an address");
		err = -ENODEV;
	} else if (err && err != -ENODEV) {
		log_error("cannot list the interfaces: %s", strerror(-err));
	}
	if (err) {
		free(names.names);
		return err;
	}
	*out = names.names;
	*count = names.count;
	return 0;
}
