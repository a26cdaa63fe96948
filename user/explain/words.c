/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Names of flags and states as people say them. */
#include "words.h"

#include <netinet/tcp.h>
#include <stdio.h>
#include <string.h>

#include "segment.h"
#include "story.h"

#define STATE_NEW_SYN_RECV 12 /* the kernel's own, not in <netinet/tcp.h> */

static const char *const state_names[] = {
	[TCP_ESTABLISHED] = "ESTABLISHED",
	[TCP_SYN_SENT] = "SYN_SENT",
	[TCP_SYN_RECV] = "SYN_RECV",
	[TCP_FIN_WAIT1] = "FIN_WAIT1",
	[TCP_FIN_WAIT2] = "FIN_WAIT2",
	[TCP_TIME_WAIT] = "TIME_WAIT",
	[TCP_CLOSE] = "CLOSE",
	[TCP_CLOSE_WAIT] = "CLOSE_WAIT",
	[TCP_LAST_ACK] = "LAST_ACK",
	[TCP_LISTEN] = "LISTEN",
	[TCP_CLOSING] = "CLOSING",
	[STATE_NEW_SYN_RECV] = "NEW_SYN_RECV",
};

static const char *const flow_state_names[] = {
	[NOL_FLOW_NONE] = "NONE",
	[NOL_FLOW_SYN_SENT] = "SYN_SENT",
	[NOL_FLOW_SYN_RECEIVED] = "SYN_RECEIVED",
	[NOL_FLOW_HANDED_OFF] = "HANDED_OFF",
	[NOL_FLOW_CLOSED] = "CLOSED",
	[NOL_FLOW_SHUT] = "SHUT",
	[NOL_FLOW_SHUT_FIN] = "SHUT_FIN",
	[NOL_FLOW_GONE] = "GONE",
};

const char *story_state_name(uint8_t state)
{
	const size_t count = sizeof(state_names) / sizeof(state_names[0]);

	return state < count && state_names[state] ? state_names[state] : "?";
}

const char *story_flow_state_name(enum nol_flow_state state)
{
	const size_t count = sizeof(flow_state_names) / sizeof(flow_state_names[0]);

	return state < count ? flow_state_names[state] : "?";
}

/* PSH, URG and ECN say nothing about a handshake. */
void words_flags(uint8_t flags, char out[WORDS_SIZE])
{
	const char *name = flags & TCP_SYN   ? "SYN"
			   : flags & TCP_RST ? "RST"
			   : flags & TCP_FIN ? "FIN"
					     : NULL;

	if (!name)
		snprintf(out, WORDS_SIZE, "%s", flags & TCP_ACK ? "ACK" : "segment without flags");
	else
		snprintf(out, WORDS_SIZE, "%s%s%s", name,
			 flags & TCP_SYN && flags & (TCP_RST | TCP_FIN) ? "+odd" : "",
			 flags & TCP_ACK ? "-ACK" : "");
}

static void join_packet(const struct nol_step *step, const char *window, char out[WORDS_SIZE])
{
	char flags[WORDS_SIZE], ack[24] = "", len[24] = "";

	words_flags(step->flags, flags);
	if (step->flags & TCP_ACK)
		snprintf(ack, sizeof(ack), " ack %u", step->ack);
	if (step->payload_len)
		snprintf(len, sizeof(len), " len %u", step->payload_len);
	snprintf(out, WORDS_SIZE, "%.40s seq %u%s%s%s", flags, step->seq, ack, window, len);
}

void words_packet(const struct nol_step *step, char out[WORDS_SIZE])
{
	char window[16];

	snprintf(window, sizeof(window), " win %u", step->window);
	join_packet(step, window, out);
}

void words_label(const struct nol_step *step, char out[WORDS_SIZE])
{
	join_packet(step, "", out);
}

void words_end(const __u8 addr[16], uint16_t port, char out[ENDPOINT_TEXT_SIZE])
{
	struct endpoint endpoint = {.port = port};

	memcpy(endpoint.addr.bytes, addr, sizeof(endpoint.addr.bytes));
	endpoint_format(&endpoint, out);
}

bool words_is_repair(const struct nol_step *step)
{
	return step->old_state == TCP_SYN_SENT && step->new_state == TCP_ESTABLISHED;
}

bool words_is_hidden(const struct nol_step *step, const char *reason)
{
	static const char *const quiet[] = {"QUEUE_PURGE", "SKB_CONSUMED", "NOT_DROPPED_YET", NULL};

	if (step->kind == NOL_STEP_STATE &&
	    (step->new_state == TCP_LISTEN || step->new_state == step->old_state))
		return true;
	for (size_t i = 0; quiet[i]; i++)
		if (step->kind == NOL_STEP_DROP && strcmp(reason, quiet[i]) == 0)
			return true;
	return false;
}
