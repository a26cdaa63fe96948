/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What the small tools of the tests share. Each is one program, so these are static. */
#ifndef NOLISTEN_TESTS_TOOL_H
#define NOLISTEN_TESTS_TOOL_H

#include <errno.h>
#include <netdb.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>

#define TOOL_UNUSED __attribute__((unused))

/* Says what failed with errno's reason, and ends the program. */
TOOL_UNUSED __attribute__((noreturn)) static void fail(const char *what)
{
	fprintf(stderr, "%s: %s: %s\n", program_invocation_short_name, what, strerror(errno));
	exit(1);
}

TOOL_UNUSED __attribute__((noreturn)) static void usage(const char *arguments)
{
	fprintf(stderr, "usage: %s %s\n", program_invocation_short_name, arguments);
	exit(2);
}

/* A numeric address and port; -1 family-independent errors end the program. */
TOOL_UNUSED static socklen_t resolve(const char *host, const char *port,
				     struct sockaddr_storage *out)
{
	const struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_flags = AI_NUMERICHOST};
	struct addrinfo *found;
	socklen_t len;
	int err = getaddrinfo(host, port, &hints, &found);

	if (err) {
		fprintf(stderr, "%s %s: %s\n", host, port, gai_strerror(err));
		exit(2);
	}
	len = found->ai_addrlen;
	memcpy(out, found->ai_addr, len);
	freeaddrinfo(found);
	return len;
}

TOOL_UNUSED static uint64_t timespec_ms(const struct timespec *time)
{
	return (uint64_t)time->tv_sec * 1000 + (uint64_t)time->tv_nsec / 1000000;
}

TOOL_UNUSED static uint64_t clock_ms(clockid_t clock)
{
	struct timespec now;

	clock_gettime(clock, &now);
	return timespec_ms(&now);
}

TOOL_UNUSED static uint64_t now_ms(void)
{
	return clock_ms(CLOCK_MONOTONIC);
}

/* As many descriptors as the hard limit allows. */
TOOL_UNUSED static void raise_descriptor_limit(void)
{
	struct rlimit limit;

	getrlimit(RLIMIT_NOFILE, &limit);
	limit.rlim_cur = limit.rlim_max;
	setrlimit(RLIMIT_NOFILE, &limit);
}

/* Byte number offset of the stream with that seed: what the sender sends and the receiver expects. */
TOOL_UNUSED static void fill_pattern(uint8_t *out, size_t len, uint64_t seed, uint64_t offset)
{
	size_t i = 0;

	while (i < len) {
		uint64_t word = (offset + i) / 8 + (seed << 40);
		size_t in_word = (offset + i) % 8;

		word *= 0x9e3779b97f4a7c15ull;
		word ^= word >> 29;
		for (; in_word < 8 && i < len; in_word++, i++)
			out[i] = (uint8_t)(word >> (8 * in_word));
	}
}

#endif
