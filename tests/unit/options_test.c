/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The command line of nolisten-loader. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "loader_options.h"

#define MAX_ARGUMENTS 16

static struct loader_options options;
static char error[OPTION_ERROR_SIZE];

/* The arguments, ended by NULL. */
static int parse(const char *const *arguments)
{
	char *argv[MAX_ARGUMENTS + 2] = {"nolisten-loader"};
	int argc = 1;

	for (; *arguments && argc <= MAX_ARGUMENTS; arguments++)
		argv[argc++] = (char *)*arguments;
	return command_parse(&loader_command, &options, argv, error);
}

#define PARSE(...) parse((const char *const[]){__VA_ARGS__, NULL})

static int free_options(void **state)
{
	(void)state;
	loader_command.release(&options);
	return 0;
}

static void an_interface_alone_is_enough(void **state)
{
	(void)state;
	assert_int_equal(PARSE("eth0"), 0);
	assert_string_equal(options.config.ifname, "eth0");
	assert_int_equal(port_set_count(&options.config.ports), 1);
	assert_true(port_set_has(&options.config.ports, 34567));
	assert_int_equal(options.config.prefix_count, 0);
	assert_int_equal(options.config.method, NOL_METHOD_NONE);
	assert_string_equal(options.config.service, "echo");
	assert_int_equal(options.config.rst_action, NOL_RST_DROP);
	assert_int_equal(options.config.xdp_mode, KERN_XDP_AUTO);
	assert_int_equal(options.config.tc_mode, KERN_TC_AUTO);
	assert_null(options.config.events.target);
	assert_int_equal(options.config.events.rate, 10000);
	assert_int_equal(options.config.max_children, 64);
	assert_int_equal(options.config.max_flows, 65536);
	assert_int_equal(options.config.max_per_source, 0);
	assert_int_equal(options.config.source_prefix.v4, 32);
	assert_int_equal(options.config.source_prefix.v6, 64);
	assert_int_equal(options.config.ring_size, 256 * 1024);
	assert_int_equal(options.config.spin_us, 50);
	assert_int_equal(options.config.workers, 1);
	assert_false(options.is_check);
	assert_false(options.is_json);
	assert_false(options.config.is_quiet);
	assert_int_equal(options.verbose, 0);
}

static void every_option_sets_its_field(void **state)
{
	(void)state;
	assert_int_equal(PARSE("--method=engine", "--service=exec:cat", "--rst=redirect:dummy0",
			       "--xdp=native", "--tc=clsact", "--events=-", "--max-children=1",
			       "--max-flows=4194304", "--max-per-source=9", "--source-prefix=24,56",
			       "--ring=64", "--spin=0", "--workers=64", "--check", "-jqvv", "eth0"),
			 0);
	assert_int_equal(options.config.method, NOL_METHOD_ENGINE);
	assert_string_equal(options.config.service, "exec:cat");
	assert_int_equal(options.config.rst_action, NOL_RST_REDIRECT);
	assert_string_equal(options.config.redirect_ifname, "dummy0");
	assert_int_equal(options.config.xdp_mode, KERN_XDP_NATIVE);
	assert_int_equal(options.config.tc_mode, KERN_TC_CLSACT);
	assert_string_equal(options.config.events.target, "-");
	assert_int_equal(options.config.max_children, 1);
	assert_int_equal(options.config.max_flows, 4194304);
	assert_int_equal(options.config.max_per_source, 9);
	assert_int_equal(options.config.source_prefix.v4, 24);
	assert_int_equal(options.config.source_prefix.v6, 56);
	assert_int_equal(options.config.ring_size, 64 * 1024);
	assert_int_equal(options.config.spin_us, 0);
	assert_int_equal(options.config.workers, 64);
	assert_true(options.is_check);
	assert_true(options.config.is_quiet);
	assert_true(options.is_check);
	assert_true(options.is_json);
	assert_int_equal(options.verbose, 2);
}

static void ports_replace_the_default_and_add_up(void **state)
{
	(void)state;
	assert_int_equal(PARSE("-p80", "--port", "443,8000-8001", "eth0"), 0);
	assert_int_equal(port_set_count(&options.config.ports), 4);
	assert_true(port_set_has(&options.config.ports, 80));
	assert_true(port_set_has(&options.config.ports, 8001));
	assert_false(port_set_has(&options.config.ports, 34567));
}

static void vlans_add_up(void **state)
{
	(void)state;
	assert_int_equal(PARSE("--vlan=5,4093-4094", "--vlan=1", "eth0"), 0);
	assert_int_equal(port_set_count(&options.vlans), 4);
	assert_true(port_set_has(&options.vlans, 1));
	assert_true(port_set_has(&options.vlans, 4094));
}

