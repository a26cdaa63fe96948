/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The story of a conversation. A tracepoint says what happened; where it only follows from one (a lookup that found
 * nothing has no tracepoint, but the RST has a reason), the line says that it is inferred.
 */
#include "story.h"

#include <netinet/tcp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "segment.h"
#include "words.h"

struct teller {
	struct story *story;
	struct conversation *conversation;
	const struct nol_step *step;
	char reason[TRACE_NAME_SIZE], function[TRACE_NAME_SIZE];
};

static void tell_line(const struct teller *teller, const struct story_line *line)
{
	struct story_line whole = *line;

	whole.conversation = teller->conversation;
	whole.step = teller->step;
	whole.reason = teller->reason[0] ? teller->reason : NULL;
	whole.function = teller->function[0] ? teller->function : NULL;
	teller->story->tell(teller->story->context, &whole);
}

static void tell_packet(const struct teller *teller, enum story_side side, const char *who)
{
	char packet[WORDS_SIZE];

	words_packet(teller->step, packet);
	tell_line(teller, &(struct story_line){.side = side, .packet = packet, .text = who});
}

__attribute__((format(printf, 3, 4))) static void
tell_here(const struct teller *teller, bool is_inferred, const char *format, ...)
{
	char text[WORDS_SIZE];
	va_list args;

	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	tell_line(teller, &(struct story_line){
				  .side = STORY_HERE, .is_inferred = is_inferred, .text = text});
}

/* Generic XDP has no drop reason of its own everywhere; the function tells it apart. */
static bool is_xdp_drop(const struct teller *teller)
{
	return strstr(teller->function, "xdp") || strcmp(teller->reason, "XDP") == 0;
}

/* XDP_TX has no tracepoint. But only for a cookie does XDP make a flow, and hold the packet in the same moment. */
static void tell_cookie(const struct teller *teller)
{
	if (teller->step->kind == NOL_STEP_DROP && !(teller->step->flags & TCP_SYN) &&
	    is_xdp_drop(teller))
		tell_here(teller, true,
			  "it brings back a cookie: nolisten's XDP has sent a SYN-ACK, unseen");
}

/* nolisten's decision is in its flow table, of which each step has a look. */
static void tell_flow(const struct teller *teller)
{
	struct conversation *conversation = teller->conversation;
	const enum nol_flow_state state = teller->step->flow_state;

	if (!teller->story->has_loader || state == conversation->flow_state)
		return;
	if (conversation->flow_state == NOL_FLOW_NONE) {
		tell_cookie(teller);
		tell_here(teller, false, "nolisten: a new flow, %s", story_flow_state_name(state));
	} else if (state == NOL_FLOW_NONE) {
		tell_here(teller, false, "nolisten: the flow is forgotten");
	} else {
		tell_here(teller, false, "nolisten: the flow is %s", story_flow_state_name(state));
	}
	conversation->flow_state = state;
}

static bool is_syn_ack(const struct nol_step *step)
{
	return (step->flags & (TCP_SYN | TCP_ACK)) == (TCP_SYN | TCP_ACK);
}

static void tell_in(const struct teller *teller)
{
	/* Made by user space: nothing is left for XDP to turn. */
	if (is_syn_ack(teller->step))
		teller->conversation->is_turned = false;
	tell_packet(teller, STORY_IN, teller->step->is_replayed ? "put back by nolisten" : "");
}

static const char *find_sender(const struct teller *teller)
{
	const struct nol_step *step = teller->step;

	if (step->mark == NOL_MARK)
		return "by nolisten";
	if (teller->conversation->has_kernel_reset && (step->flags & TCP_RST))
		return "by the kernel";
	/* What no socket sends and no other host, over IPv6. */
	if (step->socket == NOL_SOCKET_KERNEL ||
	    (step->socket == NOL_SOCKET_NONE && (step->flags & TCP_RST)))
		return "by the kernel";
	if (step->socket == NOL_SOCKET_FORWARDED)
		return "forwarded";
	if (step->socket == NOL_SOCKET_RAW)
		return "by a raw socket";
	if (step->socket == NOL_SOCKET_PACKET)
		return "by a packet socket";
	return "";
}

