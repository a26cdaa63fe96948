/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * What answers handshakes for `nolisten run`: a data plane for each interface, a nolisten-loader of our own, or one that runs
 * already and is dialled. It is told endpoints, and for each the listener, the parent, at which the kernel queues its connections.
 *
 * The loaders are shared by all `nolisten run` of a network namespace: the first one on an interface starts it, it ends with the
 * last one that uses it, however that ends. They are processes in sessions of their own: no Ctrl-C reaches them.
 */
#ifndef NOLISTEN_PLANE_H
#define NOLISTEN_PLANE_H

#include <stdbool.h>
#include <stddef.h>

#include "addr.h"
#include "loop.h"

struct plane;

/* Everything is borrowed until it is closed. */
struct plane_options {
	const char *
		interfaces; /* "lo,eth0"; NULL: all that are up and have an address, lo among them */
	const char *
		socket; /* the path at which a loader listens for applications; NULL: our own loaders */
	bool needs_descriptors; /* connections come by plane_accept(), nobody has parents */
	/*
	 * A data plane had gone, was started again, and knows nothing: all that is to be answered is to be said once more by
	 * plane_answer(). Called in the loop, never within a function of this header. May be NULL.
	 */
	void (*renewed)(void *context);
	/* Somebody has come to an endpoint of plane_await(), and waits. As above; may be NULL. */
	void (*woken)(void *context);
	void *context;
};

/*
 * Where bind(2) has a socket. 0.0.0.0 (::ffff:0.0.0.0): any address of IPv4; ::, any of both families, or, is_v6only, of IPv6
 * alone. An address of one host: that one.
 */
struct plane_endpoint {
	struct endpoint local;
	bool is_v6only;
};

/* A connection that came as a descriptor, which is the caller's. */
struct plane_connection {
	int fd;
	struct tuple tuple;
};

/* What is known of a kernel before a plane is opened: can it queue connections at parents (Linux 6.9)? */
bool plane_has_parents(void);
/* And of a loader that runs already: has it listeners of others (method accept)? Also if nobody is there, which plane_open() will say. */
bool plane_takes_parents(const char *socket);

/*
 * Waits until each interface's data plane is there, some tenths of a second. Nothing is answered yet. -errno, logged in one line,
 * and nothing is left attached.
 */
int plane_open(struct plane **out, const struct plane_options *options, struct loop *loop);

/*
 * From now on connections to this endpoint are queued at parent, a listener (listen() has been called) in this network namespace,
 * whose address is not that of the endpoint but one that no remote can reach. It is looked at, and not kept: once its last
 * descriptor is closed, connections are refused, within a second. A socket of AF_INET gets IPv4 alone; one of AF_INET6 that is
 * not IPV6_V6ONLY also has the IPv4 connections of an endpoint ::. Said again for the same endpoint with another parent: the
 * connections are shared out among them by their hash (SO_REUSEPORT): give each a hidden port of its own.
 *
 * With needs_descriptors: parent is -1, and connections come by plane_accept().
 *
 * 0, also if it has been said already. -EADDRINUSE: a kernel socket or another application has it. -EINVAL: parent is no such listener.
 * -ENOBUFS: too many (PLANE_PARENTS for one endpoint, thousands of endpoints). Nothing is logged; plane_why() says more.
 */
int plane_answer(struct plane *plane, const struct plane_endpoint *at, int parent);
#define PLANE_PARENTS 64
const char *plane_why(const struct plane *plane);

/*
 * Connections to it are no longer queued at this parent (-1: at none); with the last one it is not answered any more. What is queued
 * stays there. Nothing happens if it is not known.
 */
void plane_forget(struct plane *plane, const struct plane_endpoint *at, int parent);

/*
 * Answered from now on, though nobody listens there yet: whoever connects waits, and woken() is called. Each gets the first parent that
 * plane_answer() has for it, whatever family or address that says; or a RST once this is taken back, or after a minute. Not with
 * needs_descriptors. As plane_answer().
 */
int plane_await(struct plane *plane, const struct plane_endpoint *at);
void plane_unawait(struct plane *plane, const struct plane_endpoint *at);

/* With needs_descriptors: readable while plane_accept() has something to give. -1 without. */
int plane_fd(const struct plane *plane);
/* Without waiting: 0, or -EAGAIN, -EMFILE, -ENFILE. */
int plane_accept(struct plane *plane, struct plane_connection *out);

/* Nothing of it is answered any more. NULL is legal. */
void plane_close(struct plane *plane);

#endif
