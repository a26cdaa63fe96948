/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* nftables by commands in its own language, through libnftables. */
#ifndef NOLISTEN_NFT_H
#define NOLISTEN_NFT_H

#include <stddef.h>

#include "ports.h"

struct nft;

/* "nolisten_" and the name of the interface, with what nft would not take in a name as _xx. */
#define NFT_TABLE_SIZE 64
void nft_table_name(const char *ifname, char name[NFT_TABLE_SIZE]);

/* -EPROTONOSUPPORT: the kernel has no netfilter. */
int nft_new(struct nft **out);
/* Tables with "flags owner" go with it. */
void nft_free(struct nft *nft);

/*
 * One transaction. -EINVAL if it is refused: nft_error() has the first line of why. nft_output() is what it
 * printed, to be asked for once. Both are valid until the next command.
 */
int nft_run(struct nft *nft, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* The elements of the set "ports" of that inet table, anew. -ENOMEM, or as above. */
int nft_write_ports(struct nft *nft, const char *table, const struct port_set *ports);
/* Them, as elements: "80, 443, 8000-8999"; "" if there are none; to be freed. NULL: no memory. */
char *nft_format_ports(const struct port_set *ports);
/* The socket to which the tables are bound: whoever sends by it owns them. Nothing may wait in it when nft_run() is called. */
int nft_fd(const struct nft *nft);
/* Them, in the set's definition: "elements = { 80, 443, 8000-8999 };", or "" if there are none; to be freed. NULL: no memory. */
char *nft_format_elements(const struct port_set *ports);
/* What it prints is JSON from now on, with numbers for ports. */
void nft_speak_json(struct nft *nft);
const char *nft_error(const struct nft *nft);
const char *nft_output(const struct nft *nft);

#endif
