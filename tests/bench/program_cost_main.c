/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * What a packet that is none of nolisten's business pays in each BPF program, beside an empty program of the same
 * type: BPF_PROG_TEST_RUN, in turns. The time is the thread's CPU time, since the kernel's own figure is whole
 * nanoseconds; a round keeps its fastest slice, since neighbours of the CPU only ever add. Runs in a namespace
 * that has IFNAME; attaches nothing.
 */
#include <bpf/bpf.h>
#include <errno.h>
#include <linux/bpf.h>
#include <linux/pkt_cls.h>
#include <math.h>
#include <net/if.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "kern.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

#define IFNAME "eth0"
#define LOCAL_PREFIX "10.99.0.2"
#define ANSWERED_PORT 34567
#define ROUNDS 7
#define SLICES 16 /* a round; each of XDP waits 20 ms for the kernel to patch its dispatcher */
#define REPEAT 50000 /* a slice */
#define FDS_MAX 256

/* Ethernet, IPv4 10.99.64.1 > 10.99.0.2, TCP 40000 > 443: flags [P.], options [nop,nop,TS], length 16 */
static const char ipv4_frame[] =
	"\x02\x00\x00\x00\x00\x02\x02\x00\x00\x00\x00\x01"
	"\x08\x00"
	"\x45\x00\x00\x44\x00\x01\x40\x00\x40\x06\x00\x00\x0a\x63\x40\x01\x0a\x63\x00\x02"
	"\x9c\x40\x01\xbb\x00\x00\x00\x01\x00\x00\x00\x01\x80\x18\x01\x00\x00\x00\x00\x00"
	"\x01\x01\x08\x0a\x00\x00\x00\x01\x00\x00\x00\x01"
	"unrelated packet";

/* The same over IPv6, fd99::1 > fd99::2 */
static const char ipv6_frame[] =
	"\x02\x00\x00\x00\x00\x02\x02\x00\x00\x00\x00\x01"
	"\x86\xdd"
	"\x60\x00\x00\x00\x00\x30\x06\x40"
	"\xfd\x99\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x01"
	"\xfd\x99\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x02"
	"\x9c\x40\x01\xbb\x00\x00\x00\x01\x00\x00\x00\x01\x80\x18\x01\x00\x00\x00\x00\x00"
	"\x01\x01\x08\x0a\x00\x00\x00\x01\x00\x00\x00\x01"
	"unrelated packet";

/* One kind of packet in one program, and how this round went so far. */
struct subject {
	const char *name; /* of its samples: program.NAME.ns, program.NAME.empty_ns */
	const char *program;
	enum bpf_prog_type type;
	uint32_t verdict; /* of an unrelated packet */
	const char *frame;
	uint32_t frame_len;
	int fd, empty_fd;
	double ns, empty_ns; /* fastest slices */
};

static struct subject subjects[] = {
	{"ingress_ipv4", "nol_xdp_ingress", BPF_PROG_TYPE_XDP, XDP_PASS, ipv4_frame,
	 sizeof(ipv4_frame) - 1},
	{"ingress_ipv6", "nol_xdp_ingress", BPF_PROG_TYPE_XDP, XDP_PASS, ipv6_frame,
	 sizeof(ipv6_frame) - 1},
	{"egress_ipv4", "nol_tc_egress", BPF_PROG_TYPE_SCHED_CLS, (uint32_t)TC_ACT_UNSPEC,
	 ipv4_frame, sizeof(ipv4_frame) - 1},
	{"egress_ipv6", "nol_tc_egress", BPF_PROG_TYPE_SCHED_CLS, (uint32_t)TC_ACT_UNSPEC,
	 ipv6_frame, sizeof(ipv6_frame) - 1},
};

/* As the loader does it for one port and one address. */
static int open_programs(struct kern **out)
{
	const struct kern_options options = {
		.ifname = IFNAME,
		.ifindex = if_nametoindex(IFNAME),
		.has_link_header = true,
		.ring_size = 1 << 18,
		.max_flows = 1 << 16,
	};
	static struct port_set ports;
	struct prefix prefix;
	int err;

	if (!options.ifindex || !prefix_parse(LOCAL_PREFIX, &prefix))
		return -ENODEV;
	err = kern_open(out, &options);
	if (err)
		return err;
	port_set_add(&ports, ANSWERED_PORT);
	kern_set_ports(*out, &ports);
	kern_beat(*out);
	return kern_add_prefix(*out, &prefix);
}

