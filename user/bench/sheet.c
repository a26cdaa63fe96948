/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "sheet.h"

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
				    {"parallel.p50_us", "p50 us", 1},
				    {"parallel.p99_us", "p99 us", 1},
				    {"parallel.failed", "failed", 0}},
		},
	[SHEET_BULK] =
		{
			.name = "bulk",
			.title = "an unrelated connection's throughput",
			.compared = "bulk.mbit_s",
			.figures = {{"bulk.mbit_s", "Mbit/s", 0}},
		},
	[SHEET_PROGRAM] =
		{
			.name = "program",
			.title = "programs: ns a packet, more than an empty program",
			.figures = {{"program.syn_ns", "SYN", 1},
				    {"program.ingress_ipv4_ns", "in IPv4", 1},
				    {"program.ingress_ipv6_ns", "in IPv6", 1},
				    {"program.egress_ipv4_ns", "out IPv4", 1},
				    {"program.egress_ipv6_ns", "out IPv6", 1}},
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
};
