/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * own_tcp raw|packet|bypass IFNAME MAC LOCAL REMOTE PORT [bytes=N] [connections=N] [from=PORT] [lose=N] [protocols=1]: a TCP
 * of our own in user space, from an address of this host. To an echo service at that MAC address, connections of it one after
 * the other, from the local ports on from that one; on each bytes out and the same bytes back at the same time, every byte
 * compared. raw: a raw IP socket; packet: a packet socket; bypass: one past the queueing discipline; with protocols=1 for IPv4
 * or IPv6 alone, not for all protocols. Every lose-th data segment of both directions is lost. Prints "C of N connections, B
 * bytes intact in both directions"; what ended one too early goes to standard error.
 *
 * RFC 9293 as far as an honest peer needs it: the handshake, fast retransmit, go-back-N after 300 ms, a fixed congestion
 * window, FIN in both directions. No options but the MSS. What comes is known beforehand, so none of it has to be kept.
 */
#include <linux/if_packet.h>
#include <net/if.h>
#include <netinet/ether.h>
#include <poll.h>
#include <unistd.h>

#include "tools/wire.h"

#define SEED 11
#define MSS 1400
#define FLIGHT (16 * MSS)
#define RTO_MS 300
#define SILENCE_MS 8000
#define WINDOW 65535
#define BUFFER_SIZE 131072

enum way {
	WAY_RAW,
	WAY_PACKET,
	WAY_BYPASS,
};

struct own {
	enum way way;
	bool is_single; /* packet sockets: for one protocol, not for all */
	int fd;
	struct wire wire; /* the ends, and each segment as it is built */
	struct sockaddr_storage to;
	socklen_t to_len;
	uint64_t bytes, connections, lose;
	uint64_t data_segments; /* in both directions, to lose some of them */
	bool has_come[WINDOW]; /* by the offset: what has come before its turn */
	uint8_t packet[BUFFER_SIZE], expected[BUFFER_SIZE];
};

/* Offsets count the bytes of the stream; the FIN comes behind the last one. */
struct connection {
	uint32_t iss, irs;
	uint64_t acked, next; /* SND.UNA, SND.NXT */
	uint64_t received, fin_at; /* RCV.NXT; where the remote's FIN is */
	uint32_t window; /* SND.WND */
	unsigned int duplicate_acks;
	bool is_established, has_fin, is_reset;
	uint64_t sent_ms, progress_ms;
};

static const char *arguments_text = "raw|packet|bypass IFNAME MAC LOCAL REMOTE PORT [bytes=N] "
				    "[connections=N] [from=PORT] [lose=N] [protocols=1]";

/* --- the wire */

static void open_raw(struct own *own)
{
	struct sockaddr_in6 *v6 = (struct sockaddr_in6 *)&own->to;
	struct sockaddr_in *v4 = (struct sockaddr_in *)&own->to;
	struct sockaddr_in6 local = {.sin6_family = AF_INET6};

	own->fd = socket(own->wire.is_v6 ? AF_INET6 : AF_INET, SOCK_RAW, IPPROTO_TCP);
	if (own->fd < 0)
		fail("raw socket");
	if (!own->wire.is_v6) {
		v4->sin_family = AF_INET;
		memcpy(&v4->sin_addr, own->wire.remote_addr, 4);
		own->to_len = sizeof(*v4);
		if (setsockopt(own->fd, IPPROTO_IP, IP_HDRINCL, &(int){1}, sizeof(int)))
			fail("IP_HDRINCL");
		return;
	}
	v6->sin6_family = AF_INET6;
	memcpy(&v6->sin6_addr, own->wire.remote_addr, 16);
	own->to_len = sizeof(*v6);
	memcpy(&local.sin6_addr, own->wire.local_addr, 16);
	if (bind(own->fd, (struct sockaddr *)&local, sizeof(local)))
		fail("bind");
}

static void open_packet(struct own *own, const char *ifname, const char *mac)
{
	struct sockaddr_ll *to = (struct sockaddr_ll *)&own->to;
	const struct ether_addr *remote = ether_aton(mac);
	const uint16_t protocol = own->wire.is_v6 ? ETH_P_IPV6 : ETH_P_IP;

	to->sll_family = AF_PACKET;
	to->sll_protocol = htons(own->is_single ? protocol : ETH_P_ALL);
	to->sll_ifindex = (int)if_nametoindex(ifname);
	to->sll_halen = ETH_ALEN;
	own->to_len = sizeof(*to);
	if (!remote || !to->sll_ifindex) {
		errno = EINVAL;
		fail("IFNAME or MAC");
	}
	own->fd = socket(AF_PACKET, SOCK_DGRAM, 0);
	if (own->fd < 0 || bind(own->fd, (struct sockaddr *)to, sizeof(*to)))
		fail("packet socket");
	to->sll_protocol = htons(protocol);
	memcpy(to->sll_addr, remote, ETH_ALEN);
	if (own->way == WAY_BYPASS &&
	    setsockopt(own->fd, SOL_PACKET, PACKET_QDISC_BYPASS, &(int){1}, sizeof(int)))
		fail("PACKET_QDISC_BYPASS");
}

