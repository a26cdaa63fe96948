#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# Many connections, and nothing left over; a full table and a full ring, counted.
load helpers
load accept

setup()
{
	lab_up
}

teardown()
{
	lab_down
}

descriptors()
{
	ls "/proc/$LOADER_PID/fd" | wc -l
}

has_descriptors()
{
	[ "$(descriptors)" = "$1" ]
}

resident_kb()
{
	awk '/^VmRSS/ { print $2 }' "/proc/$LOADER_PID/status"
}

# Everything that COMMAND needed is given back; its memory may grow once, by little.
leaves_nothing_over()
{
	local fds memory grown
	# What is allocated once is there after the first connection.
	echo_back 10.0.0.2 34567 warm
	wait_for 15 has_no_flows
	fds=$(descriptors)
	memory=$(resident_kb)
	"$@"
	wait_for 15 has_no_flows
	wait_for 5 has_descriptors "$fds"
	grown=$(($(resident_kb) - memory))
	echo "resident memory grew by $grown KiB"
	[ "$grown" -lt 8192 ]
	is_equal "$(counter lost_ring_full)" 0
	is_equal "$(in_server ss -Htan state established)" ""
}

ten_thousand_in_a_row()
{
	expect "10000 connections, 10000 with data" \
		in_client "$TOOLS/burst_client" 10.0.0.2 34567 10000 16
}

two_thousand_at_once()
{
	expect "2000 connections at once" in_client timeout 60 "$TOOLS/crowd_client" 10.0.0.2 34567 2000
}

@test "serves 10,000 connections in a row with nothing left over" {
	start_loader -q
	leaves_nothing_over ten_thousand_in_a_row
}

@test "serves 2,000 connections at once with nothing left over" {
	start_loader -q --ring=1024
	leaves_nothing_over two_thousand_at_once
}

@test "keeps nothing of 10,000 connections in a row, and of 2,000 at once (accept)" {
	needs_accept
	start_loader -q -m accept
	leaves_nothing_over ten_thousand_in_a_row
	leaves_nothing_over two_thousand_at_once
}

@test "counts and tells what a full table refuses, and goes on" {
	start_loader --max-flows=4 -s hold
	start crowd ip netns exec "$CLIENT" timeout 20 "$TOOLS/crowd_client" 10.0.0.2 34567 10
	wait_for 10 has_counter table_full 1
	expect_event '.event == "refused" and .reason == "table_full"'
	stop "$STARTED"
	wait_for 20 has_no_flows
	run in_client timeout 5 nc -z -w 3 10.0.0.2 34567
	[ "$status" = 0 ]
}

@test "counts and tells the SYNs for which the ring has no room, and goes on" {
	start_loader -m engine -q --ring=64
	kill -STOP "$LOADER_PID"
	start crowd ip netns exec "$CLIENT" timeout 60 "$TOOLS/crowd_client" 10.0.0.2 34567 1500
	wait_for 10 has_syn_sent 1500
	kill -CONT "$LOADER_PID"
	wait_for 10 has_counter lost_syn 1
	expect_event '.event == "lost" and .reason == "syn_share_full" and .count >= 1'
	# The clients send again what was lost.
	wait_for 50 has_text "$BATS_FILE_TMPDIR/crowd.out" '1500 connections at once'
	wait_for 20 is_gone "$STARTED"
	wait "$STARTED"
}

has_syn_sent()
{
	[ "$(in_client ss -Htan state syn-sent | wc -l)" -ge "$1" ]
}
