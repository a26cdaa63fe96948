/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "sheet.h"

#include <stddef.h>
#include <string.h>

const unsigned int growth_flows[GROWTH_STEPS] = {100, 1000, 10000, 100000, 1000000};
const unsigned int answered_prefixes[ANSWERED_STEPS] = {1, 16, 256, 4096};
const unsigned int answered_ports[ANSWERED_STEPS] = {1, 100, 10000, 65536};

const struct sheet sheet_table[SHEETS + 1] = {
	[SHEET_CONNECT] =
		{
			.name = "connect",
			.title = "connect(), idle, open loop (us)",
			.compared = "connect.p50_us",
			.figures = {{"connect.p50_us", "p50", 1},
				    {"connect.p99_us", "p99", 1},
				    {"connect.p999_us", "p99.9", 1},
				    {"connect.success_pct", "success %", 2}},
		},
	[SHEET_SERIAL] =
		{
			.name = "serial",
			.title = "connect() to first byte, and connections, one after the other",
			.compared = "serial.p50_us",
			.figures = {{"serial.p50_us", "p50 us", 1},
				    {"serial.p90_us", "p90 us", 1},
				    {"serial.p99_us", "p99 us", 1},
				    {"serial.per_s", "per s", 0},
				    {"serial.failed", "failed", 0}},
		},
	[SHEET_PARALLEL] =
		{
			.name = "parallel",
			.title = "connections, 32 at once",
			.compared = "parallel.per_s",
			.figures = {{"parallel.per_s", "per s", 0},
				    {"parallel.each_us", "us each", 1},
				    {"parallel.p50_us", "p50 us", 1},
				    {"parallel.p99_us", "p99 us", 1},
				    {"parallel.failed", "failed", 0}},
		},
	[SHEET_REQUESTS] =
		{
			.name = "requests",
			.title = "requests on 32 connections that stay: 64 bytes and their echo",
			.compared = "requests.per_s",
			.figures = {{"requests.per_s", "per s", 0},
				    {"requests.failed", "failed", 0}},
		},
	[SHEET_DEMAND] =
		{
			.name = "demand",
			.title =
				"a server started by its first client, or by hand: to the first byte",
			.compared = "demand.first_byte_ms",
			.figures = {{"demand.first_byte_ms", "ms", 2}},
		},
	[SHEET_DELAY] =
		{
			.name = "delay",
			.title =
				"connect() to first byte, 10 ms away: no packet lost, and 2 % of all (us)",
			.compared = "delay.lossy_p99_us",
			.figures = {{"delay.p50_us", "p50", 1},
				    {"delay.p99_us", "p99", 1},
				    {"delay.lossy_p50_us", "lossy p50", 1},
				    {"delay.lossy_p99_us", "lossy p99", 1},
				    {"delay.lossy_served_pct", "served %", 2}},
		},
	[SHEET_BULK] =
		{
			.name = "bulk",
			.title = "an unrelated connection's throughput",
			.compared = "bulk.mbit_s",
			.figures = {{"bulk.mbit_s", "Mbit/s", 0}},
		},
	[SHEET_CPU] =
		{
			.name = "cpu",
			.title = "the server's CPU time a connection, nolisten without polling",
			.compared = "cpu.us_per_connection",
			.figures = {{"cpu.us_per_connection", "us", 1},
				    {"cpu.served_pct", "served %", 2}},
		},
	[SHEET_PROGRAM] =
		{
			.name = "program",
			.title = "programs: ns a packet, more than an empty program",
			.figures = {{"program.syn_ns", "SYN", 1},
				    {"program.ingress_ipv4_ns", "in IPv4", 1},
				    {"program.ingress_ipv6_ns", "in IPv6", 1},
				    {"program.egress_ipv4_ns", "out IPv4", 1},
				    {"program.egress_ipv6_ns", "out IPv6", 1},
				    {"program.guard_in_ns", "guard in", 1},
				    {"program.guard_out_ns", "guard out", 1},
				    {"program.empty_ns", "empty", 1},
				    {"program.empty_tc_ns", "empty TC", 1}},
		},
	[SHEET_MEMORY] =
		{
			.name = "memory",
			.title = "memory: bytes a flow",
			.compared = "memory.established",
			.figures = {{"memory.half_open", "half-open", 0},
				    {"memory.established", "established", 0}},
		},
	[SHEET_FLOOD] =
		{
			.name = "flood",
			.title =
				"clients during a SYN flood (connect() us at 500,000/s; the rest at 600,000/s)",
			.compared = "flood.500000.connect_p99_us",
			.figures = {{"flood.500000.connect_p50_us", "p50", 1},
				    {"flood.500000.connect_p99_us", "p99", 1},
				    {"flood.600000.success_pct", "success %", 2},
				    {"flood.600000.first_byte_p50_us", "1st byte p50", 1},
				    {"flood.600000.first_byte_p99_us", "p99", 1},
				    {"flood.600000.offered_per_s", "SYN/s sent", 0}},
		},
	[SHEET_CROWD] =
		{
			.name = "crowd",
			.title = "clients among 10,000 (quick: 2,000) and 100,000 connections",
			.compared = "crowd.first_byte_p50_us",
			.figures = {{"crowd.first_byte_p50_us", "1st byte p50", 1},
				    {"crowd.first_byte_p99_us", "p99", 1},
				    {"crowd.established", "connections", 0},
				    {"crowd.own_bytes", "own bytes each", 0},
				    {"crowd.100000.established", "connections", 0},
				    {"crowd.100000.first_byte_p50_us", "1st byte p50", 1},
				    {"crowd.100000.first_byte_p99_us", "p99", 1}},
		},
	[SHEET_GROWTH] =
		{
			.name = "growth",
			.title = "32 at once among so many flows, and memory of server and sockets",
			.compared = "growth.10000.per_s",
			.figures = {{"growth.100.per_s", "100 per s", 0},
				    {"growth.1000.per_s", "1,000 per s", 0},
				    {"growth.10000.per_s", "10,000 per s", 0},
				    {"growth.100000.per_s", "10^5 per s", 0},
				    {"growth.1000000.per_s", "10^6 per s", 0},
				    {"growth.100.mib", "100 MiB", 1},
				    {"growth.1000.mib", "1,000 MiB", 1},
				    {"growth.10000.mib", "10,000 MiB", 1},
				    {"growth.100000.mib", "10^5 MiB", 1},
				    {"growth.1000000.mib", "10^6 MiB", 1}},
		},
	[SHEET_STRAYS] =
		{
			.name = "strays",
			.title = "clients during a flood of forged ACKs, up to 1,000,000/s",
			.compared = "strays.first_byte_p99_us",
			.figures = {{"strays.first_byte_p50_us", "1st byte p50", 1},
				    {"strays.first_byte_p99_us", "p99", 1},
				    {"strays.success_pct", "success %", 2},
				    {"strays.offered_per_s", "ACK/s sent", 0},
				    {"strays.rst_per_s", "RST/s seen", 0}},
		},
	[SHEET_SYNACK] =
		{
			.name = "synack",
			.title = "SYN-ACKs at saturation",
			.compared = "synack.per_s",
			.limit = "synack.per_s",
			.figures = {{"synack.per_s", "per s", 0},
				    {"synack.offered_per_s", "SYN/s sent", 0}},
		},
	[SHEET_HANDSHAKE] =
		{
			.name = "handshake",
			.title = "complete handshakes at saturation",
			.compared = "handshake.per_s",
			.limit = "synack.per_s",
			.figures = {{"handshake.per_s", "per s", 0},
				    {"handshake.sockets_per_s", "sockets/s", 0}},
		},
	[SHEET_ANSWERED] =
		{
			.name = "answered",
			.title =
				"SYN-ACKs a second by the number of prefixes and of ports that are answered",
			.figures = {{"answered.prefixes.1.per_s", "1 prefix", 0},
				    {"answered.prefixes.16.per_s", "16", 0},
				    {"answered.prefixes.256.per_s", "256", 0},
				    {"answered.prefixes.4096.per_s", "4,096", 0},
				    {"answered.ports.1.per_s", "1 port", 0},
				    {"answered.ports.100.per_s", "100", 0},
				    {"answered.ports.10000.per_s", "10,000", 0},
				    {"answered.ports.65536.per_s", "all", 0}},
		},
};

