/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * What a packet pays in the programs of the loader that is running, beside an empty program of the same type: the same
 * packet through both in turns, in random order, and the difference in the fastest turns. All of them are attached
 * somewhere, so that the kernel's dispatcher is patched for none of them while it is timed. An empty program takes part
 * as well, and costs nothing more than an empty program: what it is said to cost is the error of the others.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/bpf.h>
#include <linux/pkt_cls.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "clock.h"
#include "lease_guard.h"
#include "measure.h"
#include "turns.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define REPEAT 10000 /* a turn: 0.1 ms to 2 ms */
#define TIME_MS 800
#define TIME_QUICK_MS 400
#define TURNS_MIN 20 /* however long they take */
#define TURNS_MAX 1000
#define SYN_LEN 74
#define WAIT_MS 20000
#define GUARD_PREFIX "nol_guard_" /* of the lease guard, which is loaded here */
#define GUARD_LEASES 100000

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
	const char *program; /* NULL: an empty one */
	bool is_xdp;
	uint32_t verdict;
	const uint8_t *frame; /* NULL: a SYN that the program answers */
	uint32_t frame_len;
	bool is_second; /* the packet sees it too, after that of the figure's first; absent: it costs nothing */
} subjects[] = {
	{"program.syn_ns", "nol_xdp_ingress", true, XDP_TX, NULL, SYN_LEN},
	{"program.ingress_ipv4_ns", "nol_xdp_ingress", true, XDP_PASS, ipv4_frame,
	 sizeof(ipv4_frame) - 1},
	{"program.ingress_ipv4_ns", "nol_tc_ingress", false, (uint32_t)TC_ACT_UNSPEC, ipv4_frame,
	 sizeof(ipv4_frame) - 1, true},
	{"program.ingress_ipv6_ns", "nol_xdp_ingress", true, XDP_PASS, ipv6_frame,
	 sizeof(ipv6_frame) - 1},
	{"program.ingress_ipv6_ns", "nol_tc_ingress", false, (uint32_t)TC_ACT_UNSPEC, ipv6_frame,
	 sizeof(ipv6_frame) - 1, true},
	{"program.egress_ipv4_ns", "nol_tc_egress", false, (uint32_t)TC_ACT_UNSPEC, ipv4_frame,
	 sizeof(ipv4_frame) - 1},
	{"program.egress_ipv6_ns", "nol_tc_egress", false, (uint32_t)TC_ACT_UNSPEC, ipv6_frame,
	 sizeof(ipv6_frame) - 1},
	{"program.guard_in_ns", GUARD_PREFIX "in", false, (uint32_t)TC_ACT_UNSPEC, ipv4_frame,
	 sizeof(ipv4_frame) - 1},
	{"program.guard_out_ns", GUARD_PREFIX "out", false, (uint32_t)TC_ACT_UNSPEC, ipv4_frame,
	 sizeof(ipv4_frame) - 1},
	{"program.empty_ns", NULL, true, XDP_PASS, ipv4_frame, sizeof(ipv4_frame) - 1},
	{"program.empty_tc_ns", NULL, false, (uint32_t)TC_ACT_UNSPEC, ipv4_frame,
	 sizeof(ipv4_frame) - 1},
};

#define RUNS (2 * COUNT(subjects)) /* of each its own, and beside it the empty one */

struct cost {
	double ns; /* more than an empty program */
	int err;
};

struct costs {
	struct cost all[COUNT(subjects)];
};

struct program_run {
	struct trial *trial;
	struct costs *costs;
	int scratch_net; /* where what is ours is attached */
	unsigned int links; /* that are there */
	struct lease_guard *guard; /* not attached; it goes with the process */
	int fds[RUNS]; /* subject i: 2 i, and its empty program */
	double ns[RUNS]; /* of this turn */
	struct turn turns[COUNT(subjects)][TURNS_MAX];
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
	return !strcmp(contender->method, "xdp") || !strcmp(contender->method, "auto") ||
	       !strcmp(contender->method, "accept");
}

/* A link of its own for an XDP program of ours; it goes with the scratch namespace. */
static int hold(struct program_run *run, int fd)
{
	char name[16], peer[16];
	const struct lab_veth_end ends[] = {{name, NULL, LAB_NET_HERE}, {peer, NULL, LAB_NET_HERE}};
	struct lab_link link;
	int err;

	snprintf(name, sizeof(name), "hold%u", run->links);
	snprintf(peer, sizeof(peer), "peer%u", run->links++);
	err = lab_net_add_veth(ends) ?: lab_net_find(name, &link);
	if (err)
		return err;
	fd = fd == BENCH_KERN_EMPTY ? bench_kern_hold_syn(run->trial->kern, link.ifindex)
				    : bench_kern_hold(fd, link.ifindex);
	return fd < 0 ? fd : 0;
}

static int open_empty(struct program_run *run, const struct bench_timing *timing)
{
	const int fd = bench_kern_load_empty(timing);
	const int err = fd >= 0 && timing->is_xdp ? hold(run, fd) : 0;

	return err ?: fd;
}

