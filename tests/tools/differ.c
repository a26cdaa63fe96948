/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * differ 4|6 GROUP KERNEL-IFNAME NOLISTEN-IFNAME PORT [NAME...]: the same packets to a kernel listener and to nolisten,
 * each behind one interface of this namespace, and a comparison of what comes back. One TAP line a case; cases of the
 * NAMEs may differ. In the environment: DIFFER_METHOD=connect leaves out of the comparison what differs by the nature of
 * that method; DIFFER_ONLY=TEXT takes only the cases whose name contains it.
 *
 * Both servers have the address 10.0.0.2 or fd00::2 and the MAC address 02:00:00:00:00:02, and know our
 * 10.0.0.77 or fd00::77 as a neighbour. No kernel owns that address, so nobody interferes.
 */
#include "tools/differ_cookies.h"
#include "tools/differ_icmp.h"
#include "tools/differ_run.h"
#include "tools/differ_sockopts.h"

#define PORTS 1000 /* of each group and family */

static unsigned int failures, number;
static char **tolerated;
static int tolerated_count;

static bool is_tolerated(const struct differ_case *one)
{
	for (int i = 0; i < tolerated_count; i++)
		if (!strcmp(tolerated[i], one->name))
			return true;
	return false;
}

static bool is_as_meant(const struct differ_case *one, const struct answer_text *kernel,
			const struct answer_text *nolisten)
{
	bool is_same = !strcmp(kernel->text, nolisten->text);

	/* What a hand-off cannot do, connect-back may. */
	if (one->differs && !(answer_text_is_of_connect && is_same))
		return !strcmp(one->differs, nolisten->shape);
	return is_same;
}

static void judge(const struct differ_case *one, const struct answer_text *kernel,
		  const struct answer_text *nolisten)
{
	const bool is_meant = is_as_meant(one, kernel, nolisten);
	const bool is_good = is_meant || is_tolerated(one);

	failures += !is_good;
	printf("%sok %u - %s%s\n", is_good ? "" : "not ", ++number, one->name,
	       is_meant	 ? ""
	       : is_good ? " # may differ"
			 : "");
	if (one->differs)
		printf("# differs: %s\n", one->reason);
	if (is_good && !one->differs)
		return;
	printf("#   script:   %s\n#   kernel:   %s\n#   nolisten: %s\n", one->script, kernel->text,
	       nolisten->text);
	if (one->differs)
		printf("#   accepted: %s\n", one->differs);
}

static bool has_counter(const char *name)
{
	char line[16384];
	bool is_there = false;
	FILE *file = fopen("/proc/net/netstat", "re");

	while (file && fgets(line, sizeof(line), file))
		is_there |= strstr(line, name) != NULL;
	if (file)
		fclose(file);
	return is_there;
}

static bool is_wanted(const struct differ_case *one)
{
	const char *only = getenv("DIFFER_ONLY");

	if (only && !strstr(one->name, only))
		return false;
	if (one->family && (one->family == '6') != sides[0].wire.is_v6)
		return false;
	if (!one->needs || has_counter(one->needs))
		return true;
	printf("ok %u - %s # SKIP this kernel has no %s\n", ++number, one->name, one->needs);
	return false;
}

static void run_cases(const struct differ_case *cases, size_t count)
{
	const uint16_t first_port = (uint16_t)(fence.first_port - RUNS_MAX);

	for (size_t i = 0; i < count; i++)
		if (is_wanted(&cases[i]))
			run_add(&cases[i], (uint16_t)(first_port + run_count),
				cases[i].differs || is_tolerated(&cases[i]));
	await_steady_cookies();
	run_all();
	for (size_t i = 0; i < run_count; i++)
		judge(runs[i].one, &runs[i].conversations[0].text, &runs[i].conversations[1].text);
}

/* What was not heard cannot be compared. */
static void judge_hearing(void)
{
	for (int s = 0; s < SIDES; s++) {
		const unsigned int lost = side_lost(&sides[s]);

		failures += lost != 0;
		printf("%sok %u - every answer of %s was heard\n", lost ? "not " : "", ++number,
		       sides[s].name);
		if (lost)
			printf("# %u were lost\n", lost);
	}
}

/* All 256 values of the flags byte. */
static void run_flags(const char *port_word)
{
	static struct differ_case cases[256];
	static char names[256][32], scripts[256][64];

	for (unsigned int flags = 0; flags < 256; flags++) {
		snprintf(names[flags], sizeof(names[flags]), "flags 0x%02x%s", flags, port_word);
		snprintf(scripts[flags], sizeof(scripts[flags]), "0x%02x ^77%s", flags, port_word);
		cases[flags] = (struct differ_case){names[flags], scripts[flags]};
		/* The sixteen SYNs with both ECE and CWR ask for ECN. */
		if ((flags & 0xd7) == 0xc2) {
			cases[flags].differs = *port_word ? NULL : "S.";
			cases[flags].reason = "ECN cannot survive the hand-off";
		}
	}
	run_cases(cases, 256);
}

#define RUN(table) run_cases(table, sizeof(table) / sizeof(table[0]))

/*
 * Retransmissions of an earlier run in the same namespaces must not meet this one: each group and family has its
 * own thousand ports, of which the cases have the first.
 */
static void take_ports(const char *group, bool is_v6)
{
	static const char *const groups[] = {"segments",  "options", "packets",
					     "time-wait", "flags",   "closed-flags",
					     "sockopts",  "defer",   "icmp"};
	unsigned int index = 0;

	while (index < sizeof(groups) / sizeof(groups[0]) && strcmp(groups[index], group))
		index++;
	fence.first_port = (uint16_t)(10000 + (2 * index + is_v6) * PORTS + RUNS_MAX);
	fence.ports = PORTS - RUNS_MAX;
}

static void run_group(const char *group)
{
	take_ports(group, sides[0].wire.is_v6);
	if (!strcmp(group, "segments"))
		RUN(segment_cases);
	else if (!strcmp(group, "options"))
		RUN(option_cases);
	else if (!strcmp(group, "packets"))
		RUN(packet_cases);
	else if (!strcmp(group, "time-wait"))
		RUN(time_wait_cases);
	else if (!strcmp(group, "sockopts"))
		RUN(sockopt_cases);
	else if (!strcmp(group, "defer"))
		RUN(defer_cases);
	else if (!strcmp(group, "icmp"))
		RUN(icmp_cases);
	else if (!strcmp(group, "flags"))
		run_flags("");
	else if (!strcmp(group, "closed-flags"))
		run_flags(" closed");
	else
		usage("4|6 segments|options|packets|time-wait|flags|closed-flags|sockopts|defer|icmp IF IF PORT");
}

int main(int argc, char **argv)
{
	if (argc < 6)
		usage("4|6 GROUP KERNEL-IFNAME NOLISTEN-IFNAME PORT [NAME...]");
	tolerated = argv + 6;
	tolerated_count = argc - 6;
	answer_text_is_of_connect = !strcmp(getenv("DIFFER_METHOD") ?: "", "connect");
	for (int s = 0; s < SIDES; s++)
		side_open(&sides[s], argv[3 + s], *argv[1] == '6', (uint16_t)atoi(argv[5]));
	run_group(argv[2]);
	judge_hearing();
	printf("1..%u\n", number);
	return failures ? 1 : 0;
}
