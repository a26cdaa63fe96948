#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# As settings.bats, for SYN-ACKs of XDP.
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

@test "xdp follows the sysctls that turn an option off" {
	follows_sysctls xdp
}

@test "xdp follows tcp_rmem" {
	follows_tcp_rmem xdp
}

@test "xdp follows the metrics of the route to the remote" {
	follows_metrics xdp
}

@test "xdp follows the longest prefix of several routes" {
	follows_prefixes xdp
}

@test "xdp follows the MTUs of the interface and the least MSS" {
	follows_mtus xdp
}
