#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# Several threads share the flows: nothing is lost between them, and they end together.
load helpers

setup()
{
	lab_up
	be_patient_on_eth0
}

teardown()
{
	stop_leftover_loader
	lab_down
}

# workers FILTER: of the list in the status.
workers()
{
	in_server "$NOLISTEN" status -j eth0 | jq -c ".workers | $1"
}

threads()
{
	cat "/proc/$LOADER_PID/task/"*/comm | grep -c '^worker-'
}

has_handed_off()
{
	[ "$(workers 'map(.handed_off) | add')" = "$1" ]
}

@test "one worker is the default, and works in the main thread" {
	start_loader -q
	is_equal "$(echo_back 10.0.0.2 34567 one)" one
	is_equal "$(workers length)" 1
	is_equal "$(workers '.[0].handed_off')" 1
	is_equal "$(ls "/proc/$LOADER_PID/task" | wc -l)" 1
}

@test "two workers echo over IPv4 and IPv6" {
	start_loader --workers=2
	is_equal "$(threads)" 2
	is_equal "$(echo_back 10.0.0.2 34567 four)" four
	is_equal "$(echo_back fd00::2 34567 six)" six
	expect_event '.event == "handed_off" and (.local | startswith("10.0.0.2"))'
	expect_event '.event == "closed" and (.local | startswith("[fd00::2]"))'
}

@test "6,000 connections on two workers bring all data without a retransmission" {
	start_loader -q --workers=2
	burst 3000 16
	burst 3000 1000 fd00::2
	is_equal "$(workers 'map(.handed_off) | add')" 6000
	is_equal "$(workers 'all(.handed_off > 1500)')" true
	is_equal "$(counter lost_ring_full)" 0
	wait_for 15 has_no_flows
	is_equal "$(counter closed)" 6000
}

@test "so do they when the engine answers every SYN" {
	start_loader -q -m engine --workers=3
	burst 2000 16
	burst 1000 20000
	is_equal "$(workers 'map(.syn) | add')" 3000
	is_equal "$(workers 'all(.established > 500)')" true
	wait_for 15 has_no_flows
	is_equal "$(counter closed)" 3000
}

@test "2,000 connections at once are spread, and nothing is left over" {
	start_loader -q --ring=1024 --workers=2
	expect "2000 connections at once" in_client timeout 60 "$TOOLS/crowd_client" 10.0.0.2 34567 2000
	is_equal "$(workers 'all(.handed_off > 500)')" true
	is_equal "$(workers 'map(.handed_off) | add')" 2000
	wait_for 15 has_no_flows
	is_equal "$(workers 'map(.connections + .half_open) | add')" 0
	is_equal "$(in_server ss -Htan state established)" ""
}

# Each takes the place of one whose end the loader has not heard of yet, or just now.
@test "a client that comes again and again from one port is always the same worker's" {
	local method
	in_client sysctl -qw net.ipv4.ip_local_port_range="40001 40001"
	for method in auto engine; do
		start_loader -q --workers=4 -m "$method"
		expect "300 connections, 300 with data in the final ACK, 16 bytes" \
			in_client "$TOOLS/burst_client" 10.0.0.2 34567 300 16 reset
		is_equal "$(workers 'map(.handed_off) | sort')" "[0,0,0,300]"
		wait_for 15 has_no_flows
		is_equal "$(counter closed)" 300
		stop_loader
	done
}

@test "each line of each worker's events is whole" {
	start_loader --workers=4
	burst 500 16
	wait_for 15 has_no_flows
	is_equal "$(count_events handed_off)" 500
	is_equal "$(count_events closed)" 500
}

@test "--max-children counts the children of all workers" {
	start_loader -q --workers=4 --max-children=3 -s 'exec:cat; sleep 60'
	start crowd ip netns exec "$CLIENT" timeout 20 "$TOOLS/crowd_client" 10.0.0.2 34567 8
	wait_for 10 has_handed_off 8
	is_equal "$(workers 'map(.connections) | add')" 3
	is_equal "$(workers 'map(.refused) | add')" 5
	stop "$STARTED"
}

