#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# --max-per-source: what one source holds is bounded, what others may have is not.
load helpers
load accept

setup()
{
	lab_up
	ip -n "$CLIENT" address add 10.0.0.3/24 dev eth0
	ip -n "$CLIENT" address add fd00::3/64 dev eth0 nodad
	HELD=()
}

teardown()
{
	local pid
	for pid in "${HELD[@]}"; do
		stop "$pid" KILL
	done
	stop_leftover_loader
	lab_down
}

# hold FROM TO: a connection that stays, from one address to another; its process is the last of HELD.
hold()
{
	local open
	open=$(count_open "$1" "$2")
	start "hold ${#HELD[@]}" ip netns exec "$CLIENT" nc -d -s "$1" "$2" 34567
	HELD+=("$STARTED")
	wait_for 10 has_open "$1" "$2" $((open + 1))
}

count_open()
{
	local from=$1 to=$2
	[[ $from != *:* ]] || from="[$from]" to="[$to]"
	in_server ss -Htn state established src "$to" dst "$from" | wc -l
}

has_open()
{
	[ "$(count_open "$1" "$2")" -ge "$3" ]
}

# is_turned_away FROM TO: whether by a RST or by no answer, it is not served, and that is counted.
is_turned_away()
{
	local before
	before=$(counter source_full)
	run in_client timeout $((3 * PATIENCE)) "$BATS_TEST_TMPDIR/asks" "$1" "$2"
	[[ $output != *served* ]] || return 1
	has_counter source_full $((before + 1))
}

# A client that says something and waits for the echo.
write_client()
{
	cat >"$BATS_TEST_TMPDIR/asks" <<-'END'
		#!/bin/sh
		echo served | nc -w 2 -s "$1" "$2" 34567
	END
	chmod +x "$BATS_TEST_TMPDIR/asks"
}

# bounds METHOD [OPTION...]
bounds()
{
	write_client
	start_loader -q -m "$@" --max-per-source=2
	hold 10.0.0.1 10.0.0.2
	hold 10.0.0.1 10.0.0.2
	is_turned_away 10.0.0.1 10.0.0.2
	hold 10.0.0.3 10.0.0.2
	hold fd00::1 fd00::2
	hold fd00::3 fd00::2
	is_turned_away fd00::1 fd00::2
	# What has ended makes room, while what is left of its flow waits.
	stop "${HELD[0]}" KILL
	wait_for 10 echoes_from 10.0.0.1 10.0.0.2
	is_equal "$(count_open 10.0.0.1 10.0.0.2)" 1
	hold 10.0.0.1 10.0.0.2
	is_turned_away 10.0.0.1 10.0.0.2
	is_equal "$(counter table_full)" 0
}

echoes_from()
{
	run in_client "$BATS_TEST_TMPDIR/asks" "$1" "$2"
	[[ $output == *served* ]]
}

@test "auto bounds what a source holds" {
	bounds auto
}

@test "xdp bounds what a source holds, of all workers together" {
	bounds xdp --workers=3
}

@test "engine bounds what a source holds" {
	bounds engine
}

@test "connect bounds what a source holds" {
	bounds connect
}

@test "accept bounds what a source holds, of all workers together" {
	needs_accept
	bounds accept --workers=2
	# One was stopped, another one has echoed; five are held.
	wait_for 5 has_counter closed 2
	is_equal $(($(counter handed_off) - $(counter closed))) 5
}

# More than 1,000 RSTs a second are, of what is no cookie.
@test "accept: many who are turned away are not taken for somebody who guesses" {
	needs_accept
	start_loader -q -m accept --max-per-source=1
	hold 10.0.0.1 10.0.0.2
	in_client "$TOOLS/churn_client" 10.0.0.2 34567 0 3 64 >/dev/null
	[ "$(counter accept_source_full)" -gt 0 ]
	not has_text "$LOADER_LOG" guesses
}

# The word of a socket that is reset at its end does not say whose it was.
@test "what the loader resets counts no more, where sock_diag tells" {
	local method
	write_client
	for method in accept filter; do
		[ $method != accept ] || can_accept || continue
		start_loader -q -m $method --max-per-source=2 -s forward:127.0.0.1:9
		for _ in 1 2 3; do
			wait_for 5 makes_way 10.0.0.1 10.0.0.2 "$method"
			wait_for 5 makes_way fd00::1 fd00::2 "$method"
		done
		stop_loader
	done
}

# makes_way FROM TO METHOD: a connection more is made, which the loader resets.
makes_way()
{
	local before
	before=$(counter handed_off)
	run in_client "$BATS_TEST_TMPDIR/asks" "$1" "$2"
	[ "$(counter handed_off)" -gt "$before" ]
}

@test "nfqueue and filter bound what a source holds" {
	bounds nfqueue
	local pid
	for pid in "${HELD[@]}"; do
		stop "$pid" KILL
	done
	HELD=()
	stop_loader KILL
	bounds filter
}

@test "a client that comes too late is told by a RST where a cookie has answered it" {
	start_loader -q -m auto --max-per-source=1
	hold 10.0.0.1 10.0.0.2
	run in_client "$TOOLS/burst_client" 10.0.0.2 34567 1 100
	expect "reset by peer" echo "$output"
	is_equal "$(counter source_full)" 1
}

@test "a prefix is a source if it is asked for" {
	write_client
	start_loader -q --max-per-source=1 --source-prefix=24,128
	hold 10.0.0.1 10.0.0.2
	is_turned_away 10.0.0.3 10.0.0.2
	hold fd00::1 fd00::2
	hold fd00::3 fd00::2
	is_turned_away fd00::3 fd00::2
}
