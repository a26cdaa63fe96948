/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The keys and the time slots of the SYN cookies, see struct nol_cookie. A slot is 64 s: a cookie lives for 60 to 124 s,
 * about as long as the engine keeps a half-open flow (63 s).
 */
#ifndef NOLISTEN_COOKIE_KEYS_H
#define NOLISTEN_COOKIE_KEYS_H

#include <linux/types.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include <abi/abi.h>

#include "siphash.h"

#define COOKIE_KEYS_MAX (NOL_COOKIE_SETS - 1) /* a set is left for the key that made cookies last */

/* What machines behind one address share. */
struct cookie_key_list {
	size_t count;
	uint8_t keys[COOKIE_KEYS_MAX]
		    [SIPHASH_KEY_SIZE]; /* the first one makes cookies, all are accepted */
};

struct cookie_key_set {
	uint8_t key[SIPHASH_KEY_SIZE];
	bool is_listed; /* else it is open until the cookies of last_slot have expired */
	uint32_t last_slot;
};

struct cookie_keys {
	struct nol_cookie *cookie; /* borrowed */
	bool is_shared;
	uint64_t behind_s; /* so long there was no loader; modulo 2^64 */
	struct cookie_key_set sets[NOL_COOKIE_SETS];
};

/* Every slot gets random keys of its own. -EIO: no random numbers. */
int cookie_keys_init(struct cookie_keys *keys, struct nol_cookie *cookie);
/*
 * cookie is that of a loader which has ended, and its programs have gone on with its last slot: so do we, from this time on,
 * and the cookies of that slot live as long as others.
 */
void cookie_keys_continue(struct cookie_keys *keys, struct nol_cookie *cookie, uint64_t now_s);
/*
 * All keys come from these, the same on several machines: whoever gets the ACK accepts it. Slots and timestamps follow
 * CLOCK_REALTIME then, which these machines have to keep within NOL_COOKIE_EARLY_S of each other.
 */
void cookie_keys_init_shared(struct cookie_keys *keys, struct nol_cookie *cookie,
			     const struct cookie_key_list *list);
/* Others from now on, where keys are shared. What is not in the list any more is accepted as long as a cookie lives. */
void cookie_keys_replace(struct cookie_keys *keys, const struct cookie_key_list *list);
/* Tells keys apart, and nothing else about them. */
uint32_t cookie_key_id(const uint8_t key[SIPHASH_KEY_SIZE]);

/* Once a second: move on to the slot of this time. -EIO: no random numbers, the old slot goes on. */
int cookie_keys_turn(struct cookie_keys *keys, uint64_t now_s);
/* The same, with the time of the clock that the keys follow. */
int cookie_keys_beat(struct cookie_keys *keys);

/*
 * An ordinary file of root's or that user's, for nobody else: up to COOKIE_KEYS_MAX different keys of 32 hexadecimal digits, white
 * space behind each, or one of exactly 16 bytes. *why: the reason for people. *out is changed in any case.
 */
int cookie_file_read(const char *path, uid_t owner, struct cookie_key_list *out, const char **why);

#endif
