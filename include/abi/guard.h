/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What bpf/lease.bpf.c and user space share. The includer provides __u8 to __u64, as for abi.h. */
#ifndef NOLISTEN_GUARD_H
#define NOLISTEN_GUARD_H

#include "abi.h"

/* What is guarded. */
enum nol_guard_mode {
	NOL_GUARD_FLOWS, /* 4-tuples that segments of raw and packet sockets lease */
	NOL_GUARD_LEASED_PORTS, /* the local address and port of these */
	NOL_GUARD_PORTS, /* ports of a list, for as long as the guard lives */
};

/* What becomes of a guarded segment that came in. */
enum nol_guard_raw {
	NOL_RAW_AUTO, /* it goes on if raw IP sockets may wait for it */
	NOL_RAW_HOLD, /* it ends, once packet sockets have their copy */
	NOL_RAW_PASS, /* it goes on, and its RST is stopped */
};

/* Which kind of socket sent a segment. */
enum nol_guard_sender {
	NOL_SENDER_KERNEL, /* a connection or a listener; or it was forwarded */
	NOL_SENDER_NOBODY, /* the kernel, without a socket */
	NOL_SENDER_PACKET, /* AF_PACKET */
	NOL_SENDER_RAW, /* a raw IP socket that only sends */
	NOL_SENDER_RAW_TCP, /* one that gets what comes in as well */
};

/* A value of nol_leases. The key is a flow's; remote_addr and remote_port are 0 with NOL_GUARD_LEASED_PORTS. */
struct nol_lease {
	enum nol_guard_sender sender; /* egress: of the last segment */
	__u32 out; /* egress: segments */
	__u32 in; /* ingress: segments that no kernel socket owns */
	__u32 ended; /* ingress: of these, those that went no further */
	__u32 rst_stopped; /* egress: RSTs of the kernel */
	__u32 pad;
	__u64 leased_ns; /* egress; CLOCK_MONOTONIC, as the next two */
	__u64 out_ns; /* egress: the last segment */
	__u64 in_ns; /* ingress: the last segment */
};
NOL_ABI_SIZE(nol_lease, 48);

#define NOL_GUARD_NAME_SIZE 16
#define NOL_GUARD_PORTS_SIZE 64

/* nol_guard, one entry. Written by user space only. */
struct nol_guard {
	__u64 heartbeat_ns; /* CLOCK_MONOTONIC, once a second */
	__u64 started_ns;
	__u64 expiry_ns; /* of a lease after its last segment */
	enum nol_guard_mode mode;
	enum nol_guard_raw raw;
	enum nol_rst_action rst_action;
	__u32 redirect_ifindex; /* where RSTs go with NOL_RST_REDIRECT */
	__u32 ifindex;
	__u32 netns; /* its inode number */
	__u32 pid;
	__u32 max_leases;
	__u32 leases_id; /* of the map nol_leases */
	__u32 stats_id; /* of the map nol_guard_stats */
	__u32 has_raw_sockets; /* 1: some socket waits for TCP behind TC ingress */
	/* Which half of nol_guard_ports is written, see bpf/lease.h. */
	__u32 turn;
	char name[NOL_GUARD_NAME_SIZE]; /* of the process, or of what it runs */
	__u64 removed; /* leases that were removed since they had expired */
	__u32 guards_nat; /* 1: flows that conntrack translates as well */
	__u32 pad;
	char ports[NOL_GUARD_PORTS_SIZE]; /* NOL_GUARD_PORTS: the list, cut if it does not fit */
};
NOL_ABI_SIZE(nol_guard, 168);

/* A counter for every verdict about guarded segments, as NOL_STATS. */
#define NOL_GUARD_STATS(X)                                                                        \
	X(leased, "leases made")                                                                  \
	X(leased_again, "leases made anew after they had expired")                                \
	X(lease_failed, "segments that could not lease: no memory")                               \
	X(out, "segments of raw and packet sockets that are guarded")                             \
	X(out_unread, "segments of raw and packet sockets that could not be read: not guarded")   \
	X(in_ended, "guarded segments that ended at ingress, packet sockets have seen them")      \
	X(in_passed, "guarded segments that went on to raw IP sockets")                           \
	X(in_owned, "segments to guarded ports that a kernel socket owns: passed")                \
	X(in_not_ours, "segments to guarded ports, of no lease or to other hosts: passed")        \
	X(in_stale, "segments passed: the guard's heartbeat has stopped")                         \
	X(rst_dropped, "RSTs of the kernel dropped")                                              \
	X(rst_redirected, "RSTs of the kernel redirected")                                        \
	X(rst_passed, "RSTs of the kernel let go and counted, as --rst=pass asks")                \
	X(rst_owned, "RSTs let go: a kernel socket has the flow")                                 \
	X(rst_sent, "RSTs let go: a raw or packet socket sent them")                              \
	X(rst_nat, "RSTs of flows that conntrack translates for somebody else, of those stopped") \
	X(rst_not_ours, "RSTs let go: of no guarded flow")                                        \
	X(rst_stale, "RSTs let go: the guard's heartbeat has stopped")

struct nol_guard_stats {
	NOL_GUARD_STATS(NOL_STATS_FIELD)
};
NOL_ABI_SIZE(nol_guard_stats, 0 NOL_GUARD_STATS(NOL_STATS_SIZE));

#endif
