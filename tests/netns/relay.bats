#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# The link of the likeness tests by itself: what it is told is what happens, and nolisten answers behind it, with Ethernet and without.
load helpers

setup()
{
	CLIENT=$(add_namespace c)
	SERVER=$(add_namespace s)
	export CLIENT SERVER
	COMMANDS=$BATS_TEST_TMPDIR/commands
	mkfifo "$COMMANDS"
	# Held open, so that it does not end with the first command.
	exec {TO_RELAY}<>"$COMMANDS"
}

teardown()
{
	stop "$RELAY"
	lab_down
}

# relay tun|tap DELAY_US: link0 in both namespaces; what passes is in $LOG.
relay()
{
	local namespace words=()
	[ "$1" = tun ] || words=(tap)
	LOG=$BATS_TEST_TMPDIR/log
	"$TOOLS/relay" "${words[@]}" "$CLIENT" "$SERVER" link0 "$2" <"$COMMANDS" >"$LOG" 3>&- &
	RELAY=$!
	wait_for 5 has_text "$LOG" ready
	for namespace in "$CLIENT" "$SERVER"; do
		ip -n "$namespace" link set link0 up
	done
	address "$CLIENT" link0 10.2.0.1/24 fd02::1/64
	address "$SERVER" link0 10.2.0.2/24 fd02::2/64
}

tell()
{
	printf '%s\n' "$@" >&"$TO_RELAY"
}

# echo_from PORT TEXT: from that port, by a server's echo.
echo_from()
{
	printf '%s' "$2" | in_client timeout $((10 * PATIENCE)) nc -N -p "$1" -w $((5 * PATIENCE)) 10.2.0.2 34567
}

# passed PORT PATTERN: how many segments of that connection.
passed()
{
	grep " flow=$1 " "$LOG" | grep -c -- "$2"
}

@test "a packet takes as long as it is told to" {
	local sent completed
	relay tun 50000
	start_kernel_server 34567
	is_equal "$(echo_from 5001 hello)" hello
	# A round trip is between the SYN and the segment that completes the handshake.
	sent=$(sed -n 's/^arrived=\([0-9]*\) flow=5001 from=client flags=S .*/\1/p' "$LOG")
	completed=$(sed -n 's/^arrived=\([0-9]*\) flow=5001 from=client flags=\. .*/\1/p' "$LOG" | head -n 1)
	[ $((completed - sent)) -ge 100000 ]
}

@test "a connection has a delay and rules of its own" {
	relay tun 100
	start_kernel_server 34567
	tell "flow 5001 20000" "rule 5001 server synack 1 drop" "rule 5001 client data 1 dup" "rule 5001 client fin * late=30000"
	is_equal "$(echo_from 5001 hello)" hello
	is_equal "$(echo_from 5002 hello)" hello
	is_equal "$(passed 5001 'from=server flags=S\. .*verdict=drop')" 1
	is_equal "$(passed 5001 'from=client .* len=5 .*verdict=dup')" 2
	is_equal "$(passed 5001 'from=client flags=F\. .*verdict=late')" 1
	is_equal "$(passed 5002 verdict=pass)" "$(passed 5002 verdict)"
}

@test "swapped neighbours leave in each other's place" {
	local text
	relay tun 1000
	start_kernel_server 34567
	tell "rule 5001 client data 1 swap"
	text=$(head -c 2500 /dev/zero | tr '\0' x)
	is_equal "$(echo_from 5001 "$text")" "$text"
	is_equal "$(sed -n 's/.*flow=5001 from=client .* seq=\([0-9]*\) .* len=[1-9].*/\1/p' "$LOG" | head -n 2 | xargs)" "1449 1"
}

@test "nolisten answers behind it without link headers" {
	relay tun 1000
	IFACE=link0 start_loader
	is_equal "$(echo_from 5001 hello)" hello
}

@test "nolisten answers behind it with Ethernet, in native XDP" {
	relay tap 1000
	IFACE=link0 start_loader
	expect "xdp native" cat "$LOADER_LOG"
	is_equal "$(echo_from 5001 hello)" hello
}
