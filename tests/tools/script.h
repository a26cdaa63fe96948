/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The notation of differ's cases. A script is steps divided by ';', a step is segments divided by '&' and sent at
 * once, a segment is words: its flags in tcpdump's letters (S F R P . U E W, '-' for none, or 0x..), then
 *   +N         sequence number, relative to our ISN               [0]
 *   ^N         acknowledgement number, relative to the server's   [0, field zero without '.']
 *   len=N win=N urg=N reserved=N        payload bytes, header fields
 *   mss=N ws=N sack ts ts=old ts=bad    options in that order: a TSval older than the last, a TSecr never sent
 *   opt=HEX    option bytes as they stand
 *   badsum doff=N iplen=N pad=N cut=N vlan=N frag=N ipopt=HEX ext=hop|dst|atomic      see struct wire
 *   from=WHO to=WHO      multicast, zero, loopback, own, broadcast; to=hw-broadcast
 *   port0 closed         from port 0; to a port where nobody listens
 *   icmp=T/C             in place of the segment an ICMP error of that type and code, which quotes a segment of the
 *                        server's with the sequence number that ^N says
 */
#ifndef NOLISTEN_TESTS_SCRIPT_H
#define NOLISTEN_TESTS_SCRIPT_H

#include "tools/wire.h"

#define SCRIPT_ISN 1000000u
#define SCRIPT_TSVAL 5000000u
#define SCRIPT_OLD 100000u

/* What a script needs to know of its connection. */
struct script_state {
	uint32_t iss; /* the server's, from its first SYN-ACK */
	uint32_t tsval; /* the server's last */
	uint32_t sent_tsval; /* our last */
};

struct script_address {
	const char *name;
	uint8_t v4[4];
	const char *v6;
};

static const struct script_address script_addresses[] = {
	{"multicast", {224, 0, 0, 1}, "ff02::1"}, {"zero", {0, 0, 0, 0}, "::"},
	{"loopback", {127, 0, 0, 1}, "::1"},	  {"own", {10, 0, 0, 2}, "fd00::2"},
	{"broadcast", {10, 0, 0, 255}, NULL},
};

__attribute__((noreturn)) static void script_error(const char *word)
{
	fprintf(stderr, "the case table has a word that is not known: %s\n", word);
	exit(2);
}

static void set_address(uint8_t *out, bool is_v6, const char *name)
{
	for (size_t i = 0; i < sizeof(script_addresses) / sizeof(script_addresses[0]); i++) {
		const struct script_address *address = &script_addresses[i];

		if (strcmp(address->name, name))
			continue;
		if (!is_v6)
			memcpy(out, address->v4, 4);
		else if (!address->v6 || inet_pton(AF_INET6, address->v6, out) != 1)
			script_error(name);
		return;
	}
	script_error(name);
}

static size_t put_hex(uint8_t *out, const char *hex)
{
	size_t len = 0;

	for (; hex[0] && hex[1]; hex += 2) {
		const char pair[] = {hex[0], hex[1], 0};

		out[len++] = (uint8_t)strtoul(pair, NULL, 16);
	}
	return len;
}

static uint8_t parse_flags(const char *word)
{
	static const char letters[] = "FSRP.UEW";
	uint8_t flags = 0;

	if (!strncmp(word, "0x", 2))
		return (uint8_t)strtoul(word, NULL, 16);
	for (; *word && *word != '-'; word++) {
		const char *letter = strchr(letters, *word);

		if (!letter)
			script_error(word);
		flags |= (uint8_t)(1 << (letter - letters));
	}
	return flags;
}

static void add_option(struct wire *wire, uint8_t kind, uint8_t len, uint32_t value)
{
	uint8_t *out = wire->options + wire->options_len;

	out[0] = kind;
	out[1] = len;
	if (len == 3)
		out[2] = (uint8_t)value;
	if (len == 4)
		put16(out + 2, value);
	wire->options_len += len;
}

static void add_timestamps(struct wire *wire, struct script_state *state, const char *how)
{
	uint8_t *out = wire->options + wire->options_len + 4;
	uint32_t tsval = state->sent_tsval + 10;
	uint32_t tsecr = state->tsval;

	if (!strcmp(how, "old"))
		tsval -= SCRIPT_OLD;
	else
		state->sent_tsval = tsval;
	if (!strcmp(how, "bad"))
		tsecr += SCRIPT_OLD;
	wire->options_len += put_hex(wire->options + wire->options_len, "0101080a");
	put32(out, tsval);
	put32(out + 4, tsecr);
	wire->options_len += 8;
}

