/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Words, and the name of the connection that events have too. */
#include "capture_comment.h"

#include <stdio.h>
#include <string.h>

#include "bytes.h"
#include "community_id.h"
#include "events.h"
#include "ip.h"
#include "segment.h"

#define ETHERNET_LEN 14
#define TYPE_OFFSET 12
#define TAG_LEN 4
#define TYPE_VLAN 0x8100
#define TYPE_QINQ 0x88a8

#define VERDICT_TEXT(member, text, meaning) [NOL_CAPTURE_##member] = text,
static const char *const verdict_texts[] = {NOL_CAPTURES(VERDICT_TEXT)};

#define REASON_TEXT(name, text) #name,
static const char *const reason_texts[] = {NOL_STATS(REASON_TEXT)};

const char *capture_what_word(size_t index)
{
	if (index < NOL_CAPTURE_VERDICTS)
		return verdict_texts[index];
	return index == NOL_CAPTURE_VERDICTS ? "all" : NULL;
}

/* The bits of the word that the text begins with; 0: there is none. */
static uint32_t bits_of(const char *text, size_t len)
{
	for (size_t i = 0; capture_what_word(i); i++) {
		const char *word = capture_what_word(i);

		if (strlen(word) == len && !strncmp(word, text, len))
			return i == NOL_CAPTURE_VERDICTS ? (1u << NOL_CAPTURE_VERDICTS) - 1
							 : 1u << i;
	}
	return 0;
}

bool capture_what_parse(const char *text, uint32_t *out)
{
	uint32_t all = 0;

	for (;;) {
		const size_t len = strcspn(text, ",");
		const uint32_t bits = bits_of(text, len);

		if (!bits)
			return false;
		all |= bits;
		if (!text[len])
			break;
		text += len + 1;
	}
	*out = all;
	return true;
}

/* How long the link header is; more than len if the frame has ended before. */
static size_t link_len(const uint8_t *frame, size_t len)
{
	size_t at = TYPE_OFFSET;

	while (at + 2 <= len &&
	       (bytes_get16(frame + at) == TYPE_VLAN || bytes_get16(frame + at) == TYPE_QINQ))
		at += TAG_LEN;
	return at + 2;
}

/* 0: it is none. What is plain may have been cut behind its headers. */
static size_t find_tcp(const uint8_t *ip, size_t len)
{
	struct ip_packet parsed;

	if (len >= IP_V4_HEADER_LEN && ip_version(ip) == 4)
		return ip[9] == IPPROTO_TCP ? (ip[0] & 0xf) * 4u : 0;
	if (len >= IP_V6_HEADER_LEN && ip_version(ip) == 6 && ip[6] == IPPROTO_TCP)
		return IP_V6_HEADER_LEN;
	return ip_parse(ip, len, &parsed) == SEGMENT_OK ? parsed.l4_offset : 0;
}

static bool read_tuple(const struct captured *packet, bool is_ethernet, struct tuple *out)
{
	const size_t at = is_ethernet ? link_len(packet->frame, packet->snap_len) : 0;
	const uint8_t *ip = packet->frame + at;
	struct tuple came;
	size_t len;

	if (at >= packet->snap_len)
		return false;
	len = packet->snap_len - at;
	if (!segment_read_tuple(ip, len, find_tcp(ip, len), &came))
		return false;
	*out = came;
	if (packet->is_outgoing)
		*out = (struct tuple){.local = came.remote, .remote = came.local};
	return true;
}

void capture_comment_build(const struct captured *packet, bool is_ethernet, uint16_t seed,
			   char out[CAPTURE_COMMENT_SIZE])
{
	char id[COMMUNITY_ID_LEN];
	const bool has_reason = packet->reason < sizeof(reason_texts) / sizeof(reason_texts[0]);
	struct tuple tuple;
	int len = snprintf(out, CAPTURE_COMMENT_SIZE, "verdict=%s%s%s method=%s",
			   verdict_texts[packet->verdict], has_reason ? " reason=" : "",
			   has_reason ? reason_texts[packet->reason] : "",
			   method_text(packet->method));

	if (!read_tuple(packet, is_ethernet, &tuple))
		return;
	community_id(&tuple, seed, id);
	snprintf(out + len, CAPTURE_COMMENT_SIZE - (size_t)len, " community_id=%.*s",
		 COMMUNITY_ID_LEN, id);
}
