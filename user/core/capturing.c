/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The programs' copies have what user space cannot know; everything else is copied where it is taken from a wire or sent. */
#include "capturing.h"

#include "captured_wire.h"
#include "rehearsal.h"

/* Whose packets are held, sent and replayed is for user space to say; what is passed on as well is the programs' alone. */
#define OF_PROGRAMS                                                                      \
	(NOL_CAPTURE_BIT(ANSWERED) | NOL_CAPTURE_BIT(SENT) | NOL_CAPTURE_BIT(ACCEPTED) | \
	 NOL_CAPTURE_BIT(DROPPED) | NOL_CAPTURE_BIT(PASSED))

uint32_t capturing_wants(const struct config *config)
{
	if (!config->capture.path)
		return 0;
	return (config->capture.what ?: CAPTURE_WHAT) & OF_PROGRAMS;
}

/* Who answers, of a packet that the programs have. */
static enum nol_method method_of(const struct nol_capture *capture)
{
	switch (capture->reason) {
	case NOL_CAPTURE_REASON(back_syn_ack):
	case NOL_CAPTURE_REASON(back_first_ack):
	case NOL_CAPTURE_REASON(back_odd):
		return NOL_METHOD_CONNECT;
	default:
		return NOL_METHOD_XDP;
	}
}

struct take {
	const struct method *method;
	struct capture *capture;
};

static void add_copy(void *context, const struct nol_capture *copy, const uint8_t *frame)
{
	const struct take *take = context;
	const struct captured packet = {
		.taken_ns = copy->taken_ns,
		.verdict = copy->verdict,
		.reason = copy->reason,
		.method = method_accepts(take->method->config->method) ? NOL_METHOD_ACCEPT
								       : method_of(copy),
		.is_outgoing = copy->is_outgoing,
		.is_l3 = copy->is_l3,
		.frame = frame,
		.snap_len = copy->snap_len,
		.frame_len = copy->frame_len,
	};

	if (copy->verdict < NOL_CAPTURE_VERDICTS)
		capture_add(take->capture, &packet);
}

static int take_copies(void *context, struct capture *capture, uint32_t max)
{
	const struct method *method = context;
	struct take take = {method, capture};

	return kern_capture_take(method->kern, max, add_copy, &take);
}

static uint64_t count_lost(void *context)
{
	const struct method *method = context;
	struct nol_stats stats;

	return kern_stats_read(method->kern, &stats) ? 0 : stats.capture_lost;
}

int capturing_open(struct capture **out, const struct method *method)
{
	const struct capture_options options = {
		.config = &method->config->capture,
		.ifname = method->config->ifname,
		.keeps_capabilities = method->config->privileges.keeps_all,
		.is_ethernet = method->kern && method->link->has_link_header,
		.community_id_seed = method->config->events.community_id_seed,
		.source = {.fd = method->kern ? kern_capture_fd(method->kern) : -1,
			   .take = take_copies,
			   .lost = count_lost,
			   .context = (void *)method},
	};

	int err;

	if (!options.config->path)
		return 0;
	if (method->config->is_rehearsal)
		return rehearsal_capture(options.config->path);
	run_as_files_begin(&method->config->privileges.user);
	err = capture_new(out, &options);
	run_as_files_end(&method->config->privileges.user);
	return err;
}

int capturing_wrap(struct wire **wire, struct capture *capture, const struct method *method)
{
	if (!capture || method_accepts(method->config->method))
		return 0;
	return captured_wire_new(wire, *wire, capture, method->flows->method);
}