/* false: it is one of those that get lost. */
static bool arrives(struct own *own, size_t data_len)
{
	return !data_len || !own->lose || ++own->data_segments % own->lose;
}

/* A segment of the stream from that offset; a SYN's sequence number is the one before the first byte. */
static void send_segment(struct own *own, const struct connection *conn, uint8_t flags,
			 uint64_t offset, size_t data_len)
{
	struct wire *wire = &own->wire;
	uint8_t tcp[WIRE_MAX], packet[WIRE_MAX];
	size_t tcp_len, at;

	wire->flags = flags;
	wire->seq = conn->iss + (flags & WIRE_SYN ? 0 : 1 + (uint32_t)offset);
	wire->ack = flags & WIRE_ACK ? conn->irs + 1 + (uint32_t)conn->received : 0;
	wire->ack += conn->has_fin;
	wire->window = WINDOW;
	wire->options_len = flags & WIRE_SYN ? 4 : 0;
	memcpy(wire->options, (uint8_t[]){2, 4, MSS >> 8, MSS & 255}, 4);
	wire->payload_len = data_len;
	tcp_len = build_tcp(wire, tcp);
	fill_pattern(tcp + tcp_len - data_len, data_len, SEED, offset);
	put16(tcp + 16, 0);
	put16(tcp + 16, tcp_checksum(wire->local_addr, wire->remote_addr, wire->is_v6 ? 16 : 4, tcp,
				     tcp_len));
	at = wire->is_v6 ? build_ipv6(wire, packet, tcp_len, -1)
			 : build_ipv4(wire, packet, tcp_len, -1);
	/* The kernel writes the header of IPv6 itself. */
	at = own->way == WAY_RAW && wire->is_v6 ? 0 : at;
	memcpy(packet + at, tcp, tcp_len);
	if (arrives(own, data_len) &&
	    sendto(own->fd, packet, at + tcp_len, 0, (struct sockaddr *)&own->to, own->to_len) <
		    0 &&
	    errno != ENOBUFS)
		fail("send");
}

/* Where the TCP header is in a packet of len bytes, and how long it is with its data; NULL: not one of the remote's. */
static const uint8_t *find_tcp(const struct own *own, size_t len, size_t *tcp_len)
{
	const bool is_v6 = own->wire.is_v6;
	size_t header_len = is_v6 ? 40 : (size_t)(own->packet[0] & 15) * 4;
	size_t ip_len;

	if (own->way == WAY_RAW && is_v6) {
		*tcp_len = len;
		return own->packet;
	}
	if (len < header_len || own->packet[is_v6 ? 6 : 9] != IPPROTO_TCP ||
	    memcmp(own->packet + (is_v6 ? 8 : 12), own->wire.remote_addr, is_v6 ? 16 : 4))
		return NULL;
	ip_len = is_v6 ? 40u + get16(own->packet + 4) : get16(own->packet + 2);
	if (ip_len < header_len || ip_len > len)
		return NULL;
	*tcp_len = ip_len - header_len;
	return own->packet + header_len;
}

/* The connection's next segment, if there is one now; its data ends where the segment does. */
static bool receive_segment(struct own *own, struct wire_answer *out, const uint8_t **data)
{
	size_t tcp_len;
	ssize_t len;

	while ((len = recv(own->fd, own->packet, sizeof(own->packet), MSG_DONTWAIT)) >= 0) {
		const uint8_t *tcp = find_tcp(own, (size_t)len, &tcp_len);

		if (!tcp || !parse_tcp(tcp, tcp_len, out) ||
		    out->remote_port != own->wire.remote_port ||
		    out->local_port != own->wire.local_port)
			continue;
		*data = tcp + tcp_len - out->payload_len;
		if (arrives(own, out->payload_len))
			return true;
	}
	if (errno != EAGAIN && errno != ENETDOWN)
		fail("recv");
	return false;
}

/* --- a connection */

