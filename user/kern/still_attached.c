/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Others may detach a program by force, of which nobody is told: it has to be looked for. */
#include <errno.h>
#include <net/if.h>
#include <unistd.h>

#include "kern_private.h"
#include "log.h"

/* A link that has lost its interface; that of a TCX link is at the same place. */
static bool is_detached(int fd)
{
	struct bpf_link_info info = {0};
	__u32 len = sizeof(info);

	return fd >= 0 && !bpf_obj_get_info_by_fd(fd, &info, &len) && !info.xdp.ifindex;
}

static const char *find_detached(const struct kern *kern)
{
	if (is_detached(kern->xdp_link_fd))
		return "the XDP program";
	if (is_detached(kern->tc_ingress_fd))
		return "the program at tc ingress";
	if (is_detached(kern->tcx_link_fd) || tc_is_replaced(kern))
		return "the guard at tc egress";
	return NULL;
}

int kern_check(struct kern *kern)
{
	const char *what = find_detached(kern);
	char name[IF_NAMESIZE];

	/* With its interface goes everything: there is another word for that. */
	if (!what || !if_indextoname(kern->options.ifindex, name))
		return 0;
	log_error("%s: somebody has detached %s", kern->ifname, what);
	return -ENOLINK;
}
