/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * What a packet pays in the programs of the loader that is running, beside an empty program of the same type, in
 * turns. A figure is the difference of the fastest slices, since neighbours of the CPU only ever add.
 */
#include <errno.h>
#include <linux/bpf.h>
#include <linux/pkt_cls.h>
#include <math.h>
#include <string.h>
#include <unistd.h>

#include "measure.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define REPEAT 50000 /* a slice */
#define SLICES 12
#define SLICES_QUICK 5 /* each of XDP waits 20 ms for the kernel to patch its dispatcher */
#define SYN_LEN 74
#define WAIT_MS 20000

/* Ethernet, IPv4 10.99.64.1 > 10.99.0.2, TCP 40000 > 443: flags [P.], options [nop,nop,TS], length 16 */
static const uint8_t ipv4_frame[] =
	"\x02\x00\x00\x00\x99\x02\x02\x00\x00\x00\x99\x01"
	"\x08\x00"
	"\x45\x00\x00\x44\x00\x01\x40\x00\x40\x06\x00\x00\x0a\x63\x40\x01\x0a\x63\x00\x02"
	"\x9c\x40\x01\xbb\x00\x00\x00\x01\x00\x00\x00\x01\x80\x18\x01\x00\x00\x00\x00\x00"
	"\x01\x01\x08\x0a\x00\x00\x00\x01\x00\x00\x00\x01"
	"unrelated packet";

/* The same over IPv6, fd99::1 > fd99::2 */
static const uint8_t ipv6_frame[] =
	"\x02\x00\x00\x00\x99\x02\x02\x00\x00\x00\x99\x01"
	"\x86\xdd"
	"\x60\x00\x00\x00\x00\x30\x06\x40"
	"\xfd\x99\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x01"
	"\xfd\x99\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x02"
	"\x9c\x40\x01\xbb\x00\x00\x00\x01\x00\x00\x00\x01\x80\x18\x01\x00\x00\x00\x00\x00"
	"\x01\x01\x08\x0a\x00\x00\x00\x01\x00\x00\x00\x01"
	"unrelated packet";

static const struct subject {
	const char *figure;
	const char *program;
	bool is_xdp;
	uint32_t verdict;
	const uint8_t *frame; /* NULL: a SYN that the program answers */
	uint32_t frame_len;
} subjects[] = {
	{"program.syn_ns", "nol_xdp_ingress", true, XDP_TX, NULL, SYN_LEN},
	{"program.ingress_ipv4_ns", "nol_xdp_ingress", true, XDP_PASS, ipv4_frame,
	 sizeof(ipv4_frame) - 1},
	{"program.ingress_ipv6_ns", "nol_xdp_ingress", true, XDP_PASS, ipv6_frame,
	 sizeof(ipv6_frame) - 1},
	{"program.egress_ipv4_ns", "nol_tc_egress", false, (uint32_t)TC_ACT_UNSPEC, ipv4_frame,
	 sizeof(ipv4_frame) - 1},
	{"program.egress_ipv6_ns", "nol_tc_egress", false, (uint32_t)TC_ACT_UNSPEC, ipv6_frame,
	 sizeof(ipv6_frame) - 1},
};

struct cost {
	double ns, empty_ns; /* fastest slices */
	int err;
};

struct costs {
	struct cost all[COUNT(subjects)];
};

struct program_run {
	struct trial *trial;
	int fds[COUNT(subjects)], empty_fds[COUNT(subjects)];
	struct costs *costs;
};

static struct bench_timing timing_of(const struct trial *trial, const struct subject *subject)
{
	static const uint8_t zeros[SYN_LEN];

	return (struct bench_timing){
		.frame = subject->frame ? subject->frame : zeros,
		.frame_len = subject->frame_len,
		.is_xdp = subject->is_xdp,
		.verdict = subject->verdict,
		.ifindex = subject->frame ? 0 : trial->lab->links[LAB_SERVER].ifindex,
		.repeat = REPEAT,
	};
}

static bool answers_syns(const struct contender *contender)
{
	return !strcmp(contender->method, "xdp") || !strcmp(contender->method, "auto");
}

static int open_subject(struct program_run *run, unsigned int i)
{
	const struct bench_timing timing = timing_of(run->trial, &subjects[i]);
	const struct running *running = &run->trial->running;

	if (!subjects[i].frame && !answers_syns(running->contender))
		return -EOPNOTSUPP;
	run->fds[i] = bench_kern_find(running->job.pid, subjects[i].program);
	if (run->fds[i] < 0)
		return run->fds[i];
	run->empty_fds[i] = bench_kern_load_empty(&timing);
	return run->empty_fds[i] < 0 ? run->empty_fds[i] : 0;
}

static void time_subject(struct program_run *run, unsigned int i)
{
	const struct bench_timing timing = timing_of(run->trial, &subjects[i]);
	struct cost *cost = &run->costs->all[i];
	double ns, empty_ns;

	if (!subjects[i].frame)
		cost->err =
			bench_kern_time_syn(run->trial->kern, run->fds[i], &timing, &ns, &empty_ns);
	else
		cost->err = bench_kern_time(&timing, run->empty_fds[i], &empty_ns)
				    ?: bench_kern_time(&timing, run->fds[i], &ns);
	if (cost->err)
		return;
	cost->ns = ns < cost->ns ? ns : cost->ns;
	cost->empty_ns = empty_ns < cost->empty_ns ? empty_ns : cost->empty_ns;
}

/* The slices of each are spread over the whole time. */
static int time_programs(const void *argument, void *result)
{
	struct program_run run = {.trial = (struct trial *)argument, .costs = result};
	const int slices = run.trial->is_quick ? SLICES_QUICK : SLICES;

	for (unsigned int i = 0; i < COUNT(subjects); i++)
		run.costs->all[i] = (struct cost){INFINITY, INFINITY, open_subject(&run, i)};
	for (int slice = 0; slice < slices; slice++)
		for (unsigned int i = 0; i < COUNT(subjects); i++)
			if (!run.costs->all[i].err)
				time_subject(&run, i);
	return 0;
}

static const char *explain(const struct subject *subject, int err)
{
	if (err == -EOPNOTSUPP)
		return "this method does not answer in XDP";
	if (err == -ENOENT)
		return "this method has no such program";
	if (err == -EBADMSG)
		return subject->frame ? "the program did not pass the packet"
				      : "the program did not answer the SYN";
	return strerror(-err);
}

int measure_program(struct trial *trial, uint32_t slice_ms)
{
	struct costs *costs = trial->scratch;
	const struct job_function function = {.fn = time_programs,
					      .argument = trial,
					      .result = costs,
					      .place = LAB_SERVER,
					      .cpu = trial->lab->cpus[LAB_SERVER]};
	int err = job_run(trial->lab, &function, WAIT_MS);

	(void)slice_ms;
	for (unsigned int i = 0; !err && i < COUNT(subjects); i++) {
		const struct cost *cost = &costs->all[i];

		if (cost->err)
			trial_record_reason(trial, subjects[i].figure,
					    explain(&subjects[i], cost->err));
		else
			trial_record(trial, subjects[i].figure, cost->ns - cost->empty_ns);
	}
	return err;
}