static bool ends_in(const char *text, const char *end)
{
	const size_t len = strlen(text), end_len = strlen(end);

	return len >= end_len && !strcmp(text + len - end_len, end);
}

/* The first one that fits. */
static const struct {
	const char *end;
	enum sheet_aim aim;
} aims[] = {
	{"offered_per_s", SHEET_NO_AIM},
	{"rst_per_s", SHEET_NO_AIM},
	{".empty_ns", SHEET_NO_AIM},
	{".empty_tc_ns", SHEET_NO_AIM},
	{"per_s", SHEET_HIGHER},
	{"mbit_s", SHEET_HIGHER},
	{"_pct", SHEET_HIGHER},
	{"crowd.established", SHEET_HIGHER},
	{"crowd.100000.established", SHEET_HIGHER},
	{"_us", SHEET_LOWER},
	{"_ms", SHEET_LOWER},
	{".us_per_connection", SHEET_LOWER},
	{"_ns", SHEET_LOWER},
	{"_bytes", SHEET_LOWER},
	{".mib", SHEET_LOWER},
	{"memory.half_open", SHEET_LOWER},
	{"memory.established", SHEET_LOWER},
	{".failed", SHEET_LOWER},
};

bool sheet_aim(const char *figure, enum sheet_aim *out)
{
	for (size_t i = 0; i < sizeof(aims) / sizeof(aims[0]); i++) {
		if (!ends_in(figure, aims[i].end))
			continue;
		*out = aims[i].aim;
		return true;
	}
	*out = SHEET_NO_AIM;
	return false;
}

bool sheet_is_share(const char *figure)
{
	return ends_in(figure, "_pct");
}
