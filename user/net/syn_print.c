/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* A walk over the kinds alone: what is behind an impossible length is not looked at. */
#include "syn_print.h"

#include <string.h>

#define KIND_END 0
#define KIND_NOP 1

static void add_kind(struct syn_print *out, uint8_t kind)
{
	if (out->option_count < SYN_PRINT_OPTIONS)
		out->options[out->option_count] = kind;
	out->option_count++;
}

static void take_kinds(struct syn_print *out, const uint8_t *bytes, size_t len)
{
	size_t option_len;

	for (; len; bytes += option_len, len -= option_len) {
		option_len = 1;
		add_kind(out, *bytes);
		if (*bytes == KIND_END)
			return;
		if (*bytes == KIND_NOP)
			continue;
		if (len < 2 || bytes[1] < 2 || bytes[1] > len)
			return;
		option_len = bytes[1];
	}
}

void syn_print_take(struct syn_print *out, const struct segment *segment)
{
	memset(out, 0, sizeof(*out));
	out->window = segment->window;
	out->ttl = segment->ttl;
	out->mss = segment->options.has_mss ? segment->options.mss : 0;
	out->wscale = segment->options.has_wscale ? segment->options.wscale : UINT8_MAX;
	take_kinds(out, segment->option_bytes, segment->option_len);
}
