#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# What others can read: bpftool, nolisten flows and status, events.
load helpers

setup_file()
{
	lab_up
	start_loader -m engine
	mkfifo "$BATS_FILE_TMPDIR/in"
	ip netns exec "$CLIENT" nc -p 50001 10.0.0.2 34567 <>"$BATS_FILE_TMPDIR/in" \
		>"$BATS_FILE_TMPDIR/client" 2>&1 3>&- &
	echo hello >"$BATS_FILE_TMPDIR/in"
	wait_for 5 has_text "$BATS_FILE_TMPDIR/client" hello
}

teardown_file()
{
	lab_down
}

# by_name COMMAND...: of bpftool, which gives up when anything of another process goes between two of its looks.
by_name()
{
	in_server bpftool -j "$@" >"$BATS_TEST_TMPDIR/named"
}

# Every entry of every map of that name: other loaders may run on this host.
dumped_flow()
{
	wait_for 5 by_name map dump name nol_flows
	jq -c '.. | objects | (.formatted? // .) | select(.key?.remote_port? == 50001)' "$BATS_TEST_TMPDIR/named"
}

@test "bpftool shows the flow by names and host-order ports" {
	run dumped_flow
	[[ $output == *'"local_port":34567'* ]]
	[[ $output == *'"state":"NOL_FLOW_HANDED_OFF"'* ]]
	[[ $output == *'"method":"NOL_METHOD_ENGINE"'* ]]
}

@test "bpftool shows the programs by their names" {
	run in_server ip link show dev eth0
	[[ $output == *nol_xdp_ingress* ]]
	wait_for 5 by_name prog show name nol_tc_egress
	[[ $(<"$BATS_TEST_TMPDIR/named") == *nol_tc_egress* ]]
}

@test "flows shows a line a flow" {
	run in_server "$NOLISTEN" flows
	[[ ${lines[0]} == LOCAL*REMOTE*STATE*METHOD* ]]
	[[ $output == *10.0.0.2:34567*10.0.0.1:50001*handed_off*engine* ]]
	run in_server "$NOLISTEN" flows eth0
	[[ $output == *10.0.0.1:50001* ]]
}

@test "flows -j shows a JSON object a flow" {
	run in_server "$NOLISTEN" flows -j
	is_equal "$(jq -r 'select(.remote == "10.0.0.1:50001")
		| "\(.local) \(.state) \(.method) \(.age_s >= 0) \(.held >= 1)"' <<<"$output")" \
		'10.0.0.2:34567 handed_off engine true true'
}

@test "status shows where it is attached and what it does" {
	run in_server "$NOLISTEN" status
	[[ $output == *"eth0: pid $LOADER_PID"* && $output == *generic* && $output == *34567* ]]
	[[ $output == *held_syn* && $output == *lost_ring_full* && $output == *rst_dropped* ]]
	[[ $output == *"connections handed to the kernel"* && $output == *"segments with nothing odd"* ]]
}

@test "status -j is one JSON object with every counter" {
	run in_server "$NOLISTEN" status -j
	is_equal "${#lines[@]}" 1
	is_equal "$(jq -r '"\(.interface) \(.pid) \(.method) \(.service) \(.flows) \(.connections)"' \
		<<<"$output")" "eth0 $LOADER_PID engine echo 1 1"
	is_equal "$(jq -r '"\(.counters.held_syn) \(.engine.handed_off) \(.events_lost)"' <<<"$output")" "1 1 0"
}

@test "a reader who is not root is not heard" {
	run in_server setpriv --reuid=65534 --clear-groups "$NOLISTEN" flows
	[ "$status" = 1 ]
	[[ $output != *50001* ]]
}

@test "a reader who goes away in the middle harms nobody" {
	for i in 1 2 3; do
		in_server bash -c "$NOLISTEN flows -j | head -c 1 >/dev/null"
	done
	is_equal "$(echo_back 10.0.0.2 34567 still)" still
}

@test "writes events to standard output, and lines for people to standard error" {
	start_second_loader -m engine --events=-
	echo_back 10.1.0.2 34567 hello
	wait_for 5 has_text "$BATS_FILE_TMPDIR/second.out" '"event":"closed"'
	is_equal "$(EVENTS=$BATS_FILE_TMPDIR/second.out events .event -r | head -n 3 | xargs)" "syn established handed_off"
	grep -q 'established (engine, rtt' "$BATS_FILE_TMPDIR/second.err"
	[ -z "$(grep '^{' "$BATS_FILE_TMPDIR/second.err")" ]
	stop "$STARTED"
}

@test "is quiet with -q" {
	start_second_loader -q --events=-
	echo_back 10.1.0.2 34567 hello
	wait_for 5 has_text "$BATS_FILE_TMPDIR/second.out" '"event":"closed"'
	[ -z "$(grep established "$BATS_FILE_TMPDIR/second.err")" ]
	stop "$STARTED"
}

# A loader on eth1, beside that on eth0.
start_second_loader()
{
	if ! in_server ip link show eth1 >/dev/null 2>&1; then
		join "$SERVER" eth1 "$CLIENT" eth1
		address "$SERVER" eth1 10.1.0.2/24
		address "$CLIENT" eth1 10.1.0.1/24
		wait_for 5 is_running "$SERVER" eth1
	fi
	start second ip netns exec "$SERVER" "$LOADER" "$@" eth1
	wait_for 5 is_second_answering
}

is_second_answering()
{
	in_server "$NOLISTEN" status eth1
}