/* Among the descriptors of this process: nobody else's program of that name is meant. */
static int find_program(const char *name)
{
	for (int fd = 3; fd < FDS_MAX; fd++) {
		struct bpf_prog_info info = {0};
		char target[64] = "", link[32];
		__u32 len = sizeof(info);

		snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
		if (readlink(link, target, sizeof(target) - 1) < 0 || !strstr(target, "bpf-prog"))
			continue;
		if (!bpf_obj_get_info_by_fd(fd, &info, &len) &&
		    !strncmp(info.name, name, BPF_OBJ_NAME_LEN - 1))
			return fd;
	}
	return -ENOENT;
}

static int load_empty(enum bpf_prog_type type, uint32_t verdict)
{
	const struct bpf_insn insns[] = {
		{.code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = BPF_REG_0, .imm = verdict},
		{.code = BPF_JMP | BPF_EXIT},
	};

	return bpf_prog_load(type, "empty", "Dual BSD/GPL", insns, 2, NULL);
}

static uint64_t read_cpu_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
	return now.tv_sec * 1000000000ull + now.tv_nsec;
}

static int time_program(const struct subject *subject, int fd, double *ns)
{
	LIBBPF_OPTS(bpf_test_run_opts, options, .data_in = subject->frame,
		    .data_size_in = subject->frame_len, .repeat = REPEAT);
	uint64_t start_ns = read_cpu_ns();
	int err = bpf_prog_test_run_opts(fd, &options);

	*ns = (double)(read_cpu_ns() - start_ns) / REPEAT;
	if (err)
		return err;
	return options.retval == subject->verdict ? 0 : -EBADMSG;
}

static int keep_fastest(const struct subject *subject, int fd, double *fastest_ns)
{
	double ns;
	int err = time_program(subject, fd, &ns);

	if (!err && ns < *fastest_ns)
		*fastest_ns = ns;
	return err;
}

static int begin_round(struct subject *subject)
{
	subject->fd = find_program(subject->program);
	if (subject->fd < 0)
		return subject->fd;
	subject->empty_fd = load_empty(subject->type, subject->verdict);
	subject->ns = subject->empty_ns = INFINITY;
	return subject->empty_fd < 0 ? subject->empty_fd : 0;
}

static void end_round(struct subject *subject)
{
	printf("program.%s.empty_ns %.2f\n", subject->name, subject->empty_ns);
	printf("program.%s.ns %.2f\n", subject->name, subject->ns);
	close(subject->empty_fd);
}

/* All subjects in turn, so that the slices of each are spread over the round. */
static int measure_slice(void)
{
	int err = 0;

	for (size_t i = 0; !err && i < COUNT(subjects); i++) {
		struct subject *subject = &subjects[i];

		err = keep_fastest(subject, subject->empty_fd, &subject->empty_ns)
			      ?: keep_fastest(subject, subject->fd, &subject->ns);
		if (err)
			fprintf(stderr, "program_cost: %s: %s\n", subject->name, strerror(-err));
	}
	return err;
}

/* Loads anew: where in memory a program comes to lie is worth something, too. */
static int run_round(void)
{
	struct kern *kern = NULL;
	int err = open_programs(&kern);

	for (size_t i = 0; !err && i < COUNT(subjects); i++)
		err = begin_round(&subjects[i]);
	if (err)
		fprintf(stderr, "program_cost: cannot load the programs: %s\n", strerror(-err));
	for (int i = 0; !err && i < SLICES; i++)
		err = measure_slice();
	for (size_t i = 0; !err && i < COUNT(subjects); i++)
		end_round(&subjects[i]);
	kern_close(kern);
	return err;
}

int main(void)
{
	int err = 0;

	for (int i = 0; !err && i < ROUNDS; i++)
		err = run_round();
	return err ? 1 : 0;
}
