#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# Service socket: connections to applications, which come and go, and do what they should not.
load helpers
load applications
load accept

setup_file()
{
	lab_up
	build_examples
}

teardown_file()
{
	lab_down
}

setup()
{
	CLIENTS=()
	APPLICATION=
	LOADER_PID=
}

teardown()
{
	end_clients
	[ -z "$APPLICATION" ] || stop "$APPLICATION" KILL
	stop_leftover_loader
}

@test "a port is answered from an application's coming to its going, and no other" {
	serve_applications
	is_refused 10.0.0.2 8000
	raw_application app 8000-8001 leave
	expect 8000,8001 in_server "$NOLISTEN" status
	is_refused 10.0.0.2 8002
	connect_many 1 8000
	wait_for 5 has_count passed 1
	stop "$APPLICATION"
	wait_for 5 is_refused 10.0.0.2 8000
	# It had not been taken, and nobody will.
	wait_for 5 is_gone "${CLIENTS[0]}"
	is_equal "$(of_applications not_asked),$(of_applications returned)" 1,1
}

@test "poll: tells who is who, and the SYN where user space answers it" {
	serve_applications -m engine
	start_application app "$EXAMPLES/poll" 8000
	is_equal "$(in_client timeout 5 nc -d -p 50001 10.0.0.2 8000)" \
		"you are 10.0.0.1:50001, this is 10.0.0.2:8000"$'\n'"your SYN: TTL 64, window 64240, MSS 1460, 5 options"
	expect "you are [fd00::1]:50002, this is [fd00::2]:8000" in_client timeout 5 nc -d -p 50002 fd00::2 8000
	stop_loader
	wait_for 5 is_gone "$APPLICATION"
	wait "$APPLICATION"
}

@test "poll: does not tell of a SYN that XDP has answered" {
	serve_applications -m xdp
	start_application app "$EXAMPLES/poll"
	is_equal "$(in_client timeout 5 nc -d -p 50003 10.0.0.2 8009)" "you are 10.0.0.1:50003, this is 10.0.0.2:8009"
}

@test "epoll and threads: one port each, of several workers" {
	local threads
	serve_applications --workers=2
	start_application threads "$EXAMPLES/threads" 8001
	threads=$APPLICATION
	start_application epoll "$EXAMPLES/epoll" 8000
	for port in 8000 8001; do
		expect "200 connections" in_client "$TOOLS/burst_client" 10.0.0.2 $port 200 100
	done
	is_equal "$(of_applications passed)" 400
	stop "$threads"
}

@test "the second application for a port is refused, the first unharmed" {
	serve_applications
	start_application app "$EXAMPLES/epoll" 8000-8003
	run "$EXAMPLES/poll" 8003-8004
	is_equal "$status,$output" "1,poll: port 8003: another application has it, pid $APPLICATION"
	is_equal "$(echo_back 10.0.0.2 8003 unharmed)" unharmed
	is_refused 10.0.0.2 8004
}

@test "an application may ask for what the loader lets, and for nothing that a kernel socket has" {
	serve_applications -a 10.0.0.2
	start_kernel_server 8005
	run "$EXAMPLES/poll" 8009-8010
	is_equal "$status,$output" "1,poll: port 8010: the loader does not answer it (--port)"
	run "$EXAMPLES/poll" 8004,8005
	is_equal "$output" "poll: port 8005: a kernel socket listens there"
	run "$EXAMPLES/poll" 80x
	is_equal "$output" 'poll: neither a port, nor a range such as 8000-8999, nor "all"'
	stop "$KERNEL_SERVER" KILL
	# None of them has left anything.
	is_refused 10.0.0.2 8004
}

@test "what came while the application was dead is its successor's" {
	serve_applications
	raw_application app 8000 idle
	# Two that it has got and never taken, and one that comes when it is gone.
	connect_many 2 8000
	wait_for 5 has_count passed 2
	stop "$APPLICATION" KILL
	wait_for 5 has_count returned 2
	connect_many 1 8000
	wait_for 5 has_counter handed_off 3
	start_application next "$EXAMPLES/poll" 8000
	for i in 0 1 2; do
		wait_for 5 is_gone "${CLIENTS[i]}"
	done
	is_equal "$(cat "$BATS_FILE_TMPDIR"/client-[012].out | grep -c 'this is 10.0.0.2:8000')" 3
	is_equal "$(of_applications passed)" 5
}

