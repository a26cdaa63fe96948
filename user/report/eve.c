/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * One JSON object. Addresses are written as Suricata writes them, IPv6 with all its zeros, so that what is compared
 * as text finds the same connection in both.
 */
#include "eve.h"

#include <nettle/base64.h>

#include "community_id.h"
#include "siphash.h"

#define FLOW_ID_BITS 53

static const char hex[] = "0123456789abcdef";

static void add_member(struct event_line *line, const char *key, const char *value)
{
	line_add(line, key);
	line_add(line, value);
	line_add(line, "\"");
}

static void add_number_member(struct event_line *line, const char *key, uint64_t value)
{
	line_add(line, key);
	line_add_number(line, value);
}

static void add_v4(struct event_line *line, const uint8_t *bytes)
{
	for (int i = 0; i < 4; i++) {
		if (i)
			line_add(line, ".");
		line_add_number(line, bytes[i]);
	}
}

static void add_v6(struct event_line *line, const uint8_t *bytes)
{
	for (int i = 0; i < 16; i++) {
		const char digits[] = {hex[bytes[i] >> 4], hex[bytes[i] & 15], ':'};

		line_add_bytes(line, digits, i % 2 && i < 15 ? 3 : 2);
	}
}

static void add_endpoint(struct event_line *line, const char *ip_key, const char *port_key,
			 const struct endpoint *endpoint)
{
	line_add(line, ip_key);
	if (addr_is_v4(&endpoint->addr))
		add_v4(line, endpoint->addr.bytes + 12);
	else
		add_v6(line, endpoint->addr.bytes);
	line_add(line, "\"");
	add_number_member(line, port_key, endpoint->port);
}

uint64_t eve_flow_id(const struct tuple *tuple, uint64_t created_ns)
{
	/* Nothing secret is hashed, and who has two flows of one number has gained nothing. */
	static const uint8_t key[SIPHASH_KEY_SIZE];
	const struct {
		struct tuple tuple;
		uint8_t unused[4];
		uint64_t created_ns;
	} input = {*tuple, {0}, created_ns};

	_Static_assert(sizeof(input) == sizeof(*tuple) + 4 + 8, "no holes with chance in them");
	return siphash_24(key, &input, sizeof(input)) >> (64 - FLOW_ID_BITS);
}

/* A JSON string's letters: quotes, backslashes and what is not to be seen. */
static void add_escaped(struct event_line *line, char letter)
{
	const char escaped[] = {'\\', letter};

	if (letter == '"' || letter == '\\')
		line_add_bytes(line, escaped, 2);
	else if (letter == '\n')
		line_add(line, "\\n");
	else if (letter == '\r')
		line_add(line, "\\r");
	else
		line_add_bytes(line, letter >= ' ' && letter <= '~' ? &letter : ".", 1);
}

/* The kernel lets an interface's name be nearly anything, bytes that are no UTF-8 too. */
static void add_ifname(struct event_line *line, const char *ifname)
{
	line_add(line, ",\"in_iface\":\"");
	while (*ifname)
		add_escaped(line, *ifname++);
	line_add(line, "\"");
}

static void add_flow(struct event_line *line, const struct event *event,
		     const struct eve_origin *origin)
{
	char id[COMMUNITY_ID_LEN];

	if (event->created_ns)
		add_number_member(line,
				  ",\"flow_id\":", eve_flow_id(event->tuple, event->created_ns));
	add_endpoint(line, ",\"src_ip\":\"", ",\"src_port\":", &event->tuple->remote);
	add_endpoint(line, ",\"dest_ip\":\"", ",\"dest_port\":", &event->tuple->local);
	community_id(event->tuple, origin->seed, id);
	line_add(line, ",\"proto\":\"TCP\",\"community_id\":\"");
	line_add_bytes(line, id, sizeof(id));
	line_add(line, "\"");
}

static void add_payload(struct event_line *line, const struct event *event)
{
	const size_t len = event->payload.len;
	char encoded[BASE64_ENCODE_RAW_LENGTH(EVENT_PAYLOAD_MAX)];

	base64_encode_raw(encoded, len, event->payload.bytes);
	line_add(line, ",\"payload\":\"");
	line_add_bytes(line, encoded, BASE64_ENCODE_RAW_LENGTH(len));
	line_add(line, "\",\"payload_printable\":\"");
	for (size_t i = 0; i < len; i++)
		add_escaped(line, (char)event->payload.bytes[i]);
	line_add(line, "\"");
}

static void add_own(struct event_line *line, const struct event *event)
{
	add_member(line, ",\"nolisten\":{\"event\":\"", event_kind_text(event->kind));
	if (event->method != NOL_METHOD_NONE)
		add_member(line, ",\"method\":\"", method_text(event->method));
	if (event->rtt_us >= 0)
		add_number_member(line, ",\"rtt_us\":", event->rtt_us);
	if (event->handoff_us >= 0)
		add_number_member(line, ",\"handoff_us\":", event->handoff_us);
	if (event->first_by_us)
		add_number_member(line, ",\"first_by_us\":", event->first_by_us);
	if (event->reason)
		add_member(line, ",\"reason\":\"", event->reason);
	if (event->lost_kind)
		add_member(line, ",\"kind\":\"", event->lost_kind);
	if (event_has_count(event))
		add_number_member(line, ",\"count\":", event->count);
	if (event->kind == EVENT_PAYLOAD) {
		add_number_member(line, ",\"offset\":", event->payload.offset);
		add_number_member(line, ",\"bytes\":", event->payload.total);
	}
	line_add(line, "}}\n");
}

void eve_build(struct event_line *line, const struct event *event, const struct eve_origin *origin,
	       const char *time)
{
	add_member(line, "{\"timestamp\":\"", time);
	line->len--; /* the quote comes behind the offset */
	line_add(line, "+0000\",\"event_type\":\"nolisten\"");
	add_ifname(line, origin->ifname);
	if (origin->vlan_id) {
		add_number_member(line, ",\"vlan\":[", origin->vlan_id);
		line_add(line, "]");
	}
	if (event->tuple)
		add_flow(line, event, origin);
	if (event->kind == EVENT_PAYLOAD)
		add_payload(line, event);
	add_own(line, event);
}
