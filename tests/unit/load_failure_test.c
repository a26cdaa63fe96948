/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What people are told of libbpf's messages, as libbpf 1.1 and several kernels word them. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <bpf/libbpf.h>

#include "cmocka_setup.h"

#include "load_failure.h"

static struct load_failure failure;
static char text[LOAD_TEXT_SIZE];
static libbpf_print_fn_t print;

static void say(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	print(LIBBPF_WARN, format, args);
	va_end(args);
}

static void begin(void)
{
	load_log_begin(&failure);
	print = libbpf_set_print(NULL);
	libbpf_set_print(print);
}

static void end(int err)
{
	assert_int_equal(load_log_end(err), err);
	load_failure_format(&failure, text);
}

/* The messages of a program that the verifier does not take. */
static void reject(const char *program, const char *log, int err)
{
	begin();
	say("libbpf: prog '%s': BPF program load failed: %s\n", program, strerror(-err));
	say("libbpf: prog '%s': -- BEGIN PROG LOAD LOG --\n%s-- END PROG LOAD LOG --\n", program,
	    log);
	say("libbpf: prog '%s': failed to load: %d\n", program, err);
	say("libbpf: failed to load object 'nolisten_bpf'\n");
	say("libbpf: failed to load BPF skeleton 'nolisten_bpf': %d\n", err);
	end(err);
}

static void the_verifiers_last_word_is_the_reason(void **state)
{
	(void)state;
	reject("nol_tc_egress",
	       "0: R1=ctx() R10=fp0\n"
	       "; return len; @ mirror.h:12\n"
	       "7: (85) call bpf_xdp_load_bytes#189\n"
	       "R4 invalid zero-sized read: u64=[0,65552]\n"
	       "processed 812 insns (limit 1000000) max_states_per_insn 4 total_states 60\n",
	       -EACCES);
	assert_true(failure.is_rejected);
	assert_int_equal(failure.err, -EACCES);
	assert_string_equal(text, "nol_tc_egress is rejected by the verifier: "
				  "R4 invalid zero-sized read: u64=[0,65552]");
}

