/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Samples, their names in both forms, and histograms; whether the page is valid is for the collectors' own tools to say. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "metrics_server.h"
#include "openmetrics.h"
#include "snapshot.h"

static struct snapshot snapshot_of(const char *ifname, const struct port_set *ports)
{
	return (struct snapshot){
		.ifname = ifname,
		.up_ns = 1500000000,
		.xdp = "native",
		.tc = "tcx",
		.service = "banner:a secret",
		.ports = ports,
	};
}

/* The page of these; to be freed. */
static char *page_of(const struct snapshot *snapshots, size_t count, enum openmetrics_form form)
{
	json_t *statuses = json_array();
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	assert_non_null(out);
	for (size_t i = 0; i < count; i++)
		assert_int_equal(json_array_append_new(statuses, snapshot_to_json(&snapshots[i])),
				 0);
	openmetrics_write(out, statuses, form);
	fclose(out);
	json_decref(statuses);
	return text;
}

static void assert_line(const char *page, const char *line)
{
	const char *at = strstr(page, line);

	if (!at)
		print_message("not there: %s\n", line);
	assert_non_null(at);
	assert_true(at == page || at[-1] == '\n');
	assert_int_equal(at[strlen(line)], '\n');
}

static void a_counter_is_named_as_each_form_wants_it(void **state)
{
	struct port_set ports = {0};
	struct snapshot snapshot = snapshot_of("eth0", &ports);
	char *page;

	(void)state;
	snapshot.packets.held_syn = 70001;
	page = page_of(&snapshot, 1, OPENMETRICS_TEXT);
	assert_line(page, "# TYPE nolisten_packets_held_syn_total counter");
	assert_line(page, "nolisten_packets_held_syn_total{interface=\"eth0\"} 70001");
	assert_null(strstr(page, "# EOF"));
	free(page);
	page = page_of(&snapshot, 1, OPENMETRICS_1_0);
	assert_line(page, "# TYPE nolisten_packets_held_syn counter");
	assert_line(page, "nolisten_packets_held_syn_total{interface=\"eth0\"} 70001");
	assert_line(page, "# EOF");
	free(page);
}

static void a_large_counter_loses_no_digit(void **state)
{
	struct port_set ports = {0};
	struct snapshot snapshot = snapshot_of("eth0", &ports);
	char *page;

	(void)state;
	snapshot.sum.session.handed_off = 123456789012345;
	page = page_of(&snapshot, 1, OPENMETRICS_1_0);
	assert_line(page, "nolisten_session_handed_off_total{interface=\"eth0\"} 123456789012345");
	free(page);
}

static void of_the_service_only_its_kind_is_told(void **state)
{
	struct port_set ports = {0};
	const struct snapshot snapshot = snapshot_of("eth0", &ports);
	char *page = page_of(&snapshot, 1, OPENMETRICS_1_0);

	(void)state;
	assert_non_null(strstr(page, ",service=\"banner\"} 1\n"));
	assert_null(strstr(page, "secret"));
	free(page);
}

static void an_interface_may_have_any_name(void **state)
{
	struct port_set ports = {0};
	const struct snapshot snapshot = snapshot_of("a\"b\\c", &ports);
	char *page = page_of(&snapshot, 1, OPENMETRICS_1_0);

	(void)state;
	assert_line(page, "nolisten_uptime_seconds{interface=\"a\\\"b\\\\c\"} 1.5");
	free(page);
}

static void samples_of_one_name_stand_together(void **state)
{
	struct port_set ports = {0};
	const struct snapshot snapshots[] = {snapshot_of("eth0", &ports),
					     snapshot_of("eth1", &ports)};
	char *page = page_of(snapshots, 2, OPENMETRICS_1_0);

	(void)state;
	assert_non_null(strstr(page, "nolisten_uptime_seconds{interface=\"eth0\"} 1.5\n"
				     "nolisten_uptime_seconds{interface=\"eth1\"} 1.5\n"));
	free(page);
}

/* Times count for the first bound that they do not exceed, and buckets for all above. */
static void buckets_are_sums_of_those_below(void **state)
{
	struct port_set ports = {0};
	struct snapshot snapshot = snapshot_of("eth0", &ports);
	struct times *times = &snapshot.sum.session.handoff;
	char *page;

	(void)state;
	times_add(times, -1);
	times_add(times, 0);
	times_add(times, 50);
	times_add(times, 51);
	times_add(times, 1000000000);
	page = page_of(&snapshot, 1, OPENMETRICS_1_0);
	assert_line(page, "nolisten_handoff_seconds_bucket{interface=\"eth0\",le=\"1e-05\"} 1");
	assert_line(page, "nolisten_handoff_seconds_bucket{interface=\"eth0\",le=\"5e-05\"} 2");
	assert_line(page, "nolisten_handoff_seconds_bucket{interface=\"eth0\",le=\"0.0001\"} 3");
	assert_line(page, "nolisten_handoff_seconds_bucket{interface=\"eth0\",le=\"10\"} 3");
	assert_line(page, "nolisten_handoff_seconds_bucket{interface=\"eth0\",le=\"+Inf\"} 4");
	assert_line(page, "nolisten_handoff_seconds_count{interface=\"eth0\"} 4");
	assert_line(page, "nolisten_handoff_seconds_sum{interface=\"eth0\"} 1000.000101");
	free(page);
}

static void times_are_united(void **state)
{
	struct times sum = {0}, other = {0};

	(void)state;
	times_add(&sum, 15);
	times_add(&other, 15);
	times_add(&other, 20000000);
	times_unite(&sum, &other);
	assert_int_equal(sum.buckets[1], 2);
	assert_int_equal(sum.buckets[TIMES_BOUNDS], 1);
	assert_int_equal(sum.sum_us, 20000030);
}

static void places_are_checked(void **state)
{
	static const char *const good[] = {"127.0.0.1:9469", "[::1]:1", ":65535", "unix:/x",
					   "unix:x"};
	static const char *const bad[] = {"",	     "9469",   ":0",	":65536",
					  "1.2.3.4", "host:1", "unix:", "::1:1"};
	char path[200] = "unix:";
	const char *why;

	(void)state;
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++)
		assert_true(metrics_address_check(good[i], &why));
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_false(metrics_address_check(bad[i], &why));
	memset(path + 5, 'x', 107);
	assert_true(metrics_address_check(path, &why));
	path[5 + 107] = 'x';
	assert_false(metrics_address_check(path, &why));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_counter_is_named_as_each_form_wants_it),
		cmocka_unit_test(a_large_counter_loses_no_digit),
		cmocka_unit_test(of_the_service_only_its_kind_is_told),
		cmocka_unit_test(an_interface_may_have_any_name),
		cmocka_unit_test(samples_of_one_name_stand_together),
		cmocka_unit_test(buckets_are_sums_of_those_below),
		cmocka_unit_test(times_are_united),
		cmocka_unit_test(places_are_checked),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
