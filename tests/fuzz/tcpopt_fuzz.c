/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * TCP options: the first byte says whether it is a SYN, the rest are the options. What was read must survive
 * being written and read again.
 */
#include "check.h"
#include "tcpopt.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static bool is_equal(const struct tcp_options *a, const struct tcp_options *b)
{
	return a->has_mss == b->has_mss && a->has_wscale == b->has_wscale &&
	       a->has_sack_permitted == b->has_sack_permitted &&
	       a->has_timestamps == b->has_timestamps && a->mss == b->mss &&
	       a->wscale == b->wscale && a->tsval == b->tsval && a->tsecr == b->tsecr;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	uint8_t bytes[TCPOPT_MAX_SIZE];
	struct tcp_options options, again;
	bool is_syn;
	size_t len;

	if (!size)
		return 0;
	is_syn = data[0] & 1;
	tcpopt_parse(data + 1, size - 1, is_syn, &options);
	check(is_syn || !(options.has_mss || options.has_wscale || options.has_sack_permitted));
	check(options.wscale <= TCPOPT_MAX_WSCALE);
	check(options.has_mss == !!options.mss);
	len = tcpopt_build(&options, bytes);
	check(len <= TCPOPT_MAX_SIZE && len % 4 == 0);
	tcpopt_parse(bytes, len, is_syn, &again);
	check(is_equal(&options, &again));
	return 0;
}
