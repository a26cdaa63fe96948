#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# What a SYN-ACK says follows the host's sysctls and the route to the remote, as they are and as they change.
load helpers
load settings

setup()
{
	settings_up
}

teardown()
{
	stop_leftover_loader
	lab_down
}

@test "engine follows the sysctls that turn an option off" {
	follows_sysctls engine
}

@test "engine follows tcp_rmem" {
	follows_tcp_rmem engine
}

@test "engine follows tcp_adv_win_scale, or ignores it, as the kernel does" {
	follows_adv_win_scale engine
}

@test "engine follows the metrics of the route to the remote" {
	follows_metrics engine
}

@test "engine follows the longest prefix of several routes" {
	follows_prefixes engine
}

@test "engine follows the MTUs of the interface and the least MSS" {
	follows_mtus engine
}
