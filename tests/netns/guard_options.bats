#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# nolisten guard: what its options change, what a host does beside it, and what cannot be.
bats_require_minimum_version 1.5.0
load helpers
load guard

setup_file()
{
	guard_lab_up
	BEHIND=$(add_namespace b)
	APART=$(add_namespace a)
	export BEHIND APART
	# Where the answers to fragmented SYNs go; the client's kernel does not own that address.
	ip -n "$SERVER" neighbour replace 10.0.0.77 lladdr 02:00:00:00:00:77 dev eth0 nud permanent
}

teardown_file()
{
	lab_down "$BEHIND" "$APART"
}

teardown()
{
	[ -z "${GUARD_PID:-}" ] || is_gone "$GUARD_PID" || stop "$GUARD_PID" KILL
	in_client nft flush ruleset
}

# is_refused_by_client PORT: by a RST. is_silent: the SYN has ended at the guard, so no RST can come any more.
is_refused_by_client()
{
	run in_server timeout $((3 * PATIENCE)) nc -v -z -w $((2 * PATIENCE)) 10.0.0.1 "$1"
	[ "$status" = 1 ] && [[ $output == *refused* ]]
}

is_silent()
{
	local ended
	ended=$(guard_count in_ended)
	run in_server nc -v -z -w 1 10.0.0.1 "$1"
	[ "$status" != 0 ] && [[ $output != *refused* ]] && wait_for 5 has_ended_more_than "$ended"
}

has_ended_more_than()
{
	[ "$(guard_count in_ended)" -gt "$1" ]
}

# guard_count NAME: a counter of the only guard.
guard_count()
{
	listed "select(.type == \"guard\") | .counters.$1"
}

@test "guards a port from the start for a tunnel without handshake, towards the remotes of --remote" {
	start_ready echo in_client env -C "$REPO/tests/tools" python3 raw_echo.py 10.0.0.1 10.0.0.2 443 20001
	local echo=$STARTED
	start_ready echo6 in_client env -C "$REPO/tests/tools" python3 raw_echo.py fd00::1 fd00::2 443 20001
	start_guard -p 443 -r 10.0.0.0/24
	# The other end's kernel has to keep quiet as well: its segments are leased, since it speaks first.
	run in_server "$NOLISTEN" guard eth0 -q -- python3 "$REPO/tests/tools/raw_client.py" --no-syn --port=20001 10.0.0.2 10.0.0.1 443 hello
	is_equal "$output" "answered hello"
	run in_server "$NOLISTEN" guard eth0 -q -- python3 "$REPO/tests/tools/raw_client.py" --no-syn --port=20001 fd00::2 fd00::1 443 hello
	is_equal "$output" reset
	stop "$STARTED"
	stop "$echo"
}

@test "keeps in the RST that a fragmented SYN causes" {
	is_equal "$(in_client "$TOOLS/fragmented_syn" eth0 9 "$SERVER_MAC")" RST
	start fragments ip netns exec "$SERVER" "$NOLISTEN" guard eth0 -p 9
	GUARD_PID=$STARTED
	wait_for 10 has_text "$BATS_FILE_TMPDIR/fragments.err" guarding
	is_equal "$(in_client "$TOOLS/fragmented_syn" eth0 9 "$SERVER_MAC")" silent
	is_equal "$(in_server "$NOLISTEN" guard --list -j | jq '.counters.rst_dropped')" 1
}

@test "guards what a packet socket sends past TC, if its port is given" {
	is_equal "$(raw_client "$V4" --socket=bypass --port=20010)" reset
	start_guard -p 20010
	is_equal "$(raw_client "$V4" --socket=bypass --port=20010)" "answered hello"
}

@test "gives raw IP sockets their segments, or holds them, as --raw says" {
	start_guard --raw=hold
	is_equal "$(raw_client "$V4" --socket=tcp --wait=1)" silent
	is_equal "$(guard_count in_passed)" 0
	stop "$GUARD_PID"
	start_guard --raw=pass
	is_equal "$(raw_client "$V4")" "answered hello"
	is_equal "$(listed 'select(.type == "guard") | .counters | "\(.in_passed > 0) \(.in_ended) \(.rst_dropped > 0)"')" "true 0 true"
}