static int find_program(int loader_pid, const char *name)
{
	const bool is_guard = !strncmp(name, GUARD_PREFIX, sizeof(GUARD_PREFIX) - 1);

	return bench_kern_find(is_guard ? getpid() : loader_pid, name);
}

static int open_subject(struct program_run *run, unsigned int i)
{
	const struct bench_timing timing = timing_of(run->trial, &subjects[i]);
	const struct running *running = &run->trial->running;
	int *fds = &run->fds[2 * i];

	if (!subjects[i].frame && !answers_syns(running->contender))
		return -EOPNOTSUPP;
	fds[0] = subjects[i].program ? find_program(running->job.pid, subjects[i].program)
				     : open_empty(run, &timing);
	if (fds[0] < 0)
		return fds[0];
	if (!subjects[i].frame) {
		fds[1] = BENCH_KERN_EMPTY;
		return hold(run, BENCH_KERN_EMPTY);
	}
	fds[1] = open_empty(run, &timing);
	return fds[1] < 0 ? fds[1] : 0;
}

/* All are loaded before the first is timed. */
static int open_subjects(struct program_run *run)
{
	const struct lease_guard_options guard = {
		.ifname = "lo",
		.ifindex = 1,
		.has_link_header = true,
		.expiry_s = 120,
		.max_leases = GUARD_LEASES,
	};
	int err = unshare(CLONE_NEWNET) ? -errno : 0;

	if (err)
		return err;
	run->scratch_net = open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC);
	if (run->scratch_net < 0)
		return -errno;
	err = lease_guard_new(&run->guard, &guard);
	if (err)
		return err;
	for (unsigned int i = 0; i < COUNT(subjects); i++)
		run->costs->all[i].err = open_subject(run, i);
	return lab_enter(run->trial->lab, LAB_SERVER);
}

static void time_one(struct program_run *run, unsigned int index)
{
	const struct subject *subject = &subjects[index / 2];
	const struct bench_timing timing = timing_of(run->trial, subject);
	struct cost *cost = &run->costs->all[index / 2];

	if (cost->err)
		return;
	cost->err = subject->frame ? bench_kern_time(&timing, run->fds[index], &run->ns[index])
				   : bench_kern_time_syn(run->trial->kern, run->fds[index], &timing,
							 &run->ns[index]);
}

static void take_turn(struct program_run *run, unsigned int turn, uint64_t *seed)
{
	unsigned int order[RUNS];

	turns_shuffle(order, RUNS, seed);
	for (unsigned int i = 0; i < RUNS; i++)
		time_one(run, order[i]);
	for (unsigned int i = 0; i < COUNT(subjects); i++)
		run->turns[i][turn] = (struct turn){run->ns[2 * i], run->ns[2 * i + 1]};
}

static int time_programs(const void *argument, void *result)
{
	static struct program_run run;
	const uint64_t start_ns = clock_monotonic_ns();
	uint64_t seed = start_ns | 1, end_ns = start_ns;
	unsigned int turns = 0;
	int err;

	run = (struct program_run){.trial = (struct trial *)argument, .costs = result};
	end_ns += (run.trial->is_quick ? TIME_QUICK_MS : TIME_MS) * CLOCK_NS_PER_MS;
	err = open_subjects(&run);
	if (err)
		return err;
	while (turns < TURNS_MAX && (turns < TURNS_MIN || clock_monotonic_ns() < end_ns))
		take_turn(&run, turns++, &seed);
	for (unsigned int i = 0; i < COUNT(subjects); i++)
		run.costs->all[i].ns = turns_difference(run.turns[i], turns);
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

/* The cost of subject i, and of a second one of its figure. -errno. */
static int find_cost(const struct costs *costs, unsigned int i, double *ns)
{
	const struct cost *cost = &costs->all[i], *second = cost + 1;

	*ns = cost->ns;
	if (cost->err || i + 1 == COUNT(subjects) || !subjects[i + 1].is_second)
		return cost->err;
	if (second->err == -ENOENT)
		return 0;
	*ns += second->ns;
	return second->err;
}

int measure_program(struct trial *trial, uint32_t slice_ms)
{
	struct costs *costs = trial->scratch;
	const struct job_function function = {.fn = time_programs,
					      .argument = trial,
					      .result = costs,
					      .place = LAB_SERVER,
					      .cpu = trial->lab->cpus[LAB_SERVER]};
	/* The SYN that is timed is one of the flood's. */
	int err = flood_aim(&trial->flood) ?: job_run(trial->lab, &function, WAIT_MS);

	(void)slice_ms;
	for (unsigned int i = 0; !err && i < COUNT(subjects); i++) {
		double ns;
		int failed;

		if (subjects[i].is_second)
			continue;
		failed = find_cost(costs, i, &ns);
		if (failed)
			trial_record_reason(trial, subjects[i].figure,
					    explain(&subjects[i], failed));
		else
			trial_record(trial, subjects[i].figure, ns);
	}
	return err;
}
