/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What becomes of a segment by rules as nft and iptables-save print them; what is not understood may hold or not. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "unit/cmocka_setup.h"

#include "firewall.h"

static struct firewall firewall;

static int setup(void **state)
{
	(void)state;
	memset(&firewall, 0, sizeof(firewall));
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	firewall_free(&firewall);
	return 0;
}

#define CHAIN(policy)                                                                          \
	"{\"chain\":{\"family\":\"inet\",\"table\":\"t\",\"name\":\"in\",\"type\":\"filter\"," \
	"\"hook\":\"input\",\"prio\":0,\"policy\":\"" policy "\"}}"
#define RULE(expression)                                                                        \
	"{\"rule\":{\"family\":\"inet\",\"table\":\"t\",\"chain\":\"in\",\"expr\":[" expression \
	"]}}"
#define PAYLOAD(protocol, field) \
	"{\"payload\":{\"protocol\":\"" protocol "\",\"field\":\"" field "\"}}"
#define MATCH(op, left, right) \
	"{\"match\":{\"op\":\"" op "\",\"left\":" left ",\"right\":" right "}}"
#define DPORT(right) MATCH("==", PAYLOAD("tcp", "dport"), right)
#define CT(right) MATCH("in", "{\"ct\":{\"key\":\"state\"}}", right)
#define ACCEPT "{\"accept\":null}"
#define DROP "{\"drop\":null}"

static void read_nft(const char *items)
{
	char json[8192];

	snprintf(json, sizeof(json), "{\"nftables\":[%s]}", items);
	assert_int_equal(firewall_add_nft(&firewall, json), 0);
}

static void read_iptables(const char *text)
{
	char copy[4096];

	snprintf(copy, sizeof(copy), "%s", text);
	assert_int_equal(firewall_add_iptables(&firewall, "iptables", false, copy), 0);
}

static const struct prefix local = {
	.addr.bytes = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 10, 0, 0, 2},
	.bits = 128,
};

static struct firewall_fate fate_of(enum firewall_hook hook, bool is_nat, uint16_t port,
				    uint32_t flags, uint32_t ct_state)
{
	struct firewall_packet packet = {
		.ifname = "eth0",
		.port = port,
		.locals = &local,
		.local_count = 1,
		.flags = flags,
		.ct_state = ct_state,
		.is_out = hook == FIREWALL_OUTPUT,
	};
	struct firewall_fate fate;

	firewall_walk(&firewall, hook, is_nat, &packet, &fate);
	return fate;
}

enum {
	PASSES,
	MAY_BE_DROPPED,
	IS_DROPPED
};

static int ack_to(uint16_t port)
{
	const struct firewall_fate fate =
		fate_of(FIREWALL_INPUT, false, port, FIREWALL_ACK, FIREWALL_CT_NEW);

	if (fate.verdict == FIREWALL_ACCEPT)
		return PASSES;
	assert_int_equal(fate.verdict, FIREWALL_DROP);
	return fate.is_certain ? IS_DROPPED : MAY_BE_DROPPED;
}

static void a_policy_drops_what_no_rule_accepts(void **state)
{
	(void)state;
	read_nft(CHAIN("drop") "," RULE(DPORT("80") "," ACCEPT) "," RULE(
		DPORT("{\"set\":[22,{\"range\":[443,445]}]}") "," ACCEPT));
	assert_int_equal(ack_to(80), PASSES);
	assert_int_equal(ack_to(444), PASSES);
	assert_int_equal(ack_to(22), PASSES);
	assert_int_equal(ack_to(446), IS_DROPPED);
	assert_null(fate_of(FIREWALL_INPUT, false, 446, FIREWALL_ACK, FIREWALL_CT_NEW).rule);
}

static void a_rule_for_some_remotes_may_accept(void **state)
{
	(void)state;
	read_nft(CHAIN("drop") "," RULE(
		MATCH("==", PAYLOAD("ip", "saddr"),
		      "{\"prefix\":{\"addr\":\"10.0.0.0\",\"len\":8}}") "," ACCEPT));
	assert_int_equal(ack_to(80), MAY_BE_DROPPED);
}

static void an_unknown_condition_may_hold(void **state)
{
	(void)state;
	read_nft(CHAIN("accept") "," RULE("{\"limit\":{\"rate\":5}}," DPORT(
		"80") "," DROP) "," RULE("{\"osf\":{}}," DPORT("81") "," DROP));
	assert_int_equal(ack_to(80), MAY_BE_DROPPED);
	assert_int_equal(ack_to(81), MAY_BE_DROPPED);
	assert_int_equal(ack_to(82), PASSES);
}

static void a_blocklist_is_not_about_us(void **state)
{
	(void)state;
	read_nft(CHAIN("accept") "," RULE(
		MATCH("==", PAYLOAD("ip", "saddr"), "\"192.0.2.1\"") "," DROP));
	assert_int_equal(ack_to(80), PASSES);
}

