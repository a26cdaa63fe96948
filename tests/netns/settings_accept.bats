#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# As settings.bats, for method accept, whose sockets have to agree with it as well.
load helpers
load settings
load accept

setup()
{
	needs_accept
	settings_up
}

teardown()
{
	stop_leftover_loader
	lab_down
}

@test "accept follows the sysctls that turn an option off" {
	follows_sysctls accept
}

@test "accept follows them without XDP" {
	follows_sysctls accept --xdp=none
}

@test "accept follows tcp_rmem" {
	follows_tcp_rmem accept
}

@test "accept follows the metrics of the route to the remote" {
	follows_metrics accept
}

@test "accept follows them without XDP as well" {
	follows_metrics accept --xdp=none
}

@test "accept follows the longest prefix of several routes" {
	follows_prefixes accept
}

@test "accept follows the MTUs of the interface and the least MSS" {
	follows_mtus accept
}
