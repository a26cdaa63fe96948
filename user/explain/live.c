/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The live story of an interface. */
#include "live.h"

#include <signal.h>
#include <string.h>

#include "log.h"
#include "loop.h"

#define LOOK_PERIOD_MS 250 /* for drawings and losses */

struct live {
	struct watch watch;
	struct loop *loop;
	bool is_ended;
	int err;
};

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

static int run(struct live *live, const char *ifname)
{
	int err = watch_events(live);

	if (err) {
		log_error("%s: cannot watch: %s", ifname, strerror(-err));
		return err;
	}
	tell_blind_spots(&live->watch, ifname);
	log_info("%s: watching handshakes; Ctrl-C ends", ifname);
	while (!live->is_ended && err >= 0 && !live->err)
		err = loop_wait(live->loop, -1);
	err = err < 0 ? err : live->err;
	if (err < 0)
		log_error("%s: cannot read the steps: %s", ifname, strerror(-err));
	return err < 0 ? err : 0;
}

int live_run(const char *ifname, const struct trace_options *options, enum watch_look look)
{
	struct trace_names *names = NULL;
	struct live live = {0};
	int err = trace_names_new(&names);

	if (!err)
		err = watch_open(&live.watch, options, look, names);
	if (!err) {
		err = run(&live, ifname);
		watch_close(&live.watch);
	}
	loop_free(live.loop);
	trace_names_free(names);
	return err;
}
