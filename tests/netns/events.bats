#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# --events: what a line has, how many there are, and engines that others wrote, which read it.
load helpers

setup()
{
	lab_up
	STARTED=
	ENGINE=
}

teardown()
{
	[ -z "$STARTED" ] || stop "$STARTED" KILL
	[ -z "$ENGINE" ] || stop "$ENGINE" KILL
	stop_leftover_loader
	lab_down
}

@test "the schema takes each kind of event, and refuses what is wrong with it" {
	"$TOOLS/event_examples" >"$BATS_TEST_TMPDIR/examples.json"
	expect "mistakes refused" /usr/bin/python3 -B "$BATS_TEST_DIRNAME/schema.py" "$BATS_TEST_TMPDIR/examples.json"
	[ "$status" = 0 ]
}

# published_id ADDRESS PORT ADDRESS PORT SEED: by the specification, the smaller end first; IPv4.
published_id()
{
	/usr/bin/python3 -c '
import base64, hashlib, socket, struct, sys
ends = sorted([(socket.inet_aton(sys.argv[1]), int(sys.argv[2])), (socket.inet_aton(sys.argv[3]), int(sys.argv[4]))])
data = struct.pack("!H", int(sys.argv[5])) + ends[0][0] + ends[1][0] + b"\6\0" + struct.pack("!HH", ends[0][1], ends[1][1])
print("1:" + base64.b64encode(hashlib.sha1(data).digest()).decode())' "$@"
}

@test "source is the remote, and the community ID is the one that others have for the connection" {
	local port
	start_loader -m engine --community-id-seed=7
	echo_back 10.0.0.2 34567 hello
	expect_event '.event == "closed"'
	is_equal "$(events '.eve | [.in_iface, .src_ip, .dest_ip, .dest_port, .proto] | join(" ")' -r | sort -u)" \
		"eth0 10.0.0.1 10.0.0.2 34567 TCP"
	port=$(events .eve.src_port | sort -u)
	is_equal "$(events .eve.community_id -r | sort -u)" "$(published_id 10.0.0.1 "$port" 10.0.0.2 34567 7)"
	is_equal "$(events .event -r | xargs)" "syn established handed_off closed"
}

# What is missing of that kind, as the events themselves say.
limited()
{
	events 'select(.event == "lost" and .reason == "rate" and .kind == "'"$1"'") | .count' | awk '{ sum += $1 } END { print sum + 0 }'
}

all_are_told()
{
	[ $(($(count_events "$1") + $(limited "$1"))) = "$2" ]
}

@test "a port that is used again is another flow" {
	start_loader -m engine
	in_client sysctl -qw net.ipv4.ip_local_port_range="40001 40001"
	expect "20 connections" in_client taskset -c 0 "$TOOLS/burst_client" 10.0.0.2 34567 20 5 abort
	wait_for 10 all_are_told closed 20
	is_equal "$(events 'select(.event == "established") | .eve.flow_id' | sort -u | wc -l)" 20
	is_equal "$(events 'select(.remote) | .eve.community_id' | sort -u | wc -l)" 1
	has_one_id_a_flow
}

@test "a flood of complete handshakes writes no more than the rate, and says how many are missing" {
	local started=$SECONDS seconds
	start_loader -q --events-rate=20
	burst 500 100
	wait_for 10 all_are_told established 500
	wait_for 10 all_are_told handed_off 500
	wait_for 10 all_are_told closed 500
	seconds=$((SECONDS - started + 1))
	[ "$(count_events established)" -le $((20 * (seconds + 1))) ]
	[ "$(limited established)" -gt 0 ]
	is_equal "$(in_server "$NOLISTEN" status -j eth0 | jq .events_limited)" \
		$(($(limited established) + $(limited handed_off) + $(limited closed)))
	expect "not told" in_server "$NOLISTEN" status eth0
	is_equal "$(in_server "$NOLISTEN" status --openmetrics eth0 | awk '$1 ~ /^nolisten_limited_events_total/ { print ($2 > 0) }')" 1
}