# Of this connection alone: the server may repeat a SYN-ACK of the test before.
@test "keeps guarded segments from conntrack" {
	in_client nft 'add table inet t; add chain inet t c { type filter hook prerouting priority -300; };
		add rule inet t c tcp sport 80 tcp dport 20020 counter; add chain inet t d { type filter hook input priority 0; };
		add rule inet t d ct state invalid counter'
	is_equal "$(guarded_client "$V4" --port=20020)" "answered hello"
	[[ $(in_client nft list chain inet t c) == *"counter packets 0 "* ]]
}

@test "lets a lease expire" {
	start_guard --lease=port --expire=3
	is_equal "$(raw_client "$V4" --port=20003)" "answered hello"
	wait_for 10 has_no_lease
	is_refused_by_client 20003
	stop "$GUARD_PID"
	start_guard --lease=port
	is_equal "$(raw_client "$V4" --port=20003)" "answered hello"
	is_silent 20003
}

has_no_lease()
{
	[ "$(listed 'select(.type == "guard") | .leases')" = 0 ]
}

@test "makes room for new leases by the oldest, and says so" {
	start_guard --max-leases=500
	in_client env -C "$REPO/tests/tools" python3 raw_syns.py 10.0.0.1 10.0.0.2 9 2000
	is_equal "$(raw_client "$V4" --port=30001)" "answered hello"
	is_equal "$(listed 'select(.type == "guard") | "\(.counters.leased) \(.leases <= 500) \(.leases + .evicted)"')" "2001 true 2001"
	stop "$GUARD_PID" INT
	expect "leases had to make room for others" cat "$GUARD_LOG"
}

@test "lets everything go while it is stopped, and guards again when it continues" {
	start_guard -p 20005
	is_silent 20005
	kill -STOP "$GUARD_PID"
	wait_for 10 is_refused_by_client 20005
	[[ $(in_client "$NOLISTEN" guard --list eth0) == *"stands still"* ]]
	kill -CONT "$GUARD_PID"
	wait_for 5 is_silent 20005
}

@test "does not touch what the host forwards" {
	join "$CLIENT" eth1 "$BEHIND" eth0
	address "$CLIENT" eth1 10.0.1.1/24
	address "$BEHIND" eth0 10.0.1.2/24
	ip -n "$BEHIND" route add default via 10.0.1.1
	ip -n "$SERVER" route add 10.0.1.0/24 via 10.0.0.1
	in_client sysctl -qw net.ipv4.ip_forward=1
	wait_for 5 is_running "$BEHIND" eth0
	start_guard -p all
	is_equal "$(printf text | in_namespace "$BEHIND" timeout 10 nc -N -w 5 10.0.0.2 80)" text
	run in_namespace "$BEHIND" timeout 5 nc -v -z -w 3 10.0.0.2 9
	[[ $output == *refused* ]]
	run in_server timeout 5 nc -v -z -w 3 10.0.1.2 9
	[[ $output == *refused* ]]
	# The client's own ports are guarded meanwhile.
	is_silent 9
	is_equal "$(guard_count rst_dropped)" 0
}

@test "lets a RST go that a program sends from a raw socket which has sent nothing else" {
	local send="in_client python3 $REPO/tests/tools/raw_sender.py"
	start_guard
	$send 10.0.0.1 20007 10.0.0.2 9 S 1
	$send 10.0.0.1 20007 10.0.0.2 9 R 2
	$send fd00::1 20007 fd00::2 9 S 1
	$send fd00::1 20007 fd00::2 9 R 2
	is_equal "$(listed 'select(.type == "guard") | "\(.counters.leased) \(.counters.rst_sent) \(.counters.rst_dropped)"')" "2 2 0"
}

