/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Records in, accounts out. A socket's own RST waits for its reason, which the kernel tells when it has sent it: that is
 * the next record, or none.
 */
#include "reset_watch.h"

#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "log.h"
#include "loop.h"
#include "netlink.h"
#include "reset_print.h"
#include "resets.h"

#define LOOK_PERIOD_MS 250
#define LOOKS_OF_PATIENCE 2 /* for a reason */

struct reset_watch {
	struct resets *resets;
	struct reset_witness witness;
	struct loop *loop;
	struct nol_reset waiting; /* kind NONE: none is */
	unsigned int looks; /* since it waits */
	bool is_json, is_ended;
	uint32_t left, stopped;
	uint64_t lost; /* told so far */
	int err;
};

static void tell(struct reset_watch *watch, const struct nol_reset *reset)
{
	struct reset_account account;

	reset_account_make(&watch->witness, reset, &account);
	if (account.has_left)
		watch->left++;
	else
		watch->stopped++;
	if (watch->is_json)
		reset_print_json(stdout, &account, watch->witness.ifname);
	else
		reset_print_text(stdout, &account, watch->left + watch->stopped);
}

static void tell_waiting(struct reset_watch *watch)
{
	if (watch->waiting.rst.kind != NOL_STEP_NONE)
		tell(watch, &watch->waiting);
	watch->waiting.rst.kind = NOL_STEP_NONE;
}

static void take_reason(struct reset_watch *watch, const struct nol_reset *reason)
{
	struct nol_reset *waiting = &watch->waiting;

	if (waiting->rst.kind == NOL_STEP_NONE || waiting->rst.sk != reason->rst.sk)
		return;
	waiting->why = reason->why;
	waiting->has_why = true;
	waiting->pid = reason->pid;
	memcpy(waiting->comm, reason->comm, sizeof(waiting->comm));
	tell_waiting(watch);
}

static void take_record(void *context, const struct nol_reset *reset)
{
	struct reset_watch *watch = context;

	if (reset->rst.kind == NOL_STEP_RESET_SENT) {
		take_reason(watch, reset);
		return;
	}
	tell_waiting(watch);
	if (!reset_is_of_socket(reset)) {
		tell(watch, reset);
		return;
	}
	watch->waiting = *reset;
	watch->looks = 0;
}

static void tell_lost(struct reset_watch *watch)
{
	struct nol_trace_counters counters;

	resets_counters_read(watch->resets, &counters);
	if (counters.lost == watch->lost)
		return;
	log_warning("not told so far: %llu RSTs (the ring was full)",
		    (unsigned long long)counters.lost);
	watch->lost = counters.lost;
}

static void take_records(void *context, uint32_t events)
{
	struct reset_watch *watch = context;
	int count = resets_consume(watch->resets, take_record, watch);

	(void)events;
	if (count < 0)
		watch->err = count;
	fflush(stdout);
}

static void look(void *context, uint32_t events)
{
	struct reset_watch *watch = context;

	take_records(watch, events);
	if (++watch->looks >= LOOKS_OF_PATIENCE)
		tell_waiting(watch);
	tell_lost(watch);
	fflush(stdout);
}

static void end(void *context, uint32_t events)
{
	(void)events;
	((struct reset_watch *)context)->is_ended = true;
}

static int watch_events(struct reset_watch *watch)
{
	static const int signals[] = {SIGINT, SIGTERM, 0};
	int err = loop_new(&watch->loop);

	if (!err)
		err = loop_add_signals(watch->loop, signals, end, watch, NULL);
	if (!err)
		err = loop_add(watch->loop, resets_fd(watch->resets), EPOLLIN, take_records, watch,
			       NULL);
	if (!err)
		err = loop_add_timer(watch->loop, LOOK_PERIOD_MS, look, watch, NULL);
	return err;
}

static int run(struct reset_watch *watch)
{
	const char *ifname = watch->witness.ifname;
	int err = watch_events(watch);

	if (err) {
		log_error("%s: cannot watch: %s", ifname, strerror(-err));
		return err;
	}
	log_info("%s: watching RSTs; Ctrl-C ends", ifname);
	while (!watch->is_ended && err >= 0 && !watch->err)
		err = loop_wait(watch->loop, -1);
	err = err < 0 ? err : watch->err;
	if (err < 0) {
		log_error("%s: cannot read the records: %s", ifname, strerror(-err));
		return err;
	}
	look(watch, 0);
	tell_waiting(watch);
	log_info("%s: %u RSTs left, %u were stopped", ifname, watch->left, watch->stopped);
	return 0;
}

int reset_watch_run(const char *ifname, const struct trace_options *options, bool is_json)
{
	struct reset_watch watch = {.witness.ifname = ifname, .is_json = is_json};
	int err = trace_names_new(&watch.witness.names);

	watch.witness.conntrack_fd = netlink_open(NETLINK_NETFILTER, 0, 0);
	if (!err)
		err = resets_open(&watch.resets, options);
	if (!err) {
		watch.witness.has_reasons = resets_has_reasons(watch.resets);
		err = run(&watch);
	}
	fflush(stdout);
	resets_close(watch.resets);
	loop_free(watch.loop);
	if (watch.witness.conntrack_fd >= 0)
		close(watch.witness.conntrack_fd);
	trace_names_free(watch.witness.names);
	return err;
}
