#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# Floods that are faster than a packet socket, and those that finish their handshakes. tests/soak/floods has all of them, and figures.
load helpers
load accept
load crowds
load floods

setup()
{
	flood_lab_up
}

teardown()
{
	stop_leftover_loader
	lab_down
}

serves()
{
	expect "$1 connections" in_client taskset -c 1 "$TOOLS/burst_client" 10.0.0.2 34567 "$1" 100 plain
}

@test "in a flood of SYNs no client's data meets a RST before its socket (accept)" {
	needs_accept
	[ "$(nproc)" -ge 2 ] || skip "takes two processors"
	start_loader -q -m accept
	start_flood spoofed 200000 S
	wait_for 20 has_counter cookie_sent 50000
	serves 1000
	is_equal "$(counter established)" 1000
	end_flood
	wait_for 15 has_no_flows
}

descriptors()
{
	ls "/proc/$LOADER_PID/fd" | wc -l
}

has_descriptors()
{
	[ "$(descriptors)" = "$1" ]
}

# outlives METHOD: handshakes that say nothing more take every descriptor; what comes then is reset and counted, the operator is
# answered, and clients are served once they are gone.
outlives()
{
	local fds
	start_loader -q -m "$1"
	serves 1
	wait_for 15 has_no_flows
	fds=$(descriptors)
	start_flood spoofed 5000 silent slow
	wait_for 20 has_counter no_descriptors 100
	end_flood
	wait_for 20 has_no_flows
	wait_for 10 has_descriptors "$fds"
	serves 100
	stop_loader
}

@test "silent clients and slow readers may take all descriptors, and nothing else (auto)" {
	ulimit -n 150
	outlives auto
}

@test "silent clients and slow readers may take all descriptors, and nothing else (accept)" {
	needs_accept
	ulimit -n 150
	outlives accept
}

# bounds_silent METHOD
bounds_silent()
{
	start_loader -q -m "$1" --max-per-source=20
	start_flood one 5000 silent
	wait_for 20 has_counter source_full 1000
	in_client "$TOOLS/churn_client" 10.0.0.2 34567 200 0 4 10.77.0.1 >"$BATS_TEST_TMPDIR/churn"
	expect "200 connections: 200 served" cat "$BATS_TEST_TMPDIR/churn"
	end_flood
	wait_for 20 has_no_flows
}

@test "of silent clients from one source --max-per-source lets so many in, and every other client is served (auto)" {
	bounds_silent auto
}

@test "of silent clients from one source --max-per-source lets so many in, and every other client is served (accept)" {
	needs_accept
	bounds_silent accept
	[ "$(counter accept_source_full)" -gt 0 ]
}
