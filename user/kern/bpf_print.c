/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* libbpf's messages go through the same log, as debugging. */
#include "bpf_print.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include <bpf/libbpf.h>

#include "log.h"

static int relay(enum libbpf_print_level level, const char *format, va_list args)
{
	if (level != LIBBPF_DEBUG)
		log_vprint(LOG_DEBUG, format, args);
	return 0;
}

void bpf_print_as_debug(void)
{
	libbpf_set_print(relay);
}

const char *bpf_error_text(int err)
{
	switch (err) {
	case -EPERM:
	case -EACCES:
		return "not permitted: bpf() needs root, or CAP_BPF with CAP_NET_ADMIN and CAP_PERFMON";
	case -ESRCH:
	case -ENOENT:
		return access("/sys/kernel/btf/vmlinux", R_OK)
			       ? "the kernel has no BTF (CONFIG_DEBUG_INFO_BTF)"
			       : strerror(-err);
	}
	return strerror(-err);
}
