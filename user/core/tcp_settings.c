/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* tcp_rmem gives window and shift count the way tcp_select_initial_window() does. */
#include "tcp_settings.h"

#include "numbers.h"
#include "session.h"

#define SYSCTL "/proc/sys/net/"
#define RESETS_PER_S 1000
#define SYN_ACK_RETRIES 5

static uint64_t read_sysctl(const char *path, unsigned int index, uint64_t otherwise)
{
	uint64_t value;

	return number_read_file(path, index, &value) ? otherwise : value;
}

static uint8_t wscale_for(uint64_t space)
{
	uint8_t wscale = 0;

	while (space > UINT16_MAX && wscale < 14) {
		space >>= 1;
		wscale++;
	}
	return wscale;
}

void tcp_settings_read(struct engine_config *config, uint32_t mtu)
{
	const uint64_t rmem_default = read_sysctl(SYSCTL "ipv4/tcp_rmem", 1, 131072);
	const uint64_t tcp_rmem_max = read_sysctl(SYSCTL "ipv4/tcp_rmem", 2, 6291456);
	const uint64_t core_rmem_max = read_sysctl(SYSCTL "core/rmem_max", 0, 212992);
	/* Half of the buffer is for the kernel's own overhead. */
	const uint64_t space = rmem_default / 2;

	config->window = space > UINT16_MAX ? UINT16_MAX : (uint16_t)space;
	config->rounds_window = true;
	config->wscale = wscale_for(tcp_rmem_max > core_rmem_max ? tcp_rmem_max : core_rmem_max);
	config->syn_ack_retries = (uint8_t)read_sysctl(SYSCTL "ipv4/tcp_synack_retries", 0, 5);
	config->syn_retries = (uint8_t)read_sysctl(SYSCTL "ipv4/tcp_syn_retries", 0, 6);
	config->mss_v4 = session_mss_v4(mtu);
	config->mss_v6 = session_mss_v6(mtu);
	config->resets_per_s = RESETS_PER_S;
	if (config->syn_ack_retries > SYN_ACK_RETRIES)
		config->syn_ack_retries = SYN_ACK_RETRIES;
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

void tcp_settings_adjust_to_connect(struct engine_config *config)
{
	uint64_t lifetime_s;

	find_retries(&lifetime_s);
	config->syn_ack_retries = 0;
	while ((2ull << config->syn_ack_retries) - 1 < lifetime_s)
		config->syn_ack_retries++;
}
