/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "loop.h"

#include <errno.h>
#include <signal.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "clock.h"
#include "cmocka_setup.h"

#define DEADLINE_MS 5000

struct watch {
	struct loop *loop;
	struct loop_source *source, *victim; /* victim: what the callback removes */
	int fd;
	int calls;
	uint32_t events;
};

static void note_call(void *context, uint32_t events)
{
	struct watch *watch = context;

	watch->calls++;
	watch->events = events;
	loop_remove(watch->victim);
	watch->victim = NULL;
}

/* An eventfd that is ready to be read. */
static void add_ready(struct watch *watch)
{
	watch->fd = eventfd(1, EFD_NONBLOCK | EFD_CLOEXEC);
	assert_true(watch->fd >= 0);
	assert_int_equal(
		loop_add(watch->loop, watch->fd, EPOLLIN, note_call, watch, &watch->source), 0);
}

static int set_up(void **state)
{
	static struct loop *loop;

	if (loop_new(&loop))
		return -1;
	*state = loop;
	return 0;
}

static int tear_down(void **state)
{
	loop_free(*state);
	return 0;
}

static void wait_for_call(struct watch *watch)
{
	uint64_t deadline_ns = clock_monotonic_ns() + DEADLINE_MS * CLOCK_NS_PER_MS;

	while (!watch->calls && clock_monotonic_ns() < deadline_ns)
		assert_true(loop_wait(watch->loop, 100) >= 0);
	assert_int_not_equal(watch->calls, 0);
}

static void calls_back_what_is_ready(void **state)
{
	struct watch watch = {.loop = *state};

	assert_int_equal(loop_wait(watch.loop, 0), 0);
	add_ready(&watch);
	assert_int_equal(loop_wait(watch.loop, 0), 1);
	assert_int_equal(watch.events, EPOLLIN);
	assert_int_equal(loop_change(watch.source, EPOLLOUT), 0);
	assert_int_equal(loop_wait(watch.loop, 0), 1);
	assert_int_equal(watch.events, EPOLLOUT);
	loop_remove(watch.source);
	assert_int_equal(loop_wait(watch.loop, 0), 0);
	close(watch.fd);
}

static void refuses_a_bad_descriptor(void **state)
{
	struct loop_source *source = NULL;

	assert_int_equal(loop_add(*state, -1, EPOLLIN, note_call, NULL, &source), -EBADF);
	assert_null(source);
}

static void a_source_may_remove_itself(void **state)
{
	struct watch watch = {.loop = *state};

	add_ready(&watch);
	watch.victim = watch.source;
	assert_int_equal(loop_wait(watch.loop, 0), 1);
	assert_int_equal(loop_wait(watch.loop, 0), 0);
	assert_int_equal(watch.calls, 1);
	close(watch.fd);
}

static void a_removed_source_is_not_called_though_its_event_is_pending(void **state)
{
	struct watch one = {.loop = *state}, two = {.loop = *state};

	add_ready(&one);
	add_ready(&two);
	one.victim = two.source;
	two.victim = one.source;
	assert_int_equal(loop_wait(one.loop, 0), 1);
	assert_int_equal(one.calls + two.calls, 1);
	close(one.fd);
	close(two.fd);
}

static void stop_the_other(void *context, uint32_t events)
{
	struct watch *watch = context;

	(void)events;
	watch->calls++;
	assert_int_equal(loop_change(watch->victim, 0), 0);
}

/* As a child has it between fork() and exec(): the kernel goes on telling of it. */
static void a_forgotten_source_is_not_called_though_its_file_is_still_open(void **state)
{
	struct watch forgotten = {.loop = *state}, next = {.loop = *state};
	int copy;

	add_ready(&forgotten);
	copy = dup(forgotten.fd);
	loop_forget(forgotten.source);
	close(forgotten.fd);
	assert_int_equal(loop_wait(*state, 0), 0);
	/* Another one in its place. */
	add_ready(&next);
	assert_int_equal(loop_wait(*state, DEADLINE_MS), 1);
	assert_int_equal(forgotten.calls, 0);
	assert_int_equal(next.calls, 1);
	close(copy);
	loop_remove(next.source);
	close(next.fd);
}

