#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# tarpit: remotes are connected, and their window never opens; there is no socket.
load helpers

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
	STARTED=
}

teardown()
{
	[ -z "$STARTED" ] || stop "$STARTED"
	stop_leftover_loader
}

# hang HOST COUNT TEXT [end]
hang()
{
	start_ready hanging ip netns exec "$CLIENT" "$BATS_TEST_DIRNAME/../tools/hang_client.py" "$1" 34567 "${@:2}"
}

# sockets NAMESPACE [FILTER...]: how many.
sockets()
{
	in_namespace "$1" ss -Htan "${@:2}" | wc -l
}

is_number()
{
	[ "$("${@:2}")" = "$1" ]
}

connections()
{
	in_server "$NOLISTEN" status -j eth0 | jq .connections
}

# has_answered: a segment that wanted more than there is room for.
has_answered()
{
	[ "$(in_server "$NOLISTEN" status -j eth0 | jq '.counters.shut_answered + .engine.segment_shut')" -ge 1 ]
}

# is_probing COUNT: so many of the client's sockets have something to send, and ask whether they may.
is_probing()
{
	[ "$(in_client ss -Htano | grep -c 'timer:(persist')" = "$1" ]
}

# holds METHOD HOST
holds()
{
	start_loader -m "$1" -s tarpit
	hang "$2" 1 hello
	expect_event '.event == "established"'
	wait_for 5 has_answered
	is_probing 1
	is_equal "$(flows | jq -r '"\(.state) \(.held)"')" "shut 0"
	is_equal "$(sockets "$SERVER")" 0
	is_equal "$(connections)" 1
	is_equal "$(in_server "$NOLISTEN" status -j eth0 | jq .half_open)" 0
	stop "$STARTED"
	expect_event '.event == "closed" and .reason == "remote_reset"'
	has_no_flows
	is_equal "$(connections)" 0
	stop_loader
}

@test "auto holds a remote, and lets go when it resets" {
	holds auto 10.0.0.2
}

@test "so it does over IPv6" {
	holds auto fd00::2
}

@test "engine, nfqueue and filter hold one as well" {
	holds engine fd00::2
	holds nfqueue 10.0.0.2
	holds filter 10.0.0.2
}

@test "holds hundreds without a descriptor, with two workers" {
	start_loader -q --workers=2 -s tarpit
	before=$(ls "/proc/$LOADER_PID/fd" | wc -l)
	hang 10.0.0.2 300 hello
	wait_for 5 has_counter tarpit_held 300
	is_equal "$(ls "/proc/$LOADER_PID/fd" | wc -l)" "$before"
	is_equal "$(connections),$(sockets "$SERVER")" 300,0
	wait_for 5 is_probing 300
	stop "$STARTED"
	wait_for 5 has_counter tarpit_ended 300
	has_no_flows
}

@test "a source has no more than it may" {
	start_loader -q -m engine --max-per-source=2 -s tarpit
	hang 10.0.0.2 2 hello
	run in_client timeout 5 nc -z -w 1 10.0.0.2 34567
	[ "$status" != 0 ]
	has_counter source_full 1
	is_equal "$(connections)" 2
}

# lets_in_late METHOD HOST: who believes in a connection of which nobody else knows.
lets_in_late()
{
	start_loader -m "$1" -s tarpit
	in_client nft 'add table inet lose; add chain inet lose o { type filter hook output priority 0; }; add rule inet lose o tcp flags == ack drop'
	hang "$2" 1 hello
	is_equal "$(counter established)" 0
	in_client nft flush ruleset
	expect_event '.event == "established"'
	wait_for 5 has_answered
	is_probing 1
	stop "$STARTED"
	expect_event '.event == "closed" and .reason == "remote_reset"'
	stop_loader
}

@test "a remote whose final ACK was lost is let in by its window probe" {
	lets_in_late auto 10.0.0.2
	lets_in_late xdp fd00::2
}

@test "a FIN is not taken" {
	start_loader -s tarpit
	hang 10.0.0.2 1 '' end
	wait_for 5 has_answered
	is_equal "$(sockets "$CLIENT" state fin-wait-1)" 1
	is_equal "$(flows | jq -r .state)" shut
}

@test "forgets a remote when its time is up, which gets a RST then" {
	start_loader --tarpit-time=1 -s tarpit
	hang 10.0.0.2 1 hello
	expect_event '.event == "closed" and .reason == "shut_time"'
	wait_for 10 has_text "$BATS_FILE_TMPDIR/hanging.out" '1 reset'
	has_no_flows
}

@test "the remotes get a RST when the loader has ended" {
	start_loader -s tarpit
	hang fd00::2 3 hello
	wait_for 5 has_counter tarpit_held 3
	stop_loader
	is_equal "$LOADER_STATUS" 0
	wait_for 10 has_text "$BATS_FILE_TMPDIR/hanging.out" '3 reset'
	is_detached
}

@test "and when it was killed" {
	start_loader -s tarpit
	hang 10.0.0.2 1 hello
	expect_event '.event == "established"'
	stop "$LOADER_PID" KILL
	wait_for 10 has_text "$BATS_FILE_TMPDIR/hanging.out" '1 reset'
}

@test "a port that a kernel socket owns is not the tarpit's" {
	start_kernel_server 8080 'a real server'
	start_loader -p 8080,34567 -s tarpit
	is_equal "$(banner_of 10.0.0.2 8080)" 'a real server'
	stop "$KERNEL_SERVER"
}

@test "refuses what has no tarpit" {
	for method in connect accept raw; do
		refused_loader 2 "not $method; use auto" -m "$method" -s tarpit eth0
	done
	refused_loader 2 "this service takes no argument" -s tarpit:5 eth0
	refused_loader 2 "--sockopt: does not go with tarpit" -s tarpit --sockopt=nodelay=1 eth0
	refused_loader 2 "--fallback: tarpit" -s socket:/run/nolisten-test.sock --fallback=tarpit eth0
	refused_loader 2 "--tarpit-time: goes with" --tarpit-time=5 eth0
	refused_loader 2 "--tarpit-time: '0'" -s tarpit --tarpit-time=0 eth0
}
