/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* SipHash-2-4 (Aumasson and Bernstein, 2012): a keyed 64-bit hash, for ISNs and hash tables. */
#ifndef NOLISTEN_SIPHASH_H
#define NOLISTEN_SIPHASH_H

#include <stddef.h>
#include <stdint.h>

#define SIPHASH_KEY_SIZE 16

uint64_t siphash_24(const uint8_t key[SIPHASH_KEY_SIZE], const void *data, size_t len);

#endif
