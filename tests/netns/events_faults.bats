#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# Readers of --events that stall, go and come back; a full disk; logs that are rotated. No handshake waits for any of it, no line is
# half, and what is lost is counted and told.
load helpers

setup()
{
	lab_up
	STARTED=
	SOCKET=$BATS_TEST_TMPDIR/reader
	DISK=
}

teardown()
{
	[ -z "$STARTED" ] || stop "$STARTED" KILL
	stop_leftover_loader
	[ -z "$DISK" ] || umount -l "$DISK"
	lab_down
}

# start_reader NAME: what it reads is in $BATS_FILE_TMPDIR/NAME.out.
start_reader()
{
	rm -f "$SOCKET"
	start "$1" nc -U -l "$SOCKET"
	wait_for 5 test -S "$SOCKET"
}

lost()
{
	in_server "$NOLISTEN" status -j eth0 | jq .events_lost
}

has_lost()
{
	[ "$(lost)" -gt 0 ]
}

# told_lost REASON: how many, as the events themselves say.
told_lost()
{
	events 'select(.event == "lost" and .reason == "'"$1"'" and .kind == "any") | .count' | awk '{ sum += $1 } END { print sum + 0 }'
}

has_told_lost()
{
	local lost
	lost=$(lost)
	[ "$lost" -gt 0 ] && [ "$(told_lost "$1")" = "$lost" ]
}

# has_all COUNT: events of so many connections, those that are told to be lost among them, and nothing else; of method engine.
has_all()
{
	[ $(($(events 'select(.event != "lost") | 1' -c | wc -l) + $(told_lost "$2"))) = $((4 * $1)) ]
}

@test "a reader that stalls stalls no handshake, and is told how much it has missed" {
	start_reader stalled
	start_loader -q -m engine --events-rate=0 --events="unix:$SOCKET"
	echo_back 10.0.0.2 34567 hello
	EVENTS=$BATS_FILE_TMPDIR/stalled.out
	wait_for 5 has_event '.event == "closed"'
	kill -STOP "$STARTED"
	burst 1000 100
	wait_for 10 has_lost
	is_equal "$(grep -c 'events are lost: the reader is too slow' "$LOADER_LOG")" 1
	kill -CONT "$STARTED"
	wait_for 10 has_told_lost slow_reader
	wait_for 10 has_all 1001 slow_reader
	expect "could not be written" in_server "$NOLISTEN" status eth0
}

@test "events wait for a reader that is not there yet" {
	start_loader -q -m engine --events="unix:$SOCKET"
	grep -q 'events wait for a reader: No such file' "$LOADER_LOG"
	burst 20 100
	start_reader late
	EVENTS=$BATS_FILE_TMPDIR/late.out
	wait_for 10 has_all 20 no_reader
	is_equal "$(lost)" 0
}

@test "a reader that is killed in the middle of a line is followed by one that gets whole lines" {
	start_reader first
	start_loader -q -m engine --events="unix:$SOCKET"
	kill -STOP "$STARTED"
	burst 200 100
	stop "$STARTED" KILL
	burst 10 100
	start_reader second
	EVENTS=$BATS_FILE_TMPDIR/second.out
	wait_for 10 eval '[ "$(count_events closed)" -ge 10 ]'
	is_equal "$(echo_back 10.0.0.2 34567 still)" still
	[[ $(head -c 1 "$EVENTS") == '{' ]]
}

@test "datagrams are a line each, and wait for their reader too" {
	start_loader -q -m engine --events="unix:$SOCKET"
	echo_back 10.0.0.2 34567 hello
	start datagrams /usr/bin/python3 -uc '
import socket, sys
reader = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
reader.bind(sys.argv[1])
while line := reader.recv(65536):
    assert line.count(b"\n") == 1
    print(line.decode(), end="")' "$SOCKET"
	EVENTS=$BATS_FILE_TMPDIR/datagrams.out
	wait_for 10 has_all 1 no_reader
}

# A disk of 64 KiB, and all of it taken but for a line and a half.
fill_disk()
{
	DISK=$BATS_TEST_TMPDIR/disk
	mkdir "$DISK"
	mount -t tmpfs -o size=64k tmpfs "$DISK"
	head -c 61440 /dev/zero >"$DISK/other"
	# Whole pages are given: of the last one so much is used that a line does not fit.
	head -c 3500 /dev/zero | tr '\0' ' ' >"$DISK/events.json"
	echo >>"$DISK/events.json"
}

has_grown_to_full()
{
	[ "$(stat -c %s "$DISK/events.json")" = 4096 ]
}