@test "who waits longer than --queue-time is reset, and then the port is closed" {
	serve_applications --queue-time=300
	raw_application app 8000 idle
	connect_many 2 8000
	# One application that takes nothing, and then none.
	wait_for 5 has_count queue_expired 2
	stop "$APPLICATION" KILL
	wait_for 5 is_refused 10.0.0.2 8000
	end_clients
}

@test "no more than --queue wait for an application" {
	serve_applications --queue=3
	raw_application app 8000 idle
	connect_many 5 8000
	wait_for 5 has_count queue_full 2
	is_equal "$(of_applications passed)" 3
}

@test "what no application takes gets the fallback" {
	serve_applications --queue-time=100 --fallback='banner:nobody here\n'
	is_equal "$(in_client timeout 5 nc -d 10.0.0.2 8000)" "nobody here"
	raw_application app 8000 idle
	is_equal "$(in_client timeout 5 nc -d 10.0.0.2 8000)" "nobody here"
	is_equal "$(in_client timeout 5 nc -d 10.0.0.2 8001)" "nobody here"
	is_equal "$(of_applications fallen_back),$(of_applications queue_expired)" 3,0
}

@test "a connection that was taken is the application's, whoever dies" {
	serve_applications
	start_application app "$EXAMPLES/threads" 8000
	mkfifo "$BATS_TEST_TMPDIR/in"
	in_client nc -N 10.0.0.2 8000 <>"$BATS_TEST_TMPDIR/in" >"$BATS_TEST_TMPDIR/out" 3>&- &
	CLIENTS+=($!)
	echo before >"$BATS_TEST_TMPDIR/in"
	wait_for 5 has_text "$BATS_TEST_TMPDIR/out" before
	stop_loader KILL
	echo after >"$BATS_TEST_TMPDIR/in"
	wait_for 5 has_text "$BATS_TEST_TMPDIR/out" after
}

@test "accept: an application that is alone has the parent, and shares when another comes" {
	needs_accept
	serve_applications -m accept
	start_application first "$EXAMPLES/epoll" 8000
	expect "50 connections" in_client "$TOOLS/burst_client" 10.0.0.2 8000 50 100
	# The loader has seen none of them.
	is_equal "$(counter accept_child),$(counter established),$(of_applications passed)" 50,0,0
	local first=$APPLICATION
	start_application second "$EXAMPLES/poll" 8001
	is_equal "$(in_client timeout 5 nc -d -p 50004 fd00::2 8001)" "you are [fd00::1]:50004, this is [fd00::2]:8001"
	expect "50 connections" in_client "$TOOLS/burst_client" fd00::2 8000 50 100
	is_equal "$(of_applications passed)" 51
	stop "$first" KILL
}

echoes_again()
{
	[ "$(echo again | in_client timeout 5 nc -N 10.0.0.2 8000 2>&1)" = again ]
}

@test "accept: where sources are bounded the loader has the parent, and counts until the application has closed" {
	needs_accept
	serve_applications -m accept --max-per-source=2
	start_application first "$EXAMPLES/epoll" 8000
	connect_many 2 8000
	wait_for 5 has_count passed 2
	run in_client timeout 5 nc -d 10.0.0.2 8000
	is_equal "$output,$(of_applications passed),$(counter source_full)" ,2,1
	stop "${CLIENTS[0]}" KILL
	wait_for 5 echoes_again
}

@test "accept: what waits at the parent of one that has died is its successor's" {
	needs_accept
	serve_applications -m accept
	raw_application app 8000 idle
	connect_many 2 8000
	wait_for 5 has_counter accept_child 2
	stop "$APPLICATION" KILL
	start_application next "$EXAMPLES/poll" 8000
	wait_for 5 is_gone "${CLIENTS[0]}"
	wait_for 5 is_gone "${CLIENTS[1]}"
	is_equal "$(cat "$BATS_FILE_TMPDIR"/client-[01].out | grep -c 'this is 10.0.0.2:8000')" 2
}

@test "without BPF: no rule while nobody asks" {
	for method in nfqueue filter; do
		serve_applications -m $method
		is_refused 10.0.0.2 8000
		start_application app "$EXAMPLES/epoll" 8000
		is_equal "$(echo_back 10.0.0.2 8000 hello)" hello
		stop "$APPLICATION"
		stop_loader
	done
}

