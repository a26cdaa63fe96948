/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The guard of programs that speak TCP through raw and packet sockets: nolisten guard, and nolisten-loader --guard. */
#include "vmlinux.h"

#include "lease_in.h"
#include "lease_out.h"

char LICENSE[] SEC("license") = "Dual BSD/GPL";

SEC("tc")
int nol_guard_in(struct __sk_buff *skb)
{
	return may_be_guarded_in(skb) ? guard_in(skb) : TC_ACT_UNSPEC;
}

SEC("tc")
int nol_guard_out(struct __sk_buff *skb)
{
	const enum nol_guard_sender sender = find_sender(skb);

	return sender == NOL_SENDER_KERNEL ? TC_ACT_UNSPEC : guard_out(skb, sender);
}