static void flags_are_compared_under_their_mask(void **state)
{
	(void)state;
	read_nft(CHAIN("accept") "," RULE(MATCH(
		"!=", "{\"&\":[" PAYLOAD("tcp", "flags") ",[\"fin\",\"syn\",\"rst\",\"ack\"]]}",
		"\"syn\"") "," CT("\"new\"") "," DROP));
	assert_int_equal(ack_to(80), IS_DROPPED);
	assert_int_equal(fate_of(FIREWALL_INPUT, false, 80, FIREWALL_SYN, FIREWALL_CT_NEW).verdict,
			 FIREWALL_ACCEPT);
	assert_int_equal(
		fate_of(FIREWALL_INPUT, false, 80, FIREWALL_ACK, FIREWALL_CT_ESTABLISHED).verdict,
		FIREWALL_ACCEPT);
}

static void interfaces_may_have_a_wildcard_and_comparisons_an_order(void **state)
{
	(void)state;
	read_nft(CHAIN("drop") "," RULE(
		MATCH("==", "{\"meta\":{\"key\":\"iifname\"}}", "\"eth*\"") "," MATCH(
			">=", PAYLOAD("tcp", "dport"),
			"1024") "," ACCEPT) "," RULE(MATCH("!=", "{\"meta\":{\"key\":\"iifname\"}}",
							   "\"eth0\"") "," ACCEPT));
	assert_int_equal(ack_to(1024), PASSES);
	assert_int_equal(ack_to(65535), PASSES);
	assert_int_equal(ack_to(1023), IS_DROPPED);
}

static void a_jump_comes_back_and_a_goto_does_not(void **state)
{
	(void)state;
	read_nft(CHAIN(
		"drop") ",{\"chain\":{\"family\":\"inet\",\"table\":\"t\",\"name\":\"sub\"}},"
			"{\"rule\":{\"family\":\"inet\",\"table\":\"t\",\"chain\":\"sub\",\"expr\":[" DPORT(
				"80") "," ACCEPT
				      "]}}," RULE("{\"jump\":{\"target\":\"sub\"}}") "," RULE(DPORT("81") "," ACCEPT) "," RULE(
					      "{\"goto\":{\"target\":\"sub\"}}") "," RULE(DPORT("82") "," ACCEPT));
	assert_int_equal(ack_to(80), PASSES);
	assert_int_equal(ack_to(81), PASSES);
	assert_int_equal(ack_to(82), IS_DROPPED);
}

static void chains_that_lead_in_a_circle_end(void **state)
{
	(void)state;
	read_nft(CHAIN("accept") "," RULE("{\"jump\":{\"target\":\"in\"}}"));
	assert_int_equal(ack_to(80), PASSES);
}

static void a_map_sends_ports_elsewhere(void **state)
{
	struct firewall_fate fate;

	(void)state;
	read_nft(
		"{\"map\":{\"family\":\"ip\",\"table\":\"n\",\"name\":\"m\",\"map\":\"verdict\","
		"\"elem\":[[{\"concat\":[\"10.0.0.2\",\"tcp\",443]},{\"goto\":{\"target\":\"pod\"}}],"
		"[{\"concat\":[\"10.0.0.3\",\"tcp\",444]},{\"goto\":{\"target\":\"pod\"}}]]}},"
		"{\"chain\":{\"family\":\"ip\",\"table\":\"n\",\"name\":\"pod\"}},"
		"{\"chain\":{\"family\":\"ip\",\"table\":\"n\",\"name\":\"pre\",\"type\":\"nat\","
		"\"hook\":\"prerouting\",\"prio\":-100}},"
		"{\"rule\":{\"family\":\"ip\",\"table\":\"n\",\"chain\":\"pod\",\"expr\":["
		"{\"dnat\":{\"addr\":\"10.9.0.1\",\"port\":8443}}]}},"
		"{\"rule\":{\"family\":\"ip\",\"table\":\"n\",\"chain\":\"pre\",\"expr\":["
		"{\"vmap\":{\"key\":{\"concat\":[" PAYLOAD(
			"ip", "daddr") ",{\"meta\":{\"key\":"
				       "\"l4proto\"}}," PAYLOAD("th",
								"dport") "]},\"data\":\"@m\"}}]}}");
	fate = fate_of(FIREWALL_PREROUTING, true, 443, FIREWALL_SYN, FIREWALL_CT_NEW);
	assert_int_equal(fate.verdict, FIREWALL_DNAT);
	assert_true(fate.is_certain);
	assert_string_equal(fate.rule->target, "10.9.0.1:8443");
	fate = fate_of(FIREWALL_PREROUTING, true, 444, FIREWALL_SYN, FIREWALL_CT_NEW);
	assert_int_equal(fate.verdict, FIREWALL_ACCEPT);
}

