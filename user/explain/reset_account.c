/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * From a record to an account. Certain is: the segment in hand, TCP's own reason, the socket that sent on the 4-tuple, and
 * conntrack's table. What only follows from these is marked as inferred.
 */
#include "reset_account.h"

#include <netinet/tcp.h>
#include <stdio.h>
#include <string.h>

#include "conntrack.h"
#include "segment.h"
#include "story.h"
#include "words.h"

#define STATE_NEW_SYN_RECV 12

static const char *const behind_names[] = {
	[BEHIND_UNKNOWN] = "unknown",	     [BEHIND_NO_LISTENER] = "no_listener",
	[BEHIND_RAW_SOCKET] = "raw_socket",  [BEHIND_NAT] = "nat",
	[BEHIND_REJECT] = "firewall_reject", [BEHIND_SOCKET] = "socket",
	[BEHIND_FORWARDED] = "forwarded",
};

#define SAY(field, ...) snprintf(field, sizeof(field), __VA_ARGS__)

const char *reset_behind_name(enum reset_behind behind)
{
	return behind_names[behind];
}

static bool is_bare_syn(const struct nol_step *step)
{
	return (step->flags & (TCP_SYN | TCP_ACK)) == TCP_SYN;
}

/* Since Linux 6.13 an answer belongs to the socket that has refused the segment. */
bool reset_is_of_socket(const struct nol_reset *reset)
{
	return reset->rst.socket == NOL_SOCKET_TCP && reset->cause.kind != NOL_STEP_RESET_SENT;
}

static bool is_of_program(const struct nol_step *rst)
{
	return rst->socket == NOL_SOCKET_RAW || rst->socket == NOL_SOCKET_PACKET;
}

static bool is_answer(const struct nol_reset *reset)
{
	return !is_of_program(&reset->rst) && !reset_is_of_socket(reset) &&
	       reset->rst.socket != NOL_SOCKET_FORWARDED;
}

/* --- where it went */

static void tell_fate(const struct reset_witness *witness, struct reset_account *out)
{
	const struct nol_step *rst = &out->reset->rst;
	char reason[TRACE_NAME_SIZE], function[TRACE_NAME_SIZE];

	out->has_left = rst->kind == NOL_STEP_PACKET_OUT;
	out->is_prevented = !out->has_left && rst->is_inbound;
	if (out->is_prevented)
		SAY(out->stopped, "a program at TC ingress, as a guard's");
	if (out->has_left || out->is_prevented)
		return;
	trace_names_drop(witness->names, rst->reason, reason);
	trace_names_function(witness->names, rst->location, function);
	if (!strcmp(reason, "TC_EGRESS"))
		SAY(out->stopped, "a program at TC egress, as a guard's");
	else if (!strcmp(reason, "NETFILTER_DROP"))
		SAY(out->stopped, "a rule of netfilter");
	else
		SAY(out->stopped, "%s in %s()", reason, function);
}

/* --- what it answers */

static void tell_cause(struct reset_account *out)
{
	const struct nol_step *cause = out->is_prevented ? &out->reset->rst : &out->reset->cause;
	char packet[WORDS_SIZE], remote[ENDPOINT_TEXT_SIZE];

	if (!out->has_cause)
		return;
	words_packet(cause, packet);
	words_end(cause->key.remote_addr, cause->key.remote_port, remote);
	SAY(out->cause, "%.120s from %s", packet, remote);
}

static void tell_socket_missing(struct reset_account *out)
{
	const struct nol_step *cause = &out->reset->cause;
	char local[ENDPOINT_TEXT_SIZE];

	words_end(cause->key.local_addr, cause->key.local_port, local);
	if (is_bare_syn(cause))
		SAY(out->missing, "no socket listens on %s", local);
	else
		SAY(out->missing, "no socket has this connection, and none listens on %s", local);
}

/* TCP has looked, and found one that refuses the segment; a listener has no part in connections that are translated. */
static void tell_refusing_socket(struct reset_account *out)
{
	const struct nol_step *cause = &out->reset->cause;
	const uint8_t state = cause->new_state;

	out->behind = BEHIND_SOCKET;
	if (state == TCP_LISTEN)
		SAY(out->missing, "no socket has this connection; a listener is there, for SYNs");
	else
		SAY(out->missing, "none: a socket in %s refuses the segment",
		    story_state_name(state));
	if (state == TCP_LISTEN)
		SAY(out->who, "a connection that is over, or never was");
	else if (state == TCP_TIME_WAIT)
		SAY(out->who, "a connection that is just over");
	else if (state == STATE_NEW_SYN_RECV)
		SAY(out->who, "a half-open connection, whose handshake does not fit");
}

/* --- who is behind it */

static void tell_program(const struct reset_witness *witness, struct reset_account *out)
{
	const struct nol_reset *reset = out->reset;
	const char *kind = reset->sender == NOL_SOCKET_RAW ? "raw" : "packet";
	const unsigned int port = reset->rst.key.local_port;

	out->behind = BEHIND_RAW_SOCKET;
	socket_owner_find(reset->sender_inode, &out->program);
	if (out->program.pid) {
		SAY(out->who, "%s (pid %u), which sends on it through a %s socket",
		    out->program.name, out->program.pid, kind);
		SAY(out->cure, "nolisten guard --pid=%u -p %u %s", out->program.pid, port,
		    witness->ifname);
	} else {
		SAY(out->who, "a program that sent on it through a %s socket, and has ended", kind);
		SAY(out->cure, "nolisten guard -p %u %s -- COMMAND", port, witness->ifname);
	}
}

