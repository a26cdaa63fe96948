/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Who does what in each scene. */
#include "scenes.h"

#include <errno.h>
#include <stddef.h>

#include "actor.h"
#include "demo_lab.h"

static int play_one(const struct lab *lab, enum lab_place place, actor_fn fn, uint16_t port,
		    int *result)
{
	struct actor actor;
	int err = actor_start(&actor, lab, place, fn, port);

	if (!err)
		*result = actor_join(&actor);
	return err;
}

static int play_closed_port(const struct lab *lab, uint16_t port, int *result)
{
	return play_one(lab, LAB_CLIENT, actor_connect, port, result);
}

static int play_nolisten(const struct lab *lab, uint16_t port, int *result)
{
	return play_one(lab, LAB_CLIENT, actor_greet, port, result);
}

static int play_self(const struct lab *lab, uint16_t port, int *result)
{
	return play_one(lab, LAB_SERVER, actor_meet_self, port, result);
}

static int play_raw(const struct lab *lab, uint16_t port, int *result)
{
	struct actor server;
	int err = actor_start(&server, lab, LAB_SERVER, actor_answer_raw, 0);

	if (err)
		return err;
	err = actor_await(&server);
	if (!err)
		err = play_one(lab, LAB_CLIENT, actor_connect, port, result);
	actor_join(&server);
	return err;
}

/* Both SYNs wait for the neighbour's address, so that they cross. */
static int let_meet(const struct lab *lab, struct actor *server, struct actor *client, int *result)
{
	int err = actor_await(server), server_result;

	if (!err)
		err = actor_await(client);
	if (!err)
		err = lab_show_neighbour(lab, LAB_CLIENT);
	if (!err)
		err = lab_show_neighbour(lab, LAB_SERVER);
	if (!err)
		err = actor_release(server);
	if (!err)
		err = actor_release(client);
	*result = actor_join(client);
	server_result = actor_join(server);
	if (!*result)
		*result = server_result;
	return err;
}

static int play_meeting(const struct lab *lab, uint16_t port, int *result)
{
	struct actor server, client;
	int err = lab_hide_neighbours(lab);

	if (!err)
		err = actor_start(&server, lab, LAB_SERVER, actor_meet_server, port);
	if (err)
		return err;
	err = actor_start(&client, lab, LAB_CLIENT, actor_meet_client, port);
	if (!err)
		return let_meet(lab, &server, &client, result);
	actor_join(&server);
	return err;
}

#define CONNECTED "The client's connect()"
#define NOLISTEN_SCENE(m, port, text)                            \
	{                                                        \
		m, text, DEMO_IFNAME, m, port, play_nolisten,    \
			"The client's hello, and the echo of it" \
	}

const struct scene scene_table[] = {
	{"closed-port",
	 "A SYN comes to a port that nobody listens on, and the kernel answers with a RST.",
	 DEMO_IFNAME, NULL, 41001, play_closed_port, CONNECTED},
	{"raw-socket", "A program answers the SYN through a raw socket, but the kernel is faster.",
	 DEMO_IFNAME, NULL, 41002, play_raw, CONNECTED},
	NOLISTEN_SCENE(
		"engine", 41003,
		"nolisten holds the SYN before the kernel's TCP sees it, and answers from user space.\n"
		"When the handshake is complete a kernel socket takes over."),
	NOLISTEN_SCENE(
		"xdp", 41004,
		"nolisten answers the SYN in XDP itself, with a cookie. That SYN-ACK is the one\n"
		"packet that no tracepoint sees; user space hears of the ACK that comes back."),
	NOLISTEN_SCENE(
		"nfqueue", 41005,
		"A queue of netfilter keeps the SYN from the kernel's TCP, without BPF. User space answers\n"
		"the copy that it gets, and has the original dropped."),
	NOLISTEN_SCENE(
		"filter", 41006,
		"The kernel answers the SYN with a RST, and nftables drops it on its way out. nolisten\n"
		"answers from a packet socket, without BPF."),
	NOLISTEN_SCENE(
		"raw", 41007,
		"nolisten answers from a packet socket, and nothing keeps the kernel quiet: its RST is first."),
	NOLISTEN_SCENE(
		"connect", 41008,
		"nolisten holds the SYN, and a kernel socket connects back. To the client it looks\n"
		"like a listener, to the kernel like a client."),
	NOLISTEN_SCENE(
		"accept", 41011,
		"XDP answers the SYN with a cookie, and the kernel makes the socket of the ACK that brings it\n"
		"back. It does so for a listener of nolisten's on an address of 100::/64 that nobody has: no\n"
		"route leads there, a filter drops what is addressed to it, and connections come by TC alone."),
	{"self-connect",
	 "A socket is bound to a port and connects to the same port. Its SYN finds itself,\n"
	 "waiting in SYN_SENT, so there is no RST.",
	 "lo", NULL, 41009, play_self, "The socket's hello to itself"},
	{"simultaneous",
	 "Both ends call connect(), and their SYNs cross. Each finds a socket in SYN_SENT,\n"
	 "so there is no RST.",
	 DEMO_IFNAME, NULL, 41010, play_meeting, "Both connect()s"},
	{0},
};
