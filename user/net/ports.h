/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* A set of TCP ports and its text: "80,443,8000-8999" or "all" (1 to 65535). */
#ifndef NOLISTEN_PORTS_H
#define NOLISTEN_PORTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct port_set {
	uint64_t words[65536 / 64]; /* port p is bit p % 64 of word p / 64 */
};

/* false: *error (a constant text) says what is wrong, such as "ports go from 1 to 65535". */
bool port_set_parse(const char *text, struct port_set *out, const char **error);
bool port_set_has(const struct port_set *set, uint16_t port);
void port_set_add(struct port_set *set, uint16_t port);
void port_set_unite(struct port_set *set, const struct port_set *other); /* those of both */
void port_set_subtract(struct port_set *set, const struct port_set *other); /* but those of it */
unsigned int port_set_count(const struct port_set *set);
/* The shortest text for it, cut with "..." if it does not fit. */
void port_set_format(const struct port_set *set, char *text, size_t size);

#endif
