/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * slow_client 4|6 IFNAME PORT LOST [WORDS [first]]: a SYN with these options (script.h), of whose SYN-ACKs so many are lost;
 * the one behind them is acknowledged, or, with "first", the first, as if all had only been late. Prints how many bytes
 * of data come before anything is sent again, which the server's timer ends. In the lab of differential.bash.
 */
#include <poll.h>
#include <unistd.h>

#include "tools/differ_side.h"

#define PATIENCE_MS 30000

static struct conversation conversation;

/* The next segment of the conversation. */
static void receive(struct wire_answer *out)
{
	const uint64_t deadline_ms = now_ms() + PATIENCE_MS;
	bool is_answer = false;

	while (now_ms() < deadline_ms) {
		struct pollfd poller = {.fd = sides[0].fd, .events = POLLIN};

		if (poll(&poller, 1, 100) == 1 && side_receive(&sides[0], out, &is_answer) &&
		    is_answer && out->local_port == conversation.port)
			return;
	}
	fprintf(stderr, "nothing came for %d ms\n", PATIENCE_MS);
	exit(1);
}

static uint32_t tsval_of(const struct wire_answer *answer)
{
	for (size_t at = 0; at + 10 <= answer->options_len; at++)
		if (answer->options[at] == 8 && answer->options[at + 1] == 10)
			return get32(answer->options + at + 2);
	return 0;
}

static void send_step(const char *flags, const char *words)
{
	char step[256];

	snprintf(step, sizeof(step), "%s %s", flags, words);
	side_send(&sides[0], &conversation, step);
}

static void shake_hands(int lost, const char *words, bool is_first_echoed)
{
	struct wire_answer answer = {0};

	send_step("S mss=1460", words);
	for (int i = 0; i <= lost; i++) {
		receive(&answer);
		if (answer.flags != (WIRE_SYN | WIRE_ACK))
			usage("a server that answers");
		if (!i || !is_first_echoed)
			conversation.state.tsval = tsval_of(&answer);
	}
	conversation.state.iss = answer.seq;
	send_step(". +1 ^1", strstr(words, "ts") ? "ts" : "");
}

static uint32_t count_first_flight(void)
{
	const uint32_t start = conversation.state.iss + 1;
	uint32_t len = 0;
	struct wire_answer answer;

	for (;;) {
		receive(&answer);
		if (answer.payload_len && answer.seq - start < len)
			return len;
		if (answer.payload_len)
			len = answer.seq - start + (uint32_t)answer.payload_len;
	}
}

int main(int argc, char **argv)
{
	if (argc < 5 || argc > 7)
		usage("4|6 IFNAME PORT LOST [WORDS [first]]");
	conversation.port = (uint16_t)(20000 + getpid() % 20000);
	conversation.state.sent_tsval = SCRIPT_TSVAL;
	side_open(&sides[0], argv[2], *argv[1] == '6', (uint16_t)atoi(argv[3]));
	shake_hands(atoi(argv[4]), argc > 5 ? argv[5] : "", argc > 6);
	printf("%u bytes at once\n", count_first_flight());
	return 0;
}
