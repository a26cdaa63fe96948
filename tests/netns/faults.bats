#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# What may happen to a loader that runs: it is killed or stopped under load, its clock, its interface and its addresses
# change, descriptors and memory run out. Each is counted or told, and connections work again afterwards. tests/soak has
# the long ones.
load helpers
load accept
load crowds
load kills
load flat

teardown()
{
	stop_leftover_loader
	lab_down
	[ -z "${GROUP:-}" ] || rmdir "$GROUP"
}

@test "leaves nothing behind when it is killed at random moments under load" {
	RANDOM=5
	kills_up
	kill_rounds 6
	kills_are_over
}

# fails_open_and_comes_back PID [OPTION...]: it is stopped until the host answers as if it had never run, and goes on.
fails_open_and_comes_back()
{
	kill -STOP "$1"
	wait_for 10 is_refused 10.0.0.2 34567
	is_refused fd00::2 34567
	goes_on host
	kill -CONT "$1"
	wait_for 5 has_counter ingress_stale 1
	is_equal "$(echo_back 10.0.0.2 34567 again)" again
}

stopped_while_it_serves()
{
	kills_up
	start_loader -q -p 34567,34568 "$@"
	keep served 34567
	fails_open_and_comes_back "$LOADER_PID"
	goes_on served
	kills_are_over_but_for_the_start
}

kills_are_over_but_for_the_start()
{
	stop_loader KILL
	kills_are_over
}

@test "fails open while it is stopped, and answers again when it goes on (auto)" {
	stopped_while_it_serves -m auto
}

@test "fails open while it is stopped, and answers again when it goes on (engine)" {
	stopped_while_it_serves -m engine --workers=2
}

@test "fails open while it is stopped, and answers again when it goes on (accept)" {
	needs_accept
	stopped_while_it_serves -m accept
}

# in_time_namespace SECONDS COMMAND...: CLOCK_MONOTONIC is that far ahead there.
in_time_namespace()
{
	unshare --time --monotonic "$1" --boottime "$1" --fork "${@:2}"
}

# The programs see the kernel's clock: one that is ahead never looks dead, one that is behind looks dead at once.
lives_in_another_time()
{
	LOADER_LOG=$BATS_FILE_TMPDIR/time EVENTS=$BATS_FILE_TMPDIR/time.json
	: >"$LOADER_LOG" >"$EVENTS"
	export -f in_time_namespace
	in_server bash -c 'in_time_namespace "$@"' - "$1" "$LOADER" --events="$EVENTS" -m "$2" eth0 2>"$LOADER_LOG" \
		>/dev/null 3>&- </dev/null &
	LOADER_PID=$!
	wait_for 10 has_text "$LOADER_LOG" answering
	is_equal "$(echo_back 10.0.0.2 34567 hello)" hello
	is_equal "$(echo_back fd00::2 34567 hello)" hello
	expect_event '.event == "handed_off"'
	is_equal "$(retransmissions)" 0
}

ends_in_another_time()
{
	local pid
	pid=$(in_server "$NOLISTEN" status -j eth0 | jq .pid)
	kill -STOP "$pid"
	wait_for 10 is_refused 10.0.0.2 34567
	kill -KILL "$pid"
	wait_for 5 is_gone "$LOADER_PID"
	is_detached
}

@test "keeps the kernel's time in a time namespace" {
	local ahead behind method
	unshare --time --fork true 2>/dev/null || skip "no time namespaces here"
	behind=$(awk '{ print 10 - int($1) }' /proc/uptime)
	for method in auto engine; do
		for ahead in 1000000 "$behind"; do
			lab_up
			lives_in_another_time "$ahead" "$method"
			ends_in_another_time
			lab_down
		done
	done
}

# told TEXT: the loader has said so.
told()
{
	wait_for 10 has_text "$LOADER_LOG" "$1"
}

# What goes with the link or the address is for its owner to bring back.
bring_back()
{
	ip -n "$SERVER" address replace 10.0.0.2/24 dev eth0
	ip -n "$SERVER" address replace fd00::2/64 dev eth0 nodad
	ip -n "$SERVER" route replace 10.77.0.0/16 via 10.0.0.1
	wait_for 5 is_running "$SERVER" eth0
	wait_for 5 is_running "$CLIENT" eth0
}

interface_changes_under_load()
{
	kills_up
	start_loader -q -p 34567,34568 "$@"
	keep served 34567
	ip -n "$SERVER" link set eth0 down
	told 'eth0: is down'
	ip -n "$SERVER" link set eth0 up
	told 'eth0: is up'
	bring_back
	goes_on served
	ip -n "$SERVER" address del 10.0.0.2/24 dev eth0
	told 'eth0: no longer answering 10.0.0.2'
	bring_back
	told 'eth0: answering 10.0.0.2 as well'
	goes_on served
	ip -n "$SERVER" link set eth0 mtu 1300
	told 'eth0: has an MTU of 1300'
	expect 'bytes intact in both directions' in_client "$TOOLS/stream_client" 10.0.0.2 34567 300000
	is_equal "$(echo_back fd00::2 34567 again)" again
	goes_on served
	goes_on host
	end_churn
}

