/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What the programs may be attached to is in the kernel's BTF: one typedef a tracepoint. */
#include "tracepoints.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include <bpf/btf.h>

#include "log.h"

static const char *tracepoint_of(const struct bpf_program *program)
{
	return strchr(bpf_program__section_name(program), '/') + 1;
}

int tracepoints_prepare(struct bpf_object *object)
{
	struct btf *kernel = btf__load_vmlinux_btf();
	struct bpf_program *program;
	char name[128];

	if (!kernel)
		return -errno;
	bpf_object__for_each_program(program, object)
	{
		snprintf(name, sizeof(name), "btf_trace_%s", tracepoint_of(program));
		if (btf__find_by_name_kind(kernel, name, BTF_KIND_TYPEDEF) < 0)
			bpf_program__set_autoload(program, false);
	}
	btf__free(kernel);
	return 0;
}

void tracepoints_tell_missing(const struct bpf_object *object)
{
	struct bpf_program *program;

	bpf_object__for_each_program(program, object)
	{
		if (!bpf_program__autoload(program))
			log_warning("this kernel has no tracepoint %s: its steps are not told",
				    tracepoint_of(program));
	}
}

int tracepoints_netns(__u32 *inum)
{
	struct stat netns;

	if (stat("/proc/self/ns/net", &netns))
		return -errno;
	*inum = (__u32)netns.st_ino;
	return 0;
}
