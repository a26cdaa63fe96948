/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Whose address is that? */
#include "interfaces.h"

#include <ifaddrs.h>
#include <string.h>

static bool is_named(const char *names, const char *name)
{
	const size_t len = strlen(name);

	for (const char *one = names; one; one = strchr(one, ',')) {
		one += *one == ',';
		if (!strncmp(one, name, len) && (one[len] == ',' || !one[len]))
			return true;
	}
	return false;
}

static bool has_address(const struct ifaddrs *one, const struct addr *addr)
{
	struct endpoint endpoint;

	return one->ifa_addr && endpoint_from_sockaddr(one->ifa_addr, &endpoint) &&
	       addr_is_equal(&endpoint.addr, addr);
}

bool interfaces_have(const char *names, const struct addr *addr)
{
	bool is_known = false, is_ours = false;
	struct ifaddrs *all;

	if (!names || addr_is_unspecified(addr))
		return true;
	if (addr_is_loopback(addr))
		return is_named(names, "lo");
	if (getifaddrs(&all))
		return true;
	for (const struct ifaddrs *one = all; one; one = one->ifa_next) {
		if (!has_address(one, addr))
			continue;
		is_known = true;
		is_ours |= is_named(names, one->ifa_name);
	}
	freeifaddrs(all);
	return is_ours || !is_known;
}
