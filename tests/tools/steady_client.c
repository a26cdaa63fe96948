/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * steady_client ADDRESS PORT RATE SECONDS [TIMEOUT_MS]: connections to an echo service that begin at their times, whatever becomes of the
 * ones before, RATE a second, as those of the benchmark do (user/bench/open_loop.h). Prints one object of JSON:
 * how many there were, were connected, were served (in TIMEOUT_MS; 400: without a lost SYN), connect to first byte, the first error.
 */
#include <signal.h>

#include "open_loop.h"
#include "tools/tool.h"

int main(int argc, char **argv)
{
	struct open_loop_options options = {0};
	static struct open_loop_result result;
	int err;

	if (argc < 5 || argc > 6 || !addr_parse(argv[1], &options.load.remote.addr))
		usage("ADDRESS PORT RATE SECONDS [TIMEOUT_MS]");
	raise_descriptor_limit();
	options.load.remote.port = (uint16_t)atoi(argv[2]);
	options.load.has_fin = true;
	options.per_s = (uint32_t)atoi(argv[3]);
	options.duration_ms = (uint32_t)atoi(argv[4]) * 1000;
	options.timeout_ms = argc == 6 ? (uint32_t)atoi(argv[5]) : 0;
	err = open_loop_run(&options, &result);
	if (err) {
		errno = -err;
		fail("open_loop_run");
	}
	printf("{\"clients\":%llu,\"connected\":%llu,\"served\":%llu,\"p50_us\":%.0f,\"p99_us\":%.0f,\"error\":\"%s\"}\n",
	       (unsigned long long)result.attempts, (unsigned long long)result.connected,
	       (unsigned long long)result.served,
	       histogram_quantile(&result.first_byte, 0.5) / 1000,
	       histogram_quantile(&result.first_byte, 0.99) / 1000,
	       result.first_error ? strerror(-result.first_error) : "");
	return 0;
}