@test "a full disk is said once, and events go on when there is room" {
	fill_disk
	start_loader -q -m engine --events-rate=0 --events="$DISK/events.json"
	burst 50 100
	wait_for 5 has_text "$LOADER_LOG" 'cannot write events: No space left on device'
	has_grown_to_full
	burst 300 100
	wait_for 10 has_lost
	is_equal "$(echo_back 10.0.0.2 34567 still)" still
	is_equal "$(grep -c events "$LOADER_LOG")" 1
	rm "$DISK/other"
	mount -o remount,size=16m "$DISK"
	EVENTS=$BATS_FILE_TMPDIR/disk.json
	wait_for 10 has_text "$LOADER_LOG" 'events are written again'
	wait_for 10 eval 'tail -n +2 "$DISK/events.json" >"$EVENTS"; has_told_lost disk_full'
	wait_for 10 eval 'tail -n +2 "$DISK/events.json" >"$EVENTS"; has_all 351 disk_full'
}

@test "a loader that ends while the disk is full leaves no half line" {
	fill_disk
	start_loader -q -m engine --events="$DISK/events.json"
	burst 50 100
	wait_for 5 has_grown_to_full
	stop_loader
	is_equal "$LOADER_STATUS" 0
	grep -Eq 'events.json: [0-9]+ events were lost' "$LOADER_LOG"
	is_equal "$(tail -c 2 "$DISK/events.json")" '}'
	[ "$(tail -n +2 "$DISK/events.json" | wc -l)" -ge 1 ]
}

# The example, for another folder and the programs that were built here.
rotate()
{
	sed "s,/var/log/nolisten,$BATS_TEST_TMPDIR,; s,nolisten status,$NOLISTEN status," "$REPO/doc/examples/logrotate/nolisten" \
		>"$BATS_TEST_TMPDIR/logrotate.conf"
	in_server logrotate --force --state "$BATS_TEST_TMPDIR/state" "$BATS_TEST_TMPDIR/logrotate.conf"
}

@test "the example rotates the log, and no event is lost" {
	local log=$BATS_TEST_TMPDIR/events.json
	chmod 755 "$BATS_TEST_TMPDIR"
	start_loader -q -m engine --events="$log"
	echo_back 10.0.0.2 34567 one
	EVENTS=$log wait_for 5 has_event '.event == "closed"'
	rotate
	wait_for 5 test -e "$log"
	burst 200 100
	EVENTS=$log wait_for 5 has_all 200 none
	is_equal "$(EVENTS=$log.1 count_events closed)" 1
	rotate
	wait_for 5 test -e "$log"
	is_equal "$(zcat "$log.2.gz" | wc -l)" 4
	is_equal "$(lost)" 0
}

@test "SIGHUP ends a loader that has nothing to open again, but not under nohup" {
	start_loader --events=-
	stop_loader HUP
	is_equal "$LOADER_STATUS" 0
	is_detached
	trap '' HUP
	start_loader --events=-
	trap - HUP
	kill -HUP "$LOADER_PID"
	is_equal "$(echo_back 10.0.0.2 34567 still)" still
	stop_loader
	is_equal "$LOADER_STATUS" 0
}

@test "a terminal that hangs up ends the loader, whatever it writes to" {
	LOADER_LOG=$BATS_FILE_TMPDIR/terminal EVENTS=$BATS_FILE_TMPDIR/terminal.json
	: >"$EVENTS"
	# It leads the terminal's session, as from a login; script(1) hangs up when it is killed.
	start terminal ip netns exec "$SERVER" script -qfc "echo \$\$ >$BATS_TEST_TMPDIR/pid; exec $LOADER --events=$EVENTS eth0 2>$LOADER_LOG" /dev/null
	wait_for 10 has_text "$LOADER_LOG" answering
	LOADER_PID=$(cat "$BATS_TEST_TMPDIR/pid")
	stop "$STARTED" KILL
	wait_for 10 is_gone "$LOADER_PID"
	grep -q detached "$LOADER_LOG"
	is_detached
}

@test "what cannot be read is one line, and nothing is attached" {
	refused_loader 2 "--events: 'unix:': a path is needed" --events=unix: eth0
	refused_loader 2 "longer than a socket's may be" --events="unix:$(printf '%0110d' 0)" eth0
	refused_loader 2 'syslog has no such facility' --events=syslog:nobody eth0
	refused_loader 2 'a number from 0' --events-rate=-1 eth0
	refused_loader 2 'a number from 0 to 65535' --community-id-seed=70000 eth0
	refused_loader 1 'Not a directory' --events=unix:/dev/null/reader eth0
	refused_loader 1 'Is a directory' --events="$BATS_TEST_TMPDIR" eth0
	is_detached
}
