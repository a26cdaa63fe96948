/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Between two loaders the programs are alone. The one that leaves finishes the handshakes that it has in hand; the one that comes
 * gives what has waited in the rings to its own programs. With method accept the kernel makes the sockets, so it goes back into the stack.
 */
#include "keeping.h"

#include <inttypes.h>
#include <string.h>

#include "clock.h"
#include "log.h"
#include "replay.h"

#define BATCH 64 /* frames; the rings of the workers take as many at once */
#define LET_GO_NS CLOCK_NS_PER_S

struct taking {
	struct kern *kern;
	struct replay *replay;
	bool accepts; /* the kernel makes the sockets: all goes to the stack */
	uint64_t lost;
};

static void take_frame(void *context, const uint8_t *frame, uint32_t len, uint32_t l3_offset)
{
	struct taking *taking = context;
	const struct held_packet packet = {
		.frame = frame,
		.frame_len = len,
		.l3_offset = l3_offset,
		.is_whole = true,
	};
	struct kern_rerun rerun = {.is_passed = taking->accepts};
	int err = 0;

	if (!taking->accepts)
		err = kern_rerun(taking->kern, frame, len, &rerun);
	/* Of a flow that was handed off meanwhile. */
	if (rerun.is_passed)
		err = replay_packet(taking->replay, &packet);
	/* A SYN that the last loader was to answer itself. */
	else if (rerun.answer_len)
		err = replay_answer(taking->replay, rerun.answer, rerun.answer_len);
	if (!err)
		return;
	if (!taking->lost++)
		log_debug("a segment that has waited: %s", strerror(-err));
}

/* How many there were. */
static uint64_t take_all(struct taking *taking, struct workers *workers)
{
	uint64_t sum = 0;
	int count;

	while ((count = kern_kept_take(taking->kern, BATCH, take_frame, taking)) > 0) {
		sum += (uint64_t)count;
		workers_drain(workers);
	}
	if (count < 0)
		log_warning("cannot read what has waited for us: %s", strerror(-count));
	return sum;
}

static int open_replay(struct taking *taking, const struct method *method)
{
	const struct replay_options options = {
		.ifindex = method->link->ifindex,
		.has_link_header = method->link->has_link_header,
		.is_loopback = method->link->is_loopback,
		.mtu = method->link->mtu,
		.tag = kern_config(method->kern)->replay_tag,
	};

	return replay_new(&taking->replay, &options);
}

void keeping_take_over(const struct method *method, struct workers *workers)
{
	const char *ifname = method->config->ifname;
	struct taking taking = {
		.kern = method->kern,
		.accepts = method_accepts(method->config->method),
	};
	uint64_t count = 0;

	if (!method->kern || !kern_is_takeover(method->kern))
		return;
	if (open_replay(&taking, method)) {
		log_warning("%s: what has waited for us is lost", ifname);
	} else {
		count = take_all(&taking, workers);
		/* The last loader's programs may have been running when ours came. */
		kern_await_programs();
		count += take_all(&taking, workers);
	}
	kern_settle(method->kern);
	replay_free(taking.replay);
	log_info("%s: took over from the last loader, %" PRIu64 " segments had waited", ifname,
		 count);
	if (taking.lost)
		log_warning("%s: %" PRIu64 " of them are lost", ifname, taking.lost);
}

bool keeping_is_on(const struct method *method)
{
	return method->kern && kern_is_kept(method->kern);
}

void keeping_let_go(const struct method *method, struct workers *workers)
{
	kern_leave_begin(method->kern);
	workers_let_go(workers, clock_monotonic_ns() + LET_GO_NS);
}

int keeping_check(const struct method *method)
{
	return method->kern ? kern_check(method->kern) : 0;
}

void keeping_fail(const struct method *method)
{
	if (method->kern && !kern_has_adopted(method->kern))
		kern_forget_kept(method->kern);
}

void keeping_end(const struct method *method)
{
	if (method->kern)
		kern_forget_kept(method->kern);
}