static bool has_other_owner(const struct reset_witness *witness, struct reset_account *out)
{
	const struct nol_flow_key *key = &out->reset->cause.key;
	struct endpoint local = {.port = key->local_port};

	memcpy(local.addr.bytes, key->local_addr, sizeof(local.addr.bytes));
	return witness->conntrack_fd >= 0 &&
	       !conntrack_find_owner(witness->conntrack_fd, key, &out->owner) &&
	       (!addr_is_equal(&local.addr, &out->owner.addr) || local.port != out->owner.port);
}

static void tell_nat(const struct reset_witness *witness, struct reset_account *out)
{
	const enum nol_track track = out->reset->track;
	char owner[ENDPOINT_TEXT_SIZE];

	out->behind = BEHIND_NAT;
	out->is_inferred = track != NOL_TRACK_NONE;
	endpoint_format(&out->owner, owner);
	SAY(out->who, "%s, whose connection conntrack translates; this segment it found INVALID",
	    owner);
	SAY(out->cure, "nolisten guard --nat %s", witness->ifname);
}

static void tell_nobody(const struct reset_witness *witness, struct reset_account *out)
{
	const struct nol_step *cause = &out->reset->cause;
	const unsigned int port = cause->key.local_port;

	out->is_inferred = true;
	if (is_bare_syn(cause)) {
		out->behind = BEHIND_NO_LISTENER;
		SAY(out->who, "nobody: the port is closed");
		SAY(out->cure, "start what should listen on port %u, or: nolisten-loader -p %u %s",
		    port, port, witness->ifname);
	} else if (cause->flags & TCP_SYN) {
		SAY(out->who, "a SYN that was forged, or sent past the qdisc (AF_XDP, "
			      "PACKET_QDISC_BYPASS)");
		SAY(out->cure, "if it was yours: nolisten guard -p %u %s", port, witness->ifname);
	} else {
		SAY(out->who, "a connection that is over, or never was");
	}
}

/* With TCP's own word missing where it is always given, it was not TCP. */
static bool is_rejected(const struct reset_witness *witness, const struct reset_account *account)
{
	return witness->has_reasons && !account->reset->has_why;
}

static void tell_kernel_rst(const struct reset_witness *witness, struct reset_account *out)
{
	if (!out->has_cause) {
		SAY(out->who, "not known: it answers nothing that came in by %s", witness->ifname);
	} else if (is_rejected(witness, out)) {
		out->behind = BEHIND_REJECT;
		out->is_inferred = true;
		SAY(out->who, "a firewall rule that rejects with a RST");
		SAY(out->cure, "look for it: nft list ruleset, iptables-save");
	} else if (out->reset->cause.socket != NOL_SOCKET_NONE) {
		tell_refusing_socket(out);
		if (out->reset->cause.new_state == TCP_LISTEN && has_other_owner(witness, out))
			tell_nat(witness, out);
	} else {
		tell_socket_missing(out);
		if (out->reset->sender != NOL_SOCKET_NONE)
			tell_program(witness, out);
		else if (has_other_owner(witness, out))
			tell_nat(witness, out);
		else
			tell_nobody(witness, out);
	}
}

/* Is it the doing of the process that was running? Timers and segments that come in run in anybody's place. */
static bool is_of_process(const char *why)
{
	static const char *const names[] = {"TCP_ABORT_ON_CLOSE", "TCP_ABORT_ON_LINGER",
					    "TCP_DISCONNECT_WITH_DATA", NULL};

	for (size_t i = 0; names[i]; i++)
		if (!strcmp(why, names[i]))
			return true;
	return false;
}

static void tell_socket_rst(struct reset_account *out)
{
	const struct nol_reset *reset = out->reset;

	out->behind = BEHIND_SOCKET;
	SAY(out->missing, "none: the connection's own socket ends it");
	if (is_of_process(out->why)) {
		out->program.pid = reset->pid;
		snprintf(out->program.name, sizeof(out->program.name), "%.15s", reset->comm);
		SAY(out->who, "%s (pid %u)", out->program.name, reset->pid);
	}
	if (!strcmp(out->why, "TCP_ABORT_ON_CLOSE"))
		SAY(out->cure, "read what has come before close()");
	else if (!strcmp(out->why, "TCP_ABORT_ON_LINGER"))
		SAY(out->cure, "set no negative TCP_LINGER2");
}

static void tell_program_rst(struct reset_account *out)
{
	out->behind = BEHIND_RAW_SOCKET;
	socket_owner_find(out->reset->sender_inode, &out->program);
	if (out->program.pid)
		SAY(out->who, "%s (pid %u), which sends it itself", out->program.name,
		    out->program.pid);
	else
		SAY(out->who, "a program that sent it itself, and has ended");
}

void reset_account_make(const struct reset_witness *witness, const struct nol_reset *reset,
			struct reset_account *out)
{
	memset(out, 0, sizeof(*out));
	out->reset = reset;
	out->has_cause =
		reset->rst.is_inbound || (is_answer(reset) && reset->cause.kind != NOL_STEP_NONE);
	if (reset->has_why && witness->has_reasons)
		trace_names_reset(witness->names, reset->why, out->why);
	tell_fate(witness, out);
	tell_cause(out);
	if (out->is_prevented) {
		tell_program(witness, out);
		out->cure[0] = '\0'; /* it is at work */
	} else if (reset->rst.socket == NOL_SOCKET_FORWARDED) {
		out->behind = BEHIND_FORWARDED;
		SAY(out->who, "another host: it is only forwarded");
	} else if (is_of_program(&reset->rst)) {
		tell_program_rst(out);
	} else if (is_answer(reset)) {
		tell_kernel_rst(witness, out);
	} else {
		tell_socket_rst(out);
	}
}
