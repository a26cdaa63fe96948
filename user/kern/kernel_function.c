/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* By BTF, where the verifier looks for them too. */
#include "kernel_function.h"

#include <stddef.h>

#include <bpf/btf.h>
#include <bpf/libbpf.h>

static bool has_function(const struct btf *btf, const char *name)
{
	return btf && btf__find_by_name_kind(btf, name, BTF_KIND_FUNC) > 0;
}

static bool module_has_function(struct btf *kernel, const char *module, const char *name)
{
	libbpf_print_fn_t print = libbpf_set_print(NULL);
	struct btf *btf = btf__load_module_btf(module, kernel);
	const bool has = has_function(btf, name);

	libbpf_set_print(print);
	btf__free(btf);
	return has;
}

bool kernel_has_function(const char *name, const char *module)
{
	struct btf *kernel = btf__load_vmlinux_btf();
	const bool has = has_function(kernel, name) ||
			 (kernel && module && module_has_function(kernel, module, name));

	btf__free(kernel);
	return has;
}
