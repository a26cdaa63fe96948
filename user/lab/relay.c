/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "relay.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <unistd.h>

#include <linux/if.h>
#include <linux/if_tun.h>

#include "clock.h"

#define PACKET_MAX 65600
#define AT_ONCE 64
#define LOOK_US 300

int relay_open_end(const char *ifname, bool is_tap)
{
	struct ifreq request = {.ifr_flags = (short)((is_tap ? IFF_TAP : IFF_TUN) | IFF_NO_PI)};
	int fd = open("/dev/net/tun", O_RDWR | O_NONBLOCK | O_CLOEXEC), err = 0;

	if (fd < 0)
		return -errno;
	snprintf(request.ifr_name, sizeof(request.ifr_name), "%s", ifname);
	if (ioctl(fd, TUNSETIFF, &request))
		err = -errno;
	if (err)
		close(fd);
	return err ?: fd;
}

static uint64_t now_us(void)
{
	return clock_monotonic_ns() / CLOCK_NS_PER_US;
}

/* As far as they have come; the rest of a line may follow. */
static int take_commands(struct relay *relay)
{
	static char buffer[65536];
	static size_t used;
	ssize_t got;
	int err = 0;

	while (!err && relay->command_fd >= 0 &&
	       (got = read(relay->command_fd, buffer + used, sizeof(buffer) - 1 - used)) >= 0) {
		char *line = buffer, *end;

		if (!got)
			relay->command_fd = -1;
		used += (size_t)got;
		buffer[used] = 0;
		for (; !err && (end = strchr(line, '\n')); line = end + 1) {
			*end = 0;
			err = relay_command(&relay->rules, line);
		}
		used -= (size_t)(line - buffer);
		memmove(buffer, line, used);
	}
	return err;
}

static int judge(struct relay *relay, struct relay_packet *packet)
{
	struct relay_segment segment;
	uint64_t late_us = 0;
	uint16_t port;

	if (!relay_read(packet->frame, packet->len, relay->l2_len, &segment))
		return 0;
	port = packet->side == RELAY_CLIENT ? segment.source_port : segment.destination_port;
	packet->flow = relay_flow_get(&relay->rules, port);
	if (!packet->flow)
		return -ENOMEM;
	packet->verdict = relay_judge(&relay->rules, port, packet->side, &segment, &late_us);
	packet->due_us = packet->arrived_us;
	if (packet->verdict != RELAY_DROP)
		packet->due_us += packet->flow->delay_us + late_us;
	if (segment.flags & RELAY_SYN)
		packet->flow->isn[packet->side] = segment.seq;
	return 0;
}

/* 1; 0: there was nothing; -errno. */
static int take_packet(struct relay *relay, enum relay_side side)
{
	static uint8_t frame[PACKET_MAX];
	ssize_t len = read(relay->ends[side], frame, sizeof(frame));
	struct relay_packet *packet;
	int err;

	if (len <= 0)
		return 0;
	packet = malloc(sizeof(*packet) + (size_t)len);
	if (!packet)
		return -ENOMEM;
	*packet =
		(struct relay_packet){.side = side, .number = ++relay->arrived, .len = (size_t)len};
	packet->arrived_us = packet->due_us = now_us();
	packet->waited_us = packet->arrived_us - relay->looked_us;
	memcpy(packet->frame, frame, packet->len);
	err = take_commands(relay) ?: judge(relay, packet);
	return relay_queue_take(&relay->queue, packet) ?: err ?: 1;
}

/* What a device that is down, or full, does not take is lost, as on a wire. */
static int send_due(struct relay *relay)
{
	struct relay_packet *packet;
	uint64_t left_us;
	int err = 0;

	while (!err && (packet = TAILQ_FIRST(&relay->queue)) &&
	       packet->due_us <= (left_us = now_us())) {
		TAILQ_REMOVE(&relay->queue, packet, entry);
		if (packet->verdict != RELAY_DROP &&
		    write(relay->ends[!packet->side], packet->frame, packet->len) < 0 &&
		    errno != EIO && errno != EAGAIN)
			err = -errno;
		if (packet->flow && relay->tell)
			relay->tell(relay, packet, left_us);
		free(packet);
	}
	return err;
}

/* Not for long: a packet that comes meanwhile may be read late, and how late is to be known. */
static void wait_for_work(struct relay *relay)
{
	struct pollfd pollers[] = {{relay->ends[0], POLLIN, 0},
				   {relay->ends[1], POLLIN, 0},
				   {relay->command_fd, POLLIN, 0}};
	const struct relay_packet *next = TAILQ_FIRST(&relay->queue);
	struct timespec timeout = {.tv_nsec = LOOK_US * 1000};
	const uint64_t now = now_us();

	if (next && next->due_us < now + LOOK_US)
		timeout.tv_nsec = next->due_us > now ? (long)(next->due_us - now) * 1000 : 0;
	ppoll(pollers, 3, &timeout, NULL);
}

/* The delay is to be the one that was asked for, whoever else wants the processor. Where that is not allowed: left_us tells. */
static void be_punctual(void)
{
	const struct sched_param priority = {.sched_priority = 3};

	sched_setscheduler(0, SCHED_FIFO, &priority);
	mlockall(MCL_CURRENT | MCL_FUTURE);
	prctl(PR_SET_TIMERSLACK, 1);
}

/* As much as there is, but for a while only. */
static int take_packets(struct relay *relay)
{
	const uint64_t now = now_us();
	int got;

	for (int side = 0; side < RELAY_SIDES; side++) {
		got = 1;
		for (int i = 0; i < AT_ONCE && got > 0; i++)
			got = take_packet(relay, side) ?: send_due(relay);
		if (got < 0)
			return got;
	}
	relay->looked_us = now;
	return 0;
}

int relay_run(struct relay *relay)
{
	int err = 0;

	TAILQ_INIT(&relay->queue);
	be_punctual();
	relay->looked_us = now_us();
	for (; !err; err = take_commands(relay) ?: take_packets(relay) ?: send_due(relay))
		wait_for_work(relay);
	return err;
}
