/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * changing_ports IFACE METHOD: a core of our own that answers port 34567 with an echo, from SIGUSR1 on 8080 and 8081
 * instead, from SIGUSR2 on both ranges. Says "ready", then "changed"; SIGTERM ends it.
 */
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "core.h"
#include "events.h"
#include "log.h"

static struct core *core;

static void take_signal(void *context, uint32_t signal)
{
	const char *text = signal == SIGUSR1 ? "8080-8081" : "34567,8080-8081", *why;
	struct port_set ports;

	(void)context;
	if (signal == SIGTERM) {
		core_stop(core);
		return;
	}
	port_set_parse(text, &ports, &why);
	puts(core_set_ports(core, &ports) ? "refused" : "changed");
	fflush(stdout);
}

static enum nol_method method_of(const char *name)
{
	enum nol_method method = NOL_METHOD_RAW;

	while (method != NOL_METHOD_NONE && strcmp(method_text(method), name))
		method--;
	return method;
}

int main(int argc, char **argv)
{
	static const int signals[] = {SIGUSR1, SIGUSR2, SIGTERM, 0};
	struct config config = {
		.service = "echo",
		.max_children = 1,
		.max_flows = 1024,
		.ring_size = 256 * 1024,
		.workers = 1,
	};
	struct loop_source *source = NULL;

	if (argc != 3)
		return 2;
	log_open("changing_ports", LOG_INFO);
	config.ifname = argv[1];
	config.method = method_of(argv[2]);
	port_set_add(&config.ports, 34567);
	if (core_open(&core, &config))
		return 1;
	if (!loop_add_signals(core_loop(core), signals, take_signal, NULL, &source) &&
	    !core_attach(core)) {
		puts("ready");
		fflush(stdout);
		core_run(core);
	}
	loop_remove(source);
	core_close(core);
	return 0;
}
