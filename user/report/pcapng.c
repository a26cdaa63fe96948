/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* A block is its type, its length, a body, options, and its length again; all of it in words of 32 bits. */
#include "pcapng.h"

#include <string.h>

#define BLOCK_SECTION 0x0a0d0d0au
#define BLOCK_INTERFACE 1
#define BLOCK_STATISTICS 5
#define BLOCK_PACKET 6
#define BYTE_ORDER_MAGIC 0x1a2b3c4du

#define OPTION_END 0
#define OPTION_COMMENT 1
#define SECTION_APPLICATION 4
#define INTERFACE_NAME 2
#define INTERFACE_TIME_RESOLUTION 9
#define INTERFACE_FILTER 11
#define INTERFACE_OS 12
#define PACKET_FLAGS 2
#define PACKET_LOST 4
#define STATISTICS_STARTED 2
#define STATISTICS_ENDED 3
#define STATISTICS_RECEIVED 4
#define STATISTICS_LOST 5
#define STATISTICS_ACCEPTED 6
#define STATISTICS_OS_LOST 7
#define STATISTICS_WRITTEN 8

#define FLAG_INBOUND 1u
#define FLAG_OUTBOUND 2u
#define DECIMALS_NS 9
#define FILTER_IS_TEXT "" /* a byte of 0: in tcpdump's language */

/* What does not fit makes the block invalid, which build_end() says. */
struct block {
	uint8_t *bytes;
	size_t len, size;
	bool is_full;
};

static void add(struct block *block, const void *bytes, size_t len)
{
	if (len > block->size - block->len) {
		block->is_full = true;
		return;
	}
	if (len)
		memcpy(block->bytes + block->len, bytes, len);
	block->len += len;
}

static void add16(struct block *block, uint16_t value)
{
	add(block, &value, sizeof(value));
}

static void add32(struct block *block, uint32_t value)
{
	add(block, &value, sizeof(value));
}

/* The upper half first, whatever the byte order is. */
static void add_time(struct block *block, uint64_t time_ns)
{
	add32(block, (uint32_t)(time_ns >> 32));
	add32(block, (uint32_t)time_ns);
}

static void pad(struct block *block)
{
	static const uint8_t zeros[4];

	add(block, zeros, -block->len & 3);
}

static void add_option(struct block *block, uint16_t code, const void *value, size_t len)
{
	add16(block, code);
	add16(block, (uint16_t)len);
	add(block, value, len);
	pad(block);
}

/* An option is not longer than 65535 bytes. */
static void add_text(struct block *block, uint16_t code, const char *text)
{
	add_option(block, code, text, strnlen(text, UINT16_MAX));
}

static void add_option64(struct block *block, uint16_t code, uint64_t value)
{
	add_option(block, code, &value, sizeof(value));
}

static void add_option_time(struct block *block, uint16_t code, uint64_t time_ns)
{
	add16(block, code);
	add16(block, sizeof(time_ns));
	add_time(block, time_ns);
}

static struct block begin(uint8_t *out, size_t size, uint32_t type)
{
	struct block block = {.bytes = out, .size = size};

	add32(&block, type);
	add32(&block, 0);
	return block;
}

static size_t end(struct block *block)
{
	uint32_t len;

	add_option(block, OPTION_END, NULL, 0);
	len = (uint32_t)block->len + sizeof(len);
	add32(block, len);
	if (block->is_full)
		return 0;
	memcpy(block->bytes + sizeof(len), &len, sizeof(len));
	return len;
}

size_t pcapng_build_section(uint8_t *out, size_t size, const char *application)
{
	static const uint64_t unknown_len = UINT64_MAX;
	struct block block = begin(out, size, BLOCK_SECTION);

	add32(&block, BYTE_ORDER_MAGIC);
	add16(&block, 1);
	add16(&block, 0);
	add(&block, &unknown_len, sizeof(unknown_len));
	add_text(&block, SECTION_APPLICATION, application);
	return end(&block);
}

static void add_filter(struct block *block, const char *filter)
{
	const size_t len = strnlen(filter, UINT16_MAX - 1);

	add16(block, INTERFACE_FILTER);
	add16(block, (uint16_t)(len + 1));
	add(block, FILTER_IS_TEXT, 1);
	add(block, filter, len);
	pad(block);
}

size_t pcapng_build_interface(uint8_t *out, size_t size, const struct pcapng_interface *interface)
{
	static const uint8_t resolution = DECIMALS_NS;
	struct block block = begin(out, size, BLOCK_INTERFACE);

	add16(&block, (uint16_t)interface->link);
	add16(&block, 0);
	add32(&block, interface->snap_len);
	add_text(&block, INTERFACE_NAME, interface->name);
	add_option(&block, INTERFACE_TIME_RESOLUTION, &resolution, sizeof(resolution));
	if (interface->filter)
		add_filter(&block, interface->filter);
	add_text(&block, INTERFACE_OS, "Linux");
	return end(&block);
}

size_t pcapng_build_packet(uint8_t *out, size_t size, const struct pcapng_packet *packet)
{
	const uint32_t flags = packet->is_outgoing ? FLAG_OUTBOUND : FLAG_INBOUND;
	struct block block = begin(out, size, BLOCK_PACKET);

	add32(&block, 0); /* the interface */
	add_time(&block, packet->time_ns);
	add32(&block, packet->snap_len);
	add32(&block, packet->frame_len);
	add(&block, packet->frame, packet->snap_len);
	pad(&block);
	add_text(&block, OPTION_COMMENT, packet->comment);
	add_option(&block, PACKET_FLAGS, &flags, sizeof(flags));
	if (packet->lost)
		add_option64(&block, PACKET_LOST, packet->lost);
	return end(&block);
}

size_t pcapng_build_statistics(uint8_t *out, size_t size,
			       const struct pcapng_statistics *statistics)
{
	struct block block = begin(out, size, BLOCK_STATISTICS);

	add32(&block, 0); /* the interface */
	add_time(&block, statistics->ended_ns);
	add_option_time(&block, STATISTICS_STARTED, statistics->started_ns);
	add_option_time(&block, STATISTICS_ENDED, statistics->ended_ns);
	add_option64(&block, STATISTICS_RECEIVED, statistics->received);
	add_option64(&block, STATISTICS_LOST, statistics->lost);
	add_option64(&block, STATISTICS_ACCEPTED, statistics->accepted);
	add_option64(&block, STATISTICS_OS_LOST, 0);
	add_option64(&block, STATISTICS_WRITTEN, statistics->written);
	return end(&block);
}

bool pcapng_is_section(const uint8_t *bytes, size_t len)
{
	static const uint32_t type = BLOCK_SECTION;

	return len >= sizeof(type) && !memcmp(bytes, &type, sizeof(type));
}
