/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Makes the load of one round and prints its figures as "LABEL.NAME VALUE" lines.
 * Usage: load_client [OPTION...] ADDRESS PORT
 *   -l LABEL     before each name                         [load]
 *   -n NUMBER    connections at once                      [1: one after the other]
 *   -t MS        how long to count                        [1000]
 *   -w MS        warm-up before that                      [200]
 *   -s ADDRESS/COUNT  source addresses, used in turn      [the kernel's choice]
 *   -f           close by FIN instead of RST
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "load.h"
#include "numbers.h"

#define SERVER_WAIT_MS 5000

static bool read_number(const char *text, uint64_t max, uint32_t *out)
{
	uint64_t number;

	if (!number_parse(text, 1, max, &number))
		return false;
	*out = number;
	return true;
}

static bool read_sources(char *text, struct load_options *options)
{
	char *slash = strchr(text, '/');

	if (!slash)
		return false;
	*slash = '\0';
	return addr_parse(text, &options->source) &&
	       read_number(slash + 1, 65536, &options->source_count);
}

static bool read_option(int option, struct load_options *options, const char **label)
{
	switch (option) {
	case 'l':
		*label = optarg;
		return true;
	case 'n':
		return read_number(optarg, LOAD_PARALLEL_MAX, &options->parallel);
	case 't':
		return read_number(optarg, 600000, &options->duration_ms);
	case 'w':
		return read_number(optarg, 600000, &options->warmup_ms);
	case 's':
		return read_sources(optarg, options);
	case 'f':
		options->has_fin = true;
		return true;
	default:
		return false;
	}
}

static bool read_arguments(int argc, char **argv, struct load_options *options, const char **label)
{
	uint32_t port;
	int option;

	while ((option = getopt(argc, argv, "l:n:t:w:s:f")) != -1) {
		if (!read_option(option, options, label))
			return false;
	}
	if (argc - optind != 2 || !addr_parse(argv[optind], &options->remote.addr) ||
	    !read_number(argv[optind + 1], 65535, &port))
		return false;
	options->remote.port = port;
	return true;
}

static void print_result(const char *label, const struct load_result *result)
{
	static const struct {
		const char *name;
		double share;
	} quantiles[] = {{"p50_us", 0.5}, {"p90_us", 0.9}, {"p99_us", 0.99}};

	printf("%s.failed %llu\n", label, (unsigned long long)result->failed);
	printf("%s.per_s %.1f\n", label, result->connections * 1e9 / result->counted_ns);
	for (size_t i = 0; i < sizeof(quantiles) / sizeof(quantiles[0]); i++)
		printf("%s.%s %.2f\n", label, quantiles[i].name,
		       histogram_quantile(&result->latency, quantiles[i].share) / 1000);
}

int main(int argc, char **argv)
{
	struct load_options options = {.warmup_ms = 200, .duration_ms = 1000, .parallel = 1};
	static struct load_result result;
	const char *label = "load";
	int err;

	if (!read_arguments(argc, argv, &options, &label)) {
		fprintf(stderr, "usage: load_client [-l LABEL] [-n NUMBER] [-t MS] [-w MS] "
				"[-s ADDRESS/COUNT] [-f] ADDRESS PORT\n");
		return 2;
	}
	err = load_wait_for_server(&options, SERVER_WAIT_MS);
	if (!err)
		err = load_run(&options, &result);
	if (!err && !result.connections)
		err = result.first_error ?: -ENODATA;
	if (err) {
		fprintf(stderr, "load_client: %s: %s\n", argv[optind], strerror(-err));
		return 1;
	}
	if (result.failed)
		fprintf(stderr, "load_client: %s: %llu connections failed, the first with: %s\n",
			label, (unsigned long long)result.failed, strerror(-result.first_error));
	print_result(label, &result);
	return 0;
}