@test "nolisten status shows what each worker has had" {
	start_loader -q --workers=2
	burst 20 16
	run in_server "$NOLISTEN" status eth0
	[[ $output == *workers* ]]
	is_equal "$(in_server "$NOLISTEN" flows -j eth0 | jq -r .state | sort -u | grep -vc '^\(handed_off\|closed\)$')" 0
}

@test "follows a new MTU in every worker" {
	start_loader -q -m engine --workers=2
	ip -n "$SERVER" link set eth0 mtu 1400
	ip -n "$CLIENT" link set eth0 mtu 1400
	burst 20 5000
}

@test "SIGTERM ends all workers and leaves nothing" {
	start_loader --workers=2
	burst 50 16
	stop_loader
	is_equal "$LOADER_STATUS" 0
	is_detached
	grep -q 'detached; 50 SYN, 50 established, 50 handed off' "$LOADER_LOG"
}

@test "connections outlive the first SIGTERM, on each worker" {
	start_loader --workers=2 -s hold
	start held ip netns exec "$CLIENT" timeout 60 nc -d 10.0.0.2 34567
	wait_for 5 has_handed_off 1
	kill -TERM "$LOADER_PID"
	wait_for 5 has_text "$LOADER_LOG" '1 connection lives on'
	is_detached
	stop "$STARTED"
	wait_for 10 is_gone "$LOADER_PID"
	wait "$LOADER_PID"
}

@test "kill -9 leaves the host as it was" {
	start_loader --workers=2
	burst 50 16
	stop_loader KILL
	wait_for 5 is_detached
	is_refused 10.0.0.2 34567
}

# config_id: of the map that the loader has under this name; others may have one too.
config_id()
{
	local id
	for id in $(awk '/^map_id/ { print $2 }' "/proc/$LOADER_PID/fdinfo/"*); do
		[ "$(bpftool -j map show id "$id" | jq -r .name)" != nol_config ] || echo "$id"
	done
}

are_asleep()
{
	local states polling
	states=$(awk '{ print $3 }' "/proc/$LOADER_PID/task/"*/stat | sort -u)
	polling=$(in_server bpftool -j map dump id "$CONFIG_ID" | jq '.[0].formatted.value.spinning | add')
	[ "$states" = S ] && [ "$polling" = 0 ]
}

@test "workers that have nothing to do sleep, and are woken" {
	start_loader -q --workers=4 -m engine --spin=1000
	CONFIG_ID=$(config_id)
	for round in 1 2 3; do
		burst 20 16
		wait_for 10 are_asleep
	done
}

@test "methods with one queue take one worker" {
	refused_loader 2 "--workers: method connect has one only" -m connect --workers=2 eth0
	refused_loader 2 "--workers: method filter has one only" -m filter --workers=2 eth0
	refused_loader 2 "--workers: '0': a number from 1 to 64" --workers=0 eth0
	refused_loader 2 "--workers: '65': a number from 1 to 64" --workers=65 eth0
}

@test "takes as many as 64 workers" {
	start_loader -q --workers=64 --ring=64
	is_equal "$(threads)" 64
	burst 500 16
	stop_loader
	is_equal "$LOADER_STATUS" 0
}

# slices FILE...: of /proc/PID/sched: microseconds that a thread may run before others have their turn.
slices()
{
	awk '/^se.slice/ { print $3 / 1000 }' "$@" | sort -u
}

@test "its threads have short turns on the CPU, commands of exec those of everybody" {
	grep -q '^se.slice' /proc/self/sched || skip "this kernel has no slices, or does not show them"
	start_loader -q --workers=2 -s "exec:grep ^se.slice /proc/self/sched"
	is_equal "$(slices "/proc/$LOADER_PID/task/"*/sched)" 100
	is_equal "$(banner_of 10.0.0.2 34567 | slices -)" "$(slices /proc/self/sched)"
}
