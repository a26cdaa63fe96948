#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# An answered port gives an ordinary, established kernel socket, with real clients and the default echo.
load helpers
load sockets

setup_file()
{
	lab_up
	# 60 KB leave at once with the final ACK only if the first window has room for it.
	be_patient_on_eth0 initcwnd 64
	start_loader
}

teardown_file()
{
	lab_down
}

setup()
{
	STARTED=
}

teardown()
{
	[ -z "$STARTED" ] || stop "$STARTED"
}

@test "echoes to nc over IPv4" {
	is_equal "$(echo_back 10.0.0.2 34567 'hello, world')" 'hello, world'
}

@test "echoes to nc over IPv6" {
	is_equal "$(echo_back fd00::2 34567 'hello, world')" 'hello, world'
}

@test "echoes to curl's telnet over IPv4 and IPv6" {
	for host in 10.0.0.2 '[fd00::2]'; do
		run in_client timeout 10 curl -sS --max-time 5 "telnet://$host:34567" <<<"hello, curl"
		[[ $output == *"hello, curl"* ]]
	done
}

@test "shows no listening socket while it answers" {
	run in_server ss -Hltn
	is_equal "$output" ""
	is_equal "$(echo_back 10.0.0.2 34567 x)" x
}

# hold_open NAME ADDRESS: a client that stays; $STARTED. The connection is up when it returns.
hold_open()
{
	mkfifo "$BATS_TEST_TMPDIR/$1.in"
	ip netns exec "$CLIENT" nc "$2" 34567 <>"$BATS_TEST_TMPDIR/$1.in" >"$BATS_TEST_TMPDIR/$1" 2>&1 3>&- &
	STARTED=$!
	echo hello >"$BATS_TEST_TMPDIR/$1.in"
	wait_for 5 has_text "$BATS_TEST_TMPDIR/$1" hello
}

@test "shows an established socket in ss, and no other kind" {
	hold_open client 10.0.0.2
	run in_server ss -Htn state established
	[[ $output == *10.0.0.2:34567*10.0.0.1:* ]]
}

@test "gives the socket the agreed mss, window scales, SACK and timestamps" {
	hold_open client 10.0.0.2
	client=$(in_client ss -Htnoi state established | tail -n 1)
	run in_server ss -Htnoi state established
	[[ $output == *" ts sack "* ]]
	[[ $output == *" mss:1448 "* ]]
	# The client's shift of ours is the server's shift of its own, and the other way round.
	[[ $client =~ wscale:([0-9]+),([0-9]+) ]]
	[[ $output == *" wscale:${BASH_REMATCH[2]},${BASH_REMATCH[1]} "* ]]
}

# Without it the RTO is 3 s (RFC 6298, 5.7).
@test "a socket knows its RTT from the handshake where timestamps are agreed" {
	tells_its_rtt 10.0.0.2
	tells_its_rtt fd00::2
}

@test "agrees with the client's smaller MSS" {
	ip -n "$CLIENT" route change 10.0.0.0/24 dev eth0 initcwnd 64 rto_min 3s advmss 1220
	hold_open client 10.0.0.2
	run in_server ss -Htnoi state established
	ip -n "$CLIENT" route change 10.0.0.0/24 dev eth0 initcwnd 64 rto_min 3s
	[[ $output == *" mss:1208 "* ]]
}

@test "agrees on nothing that the client does not offer" {
	in_client sysctl -qw net.ipv4.tcp_timestamps=0 net.ipv4.tcp_sack=0 net.ipv4.tcp_window_scaling=0
	hold_open client 10.0.0.2
	run in_server ss -Htnoi state established
	in_client sysctl -qw net.ipv4.tcp_timestamps=1 net.ipv4.tcp_sack=1 net.ipv4.tcp_window_scaling=1
	[[ $output != *" ts "* && $output != *sack* && ! $output =~ wscale:[0-9,]*[1-9] ]]
	# The window that the client sees is in bytes then.
	[[ $(in_client ss -Htnoi state established) =~ snd_wnd:([0-9]+) ]]
	[ "${BASH_REMATCH[1]}" -gt 10000 ]
}

@test "tells each step of a connection as an event" {
	: >"$EVENTS"
	echo_back 10.0.0.2 34567 events
	for event in established handed_off closed; do
		expect_event ".event == \"$event\" and .local == \"10.0.0.2:34567\"
			and (.remote | startswith(\"10.0.0.1:\"))"
	done
	expect_event '.event == "established" and .method == "xdp"'
	expect_event '.event == "handed_off" and .handoff_us >= 0'
	has_one_id_a_flow
	expect_event '.event == "established" and (.eve.timestamp | test("^20[0-9-]{8}T[0-9:]{8}[.][0-9]{6}[+]0000$"))'
}

@test "tells IPv6 events with addresses written out" {
	: >"$EVENTS"
	echo_back fd00::2 34567 events
	expect_event '.event == "handed_off" and .local == "[fd00::2]:34567"
		and .eve.dest_ip == "fd00:0000:0000:0000:0000:0000:0000:0002"'
}

@test "answers data in the final ACK 6,000 times without a retransmission" {
	burst 6000 100
}

@test "answers data in the final ACK over IPv6 without a retransmission" {
	burst 1000 100 fd00::2
}

@test "takes data and FIN at any moment of the hand-off" {
	sends_nothing_twice expect "5000 connections" \
		in_client "$TOOLS/burst_client" 10.0.0.2 34567 5000 5 hasty
	sends_nothing_twice expect "1000 connections" \
		in_client "$TOOLS/burst_client" fd00::2 34567 1000 5 hasty
}

@test "takes 10 KB sent at once with the final ACK" {
	burst 200 10240
	burst 50 10240 fd00::2
}

@test "takes 60 KB sent at once with the final ACK" {
	burst 200 61440
	burst 50 61440 fd00::2
}

@test "takes 60 KB with the final ACK when the client does not offload" {
	in_client ethtool -K eth0 tso off gso off tx off >/dev/null
	run burst 100 61440
	in_client ethtool -K eth0 tso on gso on tx on >/dev/null
	[ "$status" = 0 ]
}

@test "takes a lone final ACK" {
	expect "200 connections, 0 with data" in_client "$TOOLS/burst_client" 10.0.0.2 34567 200 64 plain
}

@test "keeps the client's half-closed side open until all is echoed" {
	run in_client bash -c 'head -c 3000000 /dev/zero | timeout 20 nc -N 10.0.0.2 34567 | wc -c'
	is_equal "$output" 3000000
}

@test "forgets a connection that the client resets" {
	: >"$EVENTS"
	expect "50 connections" in_client "$TOOLS/burst_client" 10.0.0.2 34567 50 64 reset
	wait_for 5 has_no_sockets
	expect_event '.event == "closed" or .event == "reset"'
}

has_no_sockets()
{
	[ -z "$(in_server ss -Htan state connected exclude time-wait)" ]
}

@test "passes 1 GiB in both directions at once" {
	bytes=${NOLISTEN_TEST_BYTES:-1073741824}
	expect "$bytes of $bytes bytes intact in both directions" \
		in_client timeout 80 "$TOOLS/stream_client" 10.0.0.2 34567 "$bytes"
}

@test "passes a stream over IPv6 in both directions at once" {
	expect "50000000 of 50000000 bytes intact" \
		in_client timeout 60 "$TOOLS/stream_client" fd00::2 34567 50000000
}
