/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* For tests of events: outputs that are files and pipes of ours, and an event. */
#ifndef NOLISTEN_TESTS_EVENTS_FIXTURE_H
#define NOLISTEN_TESTS_EVENTS_FIXTURE_H

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include <jansson.h>

#include "event_line.h"
#include "events.h"

#define TIME_LEN (sizeof("{\"timestamp\":\"2026-11-21T19:18:38.123456+0000\"") - 1)

#define CREATED_NS 5000000000
#define ORIGIN ",\"event_type\":\"nolisten\",\"in_iface\":\"eth0\""
#define FLOW                                                                                              \
	",\"flow_id\":" FLOW_ID ",\"src_ip\":\"10.0.0.1\",\"src_port\":50814,"                            \
	"\"dest_ip\":\"10.0.0.2\",\"dest_port\":34567,\"proto\":\"TCP\",\"community_id\":\"" COMMUNITY_ID \
	"\""
#define FLOW_ID "8767058528258749"
#define COMMUNITY_ID "1:ZxN82Ocefpj4o1oXUz1Yk+wGuCo="

/* Descriptors 1 and 2 are replaced by what a test reads; these are the real ones. */
static int saved_fds[3] = {-1, -1, -1};
static char directory[] = "/tmp/nolisten-events-XXXXXX";
static char path[sizeof(directory) + 16];
static struct tuple tuple;

static inline void replace_fd(int target, int fd)
{
	fflush(NULL);
	saved_fds[target] = dup(target);
	assert_int_equal(dup2(fd, target), target);
	close(fd);
}

static void restore_fd(int target)
{
	if (saved_fds[target] < 0)
		return;
	assert_int_equal(dup2(saved_fds[target], target), target);
	close(saved_fds[target]);
	saved_fds[target] = -1;
}

/* After a test that failed in between, too. */
static int restore_outputs(void **state)
{
	(void)state;
	restore_fd(STDOUT_FILENO);
	restore_fd(STDERR_FILENO);
	return 0;
}

static int open_temporary(int flags)
{
	int fd = open(path, flags | O_CLOEXEC, 0600);

	assert_true(fd >= 0);
	return fd;
}

static void read_temporary(char *text, size_t size)
{
	int fd = open_temporary(O_RDONLY);
	ssize_t len = read(fd, text, size - 1);

	assert_true(len >= 0);
	text[len] = '\0';
	close(fd);
}

static struct event make_event(enum event_kind kind)
{
	return (struct event){
		.kind = kind,
		.tuple = &tuple,
		.created_ns = CREATED_NS,
		.rtt_us = -1,
		.handoff_us = -1,
	};
}

/* JSON to a target, nothing for people. */
static struct events_options make_options(const char *target)
{
	return (struct events_options){.target = target, .is_quiet = true, .ifname = "eth0"};
}

static int make_directory(void **state)
{
	(void)state;
	if (!mkdtemp(directory))
		return -1;
	snprintf(path, sizeof(path), "%s/events", directory);
	endpoint_parse("10.0.0.2:34567", &tuple.local);
	endpoint_parse("10.0.0.1:50814", &tuple.remote);
	return 0;
}

static int remove_directory(void **state)
{
	(void)state;
	unlink(path);
	return rmdir(directory);
}

#define TEST(name) cmocka_unit_test_teardown(name, restore_outputs)

#endif
