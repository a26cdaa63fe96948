/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The kernel side: loads nolisten.bpf.o, attaches it, and gives typed access to its maps. The only place that
 * knows libbpf. Everything detaches when the process ends, however it ends (on clsact: fails open).
 *
 * Threads: the flow table is everybody's, each ring one thread's; all else is of the thread that attaches.
 */
#ifndef NOLISTEN_KERN_H
#define NOLISTEN_KERN_H

#include <linux/types.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <abi/abi.h>
#include <abi/capture.h>

#include "addr.h"
#include "load_failure.h"
#include "ports.h"

struct kern;

#define KERN_CAPTURE_SIZE (4u << 20)

enum kern_xdp_mode {
	KERN_XDP_AUTO, /* native where the driver has it, generic on veth, lo and where it has not */
	KERN_XDP_NATIVE,
	KERN_XDP_GENERIC,
	KERN_XDP_NONE, /* method accept can do without */
};

enum kern_tc_mode {
	KERN_TC_AUTO, /* TCX where the kernel has it (6.6), else clsact */
	KERN_TC_TCX,
	KERN_TC_CLSACT,
};

struct kern_options {
	const char *ifname;
	uint32_t ifindex;
	bool has_link_header; /* Ethernet or loopback; false on L3 devices (ARPHRD_NONE and the like) */
	bool is_loopback;
	enum kern_xdp_mode xdp_mode;
	enum kern_tc_mode tc_mode;
	uint32_t ring_size; /* bytes of each ring, a power of two and a multiple of the page size */
	uint32_t workers; /* rings, at most NOL_WORKERS_MAX; 0 is 1 */
	uint32_t max_flows;
	bool connects_back; /* method connect: see struct nol_back */
	uint16_t mss_limit; /* method accept: of what its sockets send (TCP_MAXSEG); 0: none */
	bool lacks_endpoints; /* kern_set_endpoint() will not be called */
	bool keeps_shut; /* a tarpit: see kern_flow_shut() */
	bool defers; /* method accept: bare ACKs make no socket (TCP_DEFER_ACCEPT) */
	uint32_t
		max_leases; /* of raw-socket programs, see lease_guard.h; 0: there is no such guard */
	uint32_t lease_expiry_s; /* at least 1, if there are leases */
	bool accepts; /* method accept: a program at TC ingress as well, see kern_set_parent() */
	uint32_t captures; /* bits of enum nol_capture_verdict; 0: none */
	uint32_t capture_size; /* bytes of their ring, as ring_size; 0 if there are none */
	uint64_t keep_ns; /* --pin: the programs outlive us by so much; 0: they go with us */
};

/* Load and verify, attach nothing. Nothing is logged: *failure tells what was not taken, and why. */
int kern_open(struct kern **out, const struct kern_options *options, struct load_failure *failure);
/* Attach ingress and guard. -EBUSY: another XDP program is there (logged with its id and name). */
int kern_attach(struct kern *kern);
/* Detach both; maps stay readable. */
/* Nothing is held any more; what was held can still be replayed through egress. */
void kern_detach_ingress(struct kern *kern);
void kern_detach(struct kern *kern);
/* The table that a lease guard is to use; -1 without max_leases. */
int kern_leases_fd(const struct kern *kern);
void kern_close(struct kern *kern); /* detaches, unpins; NULL is legal */

/* Method accept, where XDP would be generic: attach it, or detach it again. An error is logged once a flood, and it is tried again. */
void kern_set_standby(struct kern *kern, bool is_on);

/* Where it got attached, for people: "native", "generic", "standby", "none"; "tcx", "clsact". Valid after kern_attach(). */
const char *kern_xdp_mode_text(const struct kern *kern);
bool kern_is_xdp_native(const struct kern *kern);
const char *kern_tc_mode_text(const struct kern *kern);

/* Send a frame the way XDP_TX does. Success says that it was tried, not that it left. */
int kern_transmit(struct kern *kern, const void *frame, size_t len);

/* The one entry of nol_config, mapped: a store is seen by the programs at once. */
struct nol_config *kern_config(struct kern *kern);
void kern_beat(struct kern *kern); /* heartbeat = now */
/*
 * So many RSTs a second, of all together: what comes back is what the engines are to take theirs from, as XDP does. Of strays that
 * XDP does not answer itself as many are held.
 */