/* A socket's own SYN-ACK on a flow that is not handed off: it has connected back, and egress has rewritten its SYN. */
static void tell_turned_syn(const struct teller *teller)
{
	struct conversation *conversation = teller->conversation;
	const struct nol_step *step = teller->step;

	if (!is_syn_ack(step) || step->socket != NOL_SOCKET_TCP ||
	    conversation->flow_state != NOL_FLOW_SYN_RECEIVED)
		return;
	tell_here(teller, true, "nolisten at TC egress: the socket's SYN becomes a SYN-ACK");
	conversation->is_turned = true;
}

static void tell_out(const struct teller *teller)
{
	const struct nol_step *step = teller->step;
	const char *sender = find_sender(teller);

	tell_turned_syn(teller);
	if (is_syn_ack(step) && step->socket == NOL_SOCKET_REQUEST)
		tell_here(teller, true, "a listener has the port: a half-open connection");
	if (is_syn_ack(step) && step->socket == NOL_SOCKET_NONE && !step->mark)
		tell_here(teller, true, "a listener answers with a SYN cookie");
	tell_packet(teller, STORY_OUT, sender);
	if (is_syn_ack(step))
		teller->conversation->has_syn_ack = true;
	if (step->flags & TCP_RST)
		teller->conversation->has_kernel_reset = false;
	if (step->flags & TCP_SYN && step->socket == NOL_SOCKET_TCP)
		teller->conversation->has_syn = true;
}

static void tell_copy(const struct teller *teller)
{
	tell_here(teller, false,
		  teller->step->socket == NOL_SOCKET_PACKET
			  ? "a packet socket (a tap) gets a copy"
			  : "a raw socket gets a copy; the packet goes on");
}

static void tell_reset_sent(const struct teller *teller)
{
	const struct nol_step *step = teller->step;
	char local[ENDPOINT_TEXT_SIZE];

	/* A socket's own RST is told once it is out. */
	if (!step->skb)
		return tell_here(teller, false, "the socket has sent that RST: %s", teller->reason);
	words_end(step->key.local_addr, step->key.local_port, local);
	if (!step->sk && strcmp(teller->reason, "NO_SOCKET") == 0) {
		tell_here(teller, true, "no established socket has this 4-tuple");
		tell_here(teller, true, "no socket listens on %s", local);
	}
	tell_here(teller, false, "the kernel answers with a RST: %s", teller->reason);
	teller->conversation->has_kernel_reset = true;
}

/* A listener's child without a SYN-ACK before it: somebody else has answered, with a cookie that the kernel was told to take. */
static void tell_child(const struct teller *teller)
{
	const struct nol_step *step = teller->step;

	if (step->old_state != TCP_LISTEN || step->new_state != TCP_SYN_RECV ||
	    teller->conversation->has_syn_ack)
		return;
	tell_here(teller, true, "it brings back a cookie: XDP has sent a SYN-ACK, unseen");
	tell_here(teller, true,
		  "the kernel makes a socket of it, for a listener that need not be here");
}

static void tell_state(const struct teller *teller)
{
	const struct nol_step *step = teller->step;

	if (teller->conversation->is_turned && words_is_repair(step))
		tell_here(teller, true,
			  "nolisten in XDP: the ACK becomes a SYN-ACK for the socket");
	tell_child(teller);
	tell_here(teller, false, "socket %s -> %s", story_state_name(step->old_state),
		  story_state_name(step->new_state));
	if (!teller->conversation->has_syn && words_is_repair(step))
		tell_here(teller, true, "it sent no SYN: TCP_REPAIR made this socket");
}

/* The verdict of a queue's reader is carried out by functions of nfnetlink_queue. */
static bool is_queue_drop(const struct teller *teller)
{
	return strstr(teller->function, "nfqnl") || strcmp(teller->function, "nf_reinject") == 0;
}

static const char *find_drop_aside(const struct teller *teller)
{
	const struct nol_step *step = teller->step;

	return is_syn_ack(step) && step->is_inbound && strcmp(teller->reason, "TCP_OLD_DATA") == 0
		       ? ", its ACK was taken"
		       : "";
}

/* The ACK of a socket that has connected back: egress has redirected it to no interface. */
static bool is_kept_ack(const struct teller *teller)
{
	const struct nol_step *step = teller->step;

	return !step->is_inbound && step->flags == TCP_ACK && teller->conversation->is_turned &&
	       teller->conversation->flow_state == NOL_FLOW_SYN_RECEIVED;
}

