/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * What the machine is like before anything is measured on it, and what that means for the figures: warnings, never a
 * refusal.
 */
#ifndef NOLISTEN_MACHINE_H
#define NOLISTEN_MACHINE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define MACHINE_HYPERVISOR_SIZE 16
#define MACHINE_TEXT_SIZE 256
#define MACHINE_WARNINGS_MAX 8

struct machine {
	bool is_virtual;
	bool has_two_cpus; /* one for the server, one for the client */
	char hypervisor[MACHINE_HYPERVISOR_SIZE]; /* "KVM"; empty: none, or of no name */
	double syscall_ns; /* getppid() */
	double wakeup_us; /* from a write to a pipe to the end of the read of who slept, on the other CPU */
	double drift_pct; /* between the slow and the fast ones of one busy loop on the server's CPU */
	double stolen_pct; /* of the CPUs' time, by the hypervisor */
	double others_pct; /* of the CPUs' time, by other processes and interrupts */
	double load; /* average of the last minute, as it was before */
};

/* About 0.7 s. What cannot be found out is 0. CPUs: for the server and for the client. */
void machine_measure(int server_cpu, int client_cpu, struct machine *out);

/* Pure from here on. */

/* By its signature in CPUID, "KVMKVMKVM" */
void machine_name_hypervisor(struct machine *machine, const char *signature);

/* The first line of /proc/stat, ticks of all CPUs. */
struct machine_ticks {
	uint64_t total, busy, stolen;
};
bool machine_parse_ticks(const char *line, struct machine_ticks *out);
/* The share of what passed between the two that was stolen, and that somebody else was busy. */
void machine_take_ticks(struct machine *machine, const struct machine_ticks *before,
			const struct machine_ticks *after, uint64_t own_ticks);
/* Between the 10 % fastest and the 10 % slowest, of the median. Sorts the values. */
double machine_spread_pct(double *values, size_t count);

/* In a line. */
void machine_describe(const struct machine *machine, char text[MACHINE_TEXT_SIZE]);
/* The index-th thing by which figures swing, in words; false: there is none. */
bool machine_warning(const struct machine *machine, size_t index, char text[MACHINE_TEXT_SIZE]);

#endif
