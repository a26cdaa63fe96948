/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Protocol numbers that are macros in the kernel and so in no BTF. */
#ifndef NOLISTEN_BPF_NET_H
#define NOLISTEN_BPF_NET_H

#define ETH_P_IP 0x0800
#define ETH_P_IPV6 0x86DD
#define ETH_P_8021Q 0x8100
#define ETH_P_8021AD 0x88A8

#define VLAN_ID_MASK 0x0fff

#define IPV4_FRAGMENT_MASK 0x3fff /* more fragments, and the offset */
#define IPV6_FRAGMENT_MASK 0xfff9 /* the same in the fragment header (RFC 8200, 4.5) */
#define IPV6_FLOW_LABEL_MASK 0x000fffff

#define IPV6_NEXT_HOP_BY_HOP 0
#define IPV6_NEXT_FRAGMENT 44
#define IPV6_NEXT_DESTINATION 60

#define TCP_FLAG_FIN 0x01
#define TCP_FLAG_SYN 0x02
#define TCP_FLAG_RST 0x04
#define TCP_FLAG_ACK 0x10
#define TCP_FLAG_URG 0x20
#define TCP_FLAG_ECE 0x40
#define TCP_FLAG_CWR 0x80

#define TCP_MIN_HEADER 20

#define AF_INET 2
#define AF_INET6 10
#define AF_PACKET 17

#define PACKET_HOST 0 /* of skb->pkt_type: to this host, by its link-layer address */

#define NULL ((void *)0)

#define TC_ACT_UNSPEC (-1)
#define TC_ACT_SHOT 2
#define TC_ACT_REDIRECT 7

#define ENOENT 2
#define EAGAIN 11
#define EEXIST 17

#endif
