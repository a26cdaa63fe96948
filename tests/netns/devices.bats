#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# Devices other than a veth with generic XDP. VLAN tags are in differential.bats.
load helpers

setup()
{
	lab_up
}

teardown()
{
	lab_down
}

@test "works on native XDP" {
	be_patient_on_eth0
	start_loader --xdp=native
	expect "xdp native" cat "$LOADER_LOG"
	burst 1000 100
	burst 100 10240 fd00::2
	expect "50000000 of 50000000 bytes intact" \
		in_client timeout 60 "$TOOLS/stream_client" 10.0.0.2 34567 50000000
	stop_loader
	is_detached
}

@test "works on lo" {
	be_patient "$SERVER" "route change local 127.0.0.1 dev lo table local proto kernel scope host" \
		"-6 route replace local ::1 dev lo table local proto kernel metric 0"
	IFACE=lo start_loader
	for host in 127.0.0.1 ::1; do
		expect "500 connections, 500 with data" \
			in_server "$TOOLS/burst_client" $host 34567 500 100
	done
	expect "20 connections, 20 with data" in_server "$TOOLS/burst_client" 127.0.0.1 34567 20 60000
	is_equal "$(snmp "$SERVER" TcpRetransSegs)" 0
}

@test "answers a process on the same host when it runs on lo" {
	IFACE=lo start_loader -a 10.0.0.2
	expect "100 connections, 100 with data" in_server "$TOOLS/burst_client" 10.0.0.2 34567 100 100
	is_refused 10.0.0.2 34567
}

@test "works on a tun device" {
	start_ready tun_peer "$TOOLS/tun_peer" "$SERVER" "$CLIENT" tun0
	for namespace in "$SERVER" "$CLIENT"; do
		ip -n "$namespace" link set tun0 up
	done
	address "$SERVER" tun0 10.2.0.2/24 fd02::2/64
	address "$CLIENT" tun0 10.2.0.1/24 fd02::1/64
	IFACE=tun0 start_loader
	for host in 10.2.0.2 fd02::2; do
		expect "300 connections, 300 with data" \
			in_client "$TOOLS/burst_client" $host 34567 300 100
		expect "5000000 of 5000000 bytes intact" \
			in_client timeout 60 "$TOOLS/stream_client" $host 34567 5000000
	done
	is_refused 10.2.0.2 9
	stop "$STARTED"
}

@test "follows a change of the MTU" {
	start_loader
	ip -n "$CLIENT" link set eth0 mtu 9000
	ip -n "$SERVER" link set eth0 mtu 9000
	wait_for 5 advertises 8960
	expect "20 connections, 20 with data" in_client "$TOOLS/burst_client" 10.0.0.2 34567 20 8000
}

# The MSS that the client was told.
advertises()
{
	local mss
	mkfifo "$BATS_TEST_TMPDIR/in" 2>/dev/null || :
	ip netns exec "$CLIENT" nc 10.0.0.2 34567 <>"$BATS_TEST_TMPDIR/in" >"$BATS_TEST_TMPDIR/out" 2>&1 3>&- &
	wait_for 3 is_client_connected
	mss=$(in_client ss -Htnie state established dport = :34567 | grep -o ' mss:[0-9]*')
	stop $!
	# Timestamps take twelve bytes of it.
	[ "$mss" = " mss:$(($1 - 12))" ]
}

is_client_connected()
{
	[ -n "$(in_client ss -Htn state established dport = :34567)" ]
}
