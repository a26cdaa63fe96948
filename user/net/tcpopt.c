/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* TCP options, read and written as Linux does. */
#include "tcpopt.h"

#include <string.h>

#include "bytes.h"

enum kind {
	KIND_END = 0,
	KIND_NOP = 1,
	KIND_MSS = 2,
	KIND_WSCALE = 3,
	KIND_SACK_PERMITTED = 4,
	KIND_TIMESTAMPS = 8,
	KIND_MD5 = 19,
	KIND_AO = 29,
};

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
	case KIND_MSS:
		/* Linux skips an MSS of 0, so an earlier one stays. */
		if (len == LEN_MSS && bytes_get16(option + 2)) {
			out->has_mss = true;
			out->mss = bytes_get16(option + 2);
		}
		break;
	case KIND_WSCALE:
		if (len == LEN_WSCALE) {
			out->has_wscale = true;
			out->wscale = option[2] < TCPOPT_MAX_WSCALE ? option[2] : TCPOPT_MAX_WSCALE;
		}
		break;
	case KIND_SACK_PERMITTED:
		if (len == LEN_SACK_PERMITTED)
			out->has_sack_permitted = true;
		break;
	}
}

static void take_timestamps(const uint8_t *option, struct tcp_options *out)
{
	if (option[0] != KIND_TIMESTAMPS || option[1] != LEN_TIMESTAMPS)
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

	for (; len >= LEN_MD5 && *bytes != KIND_END; bytes += option_len, len -= option_len) {
		option_len = 1;
		if (*bytes == KIND_NOP)
			continue;
		option_len = bytes[1];
		if (option_len < 2 || option_len > len || *bytes == KIND_MD5)
			return true;
		if (*bytes != KIND_AO)
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
	for (; len && *bytes != KIND_END; bytes += option_len, len -= option_len) {
		option_len = 1;
		if (*bytes == KIND_NOP)
			continue;
		if (len < 2 || bytes[1] < 2 || bytes[1] > len)
			return;
		option_len = bytes[1];
		if (is_syn)
			take_syn_option(bytes, out);
		take_timestamps(bytes, out);
	}
}

static uint8_t *put_option(uint8_t *at, enum kind kind, enum kind_len len)
{
	*at++ = (uint8_t)kind;
	*at++ = (uint8_t)len;
	return at;
}

/* SACK-permitted takes the place of the two NOPs that align the timestamps. */
static uint8_t *put_sack_and_timestamps(uint8_t *at, const struct tcp_options *options)
{
	if (!options->has_sack_permitted && !options->has_timestamps)
		return at;
	if (!options->has_sack_permitted || !options->has_timestamps) {
		*at++ = KIND_NOP;
		*at++ = KIND_NOP;
	}
	if (options->has_sack_permitted)
		at = put_option(at, KIND_SACK_PERMITTED, LEN_SACK_PERMITTED);
	if (options->has_timestamps) {
		at = put_option(at, KIND_TIMESTAMPS, LEN_TIMESTAMPS);
		bytes_put32(at, options->tsval);
		bytes_put32(at + 4, options->tsecr);
		at += 8;
	}
	return at;
}

size_t tcpopt_build(const struct tcp_options *options, uint8_t out[TCPOPT_MAX_SIZE])
{
	uint8_t *at = out;

	if (options->has_mss) {
		at = put_option(at, KIND_MSS, LEN_MSS);
		bytes_put16(at, options->mss);
		at += 2;
	}
	at = put_sack_and_timestamps(at, options);
	if (options->has_wscale) {
		*at++ = KIND_NOP;
		at = put_option(at, KIND_WSCALE, LEN_WSCALE);
		*at++ = options->wscale;
	}
	return (size_t)(at - out);
}
