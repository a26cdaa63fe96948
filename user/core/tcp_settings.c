/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The times of method connect, and what the engine is told once. */
#include "tcp_settings.h"

#include "advertise.h"
#include "numbers.h"

#define SYSCTL "/proc/sys/net/"
#define RESETS_PER_S 1000
#define SYN_ACK_RETRIES 5

static uint64_t read_sysctl(const char *path, unsigned int index, uint64_t otherwise)
{
	uint64_t value;

	return number_read_file(path, index, &value) ? otherwise : value;
}

void tcp_settings_read(struct engine_config *config)
{
	config->syn_retries = (uint8_t)read_sysctl(SYSCTL "ipv4/tcp_syn_retries", 0, 6);
	config->resets_per_s = RESETS_PER_S;
}

/*
 * How a SYN is sent again: linear + 1 waits of a second, then each twice as long as the last. The first one that ends
 * after the time that retries doubled waits take is the end. Retransmissions until then.
 */
static unsigned int count_syns(uint64_t linear, unsigned int retries, uint64_t *lifetime_s)
{
	const uint64_t end_s = (2ull << retries) - 1;
	unsigned int count = 0;
	uint64_t wait_s = 1;

	for (*lifetime_s = 1; *lifetime_s < end_s; *lifetime_s += wait_s) {
		if (count >= linear)
			wait_s *= 2;
		count++;
	}
	return count;
}

/* As many as a listener sends SYN-ACKs again. */
static uint8_t find_retries(uint64_t *lifetime_s)
{
	const uint64_t linear = read_sysctl(SYSCTL "ipv4/tcp_syn_linear_timeouts", 0, 0);
	uint8_t retries = 1;

	while (count_syns(linear, retries, lifetime_s) < SYN_ACK_RETRIES)
		retries++;
	return retries;
}

uint8_t tcp_settings_syn_retries(void)
{
	uint64_t lifetime_s;

	return find_retries(&lifetime_s);
}

void tcp_settings_adjust_to_connect(struct engine_settings *settings)
{
	uint64_t lifetime_s;

	find_retries(&lifetime_s);
	settings->offers = ADVERTISE_OFFERS;
	settings->syn_ack_retries = 0;
	while ((2ull << settings->syn_ack_retries) - 1 < lifetime_s)
		settings->syn_ack_retries++;
}
