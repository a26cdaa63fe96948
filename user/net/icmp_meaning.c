/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What an ICMP error is called, and whom it ends: Linux's icmp_err_convert, and its tab_unreach of ICMPv6. */
#include <errno.h>
#include <netinet/icmp6.h>
#include <netinet/ip_icmp.h>

#include "icmp_error.h"

struct meaning {
	const char *name;
	int err;
};

static const struct meaning unreachable_v4[] = {
	[ICMP_NET_UNREACH] = {"network unreachable", -ENETUNREACH},
	[ICMP_HOST_UNREACH] = {"host unreachable", -EHOSTUNREACH},
	[ICMP_PROT_UNREACH] = {"protocol unreachable", -ENOPROTOOPT},
	[ICMP_PORT_UNREACH] = {"port unreachable", -ECONNREFUSED},
	[ICMP_FRAG_NEEDED] = {"fragmentation needed", -EMSGSIZE},
	[ICMP_SR_FAILED] = {"source route failed", -EOPNOTSUPP},
	[ICMP_NET_UNKNOWN] = {"network unknown", -ENETUNREACH},
	[ICMP_HOST_UNKNOWN] = {"host unknown", -EHOSTDOWN},
	[ICMP_HOST_ISOLATED] = {"source host isolated", -ENONET},
	[ICMP_NET_ANO] = {"network prohibited", -ENETUNREACH},
	[ICMP_HOST_ANO] = {"host prohibited", -EHOSTUNREACH},
	[ICMP_NET_UNR_TOS] = {"network unreachable for this type of service", -ENETUNREACH},
	[ICMP_HOST_UNR_TOS] = {"host unreachable for this type of service", -EHOSTUNREACH},
	[ICMP_PKT_FILTERED] = {"administratively prohibited", -EHOSTUNREACH},
	[ICMP_PREC_VIOLATION] = {"precedence violation", -EHOSTUNREACH},
	[ICMP_PREC_CUTOFF] = {"precedence cut off", -EHOSTUNREACH},
};

static const struct meaning unreachable_v6[] = {
	[ICMP6_DST_UNREACH_NOROUTE] = {"no route", -ENETUNREACH},
	[ICMP6_DST_UNREACH_ADMIN] = {"administratively prohibited", -EACCES},
	[ICMP6_DST_UNREACH_BEYONDSCOPE] = {"beyond the scope of the source", -EHOSTUNREACH},
	[ICMP6_DST_UNREACH_ADDR] = {"address unreachable", -EHOSTUNREACH},
	[ICMP6_DST_UNREACH_NOPORT] = {"port unreachable", -ECONNREFUSED},
	[5] = {"source address failed policy", -EACCES},
	[6] = {"reject route", -EACCES},
};

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static const struct meaning time_exceeded = {"time to live exceeded", -EHOSTUNREACH};
static const struct meaning parameter_problem = {"parameter problem", -EPROTO};
static const struct meaning unknown = {"unreachable", -EHOSTUNREACH};

static const struct meaning *find_v4(const struct icmp_error *error)
{
	if (error->type == ICMP_TIME_EXCEEDED)
		return &time_exceeded;
	if (error->type == ICMP_PARAMETERPROB)
		return &parameter_problem;
	return error->code < COUNT(unreachable_v4) ? &unreachable_v4[error->code] : &unknown;
}

static const struct meaning *find_v6(const struct icmp_error *error)
{
	if (error->type == ICMP6_TIME_EXCEEDED)
		return &time_exceeded;
	if (error->type == ICMP6_PARAM_PROB)
		return &parameter_problem;
	return error->code < COUNT(unreachable_v6) ? &unreachable_v6[error->code] : &unknown;
}

static const struct meaning *find(const struct icmp_error *error)
{
	return addr_is_v4(&error->tuple.remote.addr) ? find_v4(error) : find_v6(error);
}

int icmp_error_errno(const struct icmp_error *error)
{
	return find(error)->err;
}

const char *icmp_error_name(const struct icmp_error *error)
{
	return find(error)->name;
}

static bool ends_half_open_v4(const struct icmp_error *error)
{
	return error->type != ICMP_DEST_UNREACH || error->code == ICMP_NET_UNREACH ||
	       error->code == ICMP_HOST_UNREACH;
}

static bool ends_half_open_v6(const struct icmp_error *error)
{
	switch (error->type) {
	case ICMP6_DST_UNREACH:
		return error->code != ICMP6_DST_UNREACH_NOROUTE &&
		       error->code != ICMP6_DST_UNREACH_BEYONDSCOPE &&
		       error->code != ICMP6_DST_UNREACH_ADDR;
	case ICMP6_PARAM_PROB:
		return true;
	}
	return false;
}

bool icmp_error_ends_half_open(const struct icmp_error *error)
{
	return addr_is_v4(&error->tuple.remote.addr) ? ends_half_open_v4(error)
						     : ends_half_open_v6(error);
}
