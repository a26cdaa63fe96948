/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Timing programs of other processes by BPF_PROG_TEST_RUN. The time is the thread's CPU time, since the kernel's
 * own figure is whole nanoseconds.
 */
#include <dirent.h>
#include <errno.h>
#include <linux/if_link.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <bpf/bpf.h>

#include "bench_kern_private.h"
#include "clock.h"

/* Calls fn for each descriptor's fdinfo of the process until it returns other than 0. */
static int visit_fdinfo(int pid, int (*fn)(void *context, FILE *info), void *context)
{
	char path[64], file_path[sizeof(path) + 256];
	struct dirent *entry;
	int result = 0;
	FILE *info;
	DIR *dir;

	snprintf(path, sizeof(path), "/proc/%d/fdinfo", pid);
	dir = opendir(path);
	if (!dir)
		return -errno;
	while (!result && (entry = readdir(dir))) {
		snprintf(file_path, sizeof(file_path), "%s/%s", path, entry->d_name);
		info = entry->d_name[0] == '.' ? NULL : fopen(file_path, "re");
		if (!info)
			continue;
		result = fn(context, info);
		fclose(info);
	}
	closedir(dir);
	return result;
}

/* The number behind "NAME:\t", or -1. */
static long long read_field(FILE *info, const char *name)
{
	const size_t len = strlen(name);
	char line[256];

	rewind(info);
	while (fgets(line, sizeof(line), info))
		if (!strncmp(line, name, len) && line[len] == ':')
			return strtoll(line + len + 1, NULL, 10);
	return -1;
}

static int match_program(void *context, FILE *info)
{
	const long long id = read_field(info, "prog_id");
	/* A link tells the id of its program, too. */
	struct bpf_prog_info program = {0};
	__u32 len = sizeof(program);
	int fd = id > 0 ? bpf_prog_get_fd_by_id((__u32)id) : -1;

	if (fd < 0)
		return 0;
	if (!bpf_obj_get_info_by_fd(fd, &program, &len) &&
	    !strncmp(program.name, context, BPF_OBJ_NAME_LEN - 1))
		return fd;
	close(fd);
	return 0;
}

int bench_kern_find(int pid, const char *name)
{
	return visit_fdinfo(pid, match_program, (void *)name) ?: -ENOENT;
}

static int add_map(void *context, FILE *info)
{
	const long long id = read_field(info, "map_id"), bytes = read_field(info, "memlock");

	if (id > 0 && bytes > 0)
		*(uint64_t *)context += (uint64_t)bytes;
	return 0;
}

int bench_kern_map_bytes(int pid, uint64_t *out)
{
	*out = 0;
	return visit_fdinfo(pid, add_map, out);
}

int bench_kern_load_empty(const struct bench_timing *timing)
{
	const struct bpf_insn insns[] = {
		{.code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = 0, .imm = (int)timing->verdict},
		{.code = BPF_JMP | BPF_EXIT},
	};

	return bpf_prog_load(timing->is_xdp ? BPF_PROG_TYPE_XDP : BPF_PROG_TYPE_SCHED_CLS, "empty",
			     "Dual BSD/GPL", insns, 2, NULL);
}

int bench_kern_hold(int program_fd, uint32_t ifindex)
{
	LIBBPF_OPTS(bpf_link_create_opts, options, .flags = XDP_FLAGS_SKB_MODE);

	return bpf_link_create(program_fd, (int)ifindex, BPF_XDP, &options);
}

int bench_kern_hold_syn(struct bench_kern *kern, uint32_t ifindex)
{
	return bench_kern_hold(bpf_program__fd(kern->skel->progs.bench_restore), ifindex);
}

static uint64_t read_cpu_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
	return now.tv_sec * CLOCK_NS_PER_S + now.tv_nsec;
}

int bench_kern_time(const struct bench_timing *timing, int program_fd, double *ns)
{
	struct xdp_md context = {.data_end = timing->frame_len, .ingress_ifindex = timing->ifindex};
	LIBBPF_OPTS(bpf_test_run_opts, options, .data_in = timing->frame,
		    .data_size_in = timing->frame_len, .repeat = (int)timing->repeat);
	uint64_t start_ns;
	int err;

	if (timing->is_xdp && timing->ifindex) {
		options.ctx_in = &context;
		options.ctx_size_in = sizeof(context);
	}
	start_ns = read_cpu_ns();
	err = bpf_prog_test_run_opts(program_fd, &options);
	*ns = (double)(read_cpu_ns() - start_ns) / timing->repeat;
	if (err)
		return err;
	return options.retval == timing->verdict ? 0 : -EBADMSG;
}

int bench_kern_time_syn(struct bench_kern *kern, int program_fd, const struct bench_timing *timing,
			double *ns)
{
	const int empty_fd = bpf_program__fd(kern->skel->progs.bench_empty);
	const int timed_fd = program_fd == BENCH_KERN_EMPTY ? empty_fd : program_fd;
	const __u32 first = 0;
	int err = bpf_map_update_elem(bpf_map__fd(kern->skel->maps.bench_timed), &first, &timed_fd,
				      BPF_ANY);

	if (err)
		return err;
	return bench_kern_time(timing, bpf_program__fd(kern->skel->progs.bench_restore), ns);
}
