/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * As /proc/net/raw has them: "  6: 00000000:0006 00000000:0000 07 ...", the local port is the protocol. And /proc/net/packet:
 * "0000000012345678 3      3    0800   2     1 ...", the protocol, the interface, whether it is bound.
 */
#include "raw_sockets.h"

#include <linux/if_ether.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>

#define ROW_SIZE 512

typedef bool (*row_fn)(const char *row);

static bool is_raw_tcp(const char *row)
{
	unsigned int protocol;

	return sscanf(row, " %*u: %*[0-9A-Fa-f]:%x", &protocol) == 1 && protocol == IPPROTO_TCP;
}

static bool is_single_ip(const char *row)
{
	unsigned int protocol, is_running;

	return sscanf(row, "%*s %*u %*u %x %*d %u", &protocol, &is_running) == 2 && is_running &&
	       (protocol == ETH_P_IP || protocol == ETH_P_IPV6);
}

static bool has_row(const char *path, row_fn fn)
{
	FILE *file = fopen(path, "re");
	char row[ROW_SIZE];
	bool found = false;

	if (!file)
		return false;
	while (!found && fgets(row, sizeof(row), file))
		found = fn(row);
	fclose(file);
	return found;
}

bool raw_sockets_take_tcp(void)
{
	return has_row("/proc/thread-self/net/raw", is_raw_tcp) ||
	       has_row("/proc/thread-self/net/raw6", is_raw_tcp) ||
	       has_row("/proc/thread-self/net/packet", is_single_ip);
}
