/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* trespass PID KEY PIN: tries what a service must not be able to, a line each with its result; then who it is. */
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include "tool.h"
#include "trespass.h"

static void print_result(const char *what, int err)
{
	printf("%s: %s\n", what, err ? strerrorname_np(err) : "done");
}

int main(int argc, char **argv)
{
	struct rlimit core;
	pid_t pid;

	if (argc != 4)
		return 2;
	pid = (pid_t)atoi(argv[1]);
	print_result("load a program", trespass_load_program());
	print_result("make a map", trespass_make_map());
	print_result("open the key", trespass_open(argv[2]));
	print_result("open a pin", trespass_open_pin(argv[3]));
	print_result("read the loader's memory", trespass_read_memory(pid));
	print_result("trace the loader", trespass_trace(pid));
	print_result("signal the loader", trespass_result(kill(pid, 0)));
	print_result("make a raw socket", trespass_raw_socket());
	print_result("make a packet socket", trespass_packet_socket());
	print_result("make a user namespace", trespass_user_namespace());
	print_result("become root", trespass_become_root());
	getrlimit(RLIMIT_CORE, &core);
	printf("uid %u, gid %u, core %llu\n", getuid(), getgid(),
	       (unsigned long long)core.rlim_max);
	return 0;
}
