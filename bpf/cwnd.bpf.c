/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * A walk over the TCP sockets of the network namespace that ends at one, which it gives a congestion window. setsockopt()
 * cannot; TCP_BPF_IW can, before the socket has sent data. See user/kern/cwnd.h.
 */
#include "vmlinux.h"

#include <bpf/bpf_helpers.h>

#define CWND_LEVEL 6 /* IPPROTO_TCP */
#define CWND_OPTION 1001 /* TCP_BPF_IW */

char LICENSE[] SEC("license") = "Dual BSD/GPL";

__u64 nol_cwnd_cookie; /* SO_COOKIE of the socket */
int nol_cwnd_segments;
int nol_cwnd_result;

SEC("iter/tcp")
int nol_cwnd(struct bpf_iter__tcp *ctx)
{
	struct sock_common *sk = ctx->sk_common;
	struct tcp_sock *tcp;
	int segments = nol_cwnd_segments;

	if (!sk || bpf_get_socket_cookie(sk) != nol_cwnd_cookie)
		return 0;
	tcp = bpf_skc_to_tcp_sock(sk);
	if (!tcp)
		return 0;
	nol_cwnd_result = bpf_setsockopt(tcp, CWND_LEVEL, CWND_OPTION, &segments, sizeof(segments));
	bpf_seq_write(ctx->meta->seq, "", 1); /* the reader has room for no more, and so it ends */
	return 0;
}