static void send_ack(struct own *own, const struct connection *conn)
{
	send_segment(own, conn, WIRE_ACK, conn->next, 0);
}

/* What the window has room for; the FIN once all of the stream is out. */
static void send_more(struct own *own, struct connection *conn)
{
	uint64_t room = conn->window < FLIGHT ? conn->window : FLIGHT;

	while (conn->next < own->bytes && conn->next < conn->acked + room) {
		uint64_t left = own->bytes - conn->next;
		uint64_t len = conn->acked + room - conn->next;

		len = len < left ? len : left;
		len = len < MSS ? len : MSS;
		send_segment(own, conn, WIRE_ACK, conn->next, (size_t)len);
		conn->next += len;
		conn->sent_ms = now_ms();
	}
	if (conn->next == own->bytes && conn->acked + room > conn->next) {
		send_segment(own, conn, WIRE_ACK | WIRE_FIN, conn->next, 0);
		conn->next++;
		conn->sent_ms = now_ms();
	}
}

/* All that has no ACK. */
static void send_again(struct own *own, struct connection *conn)
{
	conn->sent_ms = now_ms();
	if (conn->is_established) {
		conn->next = conn->acked;
		send_more(own, conn);
	} else {
		send_segment(own, conn, WIRE_SYN, 0, 0);
	}
}

/* Once for each ACK that is repeated: what is sent again causes duplicate ACKs itself. */
static void send_first_again(struct own *own, struct connection *conn)
{
	uint64_t left = own->bytes - conn->acked;

	if (conn->acked < own->bytes)
		send_segment(own, conn, WIRE_ACK, conn->acked, left < MSS ? left : MSS);
}

static void take_ack(struct own *own, struct connection *conn, const struct wire_answer *segment)
{
	const uint32_t newly = segment->ack - (conn->iss + 1 + (uint32_t)conn->acked);

	conn->window = segment->window;
	/* What was sent before going back may be acknowledged after it. */
	if ((int32_t)newly > 0 && newly <= own->bytes + 1 - conn->acked) {
		conn->acked += newly;
		conn->next = conn->next < conn->acked ? conn->acked : conn->next;
		conn->duplicate_acks = 0;
		conn->sent_ms = conn->progress_ms = now_ms();
	} else if (!newly && !segment->payload_len && conn->next > conn->acked) {
		if (++conn->duplicate_acks == 3)
			send_first_again(own, conn);
	}
}

/* Marks what has come, in whatever order, and goes on to the first byte that has not. */
static void take_bytes(struct own *own, struct connection *conn, uint64_t offset, size_t len)
{
	for (uint64_t at = offset; at < offset + len; at++)
		if (at >= conn->received && at < conn->received + WINDOW)
			own->has_come[at % WINDOW] = true;
	for (; own->has_come[conn->received % WINDOW]; conn->received++) {
		own->has_come[conn->received % WINDOW] = false;
		conn->progress_ms = now_ms();
	}
}

static void take_data(struct own *own, struct connection *conn, const struct wire_answer *segment,
		      const uint8_t *data)
{
	const uint64_t rcv_next = conn->irs + 1 + conn->received;
	const uint64_t offset =
		conn->received + (uint64_t)(int32_t)(segment->seq - (uint32_t)rcv_next);

	if (conn->has_fin)
		return;
	fill_pattern(own->expected, segment->payload_len, SEED, offset);
	if (memcmp(own->expected, data, segment->payload_len)) {
		fprintf(stderr, "damaged after byte %llu\n", (unsigned long long)offset);
		exit(1);
	}
	take_bytes(own, conn, offset, segment->payload_len);
	if (segment->flags & WIRE_FIN)
		conn->fin_at = offset + segment->payload_len;
	conn->has_fin = conn->received == conn->fin_at;
}

static void take_syn_ack(struct own *own, struct connection *conn,
			 const struct wire_answer *segment)
{
	/* Of an older connection on these ports: RFC 9293, section 3.10.7.3. */
	if (segment->ack != conn->iss + 1)
		send_segment(own, conn, WIRE_RST, segment->ack - conn->iss - 1, 0);
	if (!(segment->flags & WIRE_SYN) || segment->ack != conn->iss + 1)
		return;
	conn->irs = segment->seq;
	conn->window = segment->window;
	conn->is_established = true;
	conn->progress_ms = now_ms();
	send_ack(own, conn);
}

