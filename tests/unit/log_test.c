/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "log.h"

#include <errno.h>
#include <unistd.h>

#include "cmocka_setup.h"

static char captured[256];

/* Standard error goes to a pipe from here to end_capture(). */
static int begin_capture(int *read_fd)
{
	int saved = dup(STDERR_FILENO), pipe_fds[2];

	assert_int_equal(pipe(pipe_fds), 0);
	dup2(pipe_fds[1], STDERR_FILENO);
	close(pipe_fds[1]);
	*read_fd = pipe_fds[0];
	return saved;
}

static void end_capture(int saved, int read_fd)
{
	size_t len = 0;
	ssize_t got;

	dup2(saved, STDERR_FILENO);
	close(saved);
	while ((got = read(read_fd, captured + len, sizeof(captured) - 1 - len)) > 0)
		len += (size_t)got;
	captured[len] = '\0';
	close(read_fd);
}

static void prints_the_program_in_front(void **state)
{
	int read_fd, saved = begin_capture(&read_fd);

	(void)state;
	log_error("%s: no such interface", "eth9");
	log_open("nolisten-loader", LOG_INFO);
	log_warning("two of %d", 2);
	end_capture(saved, read_fd);
	assert_string_equal(captured,
			    "nolisten: eth9: no such interface\nnolisten-loader: two of 2\n");
}

static void is_silent_above_the_level(void **state)
{
	int read_fd, saved;

	(void)state;
	log_open("p", LOG_WARNING);
	assert_int_equal(log_level(), LOG_WARNING);
	saved = begin_capture(&read_fd);
	log_info("not shown");
	log_debug("not shown");
	log_warning("shown");
	end_capture(saved, read_fd);
	assert_string_equal(captured, "p: shown\n");
}

static void makes_a_message_of_each_line(void **state)
{
	int read_fd, saved;

	(void)state;
	log_open("p", LOG_INFO);
	saved = begin_capture(&read_fd);
	log_info("libbpf: one\n\ntwo\n");
	end_capture(saved, read_fd);
	assert_string_equal(captured, "p: libbpf: one\np: two\n");
}

static void keeps_errno(void **state)
{
	int read_fd, saved = begin_capture(&read_fd);

	(void)state;
	errno = ENOENT;
	log_error("something");
	assert_int_equal(errno, ENOENT);
	end_capture(saved, read_fd);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(prints_the_program_in_front),
		cmocka_unit_test(is_silent_above_the_level),
		cmocka_unit_test(makes_a_message_of_each_line),
		cmocka_unit_test(keeps_errno),
	};

	return cmocka_run_group_tests_name("log", tests, NULL, NULL);
}
