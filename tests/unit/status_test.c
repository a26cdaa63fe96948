/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Every counter that there is gets to who asks for the status, with what it means. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "snapshot.h"
#include "status.h"

#define FIRST_VALUE 70001 /* no part of another number that is printed */

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define WORDS(type) (sizeof(type) / sizeof(uint64_t))
#define SESSION_WORDS \
	(offsetof(struct session_stats, handshake) / sizeof(uint64_t)) /* times are no counters */

/* A number of its own for each, whether a list has it or not. */
static void fill(uint64_t *words, size_t count, uint64_t first)
{
	for (size_t i = 0; i < count; i++)
		words[i] = first + i;
}

/* What is printed of a status; to be freed. Takes the object. */
static char *print(json_t *status)
{
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	assert_non_null(out);
	assert_non_null(status);
	status_print(out, status);
	fclose(out);
	json_decref(status);
	return text;
}

static void assert_has_all(const char *text, uint64_t first, size_t count)
{
	char number[32];

	for (size_t i = 0; i < count; i++) {
		snprintf(number, sizeof(number), " %llu ", (unsigned long long)(first + i));
		if (!strstr(text, number))
			print_message("not printed: word %zu\n", i);
		assert_non_null(strstr(text, number));
	}
}

/* "    NAME       70001             MEANING" */
static void assert_line(const char *text, const char *name, const char *meaning)
{
	const char *line;
	char start[64], rest[256];

	snprintf(start, sizeof(start), "\n    %s ", name);
	line = strstr(text, start);
	if (!line)
		print_message("not printed: %s\n", name);
	assert_non_null(line);
	snprintf(rest, sizeof(rest), "%.*s", (int)strcspn(line + 1, "\n"), line + 1);
	if (!*meaning || !strstr(rest, meaning))
		print_message("without its meaning: %s\n", rest);
	assert_true(*meaning && strstr(rest, meaning));
}

static void prints_every_packet_counter_with_its_meaning(void **state)
{
	struct nol_stats stats;
	char *text;

	(void)state;
	fill((uint64_t *)&stats, WORDS(stats), FIRST_VALUE);
	text = print(json_pack("{s:o}", "counters", snapshot_packets_to_json(&stats)));
	assert_has_all(text, FIRST_VALUE, WORDS(stats));
#define CHECK(name, meaning) assert_line(text, #name, meaning);
	NOL_STATS(CHECK)
#undef CHECK
	free(text);
}

static void prints_every_session_counter_with_its_meaning(void **state)
{
	struct session_stats stats;
	char *text;

	(void)state;
	fill((uint64_t *)&stats, SESSION_WORDS, FIRST_VALUE);
	text = print(json_pack("{s:o}", "engine", snapshot_session_to_json(&stats)));
	assert_has_all(text, FIRST_VALUE, SESSION_WORDS);
#define CHECK(name, meaning) assert_line(text, #name, meaning);
	SESSION_STATS(CHECK)
#undef CHECK
	free(text);
}

static void prints_every_reason_with_its_meaning(void **state)
{
	struct session_stats stats = {0};
	char *text, name[64];

	(void)state;
	fill(stats.reasons, COUNT(stats.reasons), FIRST_VALUE);
	text = print(json_pack("{s:o}", "engine", snapshot_session_to_json(&stats)));
	for (int reason = 0; reason < ENGINE_REASON_COUNT; reason++) {
		snprintf(name, sizeof(name), "segment_%s", engine_reason_text(reason));
		assert_line(text, name, engine_reason_meaning(reason));
	}
	free(text);
}

static void prints_what_was_refused_and_lost(void **state)
{
	char *text = print(json_pack("{s:i, s:i}", "refused", 3, "events_lost", 7));

	(void)state;
	assert_non_null(strstr(text, "refused      3 connections"));
	assert_non_null(strstr(text, "events lost  7 lines"));
	free(text);
}

static void prints_where_a_loader_listens(void **state)
{
	char *text = print(json_pack("{s:[s, s]}", "parents", "[100::1]:4000", "[100::1]:4001"));

	(void)state;
	assert_non_null(strstr(text, "\n  listens on   [100::1]:4000, [100::1]:4001\n"));
	free(text);
	text = print(json_pack("{s:[]}", "parents"));
	assert_null(strstr(text, "listens"));
	free(text);
}

static void a_snapshot_has_its_parents(void **state)
{
	static const struct port_set ports;
	struct snapshot snapshot = {.ifname = "eth0",
				    .xdp = "none",
				    .tc = "tcx",
				    .service = "echo",
				    .ports = &ports,
				    .parent_count = 1};
	json_t *json;

	(void)state;
	assert_true(endpoint_parse("[100::1]:4000", &snapshot.parents[0]));
	json = snapshot_to_json(&snapshot);
	assert_string_equal(json_string_value(json_array_get(json_object_get(json, "parents"), 0)),
			    "[100::1]:4000");
	assert_int_equal(json_array_size(json_object_get(json, "parents")), 1);
	json_decref(json);
}

static void tells_the_shared_keys_apart(void **state)
{
	static const struct port_set ports;
	const struct snapshot snapshot = {.ifname = "eth0",
					  .xdp = "none",
					  .tc = "tcx",
					  .service = "echo",
					  .ports = &ports,
					  .cookie_keys = {0x1a2b3c4d, 0x5e},
					  .cookie_key_count = 2};
	char *text = print(snapshot_to_json(&snapshot));

	(void)state;
	assert_non_null(strstr(text, "\n  cookie keys  1a2b3c4d, 0000005e\n"));
	free(text);
	text = print(json_pack("{s:[]}", "cookie_keys"));
	assert_null(strstr(text, "cookie keys"));
	free(text);
}

static void leaves_out_what_is_0(void **state)
{
	const struct session_stats session = {.established = 1};
	const struct nol_stats packets = {0};
	char *text = print(json_pack("{s:o, s:o}", "counters", snapshot_packets_to_json(&packets),
				     "engine", snapshot_session_to_json(&session)));

	(void)state;
	assert_line(text, "established", "handshakes completed");
	assert_line(text, "lost_ring_full", "lost: ");
	assert_null(strstr(text, "segment_"));
	assert_null(strstr(text, "rst_stale"));
	assert_null(strstr(text, "refused"));
	assert_null(strstr(text, "events lost"));
	free(text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(prints_every_packet_counter_with_its_meaning),
		cmocka_unit_test(prints_every_session_counter_with_its_meaning),
		cmocka_unit_test(prints_every_reason_with_its_meaning),
		cmocka_unit_test(prints_what_was_refused_and_lost),
		cmocka_unit_test(prints_where_a_loader_listens),
		cmocka_unit_test(a_snapshot_has_its_parents),
		cmocka_unit_test(tells_the_shared_keys_apart),
		cmocka_unit_test(leaves_out_what_is_0),
	};

	return cmocka_run_group_tests_name("status", tests, NULL, NULL);
}