struct nol_limit *kern_limit_resets(struct kern *kern, uint32_t per_s);
/* The same of nol_cookie. Keys are in it: never pinned. */
struct nol_cookie *kern_cookie(struct kern *kern);

/* Which ports and addresses are answered. */
void kern_set_ports(struct kern *kern, const struct port_set *ports);
int kern_add_prefix(struct kern *kern, const struct prefix *prefix);
int kern_remove_prefix(struct kern *kern, const struct prefix *prefix);

/*
 * What of a port is answered, and who gets it: see struct nol_endpoint. Of the ports that are narrowed only what is said here
 * is answered, of others all. -ENOSPC: there are NOL_ENDPOINTS_MAX.
 */
int kern_set_endpoint(struct kern *kern, const struct prefix *at, uint16_t port,
		      const struct nol_endpoint *endpoint);
int kern_remove_endpoint(struct kern *kern, const struct prefix *at, uint16_t port);
void kern_narrow_ports(struct kern *kern, const struct port_set *ports);
/* Is any of them waiting? What is held of it comes by kern_ring(kern, 0). */
void kern_set_waiting(struct kern *kern, bool is_any);

/* The rows of nol_routes; they count while nol_cookie's has_routes is set. */
int kern_set_route(struct kern *kern, const struct prefix *remotes,
		   const struct nol_advertised *advertised);
int kern_remove_route(struct kern *kern, const struct prefix *remotes);

/* Method accept: has the kernel what it needs (bpf_sk_assign_tcp_reqsk(), Linux 6.9)? */
bool kern_can_accept(void);
/* Method accept: what of a remote address is its source; and one of these, its other bits zero, that holds as much as it may, or no more. */
void kern_bound_sources(struct kern *kern, unsigned int bits_v4, unsigned int bits_v6);
void kern_set_source_full(struct kern *kern, const struct addr *source, bool is_full);
/* Where a worker listens: the kernel's children of its flows are queued there. NULL: nowhere any more. */
void kern_set_parent(struct kern *kern, uint32_t worker, const struct endpoint *at);
/* False: that one does not listen. */
bool kern_get_parent(const struct kern *kern, uint32_t worker, struct endpoint *out);

/*
 * With keep_ns everything is pinned, and stays when we go; the next kern_attach(), with or without it, takes over: in one step
 * for each program, whatever the version and the options of the two are. Until kern_settle() ingress takes handshakes by
 * cookies only, and drops what it might take for a stray.
 */
bool kern_is_takeover(const struct kern *kern);
/* nol_cookie is the last loader's, and its cookies are valid. */
bool kern_has_kept_cookies(const struct kern *kern);
/* fn for up to max frames that have waited; their number, or -errno. To be called after kern_attach(). */
typedef void (*kern_frame_fn)(void *context, const uint8_t *frame, uint32_t len,
			      uint32_t l3_offset);
int kern_kept_take(struct kern *kern, uint32_t max, kern_frame_fn fn, void *context);
/* What ingress makes of a frame; the rest is held or dropped. */
struct kern_rerun {
	bool is_passed; /* the stack is to have it */
	uint32_t answer_len; /* 0: it is not answered */
	uint8_t answer[256];
};
/* Ingress takes this frame as one that has just come, but what it passes or sends goes nowhere by this. -errno. */
int kern_rerun(struct kern *kern, const void *frame, size_t len, struct kern_rerun *out);
/* Waits until no program of the last loader runs any more. */
void kern_await_programs(void);
void kern_settle(struct kern *kern);

/* Will it stay when we go? */
/* The XDP link is the last loader's, in its mode; any link is. */
bool kern_has_adopted_xdp(const struct kern *kern);
bool kern_has_adopted(const struct kern *kern);
bool kern_is_kept(const struct kern *kern);
/* Nothing is to be held for us any more, nor queued: from now on handshakes wait for the next loader. */
void kern_leave_begin(struct kern *kern);
/* It goes with us after all. */
void kern_forget_kept(struct kern *kern);
/* Is all that was attached still there? -ENOLINK, logged: somebody has detached it. */
int kern_check(struct kern *kern);

/* Pin the maps under /sys/fs/bpf/nolisten/IFACE/. 0 as well when no bpffs is mounted or a live owner has the place. */
int kern_pin(struct kern *kern);