@test "goes on when link, address and MTU change under load (auto)" {
	interface_changes_under_load
}

@test "goes on when link, address and MTU change under load (engine)" {
	interface_changes_under_load -m engine
}

@test "goes on when link, address and MTU change under load (accept)" {
	needs_accept
	interface_changes_under_load -m accept
}

# hold_many COUNT: connections that stay, as many as can be had; until let_go_of_many.
hold_many()
{
	mkfifo "$BATS_TEST_TMPDIR/hold"
	exec 8<>"$BATS_TEST_TMPDIR/hold"
	ip netns exec "$CLIENT" python3 -c '
import resource, socket, sys
resource.setrlimit(resource.RLIMIT_NOFILE, (8192, 8192))
clients = []
for _ in range(int(sys.argv[1])):
    try:
        clients.append(socket.create_connection(("10.0.0.2", 34567), 1))
    except OSError:
        pass
print("ready", flush=True)
sys.stdin.readline()' "$1" <"$BATS_TEST_TMPDIR/hold" >"$BATS_TEST_TMPDIR/held" 2>&1 3>&- &
	STARTED=$!
	wait_for 30 has_text "$BATS_TEST_TMPDIR/held" ready
}

has_refused()
{
	[ "$(in_server timeout 5 "$NOLISTEN" status -j eth0 | jq .refused)" -gt 0 ]
}

let_go_of_many()
{
	echo >&8
	wait_for 10 is_gone "$STARTED"
	exec 8>&-
	wait_for 20 has_no_flows
	is_equal "$(echo_back 10.0.0.2 34567 again)" again
}

runs_out_of_descriptors()
{
	lab_up
	LOADER="$BATS_FILE_TMPDIR/few"
	printf '#!/bin/bash\nulimit -n 128\nexec %q "$@"\n' "$BIN/nolisten-loader" >"$LOADER"
	chmod +x "$LOADER"
	start_loader -q "$@"
	hold_many 150
	expect_event '.event == "reset" and .reason == "no_descriptors"'
	# The operator has an answer meanwhile.
	[ "$(counter established)" -ge 150 ]
	LOADER=$BIN/nolisten-loader
	let_go_of_many
}

@test "refuses for want of descriptors, says so, and goes on (auto)" {
	runs_out_of_descriptors
}

@test "refuses for want of descriptors, says so, and goes on (engine, two workers)" {
	runs_out_of_descriptors -m engine --workers=2
}

# allow_memory KIB: above what it has, of the address space; unlimited.
allow_memory()
{
	local limit=unlimited
	[ "$1" = unlimited ] || limit=$((($(awk '/^VmSize/ { print $2 }' "/proc/$LOADER_PID/status") + $1) * 1024))
	prlimit --pid "$LOADER_PID" --as="$limit:unlimited"
}

runs_out_of_memory()
{
	lab_up
	start_loader -q --max-flows=100000 "$@"
	allow_memory 0
	hold_many 4000
	allow_memory unlimited
	# Memory may have been there for the socket and not for its service, which is counted.
	has_event '.event == "reset" and .reason == "no_memory"' || has_refused
	let_go_of_many
}

@test "refuses for want of memory, says so, and goes on (auto)" {
	runs_out_of_memory
}

@test "refuses for want of memory, says so, and goes on (engine)" {
	runs_out_of_memory -m engine
}

# make_memory_group: GROUP, and LIMIT, the file of its limit; false: it cannot be had here.
make_memory_group()
{
	local root=/sys/fs/cgroup name
	name=nol-${NOL_RUN:-$$}-$$
	if [ -w $root/memory/cgroup.procs ]; then
		LIMIT=memory.limit_in_bytes name=memory/$name
	elif grep -qw memory $root/cgroup.subtree_control 2>/dev/null; then
		LIMIT=memory.max
	else
		return 1
	fi
	mkdir "$root/$name" 2>/dev/null && GROUP=$root/$name
}

# What it has had before is charged elsewhere: the limit is for the connections alone.
@test "leaves nothing behind when the kernel kills it for memory" {
	make_memory_group || skip "no cgroup for memory can be made here"
	lab_up
	start_loader -q --max-flows=100000
	echo "$LOADER_PID" >"$GROUP/cgroup.procs"
	echo 1048576 >"$GROUP/$LIMIT"
	hold_many 4000
	wait_for 10 is_gone "$LOADER_PID"
	is_detached
	is_refused 10.0.0.2 34567
	start_loader -q
	is_equal "$(echo_back 10.0.0.2 34567 again)" again
}

@test "stays as it is over many connections one after the other" {
	lab_up
	many_sources
	start_loader -q --max-flows=4096
	stays_flat 0 15 30 1024
}
