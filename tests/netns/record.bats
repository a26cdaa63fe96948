#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# record: the first bytes of each connection are an event, and it closes.
load helpers

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
	stop_leftover_loader
}

# payloads: what was recorded, as one connection sent it.
payloads()
{
	events 'select(.event == "payload") | .eve.payload' -r | while read -r part; do
		base64 -d <<<"$part"
	done
}

# says TEXT [HOST]: nc says it and ends; what it gets back.
says()
{
	printf '%s' "$1" | in_client timeout 5 nc -N "${2:-10.0.0.2}" 34567
}

@test "tells of what was sent, whatever the method" {
	for method in auto engine accept nfqueue; do
		start_loader -m "$method" -s record
		is_equal "$(says 'hello, telescope')" ''
		expect_event '.event == "payload" and .reason == "end" and .bytes == 16 and
			.eve.payload == "aGVsbG8sIHRlbGVzY29wZQ==" and .eve.payload_printable == "hello, telescope"'
		expect_event '.event == "closed"'
		is_equal "$(events 'select(.event == "payload") | .local' -r)" 10.0.0.2:34567
		is_equal "$(events 'select(.event == "established" or .event == "payload") | .eve.flow_id' | sort -u | wc -l)" 1
		has_text "$LOADER_LOG" '16 bytes): "hello, telescope"'
		stop_loader
	done
}

@test "records as much as it is told to, over IPv6 with two workers" {
	start_loader -q --workers=2 -s record:3000
	head -c 100000 /dev/urandom >"$BATS_TEST_TMPDIR/bytes"
	run in_client timeout 5 nc -N fd00::2 34567 <"$BATS_TEST_TMPDIR/bytes"
	is_equal "$status" 0
	wait_for 5 has_event '.event == "payload" and .reason == "full" and .offset == 2048'
	is_equal "$(payloads | sha256sum)" "$(head -c 3000 "$BATS_TEST_TMPDIR/bytes" | sha256sum)"
}

@test "tells of who says nothing, and closes" {
	start_loader --record-time=100 -s record
	is_equal "$(in_client timeout 5 nc -d 10.0.0.2 34567)" ''
	expect_event '.event == "payload" and .reason == "time" and .bytes == 0 and .eve.payload == ""'
	expect_event '.event == "closed"'
}

@test "no byte of a stranger reaches a terminal as it is" {
	start_loader -s record
	says $'\e[2J\e]0;title\a"\\\x80' >/dev/null
	wait_for 5 has_text "$LOADER_LOG" '"\x1b[2J\x1b]0;title\x07\"\\\x80"'
	is_equal "$(tr -d '[:print:][:space:]' <"$LOADER_LOG" | wc -c)" 0
}

@test "counts what it has recorded" {
	start_loader -q -s record
	says hello
	wait_for 5 has_recorded 1
	in_server "$NOLISTEN" status eth0 | grep -q 'connections whose first bytes record has told of'
	in_server "$NOLISTEN" status --openmetrics eth0 | grep -q '^nolisten_services_recorded_total{interface="eth0"} [1-9]'
}

has_recorded()
{
	[ "$(in_server "$NOLISTEN" status -j eth0 | jq .services.recorded)" -ge "$1" ]
}

@test "stands in for an application that is not there" {
	start_loader -s "socket:$BATS_TEST_TMPDIR/socket" --fallback=record:5
	says 'hello, nobody'
	expect_event '.event == "payload" and .method == "xdp" and .eve.payload_printable == "hello"'
}

@test "refuses numbers that are none" {
	for bytes in 0 65537 x -1 ''; do
		refused_loader 2 "record takes a number of bytes from 1 to 65536" -s "record:$bytes" eth0
	done
	refused_loader 2 "--record-time: goes with" --record-time=50 eth0
	refused_loader 2 "--record-time: '5'" -s record --record-time=5 eth0
}
