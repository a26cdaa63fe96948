#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# Options from a file, SIGHUP, and what the service manager hears.
load helpers

setup_file()
{
	lab_up
	ip -n "$SERVER" route add local 10.9.0.0/24 dev lo
	ip -n "$CLIENT" route add 10.9.0.0/24 via 10.0.0.2
}

teardown_file()
{
	lab_down
}

setup()
{
	CONFIG=$BATS_TEST_TMPDIR/eth0.conf
}

teardown()
{
	stop_leftover_loader
	[ -z "${RECEIVER:-}" ] || stop "$RECEIVER" KILL
}

# config LINE...: is the file from now on.
config()
{
	printf '%s\n' "$@" >"$CONFIG"
}

# hang_up TEXT: SIGHUP, and what the loader says then.
hang_up()
{
	: >"$LOADER_LOG"
	kill -HUP "$LOADER_PID"
	wait_for 5 has_text "$LOADER_LOG" "$1" && return
	cat "$LOADER_LOG" >&2
	return 1
}

@test "options come from a file, and the command line replaces them" {
	config '# two ports' 'port = 80' 'port = 81' '' 'service = banner:from a file' 'quiet'
	start_loader --config="$CONFIG"
	has_text "$LOADER_LOG" "answering TCP port 80,81 on"
	is_equal "$(echo_back 10.0.0.2 81 '')" "from a file"
	is_refused 10.0.0.2 34567
	stop_loader
	is_equal "$LOADER_STATUS" 0
	start_loader --config="$CONFIG" -p 7 -s echo
	is_equal "$(echo_back 10.0.0.2 7 back)" back
	is_refused 10.0.0.2 80
	stop_loader
}

@test "a wrong line is named, and nothing is attached" {
	config 'port = 80' '' 'ring = 7'
	refused_loader 2 "$CONFIG:3: --ring: '7': KiB, a power of two from 64 to 16384, are needed" --config="$CONFIG" eth0
	config 'prot = 80'
	refused_loader 2 "$CONFIG:1: 'prot': no such option (see nolisten-loader --help)" --config="$CONFIG" eth0
	config 'port = 80' 'xdp = none'
	refused_loader 2 "$CONFIG:2: --xdp: only method accept does without" --config="$CONFIG" eth0
	refused_loader 2 "--config: $BATS_TEST_TMPDIR: Is a directory" --config="$BATS_TEST_TMPDIR" eth0
	refused_loader 2 "--config: $CONFIG.not: No such file or directory" --config="$CONFIG.not" eth0
	is_detached
}

@test "what --print-config prints starts the same loader, and is in force" {
	in_server "$LOADER" --print-config -p 80,443 -a 10.9.0.0/24 -s 'banner: a "b" ' -q >"$CONFIG"
	in_server "$LOADER" --print-config --config="$CONFIG" | cmp - "$CONFIG"
	is_detached
	run in_server sh -c '"$0" --print-config >/dev/full' "$LOADER"
	is_equal "$status $output" "1 nolisten-loader: --print-config: No space left on device"
	start_loader --config="$CONFIG"
	has_text "$LOADER_LOG" "answering TCP port 80,443 on 10.9.0.0/24"
	is_equal "$(echo_back 10.9.0.7 443 '')" ' a "b" '
	stop_loader
}

@test "SIGHUP changes ports and addresses, and connections go on" {
	config 'port = 80' 'address = 10.9.0.0/25'
	start_loader --config="$CONFIG"
	coproc CLIENT_NC { in_client nc 10.9.0.1 80 3>&-; }
	echo before >&"${CLIENT_NC[1]}"
	read -r -t 5 line <&"${CLIENT_NC[0]}"
	is_equal "$line" before
	config 'port = 81' 'address = 10.9.0.128/25' 'address = 10.0.0.2' 'verbose'
	hang_up "answering TCP port 81 on"
	is_equal "$(echo_back 10.9.0.200 81 hello)" hello
	is_equal "$(echo_back 10.0.0.2 81 hello)" hello
	is_refused 10.9.0.1 81
	is_refused 10.9.0.200 80
	echo after >&"${CLIENT_NC[1]}"
	read -r -t 5 line <&"${CLIENT_NC[0]}"
	is_equal "$line" after
	kill "$CLIENT_NC_PID"
	stop_loader
	is_equal "$LOADER_STATUS" 0
}

@test "a wrong file changes nothing, as a whole" {
	config 'port = 80' 'address = 10.9.0.0/24'
	start_loader --config="$CONFIG"
	config 'port = 81' 'ring = 7'
	hang_up "eth0: $CONFIG:2: --ring: '7': KiB, a power of two from 64 to 16384, are needed; nothing is changed"
	is_equal "$(wc -l <"$LOADER_LOG")" 1
	config 'port = 81' 'address = 10.9.0.0/25' 'address = 10.8.0.0/24'
	hang_up "--address: 10.8.0.0/24 is not local to this host"
	wait_for 5 has_text "$LOADER_LOG" "nothing is changed"
	rm "$CONFIG"
	hang_up "eth0: --config: $CONFIG: No such file or directory; nothing is changed"
	is_equal "$(echo_back 10.9.0.200 80 hello)" hello
	is_equal "$(echo_back 10.9.0.1 80 hello)" hello
	is_refused 10.9.0.1 81
	stop_loader
}