static void addresses_add_up(void **state)
{
	(void)state;
	assert_int_equal(PARSE("-a", "10.0.0.0/8,fd00::/64", "--address=::1", "eth0"), 0);
	assert_int_equal(options.config.prefix_count, 3);
	assert_int_equal(options.config.prefixes[0].bits, 104);
	assert_int_equal(options.config.prefixes[1].bits, 64);
	assert_int_equal(options.config.prefixes[2].bits, 128);
}

static void the_last_rst_action_holds(void **state)
{
	(void)state;
	assert_int_equal(PARSE("--rst=redirect:dummy0", "--rst=pass", "eth0"), 0);
	assert_int_equal(options.config.rst_action, NOL_RST_PASS);
	assert_null(options.config.redirect_ifname);
}

static void options_may_follow_the_interface_and_be_shortened(void **state)
{
	(void)state;
	assert_int_equal(PARSE("eth0", "--serv", "hold", "--", "-x"), -EINVAL);
	assert_int_equal(PARSE("eth0", "--serv", "hold"), 0);
	assert_string_equal(options.config.service, "hold");
}

static void check_needs_no_interface(void **state)
{
	(void)state;
	assert_int_equal(PARSE("--check"), 0);
	assert_null(options.config.ifname);
}

static const struct mistake {
	const char *arguments[4];
	const char *error; /* how it starts */
} mistakes[] = {
	{{"-v"}, "which interface?"},
	{{"eth0", "eth1"}, "'eth1': one too many: usage: nolisten-loader "},
	{{"--foo", "eth0"}, "--foo: no such option"},
	{{"--foo=1", "eth0"}, "--foo: no such option"},
	{{"eth0", "-Zq"}, "-Z: no such option"},
	{{"eth0", "-qZ"}, "-Z: no such option"},
	{{"eth0", "--ver"}, "--ver: which option?"},
	{{"eth0", "--check=1"}, "--check: takes no argument"},
	{{"eth0", "--port"}, "--port: needs an argument"},
	{{"eth0", "-qp"}, "-p: needs an argument"},
	{{"eth0", "-"}, "'-': one too many: "},
	{{"eth0", "--="}, "--: which option?"},
	{{"eth0", "--usage"}, "--usage: no such option"},
	{{"eth0", "-p", "9-3"}, "--port: '9-3': "},
	{{"eth0", "-p", "0"}, "--port: '0': "},
	{{"eth0", "-p", ""}, "--port: '': "},
	{{"eth0", "-a", "10.0.0.1/8"}, "--address: '10.0.0.1/8': "},
	{{"eth0", "-a", "::1,"}, "--address: '': "},
	{{"eth0", "-m", "xdpp"}, "--method: 'xdpp': not one of auto, xdp, engine"},
	{{"eth0", "-s", "banner"}, "--service: 'banner': "},
	{{"eth0", "--vlan=0"}, "--vlan: '0': VLAN IDs from 1 to 4094"},
	{{"eth0", "--vlan=4000-4095"}, "--vlan: '4000-4095': VLAN IDs from 1 to 4094"},
	{{"eth0", "--vlan=five"}, "--vlan: 'five': VLAN IDs from 1 to 4094"},
	{{"eth0", "--vlan=5", "--check"}, "--vlan: does not go with --check"},
	{{"eth0", "--vlan=5", "-a::1"}, "--vlan: does not go with --address: "},
	{{"eth0", "--rst=redirect:"}, "--rst: 'redirect:': not one of drop, redirect:IFACE"},
	{{"eth0", "--xdp=off"}, "--xdp: 'off': not one of auto, native, generic"},
	{{"eth0", "--tc=off"}, "--tc: 'off': not one of auto, tcx, clsact"},
	{{"eth0", "--events="}, "--events: "},
	{{"eth0", "--events=unix:"}, "--events: 'unix:': a path is needed"},
	{{"eth0", "--events=syslog:nonsense"}, "--events: 'syslog:nonsense': syslog has no such"},
	{{"eth0", "--events-rate=many"}, "--events-rate: 'many': a number from 0"},
	{{"eth0", "--community-id-seed=65536"}, "--community-id-seed: "},
	{{"eth0", "--max-children=0"}, "--max-children: '0': a number from 1 "},
	{{"eth0", "--max-flows=4194305"}, "--max-flows: '4194305': a number from 1 "},
	{{"eth0", "--max-flows=-1"}, "--max-flows: '-1': "},
	{{"eth0", "--max-per-source=x"}, "--max-per-source: 'x': a number from 0 "},
	{{"eth0", "--source-prefix=33"}, "--source-prefix: '33': bits of IPv4 addresses"},
	{{"eth0", "--source-prefix=24,"}, "--source-prefix: '24,': bits of IPv4 addresses"},
	{{"eth0", "--source-prefix=24,129"}, "--source-prefix: '24,129': bits of IPv4 addresses"},
	{{"eth0", "--source-prefix=,64"}, "--source-prefix: ',64': bits of IPv4 addresses"},
	{{"eth0", "--source-prefix=00024"}, "--source-prefix: '00024': bits of IPv4 addresses"},
	{{"eth0", "--ring=100"}, "--ring: '100': KiB, a power of two"},
	{{"eth0", "--ring=32"}, "--ring: '32': "},
	{{"eth0", "--ring=32768"}, "--ring: '32768': "},
	{{"eth0", "-j"}, "--json: goes with --check"},
	{{"eth0", "--check", "--json=1"}, "--json: takes no argument"},
	{{"eth0", "--workers=0"}, "--workers: '0': a number from 1 "},
	{{"eth0", "--workers=65"}, "--workers: '65': a number from 1 "},
	{{"eth0", "-m", "raw", "--workers=2"}, "--workers: method raw has one only"},
	{{"eth0", "--spin=1000001"}, "--spin: '1000001': a number from 0 "},
};