static void take_segment(struct own *own, struct connection *conn,
			 const struct wire_answer *segment, const uint8_t *data)
{
	if (segment->flags & WIRE_RST) {
		conn->is_reset = true;
	} else if (!conn->is_established) {
		take_syn_ack(own, conn, segment);
	} else {
		take_ack(own, conn, segment);
		take_data(own, conn, segment, data);
		if (segment->payload_len || segment->flags & (WIRE_FIN | WIRE_SYN))
			send_ack(own, conn);
	}
}

static bool is_over(const struct own *own, const struct connection *conn)
{
	return conn->is_reset || (conn->has_fin && conn->acked == own->bytes + 1);
}

/* NULL: both directions are through and closed. */
static const char *why_too_early(const struct own *own, const struct connection *conn)
{
	if (conn->is_reset)
		return conn->is_established ? "reset by the remote" : "refused";
	if (!is_over(own, conn))
		return "nothing comes any more";
	return conn->received == own->bytes ? NULL : "closed too early";
}

static bool run_connection(struct own *own)
{
	struct connection conn = {.fin_at = UINT64_MAX,
				  .iss = (uint32_t)now_ms() * 0x9e3779b1u,
				  .progress_ms = now_ms()};
	struct wire_answer segment;
	const uint8_t *data;
	const char *why;

	memset(own->has_come, 0, sizeof(own->has_come));
	send_again(own, &conn);
	while (!is_over(own, &conn) && now_ms() < conn.progress_ms + SILENCE_MS) {
		struct pollfd poller = {.fd = own->fd, .events = POLLIN};

		poll(&poller, 1, RTO_MS / 3);
		while (!is_over(own, &conn) && receive_segment(own, &segment, &data))
			take_segment(own, &conn, &segment, data);
		if (conn.is_reset)
			break;
		if (conn.is_established)
			send_more(own, &conn);
		if (now_ms() > conn.sent_ms + RTO_MS && conn.acked <= own->bytes)
			send_again(own, &conn);
	}
	why = why_too_early(own, &conn);
	if (why)
		fprintf(stderr, "port %u: %s after %llu bytes\n", own->wire.local_port, why,
			(unsigned long long)conn.received);
	return !why;
}

/* --- command line */

static bool take_option(struct own *own, const char *text)
{
	const char *value = strchr(text, '=');
	uint64_t number;

	if (!value)
		return false;
	number = strtoull(value + 1, NULL, 10);
	if (!strncmp(text, "bytes=", 6))
		own->bytes = number;
	else if (!strncmp(text, "connections=", 12))
		own->connections = number;
	else if (!strncmp(text, "from=", 5))
		own->wire.local_port = (uint16_t)number;
	else if (!strncmp(text, "lose=", 5))
		own->lose = number;
	else if (!strcmp(text, "protocols=1"))
		own->is_single = true;
	else
		return false;
	return true;
}

static void take_ends(struct own *own, const char *local, const char *remote, const char *port)
{
	const int family = strchr(remote, ':') ? AF_INET6 : AF_INET;

	own->wire.is_v6 = family == AF_INET6;
	own->wire.remote_port = (uint16_t)atoi(port);
	if (inet_pton(family, local, own->wire.local_addr) != 1 ||
	    inet_pton(family, remote, own->wire.remote_addr) != 1 || !own->wire.remote_port)
		usage(arguments_text);
}

static enum way take_way(const char *name)
{
	static const char *const names[] = {"raw", "packet", "bypass"};

	for (unsigned int way = 0; way < 3; way++)
		if (!strcmp(name, names[way]))
			return (enum way)way;
	usage(arguments_text);
}

int main(int argc, char **argv)
{
	static struct own own = {.bytes = 1000, .connections = 1, .wire.local_port = 41000};
	uint64_t complete = 0;

	if (argc < 7)
		usage(arguments_text);
	own.way = take_way(argv[1]);
	take_ends(&own, argv[4], argv[5], argv[6]);
	for (int i = 7; i < argc; i++)
		if (!take_option(&own, argv[i]))
			usage(arguments_text);
	if (own.way == WAY_RAW)
		open_raw(&own);
	else
		open_packet(&own, argv[2], argv[3]);
	setsockopt(own.fd, SOL_SOCKET, SO_RCVBUFFORCE, &(int){8 << 20}, sizeof(int));
	for (uint64_t i = 0; i < own.connections; i++, own.wire.local_port++)
		complete += run_connection(&own);
	printf("%llu of %llu connections, %llu bytes intact in both directions\n",
	       (unsigned long long)complete, (unsigned long long)own.connections,
	       (unsigned long long)(complete * own.bytes));
	return complete == own.connections ? 0 : 1;
}
