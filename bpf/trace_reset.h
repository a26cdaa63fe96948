/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What the tracepoint says that knows why a RST is sent. */
#ifndef NOLISTEN_BPF_TRACE_RESET_H
#define NOLISTEN_BPF_TRACE_RESET_H

#include "trace_packet.h"
#include "trace_socket.h"

/* Before 6.10 there is no reason, and no call when there is no socket. */
static __always_inline __u32 reset_reason(__u64 *ctx)
{
	if (bpf_core_enum_value_exists(enum sk_rst_reason___trace, SK_RST_REASON_NO_SOCKET___trace))
		return ctx[2];
	return 0;
}

/* TCP takes the device away from a packet that has found its socket. */
static __always_inline bool is_answer_ours(const struct sk_buff___trace *skb,
					   const struct sock___trace *sk)
{
	const struct net_device___trace *dev = skb->dev;

	if (dev)
		return is_wanted_device(dev);
	return sk && is_our_namespace(sk->__sk_common.skc_net.net);
}

#endif
