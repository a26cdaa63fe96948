/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Words with commas between, in p0f's names. */
#include "tcpopt_layout.h"

#include <stddef.h>
#include <string.h>

static const struct word {
	const char *text;
	uint8_t kind, len;
	bool is_repeatable;
} words[] = {
	{"mss", TCPOPT_KIND_MSS, 4, false},	   {"sok", TCPOPT_KIND_SACK_PERMITTED, 2, false},
	{"ts", TCPOPT_KIND_TIMESTAMPS, 10, false}, {"nop", TCPOPT_KIND_NOP, 1, true},
	{"ws", TCPOPT_KIND_WSCALE, 3, false},	   {"eol", TCPOPT_KIND_END, 1, true},
};

#define WORDS (sizeof(words) / sizeof(words[0]))

static const struct word *find_text(const char *text, size_t len)
{
	for (size_t i = 0; i < WORDS; i++) {
		if (strlen(words[i].text) == len && !memcmp(words[i].text, text, len))
			return &words[i];
	}
	return NULL;
}

static const struct word *find_kind(uint8_t kind)
{
	for (size_t i = 0; i < WORDS; i++) {
		if (words[i].kind == kind)
			return &words[i];
	}
	return NULL;
}

bool tcpopt_layout_has(const struct tcpopt_layout *layout, enum tcpopt_kind kind)
{
	return memchr(layout->kinds, kind, layout->count);
}

enum tcpopt_layout_error tcpopt_layout_check(const struct tcpopt_layout *layout)
{
	struct tcpopt_layout before = {0};
	size_t len = 0;

	if (layout->count > TCPOPT_MAX_SIZE)
		return TCPOPT_LAYOUT_LONG;
	for (uint8_t i = 0; i < layout->count; i++) {
		const struct word *word = find_kind(layout->kinds[i]);

		if (!word)
			return TCPOPT_LAYOUT_UNKNOWN;
		if (!word->is_repeatable && tcpopt_layout_has(&before, word->kind))
			return TCPOPT_LAYOUT_TWICE;
		if (word->kind != TCPOPT_KIND_END && tcpopt_layout_has(&before, TCPOPT_KIND_END))
			return TCPOPT_LAYOUT_BEHIND_END;
		before.kinds[before.count++] = word->kind;
		len += word->len;
	}
	return len > TCPOPT_MAX_SIZE ? TCPOPT_LAYOUT_LONG : TCPOPT_LAYOUT_OK;
}

enum tcpopt_layout_error tcpopt_layout_parse(const char *text, struct tcpopt_layout *out)
{
	struct tcpopt_layout layout = {0};
	enum tcpopt_layout_error error;

	if (strcmp(text, "none")) {
		for (const char *end;; text = end + 1) {
			const struct word *word;

			end = strchrnul(text, ',');
			word = find_text(text, (size_t)(end - text));
			if (!word)
				return TCPOPT_LAYOUT_UNKNOWN;
			if (layout.count == TCPOPT_MAX_SIZE)
				return TCPOPT_LAYOUT_LONG;
			layout.kinds[layout.count++] = word->kind;
			if (!*end)
				break;
		}
	}
	error = tcpopt_layout_check(&layout);
	if (!error)
		*out = layout;
	return error;
}
