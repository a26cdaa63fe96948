/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* nolisten explain: options, and the live story of an interface. */
#include <errno.h>
#include <getopt.h>
#include <net/if.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "commands.h"
#include "explain_demo.h"
#include "explain_watch.h"
#include "log.h"
#include "loop.h"
#include "numbers.h"

#define LOOK_PERIOD_MS 250 /* for drawings and losses */

struct explain_options {
	const char *ifname;
	struct trace_options trace;
	struct addr remote;
	enum watch_look look;
	bool is_help;
	bool is_demo;
	const char *scene; /* of the demo; NULL: all */
};

struct live {
	struct watch watch;
	struct loop *loop;
	bool is_ended;
	int err;
};

static const struct option long_options[] = {
	{"port", required_argument, NULL, 'p'},
	{"remote", required_argument, NULL, 'r'},
	{"json", no_argument, NULL, 'j'},
	{"draw", no_argument, NULL, 'd'},
	{"demo", optional_argument, NULL, 'D'},
	{"help", no_argument, NULL, 'h'},
	{0},
};

static int take_port(struct explain_options *options, const char *text)
{
	uint64_t port;

	if (!number_parse(text, 1, 65535, &port)) {
		log_error("--port=%s: a port is a number from 1 to 65535", text);
		return -EINVAL;
	}
	options->trace.port = (uint16_t)port;
	return 0;
}

static int take_remote(struct explain_options *options, const char *text)
{
	if (!addr_parse(text, &options->remote)) {
		log_error("--remote=%s: not an address", text);
		return -EINVAL;
	}
	options->trace.remote = &options->remote;
	return 0;
}

static int take_look(struct explain_options *options, enum watch_look look)
{
	if (options->look != WATCH_TEXT && options->look != look) {
		log_error("explain: -j and --draw exclude each other");
		return -EINVAL;
	}
	options->look = look;
	return 0;
}

static int take_demo(struct explain_options *options, const char *scene)
{
	options->is_demo = true;
	options->scene = scene;
	if (!scene || explain_demo_has(scene))
		return 0;
	log_error("--demo=%s: no such scene (nolisten explain --demo plays all)", scene);
	return -EINVAL;
}

static int take_option(struct explain_options *options, int key, char **argv)
{
	switch (key) {
	case 'p':
		return take_port(options, optarg);
	case 'r':
		return take_remote(options, optarg);
	case 'j':
		return take_look(options, WATCH_JSON);
	case 'd':
		return take_look(options, WATCH_DRAWING);
	case 'D':
		return take_demo(options, optarg);
	case 'h':
		options->is_help = true;
		return 0;
	case ':':
		log_error("explain: %s: needs an argument", argv[optind - 1]);
		return -EINVAL;
	default:
		log_error("explain: %s: no such option", argv[optind - 1]);
		return -EINVAL;
	}
}

/* The interface, which the demo has no use for. */
static int take_ifname(struct explain_options *options, int argc, char **argv)
{
	const int expected = options->is_demo ? 0 : 1;

	if (argc - optind != expected) {
		log_error("usage: nolisten explain IFACE [--port N] [--remote ADDR] [-j | --draw], "
			  "or nolisten explain --demo[=SCENE] [-j | --draw]");
		return -EINVAL;
	}
	if (options->is_demo)
		return 0;
	options->ifname = argv[optind];
	options->trace.ifindex = if_nametoindex(options->ifname);
	if (options->trace.ifindex)
		return 0;
	log_error("%s: no such interface", options->ifname);
	return -ENODEV;
}

static int parse(struct explain_options *options, int argc, char **argv)
{
	int key, err = 0;

	memset(options, 0, sizeof(*options));
	optind = 1;
	opterr = 0;
	while (!err && (key = getopt_long(argc, argv, ":p:r:jh", long_options, NULL)) != -1)
		err = take_option(options, key, argv);
	return err || options->is_help ? err : take_ifname(options, argc, argv);
}

