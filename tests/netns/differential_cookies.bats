#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# Methods xdp and auto beside a kernel listener that sends cookies always: what a cookie cannot carry is the same
# for both. The cases that may differ are named here, with the reason.
load helpers
load differential

# Linux encodes four MSS classes, we have eight, and leave the small ones to the engine.
MSS_CASES=("MSS 88" "MSS 100" "MSS 100 with timestamps" "MSS 536" "MSS twice" "MSS after an unknown option"
	"option past the end" "kind without a length" "MSS 1")
# Linux takes a cookie a second time after its connection has ended, and is silent for a while after a cookie
# that it did not accept. We go on as without cookies. Its ISNs are in no order at all.
STATE_CASES=("ACK below the window of acknowledgements" "ACK above what was sent" "ACK before the window"
	"RST of an established flow" "late data" "late FIN" "new SYN inside the window"
	"new SYN outside the window")
# Linux rounds the window of a connection from a cookie a second time, without the timestamps.
WINDOW_CASES=("older TSval with data" "SYN with an older timestamp")

setup_file()
{
	differential_up
	ip netns exec "$KERNEL" sysctl -qw net.ipv4.tcp_syncookies=2
}

teardown_file()
{
	lab_down "$KERNEL"
}

teardown()
{
	stop_leftover_loader
}

compare_all()
{
	start_loader -m "$1"
	compare flags
	compare segments 34567 "${STATE_CASES[@]}"
	compare options 34567 "${MSS_CASES[@]}" "${WINDOW_CASES[@]}"
	compare packets
}

@test "method xdp answers as a kernel listener with cookies" {
	BATS_TEST_TIMEOUT=200
	compare_all xdp
}

@test "method auto answers as a kernel listener with cookies" {
	BATS_TEST_TIMEOUT=200
	compare_all auto
}

@test "method xdp reuses a connection in TIME-WAIT as a kernel listener does" {
	start_loader -m xdp -p 34569 -s 'banner:hi\n'
	compare time-wait 34569 "${WINDOW_CASES[@]}"
}
