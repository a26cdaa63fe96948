// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* A straight line of tests, each of which ends in a return. */
#include "tap_filter.h"

#include <linux/if_packet.h>
#include <linux/types.h>
#include <netinet/in.h>

#include <abi/abi.h>

#define RANGES_MAX 16
#define WHOLE 0xffffffffu
#define V4_FRAGMENT_OFFSET 0x1fffu
#define VLAN_ID 0xfffu

struct program {
	struct sock_filter *code;
	size_t len;
};

static void add(struct program *program, struct sock_filter instruction)
{
	program->code[program->len++] = instruction;
}

static void load(struct program *program, uint16_t size, uint32_t offset)
{
	add(program, (struct sock_filter)BPF_STMT(BPF_LD | size | BPF_ABS, offset));
}

static void load_extra(struct program *program, uint32_t what)
{
	load(program, BPF_W, (uint32_t)(SKF_AD_OFF + (int)what));
}

static void give_back(struct program *program, uint32_t len)
{
	add(program, (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, len));
}

/* Go on if the accumulator is the value, else skip so many instructions. */
static void skip_unless(struct program *program, uint32_t value, uint8_t skipped)
{
	add(program, (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, value, 0, skipped));
}

static void skip_if(struct program *program, uint32_t value, uint8_t skipped)
{
	add(program, (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, value, skipped, 0));
}

static void drop_others(struct program *program, bool sees_outgoing)
{
	load_extra(program, SKF_AD_PKTTYPE);
	skip_if(program, PACKET_HOST, sees_outgoing ? 2 : 1);
	if (sees_outgoing)
		skip_if(program, PACKET_OUTGOING, 1);
	give_back(program, 0);
	/* Before Linux 6.2 a VLAN device leaves the ID of what it has untagged. */
	load_extra(program, SKF_AD_VLAN_TAG_PRESENT);
	skip_if(program, 0, 3);
	load_extra(program, SKF_AD_VLAN_TAG);
	add(program, (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, VLAN_ID, 0, 1));
	give_back(program, 0);
	load_extra(program, SKF_AD_MARK);
	skip_unless(program, NOL_MARK_REPLAY, 1);
	give_back(program, 0);
}

struct range {
	uint16_t first, last;
};

/* The number of ranges, at most RANGES_MAX; 0: there are more. */
static size_t find_ranges(const struct port_set *ports, struct range ranges[RANGES_MAX])
{
	size_t count = 0;
	bool was_in = false;

	for (uint32_t port = 0; port <= UINT16_MAX; port++) {
		const bool is_in = port_set_has(ports, (uint16_t)port);

		if (is_in && !was_in && count == RANGES_MAX)
			return 0;
		if (is_in && !was_in)
			ranges[count++].first = (uint16_t)port;
		if (is_in)
			ranges[count - 1].last = (uint16_t)port;
		was_in = is_in;
	}
	return count;
}

/* The accumulator has the port. */
static void take_ports(struct program *program, const struct range *ranges, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		add(program,
		    (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JGE | BPF_K, ranges[i].first, 0, 2));
		add(program,
		    (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JGT | BPF_K, ranges[i].last, 1, 0));
		give_back(program, WHOLE);
	}
	give_back(program, count ? 0 : WHOLE);
}

static void take_v4(struct program *program, const struct range *ranges, size_t count)
{
	load(program, BPF_B, 9);
	skip_if(program, IPPROTO_TCP, 1);
	give_back(program, 0);
	load(program, BPF_H, 6);
	add(program,
	    (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, V4_FRAGMENT_OFFSET, 0, 1));
	give_back(program, 0);
	add(program, (struct sock_filter)BPF_STMT(BPF_LDX | BPF_B | BPF_MSH, 0));
	add(program, (struct sock_filter)BPF_STMT(BPF_LD | BPF_H | BPF_IND, 2));
	take_ports(program, ranges, count);
}

/* Behind extension headers the port is not looked for. */
static void take_v6(struct program *program, const struct range *ranges, size_t count)
{
	load(program, BPF_B, 6);
	skip_if(program, IPPROTO_HOPOPTS, 3);
	skip_if(program, IPPROTO_ROUTING, 2);
	skip_if(program, IPPROTO_FRAGMENT, 1); /* it may be a whole one (RFC 6946) */
	skip_unless(program, IPPROTO_DSTOPTS, 1);
	give_back(program, WHOLE);
	skip_if(program, IPPROTO_TCP, 1);
	give_back(program, 0);
	load(program, BPF_H, 42);
	take_ports(program, ranges, count);
}

size_t tap_filter_build(const struct port_set *ports, bool sees_outgoing,
			struct sock_filter out[TAP_FILTER_MAX])
{
	struct program program = {.code = out};
	struct range ranges[RANGES_MAX];
	size_t count = sees_outgoing ? 0 : find_ranges(ports, ranges);
	size_t jump;

	drop_others(&program, sees_outgoing);
	load(&program, BPF_B, 0);
	add(&program, (struct sock_filter)BPF_STMT(BPF_ALU | BPF_AND | BPF_K, 0xf0));
	jump = program.len;
	skip_unless(&program, 0x40, 0);
	take_v4(&program, ranges, count);
	out[jump].jf = (uint8_t)(program.len - jump - 1);
	skip_if(&program, 0x60, 1);
	give_back(&program, 0);
	take_v6(&program, ranges, count);
	return program.len;
}
