/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What this machine may not have: IPVS, a full table of connections, an odd sysctl. By files that look like the kernel's. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "unit/cmocka_setup.h"

#include "survey.h"

#define PATH_SIZE 128

static char folder[] = "/tmp/nolisten-survey-XXXXXX";
static struct survey survey;
static struct port_set ports;
static const struct link_info link_info = {.ifindex = 1, .is_up = true};
static struct prefix locals[2];
static struct survey_target target = {
	.ifname = "eth0",
	.link = &link_info,
	.ports = &ports,
	.prefixes = locals,
	.prefix_count = 2,
	.has_bpf = true,
	.max_flows = 1,
};

static int make_folder(void **state)
{
	(void)state;
	prefix_parse("10.0.0.2", &locals[0]);
	prefix_parse("fd00::/64", &locals[1]);
	port_set_add(&ports, 80);
	return mkdtemp(folder) ? 0 : -1;
}

static int remove_folder(void **state)
{
	char command[PATH_SIZE];

	(void)state;
	snprintf(command, sizeof(command), "rm -rf %s", folder);
	return system(command);
}

static int forget(void **state)
{
	(void)state;
	survey_free(&survey);
	return 0;
}

/* Its path is good until the next call. */
static const char *write_file(const char *name, const char *text)
{
	static char path[PATH_SIZE];
	FILE *file;

	for (const char *slash = name; (slash = strchr(slash, '/')); slash++) {
		snprintf(path, sizeof(path), "%s/%.*s", folder, (int)(slash - name), name);
		mkdir(path, 0700);
	}
	snprintf(path, sizeof(path), "%s/%s", folder, name);
	file = fopen(path, "w");
	assert_non_null(file);
	fputs(text, file);
	fclose(file);
	return path;
}

static void look_at_settings(void)
{
	char root[PATH_SIZE];

	snprintf(root, sizeof(root), "%s/", folder);
	survey_settings_in(&survey, &target, root);
}

static bool has(const char *topic, const char *text)
{
	for (size_t i = 0; i < survey.count; i++)
		if (!strcmp(survey.findings[i].topic, topic) &&
		    strstr(survey.findings[i].what, text))
			return true;
	return false;
}

static void finds_virtual_services_on_what_is_answered(void **state)
{
	(void)state;
	survey_ipvs(&survey, &target,
		    write_file("ip_vs",
			       "IP Virtual Server version 1.2.1 (size=4096)\n"
			       "Prot LocalAddress:Port Scheduler Flags\n"
			       "TCP  0A000002:0050 rr\n"
			       "  -> 0A090001:0050      Masq    1      0          0\n"
			       "TCP  0A000003:0050 rr\n"
			       "TCP  0A000002:0051 rr\n"
			       "UDP  0A000002:0050 rr\n"
			       "TCP  [fd00:0000:0000:0000:0000:0000:0000:0009]:0050 wrr\n"));
	assert_int_equal(survey.count, 2);
	assert_true(has("ipvs", "10.0.0.2:80 is a virtual service"));
	assert_true(has("ipvs", "[fd00::9]:80 is a virtual service"));
	assert_int_equal(survey.findings[0].severity, SURVEY_BLOCKS);
	assert_string_equal(survey.findings[0].way_out, "leave port 80 out of --port");
}

static void finds_none_without_ipvs(void **state)
{
	(void)state;
	survey_ipvs(&survey, &target, "/nonexistent/ip_vs");
	assert_int_equal(survey.count, 0);
}

static void finds_a_table_of_connections_that_is_nearly_full(void **state)
{
	(void)state;
	write_file("netfilter/nf_conntrack_max", "1000\n");
	write_file("netfilter/nf_conntrack_count", "899\n");
	look_at_settings();
	assert_int_equal(survey.count, 0);
	write_file("netfilter/nf_conntrack_count", "900\n");
	look_at_settings();
	assert_int_equal(survey.count, 1);
	assert_true(has("conntrack", "has 900 of 1000 entries"));
	unlink(write_file("netfilter/nf_conntrack_count", ""));
}

static void finds_what_method_accept_needs(void **state)
{
	(void)state;
	write_file("ipv4/tcp_syncookies", "0\n");
	look_at_settings();
	assert_int_equal(survey.count, 0);
	target.accepts = true;
	look_at_settings();
	target.accepts = false;
	assert_true(has("syncookies", "net.ipv4.tcp_syncookies is 0"));
	unlink(write_file("ipv4/tcp_syncookies", ""));
}

#define TEST(name) cmocka_unit_test_teardown(name, forget)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(finds_virtual_services_on_what_is_answered),
		TEST(finds_none_without_ipvs),
		TEST(finds_a_table_of_connections_that_is_nearly_full),
		TEST(finds_what_method_accept_needs),
	};

	return cmocka_run_group_tests_name("survey", tests, make_folder, remove_folder);
}
