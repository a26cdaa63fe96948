/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The interface that is asked for, and why it cannot be had. */
#include <errno.h>
#include <string.h>

#include "core.h"
#include "log.h"

int core_find_link(const char *ifname, struct link_info *out)
{
	int err = link_find(ifname, out);

	if (err == -ENODEV)
		log_error("%s: no such interface", ifname);
	else if (err == -EPFNOSUPPORT)
		log_error("%s: neither Ethernet, loopback nor an IP device", ifname);
	else if (err)
		log_error("%s: cannot look it up: %s", ifname, strerror(-err));
	return err;
}
