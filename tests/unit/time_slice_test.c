/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "time_slice.h"

#define sched_param kernel_sched_param /* glibc has the same, in what <pthread.h> includes */
#include <linux/sched/types.h>
#undef sched_param
#include <pthread.h>
#include <stdbool.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "cmocka_setup.h"

#define SLICE_NS 200000

static struct sched_attr read_attr(void)
{
	struct sched_attr attr = {.size = sizeof(attr)};

	assert_int_equal(syscall(SYS_sched_getattr, 0, &attr, sizeof(attr), 0), 0);
	return attr;
}

/* A kernel before EEVDF's slices says 0 whatever it was told. */
static bool has_slices(void)
{
	return read_attr().sched_runtime;
}

static void *read_in_thread(void *out)
{
	*(struct sched_attr *)out = read_attr();
	return NULL;
}

/* Each test is in a thread of its own, whose settings end with it. */
static void in_thread(void *(*test)(void *))
{
	pthread_t thread;

	assert_int_equal(pthread_create(&thread, NULL, test, NULL), 0);
	assert_int_equal(pthread_join(thread, NULL), 0);
}

static void *set_and_inherit(void *nothing)
{
	const uint64_t before = read_attr().sched_runtime;
	struct sched_attr child;
	pthread_t thread;

	assert_int_equal(setpriority(PRIO_PROCESS, 0, 3), 0);
	assert_int_equal(time_slice_set(SLICE_NS), 0);
	assert_int_equal(pthread_create(&thread, NULL, read_in_thread, &child), 0);
	assert_int_equal(pthread_join(thread, NULL), 0);
	assert_int_equal(read_attr().sched_nice, 3);
	assert_int_equal(child.sched_nice, 3);
	if (has_slices()) {
		assert_int_equal(read_attr().sched_runtime, SLICE_NS);
		assert_int_equal(child.sched_runtime, SLICE_NS);
	}
	assert_int_equal(time_slice_set(0), 0);
	assert_int_equal(read_attr().sched_runtime, before);
	return nothing;
}

static void threads_made_later_have_it_and_the_nice_value_stays(void **state)
{
	(void)state;
	in_thread(set_and_inherit);
}

static void *set_in_batch(void *nothing)
{
	struct sched_attr attr = read_attr();

	attr.sched_policy = SCHED_BATCH;
	assert_int_equal(syscall(SYS_sched_setattr, 0, &attr, 0), 0);
	attr = read_attr();
	assert_int_equal(time_slice_set(SLICE_NS), 0);
	assert_int_equal(read_attr().sched_policy, SCHED_BATCH);
	assert_int_equal(read_attr().sched_runtime, attr.sched_runtime);
	return nothing;
}

static void what_somebody_has_chosen_stays(void **state)
{
	(void)state;
	in_thread(set_in_batch);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(threads_made_later_have_it_and_the_nice_value_stays),
		cmocka_unit_test(what_somebody_has_chosen_stays),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
