#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# Method accept: the kernel makes the sockets, of cookies. How it answers odd packets is in differential_cookies.bats.
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

@test "accept echoes over IPv4 and IPv6, and tells of it" {
	accept
	is_equal "$(echo_back 10.0.0.2 34567 'hello, world')" 'hello, world'
	is_equal "$(echo_back fd00::2 34567 'hello, world')" 'hello, world'
	for event in established handed_off closed; do
		expect_event ".event == \"$event\" and .method == \"accept\" and .local == \"10.0.0.2:34567\""
		expect_event ".event == \"$event\" and .method == \"accept\" and .local == \"[fd00::2]:34567\""
	done
	has_one_id_a_flow
	wait_for 5 has_counter closed 2
	is_equal "$(counter accept_child),$(counter cookie_sent),$(counter established)" 2,2,2
	# No flow entry, no ring, no repair, no replay.
	is_equal "$(counter held_cookie),$(counter replayed)" 0,0
}

@test "accept echoes over link-local addresses" {
	wait_for 10 has_link_local
	accept
	is_equal "$(echo_back "$(link_local)%eth0" 34567 link-local)" link-local
}

@test "what a kernel socket owns is left to it" {
	start_kernel_server 34569 $'kernel\n'
	accept -p 34567,34569
	is_equal "$(banner_of 10.0.0.2 34569)" kernel
	is_equal "$(banner_of fd00::2 34569)" kernel
	is_refused 10.0.0.2 9
	is_equal "$(echo_back 10.0.0.2 34567 ours)" ours
	is_equal "$(counter accept_child)" 1
}

@test "a listener that comes later gets the next connection, and those before go on" {
	accept -p 8080
	mkfifo "$BATS_TEST_TMPDIR/in"
	ip netns exec "$CLIENT" nc -N 10.0.0.2 8080 <>"$BATS_TEST_TMPDIR/in" >"$BATS_TEST_TMPDIR/out" 2>&1 3>&- &
	STARTED=$!
	echo before >"$BATS_TEST_TMPDIR/in"
	wait_for 5 has_text "$BATS_TEST_TMPDIR/out" before
	start_kernel_server 8080 kernel
	is_equal "$(in_client timeout 5 nc -d 10.0.0.2 8080)" kernel
	echo after >"$BATS_TEST_TMPDIR/in"
	wait_for 5 has_text "$BATS_TEST_TMPDIR/out" after
	stop "$KERNEL_SERVER" KILL
	is_equal "$(echo_back 10.0.0.2 8080 again)" again
}

# Until the ACK has brought the cookie back there is nothing here; a listener that is there by then has no such connection.
@test "a listener that comes in mid-handshake resets it" {
	in_client nft 'add table t; add chain t o { type filter hook output priority 0; }; add rule t o tcp flags rst drop'
	accept -p 8080
	PYTHONPATH=$REPO/tests/tools PYTHONDONTWRITEBYTECODE=1 in_client python3 - "$SERVER" "$CLIENT" <<-'EOF'
		import socket, sys
		from segments import *
		wire = Wire(8080, 40001)
		wire.send(SYN, 1000)
		ack = wire.receive(5).seq + 1
		in_namespace(sys.argv[1])
		listener = socket.create_server(("10.0.0.2", 8080))
		in_namespace(sys.argv[2])
		wire.send(ACK, 1001, ack)
		answer = wire.receive(5)
		assert answer.flags & RST and answer.seq == ack
	EOF
	is_equal "$(counter accept_child)" 0
}

@test "a cookie makes one connection, however often it comes" {
	in_client nft 'add table t; add chain t o { type filter hook output priority 0; }; add rule t o tcp flags rst drop'
	accept -s hold
	PYTHONPATH=$REPO/tests/tools PYTHONDONTWRITEBYTECODE=1 in_client python3 - <<-'EOF'
		from segments import *
		wire = Wire(34567, 40001)
		wire.send(SYN, 1000)
		ack = wire.receive(5).seq + 1
		for _ in range(3):
		    wire.send(ACK, 1001, ack)
		wire.send(ACK, 1001, ack, b"data")
		while wire.receive(5).ack != 1005:
		    pass
	EOF
	is_equal "$(in_server ss -Htn state established | wc -l)" 1
	is_equal "$(counter accept_child)" 1
}

