#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# --pcap: where packets are written, what becomes of what cannot be, and wrong options.
load helpers
load pcap

setup()
{
	pcap_up
	be_patient_on_eth0
	READER=
}

teardown()
{
	[ -z "$READER" ] || stop "$READER" KILL
	pcap_down
	! mountpoint -q "$BATS_TEST_TMPDIR/small" || umount "$BATS_TEST_TMPDIR/small"
}

# hold_pipe: somebody opens CAPTURE, a pipe, and reads nothing; READER.
hold_pipe()
{
	mkfifo "$CAPTURE"
	start_ready reader python3 -c '
import os, signal, sys
os.open(sys.argv[1], os.O_RDONLY | os.O_NONBLOCK)
print("ready", flush=True)
signal.pause()' "$CAPTURE"
	READER=$STARTED
}

# count_in FILE: packets, by capinfos, which reads all of it.
count_in()
{
	capinfos -TrcmQ "$1" | cut -d, -f2 | tr -d \"
}

size_of()
{
	stat -c %s "$1"
}

@test "begins another file at its size, and keeps so many" {
	local file total=0
	start_loader -q --pcap="$CAPTURE" --pcap-size=1 --pcap-files=3
	burst 600 8000
	stop_loader
	for file in "$CAPTURE" "$CAPTURE.1" "$CAPTURE.2"; do
		[ "$(size_of "$file")" -le $((1 << 20)) ]
		is_equal "$(stat -c %a "$file")" 600
		expect "link-type EN10MB" tcpdump -c 1 -nr "$file"
		total=$((total + $(count_in "$file")))
	done
	[ ! -e "$CAPTURE.3" ]
	[ "$total" -gt 100 ]
	# The newest has the end.
	expect "Number of stat entries = 1" capinfos -M "$CAPTURE"
	# What there was is the next run's to keep.
	start_loader -q --pcap="$CAPTURE" --pcap-size=1 --pcap-files=3
	stop_loader
	is_equal "$(count_in "$CAPTURE")" 0
	[ "$(count_in "$CAPTURE.1")" -gt 0 ]
}

@test "can be read after a kill, to the last packet that was written" {
	local count
	start_loader -q --pcap="$CAPTURE"
	burst 200 100
	wait_for 10 has_captured 600
	count=$(captured written)
	stop_loader KILL
	[ "$(count_in "$CAPTURE")" -ge "$count" ]
	[ "$(by_tcpdump 'tcp[tcpflags] == tcp-syn')" -ge 200 ]
	# And the next one may write there again.
	start_loader -q --pcap="$CAPTURE"
	stop_loader
	is_equal "$(count_in "$CAPTURE")" 0
}

is_captured_again()
{
	echo_back 10.0.0.2 34567 hello
	has_text "$LOADER_LOG" "$CAPTURE: packets are captured again"
}

@test "loses packets, and no connection, while the disk is full" {
	local small=$BATS_TEST_TMPDIR/small
	mkdir "$small"
	mount -t tmpfs -o size=512k none "$small"
	CAPTURE=$small/capture.pcapng
	start_loader -q --pcap="$CAPTURE"
	fallocate -l 450k "$small/ballast"
	burst 300 1000
	wait_for 5 has_text "$LOADER_LOG" "$CAPTURE: packets are not captured: No space left on device"
	[ "$(captured lost)" -gt 0 ]
	by_tcpdump >/dev/null
	rm "$small/ballast"
	wait_for 10 is_captured_again
	is_equal "$(grep -c "packets are not captured" "$LOADER_LOG")" 1
	stop_loader
	is_equal "$LOADER_STATUS" 0
	is_equal "$(capinfos -TrcmQ "$CAPTURE" | wc -l)" 1
	[ "$(by_tcpdump 'tcp[tcpflags] == tcp-syn')" -ge 2 ]
}

@test "does not wait for a reader that has stopped" {
	local before
	hold_pipe
	start_loader -q --pcap="$CAPTURE"
	burst 300 60000
	[ "$(captured lost)" -gt 0 ]
	wait_for 5 has_text "$LOADER_LOG" "$CAPTURE: packets are not captured: they come faster than they are written"
	burst 10 10
	before=${EPOCHREALTIME%.*}
	stop_loader
	is_equal "$LOADER_STATUS" 0
	[ $((${EPOCHREALTIME%.*} - before)) -lt $((15 * PATIENCE)) ]
}