static void what_is_counted_or_shown_behind_the_reason_is_left_out(void **state)
{
	static const struct {
		const char *log, *reason;
	} cases[] = {
		{"430: (85) call bpf_xdp_load_bytes#189\n"
		 "invalid access to memory, mem_size=168 off=40 size=0\n"
		 "R3 min value is outside of the allowed memory range\nprocessed 728 insns\n",
		 "invalid access to memory, mem_size=168 off=40 size=0; "
		 "R3 min value is outside of the allowed memory range"},
		{"combined stack size of 3 calls is 544. Too large\n"
		 "verification time 1200 usec\nstack depth 96+448\n"
		 "processed 20 insns (limit 1000000)\n",
		 "combined stack size of 3 calls is 544. Too large"},
		{"1: (05) goto pc-1\ninfinite loop detected at insn 1\n"
		 "cur state: R0=0 R10=fp0\nold state: R0=0 R10=fp0\nprocessed 2 insns\n",
		 "infinite loop detected at insn 1"},
		{"unknown func bpf_loop#181\n\n", "unknown func bpf_loop#181"},
		{"R0 !read_ok", "R0 !read_ok"},
		{"BPF program is too large. Processed 1000001 insn\nprocessed 1000001 insns\n",
		 "BPF program is too large. Processed 1000001 insn"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		reject("p", cases[i].log, -EINVAL);
		assert_true(failure.is_rejected);
		assert_string_equal(failure.reason, cases[i].reason);
	}
}

/* Out of memory, or interrupted: the log ends where the verifier was. */
static void a_log_that_just_ends_gives_no_reason(void **state)
{
	static const char *const logs[] = {
		"0: R1=ctx() R10=fp0\n; a = b;\n1: (bf) r6 = r1\n",
		"from 3 to 12: R0=0\nprocessed 4 insns (limit 1000000)\n",
		"; return 0;\nprocessed 4 insns (limit 1000000)\n",
		"processed 0 insns (limit 1000000)\n",
		"\n",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(logs) / sizeof(logs[0]); i++) {
		reject("nol_xdp_send", logs[i], -ENOMEM);
		assert_false(failure.is_rejected);
		assert_string_equal(text, "nol_xdp_send cannot be loaded: Cannot allocate memory");
	}
}

static void keeps_the_last_lines_of_the_log(void **state)
{
	char log[4096] = "", last[64] = "";
	size_t lines = 0;

	(void)state;
	for (int i = 0; i < 100; i++)
		sprintf(log + strlen(log), "%d: (bf) r6 = r1\n", i);
	strcat(log, "R6 !read_ok\n");
	reject("p", log, -EACCES);
	for (const char *c = failure.log; *c; c++)
		lines += *c == '\n';
	assert_int_equal(lines, LOAD_LOG_LINES);
	sscanf(failure.log, "%63[^\n]", last);
	assert_string_equal(last, "81: (bf) r6 = r1");
}

static void a_line_too_long_for_the_log_is_left_out(void **state)
{
	char *log = calloc(1, 3 * LOAD_LOG_SIZE);

	(void)state;
	assert_non_null(log);
	memset(log, 'x', 2 * LOAD_LOG_SIZE);
	strcat(log, "\nR6 !read_ok\n");
	reject("p", log, -EACCES);
	assert_string_equal(failure.log, "R6 !read_ok\n");
	memset(log, 'x', 2 * LOAD_LOG_SIZE);
	log[2 * LOAD_LOG_SIZE] = '\0';
	reject("p", log, -EACCES);
	assert_string_equal(failure.log, "");
	assert_int_equal(strlen(failure.reason), LOAD_REASON_SIZE - 2);
	free(log);
}

static void nothing_that_moves_a_cursor_gets_through(void **state)
{
	(void)state;
	reject("p\033[2J", "R1 \033[31mred\a \xff\n", -EACCES);
	assert_string_equal(text, "p [2J is rejected by the verifier: R1  [31mred");
}

static void names_the_map_that_cannot_be_made(void **state)
{
	(void)state;
	begin();
	say("libbpf: Error in bpf_create_map_xattr(nol_flows):Cannot allocate memory(-12). Retrying without BTF.\n");
	say("libbpf: map 'nol_flows': failed to create: Cannot allocate memory(-12)\n");
	say("libbpf: failed to load object 'nolisten_bpf'\n");
	end(-ENOMEM);
	assert_string_equal(text, "nol_flows cannot be made: Cannot allocate memory");
	assert_true(failure.is_map);
}

static void otherwise_the_first_message_is_the_reason(void **state)
{
	(void)state;
	begin();
	say("libbpf: extern (func ksym) 'bpf_new': not found in kernel or module BTFs\n");
	say("libbpf: failed to load object 'nolisten_bpf'\n");
	end(-EINVAL);
	assert_string_equal(text,
			    "extern (func ksym) 'bpf_new': not found in kernel or module BTFs");
	begin();
	end(-E2BIG);
	assert_string_equal(text, strerror(E2BIG));
}

/* libbpf could not try whether the kernel has global data, and goes on without. */
static void a_map_that_was_left_out_is_not_the_verifiers_fault(void **state)
{
	(void)state;
	begin();
	say("libbpf: Error in probe_kern_global_data():Too many open files(24). Couldn't create simple array map.\n");
	say("libbpf: prog 'p': BPF program load failed: Invalid argument\n");
	say("libbpf: prog 'p': -- BEGIN PROG LOAD LOG --\n4: <invalid BPF map reference>\n"
	    "BPF map 'nolisten.rodata' is referenced but wasn't created\n-- END PROG LOAD LOG --\n");
	end(-EINVAL);
	assert_false(failure.is_rejected);
	assert_string_equal(text, "Error in probe_kern_global_data():Too many open files(24). "
				  "Couldn't create simple array map.");
}

static void says_that_it_is_not_permitted(void **state)
{
	(void)state;
	begin();
	say("libbpf: Error in bpf_object__probe_loading():Operation not permitted(1). Couldn't load trivial BPF program.\n");
	end(-EPERM);
	assert_non_null(strstr(text, "not permitted: bpf() needs root"));
}

/* What was said of a load that went well in the end is forgotten, and what comes between loads is not caught. */
static void a_load_that_went_well_leaves_nothing(void **state)
{
	(void)state;
	begin();
	say("libbpf: Error in bpf_create_map_xattr(m):Invalid argument(-22). Retrying without BTF.\n");
	end(0);
	assert_int_equal(failure.err, 0);
	assert_string_equal(text, "");
	say("libbpf: map 'm': failed to create: Invalid argument(-22)\n");
	assert_string_equal(failure.name, "");
	begin();
	end(-EIO);
	assert_string_equal(text, strerror(EIO));
}

static void a_failure_of_our_own_is_worded_alike(void **state)
{
	(void)state;
	assert_int_equal(load_failure_set(&failure, -ENOMEM, "map the ring buffers"), -ENOMEM);
	load_failure_format(&failure, text);
	assert_string_equal(text, "cannot map the ring buffers: Cannot allocate memory");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_verifiers_last_word_is_the_reason),
		cmocka_unit_test(what_is_counted_or_shown_behind_the_reason_is_left_out),
		cmocka_unit_test(a_log_that_just_ends_gives_no_reason),
		cmocka_unit_test(keeps_the_last_lines_of_the_log),
		cmocka_unit_test(a_line_too_long_for_the_log_is_left_out),
		cmocka_unit_test(nothing_that_moves_a_cursor_gets_through),
		cmocka_unit_test(names_the_map_that_cannot_be_made),
		cmocka_unit_test(otherwise_the_first_message_is_the_reason),
		cmocka_unit_test(a_map_that_was_left_out_is_not_the_verifiers_fault),
		cmocka_unit_test(says_that_it_is_not_permitted),
		cmocka_unit_test(a_load_that_went_well_leaves_nothing),
		cmocka_unit_test(a_failure_of_our_own_is_worded_alike),
	};

	return cmocka_run_group_tests_name("load_failure", tests, NULL, NULL);
}
