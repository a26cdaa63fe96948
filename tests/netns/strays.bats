#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# Floods of segments that belong to nothing, from sources that nobody has, while clients connect: every client is
# served, and user space sees no more of the flood than it has to.
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

# flood RATE KIND...: in the background, see tools/stray_flood.c.
flood()
{
	local mac
	mac=$(ip -n "$SERVER" -j link show eth0 | jq -r '.[0].address')
	start flood ip netns exec "$CLIENT" timeout 60 "$TOOLS/stray_flood" eth0 "$mac" 34567 "$@"
}

# serves_all: clients of both families while the flood goes on, which then ends.
serves_all()
{
	expect "200 connections" in_client taskset -c 0 "$TOOLS/burst_client" 10.0.0.2 34567 200 100
	expect "100 connections" in_client taskset -c 0 "$TOOLS/burst_client" fd00::2 34567 100 100
	is_equal "$(counter established)" 300
	stop "$STARTED"
	expect strays cat "$BATS_FILE_TMPDIR/flood.out"
}

# start_flooded KIND... -- [OPTION...]: a loader, and a flood that it has begun to count.
start_flooded()
{
	local kinds=()
	while [ "$1" != -- ]; do
		kinds+=("$1")
		shift
	done
	shift
	start_loader -q "$@"
	STARTED_S=$EPOCHSECONDS
	flood 40000 "${kinds[@]}"
}

# within_the_limit COUNT: no more than 1,000 a second since the flood began, a second's worth at once, and rounding.
within_the_limit()
{
	[ "$1" -le $(((EPOCHSECONDS - STARTED_S + 2) * 1000)) ] || {
		echo "$1 in $((EPOCHSECONDS - STARTED_S)) s" >&2
		return 1
	}
}

# has_dropped COUNT: of what user space might have had. Which limit it meets depends on how fast user space is.
has_dropped()
{
	[ $(($(counter stray_limited) + $(counter lost_stray))) -ge "$1" ]
}

# The ring had complete handshakes, and nothing else but SYNs.
no_stray_was_in_the_ring()
{
	is_equal "$(counter held_stray),$(counter lost_stray),$(counter lost_ring_full)" 0,0,0
	is_equal "$(counter no_flow),$(counter rate_limited),$(counter flags)" 0,0,0
}

@test "a flood of RSTs never reaches user space, and every client is served" {
	for method in auto xdp engine connect; do
		start_flooded R R. SR R+ -- -m $method
		wait_for 20 has_counter stray_reset 10000
		serves_all
		no_stray_was_in_the_ring
		is_equal "$(counter stray_answered),$(counter resets_sent)" 0,0
		stop_loader
	done
}

@test "a flood of forged ACKs gets its RSTs from XDP, so many a second, and every client is served" {
	for method in auto xdp engine connect; do
		start_flooded . F. S. FPU. -- -m $method
		wait_for 20 has_counter stray_limited 10000
		serves_all
		no_stray_was_in_the_ring
		has_counter stray_answered 1000
		within_the_limit "$(counter stray_answered)"
		stop_loader
	done
}

@test "a flood of what a listener ignores is ignored by XDP, and every client is served" {
	start_flooded - F FPU SF U -- -m auto
	wait_for 20 has_counter stray_ignored 10000
	serves_all
	no_stray_was_in_the_ring
	is_equal "$(counter stray_answered),$(counter resets_sent)" 0,0
}

@test "of a flood of data without a connection user space sees so much a second" {
	start_flooded .+ P.+ -- -m auto --workers=2
	wait_for 20 has_dropped 10000
	serves_all
	has_counter resets_sent 500
	within_the_limit "$(counter held_stray)"
	is_equal "$(counter lost_ring_full)" 0
}

@test "XDP and the workers share one limit" {
	start_flooded . .+ -- -m auto --workers=2
	wait_for 20 has_counter stray_limited 10000
	has_counter resets_sent 1
	has_counter stray_answered 1
	within_the_limit $(($(counter resets_sent) + $(counter stray_answered)))
	stop "$STARTED"
}

@test "where XDP's replies do not arrive the engine sends the RSTs" {
	start_flooded . -- -m auto --xdp=native
	wait_for 20 has_counter resets_sent 500
	wait_for 20 has_dropped 10000
	serves_all
	is_equal "$(counter stray_answered)" 0
	within_the_limit "$(counter held_stray)"
}