# ends_once METHOD: a connection that has ended is not begun again by a duplicate of the segment that began it.
ends_once()
{
	local ack
	start_loader -m "$1"
	ack=$(PYTHONPATH=$REPO/tests/tools PYTHONDONTWRITEBYTECODE=1 in_client python3 - <<-'EOF'
		from segments import *
		wire = Wire(34567, 40001)
		wire.send(SYN, 1000)
		ack = wire.receive(5).seq + 1
		wire.send(ACK, 1001, ack, b"once")
		while not wire.receive(5).data:
		    pass
		wire.send(FIN | ACK, 1005, ack + 4)
		while not wire.receive(5).flags & FIN:
		    pass
		wire.send(ACK, 1006, ack + 5)
		print(ack)
	EOF
	)
	wait_for 5 has_counter closed 1
	wait_for 10 has_no_flows
	PYTHONPATH=$REPO/tests/tools PYTHONDONTWRITEBYTECODE=1 in_client python3 - "$ack" <<-'EOF'
		import sys
		from segments import *
		wire, ack = Wire(34567, 40001), int(sys.argv[1])
		wire.send(ACK, 1001, ack, b"once")
		segment = wire.receive(5)
		assert segment.flags & RST and segment.seq == ack, segment.flags
	EOF
	is_equal "$(counter established)" 1
	has_counter cookie_used 1
	stop_loader
}

@test "a connection that has ended is not begun again by a duplicate" {
	in_client nft 'add table t; add chain t o { type filter hook output priority 0; }; add rule t o tcp flags rst drop'
	ends_once accept
	ends_once xdp
}

@test "what is no cookie gets the kernel's RST" {
	in_client nft 'add table t; add chain t o { type filter hook output priority 0; }; add rule t o tcp flags rst drop'
	accept
	PYTHONPATH=$REPO/tests/tools PYTHONDONTWRITEBYTECODE=1 in_client python3 - <<-'EOF'
		from segments import *
		wire = Wire(34567, 40001)
		wire.send(SYN, 1000)
		ack = wire.receive(5).seq + 1
		wire.send(ACK, 1001, ack + 8)
		answer = wire.receive(5)
		assert answer.flags == RST and answer.seq == ack + 8
	EOF
	is_equal "$(counter accept_child)" 0
	is_equal "$(counter rst_stray)" 1
}

fragmented_syn()
{
	in_client "$TOOLS/fragmented_syn" eth0 34567 "$(ip -n "$SERVER" -j link show eth0 | jq -r '.[0].address')"
}

@test "keeps in the RST that a fragmented SYN causes" {
	# Where the answer goes; the client's kernel does not own that address.
	ip -n "$SERVER" neighbour replace 10.0.0.77 lladdr 02:00:00:00:00:77 dev eth0 nud permanent
	is_equal "$(fragmented_syn)" RST
	accept
	is_equal "$(fragmented_syn)" silent
	has_counter rst_dropped 1
}

@test "gives each connection to its service" {
	accept -p 1000-2000 -s 'banner:220 hello\n'
	is_equal "$(banner_of 10.0.0.2 1025)" '220 hello'
	stop_loader
	accept -p all -s 'exec:echo $PROTO $TCPLOCALIP $TCPLOCALPORT $TCPREMOTEIP $TCPREMOTEPORT'
	is_equal "$(in_client timeout 5 nc -d -p 50001 10.0.0.2 65535)" 'TCP 10.0.0.2 65535 10.0.0.1 50001'
	is_equal "$(in_client timeout 5 nc -d -p 50001 fd00::2 1)" 'TCP fd00::2 1 fd00::1 50001'
	stop_loader
	accept -s discard
	is_equal "$(echo_back 10.0.0.2 34567 nothing)" ""
	stop_loader
	accept --quiet -s 'exec:echo $TCPLOCALPORT'
	is_equal "$(banner_of fd00::2 34567)" 34567
}

@test "exec serves HTTP to curl, and ab" {
	cat >"$BATS_TEST_TMPDIR/http" <<-'SH'
		while read -r line && [ "${#line}" -gt 1 ]; do :; done
		printf 'HTTP/1.0 200 OK\r\nContent-Length: 6\r\n\r\nhello\n'
	SH
	accept -p 80 --user=root -s "exec:sh $BATS_TEST_TMPDIR/http"
	is_equal "$(in_client curl -sS --max-time 5 http://10.0.0.2/)" hello
	is_equal "$(in_client curl -sS --max-time 5 'http://[fd00::2]/')" hello
}

hold_open()
{
	mkfifo "$BATS_TEST_TMPDIR/in"
	exec 9<>"$BATS_TEST_TMPDIR/in"
	ip netns exec "$CLIENT" nc -N -p 50001 "$1" 34567 <"$BATS_TEST_TMPDIR/in" >"$BATS_TEST_TMPDIR/client" 2>&1 3>&- 9>&- &
	STARTED=$!
	echo before >&9
	wait_for 5 has_text "$BATS_TEST_TMPDIR/client" before
}

