/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* A tap that hears nothing yet, and raw sockets to send and to replay by. */
#include <linux/types.h>
#include <string.h>

#include <abi/abi.h>

#include "log.h"
#include "opening.h"

#define REPLAY_MTU 1500 /* of what comes too early, which is cut to this */

static int bind_sender(const struct opening_wire *wire)
{
	int err = raw_send_bind(wire->sender, wire->ifindex);

	if (err)
		log_error("cannot bind a raw socket to the interface: %s", strerror(-err));
	return err;
}

int opening_wire_open(struct opening_wire *wire, const struct opener_config *config)
{
	static const struct port_set none;
	const struct tap_options tap = {.ifindex = config->ifindex, .ports = &none};
	int err = tap_new(&wire->tap, &tap);

	wire->ifindex = config->ifindex;
	if (!err) {
		tap_stop(wire->tap);
		err = tap_start(wire->tap);
	}
	if (!err)
		err = raw_send_new(&wire->sender, config->scope_id, NOL_MARK);
	if (!err && config->ifindex)
		err = bind_sender(wire);
	if (!err)
		err = raw_replay_new(&wire->replay, config->scope_id, REPLAY_MTU);
	return err;
}

void opening_wire_close(struct opening_wire *wire)
{
	tap_free(wire->tap);
	raw_send_free(wire->sender);
	raw_replay_free(wire->replay);
}
