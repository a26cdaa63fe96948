/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What a core is made of: for core.c, which makes and ends it, and core_seen.c, which tells of it. */
#ifndef NOLISTEN_CORE_PRIVATE_H
#define NOLISTEN_CORE_PRIVATE_H

#include "alerts.h"
#include "config.h"
#include "core.h"
#include "link_watch.h"
#include "method.h"
#include "rates.h"
#include "standby.h"

struct core {
	struct config config;
	struct config asked; /* the same, as it was asked for */
	struct port_set known_ports; /* that are or were answered: connections may outlast that */
	struct link_info link;
	struct loop *loop;
	struct method method;
	struct lease_guard *guard; /* NULL: none was asked for */
	struct answered *answered;
	struct link_watch *watch;
	struct cookies *cookies; /* NULL: the method has none */
	struct host_watch *host;
	struct engine_config engine; /* as the sessions began with it */
	struct nol_limit resets; /* of all workers, where there is no kern */
	struct events *events;
	struct closing *closing;
	struct service_process *process; /* that has the service; NULL: this one */
	struct workers *workers;
	struct control_server *control;
	struct metrics_server *metrics; /* NULL: nobody collects them */
	struct applications *applications; /* NULL: the service has none */
	struct loop_source *beat, *watch_source;
	struct alerts alerts;
	struct rates rates;
	struct standby standby;
	uint64_t started_ns;
	struct confined *confined; /* NULL: not yet, or it keeps all */
	bool has_left; /* detached, waits for the last connection */
	int err; /* why it cannot go on */
};

#endif
