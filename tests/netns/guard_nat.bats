#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# guard --nat: a segment that conntrack finds INVALID does not reset the container whose connection it is.
load helpers
load container

setup_file()
{
	lab_up
	container_up
}

teardown_file()
{
	lab_down "$CONTAINER"
}

setup()
{
	GUARD=
	STARTS=()
}

teardown()
{
	local pid
	for pid in "$GUARD" "${STARTS[@]}"; do
		[ -z "$pid" ] || stop "$pid" KILL
	done
}

# guard_nat [OPTION...]: on the server's eth0.
guard_nat()
{
	start guard ip netns exec "$SERVER" "$NOLISTEN" guard eth0 --nat "$@"
	GUARD=$STARTED
	wait_for 10 has_text "$BATS_FILE_TMPDIR/guard.err" guarding && return
	cat "$BATS_FILE_TMPDIR/guard.err" >&2
	return 1
}

end_guard()
{
	stop "$GUARD" INT
	GUARD=
	is_equal "$(in_server bpftool net show | grep -c nol_)" 0
}

nat_counter()
{
	in_server "$NOLISTEN" guard --list -j | jq ".counters.$1"
}

has_nat_counter()
{
	[ "$(nat_counter "$1")" -ge "$2" ]
}

@test "without a guard the host resets the connection of a container that it masquerades for" {
	open_out 10.0.0.2 7300
	send_far 10.0.0.1 7300 10.0.0.2 "$(remote_port_at "$CLIENT" 7300)"
	wait_for 5 has_no_connection_at "$CLIENT" 7300
}

@test "keeps a masqueraded connection, over both families" {
	local host port=7301
	guard_nat
	for host in 10.0.0.2 fd00::2; do
		open_out "$host" "$port"
		send_far "${host%2}1" "$port" "$host" "$(remote_port_at "$CLIENT" "$port")"
		port=$((port + 1))
		wait_for 5 has_nat_counter rst_nat $((port - 7301))
		still_talks
	done
	is_equal "$(nat_counter rst_dropped)" 2
	end_guard
}

@test "keeps a connection to a published port, though a proxy listens there on the host" {
	start_kernel_server 7310
	STARTS+=("$KERNEL_SERVER")
	start_ready inside nsenter --net="/run/netns/$CONTAINER" "$TOOLS/echo_server" 7311
	STARTS+=("$STARTED")
	guard_nat
	in_server nft 'add chain inet container_nat prerouting { type nat hook prerouting priority -100; }'
	in_server nft add rule inet container_nat prerouting tcp dport 7310 dnat ip to 10.9.0.2:7311
	talk "$CLIENT" 10.0.0.2 7310
	start rst ip netns exec "$SERVER" "$NOLISTEN" explain --rst -j eth0
	STARTS+=("$STARTED")
	wait_for 10 has_text "$BATS_FILE_TMPDIR/rst.err" 'watching RSTs'
	send_far 10.0.0.1 "$(in_client ss -Htn | awk '$5 ~ /:7310$/ { sub(/.*:/, "", $4); print $4 }')" 10.0.0.2 7310
	wait_for 5 has_nat_counter rst_nat 1
	still_talks
	wait_for 5 has_text "$BATS_FILE_TMPDIR/rst.out" '"owner":"10.9.0.2:7311"'
	in_server nft delete chain inet container_nat prerouting
	end_guard
}

@test "lets every other RST go: of a closed port, of this host's own connections, of a rule that rejects" {
	guard_nat
	is_refused 10.0.0.2 7320
	is_refused fd00::2 7320
	start_ready resetter nsenter --net="/run/netns/$SERVER" python3 -c '
import socket
listener = socket.create_server(("10.0.0.2", 7321))
print("ready", flush=True)
one = listener.accept()[0]
one.recv(1)
one.close()
'
	STARTS+=("$STARTED")
	run in_client python3 -c '
import socket
one = socket.create_connection(("10.0.0.2", 7321), 5)
one.send(b"unread")
one.recv(1)
'
	[[ $output == *ConnectionResetError* ]]
	open_out 10.0.0.2 7322
	in_server nft 'add chain inet container_nat forward { type filter hook forward priority 0; }'
	in_server nft add rule inet container_nat forward tcp sport 7322 reject with tcp reset
	echo again >&"$TALK"
	wait_for 5 has_no_connection_at "$CLIENT" 7322
	in_server nft delete chain inet container_nat forward
	is_equal "$(nat_counter rst_nat)" 0
	end_guard
}

# start_host_guard OPTION...: on the server's eth0, without --nat.
start_host_guard()
{
	start guard ip netns exec "$SERVER" "$NOLISTEN" guard eth0 "$@"
	GUARD=$STARTED
	wait_for 10 has_text "$BATS_FILE_TMPDIR/guard.err" guarding
}

# echo_from_container HOST PORT LOCAL_PORT: what comes back to the container, whose port the host keeps.
echo_from_container()
{
	printf text | nsenter --net="/run/netns/$CONTAINER" timeout 10 nc -N -w 5 -p "$3" "$1" "$2"
}

@test "leaves what it masquerades alone on guarded and on leased ports" {
	start_ready echo nsenter --net="/run/netns/$CLIENT" "$TOOLS/echo_server" 7340
	STARTS+=("$STARTED")
	start_host_guard -p 1024-1099
	is_equal "$(echo_from_container 10.0.0.1 7340 1050)" text
	is_equal "$(echo_from_container fd00::1 7340 1051)" text
	is_equal "$(nat_counter in_ended)" 0
	end_guard
	start_host_guard --lease=port
	in_server env -C "$BATS_TEST_DIRNAME/../tools" python3 raw_syns.py 10.0.0.2 10.0.0.1 9 100
	is_equal "$(echo_from_container 10.0.0.1 7340 1060)" text
	end_guard
}

@test "guards nothing else alone, and raw sockets as well beside a command or ports" {
	guard_nat
	has_text "$BATS_FILE_TMPDIR/guard.err" 'guarding what conntrack translates for others'
	is_equal "$(in_server "$NOLISTEN" guard --list -j | jq -r '"\(.mode) \(.nat)"')" "ports true"
	end_guard
	guard_nat -p 7330
	has_text "$BATS_FILE_TMPDIR/guard.err" 'guarding ports 7330, and what conntrack translates'
	end_guard
}
