/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The listeners in a row of nol_endpoints. */
#ifndef NOLISTEN_ENDPOINT_PARENTS_H
#define NOLISTEN_ENDPOINT_PARENTS_H

#include <linux/types.h>

#include <abi/abi.h>

#include "addr.h"

/* Its place, or -ENOENT. */
int endpoint_find_parent(const struct nol_endpoint *value, const struct endpoint *at);
void endpoint_parent_at(const struct nol_endpoint *value, int i, struct endpoint *out);
/* 0, also if it is there. -EINVAL: others of its family are at another address. -ENOSPC: there are NOL_ENDPOINT_PARENTS. */
int endpoint_add_parent(struct nol_endpoint *value, const struct endpoint *parent);
/* The last one gets the place. */
void endpoint_remove_parent(struct nol_endpoint *value, int i);

#endif
