/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "privilege_options.h"

#include "confine.h"

enum {
	DROP,
	KEEP
};

const struct option_word privilege_words[] = {{"drop", DROP}, {"keep", KEEP}, {0}};

int privilege_options_take_user(struct option_parse *parse, const struct option_row *row,
				const char *arg)
{
	const char *why;

	if (run_as_parse(arg, option_field(parse, row), &why))
		return 0;
	return option_refuse(parse, arg, "%s", why);
}

int privilege_options_take(struct option_parse *parse, const struct option_row *row,
			   const char *arg)
{
	struct confine_config *config = option_field(parse, row);
	struct option_parse of_word = *parse;
	struct option_row into_word = *row;
	int word = DROP, err;

	into_word.offset = 0;
	of_word.options = &word;
	err = option_take_word(&of_word, &into_word, arg);
	config->keeps_all = word == KEEP;
	return err;
}
