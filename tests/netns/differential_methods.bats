#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# The methods without BPF against a kernel listener; what differs from the other methods is named.
load helpers
load differential

setup()
{
	differential_up
}

teardown()
{
	lab_down "$KERNEL"
}

# Without BPF nobody can see what a TIME-WAIT socket remembers: the kernel answers a SYN that meets one.
TIME_WAIT=("SYN with a newer sequence" "SYN with a newer timestamp")

@test "nfqueue answers flags, segments and options as a kernel listener does" {
	start_loader -m nfqueue
	compare flags
	compare closed-flags
	compare segments
	compare options
}

@test "filter answers flags, segments and options as a kernel listener does" {
	start_loader -m filter
	compare flags
	compare closed-flags
	compare segments
	compare options
}

@test "nfqueue takes odd packets, and even fragments, as a kernel listener does" {
	start_loader -m nfqueue
	compare_but packets 34567 "IPv4 fragments" "IPv4 tiny fragments" "IPv6 fragments"
}

@test "filter takes odd packets as the methods with BPF do" {
	start_loader -m filter
	compare packets
}

# leaves_time_wait METHOD
leaves_time_wait()
{
	start_loader -m "$1" -p 34569 -s 'banner:hi\n'
	compare_but time-wait 34569 "${TIME_WAIT[@]}"
}

@test "nfqueue leaves connections in TIME-WAIT to the kernel" {
	leaves_time_wait nfqueue
}

@test "filter leaves connections in TIME-WAIT to the kernel" {
	leaves_time_wait filter
}