@test "lets the RSTs of a container go that has an address of its own on the interface" {
	local host
	ip -n "$CLIENT" link add apart0 link eth0 type macvlan mode bridge
	ip -n "$CLIENT" link set apart0 netns "$APART"
	address "$APART" apart0 10.0.0.9/24 fd00::9/64
	ip -n "$APART" link set apart0 up
	wait_for 5 is_running "$APART" apart0
	start_guard -p 20006
	for host in 10.0.0.9 fd00::9; do
		run in_server timeout $((6 * PATIENCE)) nc -v -z -w $((5 * PATIENCE)) "$host" 20006
		[[ $output == *refused* ]]
	done
	is_silent 20006
	[ "$(guard_count rst_not_ours)" -ge 2 ]
}

# refused STATUS TEXT ARGUMENT...: one line that contains TEXT, and nothing is left.
refused()
{
	local expected=$1 text=$2
	shift 2
	run in_client timeout -k 1 15 "$NOLISTEN" guard "$@"
	if [ "$status" != "$expected" ] || [[ $output != *"$text"* ]] || [ ${#lines[@]} != 1 ]; then
		printf 'expected status %s and one line with "%s", got status %s:\n%s\n' \
			"$expected" "$text" "$status" "$output" >&2
		return 1
	fi
	is_unguarded
}

@test "says what is wrong with its arguments, in one line and status 2" {
	refused 2 "usage: nolisten guard IFACE"
	refused 2 "usage: nolisten guard IFACE" eth0 --
	refused 2 "--port: '0': ports go from 1 to 65535" eth0 -p 0
	refused 2 "--port: '9-3'" eth0 -p 9-3
	refused 2 "--remote: '10.0.0.1/24': not an address, nor a prefix without host bits" eth0 -r 10.0.0.1/24
	refused 2 "--lease: 'all': not one of flow, port" eth0 --lease=all
	refused 2 "--lease: the ports of --port need none" eth0 -p 80 --lease=port
	refused 2 "--expire: '0': a number from 1 to 86400 is needed" eth0 --expire=0
	refused 2 "--max-leases: '0': a number from 1 to" eth0 --max-leases=0
	refused 2 "--raw: 'keep': not one of auto, hold, pass" eth0 --raw=keep
	refused 2 "--rst: 'redirect:': not one of drop, redirect:IFACE, pass" eth0 --rst=redirect:
	refused 2 "--rst: eth0 is guarded itself: RSTs would go round" eth0 --rst=redirect:eth0
	refused 2 "--pid: either a process or COMMAND" eth0 --pid=1 -- true
	refused 2 "-j: goes with --list" eth0 -j
	local option
	for option in "-p 80" --raw=auto --nat --method=bpf "-r fd00::2" --expire=120 --lease=flow --rst=drop --pid=1 "-- true"; do
		# shellcheck disable=SC2086
		refused 2 "--list: shows the guards there are, and starts none" --list $option
	done
	refused 2 "--expire: with --port there are no leases" eth0 -p 80 --expire=3
	refused 2 "--max-leases: with --port there are no leases" eth0 --max-leases=3 -p 80
	refused 2 "--expire: with --nat alone there are no leases" eth0 --nat --expire=3
	refused 2 "--frob: no such option (see nolisten guard --help)" eth0 --frob
}

@test "says why it cannot guard, in one line and status 1" {
	refused 1 "nope0: no such interface" nope0 -- true
	refused 1 "nope0: no such interface" --list nope0
	refused 1 "nope1: no such interface" eth0 --rst=redirect:nope1
	ip -n "$CLIENT" link add down0 type veth peer name down1
	refused 1 "down0: the interface is down" down0
	refused 1 "--pid: 2147483647: no such process" eth0 -q --pid=2147483647
	run in_client setpriv --reuid=65534 --clear-groups "$NOLISTEN" guard eth0 -- true
	is_equal "$status ${#lines[@]}" "1 1"
	[[ $output == *"not permitted: bpf() needs root"* ]]
}
