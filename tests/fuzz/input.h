/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* A fuzzer's input, taken from its start; what is missing at the end is 0. */
#ifndef NOLISTEN_FUZZ_INPUT_H
#define NOLISTEN_FUZZ_INPUT_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

#define INPUT_UNUSED __attribute__((unused))

struct input {
	const uint8_t *data;
	size_t len;
};

INPUT_UNUSED static uint8_t take_byte(struct input *input)
{
	if (!input->len)
		return 0;
	input->len--;
	return *input->data++;
}

/* As many as the next byte says. */
INPUT_UNUSED static size_t take_bytes(struct input *input, char out[256])
{
	size_t len = take_byte(input);

	if (len > input->len)
		len = input->len;
	memcpy(out, input->data, len);
	input->data += len;
	input->len -= len;
	return len;
}

#endif
