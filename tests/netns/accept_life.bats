#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# Method accept as away.bats, load.bats and workers.bats have the others: its ends, what is left of it, its workers.
load helpers
load accept

setup()
{
	accept_up
}

teardown()
{
	accept_down
}

ends_cleanly_on()
{
	accept --xdp=generic
	is_attached
	echo_back 10.0.0.2 34567 hello
	expect_event '.event == "closed"'
	stop_loader "$1"
	is_equal "$LOADER_STATUS" 0
	is_detached
	expect "detached; 1 SYN, 1 established, 1 handed off" cat "$LOADER_LOG"
	is_equal "$(parent)" ""
	is_refused 10.0.0.2 34567
	is_refused fd00::2 34567
}

@test "detaches on SIGINT and prints a summary" {
	ends_cleanly_on INT
}

@test "detaches on SIGTERM and prints a summary" {
	ends_cleanly_on TERM
}

@test "closes what still lives when it is interrupted again" {
	accept -s hold
	start client ip netns exec "$CLIENT" nc -d 10.0.0.2 34567
	expect_event '.event == "handed_off"'
	kill -INT "$LOADER_PID"
	wait_for 5 has_text "$LOADER_LOG" '1 connection lives on'
	is_detached
	kill -INT "$LOADER_PID"
	wait_for 5 is_gone "$LOADER_PID"
	wait_for 5 is_gone "$STARTED"
}

@test "ends when its interface is deleted" {
	accept
	ip -n "$SERVER" link del eth0
	wait_for 5 is_gone "$LOADER_PID"
	expect "eth0: the interface is gone" cat "$LOADER_LOG"
	LOADER_STATUS=0
	wait "$LOADER_PID" || LOADER_STATUS=$?
	is_equal "$LOADER_STATUS" 1
}

@test "answers once its interface is up again" {
	accept
	ip -n "$SERVER" link set eth0 down
	wait_for 5 has_text "$LOADER_LOG" 'eth0: is down'
	ip -n "$SERVER" link set eth0 up
	wait_for 5 has_text "$LOADER_LOG" 'eth0: is up'
	wait_for 5 is_running "$CLIENT" eth0
	is_equal "$(echo_back 10.0.0.2 34567 again)" again
}

# Nothing is half-open here: what would complete a handshake later finds nobody.
@test "a cookie that comes back after its end gets the kernel's RST" {
	in_client nft 'add table t; add chain t o { type filter hook output priority 0; }; add rule t o tcp flags rst drop'
	accept
	PYTHONPATH=$REPO/tests/tools PYTHONDONTWRITEBYTECODE=1 in_client python3 - "$LOADER_PID" <<-'EOF'
		import os, select, signal, sys
		from segments import *
		wire = Wire(34567, 40001)
		wire.send(SYN, 1000)
		ack = wire.receive(5).seq + 1
		pidfd = os.pidfd_open(int(sys.argv[1]))
		os.kill(int(sys.argv[1]), signal.SIGTERM)
		assert select.select([pidfd], [], [], 10)[0]
		wire.send(ACK, 1001, ack)
		answer = wire.receive(5)
		assert answer.flags == RST and answer.seq == ack
	EOF
}

@test "refuses a second loader on the interface while the first goes on" {
	accept
	refused_loader 1 'eth0: another nolisten-loader' -m accept eth0
	is_equal "$(echo_back 10.0.0.2 34567 first)" first
	is_equal "$(parent | wc -l)" 1
}

@test "names the capability that is missing" {
	run in_server setpriv --bounding-set=-net_admin --inh-caps=-net_admin "$LOADER" -m accept eth0
	is_equal "$status ${#lines[@]}" "1 1"
	[[ $output == *CAP_NET_ADMIN* ]]
	is_detached
}

# workers FILTER: of the list in the status.
workers()
{
	in_server "$NOLISTEN" status -j eth0 | jq -c ".workers | $1"
}

has_handed_off()
{
	[ "$(workers 'map(.handed_off) | add')" = "$1" ]
}

@test "each line of each worker's events is whole" {
	accept --workers=4
	expect "500 connections" in_client "$TOOLS/burst_client" 10.0.0.2 34567 500 16
	wait_for 15 has_no_flows
	is_equal "$(count_events handed_off)" 500
	is_equal "$(count_events closed)" 500
}

@test "a client that comes again and again from one port is always the same worker's" {
	in_client sysctl -qw net.ipv4.ip_local_port_range="40001 40001"
	accept -q --workers=4
	expect "300 connections, 300 with data in the final ACK, 16 bytes" \
		in_client "$TOOLS/burst_client" 10.0.0.2 34567 300 16 reset
	wait_for 5 has_handed_off 300
	is_equal "$(workers 'map(.handed_off) | sort')" "[0,0,0,300]"
	wait_for 15 has_no_flows
	is_equal "$(counter closed)" 300
}

@test "--max-children counts the children of all workers" {
	accept -q --workers=4 --max-children=3 -s 'exec:cat; sleep 60'
	start crowd ip netns exec "$CLIENT" timeout 20 "$TOOLS/crowd_client" 10.0.0.2 34567 8
	wait_for 10 has_handed_off 8
	is_equal "$(workers 'map(.connections) | add')" 3
	is_equal "$(workers 'map(.refused) | add')" 5
	stop "$STARTED"
}

@test "kill -9 of two workers leaves the host as it was, SIGTERM as well" {
	local signal
	for signal in KILL TERM; do
		accept --workers=2
		expect "50 connections" in_client "$TOOLS/burst_client" 10.0.0.2 34567 50 16
		stop_loader $signal
		wait_for 5 is_detached
		is_refused 10.0.0.2 34567
		is_equal "$(parent)" ""
	done
	is_equal "$LOADER_STATUS" 0
	grep -q 'detached; 50 SYN, 50 established, 50 handed off' "$LOADER_LOG"
}

@test "takes as many as 64 workers, each with a parent" {
	accept -q --workers=64
	is_equal "$(parent | wc -l)" 64
	is_equal "$(in_server "$NOLISTEN" status -j | jq '.parents | length')" 64
	expect "500 connections, 500 with data" in_client "$TOOLS/burst_client" 10.0.0.2 34567 500 100
	stop_loader
	is_equal "$LOADER_STATUS" 0
}
