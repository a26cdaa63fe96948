#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# Going away: by a signal, killed, and with connections that live on.
load helpers

setup()
{
	lab_up
	start_loader
}

teardown()
{
	lab_down
}

# A client that stays connected: write to fd 9, the echo is in $BATS_TEST_TMPDIR/client.
connect_client()
{
	mkfifo "$BATS_TEST_TMPDIR/in"
	exec 9<>"$BATS_TEST_TMPDIR/in"
	ip netns exec "$CLIENT" nc -N 10.0.0.2 34567 <"$BATS_TEST_TMPDIR/in" \
		>"$BATS_TEST_TMPDIR/client" 2>&1 3>&- 9>&- &
	STARTED=$!
	echo before >&9
	wait_for 5 has_text "$BATS_TEST_TMPDIR/client" before
}

ends_cleanly_on()
{
	is_attached
	echo_back 10.0.0.2 34567 hello
	expect_event '.event == "closed"'
	stop_loader "$1"
	is_equal "$LOADER_STATUS" 0
	is_detached
	expect "detached; 1 SYN, 1 established, 1 handed off" cat "$LOADER_LOG"
	is_refused 10.0.0.2 34567
	is_refused fd00::2 34567
}

@test "detaches on SIGINT and prints a summary" {
	ends_cleanly_on INT
}

@test "detaches on SIGTERM and prints a summary" {
	ends_cleanly_on TERM
}

@test "lets established connections live on until their end" {
	connect_client
	kill -TERM "$LOADER_PID"
	wait_for 5 is_detached
	is_refused 10.0.0.2 34567
	echo after >&9
	wait_for 5 has_text "$BATS_TEST_TMPDIR/client" after
	not is_gone "$LOADER_PID"
	exec 9>&-
	wait_for 10 is_gone "$LOADER_PID"
	LOADER_STATUS=0
	wait "$LOADER_PID" || LOADER_STATUS=$?
	is_equal "$LOADER_STATUS" 0
}

@test "closes what still lives when it is interrupted again" {
	connect_client
	kill -INT "$LOADER_PID"
	wait_for 5 is_detached
	kill -INT "$LOADER_PID"
	wait_for 5 is_gone "$LOADER_PID"
}

@test "leaves nothing behind when it is killed" {
	connect_client
	stop "$LOADER_PID" KILL
	is_detached
	is_refused 10.0.0.2 34567
	is_refused fd00::2 34567
	is_equal "$(in_server ss -Htn state established)" ""
	start_loader
	is_equal "$(echo_back 10.0.0.2 34567 again)" again
}

@test "leaves no half-open flow to the kernel's RST while it runs" {
	is_equal "$(snmp "$SERVER" TcpOutRsts)" 0
	expect "100 connections" in_client "$TOOLS/burst_client" 10.0.0.2 34567 100 100
	is_equal "$(snmp "$SERVER" TcpOutRsts)" 0
}

@test "ends when its interface is deleted" {
	ip -n "$SERVER" link del eth0
	wait_for 5 is_gone "$LOADER_PID"
	expect "eth0: the interface is gone" cat "$LOADER_LOG"
	LOADER_STATUS=0
	wait "$LOADER_PID" || LOADER_STATUS=$?
	is_equal "$LOADER_STATUS" 1
}

@test "answers once its interface is up again" {
	ip -n "$SERVER" link set eth0 down
	wait_for 5 has_text "$LOADER_LOG" 'eth0: is down'
	ip -n "$SERVER" link set eth0 up
	wait_for 5 has_text "$LOADER_LOG" 'eth0: is up'
	wait_for 5 is_running "$CLIENT" eth0
	is_equal "$(echo_back 10.0.0.2 34567 again)" again
}

@test "sends no SYN-ACK again once it has detached" {
	connect_client
	in_client nft 'add table t; add chain t o { type filter hook output priority 0; }; add rule t o tcp flags rst drop'
	PYTHONPATH=$REPO/tests/tools PYTHONDONTWRITEBYTECODE=1 in_client python3 - "$LOADER_PID" "$LOADER_LOG" <<-'EOF'
		import os, signal, sys
		from segments import *
		wire = Wire(34567)
		wire.send(SYN, 1000)
		assert wire.receive(5).flags == SYN | ACK
		os.kill(int(sys.argv[1]), signal.SIGTERM)
		deadline = time.monotonic() + 5
		while "detached" not in open(sys.argv[2]).read():
		    assert time.monotonic() < deadline
		assert wire.receive(2.5) is None
	EOF
	exec 9>&-
	wait_for 10 is_gone "$LOADER_PID"
}
