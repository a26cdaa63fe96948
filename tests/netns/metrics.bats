#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# --metrics and status --openmetrics: what collectors get, read by their own tools.
load helpers

setup_file()
{
	"$BATS_TEST_DIRNAME/../promtool" --fetch
}

setup()
{
	lab_up
	STARTED=
}

teardown()
{
	[ -z "$STARTED" ] || stop "$STARTED" KILL
	stop_leftover_loader
	lab_down
}

promtool()
{
	"$REPO/tests/promtool" "$@"
}

# metrics [CURL-OPTION...]: the page.
metrics()
{
	in_server curl -sS --max-time $((10 * PATIENCE)) --fail "$@" "${URL:-http://127.0.0.1:9469/metrics}"
}

# value_of SAMPLE: of the page on standard input.
value_of()
{
	awk -v sample="$1" '$1 == sample { print $2 }'
}

# is_openmetrics: standard input is, to the last letter; prints the families' names.
is_openmetrics()
{
	/usr/bin/python3 -c '
import sys
from prometheus_client.openmetrics.parser import text_string_to_metric_families
for family in text_string_to_metric_families(sys.stdin.read()):
    print(family.name)'
}

@test "serves what status says, in both forms" {
	local page=$BATS_TEST_TMPDIR/page
	start_loader -q --metrics=:9469 -m engine
	burst 50 100
	wait_for 10 has_counter closed 50
	metrics >"$page"
	run promtool check metrics <"$page"
	is_equal "$status:$output" 0:
	is_equal "$(value_of 'nolisten_session_handed_off_total{interface="eth0"}' <"$page")" 50
	is_equal "$(value_of 'nolisten_packets_held_syn_total{interface="eth0"}' <"$page")" "$(counter held_syn)"
	is_equal "$(value_of 'nolisten_handshake_seconds_count{interface="eth0"}' <"$page")" 50
	is_equal "$(value_of 'nolisten_handoff_seconds_bucket{interface="eth0",le="+Inf"}' <"$page")" 50
	grep -q '^nolisten_loader_info{interface="eth0",method="engine",.*,ports="34567",service="echo"} 1$' "$page"
	metrics -H 'Accept: application/openmetrics-text;version=1.0.0' | is_openmetrics >"$page.families"
	# The same, by the control socket.
	in_server "$NOLISTEN" status --openmetrics | is_openmetrics | diff - "$page.families"
	stop_loader
	is_equal "$LOADER_STATUS" 0
}

@test "the example of rules and board is about metrics that there are" {
	local name page=$BATS_TEST_TMPDIR/page
	start_loader -q --metrics=:9469
	metrics >"$page"
	run promtool check rules "$REPO/doc/examples/prometheus/nolisten.rules.yml"
	is_equal "$status" 0
	jq -e '.panels | length > 0' "$REPO/doc/examples/prometheus/grafana.json" >/dev/null
	for name in $(grep -rhoE 'nolisten_[a-z_]+' "$REPO"/doc/examples/prometheus/{nolisten.rules.yml,grafana.json} | sort -u); do
		grep -q "^$name[{ ]" "$page" || {
			echo "no metric $name" >&2
			return 1
		}
	done
}

@test "serves the loaders of several interfaces on one page" {
	start_loader -q
	local first=$LOADER_PID
	IFACE=lo start_loader -q -m engine
	in_server "$NOLISTEN" status --openmetrics >"$BATS_TEST_TMPDIR/page"
	is_openmetrics <"$BATS_TEST_TMPDIR/page" >/dev/null
	is_equal "$(grep -c '^nolisten_uptime_seconds{' "$BATS_TEST_TMPDIR/page")" 2
	stop_loader
	stop "$first" INT
}

@test "serves on a socket in the file system, and takes the place of one that is abandoned" {
	local path=$BATS_TEST_TMPDIR/metrics.sock
	export URL=http://localhost/metrics
	start_loader -q --metrics="unix:$path"
	metrics --unix-socket "$path" | grep -q ^nolisten_uptime_seconds
	stop "$LOADER_PID" KILL
	[ -S "$path" ]
	start_loader -q --metrics="unix:$path"
	metrics --unix-socket "$path" | grep -q ^nolisten_uptime_seconds
	# Of one that lives it does not.
	refused_loader 1 "metrics on unix:$path: Address already in use" --metrics="unix:$path" lo
	metrics --unix-socket "$path" | grep -q ^nolisten_uptime_seconds
	stop_loader
	[ ! -e "$path" ]
}

@test "refuses a place that is taken, and leaves nothing behind" {
	start taken ip netns exec "$SERVER" nc -lk 127.0.0.1 9469
	wait_for 5 listens_on 9469
	refused_loader 1 "metrics on :9469: Address already in use" --metrics=:9469 eth0
	is_detached
	echo precious >"$BATS_TEST_TMPDIR/file"
	refused_loader 1 "Address already in use" --metrics="unix:$BATS_TEST_TMPDIR/file" eth0
	is_equal "$(cat "$BATS_TEST_TMPDIR/file")" precious
}

listens_on()
{
	in_server ss -Hltn "sport = :$1" | grep -q .
}

@test "refuses what is no place, and what does not go together" {
	local text
	for text in 9469 :0 :70000 1.2.3.4 unix: localhost:9469; do
		refused_loader 2 "--metrics: '$text'" --metrics="$text" eth0
	done
	refused_loader 2 "does not go with --vlan" --metrics=:9469 --vlan=5 eth0
	run in_server "$NOLISTEN" status -j --openmetrics
	is_equal "$status" 2
}

# connect_in_silence COUNT: connections to the page on which nothing is said.
connect_in_silence()
{
	start silent ip netns exec "$SERVER" /usr/bin/python3 -c '
import socket, sys, time
held = [socket.create_connection(("127.0.0.1", 9469)) for _ in range(int(sys.argv[1]))]
print("ready", flush=True)
time.sleep(3600)' "$1"
	wait_for 10 has_text "$BATS_FILE_TMPDIR/silent.out" ready
}

@test "who asks and says nothing, or nonsense, holds up nobody" {
	start_loader -q --metrics=:9469
	connect_in_silence 20
	burst 50 100
	# They are given up, and then there is room again.
	wait_for 20 metrics
	head -c 100000 /dev/urandom | in_server timeout $((5 * PATIENCE)) nc -N 127.0.0.1 9469 >/dev/null || :
	run metrics -X POST -d rubbish
	[[ $output == *405* ]]
	URL=http://127.0.0.1:9469/ run metrics
	[[ $output == *404* ]]
	burst 50 100
	metrics | grep -q ^nolisten_uptime_seconds
	stop_loader
	is_equal "$LOADER_STATUS" 0
}
