#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# What leaves at first on a connection whose SYN-ACK was lost: as from a kernel listener.
load helpers
load differential

setup()
{
	LOADER_PID= KERNEL=
	differential_up
	in_namespace "$KERNEL" sysctl -qw net.ipv4.tcp_syncookies=0
	# No tail loss probes: what is sent again is sent by the timer.
	for namespace in "$KERNEL" "$SERVER"; do
		in_namespace "$namespace" sysctl -qw net.ipv4.tcp_early_retrans=0
	done
	BANNER=$(printf 'x%.0s' {1..30000})
	start_ready kernel-long ip netns exec "$KERNEL" "$TOOLS/echo_server" 35000 "$BANNER"
}

teardown()
{
	stop_leftover_loader
	lab_down "$KERNEL"
}

# flight NAME FAMILY IFNAME LOST WORDS [first]: begins it; flights awaits all.
flight()
{
	in_client "$TOOLS/slow_client" "$2" "$3" 35000 "${@:4}" >"$BATS_TEST_TMPDIR/$1" 2>&1 3>&- &
	FLIGHTS+=($!)
}

# both FAMILY LOST WORDS [first]: at both servers.
both()
{
	flight "kernel.$*" "$1" kernel0 "${@:2}"
	flight "nolisten.$*" "$1" nolisten0 "${@:2}"
}

flights()
{
	wait "${FLIGHTS[@]}"
}

# same FAMILY LOST WORDS [first]: what both have sent is alike, and is that many bytes.
same()
{
	local bytes=$1
	shift
	is_equal "$(cat "$BATS_TEST_TMPDIR/kernel.$*")" "$bytes bytes at once"
	is_equal "$(cat "$BATS_TEST_TMPDIR/nolisten.$*")" "$bytes bytes at once"
}

# as_ever FAMILY LOST WORDS [first]: at both as many as when nothing is lost.
as_ever()
{
	local server
	for server in kernel nolisten; do
		is_equal "$(cat "$BATS_TEST_TMPDIR/$server.$*")" "$(cat "$BATS_TEST_TMPDIR/$server.$1 0 $3")"
	done
}

@test "method engine: one segment after two lost SYN-ACKs" {
	FLIGHTS=()
	start_loader -m engine -p 35000 -s "banner:$BANNER"
	both 4 2 "sack ts ws=7"
	both 6 2 "sack ts ws=7"
	both 4 2 "ts"
	both 4 2 "ts ws=7" first
	both 4 1 "ts ws=7"
	both 4 0 "ts ws=7"
	flights
	same 1448 4 2 "sack ts ws=7"
	same 1428 6 2 "sack ts ws=7"
	same 1448 4 2 "ts"
	# After one, and where nothing was lost in truth, as many as ever.
	as_ever 4 1 "ts ws=7"
	as_ever 4 2 "ts ws=7" first
}

# They have no BPF to set the congestion window: the send window does it, as well as its scale permits.
@test "methods nfqueue and filter: one segment after two lost SYN-ACKs" {
	local method
	for method in nfqueue filter; do
		FLIGHTS=()
		start_loader -m $method -p 35000 -s "banner:$BANNER"
		both 4 2 "ts"
		both 6 2 "ts ws=0"
		flights
		same 1448 4 2 "ts"
		same 1428 6 2 "ts ws=0"
		stop "$LOADER_PID" KILL
	done
}

@test "method connect: one segment after two lost SYN-ACKs" {
	FLIGHTS=()
	start_loader -m connect -p 35000 -s "banner:$BANNER"
	both 4 2 "sack ts ws=7"
	both 6 2 "sack ts ws=7"
	flights
	same 1448 4 2 "sack ts ws=7"
	same 1428 6 2 "sack ts ws=7"
}