@test "rubbish at the socket harms nobody" {
	serve_applications
	start_application app "$EXAMPLES/epoll" 8000
	run python3 "$REPO/tests/tools/application.py" "$NOLISTEN_SOCKET" 8001 rubbish
	is_equal "$status" 0
	is_equal "$(grep -c 'hung up$' <<<"$output"),${#lines[@]}" 9,9
	is_equal "$(echo_back 10.0.0.2 8000 unharmed)" unharmed
}

@test "an application without descriptors leaves connections where they are" {
	serve_applications
	start_application app prlimit --nofile=48 "$EXAMPLES/threads" 8000
	connect_many 40 8000
	wait_for 5 has_counter handed_off 40
	end_clients
	is_equal "$(echo_back 10.0.0.2 8000 again)" again
}

@test "who says rubbish without an end fills no log, and keeps nobody out" {
	local began=$SECONDS
	serve_applications
	python3 -c '
import socket, sys
for _ in range(300):
    with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as stranger:
        stranger.settimeout(30)
        stranger.connect(sys.argv[1])
        stranger.send(b"rubbish")
        stranger.recv(100)' "$NOLISTEN_SOCKET"
	grep -q 'says what is no request' "$LOADER_LOG"
	[ "$(grep -c 'says what is no request' "$LOADER_LOG")" -le $((SECONDS - began + 2)) ]
	start_application app "$EXAMPLES/epoll" 8000
	is_equal "$(echo_back 10.0.0.2 8000 hello)" hello
}

@test "says that no loader is there, and who may not ask" {
	run "$EXAMPLES/poll" 8000
	is_equal "$status,$output" "1,poll: ${NOLISTEN_SOCKET:-/run/nolisten.sock}: No such file or directory"
	serve_applications
	chmod 755 "$BATS_RUN_TMPDIR" "$BATS_FILE_TMPDIR" "$BATS_TEST_TMPDIR"
	NOLISTEN_SOCKET=$BATS_TEST_TMPDIR/socket
	chmod 666 "$NOLISTEN_SOCKET"
	run setpriv --reuid=65534 --clear-groups --inh-caps=-all "$EXAMPLES/poll" 8000
	is_equal "$output" "poll: Permission denied"
	stop_loader
	run "$EXAMPLES/poll" 8000
	is_equal "$output" "poll: $NOLISTEN_SOCKET: No such file or directory"
}

@test "the user and the group that are named may ask" {
	chmod 755 "$BATS_RUN_TMPDIR" "$BATS_FILE_TMPDIR" "$BATS_TEST_TMPDIR"
	NOLISTEN_SOCKET=$BATS_TEST_TMPDIR/socket
	start_loader -p 8000-8009 -s "socket:$NOLISTEN_SOCKET,group=65533"
	export NOLISTEN_SOCKET
	start_application app setpriv --reuid=65534 --regid=65533 --clear-groups "$EXAMPLES/epoll" 8000
	is_equal "$(echo_back 10.0.0.2 8000 hello)" hello
	is_equal "$(stat -c %u:%g:%a "$NOLISTEN_SOCKET")" 0:65533:660
}

@test "a loader takes the place of one that was killed, and of nothing else" {
	serve_applications
	refused_loader 1 "--service: $NOLISTEN_SOCKET: another process listens there, or it is no socket" \
		-s "socket:$NOLISTEN_SOCKET" lo
	stop_loader KILL
	serve_applications
	stop_loader
	[ ! -e "$NOLISTEN_SOCKET" ]
	echo text >"$NOLISTEN_SOCKET"
	refused_loader 1 "--service: $NOLISTEN_SOCKET: another process" -s "socket:$NOLISTEN_SOCKET" eth0
	is_equal "$(cat "$NOLISTEN_SOCKET")" text
}

@test "refuses what goes with no application, or is malformed" {
	refused_loader 2 "socket needs a path" -s socket eth0
	refused_loader 2 "absolute path" -s socket:run/x eth0
	refused_loader 2 "no such user" -s socket:/run/x,user=nobody-of-that-name eth0
	refused_loader 2 "octal" -s socket:/run/x,mode=9 eth0
	refused_loader 2 "only user=NAME" -s socket:/run/x,colour=red eth0
	refused_loader 2 "too long" -s "socket:/$(printf '%0120d' 0)" eth0
	refused_loader 2 "--fallback: goes with" --fallback=echo eth0
	refused_loader 2 "fall back to itself" -s socket:/run/x --fallback=socket:/run/y eth0
	refused_loader 2 "one interface" -s socket:/run/x --vlan=5 eth0
	refused_loader 1 "No such file or directory" -s "socket:$BATS_TEST_TMPDIR/none/x" eth0
}
