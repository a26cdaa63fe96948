/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Questions to the kernel and its news, in libmnl's messages. The sockets are plain descriptors and the buffers are on
 * the stack: nothing is allocated.
 */
#ifndef NOLISTEN_NETLINK_H
#define NOLISTEN_NETLINK_H

#include <linux/netlink.h>
#include <stddef.h>
#include <stdint.h>

#define NETLINK_REQUEST_SIZE 512

/* Attributes are put behind the body with mnl_attr_put() and the like. */
union netlink_request {
	struct nlmsghdr header;
	uint8_t buffer[NETLINK_REQUEST_SIZE];
};

typedef void (*netlink_fn)(void *context, const struct nlmsghdr *message);

/* protocol: NETLINK_ROUTE and so on; groups: a mask of RTMGRP_...; flags: SOCK_NONBLOCK or 0. A descriptor or -errno. */
int netlink_open(int protocol, uint32_t groups, int flags);

/* The body, all zero. Whatever is not a dump is acknowledged, so that every answer has an end. */
void *netlink_request_init(union netlink_request *request, uint16_t type, uint16_t flags,
			   size_t body_size);

/* fn (NULL: nothing) for each message of the whole answer. 0, the kernel's -errno, or ours. */
int netlink_ask(int fd, const union netlink_request *request, netlink_fn fn, void *context);
/* The same on a socket of its own. */
int netlink_ask_once(int protocol, const union netlink_request *request, netlink_fn fn,
		     void *context);

/*
 * fn for each message that is waiting, without blocking. 0, or -errno: ENOBUFS if some were lost. The rest is read first: until then the kernel
 * loses more, without saying so again, and what is old would be taken for newer than what the caller lists.
 */
int netlink_read(int fd, netlink_fn fn, void *context);

/* Of a message whose body has this size: the payload of the first such attribute, of at least len bytes; or NULL. */
const void *netlink_find(const struct nlmsghdr *message, size_t body_size, uint16_t type,
			 size_t len);

#endif