static void holds_any_number_of_sources(void **state)
{
	static struct watch watches[300];

	for (size_t i = 0; i < sizeof(watches) / sizeof(watches[0]); i++) {
		watches[i] = (struct watch){.loop = *state};
		add_ready(&watches[i]);
	}
	for (size_t i = 0; i < sizeof(watches) / sizeof(watches[0]); i++) {
		while (!watches[i].calls)
			assert_true(loop_wait(*state, DEADLINE_MS) > 0);
		loop_forget(watches[i].source);
		close(watches[i].fd);
	}
	assert_int_equal(loop_wait(*state, 0), 0);
}

static void an_event_that_is_not_wanted_any_more_is_dropped(void **state)
{
	struct watch one = {.loop = *state}, two = {.loop = *state};

	one.fd = eventfd(1, EFD_CLOEXEC);
	two.fd = eventfd(1, EFD_CLOEXEC);
	assert_int_equal(loop_add(one.loop, one.fd, EPOLLIN, stop_the_other, &one, &one.source), 0);
	assert_int_equal(loop_add(two.loop, two.fd, EPOLLIN, stop_the_other, &two, &two.source), 0);
	one.victim = two.source;
	two.victim = one.source;
	assert_int_equal(loop_wait(one.loop, 0), 1);
	loop_remove(one.source);
	loop_remove(two.source);
	close(one.fd);
	close(two.fd);
}

static void a_timer_comes_again(void **state)
{
	struct watch watch = {.loop = *state};

	assert_int_equal(loop_add_timer(watch.loop, 1, note_call, &watch, &watch.source), 0);
	wait_for_call(&watch);
	watch.calls = 0;
	watch.victim = watch.source;
	wait_for_call(&watch);
	assert_null(watch.victim);
	assert_int_equal(loop_add_timer(watch.loop, 0, note_call, &watch, NULL), -EINVAL);
}

static void a_signal_arrives_with_its_number(void **state)
{
	static const int signals[] = {SIGUSR1, SIGUSR2, 0};
	struct watch watch = {.loop = *state};

	assert_int_equal(loop_add_signals(watch.loop, signals, note_call, &watch, &watch.source),
			 0);
	kill(getpid(), SIGUSR2);
	wait_for_call(&watch);
	assert_int_equal(watch.events, SIGUSR2);
	assert_int_equal(loop_wait(watch.loop, 0), 0);
}

static void wait_inside(void *context, uint32_t events)
{
	struct watch *watch = context;

	(void)events;
	if (watch->calls++)
		return;
	loop_remove(watch->source);
	/* The batch around this one still has the source in it. */
	loop_wait(watch->loop, 0);
}

static void may_be_waited_for_inside_a_callback(void **state)
{
	struct watch one = {.loop = *state}, two = {.loop = *state};

	one.fd = eventfd(1, EFD_CLOEXEC);
	assert_int_equal(loop_add(one.loop, one.fd, EPOLLIN, wait_inside, &one, &one.source), 0);
	add_ready(&two);
	two.victim = two.source;
	assert_true(loop_wait(one.loop, 0) >= 1);
	assert_int_equal(one.calls, 1);
	assert_int_equal(two.calls, 1);
	close(one.fd);
	close(two.fd);
}

static void null_may_be_freed_and_removed(void **state)
{
	(void)state;
	loop_free(NULL);
	loop_remove(NULL);
}

#define LOOP_TEST(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		LOOP_TEST(calls_back_what_is_ready),
		LOOP_TEST(refuses_a_bad_descriptor),
		LOOP_TEST(a_source_may_remove_itself),
		LOOP_TEST(a_removed_source_is_not_called_though_its_event_is_pending),
		LOOP_TEST(a_forgotten_source_is_not_called_though_its_file_is_still_open),
		LOOP_TEST(holds_any_number_of_sources),
		LOOP_TEST(an_event_that_is_not_wanted_any_more_is_dropped),
		LOOP_TEST(a_timer_comes_again),
		LOOP_TEST(a_signal_arrives_with_its_number),
		LOOP_TEST(may_be_waited_for_inside_a_callback),
		cmocka_unit_test(null_may_be_freed_and_removed),
	};

	return cmocka_run_group_tests_name("loop", tests, NULL, NULL);
}