@test "flows and status know the connections" {
	accept
	hold_open 10.0.0.2
	is_equal "$(flows | jq -r '"\(.local) \(.remote) \(.state) \(.method)"')" \
		"10.0.0.2:34567 10.0.0.1:50001 handed_off accept"
	is_equal "$(in_server "$NOLISTEN" status -j | jq -r '"\(.method) \(.flows) \(.connections)"')" "accept 1 1"
	exec 9>&-
	wait_for 5 has_no_flows
}

# Without events nobody asks for the local end until it is needed.
@test "flows knows them when nobody reads the events" {
	LOADER_LOG=$BATS_FILE_TMPDIR/quiet
	ip netns exec "$SERVER" "$LOADER" -q -m accept eth0 2>"$LOADER_LOG" >/dev/null 3>&- </dev/null &
	LOADER_PID=$!
	wait_for 10 has_text "$LOADER_LOG" answering
	hold_open fd00::2
	is_equal "$(flows | jq -r '"\(.local) \(.remote)"')" "[fd00::2]:34567 [fd00::1]:50001"
	exec 9>&-
	wait_for 5 has_no_flows
}

@test "established connections live on when it goes away, and new ones are refused" {
	accept
	hold_open 10.0.0.2
	kill -TERM "$LOADER_PID"
	wait_for 5 is_detached
	is_refused 10.0.0.2 34567
	is_refused fd00::2 34567
	echo after >&9
	wait_for 5 has_text "$BATS_TEST_TMPDIR/client" after
	exec 9>&-
	wait_for 10 is_gone "$LOADER_PID"
	expect "detached; 1 SYN, 1 established, 1 handed off" cat "$LOADER_LOG"
}

@test "leaves nothing behind when it is killed" {
	accept
	hold_open 10.0.0.2
	stop "$LOADER_PID" KILL
	is_detached
	is_refused 10.0.0.2 34567
	is_equal "$(in_server ss -Htan state established)$(in_server ss -Hltn)" ""
	accept
	is_equal "$(echo_back 10.0.0.2 34567 again)" again
}

@test "takes data in the final ACK 6,000 times, 60 KB at once, streams both ways, and nothing is sent twice" {
	be_patient_on_eth0 initcwnd 64
	accept -q
	burst 6000 100
	burst 1000 100 fd00::2
	burst 100 61440 fd00::2
	expect "5000 connections" in_client "$TOOLS/burst_client" 10.0.0.2 34567 5000 5 hasty
	expect "20000000 of 20000000 bytes intact" \
		in_client timeout 30 "$TOOLS/stream_client" 10.0.0.2 34567 20000000
	is_equal "$(counter accept_failed)" 0
}

@test "serves 2,000 connections at once and 10,000 in a row, and keeps nothing" {
	accept -q
	expect "2000 connections at once" in_client timeout 60 "$TOOLS/crowd_client" 10.0.0.2 34567 2000
	expect "10000 connections" in_client "$TOOLS/burst_client" 10.0.0.2 34567 10000 16
	wait_for 15 has_no_flows
	is_equal "$(in_server ss -Htan state established)" ""
}

@test "takes connection after connection from one port, over its TIME-WAIT sockets" {
	in_client sysctl -qw net.ipv4.tcp_tw_reuse=1
	accept -q
	expect "400 of 400 echoed" in_client python3 "$REPO/tests/tools/reuse_client.py" 10.0.0.2 34567 400
	is_equal "$(snmp "$CLIENT" TcpExtTCPSynRetrans)" 0
}

# The server closes first: the TIME-WAIT sockets are its own.
@test "takes up a connection over a TIME-WAIT socket of its own" {
	local i
	accept -s 'banner:hi\n'
	for i in 1 2 3; do
		is_equal "$(in_client timeout 5 nc -d -p 50001 10.0.0.2 34567)" hi
		is_equal "$(in_client timeout 5 nc -d -p 50001 fd00::2 34567)" hi
	done
	[ -n "$(in_server ss -Htan state time-wait)" ]
	is_equal "$(counter accept_child)" 6
}

@test "two workers share the connections, each with a parent" {
	accept -q --workers=2
	is_equal "$(parent | wc -l)" 2
	is_equal "$(parent | sed 's/:[0-9]*$//' | sort -u | wc -l)" 1
	is_equal "$(in_server "$NOLISTEN" status -j | jq -r '.parents[]' | sort)" "$(parent | sort)"
	expect "2000 connections at once" in_client timeout 60 "$TOOLS/crowd_client" 10.0.0.2 34567 2000
	in_server "$NOLISTEN" status -j | jq -e '[.workers[].established] | add == 2000 and min > 500'
	wait_for 15 has_no_flows
}
