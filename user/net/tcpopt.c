/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* TCP options, read and written as Linux does. */
#include "tcpopt.h"

#include <string.h>

#include "bytes.h"
#include "tcpopt_layout.h"

enum kind_len {
	LEN_MSS = 4,
	LEN_WSCALE = 3,
	LEN_SACK_PERMITTED = 2,
	LEN_TIMESTAMPS = 10,
	LEN_MD5 = 18,
	LEN_AO_MIN = 5,
};

static void take_syn_option(const uint8_t *option, struct tcp_options *out)
{
	uint8_t len = option[1];

	switch (option[0]) {
	case TCPOPT_KIND_MSS:
		/* Linux skips an MSS of 0, so an earlier one stays. */
		if (len == LEN_MSS && bytes_get16(option + 2)) {
			out->has_mss = true;
			out->mss = bytes_get16(option + 2);
		}
		break;
	case TCPOPT_KIND_WSCALE:
		if (len == LEN_WSCALE) {
			out->has_wscale = true;
			out->wscale = option[2] < TCPOPT_MAX_WSCALE ? option[2] : TCPOPT_MAX_WSCALE;
		}
		break;
	case TCPOPT_KIND_SACK_PERMITTED:
		if (len == LEN_SACK_PERMITTED)
			out->has_sack_permitted = true;
		break;
	}
}

static void take_timestamps(const uint8_t *option, struct tcp_options *out)
{
	if (option[0] != TCPOPT_KIND_TIMESTAMPS || option[1] != LEN_TIMESTAMPS)
		return;
	out->has_timestamps = true;
	out->tsval = bytes_get32(option + 2);
	out->tsecr = bytes_get32(option + 6);
}

/* What Linux finds when it looks for signatures before it reads the options, which it does while there is room for one. */
static bool find_signature(const uint8_t *bytes, size_t len)
{
	bool has_ao = false;
	size_t option_len;

	for (; len >= LEN_MD5 && *bytes != TCPOPT_KIND_END;
	     bytes += option_len, len -= option_len) {
		option_len = 1;
		if (*bytes == TCPOPT_KIND_NOP)
			continue;
		option_len = bytes[1];
		if (option_len < 2 || option_len > len || *bytes == TCPOPT_KIND_MD5)
			return true;
		if (*bytes != TCPOPT_KIND_AO)
			continue;
		if (has_ao || option_len < LEN_AO_MIN)
			return true;
		has_ao = true;
	}
	return false;
}

void tcpopt_parse(const uint8_t *bytes, size_t len, bool is_syn, struct tcp_options *out)
{
	size_t option_len;

	memset(out, 0, sizeof(*out));
	out->has_signature = find_signature(bytes, len);
	for (; len && *bytes != TCPOPT_KIND_END; bytes += option_len, len -= option_len) {
		option_len = 1;
		if (*bytes == TCPOPT_KIND_NOP)
			continue;
		if (len < 2 || bytes[1] < 2 || bytes[1] > len)
			return;
		option_len = bytes[1];
		if (is_syn)
			take_syn_option(bytes, out);
		take_timestamps(bytes, out);
	}
}

static uint8_t *put_option(uint8_t *at, enum tcpopt_kind kind, enum kind_len len)
{
	*at++ = (uint8_t)kind;
	*at++ = (uint8_t)len;
	return at;
}

static uint8_t *put_mss(uint8_t *at, const struct tcp_options *options)
{
	at = put_option(at, TCPOPT_KIND_MSS, LEN_MSS);
	bytes_put16(at, options->mss);
	return at + 2;
}

static uint8_t *put_timestamps(uint8_t *at, const struct tcp_options *options)
{
	at = put_option(at, TCPOPT_KIND_TIMESTAMPS, LEN_TIMESTAMPS);
	bytes_put32(at, options->tsval);
	bytes_put32(at + 4, options->tsecr);
	return at + 8;
}

static uint8_t *put_wscale(uint8_t *at, const struct tcp_options *options)
{
	at = put_option(at, TCPOPT_KIND_WSCALE, LEN_WSCALE);
	*at++ = options->wscale;
	return at;
}

/* SACK-permitted takes the place of the two NOPs that align the timestamps. */
static uint8_t *put_sack_and_timestamps(uint8_t *at, const struct tcp_options *options)
{
	if (!options->has_sack_permitted && !options->has_timestamps)
		return at;
	if (!options->has_sack_permitted || !options->has_timestamps) {
		*at++ = TCPOPT_KIND_NOP;
		*at++ = TCPOPT_KIND_NOP;
	}
	if (options->has_sack_permitted)
		at = put_option(at, TCPOPT_KIND_SACK_PERMITTED, LEN_SACK_PERMITTED);
	if (options->has_timestamps)
		at = put_timestamps(at, options);
	return at;
}

static uint8_t *put_kind(uint8_t *at, const struct tcp_options *options, uint8_t kind)
{
	switch (kind) {
	case TCPOPT_KIND_MSS:
		return options->has_mss ? put_mss(at, options) : at;
	case TCPOPT_KIND_WSCALE:
		return options->has_wscale ? put_wscale(at, options) : at;
	case TCPOPT_KIND_SACK_PERMITTED:
		return options->has_sack_permitted ? put_option(at, kind, LEN_SACK_PERMITTED) : at;
	case TCPOPT_KIND_TIMESTAMPS:
		return options->has_timestamps ? put_timestamps(at, options) : at;
	default:
		*at++ = kind;
		return at;
	}
}

/* Filled up with ends of the list. A layout is no longer than there is room for, see tcpopt_layout_parse(). */
static size_t build_in_order(const struct tcp_options *options, uint8_t out[TCPOPT_MAX_SIZE])
{
	uint8_t *at = out;

	for (uint8_t i = 0; i < options->layout->count; i++)
		at = put_kind(at, options, options->layout->kinds[i]);
	while ((at - out) % 4)
		*at++ = TCPOPT_KIND_END;
	return (size_t)(at - out);
}

size_t tcpopt_build(const struct tcp_options *options, uint8_t out[TCPOPT_MAX_SIZE])
{
	uint8_t *at = out;

	if (options->layout)
		return build_in_order(options, out);
	if (options->has_mss)
		at = put_mss(at, options);
	at = put_sack_and_timestamps(at, options);
	if (options->has_wscale) {
		*at++ = TCPOPT_KIND_NOP;
		at = put_wscale(at, options);
	}
	return (size_t)(at - out);
}
