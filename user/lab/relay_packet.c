/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "relay_packet.h"

#include <netinet/in.h>
#include <stdio.h>
#include <string.h>

#include <linux/if_ether.h>

static uint16_t read16(const uint8_t *in)
{
	return (uint16_t)(in[0] << 8 | in[1]);
}

static uint32_t read32(const uint8_t *in)
{
	return (uint32_t)read16(in) << 16 | read16(in + 2);
}

static bool read_tcp(const uint8_t *tcp, size_t len, struct relay_segment *out)
{
	const size_t header_len = len < 20 ? 0 : (size_t)(tcp[12] >> 4) * 4;

	if (header_len < 20 || header_len > len)
		return false;
	out->source_port = read16(tcp);
	out->destination_port = read16(tcp + 2);
	out->seq = read32(tcp + 4);
	out->ack = read32(tcp + 8);
	out->flags = tcp[13];
	out->window = read16(tcp + 14);
	out->options = tcp + 20;
	out->options_len = header_len - 20;
	out->payload_len = len - header_len;
	return true;
}

static bool read_ip(const uint8_t *ip, size_t len, struct relay_segment *out)
{
	const bool is_v6 = len >= 40 && ip[0] >> 4 == 6;
	const size_t header_len = is_v6 ? 40 : len < 20 ? 0 : (size_t)(ip[0] & 15) * 4;
	size_t ip_len;

	if (header_len < 20 || (!is_v6 && ip[0] >> 4 != 4))
		return false;
	ip_len = is_v6 ? 40u + read16(ip + 4) : read16(ip + 2);
	if (ip[is_v6 ? 6 : 9] != IPPROTO_TCP || ip_len > len || ip_len < header_len)
		return false;
	return read_tcp(ip + header_len, ip_len - header_len, out);
}

bool relay_read(const uint8_t *frame, size_t len, size_t l2_len, struct relay_segment *out)
{
	if (len <= l2_len)
		return false;
	if (l2_len && read16(frame + 12) != ETH_P_IP && read16(frame + 12) != ETH_P_IPV6)
		return false;
	return read_ip(frame + l2_len, len - l2_len, out);
}

static void print_one(char *text, const uint8_t *option, uint8_t len, uint32_t acked_isn)
{
	size_t used = strlen(text);
	char *out = text + used + (used > 0);
	const size_t size = RELAY_OPTIONS_TEXT - used - (used > 0);

	if (used > 0 && size > 1)
		out[-1] = ',';
	if (option[0] == 2 && len == 4)
		snprintf(out, size, "mss%u", read16(option + 2));
	else if (option[0] == 3 && len == 3)
		snprintf(out, size, "ws%u", option[2]);
	else if (option[0] == 4)
		snprintf(out, size, "sackok");
	else if (option[0] == 8)
		snprintf(out, size, "ts");
	else if (option[0] == 5 && len >= 10)
		snprintf(out, size, "sack%u-%u", read32(option + 2) - acked_isn,
			 read32(option + 6) - acked_isn);
	else
		snprintf(out, size, "kind%u", option[0]);
}

void relay_print_options(const struct relay_segment *segment, uint32_t acked_isn,
			 char text[RELAY_OPTIONS_TEXT])
{
	const uint8_t *option = segment->options, *end = option + segment->options_len;

	*text = 0;
	while (option < end && *option != 0) {
		if (*option == 1) {
			option++;
			continue;
		}
		if (end - option < 2 || option[1] < 2 || option[1] > end - option)
			break;
		print_one(text, option, option[1], acked_isn);
		option += option[1];
	}
	if (!*text)
		strcpy(text, "-");
}

void relay_print_flags(uint8_t flags, char text[RELAY_FLAGS_TEXT])
{
	for (int i = 0; i < 8; i++)
		if (flags & 1 << i)
			*text++ = "FSRP.UEW"[i];
	*text = 0;
}
