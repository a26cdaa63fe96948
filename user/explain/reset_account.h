/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The account of one RST: what it answers, what was missing, who is behind it and what cures it, in words. */
#ifndef NOLISTEN_RESET_ACCOUNT_H
#define NOLISTEN_RESET_ACCOUNT_H

#include <linux/types.h>
#include <stdbool.h>

#include <abi/resets.h>

#include "addr.h"
#include "socket_owner.h"
#include "trace_names.h"

#define ACCOUNT_TEXT_SIZE 192

/* Who is behind a RST, as far as anything proves it. */
enum reset_behind {
	BEHIND_UNKNOWN,
	BEHIND_NO_LISTENER, /* a port that nobody listens on */
	BEHIND_RAW_SOCKET, /* a program that sends on this 4-tuple past TCP */
	BEHIND_NAT, /* a connection that conntrack has translated for somebody else */
	BEHIND_REJECT, /* a firewall's rule */
	BEHIND_SOCKET, /* a socket that is there, and says so */
	BEHIND_FORWARDED, /* another host's */
};

struct reset_account {
	const struct nol_reset *reset;
	enum reset_behind behind;
	bool has_left;
	bool is_prevented; /* its segment was stopped: rst is that */
	bool has_cause;
	bool is_inferred; /* behind follows from what was seen; nothing says it */
	struct socket_owner program; /* pid 0: none, or not to be had */
	struct endpoint owner; /* BEHIND_NAT */
	char why[TRACE_NAME_SIZE]; /* enum sk_rst_reason; "": not told */
	char stopped[ACCOUNT_TEXT_SIZE]; /* by what; "" if it has left */
	char cause[ACCOUNT_TEXT_SIZE], missing[ACCOUNT_TEXT_SIZE], who[ACCOUNT_TEXT_SIZE],
		cure[ACCOUNT_TEXT_SIZE]; /* "": nothing to say */
};

struct reset_witness {
	const char *ifname;
	struct trace_names *names;
	int conntrack_fd; /* of NETLINK_NETFILTER, or negative: nobody to ask */
	bool has_reasons; /* TCP tells of each RST that it decides on */
};

void reset_account_make(const struct reset_witness *witness, const struct nol_reset *reset,
			struct reset_account *out);

/* Is it an end that a socket makes of its own connection, whose reason is told behind it? */
bool reset_is_of_socket(const struct nol_reset *reset);

/* "no_listener", for machines. */
const char *reset_behind_name(enum reset_behind behind);

#endif
