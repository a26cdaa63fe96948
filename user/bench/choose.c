/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "choose.h"

#include <errno.h>
#include <string.h>

#include "log.h"
#include "measure.h"

bool choose_is_in_list(const char *list, const char *name)
{
	const size_t len = strlen(name);

	while (*list) {
		const size_t word_len = strcspn(list, ",");

		if (word_len == len && !strncmp(list, name, len))
			return true;
		list += word_len;
		list += *list == ',';
	}
	return false;
}

bool choose_has_measure(const struct bench_options *options, const char *name)
{
	return !options->only || choose_is_in_list(options->only, name);
}

static bool is_measure(const struct bench *bench, const char *word, size_t len)
{
	(void)bench;
	for (const struct measure *measure = measure_table; measure->name; measure++)
		if (strlen(measure->name) == len && !strncmp(measure->name, word, len))
			return true;
	return strlen(HANDOFF_MEASURE) == len && !strncmp(HANDOFF_MEASURE, word, len);
}

static bool is_contender(const struct bench *bench, const char *word, size_t len)
{
	for (unsigned int i = 0; i < bench->contender_count; i++)
		if (strlen(bench->contenders[i].name) == len &&
		    !strncmp(bench->contenders[i].name, word, len))
			return true;
	return false;
}

static int check_list(const struct bench *bench, const char *option, const char *list,
		      bool (*is_known)(const struct bench *bench, const char *word, size_t len))
{
	while (list && *list) {
		const size_t len = strcspn(list, ",");

		if (!is_known(bench, list, len)) {
			log_error("bench: %s: '%.*s': there is no such thing (see --help)", option,
				  (int)len, list);
			return -EINVAL;
		}
		list += len;
		list += *list == ',';
	}
	return 0;
}

static int add_peer(struct bench *bench, char *peer)
{
	char *colon = strchr(peer, ':');

	if (!colon || colon == peer || !colon[1]) {
		log_error("bench: --peer: '%s': it has to be NAME:COMMAND", peer);
		return -EINVAL;
	}
	if (bench->contender_count == CONTENDERS_MAX) {
		log_error("bench: --peer: '%s': there are too many", peer);
		return -EINVAL;
	}
	*colon = '\0';
	if (strlen(peer) > 16 || is_contender(bench, peer, strlen(peer))) {
		log_error("bench: --peer: '%s': the name is taken or too long", peer);
		return -EINVAL;
	}
	bench->contenders[bench->contender_count++] = (struct contender){
		.name = peer, .text = colon + 1, .kind = CONTENDER_PEER, .command = colon + 1};
	return 0;
}

static bool is_chosen(const struct bench *bench, const struct contender *contender)
{
	const char *methods = bench->options->methods;

	return !methods || contender->kind == CONTENDER_PEER ||
	       choose_is_in_list(methods, contender->name);
}

static void keep_chosen(struct bench *bench)
{
	unsigned int kept = 0;

	for (unsigned int i = 0; i < bench->contender_count; i++)
		if (is_chosen(bench, &bench->contenders[i]))
			bench->contenders[kept++] = bench->contenders[i];
	bench->contender_count = kept;
}

int choose_contenders(struct bench *bench)
{
	const struct bench_options *options = bench->options;
	int err = 0;

	for (const struct contender *contender = contender_table; contender->name; contender++)
		bench->contenders[bench->contender_count++] = *contender;
	for (unsigned int i = 0; !err && i < options->peer_count; i++)
		err = add_peer(bench, options->peers[i]);
	if (!err)
		err = check_list(bench, "--methods", options->methods, is_contender);
	if (!err)
		err = check_list(bench, "--only", options->only, is_measure);
	if (!err)
		keep_chosen(bench);
	return err;
}
