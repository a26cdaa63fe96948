#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# Applications that end and come again, or are killed, under load. A hundred restarts beside other ways: tests/soak/restart.
load helpers
load accept
load applications
load restarts

setup_file()
{
	lab_up
}

teardown_file()
{
	lab_down
}

setup()
{
	APPLICATION=
	LOADER_PID=
}

teardown()
{
	[ -z "$APPLICATION" ] || stop "$APPLICATION" KILL
	stop_leftover_loader
}

# loses_only_what_it_had METHOD: of connections that come without an end, three applications one after the other, each ended in its way.
loses_only_what_it_had()
{
	serve_applications -q -m "$1"
	start_successor
	start client nsenter --net="/run/netns/$CLIENT" "$TOOLS/steady_client" 10.0.0.2 8000 200 3 4000
	client=$STARTED
	for i in 1 2 3; do
		wait_for 5 has_served $((i * 20))
		stop "$APPLICATION"
		start_successor
	done
	wait_for 5 has_served 100
	kill_with_some_waiting
	start_successor
	wait_for 15 is_gone "$client"
	clients=$(jq .clients "$BATS_FILE_TMPDIR/client.out")
	lost=$((clients - $(jq .served "$BATS_FILE_TMPDIR/client.out")))
	[ "$clients" -ge 400 ]
	is_equal "$(counter lost_queue_full)" 0
	[ "$lost" -le "$(lost_in_hand)" ]
}

# kill_with_some_waiting: it is stopped first, so that more come than it has taken.
kill_with_some_waiting()
{
	local before
	kill -STOP "$APPLICATION"
	before=$(came)
	wait_for 5 has_come $((before + 20))
	stop "$APPLICATION" KILL
}

@test "restarts under load lose nothing, and a kill what the application had" {
	loses_only_what_it_had auto
	[ "$(of_applications returned)" -ge 20 ]
}

@test "accept: so it is where the application has the listener" {
	needs_accept
	loses_only_what_it_had accept
}
