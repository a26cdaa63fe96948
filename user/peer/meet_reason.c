/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What the guard has seen is what the peer did. */
#include "meet_reason.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "clock.h"
#include "log.h"

#define REASON_SIZE 160

bool meet_has_crossed(const struct meet_result *result)
{
	return result->seen.syn && result->seen.syn_ack_crossed;
}

static const char *how(const struct meet_result *result)
{
	if (meet_has_crossed(result))
		return "both SYNs crossed";
	if (result->seen.syn)
		return "its SYN found our socket waiting";
	return "it answered our SYN: its socket was waiting, or listens";
}

void meet_tell_success(const struct meet_options *options, const struct meet_result *result)
{
	char local[ENDPOINT_TEXT_SIZE], remote[ENDPOINT_TEXT_SIZE];

	endpoint_format(&options->tuple.local, local);
	endpoint_format(&options->tuple.remote, remote);
	log_info("%s met %s after %.3f s: %s", local, remote,
		 (double)result->elapsed_ns / CLOCK_NS_PER_S, how(result));
	if (options->is_crossed && !meet_has_crossed(result))
		log_warning(
			"meet: the SYNs did not cross: the peer's came before ours was out, or a filter dropped one");
}

/* Nobody answered in time: what was seen instead? */
static void explain_silence(const struct meet_result *result, char reason[REASON_SIZE])
{
	const struct nol_meet_seen *seen = &result->seen;

	if (result->last_err == -EHOSTUNREACH || result->last_err == -EHOSTDOWN)
		snprintf(reason, REASON_SIZE,
			 "no route to host: nobody has the address, or a router says so");
	else if (seen->syn || seen->syn_ack)
		snprintf(
			reason, REASON_SIZE,
			"its SYN came, but the handshake did not end: does a packet filter drop SYN-ACKs?");
	else if (seen->rst_in)
		snprintf(reason, REASON_SIZE, "refused: nobody connects from there (RSTs: %u)",
			 seen->rst_in);
	else if (result->last_err == -ECONNREFUSED)
		snprintf(reason, REASON_SIZE, "refused by a packet filter (ICMP)");
	else
		snprintf(reason, REASON_SIZE,
			 "no answer at all: is the host up, does a packet filter drop it?");
}

static const char *text_of(int err)
{
	switch (err) {
	case -EINTR:
		return "interrupted";
	case -EADDRNOTAVAIL:
		return "these two ends are connected already (see ss -tanp)";
	case -ENETUNREACH:
		return "no route";
	case -EACCES:
	case -EPERM:
		return "not permitted: a packet filter or route of this host forbids it";
	}
	return strerror(-err);
}

void meet_tell_failure(const struct meet_options *options, const struct meet_result *result,
		       int err)
{
	char local[ENDPOINT_TEXT_SIZE], remote[ENDPOINT_TEXT_SIZE], reason[REASON_SIZE];

	if (err == -EALREADY)
		return;
	endpoint_format(&options->tuple.local, local);
	endpoint_format(&options->tuple.remote, remote);
	if (err != -ETIMEDOUT) {
		log_error("%s did not meet %s: %s", local, remote, text_of(err));
		return;
	}
	explain_silence(result, reason);
	log_error("%s did not meet %s within %" PRIu64 " s: %s", local, remote, options->timeout_s,
		  reason);
}