@test "what needs a restart is said, with its line" {
	config 'port = 80' 'workers = 1' 'queue = 7'
	start_loader --config="$CONFIG" --spin=1
	config 'port = 80' '' 'method = engine' 'workers = 1' 'spin = 2' 'address = 10.0.0.2'
	hang_up "answering TCP port 80 on"
	has_text "$LOADER_LOG" "eth0: $CONFIG:3: method needs a restart"
	has_text "$LOADER_LOG" "eth0: $CONFIG:6: address needs a restart"
	has_text "$LOADER_LOG" "eth0: $CONFIG: that queue is gone needs a restart"
	is_equal "$(grep -c restart "$LOADER_LOG")" 3
	stop_loader
}

@test "SIGHUP ends a loader that has no file to read or to open again" {
	start_loader --events=-
	LOADER_STATUS=0
	kill -HUP "$LOADER_PID"
	wait_for 10 is_gone "$LOADER_PID"
	wait_for 5 is_detached
}

# with_manager NAME [OPTION...]: start_loader with a manager that hears at the socket of that name; what it hears is in HEARD.
with_manager()
{
	HEARD=$BATS_FILE_TMPDIR/manager.out
	start_ready manager in_server "$BATS_TEST_DIRNAME/../tools/notify_receiver.py" "$1"
	RECEIVER=$STARTED
	NOTIFY_SOCKET=$1 WATCHDOG_USEC=${WATCHDOG_USEC:-} start_loader "${@:2}"
}

heard()
{
	wait_for 5 has_text "$HEARD" "$1" && return
	cat "$HEARD" >&2
	return 1
}

# is_in_order: the states that the manager has heard, each once however often it came in a row.
is_in_order()
{
	is_equal "$(grep -v '^ready$' "$HEARD" | cut -d' ' -f1 | grep -v WATCHDOG | uniq | xargs)" "$1"
}

@test "the service manager hears when it is ready, reloads and stops" {
	config 'port = 80'
	with_manager "$BATS_TEST_TMPDIR/notify" --config="$CONFIG" -a 10.0.0.2
	heard 'READY=1 STATUS=answering TCP port 80 on 10.0.0.2'
	config 'port = 81'
	hang_up "answering TCP port 81 on"
	heard 'READY=1 STATUS=answering TCP port 81 on 10.0.0.2'
	config 'port = none'
	hang_up "nothing is changed"
	heard "READY=1 STATUS=as before, since $CONFIG:1: --port: 'none':"
	stop_loader
	heard 'STOPPING=1 STATUS=detached, 0 open connections'
	is_in_order 'READY=1 RELOADING=1 READY=1 RELOADING=1 READY=1 STOPPING=1'
	# As systemd wants it, by a clock that both have.
	is_equal "$(($(sed -n 's/RELOADING=1 MONOTONIC_USEC=//p' "$HEARD" | tail -n 1) / 1000000 <= $(cut -d. -f1 /proc/uptime) + 1))" 1
}

@test "the watchdog is fed by an abstract socket, and children know nothing of it" {
	WATCHDOG_USEC=100000 with_manager "@nolisten-test-$$" -s 'exec:env'
	heard 'WATCHDOG=1'
	is_equal "$(echo_back 10.0.0.2 34567 '' | grep -cE '^(NOTIFY_SOCKET|WATCHDOG_)')" 0
	: >"$HEARD"
	heard 'WATCHDOG=1'
	stop_loader
}

@test "one that is not up says so to no manager" {
	HEARD=$BATS_FILE_TMPDIR/manager.out
	start_ready manager in_server "$BATS_TEST_DIRNAME/../tools/notify_receiver.py" "$BATS_TEST_TMPDIR/notify"
	RECEIVER=$STARTED
	NOTIFY_SOCKET=$BATS_TEST_TMPDIR/notify refused_loader 1 "--address: 10.8.0.0/24 is not local" -a 10.8.0.0/24 eth0
	is_equal "$(<"$HEARD")" ready
}

@test "a manager that cannot be reached, or does not read, hinders nothing" {
	NOTIFY_SOCKET=$BATS_TEST_TMPDIR/nothing start_loader
	has_text "$LOADER_LOG" "cannot reach the service manager: No such file or directory"
	is_equal "$(echo_back 10.0.0.2 34567 hello)" hello
	stop_loader
	WATCHDOG_USEC=2000 with_manager "$BATS_TEST_TMPDIR/notify"
	heard 'WATCHDOG=1'
	kill -STOP "$RECEIVER"
	is_equal "$(echo_back 10.0.0.2 34567 hello)" hello
	stop_loader
	is_equal "$LOADER_STATUS" 0
}

@test "the manager hears of all VLANs' processes together" {
	ip -n "$SERVER" link add link eth0 name eth0.5 type vlan id 5 2>/dev/null ||
		skip "this kernel makes no VLAN devices (CONFIG_VLAN_8021Q)"
	ip -n "$SERVER" link set eth0.5 up
	with_manager "$BATS_TEST_TMPDIR/notify" --vlan=5
	heard 'READY=1 STATUS=answering'
	stop_loader
	heard 'STOPPING=1'
	is_in_order 'READY=1 STOPPING=1'
	is_equal "$(grep -c 'READY=1' "$HEARD")" 1
	ip -n "$SERVER" link del eth0.5
}
