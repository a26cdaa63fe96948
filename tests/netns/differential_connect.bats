#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# The conformance differential for method connect. By its nature it differs in two things, which are left out of the
# comparison: the SYN-ACK has NOPs in place of options that were not asked for, and its window is that of an active open.
load helpers
load differential

export DIFFER_METHOD=connect

setup_file()
{
	differential_up
	start_loader -m connect
}

teardown_file()
{
	lab_down "$KERNEL"
}

@test "answers all 256 flag bytes as a kernel listener does" {
	compare flags
}

@test "lets closed ports answer all 256 flag bytes as ever" {
	compare closed-flags
}

@test "answers odd sequences of segments as a kernel listener does" {
	compare segments
}

@test "reads odd TCP options as a kernel listener does" {
	compare options
}

@test "takes odd packets as a kernel listener does" {
	compare packets
}

@test "reuses a connection in TIME-WAIT as a kernel listener does" {
	# Half of what is above is still connected, and would keep the loader.
	stop "$LOADER_PID" KILL
	start_loader -m connect -p 34569 -s 'banner:hi\n'
	compare time-wait 34569
}
