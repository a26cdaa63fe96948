#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# nolisten_connect(): a loader on the client's side opens connections for applications.
load helpers
load applications
load connect_command

setup_file()
{
	lab_up
	build_examples
	export LIBRARY=$BATS_FILE_TMPDIR/root/usr/lib/libnolisten.so.0
	start_kernel_server 2000 "220 ready"
	wait_for 5 in_client nc -z 10.0.0.2 2000
}

teardown_file()
{
	lab_down
}

setup()
{
	LOADER_PID=
	WAITING=
	chmod 755 "$BATS_RUN_TMPDIR" "$BATS_FILE_TMPDIR" "$BATS_TEST_TMPDIR"
	NOLISTEN_SOCKET=$BATS_TEST_TMPDIR/socket
	export NOLISTEN_SOCKET
}

teardown()
{
	[ -z "$WAITING" ] || stop "$WAITING" KILL
	stop_leftover_loader
	in_server nft flush ruleset
}

# serve [SETTING...]: a loader on the client's side.
serve()
{
	LOADER_NAMESPACE=$CLIENT start_loader -q -p 8000-8009 -s "socket:$NOLISTEN_SOCKET${1:+,$1}" "${@:2}"
}

# is_open: a connection is in the making to where nobody answers.
is_open()
{
	[ -n "$(in_client ss -Htn dst 10.0.0.2:9)" ]
}

connecting()
{
	python3 "$REPO/tests/tools/connecting.py" "$LIBRARY" "$@"
}

@test "the example connects to several addresses at once, by a SYN as it wants it" {
	serve connect=yes -m engine
	start_capture "tcp[tcpflags] == tcp-syn"
	run "$EXAMPLES/connect" 10.0.0.2 fd00::2 127.0.0.1 2000
	is_equal "$(sort <<<"$output")" "$(sort <<-'EOF2'
		10.0.0.2: TTL 64, window 64240, 6 options; says 220 ready
		127.0.0.1: Connection refused
		fd00::2: TTL 64, window 64800, 6 options; says 220 ready
	EOF2
	)"
	wait_for 5 has_captured 1
	stop "$CAPTURE_PID"
	expect "win 65535, options [mss 1460,nop,wscale 10,nop,nop,sackOK], length 0" captured
	expect "ttl 128" captured -v
	# The loader does its work as ever.
	stop_loader
}

@test "whatever the method, and with the socket in blocking mode" {
	local method
	for method in auto filter; do
		serve connect=yes -m $method
		expect "True " connecting wait 10.0.0.2 2000
		expect " 220 ready" connecting wait fd00::2 2000
		is_equal "$(connecting wait 10.0.0.2 2000 $((4700 + ${#method})))" "True $((4700 + ${#method})) 220 ready"
		stop_loader
	done
}

@test "errors are connect()'s, and in words" {
	serve connect=yes
	is_equal "$(connecting wait 10.0.0.2 9)" "-111 Connection refused"
	in_server nft -f - <<<'table inet t { chain c { type filter hook input priority 0;
		tcp dport 9 drop; tcp dport 21 reject with icmpx type admin-prohibited; }; }'
	is_equal "$(TIMEOUT_MS=100 connecting wait 10.0.0.2 9)" "-110 Connection timed out"
	is_equal "$(connecting wait fd00::2 21)" "-13 Permission denied (ICMP administratively prohibited, from fd00::2)"
	is_equal "$(connecting wait 192.0.2.1 9)" "-101 Network is unreachable"
	start holder ip netns exec "$CLIENT" nc -l 4600
	wait_for 5 in_client sh -c "ss -Htln | grep -q :4600"
	is_equal "$(connecting wait 10.0.0.2 2000 4600)" "-98 Address already in use"
	stop "$STARTED"
	stop_loader
	is_equal "$(connecting wait 10.0.0.2 2000)" "-2 $NOLISTEN_SOCKET: No such file or directory"
}

@test "nobody may unless the loader is told so, and not everybody" {
	serve
	is_equal "$(connecting wait 10.0.0.2 2000)" "-13 the loader opens no connections (--service=socket:PATH,connect=yes)"
	stop_loader
	serve connect=yes,mode=666
	as_nobody()
	{
		setpriv --reuid=65534 --regid=65534 --clear-groups --inh-caps=-all python3 - "$LIBRARY" "$@" <"$REPO/tests/tools/connecting.py"
	}
	expect " 220 ready" as_nobody wait 10.0.0.2 2000
	is_equal "$(as_nobody wait 10.0.0.2 2000 80)" "-13 only root may connect from a port below 1024"
	expect "True 80 220 ready" connecting wait 10.0.0.2 2000 80
	stop_loader
	serve connect=yes
	is_equal "$(as_nobody wait 10.0.0.2 2000)" "-13 $NOLISTEN_SOCKET: Permission denied"
	refused_loader 2 "connect=yes or no" -s "socket:$NOLISTEN_SOCKET,connect=maybe" eth0
}

@test "32 at a time; one that is given up leaves nothing" {
	serve connect=yes
	in_server nft -f - <<<'table inet t { chain c { type filter hook input priority 0; tcp dport 9 drop; }; }'
	is_equal "$(TIMEOUT_MS=300 connecting many 10.0.0.2 9)" $'-110 32\n-11 8'
	is_equal "$(in_client ss -Htn)" ""
	is_equal "$(connecting many 10.0.0.2 2000 | tail -n 1 | cut -d ' ' -f 1)" 0
	mkfifo "$BATS_TEST_TMPDIR/in"
	TIMEOUT_MS=0 connecting cancel 10.0.0.2 9 <>"$BATS_TEST_TMPDIR/in" >"$BATS_TEST_TMPDIR/out" 3>&- &
	WAITING=$!
	wait_for 5 has_text "$BATS_TEST_TMPDIR/out" started
	wait_for 5 is_open
	echo >"$BATS_TEST_TMPDIR/in"
	wait $WAITING
	wait_for 5 not is_open
}

@test "a loader that ends says so, and leaves nothing open" {
	serve connect=yes
	in_server nft -f - <<<'table inet t { chain c { type filter hook input priority 0; tcp dport 9 drop; }; }'
	TIMEOUT_MS=0 connecting wait 10.0.0.2 9 >"$BATS_TEST_TMPDIR/out" 3>&- &
	WAITING=$!
	wait_for 5 is_open
	stop_loader
	is_equal "$LOADER_STATUS" 0
	wait_for 5 is_gone $WAITING
	is_equal "$(<"$BATS_TEST_TMPDIR/out")" "-108 the loader has hung up"
	is_untouched
}

@test "rubbish gets its name, and harms nobody" {
	serve connect=yes
	run connecting rubbish
	is_equal "$(grep -c 'hung up$' <<<"$output"),${#lines[@]}" 9,14
	expect "options twice: Invalid argument" echo "$output"
	expect "to everybody: Network is unreachable" echo "$output"
	expect "of two families: Invalid argument" echo "$output"
	expect "from elsewhere: Cannot assign requested address" echo "$output"
	expect " 220 ready" connecting wait 10.0.0.2 2000
}
