/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "choose.h"

#include <errno.h>
#include <string.h>

#include "log.h"
#include "name_list.h"
#include "sheet.h"

static bool is_measure(const struct cast *cast, const char *word, size_t len)
{
	(void)cast;
	for (const struct sheet *sheet = sheet_table; sheet->name; sheet++)
		if (strlen(sheet->name) == len && !strncmp(sheet->name, word, len))
			return true;
	return strlen(HANDOFF_MEASURE) == len && !strncmp(HANDOFF_MEASURE, word, len);
}

static bool is_contender(const struct cast *cast, const char *word, size_t len)
{
	for (unsigned int i = 0; i < cast->count; i++)
		if (strlen(cast->all[i].name) == len && !strncmp(cast->all[i].name, word, len))
			return true;
	return false;
}

static int check_list(const struct cast *cast, const char *option, const char *list,
		      bool (*is_known)(const struct cast *cast, const char *word, size_t len))
{
	while (list && *list) {
		const size_t len = strcspn(list, ",");

		if (!is_known(cast, list, len)) {
			log_error("bench: %s: '%.*s': there is no such thing (see --help)", option,
				  (int)len, list);
			return -EINVAL;
		}
		list += len;
		list += *list == ',';
	}
	return 0;
}

static int add_peer(struct cast *cast, char *peer)
{
	char *colon = strchr(peer, ':');

	if (!colon || colon == peer || !colon[1]) {
		log_error("bench: --peer: '%s': it has to be NAME:COMMAND", peer);
		return -EINVAL;
	}
	if (cast->count == CONTENDERS_MAX) {
		log_error("bench: --peer: '%s': there are too many", peer);
		return -EINVAL;
	}
	*colon = '\0';
	if (strlen(peer) > 16 || is_contender(cast, peer, strlen(peer))) {
		log_error("bench: --peer: '%s': the name is taken or too long", peer);
		return -EINVAL;
	}
	cast->all[cast->count++] = (struct contender){
		.name = peer, .text = colon + 1, .kind = CONTENDER_PEER, .command = colon + 1};
	return 0;
}

static bool is_chosen(const char *methods, const struct contender *contender)
{
	if (contender->kind == CONTENDER_PEER)
		return true;
	return methods ? name_list_has(methods, contender->name) : !contender->is_unasked;
}

static void keep_chosen(struct cast *cast, const char *methods)
{
	unsigned int kept = 0;

	for (unsigned int i = 0; i < cast->count; i++)
		if (is_chosen(methods, &cast->all[i]))
			cast->all[kept++] = cast->all[i];
	cast->count = kept;
}

/* Few, and those well. */
static const char *methods_of(const struct bench_options *options)
{
	if (!options->methods && options->is_quick)
		return "listen,echo,auto,engine,accept";
	return options->methods;
}

int choose_contenders(struct cast *cast, const struct bench_options *options)
{
	const char *methods = methods_of(options);
	int err = 0;

	for (const struct contender *contender = contender_table; contender->name; contender++)
		cast->all[cast->count++] = *contender;
	for (unsigned int i = 0; !err && i < options->peer_count; i++)
		err = add_peer(cast, options->peers[i]);
	if (!err)
		err = check_list(cast, "--methods", methods, is_contender);
	if (!err)
		err = check_list(cast, "--only", options->only, is_measure);
	if (!err)
		keep_chosen(cast, methods);
	return err;
}
