/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Who does what in each scene. Each has a port of its own, so that none meets what another has left behind. */
#include "explain_scenes.h"

#include <errno.h>
#include <stddef.h>

#include "explain_actor.h"

#define PORT_CLOSED 41001
#define PORT_RAW 41002
#define PORT_NOLISTEN 41003
#define PORT_SELF 41004
#define PORT_MEET 41005

static int play_one(const struct lab *lab, enum lab_side side, actor_fn fn, uint16_t port,
		    int *result)
{
	struct actor actor;
	int err = actor_start(&actor, lab, side, fn, port);

	if (!err)
		*result = actor_join(&actor);
	return err;
}

static int play_closed_port(const struct lab *lab, int *result)
{
	return play_one(lab, LAB_IN_CLIENT, actor_connect, PORT_CLOSED, result);
}

static int play_nolisten(const struct lab *lab, int *result)
{
	return play_one(lab, LAB_IN_CLIENT, actor_greet, PORT_NOLISTEN, result);
}

static int play_self(const struct lab *lab, int *result)
{
	return play_one(lab, LAB_IN_SERVER, actor_meet_self, PORT_SELF, result);
}

static int play_raw(const struct lab *lab, int *result)
{
	struct actor server;
	int err = actor_start(&server, lab, LAB_IN_SERVER, actor_answer_raw, 0);

	if (err)
		return err;
	err = actor_await(&server);
	if (!err)
		err = play_one(lab, LAB_IN_CLIENT, actor_connect, PORT_RAW, result);
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
		err = lab_show_neighbour(lab, LAB_IN_CLIENT);
	if (!err)
		err = lab_show_neighbour(lab, LAB_IN_SERVER);
	*result = actor_join(client);
	server_result = actor_join(server);
	if (!*result)
		*result = server_result;
	return err;
}

static int play_meeting(const struct lab *lab, int *result)
{
	struct actor server, client;
	int err = lab_hide_neighbours(lab);

	if (!err)
		err = actor_start(&server, lab, LAB_IN_SERVER, actor_meet_server, PORT_MEET);
	if (err)
		return err;
	err = actor_start(&client, lab, LAB_IN_CLIENT, actor_meet_client, PORT_MEET);
	if (!err)
		return let_meet(lab, &server, &client, result);
	actor_join(&server);
	return err;
}

#define NOLISTEN_SCENE(m, text)                                             \
	{                                                                   \
		m, text, LAB_IFNAME, m, play_nolisten,                      \
			"The client, which says hello and wants to hear it" \
	}

const struct scene scene_table[] = {
	{"closed-port", "A SYN comes to a port that nobody listens on.", LAB_IFNAME, NULL,
	 play_closed_port, "The client's connect()"},
	{"raw-socket", "A program answers the SYN through a raw socket, and the kernel is faster.",
	 LAB_IFNAME, NULL, play_raw, "The client's connect()"},
	NOLISTEN_SCENE("engine", "nolisten holds the SYN in XDP, and its engine answers."),
	NOLISTEN_SCENE("xdp", "nolisten answers the SYN in XDP itself, with a cookie."),
	NOLISTEN_SCENE("nfqueue", "nolisten takes the SYN from a netfilter queue."),
	NOLISTEN_SCENE("filter", "nolisten answers, and nftables drops the kernel's RST."),
	NOLISTEN_SCENE("raw", "nolisten answers, and nothing keeps the kernel quiet."),
	NOLISTEN_SCENE("connect", "nolisten holds the SYN, and a kernel socket connects back."),
	{"self-connect", "A socket is bound to a port and connects to the same port.", "lo", NULL,
	 play_self, "The socket, which says hello to itself"},
	{"simultaneous", "Both ends call connect(), and their SYNs cross.", LAB_IFNAME, NULL,
	 play_meeting, "Both connect()s"},
	{0},
};
