/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Statements as nft would print them, near enough to find the rule by. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "firewall_nft.h"

static void print_value(FILE *out, const json_t *json);

static void print_list(FILE *out, const json_t *list, const char *separator)
{
	const json_t *one;
	size_t index;

	json_array_foreach(list, index, one)
	{
		if (index)
			fputs(separator, out);
		print_value(out, one);
	}
}

static const char *member(const json_t *json, const char *object, const char *key)
{
	const char *text = json_string_value(json_object_get(json_object_get(json, object), key));

	return text ? text : "";
}

static void print_object(FILE *out, const json_t *json)
{
	const json_t *body;

	if (json_object_get(json, "payload"))
		fprintf(out, "%s %s", member(json, "payload", "protocol"),
			member(json, "payload", "field"));
	else if (json_object_get(json, "meta"))
		fprintf(out, "%s", member(json, "meta", "key"));
	else if (json_object_get(json, "ct"))
		fprintf(out, "ct %s", member(json, "ct", "key"));
	else if (json_object_get(json, "fib"))
		fprintf(out, "fib %s", member(json, "fib", "result"));
	else if ((body = json_object_get(json, "set")))
		fputs("{ ", out), print_list(out, body, ", "), fputs(" }", out);
	else if ((body = json_object_get(json, "range")))
		print_list(out, body, "-");
	else if ((body = json_object_get(json, "concat")))
		print_list(out, body, " . ");
	else if ((body = json_object_get(json, "&")))
		print_list(out, body, " & ");
	else if ((body = json_object_get(json, "prefix")))
		fprintf(out, "%s/%lld", member(json, "prefix", "addr"),
			(long long)json_integer_value(json_object_get(body, "len")));
	else
		fputs("...", out);
}

static void print_value(FILE *out, const json_t *json)
{
	if (json_is_string(json))
		fputs(json_string_value(json), out);
	else if (json_is_integer(json))
		fprintf(out, "%lld", (long long)json_integer_value(json));
	else if (json_is_array(json))
		print_list(out, json, ",");
	else
		print_object(out, json);
}

static void print_match(FILE *out, const json_t *match)
{
	const char *op = json_string_value(json_object_get(match, "op"));

	print_value(out, json_object_get(match, "left"));
	fprintf(out, " %s%s", op && strcmp(op, "==") && strcmp(op, "in") ? op : "",
		op && strcmp(op, "==") && strcmp(op, "in") ? " " : "");
	print_value(out, json_object_get(match, "right"));
}

static void print_statement(FILE *out, const char *name, const json_t *body)
{
	const char *target = json_string_value(json_object_get(body, "target"));
	char *to;

	if (!strcmp(name, "match")) {
		print_match(out, body);
	} else if (!strcmp(name, "dnat") || !strcmp(name, "redirect")) {
		to = nft_text_of_target(body);
		fprintf(out, "%s to %s", name, to ? to : "");
		free(to);
	} else if (!strcmp(name, "xt")) {
		to = json_string_value(json_object_get(body, "name"))
			     ? strdup(json_string_value(json_object_get(body, "name")))
			     : NULL;
		fprintf(out, "xt %s", to ? to : "...");
		free(to);
	} else if (!strcmp(name, "vmap")) {
		print_value(out, json_object_get(body, "key"));
		fputs(" vmap", out);
	} else {
		fprintf(out, "%s%s%s", name, target ? " " : "", target ? target : "");
	}
}

char *nft_text_of_rule(const json_t *statements)
{
	const json_t *statement;
	char *text = NULL;
	size_t len, index;
	FILE *out = open_memstream(&text, &len);
	bool is_first = true;

	if (!out)
		return NULL;
	json_array_foreach(statements, index, statement)
	{
		const char *name = json_object_iter_key(json_object_iter((json_t *)statement));

		if (!name || !strcmp(name, "counter") || !strcmp(name, "log"))
			continue;
		fputs(is_first ? "" : " ", out);
		is_first = false;
		print_statement(out, name, json_object_get(statement, name));
	}
	return fclose(out) ? NULL : text;
}

char *nft_text_of_target(const json_t *body)
{
	const json_t *addr = json_object_get(body, "addr"), *port = json_object_get(body, "port");
	char *text = NULL;
	size_t len;
	FILE *out = open_memstream(&text, &len);

	if (!out)
		return NULL;
	if (json_is_object(addr) && !json_object_get(addr, "range") &&
	    !json_object_get(addr, "prefix"))
		fputs("what a map says", out);
	else if (addr)
		print_value(out, addr);
	if (port) {
		fputc(':', out);
		print_value(out, port);
	}
	return fclose(out) ? NULL : text;
}
