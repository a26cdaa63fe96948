/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* nol_endpoints, and which ports it narrows: see struct nol_endpoint. */
#include <bpf/bpf.h>
#include <string.h>

#include "kern_private.h"

static struct nol_endpoint_key key_of(const struct prefix *at, uint16_t port)
{
	struct nol_endpoint_key key = {.bits = NOL_ENDPOINT_PORT_BITS + at->bits, .port = port};

	memcpy(key.addr, at->addr.bytes, sizeof(key.addr));
	return key;
}

int kern_set_endpoint(struct kern *kern, const struct prefix *at, uint16_t port,
		      const struct nol_endpoint *endpoint)
{
	const struct nol_endpoint_key key = key_of(at, port);
	int err = bpf_map_update_elem(bpf_map__fd(kern->skel->maps.nol_endpoints), &key, endpoint,
				      BPF_ANY);

	if (!err)
		__atomic_store_n(&kern->skel->bss->nol_has_endpoints, 1, __ATOMIC_RELEASE);
	return err;
}

int kern_remove_endpoint(struct kern *kern, const struct prefix *at, uint16_t port)
{
	const struct nol_endpoint_key key = key_of(at, port);

	return bpf_map_delete_elem(bpf_map__fd(kern->skel->maps.nol_endpoints), &key);
}

void kern_narrow_ports(struct kern *kern, const struct port_set *ports)
{
	__u64 *words = kern->skel->bss->nol_narrowed;

	for (size_t i = 0; i < sizeof(ports->words) / sizeof(ports->words[0]); i++)
		__atomic_store_n(&words[i], ports->words[i], __ATOMIC_RELEASE);
}

void kern_set_waiting(struct kern *kern, bool is_any)
{
	__atomic_store_n(&kern->skel->bss->nol_has_waiting, is_any, __ATOMIC_RELEASE);
}
