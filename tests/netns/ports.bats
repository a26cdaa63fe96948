#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# Answered ports change while it runs, in every method.
load helpers
load methods
load accept

setup_file()
{
	lab_up
}

teardown_file()
{
	lab_down
}

teardown()
{
	[ -z "$STARTED" ] || stop "$STARTED" TERM
	[ -z "$CORE" ] || [ "$CORE" = "$STARTED" ] || stop "$CORE" TERM
}

setup()
{
	CORE=
	STARTED=
}

# tell SIGNAL COUNT: the core changes its ports for the COUNT-th time.
tell()
{
	kill "-$1" "$CORE"
	wait_for 5 has_lines "$BATS_FILE_TMPDIR/core.out" "$2"
}

has_lines()
{
	[ "$(grep -c changed "$1")" = "$2" ]
}

echoes()
{
	is_equal "$(echo_back 10.0.0.2 "$1" "over IPv4 to $1")" "over IPv4 to $1" &&
		is_equal "$(echo_back fd00::2 "$1" "over IPv6 to $1")" "over IPv6 to $1"
}

# The connection that was there before says something, and hears it.
lives_on()
{
	echo "$1" >"$BATS_TEST_TMPDIR/in"
	wait_for 5 has_text "$BATS_FILE_TMPDIR/client.out" "$1"
}

# changes METHOD
changes()
{
	start_ready core ip netns exec "$SERVER" "$TOOLS/changing_ports" eth0 "$1"
	CORE=$STARTED
	echoes 34567
	mkfifo "$BATS_TEST_TMPDIR/in"
	: >"$BATS_FILE_TMPDIR/client.out" # of the test before: what it heard is not what this one hears
	ip netns exec "$CLIENT" nc 10.0.0.2 34567 <>"$BATS_TEST_TMPDIR/in" >"$BATS_FILE_TMPDIR/client.out" 3>&- &
	STARTED=$!
	lives_on first
	tell USR1 1
	wait_for 5 is_refused 10.0.0.2 34567
	wait_for 5 is_refused fd00::2 34567
	echoes 8080
	echoes 8081
	lives_on second
	tell USR2 2
	echoes 34567
	echoes 8080
	lives_on third
}

@test "auto answers other ports, and connections go on" {
	changes auto
}

@test "engine answers other ports, and connections go on" {
	changes engine
}

@test "connect answers other ports, and connections go on" {
	changes connect
}

@test "filter answers other ports, and connections go on" {
	changes filter
}

@test "nfqueue answers other ports, and connections go on" {
	changes nfqueue
}

@test "accept answers other ports, and connections go on" {
	needs_accept
	changes accept
}

@test "raw hears of other ports" {
	start_ready core ip netns exec "$SERVER" "$TOOLS/changing_ports" eth0 raw
	CORE=$STARTED
	STARTED=
	tell USR1 1
	is_refused 10.0.0.2 8080
	wait_for 5 has_text "$BATS_FILE_TMPDIR/core.err" '> 10.0.0.2:8080 SYN (raw)'
}

# The flow of a port that is answered no more is closed all the same.
@test "hears of the end of a connection on a port that it has left" {
	changes auto
	tell USR1 3
	stop "$STARTED" KILL
	STARTED=
	wait_for 10 has_ended 34567
}

has_ended()
{
	run in_server "$NOLISTEN" flows -j
	[ "$(jq -r "select(.local == \"10.0.0.2:$1\" and .state == \"handed_off\") | .local" <<<"$output" | wc -l)" = 0 ]
}
