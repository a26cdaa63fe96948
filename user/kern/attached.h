/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The programs that are on an interface, ours and others', in the order in which they run. Nothing is changed. */
#ifndef NOLISTEN_ATTACHED_H
#define NOLISTEN_ATTACHED_H

#include <stddef.h>
#include <stdint.h>

enum attached_where {
	ATTACHED_XDP_NATIVE,
	ATTACHED_XDP_GENERIC,
	ATTACHED_XDP_OFFLOADED,
	ATTACHED_TCX_INGRESS,
	ATTACHED_TCX_EGRESS,
	ATTACHED_TC_INGRESS, /* filters of clsact: behind TCX */
	ATTACHED_TC_EGRESS,
};

struct attached {
	enum attached_where where;
	uint32_t id; /* of the program; 0: a filter of another kind */
	uint32_t link_id; /* 0: none, or not to be seen */
	uint32_t priority; /* of a filter */
	char name[32]; /* the program's, or the filter's kind */
};

const char *attached_where_text(enum attached_where where); /* "xdp native" */
/* Their number, or -errno; *out is to be freed. */
int attached_list(uint32_t ifindex, struct attached **out);

#endif
