/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Rates, percentiles and order out of two answers. */
#include <string.h>

#include "unit/cmocka_setup.h"

#include "figures.h"
#include "view.h"

static struct reading now, before;
static struct figures figures;

static int teardown(void **state)
{
	(void)state;
	reading_clear(&now);
	reading_clear(&before);
	return 0;
}

static void set(struct reading *reading, uint64_t at_ns, const char *json)
{
	reading_clear(reading);
	reading->status = json_loads(json, 0, NULL);
	reading->at_ns = at_ns;
	assert_non_null(reading->status);
}

static void a_rate_is_of_the_time_in_between(void **state)
{
	(void)state;
	set(&before, 1000000000,
	    "{\"pid\":7,\"uptime_s\":1,\"counters\":{\"cookie_sent\":100,\"lost_syn\":5},\"engine\":{\"syn\":10}}");
	set(&now, 3000000000,
	    "{\"pid\":7,\"uptime_s\":3,\"counters\":{\"cookie_sent\":400,\"lost_syn\":5,\"lost_stray\":3},\"engine\":{\"syn\":30}}");
	figures_read(&figures, &now, &before, SORT_FLOWS);
	assert_int_equal(figures.rates[FIGURE_SYN].total, 430);
	assert_true(figures.rates[FIGURE_SYN].per_s == 160);
	assert_int_equal(figures.drop_count, 2);
	assert_string_equal(figures.drops[0].name, "lost_stray");
	assert_true(figures.drops[0].per_s == 1.5 && figures.drops[1].per_s == 0);
}

static void another_loader_is_nothing_to_compare_with(void **state)
{
	(void)state;
	set(&before, 1, "{\"pid\":7,\"uptime_s\":9,\"engine\":{\"established\":100}}");
	set(&now, 1000000001, "{\"pid\":8,\"uptime_s\":1,\"engine\":{\"established\":3}}");
	figures_read(&figures, &now, &before, SORT_FLOWS);
	assert_true(figures.interval_s == 0 && figures.rates[FIGURE_ESTABLISHED].per_s < 0);
	figures_read(&figures, &now, &(struct reading){0}, SORT_FLOWS);
	assert_true(figures.rates[FIGURE_ESTABLISHED].per_s < 0);
}

static void percentiles_are_of_the_time_in_between_if_there_were_any(void **state)
{
	(void)state;
	set(&before, 1,
	    "{\"pid\":7,\"handoff_times\":{\"at_most_us\":[10,20,50],\"counts\":[1000,0,0],\"more\":0}}");
	set(&now, 2,
	    "{\"pid\":7,\"handoff_times\":{\"at_most_us\":[10,20,50],\"counts\":[1001,98,0],\"more\":1}}");
	figures_read(&figures, &now, &before, SORT_FLOWS);
	assert_int_equal(figures.handoff.p50_us, 20);
	assert_int_equal(figures.handoff.p99_us, 20);
	figures_read(&figures, &before, &before, SORT_FLOWS);
	assert_int_equal(figures.handoff.p50_us, 10);
	assert_int_equal(figures.handshake.p50_us, 0);
	set(&now, 3, "{\"handoff_times\":{\"at_most_us\":[10],\"counts\":[0],\"more\":4}}");
	figures_read(&figures, &now, &(struct reading){0}, SORT_FLOWS);
	assert_int_equal(figures.handoff.p50_us, -1);
}

static void sources_come_in_the_order_that_is_asked_for(void **state)
{
	(void)state;
	set(&now, 1,
	    "{\"sources\":{\"sampled\":9,\"is_all\":false,\"list\":["
	    "{\"source\":\"10.0.0.1\",\"flows\":5,\"half_open\":0,\"handed_off\":5},"
	    "{\"source\":\"10.0.0.3\",\"flows\":3,\"half_open\":3,\"handed_off\":0},"
	    "{\"source\":\"10.0.0.2\",\"flows\":1,\"half_open\":0,\"handed_off\":1}]}}");
	figures_read(&figures, &now, &before, SORT_FLOWS);
	assert_string_equal(figures.sources[0].source, "10.0.0.1");
	assert_true(figures.is_sample);
	figures_read(&figures, &now, &before, SORT_HALF_OPEN);
	assert_string_equal(figures.sources[0].source, "10.0.0.3");
	figures_read(&figures, &now, &before, SORT_HANDED_OFF);
	assert_string_equal(figures.sources[1].source, "10.0.0.2");
	figures_read(&figures, &now, &before, SORT_SOURCE);
	assert_string_equal(figures.sources[1].source, "10.0.0.2");
}

/* A service's text is somebody's own, and may be an order to the terminal. */
static void no_line_has_anything_but_text(void **state)
{
	static struct view view;

	(void)state;
	set(&now, 1,
	    "{\"interface\":\"e\\u001b[2Jth0\",\"service\":\"banner:\\u0007\\u009b31m\\u00e9\"}");
	figures_read(&figures, &now, &before, SORT_FLOWS);
	view_add_figures(&view, &figures, SORT_FLOWS, 10);
	assert_true(view.count > 5);
	for (size_t i = 0; i < view.count; i++)
		for (const char *at = view.lines[i].text; *at; at++)
			assert_true(*at >= ' ' && *at <= '~');
}

static void anything_may_be_missing(void **state)
{
	static struct view view;
	json_t *object;

	(void)state;
	set(&now, 1,
	    "{\"sources\":7,\"counters\":[],\"handoff_times\":{\"counts\":3},\"addresses\":[1,null]}");
	figures_read(&figures, &now, &before, SORT_FLOWS);
	view.count = 0;
	view_add_figures(&view, &figures, SORT_FLOWS, 10);
	object = figures_to_json(&figures);
	assert_non_null(object);
	json_decref(object);
}

#define TEST(name) cmocka_unit_test_teardown(name, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_rate_is_of_the_time_in_between),
		TEST(another_loader_is_nothing_to_compare_with),
		TEST(percentiles_are_of_the_time_in_between_if_there_were_any),
		TEST(sources_come_in_the_order_that_is_asked_for),
		TEST(no_line_has_anything_but_text),
		TEST(anything_may_be_missing),
	};

	return cmocka_run_group_tests_name("figures", tests, NULL, NULL);
}
