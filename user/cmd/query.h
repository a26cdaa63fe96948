/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What flows and status share: their arguments, and asking one loader or all. */
#ifndef NOLISTEN_QUERY_H
#define NOLISTEN_QUERY_H

#include <stdbool.h>

#include <jansson.h>

#include "option.h"

struct query {
	const char *command; /* as the loader knows it */
	bool is_json; /* -j */
	const char *ifname; /* NULL: all loaders of this network namespace */
};

/* The row of -j, where the query is a member of type's. */
#define QUERY_JSON(type, member)                                                        \
	{                                                                               \
		"json", 'j', NULL, "JSON instead of text for people", option_take_flag, \
			OPTION_FIELD(type, member.is_json)                              \
	}

/* [-j] [IFACE]: they fill a struct query. */
extern const struct option_row query_options[], query_arguments[];
#define QUERY_USAGE "[-j] [IFACE]"

/*
 * Ask; with -j print what comes, else call fn for each object. 0 or -errno, logged: -ECONNREFUSED when nobody
 * is there to ask.
 */
int query_run(const struct query *query, void (*fn)(void *context, const json_t *object),
	      void *context);

/* Members of an object, or what stands for nothing. */
const char *query_text(const json_t *object, const char *key);
long long query_number(const json_t *object, const char *key);

#endif