static void a_mistake_is_one_line_that_names_the_option(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(mistakes) / sizeof(mistakes[0]); i++) {
		const struct mistake *mistake = &mistakes[i];

		assert_int_equal(parse(mistake->arguments), -EINVAL);
		if (strncmp(error, mistake->error, strlen(mistake->error)))
			fail_msg("'%s' does not start with '%s'", error, mistake->error);
		assert_null(strchr(error, '\n'));
		loader_command.release(&options);
	}
}

static void a_long_argument_does_not_overflow_the_error(void **state)
{
	char port[2 * OPTION_ERROR_SIZE];

	(void)state;
	memset(port, '9', sizeof(port));
	port[sizeof(port) - 1] = '\0';
	assert_int_equal(PARSE("-p", port, "eth0"), -EINVAL);
	assert_int_equal(strlen(error), OPTION_ERROR_SIZE - 1);
}

static void socket_options_add_up(void **state)
{
	(void)state;
	assert_int_equal(PARSE("--sockopt", "maxseg=700", "--sockopt=nodelay=1", "eth0"), 0);
	assert_int_equal(options.config.sockopts.values[SOCKOPT_MAXSEG], 700);
	assert_true(sockopts_has(&options.config.sockopts, SOCKOPT_NODELAY));
	assert_false(sockopts_has(&options.config.sockopts, SOCKOPT_MARK));
	assert_int_equal(PARSE("--sockopt", "foo=1", "eth0"), -EINVAL);
	assert_non_null(strstr(error, "--sockopt: 'foo=1': no such option, one of: congestion,"));
	assert_non_null(strstr(error, ", defer-accept"));
}

static void the_mark_of_our_own_packets_is_taken(void **state)
{
	(void)state;
	for (uint32_t mark = NOL_MARK; mark <= NOL_MARK_REPLAY; mark++) {
		char text[32];

		snprintf(text, sizeof(text), "mark=%u", mark);
		assert_int_equal(PARSE("--sockopt", text, "eth0"), -EINVAL);
		assert_non_null(strstr(error, "that is the mark of our own packets"));
	}
}

static void connect_cannot_wait_for_data(void **state)
{
	(void)state;
	assert_int_equal(PARSE("-m", "connect", "--sockopt", "defer-accept=0", "eth0"), 0);
	assert_int_equal(PARSE("-m", "connect", "--sockopt", "defer-accept=1", "eth0"), -EINVAL);
	assert_non_null(strstr(error, "--sockopt: method connect cannot wait for data"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_teardown(an_interface_alone_is_enough, free_options),
		cmocka_unit_test_teardown(every_option_sets_its_field, free_options),
		cmocka_unit_test_teardown(ports_replace_the_default_and_add_up, free_options),
		cmocka_unit_test_teardown(vlans_add_up, free_options),
		cmocka_unit_test_teardown(addresses_add_up, free_options),
		cmocka_unit_test_teardown(socket_options_add_up, free_options),
		cmocka_unit_test_teardown(the_mark_of_our_own_packets_is_taken, free_options),
		cmocka_unit_test_teardown(connect_cannot_wait_for_data, free_options),
		cmocka_unit_test_teardown(the_last_rst_action_holds, free_options),
		cmocka_unit_test_teardown(options_may_follow_the_interface_and_be_shortened,
					  free_options),
		cmocka_unit_test_teardown(check_needs_no_interface, free_options),
		cmocka_unit_test_teardown(a_mistake_is_one_line_that_names_the_option,
					  free_options),
		cmocka_unit_test_teardown(a_long_argument_does_not_overflow_the_error,
					  free_options),
	};

	return cmocka_run_group_tests_name("options", tests, NULL, NULL);
}
