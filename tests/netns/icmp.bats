#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# ICMP errors about a half-open connection end it, or do not, as with a kernel listener.
load helpers
load differential

setup()
{
	LOADER_PID= KERNEL=
}

teardown()
{
	stop_leftover_loader
	lab_down ${KERNEL:+"$KERNEL"}
}

# errors_of METHOD [OPTION...]
errors_of()
{
	differential_up
	in_namespace "$KERNEL" sysctl -qw net.ipv4.tcp_syncookies=0
	start_loader -m "$@"
	compare icmp
}

@test "method engine takes ICMP errors as a kernel listener does" {
	errors_of engine
	is_equal "$(counter segment_unreachable),$(counter segment_icmp_seq)" 9,4
	expect_event '.event == "reset" and .reason == "unreachable"'
}

@test "two workers take ICMP errors as a kernel listener does" {
	errors_of engine --workers=2
	is_equal "$(counter segment_unreachable),$(counter segment_icmp_seq)" 9,4
}

@test "method nfqueue takes ICMP errors as a kernel listener does" {
	errors_of nfqueue
}

@test "method filter takes ICMP errors as a kernel listener does" {
	errors_of filter
}

# A cookie has nothing to end; nor has a kernel listener with cookies.
@test "method xdp takes no notice of ICMP errors, as a kernel listener with cookies" {
	differential_up
	in_namespace "$KERNEL" sysctl -qw net.ipv4.tcp_syncookies=2
	start_loader -m xdp
	compare icmp
}