/* The flow table. */
void kern_flow_key(const struct tuple *tuple, struct nol_flow_key *out);
void kern_flow_tuple(const struct nol_flow_key *key, struct tuple *out);
/* -EEXIST, or -E2BIG when the map is full. */
int kern_flow_add(struct kern *kern, const struct tuple *tuple, const struct nol_flow *flow);
/* Compare-and-swap, see struct nol_flow: -EAGAIN if more was held than held says, -ENOENT. */
int kern_flow_change(struct kern *kern, const struct tuple *tuple, enum nol_flow_state to,
		     uint32_t held);
/* The same, whatever held says. */
int kern_flow_set(struct kern *kern, const struct tuple *tuple, enum nol_flow_state to);
/* It is, or stays, a tarpit's connection: flow's state, held and shut. */
int kern_flow_shut(struct kern *kern, const struct tuple *tuple, const struct nol_flow *flow);
int kern_flow_get(struct kern *kern, const struct tuple *tuple, struct nol_flow *out);
/* Removes; *out (may be NULL) gets the last value. */
int kern_flow_remove(struct kern *kern, const struct tuple *tuple, struct nol_flow *out);
/* Removes those that are CLOSED. */
int kern_flow_forget(struct kern *kern, const struct tuple *tuples, uint32_t count);
/* fn for every flow, until it returns false. Flows that come or go meanwhile may be missed or seen. Number seen or -errno. */
typedef bool (*kern_flow_fn)(void *context, const struct nol_flow_key *key,
			     const struct nol_flow *flow);
int kern_flow_visit(struct kern *kern, kern_flow_fn fn, void *context);

/*
 * Flows whose kernel socket is gone, which the tracepoint closes (see struct nol_closed). The descriptor is readable when there
 * are some, unless config->spinning[0] is set and there is one worker: whoever polls then takes them as well; and unless config->reads_ends is, and
 * the ring not half full. -EOPNOTSUPP:
 * this kernel does not tell. One thread calls both.
 */
int kern_closed_watch(struct kern *kern);
/* Has the kernel the tracepoint at all? */
bool kern_tells_closed(void);
typedef void (*kern_closed_fn)(void *context, const struct nol_closed *closed);
/* fn for each of them; their number, -ENOBUFS (as well) if some were lost, or -errno. Not to be called from fn. */
int kern_closed_take(struct kern *kern, kern_closed_fn fn, void *context);
/*
 * Since the last call, has the tracepoint been met without its program? A softirq that interrupts the program on its processor
 * may close sockets too, and the kernel runs no program within itself.
 */
bool kern_closed_has_missed(struct kern *kern);

/* Method connect: what the programs know of a socket that connects back. As the functions above. */
int kern_back_add(struct kern *kern, const struct tuple *tuple, const struct nol_back *back);
int kern_back_get(struct kern *kern, const struct tuple *tuple, struct nol_back *out);
int kern_back_remove(struct kern *kern, const struct tuple *tuple);

/*
 * The state of a flow is looked at and then the entry replaced, closed or removed: nobody else does so in between, if
 * all that may meet over one flow hold this, but for the tracepoint, which closes a flow that was handed off at any time. Not
 * to be held twice.
 */
void kern_flow_lock(struct kern *kern);
void kern_flow_unlock(struct kern *kern);

/* The rings of held packets, one a worker; all packets of a flow are in the same. The first is nol_events. */
struct kern_ring;
struct kern_ring *kern_ring(struct kern *kern, uint32_t worker);
int kern_ring_fd(const struct kern_ring *ring);
/* frame: record->snap_len bytes, valid during the call. */
typedef void (*kern_record_fn)(void *context, const struct nol_record *record,
			       const uint8_t *frame);
/*
 * Up to max records; their number, or -errno. Never waits; not to be called from fn. After the worker's
 * config->spinning went back to 0: a full barrier, and once more, before the caller sleeps on the descriptor.
 */
int kern_ring_consume(struct kern_ring *ring, uint32_t max, kern_record_fn fn, void *context);

/*
 * What is captured (see struct nol_capture), for one thread. The descriptor is readable once much has come: whoever wants the rest
 * looks by itself. -1: nothing is captured.
 */
int kern_capture_fd(const struct kern *kern);
typedef void (*kern_capture_fn)(void *context, const struct nol_capture *capture,
				const uint8_t *frame);
/* fn for each of them, up to max; their number or -errno. Not to be called from fn. */
int kern_capture_take(struct kern *kern, uint32_t max, kern_capture_fn fn, void *context);

/* The counters, summed over the CPUs. */
int kern_stats_read(struct kern *kern, struct nol_stats *out);

#endif
