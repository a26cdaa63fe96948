/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* A set of ports as a bitmap, and its text. */
#include "ports.h"

#include <stdio.h>
#include <string.h>

#include "numbers.h"

#define PORT_MAX 65535u
#define ITEM_SIZE sizeof("65535-65535")

static const char error_empty[] = "no port is given";
static const char error_missing[] = "a port is missing before or after a comma";
static const char error_syntax[] = "neither a port, nor a range such as 8000-8999, nor \"all\"";
static const char error_range[] = "ports go from 1 to 65535";
static const char error_order[] = "a range goes from the lower port to the higher one";

static bool is_digits(const char *text)
{
	return *text && !text[strspn(text, "0123456789")];
}

static bool parse_port(const char *text, unsigned int *out, const char **error)
{
	uint64_t port;

	if (!number_parse(text, 1, PORT_MAX, &port)) {
		*error = is_digits(text) ? error_range : error_syntax;
		return false;
	}
	*out = (unsigned int)port;
	return true;
}

/* "80" or "8000-8999"; item is changed. */
static bool add_item(char *item, struct port_set *set, const char **error)
{
	char *second = strchr(item, '-');
	unsigned int first, last;

	if (second)
		*second++ = '\0';
	if (!parse_port(item, &first, error) || !parse_port(second ? second : item, &last, error))
		return false;
	if (first > last) {
		*error = error_order;
		return false;
	}
	for (; first <= last; first++)
		port_set_add(set, (uint16_t)first);
	return true;
}

/* The next item of the list goes to item; what follows its comma, or NULL at the end, to *rest. */
static bool take_item(const char **rest, char item[ITEM_SIZE], const char **error)
{
	size_t len = strcspn(*rest, ",");

	if (!len || len >= ITEM_SIZE) {
		*error = len ? error_syntax : error_missing;
		return false;
	}
	memcpy(item, *rest, len);
	item[len] = '\0';
	*rest = (*rest)[len] ? *rest + len + 1 : NULL;
	return true;
}

bool port_set_parse(const char *text, struct port_set *out, const char **error)
{
	bool is_all = !strcmp(text, "all");
	const char *rest = is_all ? "1-65535" : text;
	struct port_set set = {};
	char item[ITEM_SIZE];

	if (!*text) {
		*error = error_empty;
		return false;
	}
	while (rest) {
		if (!take_item(&rest, item, error) || !add_item(item, &set, error))
			return false;
	}
	*out = set;
	return true;
}

bool port_set_has(const struct port_set *set, uint16_t port)
{
	return set->words[port / 64] >> port % 64 & 1;
}

void port_set_add(struct port_set *set, uint16_t port)
{
	set->words[port / 64] |= 1ull << port % 64;
}

void port_set_unite(struct port_set *set, const struct port_set *other)
{
	for (size_t i = 0; i < sizeof(set->words) / sizeof(set->words[0]); i++)
		set->words[i] |= other->words[i];
}

void port_set_subtract(struct port_set *set, const struct port_set *other)
{
	for (size_t i = 0; i < sizeof(set->words) / sizeof(set->words[0]); i++)
		set->words[i] &= ~other->words[i];
}

unsigned int port_set_count(const struct port_set *set)
{
	unsigned int count = 0;
	size_t i;

	for (i = 0; i < sizeof(set->words) / sizeof(set->words[0]); i++)
		count += (unsigned int)__builtin_popcountll(set->words[i]);
	return count;
}

/* The first run of ports from *port on; *port becomes the one behind it. false: there is none. */
static bool find_run(const struct port_set *set, unsigned int *port, char item[ITEM_SIZE])
{
	unsigned int first = *port, last;

	while (first <= PORT_MAX && !port_set_has(set, (uint16_t)first))
		first++;
	if (first > PORT_MAX)
		return false;
	last = first;
	while (last < PORT_MAX && port_set_has(set, (uint16_t)(last + 1)))
		last++;
	/* "80,81" is as short as "80-81" and says more plainly what it is. */
	if (last == first + 1)
		last = first;
	if (last == first)
		snprintf(item, ITEM_SIZE, "%hu", (uint16_t)first);
	else
		snprintf(item, ITEM_SIZE, "%hu-%hu", (uint16_t)first, (uint16_t)last);
	*port = last + 1;
	return true;
}

static void format_items(const struct port_set *set, char *text, size_t size)
{
	static const char dots[] = ",...";
	size_t len = 0, cut = 0; /* cut: the longest whole text that leaves room for the dots */
	char item[ITEM_SIZE];
	unsigned int port = 0;

	while (find_run(set, &port, item)) {
		int written = snprintf(text + len, size - len, "%s%s", len ? "," : "", item);

		if ((size_t)written >= size - len) {
			snprintf(text + cut, size - cut, "%s", cut ? dots : dots + 1);
			return;
		}
		len += (size_t)written;
		if (len + sizeof(dots) <= size)
			cut = len;
	}
}

void port_set_format(const struct port_set *set, char *text, size_t size)
{
	if (!size)
		return;
	*text = '\0';
	if (port_set_count(set) == PORT_MAX && !port_set_has(set, 0))
		snprintf(text, size, "all");
	else
		format_items(set, text, size);
}
