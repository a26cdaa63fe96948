// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* The table of sockets that connect back, from user space. */
#include "kern_private.h"

static int backs_fd(const struct kern *kern)
{
	return bpf_map__fd(kern->skel->maps.nol_backs);
}

int kern_back_add(struct kern *kern, const struct tuple *tuple, const struct nol_back *back)
{
	struct nol_flow_key key;

	kern_flow_key(tuple, &key);
	return bpf_map_update_elem(backs_fd(kern), &key, back, BPF_ANY);
}

int kern_back_get(struct kern *kern, const struct tuple *tuple, struct nol_back *out)
{
	struct nol_flow_key key;

	kern_flow_key(tuple, &key);
	return bpf_map_lookup_elem(backs_fd(kern), &key, out);
}

int kern_back_remove(struct kern *kern, const struct tuple *tuple)
{
	struct nol_flow_key key;

	kern_flow_key(tuple, &key);
	return bpf_map_delete_elem(backs_fd(kern), &key);
}