/* false: not an option. */
static bool read_option(struct wire *wire, struct script_state *state, const char *word,
			const char *value)
{
	if (!strcmp(word, "mss"))
		add_option(wire, 2, 4, (uint32_t)atoi(value));
	else if (!strcmp(word, "ws"))
		add_option(wire, 3, 3, (uint32_t)atoi(value));
	else if (!strcmp(word, "sack"))
		add_option(wire, 4, 2, 0);
	else if (!strcmp(word, "ts"))
		add_timestamps(wire, state, value);
	else if (!strcmp(word, "opt"))
		wire->options_len += put_hex(wire->options + wire->options_len, value);
	else
		return false;
	return true;
}

static void set_extension(struct wire *wire, const char *value)
{
	if (!strcmp(value, "hop"))
		wire->extension = IPPROTO_HOPOPTS;
	else if (!strcmp(value, "dst"))
		wire->extension = IPPROTO_DSTOPTS;
	else if (!strcmp(value, "atomic"))
		wire->extension = IPPROTO_FRAGMENT;
	else
		script_error(value);
}

static void set_icmp(struct wire *wire, const char *value)
{
	const char *code = strchr(value, '/');

	if (!code)
		script_error(value);
	wire->icmp_type = (uint8_t)atoi(value);
	wire->icmp_code = (uint8_t)atoi(code + 1);
}

static bool read_header_field(struct wire *wire, const char *word, const char *value)
{
	int number = atoi(value);

	if (!strcmp(word, "len"))
		wire->payload_len = (size_t)number;
	else if (!strcmp(word, "win"))
		wire->window = (uint16_t)number;
	else if (!strcmp(word, "urg"))
		wire->urgent = (uint16_t)number;
	else if (!strcmp(word, "reserved"))
		wire->reserved = (uint8_t)number;
	else if (!strcmp(word, "badsum"))
		wire->has_bad_checksum = true;
	else if (!strcmp(word, "doff"))
		wire->data_offset = (uint8_t)number;
	else if (!strcmp(word, "port0"))
		wire->local_port = 0;
	else if (!strcmp(word, "icmp"))
		set_icmp(wire, value);
	else if (!strcmp(word, "closed"))
		wire->remote_port++;
	else
		return false;
	return true;
}

static bool read_packet_field(struct wire *wire, const char *word, const char *value)
{
	int number = atoi(value);

	if (!strcmp(word, "iplen"))
		wire->ip_len_delta = number;
	else if (!strcmp(word, "pad"))
		wire->padding = (size_t)number;
	else if (!strcmp(word, "cut"))
		wire->cut = (size_t)number;
	else if (!strcmp(word, "frag"))
		wire->fragment_at = (uint16_t)number;
	else if (!strcmp(word, "ipopt"))
		wire->ip_options_len = put_hex(wire->ip_options, value);
	else if (!strcmp(word, "ext"))
		set_extension(wire, value);
	else if (!strcmp(word, "from"))
		set_address(wire->local_addr, wire->is_v6, value);
	else if (!strcmp(word, "to") && !strcmp(value, "hw-broadcast"))
		memset(wire->remote_mac, 0xff, 6);
	else if (!strcmp(word, "to"))
		set_address(wire->remote_addr, wire->is_v6, value);
	else
		return false;
	return true;
}

static void read_word(struct wire *wire, struct script_state *state, char *word)
{
	char *value = strchr(word, '=');

	if (value)
		*value++ = 0;
	else
		value = word + strlen(word);
	if (!strcmp(word, "vlan")) {
		wire->has_vlan = true;
		wire->vlan = (uint16_t)atoi(value);
	} else if (*word == '+') {
		wire->seq = SCRIPT_ISN + (uint32_t)atoi(word + 1);
	} else if (*word == '^') {
		wire->ack = state->iss + (uint32_t)atoi(word + 1);
	} else if (!read_option(wire, state, word, value) &&
		   !read_header_field(wire, word, value) && !read_packet_field(wire, word, value)) {
		script_error(word);
	}
}

/* text: the words of one segment, taken apart; *wire: who talks to whom. */
static void script_read_segment(char *text, struct script_state *state, struct wire *wire)
{
	char *save, *word = strtok_r(text, " ", &save);

	wire->flags = parse_flags(word);
	wire->seq = SCRIPT_ISN;
	wire->window = 50000;
	while ((word = strtok_r(NULL, " ", &save)))
		read_word(wire, state, word);
}

#endif
