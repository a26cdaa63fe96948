#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# Methods xdp and auto beside a kernel listener that sends cookies always: what a cookie cannot carry is the same
# for both. Options are compared with a listener that sends none, since ours carries them all. The cases that may differ
# are named here, with the reason.
load helpers
load differential

# An MSS of 1200 or 700 is rounded down to its class.
MSS_CASES=("MSS twice" "MSS after an unknown option" "option past the end" "kind without a length")
# Linux takes a cookie a second time after its connection has ended, and is silent for a while after a cookie
# that it did not accept. We go on as without cookies. Its ISNs are in no order at all.
STATE_CASES=("ACK below the window of acknowledgements" "ACK above what was sent" "ACK before the window"
	"RST of an established flow" "late data" "late FIN" "new SYN inside the window"
	"new SYN outside the window")
# Linux rounds the window of a connection from a cookie a second time, without the timestamps.
WINDOW_CASES=("older TSval with data" "SYN with an older timestamp")

# Nobody remembers the TSval of a SYN that a cookie answered.
PAWS_CASES=("older TSval in the final ACK" "older TSval with data" "older TSval in a duplicate SYN"
	"duplicate SYN with newer timestamps" "TSecr never sent")

# Method accept has no engine for what no cookie carries; the kernel takes no MSS below 536 (IPv6: 1220) from a cookie.
SMALL_CASES=("MSS 1" "MSS 47" "MSS 88" "MSS 100" "MSS 100 with timestamps" "MSS 536")
# Nor anybody to remember that the ISS has to be above that of the connection before.
ISS_CASES=("SYN with a newer sequence" "SYN with a newer timestamp")

# differ expects that ECN is declined, as all others do; accept answers as the listener.
ECN_CASES=("flags 0xc2" "flags 0xca" "flags 0xe2" "flags 0xea")
ECN_CASE="ECN is not agreed to"

# A lab for each test: no case meets a connection of another one.
setup()
{
	differential_up
	in_namespace "$KERNEL" sysctl -qw net.ipv4.tcp_syncookies=2
}

teardown()
{
	stop_leftover_loader
	lab_down "$KERNEL"
}

# compare_as METHOD GROUP [NAME...]
compare_as()
{
	local method=$1 group=$2
	shift 2
	start_loader -m "$method"
	compare "$group" 34567 "$@"
}

@test "method xdp answers all 256 flag bytes as a kernel listener with cookies" {
	compare_as xdp flags
}

@test "method xdp answers odd sequences of segments as a kernel listener with cookies" {
	compare_as xdp segments "${STATE_CASES[@]}"
}

@test "method xdp reads odd TCP options as a kernel listener without cookies" {
	in_namespace "$KERNEL" sysctl -qw net.ipv4.tcp_syncookies=0
	compare_as xdp options "${MSS_CASES[@]}" "${PAWS_CASES[@]}"
}

@test "method xdp takes odd packets as a kernel listener with cookies" {
	compare_as xdp packets
}

@test "method xdp reuses a connection in TIME-WAIT as a kernel listener does" {
	start_loader -m xdp -p 34569 -s 'banner:hi\n'
	compare time-wait 34569 "${WINDOW_CASES[@]}"
}

# ECN is agreed without timestamps too, which no cookie of Linux can.
@test "method accept answers all 256 flag bytes as a kernel listener without cookies" {
	in_namespace "$KERNEL" sysctl -qw net.ipv4.tcp_syncookies=0
	start_loader -m accept
	compare_but flags 34567 "${ECN_CASES[@]}"
}

@test "method accept answers odd sequences of segments as a kernel listener with cookies" {
	compare_as accept segments "${STATE_CASES[@]}" "$ECN_CASE"
}

@test "method accept reads odd TCP options as a kernel listener without cookies" {
	in_namespace "$KERNEL" sysctl -qw net.ipv4.tcp_syncookies=0
	compare_as accept options "${MSS_CASES[@]}" "${SMALL_CASES[@]}" "${PAWS_CASES[@]}"
}

@test "method accept takes odd packets as a kernel listener with cookies" {
	compare_as accept packets
}

@test "method accept reuses a connection in TIME-WAIT as a kernel listener does" {
	start_loader -m accept -p 34569 -s 'banner:hi\n'
	compare time-wait 34569 "${WINDOW_CASES[@]}" "${ISS_CASES[@]}"
}

@test "method accept does all of it without XDP" {
	start_loader -m accept --xdp=none -p 34567,34569
	compare segments 34567 "${STATE_CASES[@]}" "$ECN_CASE"
	compare packets
	in_namespace "$KERNEL" sysctl -qw net.ipv4.tcp_syncookies=0
	compare_but flags 34567 "${ECN_CASES[@]}"
	compare options 34567 "${MSS_CASES[@]}" "${SMALL_CASES[@]}" "${PAWS_CASES[@]}"
}

@test "method auto answers all 256 flag bytes as a kernel listener with cookies" {
	compare_as auto flags
}

@test "method auto answers odd sequences of segments as a kernel listener with cookies" {
	compare_as auto segments "${STATE_CASES[@]}"
}

@test "method auto reads odd TCP options as a kernel listener without cookies" {
	in_namespace "$KERNEL" sysctl -qw net.ipv4.tcp_syncookies=0
	compare_as auto options "${MSS_CASES[@]}" "${PAWS_CASES[@]}"
}
