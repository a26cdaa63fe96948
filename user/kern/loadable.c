/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The objects and their variants. */
#include "loadable.h"

#include "bench_kern.h"
#include "cwnd.h"
#include "lease_guard.h"
#include "meet_guard.h"
#include "resets.h"
#include "self_watch.h"
#include "trace.h"

const struct loadable loadable_table[] = {
	{"nolisten", "plain", "methods auto, xdp and engine", "nfqueue, filter or raw",
	 LOADABLE_PLAIN},
	{"nolisten", "connect", "method connect", "engine", LOADABLE_CONNECT},
	{"nolisten", "accept", "method accept", "xdp or auto", LOADABLE_ACCEPT},
	{"nolisten", "workers", "--workers above 1", "--workers=1", LOADABLE_WORKERS},
	{"nolisten", "loopback", "methods with BPF on lo", "nfqueue or filter there",
	 LOADABLE_LOOPBACK},
	{"nolisten", "no link header", "methods with BPF on tun, wireguard and the like",
	 "nfqueue or filter there", LOADABLE_NO_LINK_HEADER},
	{"nolisten", "tarpit", "--service=tarpit with methods auto, xdp and engine",
	 "nfqueue or filter", LOADABLE_TARPIT},
	{"nolisten", "capture", "--pcap with methods auto, xdp and engine",
	 "nfqueue, filter or raw with it", LOADABLE_CAPTURE},
	{"nolisten", "capture connect", "--pcap with method connect", "engine with it",
	 LOADABLE_CAPTURE_CONNECT},
	{"nolisten", "capture accept", "--pcap with method accept", "xdp or auto with it",
	 LOADABLE_CAPTURE_ACCEPT},
	{"cwnd", "", "first flights of one segment after lost SYN-ACKs", NULL, LOADABLE_OTHER,
	 cwnd_probe},
	{"trace", "", "nolisten explain", NULL, LOADABLE_OTHER, trace_probe},
	{"resets", "", "nolisten explain --rst", NULL, LOADABLE_OTHER, resets_probe},
	{"meet", "", "nolisten meet", NULL, LOADABLE_OTHER, meet_guard_probe},
	{"lease", "", "nolisten guard, --guard", NULL, LOADABLE_OTHER, lease_guard_probe},
	{"self", "", "nolisten self --watch", NULL, LOADABLE_OTHER, self_watch_probe},
	{"bench", "", "nolisten bench", NULL, LOADABLE_OTHER, bench_kern_probe},
	{},
};

static bool is_captured(enum loadable_kind kind)
{
	return kind == LOADABLE_CAPTURE || kind == LOADABLE_CAPTURE_CONNECT ||
	       kind == LOADABLE_CAPTURE_ACCEPT;
}

static int try_main(enum loadable_kind kind, const struct kern_options *sizes,
		    struct load_failure *failure)
{
	const struct kern_options options = {
		.ifname = "lo",
		.ifindex = 1,
		.has_link_header = kind != LOADABLE_NO_LINK_HEADER,
		.is_loopback = kind == LOADABLE_LOOPBACK,
		.connects_back = kind == LOADABLE_CONNECT || kind == LOADABLE_CAPTURE_CONNECT,
		.accepts = kind == LOADABLE_ACCEPT || kind == LOADABLE_CAPTURE_ACCEPT,
		.keeps_shut = kind == LOADABLE_TARPIT,
		.workers = kind == LOADABLE_WORKERS ? 2 : 1,
		.ring_size = sizes->ring_size,
		.max_flows = sizes->max_flows,
		.captures = is_captured(kind) ? ~0u : 0,
		.capture_size = is_captured(kind) ? KERN_CAPTURE_SIZE : 0,
	};
	struct kern *kern = NULL;
	int err = kern_open(&kern, &options, failure);

	kern_close(kern);
	return err;
}

int loadable_try(const struct loadable *loadable, const struct kern_options *sizes,
		 struct load_failure *failure)
{
	return loadable->probe ? loadable->probe(failure)
			       : try_main(loadable->kind, sizes, failure);
}
