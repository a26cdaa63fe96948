/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The keys and the time slots of the SYN cookies, see struct nol_cookie. A slot is 64 s: a cookie lives for 60 to 124 s,
 * about as long as the engine keeps a half-open flow (63 s).
 */
#ifndef NOLISTEN_COOKIE_KEYS_H
#define NOLISTEN_COOKIE_KEYS_H

#include <linux/types.h>
#include <stdbool.h>
#include <stdint.h>

#include <abi/abi.h>

#include "siphash.h"

struct cookie_keys {
	struct nol_cookie *cookie; /* borrowed */
	bool is_shared;
	uint8_t shared_key[SIPHASH_KEY_SIZE];
};

/* Every slot gets random keys of its own. -EIO: no random numbers. */
int cookie_keys_init(struct cookie_keys *keys, struct nol_cookie *cookie);
/*
 * All keys come from one, the same on several machines: whoever gets the ACK accepts it. Slots and timestamps follow
 * CLOCK_REALTIME then, which these machines have to keep within NOL_COOKIE_EARLY_S of each other.
 */
void cookie_keys_init_shared(struct cookie_keys *keys, struct nol_cookie *cookie,
			     const uint8_t key[SIPHASH_KEY_SIZE]);

/* Once a second: move on to the slot of this time. -EIO: no random numbers, the old slot goes on. */
int cookie_keys_turn(struct cookie_keys *keys, uint64_t now_s);
/* The same, with the time of the clock that the keys follow. */
int cookie_keys_beat(struct cookie_keys *keys);

/*
 * An ordinary file of root's or our own, for nobody else, with 32 hexadecimal digits or exactly 16 bytes. *why: the
 * reason for people.
 */
int cookie_file_read(const char *path, uint8_t key[SIPHASH_KEY_SIZE], const char **why);

#endif