static void udp_and_other_protocols_do_not_matter(void **state)
{
	(void)state;
	read_nft(CHAIN("accept") "," RULE(
		MATCH("==", PAYLOAD("udp", "dport"),
		      "80") "," DROP) "," RULE(MATCH("==", "{\"meta\":{\"key\":\"l4proto\"}}",
						     "{\"set\":[\"udp\",\"icmp\"]}") "," DROP));
	assert_int_equal(ack_to(80), PASSES);
}

static void iptables_rules_read_alike(void **state)
{
	struct firewall_fate fate;

	(void)state;
	read_iptables(
		"*filter\n:INPUT DROP [0:0]\n:ufw - [0:0]\n"
		"-A INPUT -i lo -j ACCEPT\n"
		"-A INPUT -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT\n"
		"-A INPUT -p tcp -m comment --comment \"a \\\"quoted\\\" word\" -j ufw\n"
		"-A ufw -p tcp -m multiport --dports 80,8000:8009 -j ACCEPT\n"
		"-A ufw -p tcp -m tcp --dport 81 -m limit --limit 3/min -j ACCEPT\n"
		"-A ufw -d 10.0.0.3/32 -p tcp -m tcp --dport 82 -j ACCEPT\n"
		"COMMIT\n*nat\n:PREROUTING ACCEPT [0:0]\n:DOCKER - [0:0]\n"
		"-A PREROUTING -m addrtype --dst-type LOCAL -j DOCKER\n"
		"-A DOCKER ! -i docker0 -p tcp -m tcp --dport 8080 -j DNAT --to-destination 172.17.0.2:80\n"
		"COMMIT\n*raw\n:PREROUTING ACCEPT [0:0]\n"
		"-A PREROUTING -p tcp -m tcp --dport 90 -j CT --notrack\nCOMMIT\n");
	assert_int_equal(ack_to(80), PASSES);
	assert_int_equal(ack_to(8009), PASSES);
	assert_int_equal(ack_to(8010), IS_DROPPED);
	assert_int_equal(ack_to(81), MAY_BE_DROPPED);
	assert_int_equal(ack_to(82), IS_DROPPED);
	fate = fate_of(FIREWALL_PREROUTING, true, 8080, FIREWALL_SYN, FIREWALL_CT_NEW);
	assert_int_equal(fate.verdict, FIREWALL_DNAT);
	assert_string_equal(fate.rule->target, "172.17.0.2:80");
	assert_true(firewall.tracks);
}

static void what_is_not_tracked_has_that_state(void **state)
{
	struct firewall_packet packet = {
		.ifname = "eth0", .port = 90, .flags = FIREWALL_ACK, .ct_state = FIREWALL_CT_NEW};
	struct firewall_fate fate;

	(void)state;
	read_iptables("*raw\n:PREROUTING ACCEPT [0:0]\n"
		      "-A PREROUTING -p tcp -m tcp --dport 90 -j CT --notrack\nCOMMIT\n");
	firewall_walk(&firewall, FIREWALL_PREROUTING, false, &packet, &fate);
	assert_int_equal(packet.ct_state, FIREWALL_CT_UNTRACKED);
}

static void ports_are_cut_where_rules_tell_them_apart(void **state)
{
	struct port_set cuts = {0};
	char text[64];

	(void)state;
	read_nft(CHAIN("accept") "," RULE(DPORT("{\"range\":[80,89]}") "," DROP));
	firewall_cut_ports(&firewall, &cuts);
	port_set_format(&cuts, text, sizeof(text));
	assert_string_equal(text, "1,80,90");
}

static void what_is_no_list_of_rules_is_refused(void **state)
{
	(void)state;
	assert_int_equal(firewall_add_nft(&firewall, ""), -EINVAL);
	assert_int_equal(firewall_add_nft(&firewall, "[1]"), -EINVAL);
	assert_int_equal(
		firewall_add_nft(&firewall, "{\"nftables\":[{\"rule\":{}},{\"chain\":1},7]}"), 0);
	read_iptables(
		"-A\n-A INPUT\n:\n*\n-A INPUT -p\n:X - [\n-A X -p tcp --dport\n-A X --tcp-flags SYN\n-A X ! -j\n");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_policy_drops_what_no_rule_accepts),
		TEST(a_rule_for_some_remotes_may_accept),
		TEST(an_unknown_condition_may_hold),
		TEST(a_blocklist_is_not_about_us),
		TEST(flags_are_compared_under_their_mask),
		TEST(interfaces_may_have_a_wildcard_and_comparisons_an_order),
		TEST(a_jump_comes_back_and_a_goto_does_not),
		TEST(chains_that_lead_in_a_circle_end),
		TEST(a_map_sends_ports_elsewhere),
		TEST(udp_and_other_protocols_do_not_matter),
		TEST(iptables_rules_read_alike),
		TEST(what_is_not_tracked_has_that_state),
		TEST(ports_are_cut_where_rules_tell_them_apart),
		TEST(what_is_no_list_of_rules_is_refused),
	};

	return cmocka_run_group_tests_name("firewall", tests, NULL, NULL);
}
