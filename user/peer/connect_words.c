/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* "connect to HOST port PORT (tcp) failed: why", as nc has it. */
#include "connect_words.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "clock.h"
#include "log.h"
#include "tcpopt_layout.h"

#define NAME_SIZE 320 /* a host's name has at most 255 */
#define LAYOUT_SIZE 256

/* "localhost (127.0.0.1)": the address that was tried, unless it was given as one. */
static const char *name_host(const struct connect_options *options, const struct addr *remote,
			     char text[NAME_SIZE])
{
	char addr[ADDR_TEXT_SIZE];

	addr_format(remote, addr);
	if (strcmp(addr, options->host))
		snprintf(text, NAME_SIZE, "%s (%s)", options->host, addr);
	else
		snprintf(text, NAME_SIZE, "%s", addr);
	return text;
}

static void format_layout(const struct syn_print *syn, char text[LAYOUT_SIZE])
{
	static const char *const names[] = {
		[TCPOPT_KIND_END] = "eol",
		[TCPOPT_KIND_NOP] = "nop",
		[TCPOPT_KIND_MSS] = "mss",
		[TCPOPT_KIND_WSCALE] = "ws",
		[TCPOPT_KIND_SACK_PERMITTED] = "sok",
		[TCPOPT_KIND_TIMESTAMPS] = "ts",
	};
	size_t len = 0;

	strcpy(text, "none");
	for (uint8_t i = 0; i < syn->option_count && i < SYN_PRINT_OPTIONS; i++) {
		const uint8_t kind = syn->options[i];
		const char *comma = i ? "," : "";

		if (kind < sizeof(names) / sizeof(names[0]) && names[kind])
			len += (size_t)snprintf(text + len, LAYOUT_SIZE - len, "%s%s", comma,
						names[kind]);
		else
			len += (size_t)snprintf(text + len, LAYOUT_SIZE - len, "%s?%u", comma,
						kind);
	}
}

static void tell_fingerprint(const struct syn_print *syn, bool has_crossed)
{
	char layout[LAYOUT_SIZE], mss[24] = "", wscale[24] = "";

	format_layout(syn, layout);
	if (syn->mss)
		snprintf(mss, sizeof(mss), ", MSS %u", syn->mss);
	if (syn->wscale != UINT8_MAX)
		snprintf(wscale, sizeof(wscale), ", scale %u", syn->wscale);
	log_info("its %s: TTL %u, window %u%s%s, options %s", has_crossed ? "SYN" : "SYN-ACK",
		 syn->ttl, syn->window, mss, wscale, layout);
}

void connect_tell_success(const struct connect_options *options,
			  const struct opening_result *result)
{
	char host[NAME_SIZE], local[ENDPOINT_TEXT_SIZE];

	endpoint_format(&result->tuple.local, local);
	log_info("Connection to %s %u port [tcp] succeeded! From %s%s, after %.3f ms",
		 name_host(options, &result->tuple.remote.addr, host), result->tuple.remote.port,
		 local, result->has_crossed ? " by simultaneous open" : "",
		 (double)result->rtt_ns / CLOCK_NS_PER_MS);
	if (result->syn)
		tell_fingerprint(result->syn, result->has_crossed);
}

void connect_tell_failure(const struct connect_options *options, const struct endpoint *remote,
			  const struct opening_result *result)
{
	char host[NAME_SIZE], from[ADDR_TEXT_SIZE];

	name_host(options, &remote->addr, host);
	if (!result->icmp) {
		log_error("connect to %s port %u (tcp) failed: %s", host, remote->port,
			  strerror(-result->err));
		return;
	}
	addr_format(&result->icmp->from, from);
	log_error("connect to %s port %u (tcp) failed: %s (ICMP %s, from %s)", host, remote->port,
		  strerror(-result->err), icmp_error_name(result->icmp), from);
}

static const char *reason_of(const struct connect_options *options, int err)
{
	if (err == -EADDRNOTAVAIL && !options->has_source)
		return strerror(-err);
	switch (err) {
	case -EADDRINUSE:
		return "another socket has the source port (see ss -tanp)";
	case -EADDRNOTAVAIL:
		return "the source is not an address of this host";
	case -EALREADY:
		return "these two ends are connected already, or were a minute ago (see ss -tan)";
	case -EINVAL:
		return "both ends are the same: that is nolisten self";
	case -EPERM:
		return "Operation not permitted (a firewall's rule, or no CAP_NET_ADMIN)";
	}
	return strerror(-err);
}

void connect_tell_refusal(const struct connect_options *options, const struct tuple *tuple, int err)
{
	char host[NAME_SIZE];

	log_error("connect to %s port %u (tcp) failed: %s",
		  name_host(options, &tuple->remote.addr, host), tuple->remote.port,
		  reason_of(options, err));
}
