/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Connect-back, on the way out: the ACK by which the connecting socket answers the SYN-ACK that was made for it. The remote
 * has sent no SYN-ACK, and a listener sends nothing here. TCP_QUICKACK = 0 would delay the ACK for the next
 * segment to carry, and the first FIN's ACK with it.
 */
#ifndef NOLISTEN_BPF_BACK_ACK_H
#define NOLISTEN_BPF_BACK_ACK_H

#include "back.h"
#include "guard.h"

#define BACK_ACK_NOWHERE 0 /* no interface has this number */

/* A bare ACK from an answered port, not the engine's. The kernel's own have their headers in the linear part. */
static __always_inline bool back_may_keep_ack(struct __sk_buff *skb)
{
	struct packet packet;
	const __u8 *tcp;

	if (parse_skb(skb, &packet) != PARSE_TCP || is_of_other_vlan(skb))
		return false;
	tcp = (const __u8 *)packet.tcp;
	return tcp[13] == TCP_FLAG_ACK && packet.l4_offset + (tcp[12] >> 4) * 4 == skb->len &&
	       skb->mark != NOL_MARK && is_port_answered(bpf_ntohs(packet.tcp->source));
}

/*
 * As long as the flow has its entry. A packet that is redirected to nowhere was sent, to the socket; one that is dropped
 * would tell it of congestion.
 */
static __noinline int back_keep_ack(struct __sk_buff *skb)
{
	const struct nol_back *back;
	struct packet packet;
	struct facts facts;

	if (parse_skb(skb, &packet) != PARSE_TCP)
		return GUARD_LET_GO;
	facts_read(&packet, &facts);
	segment_turn(&facts);
	back = back_find(&facts.key);
	if (!back || facts.seq != back->local_iss + 1 || facts.ack != back->remote_isn + 1)
		return GUARD_LET_GO;
	count(back_first_ack);
	capture_egress(skb, DROPPED, back_first_ack);
	return bpf_redirect(BACK_ACK_NOWHERE, 0);
}

#endif