# Debian's rsyslog, unpacked, with a /dev/log and a /var/log of its own; what is not ours goes to /var/log/rest there.
start_rsyslog()
{
	local root
	root=$("$REPO/tests/unpacked" rsyslog rsyslog libestr0 libfastjson4)
	cat >"$BATS_TEST_TMPDIR/rsyslog.conf" <<-END
		module(load="imuxsock")
		include(file="$REPO/doc/examples/rsyslog/nolisten.conf")
		*.* action(type="omfile" file="/var/log/rest")
	END
	mkdir "$BATS_TEST_TMPDIR/dev"
	start rsyslog unshare --mount bash -euc '
		root=$1 config=$2 dev=$3
		mount -t tmpfs tmpfs /var/log
		mount -t tmpfs tmpfs "$dev"
		for one in null zero random urandom; do
			: >"$dev/$one"
			mount --bind "/dev/$one" "$dev/$one"
		done
		mount --rbind "$dev" /dev
		libraries=$(dirname "$root"/usr/lib/*/rsyslog)
		LD_LIBRARY_PATH=$libraries exec "$root/usr/sbin/rsyslogd" -n -f "$config" -i /var/log/pid -M "$libraries/rsyslog"
		' - "$root" "$BATS_TEST_TMPDIR/rsyslog.conf" "$BATS_TEST_TMPDIR/dev"
	ENGINE=$STARTED
	# The first is in its own /var/log, whatever the host has.
	wait_for 10 in_engine test -e /var/log/pid -a -S /dev/log
}

in_engine()
{
	nsenter --mount="/proc/$ENGINE/ns/mnt" "$@"
}

# What rsyslog has written there.
logged()
{
	in_engine cat "/var/log/$1" 2>/dev/null
}

has_logged()
{
	[[ $(logged "$1") == *"$2"* ]]
}

# The loader that start_loader starts sees that /dev/log.
be_beside_engine()
{
	printf '#!/bin/sh\nexec nsenter --mount=/proc/%s/ns/mnt -- "%s" "$@"\n' "$ENGINE" "$LOADER" >"$BATS_TEST_TMPDIR/loader"
	chmod +x "$BATS_TEST_TMPDIR/loader"
	LOADER=$BATS_TEST_TMPDIR/loader
}

@test "rsyslog takes the events with the example's configuration, and writes them as they were" {
	start_rsyslog
	be_beside_engine
	start_loader -m engine --events=syslog:
	echo_back 10.0.0.2 34567 hello
	echo_back fd00::2 34567 hello
	wait_for 10 has_logged nolisten/events.json '"event":"closed"'
	EVENTS=$BATS_TEST_TMPDIR/engine.json
	wait_for 10 eval 'logged nolisten/events.json >"$EVENTS"; [ $(wc -l <"$EVENTS") -ge 8 ]'
	is_equal "$(events 'select(.local == "[fd00::2]:34567") | .event' -r | xargs)" "syn established handed_off closed"
	has_one_id_a_flow
	"$BATS_TEST_DIRNAME/check_events" "$EVENTS"
	# It is told of nothing that is not JSON, and nothing goes where it does not belong.
	run logged rest
	[[ $output != *nolisten\[* ]]
}

@test "rsyslog is found again when it has been restarted" {
	local first
	start_rsyslog
	be_beside_engine
	start_loader -m engine --events=syslog:local3
	echo_back 10.0.0.2 34567 hello
	wait_for 10 has_logged nolisten/events.json '"event":"closed"'
	# Its mounts stay with a process of ours.
	start holder nsenter --mount="/proc/$ENGINE/ns/mnt" sleep infinity
	first=$ENGINE ENGINE=$STARTED
	wait_for 5 test "/proc/$ENGINE/ns/mnt" -ef "/proc/$first/ns/mnt"
	stop "$first"
	in_engine rm -rf /dev/log /var/log/nolisten
	echo_back 10.0.0.2 34567 meanwhile
	wait_for 10 has_text "$LOADER_LOG" 'events wait for a reader'
	start again nsenter --mount="/proc/$ENGINE/ns/mnt" bash -c 'root=$1 libraries=$(dirname "$1"/usr/lib/*/rsyslog)
		LD_LIBRARY_PATH=$libraries exec "$root/usr/sbin/rsyslogd" -n -f "$2" -i /var/log/pid2 -M "$libraries/rsyslog"' \
		- "$("$REPO/tests/unpacked" rsyslog)" "$BATS_TEST_TMPDIR/rsyslog.conf"
	wait_for 10 has_text "$LOADER_LOG" 'events are written again'
	wait_for 10 has_logged nolisten/events.json '"event":"closed"'
	EVENTS=$BATS_TEST_TMPDIR/engine.json
	logged nolisten/events.json >"$EVENTS"
	is_equal "$(events .event -r | xargs)" "syn established handed_off closed"
	is_equal "$(in_server "$NOLISTEN" status -j eth0 | jq .events_lost)" 0
}

@test "the other examples are read by who can read them here" {
	/usr/bin/python3 - "$REPO/doc/examples/vector/vector.toml" <<-'END'
		import sys, tomllib
		with open(sys.argv[1], "rb") as file:
		    config = tomllib.load(file)
		known = {**config["sources"], **config["transforms"]}
		for part in [*config["transforms"].values(), *config["sinks"].values()]:
		    assert part["type"] and all(name in known for name in part["inputs"]), part
	END
	# Sections, and keys with values.
	run awk '!/^(#.*|)$/ && !/^\[[A-Z]+\]$/ && !/^    [A-Za-z_]+ +[^ ]/' "$REPO"/doc/examples/fluent-bit/*.conf
	is_equal "$output" ""
	is_equal "$(awk '$1 == "Parser" { print $2 }' "$REPO/doc/examples/fluent-bit/fluent-bit.conf")" \
		"$(awk '$1 == "Name" { print $2 }' "$REPO/doc/examples/fluent-bit/parsers.conf")"
	# Fluent Bit's times are those of the events.
	/usr/bin/python3 -c 'import datetime, sys
format = sys.argv[1].replace(".%L", ".%f")
datetime.datetime.strptime("2026-11-21T19:18:38.123456+0000", format)' \
		"$(awk '$1 == "Time_Format" { print $2 }' "$REPO/doc/examples/fluent-bit/parsers.conf")"
}