@test "goes on when its reader is gone" {
	hold_pipe
	start_loader -q --pcap="$CAPTURE"
	stop "$READER" KILL
	burst 10 10
	wait_for 5 has_text "$LOADER_LOG" "$CAPTURE: nothing is captured any more: nobody reads it"
	burst 10 10
	stop_loader
	is_equal "$LOADER_STATUS" 0
}

has_line()
{
	grep -q -- "$1" "$BATS_TEST_TMPDIR/live"
}

@test "is read while it is written, from standard output" {
	local pipe=$BATS_TEST_TMPDIR/pipe reader
	mkfifo "$pipe"
	tshark -l -n -r "$pipe" -T fields -e ip.src -e tcp.flags -e frame.comment >"$BATS_TEST_TMPDIR/live" \
		2>/dev/null 3>&- &
	reader=$!
	LOADER_LOG=$BATS_TEST_TMPDIR/log
	: >"$LOADER_LOG"
	ip netns exec "$SERVER" "$LOADER" -q --pcap=- eth0 >"$pipe" 2>"$LOADER_LOG" 3>&- </dev/null &
	LOADER_PID=$!
	wait_for 10 has_text "$LOADER_LOG" answering
	is_equal "$(echo_back 10.0.0.2 34567 hello)" hello
	wait_for 10 has_line $'^10.0.0.1\t0x0002\tverdict=answered'
	wait_for 10 has_line $'^10.0.0.2\t0x0012\tverdict=sent'
	stop_loader
	wait_for 10 is_gone "$reader"
}

@test "refuses what is no capture, and what is wrong, before anything is attached" {
	echo "my letters" >"$CAPTURE"
	refused_loader 1 "$CAPTURE: cannot open for packets: it is no capture, and is not overwritten" --pcap="$CAPTURE" eth0
	is_equal "$(<"$CAPTURE")" "my letters"
	ln -s "$CAPTURE" "$CAPTURE.link"
	refused_loader 1 "it is a symbolic link" --pcap="$CAPTURE.link" eth0
	refused_loader 1 "Is a directory" --pcap="$BATS_TEST_TMPDIR" eth0
	refused_loader 1 "No such file or directory" --pcap=/nowhere/file eth0
	refused_loader 2 "--pcap-filter: 'tcp[': can't parse filter expression: syntax error" --pcap="$CAPTURE" --pcap-filter="tcp[" eth0
	refused_loader 2 "--pcap-filter: goes with --pcap=FILE" --pcap-filter=tcp eth0
	refused_loader 2 "--pcap-what: 'seen': a list of answered, held, copied, sent, accepted, dropped, passed, replayed, all is needed" \
		--pcap="$CAPTURE" --pcap-what=seen eth0
	refused_loader 2 "--pcap-files: goes with --pcap-size=MIB" --pcap="$CAPTURE" --pcap-files=3 eth0
	refused_loader 2 "--pcap: does not go with --vlan" --pcap="$CAPTURE" --vlan=5 eth0
	refused_loader 2 "--pcap: standard output has the events already" --pcap=- --events=- eth0
	is_detached
	# Of an L3 device there are no Ethernet addresses.
	refused_loader 1 "--pcap-filter: 'ether host 02:00:00:00:00:01': on eth0: ethernet addresses supported only on" \
		-m filter --pcap="$BATS_TEST_TMPDIR/new" --pcap-filter="ether host 02:00:00:00:00:01" eth0
	[ ! -e "$BATS_TEST_TMPDIR/new" ]
	is_detached
}

@test "two loaders do not write to one file" {
	local first
	start_loader -q --pcap="$CAPTURE"
	first=$LOADER_PID
	refused_loader 1 "$CAPTURE: cannot open for packets: another process writes to it" --pcap="$CAPTURE" lo
	burst 10 10
	LOADER_PID=$first stop_loader
	[ "$(count_in "$CAPTURE")" -ge 30 ]
}