static void take_steps(void *context, uint32_t events)
{
	struct live *live = context;

	(void)events;
	live->err = watch_take(&live->watch);
}

static void end(void *context, uint32_t events)
{
	struct live *live = context;

	(void)events;
	live->is_ended = true;
}

/* What is not seen here, said before it is missed. */
static void tell_blind_spots(const struct watch *watch, const char *ifname)
{
	static const char *const texts[] = {
		[TRACE_XDP_GENERIC] = "what its XDP program sends back itself is not seen",
		[TRACE_XDP_NATIVE] = "what its native XDP program drops, holds or sends back is "
				     "not seen (generic mode would be)",
	};

	if (texts[trace_xdp(watch->trace)])
		log_info("%s: %s", ifname, texts[trace_xdp(watch->trace)]);
	if (trace_has_loader(watch->trace))
		log_info("%s: nolisten-loader runs here, its decisions are told too", ifname);
}

static int watch_events(struct live *live)
{
	static const int signals[] = {SIGINT, SIGTERM, 0};
	int err = loop_new(&live->loop);

	if (!err)
		err = loop_add_signals(live->loop, signals, end, live, NULL);
	if (!err)
		err = loop_add(live->loop, trace_fd(live->watch.trace), EPOLLIN, take_steps, live,
			       NULL);
	if (!err)
		err = loop_add_timer(live->loop, LOOK_PERIOD_MS, take_steps, live, NULL);
	return err;
}

static int run(struct live *live, const struct explain_options *options)
{
	int err = watch_events(live);

	if (err) {
		log_error("%s: cannot watch: %s", options->ifname, strerror(-err));
		return err;
	}
	tell_blind_spots(&live->watch, options->ifname);
	log_info("%s: watching handshakes; Ctrl-C ends", options->ifname);
	while (!live->is_ended && err >= 0 && !live->err)
		err = loop_wait(live->loop, -1);
	err = err < 0 ? err : live->err;
	if (err < 0)
		log_error("%s: cannot read the steps: %s", options->ifname, strerror(-err));
	return err < 0 ? err : 0;
}

static int explain_live(const struct explain_options *options)
{
	struct trace_names *names = NULL;
	struct live live = {0};
	int err = trace_names_new(&names);

	if (!err)
		err = watch_open(&live.watch, &options->trace, options->look, names);
	if (!err) {
		err = run(&live, options);
		watch_close(&live.watch);
	}
	loop_free(live.loop);
	trace_names_free(names);
	return err;
}

static int print_help(void)
{
	printf("Usage: nolisten explain IFACE [--port N] [--remote ADDR] [-j | --draw]\n"
	       "       nolisten explain --demo[=SCENE] [-j | --draw]\n"
	       "What the kernel did with each TCP handshake packet on IFACE, and why.\n\n"
	       "  -p, --port=N           only connections with this port, on either end\n"
	       "  -r, --remote=ADDR      only connections with this remote address\n"
	       "  -j, --json             one JSON object a step\n"
	       "      --draw             a drawing of each connection, once it is quiet\n"
	       "      --demo[=SCENE]     play the classic cases in namespaces of its own, and tell:\n"
	       "                         closed-port, raw-socket, each method of nolisten-loader\n"
	       "                         (engine, xdp, nfqueue, filter, raw, connect),\n"
	       "                         self-connect, simultaneous\n"
	       "  -h, --help             print this help\n");
	return STATUS_DONE;
}

int explain_main(int argc, char **argv)
{
	struct explain_options options;
	int err = parse(&options, argc, argv);

	if (err)
		return err == -EINVAL ? STATUS_USAGE : STATUS_FAILED;
	if (options.is_help)
		return print_help();
	err = options.is_demo ? explain_demo(options.look, options.scene) : explain_live(&options);
	return err ? STATUS_FAILED : STATUS_DONE;
}
