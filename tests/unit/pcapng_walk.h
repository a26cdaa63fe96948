/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* A pcapng file, as its reader sees it. */
#ifndef NOLISTEN_TESTS_PCAPNG_WALK_H
#define NOLISTEN_TESTS_PCAPNG_WALK_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "unit/cmocka_setup.h"

#define WALK_MAX (1u << 20)

struct walked {
	size_t packets, statistics;
	uint16_t link;
	uint64_t last_ns;
	size_t disorder; /* packets that are older than the one before */
	uint8_t frame[256]; /* of the last packet, as much of it as fits */
	uint32_t snap_len, frame_len;
	char comment[256]; /* of the last packet */
	uint64_t lost; /* of the last statistics */
};

static inline uint32_t walk_word(const uint8_t *bytes)
{
	uint32_t word;

	memcpy(&word, bytes, sizeof(word));
	return word;
}

/* The value of an option, or NULL. */
static inline const uint8_t *walk_option(const uint8_t *at, const uint8_t *end, uint16_t code,
					 uint16_t *len)
{
	*len = 0;
	while (at + 4 <= end) {
		const uint16_t found = (uint16_t)walk_word(at);

		*len = (uint16_t)(walk_word(at) >> 16);
		if (found == code)
			return at + 4;
		at += 4 + ((*len + 3) & ~3);
	}
	return NULL;
}

static inline void walk_packet(struct walked *walked, const uint8_t *block, uint32_t len)
{
	const uint64_t time_ns = (uint64_t)walk_word(block + 12) << 32 | walk_word(block + 16);
	const uint8_t *comment;
	uint16_t comment_len;

	walked->packets++;
	walked->disorder += time_ns < walked->last_ns;
	walked->last_ns = time_ns;
	walked->snap_len = walk_word(block + 20);
	walked->frame_len = walk_word(block + 24);
	memcpy(walked->frame, block + 28,
	       walked->snap_len < sizeof(walked->frame) ? walked->snap_len : sizeof(walked->frame));
	comment = walk_option(block + 28 + ((walked->snap_len + 3) & ~3u), block + len - 4, 1,
			      &comment_len);
	assert_non_null(comment);
	snprintf(walked->comment, sizeof(walked->comment), "%.*s", comment_len, comment);
}

static inline void walk_block(struct walked *walked, const uint8_t *block, uint32_t len)
{
	const uint8_t *value;
	uint16_t value_len;

	switch (walk_word(block)) {
	case 1:
		walked->link = (uint16_t)walk_word(block + 8);
		break;
	case 5:
		walked->statistics++;
		value = walk_option(block + 20, block + len - 4, 5, &value_len);
		assert_non_null(value);
		memcpy(&walked->lost, value, sizeof(walked->lost));
		break;
	case 6:
		walk_packet(walked, block, len);
		break;
	}
}

/* Whole blocks, from the first byte to the last. */
static inline struct walked walk_bytes(const uint8_t *bytes, size_t len)
{
	struct walked walked = {0};
	size_t at = 0;

	assert_true(len >= 12 && walk_word(bytes) == 0x0a0d0d0a);
	while (at < len) {
		uint32_t block;

		assert_true(len - at >= 12);
		block = walk_word(bytes + at + 4);
		assert_true(block >= 12 && block % 4 == 0 && block <= len - at);
		assert_int_equal(walk_word(bytes + at + block - 4), block);
		walk_block(&walked, bytes + at, block);
		at += block;
	}
	return walked;
}

static inline size_t walk_read(const char *path, uint8_t *bytes)
{
	FILE *file = fopen(path, "re");
	size_t len;

	assert_non_null(file);
	len = fread(bytes, 1, WALK_MAX, file);
	fclose(file);
	return len;
}

static inline struct walked walk_file(const char *path)
{
	uint8_t *bytes = malloc(WALK_MAX);
	struct walked walked;

	assert_non_null(bytes);
	walked = walk_bytes(bytes, walk_read(path, bytes));
	free(bytes);
	return walked;
}

#endif
