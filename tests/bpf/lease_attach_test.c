/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Guards of raw-socket programs on clsact, where there is no TCX: several at a time, and what a killed one leaves behind. */
#include "attach_fixture.h"

#include "lease_guard.h"

#define CROWD 8

static struct lease_guard *guards[2];

static struct lease_guard *load_guard(enum pair_mode mode)
{
	const struct lease_guard_options options = {
		.ifname = "nolv0",
		.ifindex = if_nametoindex("nolv0"),
		.has_link_header = true,
		.expiry_s = 1,
		.max_leases = 16,
		.attach = mode,
	};
	struct lease_guard *guard = NULL;

	assert_int_equal(lease_guard_new(&guard, &options), 0);
	return guard;
}

static struct lease_guard *open_guard(enum pair_mode mode)
{
	struct lease_guard *guard = load_guard(mode);

	assert_int_equal(lease_guard_attach(guard), 0);
	return guard;
}

static int remove_guards(void **state)
{
	for (int i = 0; i < 2; i++) {
		lease_guard_free(guards[i]);
		guards[i] = NULL;
	}
	return remove_veth(state);
}

static void leave(int i)
{
	lease_guard_free(guards[i]);
	guards[i] = NULL;
}

static void open_and_die(void)
{
	int ready[2];
	pid_t child;
	char byte;

	assert_int_equal(pipe(ready), 0);
	child = fork();
	assert_true(child >= 0);
	if (child == 0) {
		open_guard(PAIR_CLSACT);
		if (write(ready[1], "", 1) == 1)
			pause();
		_exit(1);
	}
	close(ready[1]);
	assert_int_equal(read(ready[0], &byte, 1), 1);
	close(ready[0]);
	assert_int_equal(kill(child, SIGKILL), 0);
	assert_int_equal(waitpid(child, NULL, 0), child);
}

/* Both directions of so many guards, and no other filter of theirs. */
static void assert_filters(int count)
{
	char command[256];

	snprintf(command, sizeof(command),
		 "test $(tc filter show dev nolv0 egress | grep -c nol_guard_out) = %d && "
		 "test $(tc filter show dev nolv0 ingress | grep -c nol_guard_in) = %d",
		 count, count);
	run(command);
}

static bool has_clsact(void)
{
	return succeeds("tc qdisc show dev nolv0 | grep -q clsact");
}

static void two_guards_come_and_go_and_the_last_takes_the_qdisc_along(void **state)
{
	(void)state;
	guards[0] = open_guard(PAIR_CLSACT);
	assert_string_equal(lease_guard_attach_text(guards[0]), "clsact");
	guards[1] = open_guard(PAIR_CLSACT);
	assert_filters(2);
	leave(0);
	assert_filters(1);
	leave(1);
	assert_false(has_clsact());
}

static void somebody_elses_qdisc_stays(void **state)
{
	(void)state;
	run("tc qdisc add dev nolv0 clsact");
	guards[0] = open_guard(PAIR_CLSACT);
	guards[1] = open_guard(PAIR_CLSACT);
	leave(0);
	leave(1);
	assert_true(has_clsact());
	assert_filters(0);
}

/* Its heartbeat is still fresh when the next one comes: that one takes a place of its own. */
static void what_a_killed_guard_leaves_goes_once_its_heartbeat_is_old(void **state)
{
	(void)state;
	open_and_die();
	assert_filters(1);
	clock_sleep_until(clock_monotonic_ns() + NOL_HEARTBEAT_STALE_NS);
	guards[0] = open_guard(PAIR_AUTO);
	leave(0);
	assert_false(has_clsact());
}

static void a_guard_that_lives_is_left_alone(void **state)
{
	(void)state;
	guards[0] = open_guard(PAIR_CLSACT);
	open_and_die();
	assert_filters(2);
	guards[1] = open_guard(PAIR_AUTO);
	leave(1);
	run("tc filter show dev nolv0 egress | grep -q nol_guard_out");
}

/* Pipes: the crowd says that it is ready, and is told by an end of file to begin, and to end. */
struct crowd {
	int ready[2], begin[2], end[2];
	pid_t children[CROWD];
};

static bool hears_end_of_file(int fd)
{
	char byte;

	return read(fd, &byte, 1) == 0;
}

static void live_in(struct crowd *crowd)
{
	struct lease_guard *guard = load_guard(PAIR_CLSACT);
	bool is_well = write(crowd->ready[1], "", 1) == 1;

	close(crowd->begin[1]);
	close(crowd->end[1]);
	is_well &= hears_end_of_file(crowd->begin[0]) && !lease_guard_attach(guard);
	is_well &= write(crowd->ready[1], "", 1) == 1 && hears_end_of_file(crowd->end[0]);
	lease_guard_free(guard);
	_exit(!is_well);
}

static void start_crowd(struct crowd *crowd)
{
	assert_int_equal(pipe(crowd->ready) | pipe(crowd->begin) | pipe(crowd->end), 0);
	for (int i = 0; i < CROWD; i++) {
		crowd->children[i] = fork();
		assert_true(crowd->children[i] >= 0);
		if (crowd->children[i] == 0)
			live_in(crowd);
	}
	close(crowd->ready[1]);
	close(crowd->begin[0]);
	close(crowd->end[0]);
}

static void wait_until_ready(const struct crowd *crowd)
{
	char byte;

	for (int i = 0; i < CROWD; i++)
		assert_int_equal(read(crowd->ready[0], &byte, 1), 1);
}

static void a_crowd_comes_and_goes_at_once(void **state)
{
	struct crowd crowd;
	int status;

	(void)state;
	start_crowd(&crowd);
	wait_until_ready(&crowd);
	close(crowd.begin[1]);
	wait_until_ready(&crowd);
	assert_filters(CROWD);
	close(crowd.end[1]);
	for (int i = 0; i < CROWD; i++) {
		assert_int_equal(waitpid(crowd.children[i], &status, 0), crowd.children[i]);
		assert_int_equal(status, 0);
	}
	close(crowd.ready[0]);
	assert_false(has_clsact());
}

#define guard_test(f) cmocka_unit_test_setup_teardown(f, make_veth, remove_guards)

int main(void)
{
	const struct CMUnitTest tests[] = {
		guard_test(two_guards_come_and_go_and_the_last_takes_the_qdisc_along),
		guard_test(somebody_elses_qdisc_stays),
		guard_test(what_a_killed_guard_leaves_goes_once_its_heartbeat_is_old),
		guard_test(a_guard_that_lives_is_left_alone),
		guard_test(a_crowd_comes_and_goes_at_once),
	};

	if (!fixture_enter())
		return 0;
	return cmocka_run_group_tests_name("lease_attach", tests, NULL, NULL);
}