static void tell_drop(const struct teller *teller)
{
	const bool has_loader = teller->story->has_loader;
	char packet[WORDS_SIZE];

	words_flags(teller->step->flags, packet);
	if (!teller->step->is_inbound)
		teller->conversation->has_kernel_reset = false;
	if (is_xdp_drop(teller))
		tell_here(teller, false, "%s",
			  has_loader ? "nolisten holds it in XDP, unseen by the kernel"
				     : "an XDP program drops it, unseen by the kernel");
	else if (strcmp(teller->reason, "TC_EGRESS") == 0)
		tell_here(teller, false, "%s at TC egress drops the %s: it does not get out",
			  has_loader ? "nolisten's guard" : "a filter", packet);
	else if (has_loader && is_kept_ack(teller))
		tell_here(
			teller, true,
			"nolisten at TC egress: the socket's ACK goes nowhere, nobody waits for it");
	else if (is_queue_drop(teller))
		tell_here(teller, false, "it was in a netfilter queue, and ends there: NF_DROP");
	else if (!teller->step->is_inbound && strcmp(teller->reason, "NETFILTER_DROP") == 0)
		tell_here(teller, false, "netfilter drops the %s: it does not get out", packet);
	else
		tell_here(teller, false, "the %s is dropped%s: %s in %s()", packet,
			  find_drop_aside(teller), teller->reason, teller->function);
}

static void tell_socket(const struct teller *teller)
{
	const struct nol_step *step = teller->step;

	if (step->kind == NOL_STEP_RESET_RECEIVED)
		tell_here(teller, false, "the RST is accepted in %s",
			  story_state_name(step->new_state));
	else if (step->kind == NOL_STEP_ERROR)
		tell_here(teller, false, "the application is told: %s", strerror(step->error));
	else if (step->kind == NOL_STEP_RETRANSMIT)
		tell_here(teller, false, "nothing came back in time: sent again");
	else if (step->kind == NOL_STEP_DESTROYED)
		tell_here(teller, false, "the socket is gone");
}

static void find_names(struct teller *teller)
{
	const struct nol_step *step = teller->step;

	if (step->kind == NOL_STEP_RESET_SENT)
		trace_names_reset(teller->story->names, step->reason, teller->reason);
	if (step->kind != NOL_STEP_DROP)
		return;
	trace_names_drop(teller->story->names, step->reason, teller->reason);
	trace_names_function(teller->story->names, step->location, teller->function);
}

static void tell_left_out(const struct teller *teller)
{
	struct conversation *conversation = teller->conversation;
	const uint32_t left_out = teller->step->left_out;

	if (left_out > conversation->left_out)
		tell_here(teller, false, "(more segments of data or ACKs: %u)",
			  left_out - conversation->left_out);
	conversation->left_out = left_out;
}

static void tell_step(struct story *story, struct conversation *conversation,
		      const struct nol_step *step)
{
	struct teller teller = {.story = story, .conversation = conversation, .step = step};

	find_names(&teller);
	if (words_is_hidden(step, teller.reason))
		return;
	tell_flow(&teller);
	tell_left_out(&teller);
	switch (step->kind) {
	case NOL_STEP_PACKET_IN:
		return tell_in(&teller);
	case NOL_STEP_PACKET_OUT:
		return tell_out(&teller);
	case NOL_STEP_COPY:
		return tell_copy(&teller);
	case NOL_STEP_RESET_SENT:
		return tell_reset_sent(&teller);
	case NOL_STEP_STATE:
		return tell_state(&teller);
	case NOL_STEP_DROP:
		return tell_drop(&teller);
	default:
		return tell_socket(&teller);
	}
}

void story_tell(struct story *story, struct conversation *conversation)
{
	if (!conversation->id)
		conversation->id = ++story->told;
	for (size_t i = 0; i < conversation->count; i++)
		tell_step(story, conversation, &conversation->steps[i]);
	conversation->count = 0;
}

double story_us(const struct story_line *line)
{
	return (double)(int64_t)(line->step->time_ns - line->conversation->first_packet_ns) / 1000;
}
