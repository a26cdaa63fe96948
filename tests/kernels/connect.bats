#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# Active opens on every kernel: two sockets on one 4-tuple for a moment, and a hand-off without a packet of the remote's.
load ../netns/helpers

setup_file()
{
	lab_up
	start_kernel_server 7
	start_kernel_server 2000 "220 ready"
}

teardown_file()
{
	lab_down
}

connect()
{
	in_client timeout $((20 * PATIENCE)) "$NOLISTEN" connect "$@"
}

@test "connect: what a server says first arrives, and what it is told, both families" {
	local host
	for host in 10.0.0.2 fd00::2; do
		is_equal "$(connect $host 2000 </dev/null)" "220 ready"
		is_equal "$(connect $host 7 <<<"hello")" hello
		is_equal "$(connect -o mss,nop,ws --window=100 --ttl=9 $host 7 <<<"hello")" hello
		expect "Connection refused" connect $host 9
	done
}

@test "connect: over a link-local address, lo, and a simultaneous open" {
	wait_for 10 has_link_local
	is_equal "$(connect "$(link_local)%eth0" 2000 </dev/null)" "220 ready"
	is_equal "$(in_server timeout $((20 * PATIENCE)) "$NOLISTEN" connect 127.0.0.1 2000 </dev/null)" "220 ready"
	in_server nft -f - <<-'EOF2'
		table inet t { counter syns { }; chain c { type filter hook prerouting priority 0;
			tcp dport 4301 tcp flags & (syn | ack) == syn counter name syns drop; }; }
	EOF2
	in_client "$NOLISTEN" connect -p 4300 10.0.0.2 4301 <<<"from client" >"$BATS_TEST_TMPDIR/out" 3>&- &
	wait_for 5 has_called
	is_equal "$(in_server timeout $((10 * PATIENCE)) nc -N -p 4301 10.0.0.1 4300 <<<"from server")" "from client"
	wait $!
	is_equal "$(<"$BATS_TEST_TMPDIR/out")" "from server"
}

has_called()
{
	[[ $(in_server nft list counter inet t syns) != *"packets 0"* ]]
}

@test "connect: nothing is left of one that is killed" {
	in_server nft -f - <<<'table inet u { chain c { type filter hook input priority 0; tcp dport 9 drop; }; }'
	start waiting ip netns exec "$CLIENT" "$NOLISTEN" connect -p 4400 10.0.0.2 9
	wait_for 5 is_open
	stop "$STARTED" KILL
	wait_for 5 not is_open
	in_server nft flush ruleset
	expect "Connection refused" connect -p 4400 10.0.0.2 9
}

is_open()
{
	[ -n "$(in_client ss -Htn dst 10.0.0.2:9)" ]
}
