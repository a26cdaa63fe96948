#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# What must work on every kernel: each method, from its start to its end, however it ends.
load ../netns/helpers
load ../netns/sockets
load ../netns/accept
load ../netns/methods

setup_file()
{
	lab_up
}

teardown_file()
{
	lab_down
}

setup()
{
	LOADER_PID=
	STARTED=
}

teardown()
{
	stop_leftover_loader
	[ -z "$STARTED" ] || stop "$STARTED" KILL
}

is_echoing()
{
	is_equal "$(echo_back 10.0.0.2 34567 'over IPv4')" 'over IPv4' &&
		is_equal "$(echo_back fd00::2 34567 'over IPv6')" 'over IPv6' || {
		cat "$LOADER_LOG" "$EVENTS" >&2
		lost_packets >&2
		return 1
	}
	# The answered ports have no listener, whatever the method.
	run in_server ss -Hltn 'sport = :34567'
	is_equal "$output" ""
}

# What a killed loader may leave behind is documented: a filter on clsact, iptables' rules. Neither stops a packet.
is_refusing()
{
	wait_for 10 is_refused 10.0.0.2 34567 && wait_for 10 is_refused fd00::2 34567
}

leaves_nothing()
{
	local qdiscs
	wait_for 5 is_detached
	qdiscs=$(in_server tc qdisc show)
	[[ $qdiscs != *clsact* ]] || { echo "left behind: $qdiscs"; return 1; }
	is_equal "$(rules)" ""
}

# lives [OPTION...]: answers, and ends when told to.
lives()
{
	start_loader "$@"
	is_echoing
	stop_loader INT
	is_equal "$LOADER_STATUS" 0
	is_refusing
	leaves_nothing
}

# lives_and_dies [OPTION...]: is killed, and starts again.
lives_and_dies()
{
	start_loader "$@"
	is_echoing
	stop_loader KILL
	is_refusing
	lives "$@"
}

@test "auto: both families, kill -9, restart, SIGINT" {
	lives_and_dies
}

@test "xdp: both families, kill -9, restart, SIGINT" {
	lives_and_dies -m xdp
	expect_event '.event == "established" and .method == "xdp"'
}

@test "engine: both families, kill -9, restart, SIGINT" {
	lives_and_dies -m engine
	expect_event '.event == "established" and .method == "engine"'
}

@test "the handshake tells the socket its RTT, by the engine's clock and by a cookie's" {
	for method in engine xdp; do
		start_loader -m $method
		tells_its_rtt 10.0.0.2
		stop_loader INT
	done
}

@test "connect: both families, kill -9, restart, SIGINT" {
	lives_and_dies -m connect
	expect_event '.event == "established" and .method == "connect"'
}

# refuses_accept: one line says what is missing, and what to take.
refuses_accept()
{
	refused_loader 1 'has no bpf_sk_assign_tcp_reqsk (Linux 6.9) (use method xdp or auto' -m accept eth0
	run in_server "$LOADER" --check -m accept
	is_equal "$status" 1
	[[ $output == *"but not method accept (use xdp or auto)"* ]]
}

@test "accept: both families, kill -9, restart, SIGINT, with XDP and without; or why not" {
	can_accept || { refuses_accept; return; }
	lives_and_dies -m accept
	expect_event '.event == "established" and .method == "accept"'
	lives_and_dies -m accept --xdp=none
	lives -m accept --workers=2
}

@test "nfqueue: both families, kill -9, restart, SIGINT" {
	lives_and_dies -m nfqueue
}

@test "filter: both families, kill -9, restart, SIGINT" {
	lives_and_dies -m filter
}

# The RST leaves first; from another processor's queue our SYN-ACK may still arrive before it.
@test "raw: the kernel's RST is first, and it says so" {
	stay_on_one_processor
	start_loader -m raw
	grep -q 'the kernel will win' "$LOADER_LOG"
	is_refused 10.0.0.2 34567
	expect_event '.event == "reset" and .reason == "kernel_rst"'
	stop_loader INT
	leaves_nothing
}

@test "two workers: auto, xdp and engine, both families, SIGINT" {
	lives --workers=2
	lives --workers=2 -m xdp
	lives --workers=2 -m engine
}

# agrees_to_all METHOD: as ss says of the server's end of a connection that stays.
agrees_to_all()
{
	local client socket
	start_loader -q -m "$1"
	start client ip netns exec "$CLIENT" nc -d 10.0.0.2 34567
	client=$STARTED
	wait_for 5 is_server_connected
	socket=$(in_server ss -Htnie state established sport = :34567)
	stop "$client"
	stop_loader
	[[ $socket == *" ts "* && $socket == *" sack "* && $socket == *" wscale:"* ]] ||
		{ echo "$1: not all options: $socket"; return 1; }
}

is_server_connected()
{
	[ -n "$(in_server ss -Htn state established sport = :34567)" ]
}

@test "window scale, SACK and timestamps are as agreed, by every method with BPF" {
	local method
	for method in xdp engine connect $(can_accept && echo accept); do
		agrees_to_all $method
	done
}

@test "lo and a tun device" {
	IFACE=lo start_loader
	expect "20 connections, 20 with data" in_server "$TOOLS/burst_client" 127.0.0.1 34567 20 100
	expect "20 connections, 20 with data" in_server "$TOOLS/burst_client" ::1 34567 20 100
	stop_loader
	start_ready tun_peer "$TOOLS/tun_peer" "$SERVER" "$CLIENT" tun0
	for namespace in "$SERVER" "$CLIENT"; do
		ip -n "$namespace" link set tun0 up
	done
	address "$SERVER" tun0 10.2.0.2/24 fd02::2/64
	address "$CLIENT" tun0 10.2.0.1/24 fd02::1/64
	IFACE=tun0 start_loader
	expect "20 connections, 20 with data" in_client "$TOOLS/burst_client" 10.2.0.2 34567 20 100
	expect "20 connections, 20 with data" in_client "$TOOLS/burst_client" fd02::2 34567 20 100
	stop_loader
	stop "$STARTED"
}

@test "a kernel's listener on an answered port is left alone" {
	local answered
	start_kernel_server 34569 $'kernel\n'
	start_loader -p 34567,34569
	answered=$(banner_of 10.0.0.2 34569)
	is_equal "$answered" kernel
	is_equal "$(echo_back fd00::2 34567 ours)" ours
	stop "$KERNEL_SERVER"
}

@test "a server under run: its connections are queued at its own socket, or put in" {
	local way
	for way in --quiet --no-parent; do
		start run nsenter --net="/run/netns/$SERVER" "$NOLISTEN" run -i eth0 "$way" -- "$TOOLS/echo_server" 34570
		wait_for 20 in_client nc -z -w 2 10.0.0.2 34570
		is_equal "$(echo_back 10.0.0.2 34570 under)" under
		is_equal "$(in_server ss -Hltn 'sport = :34570')" ""
		stop "$STARTED"
	done
}
