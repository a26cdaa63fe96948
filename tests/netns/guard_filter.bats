#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# guard --method=filter: the same by nftables, where BPF is not allowed; per flow, and gone with the process.
load helpers
load guard

SENDER=$BATS_TEST_DIRNAME/../tools/raw_sender.py

setup_file()
{
	guard_lab_up
	BEHIND=$(add_namespace b)
	export BEHIND
	# Local ports of the client from which a RST has come.
	in_server nft -f - <<-'EOF'
		table inet seen {
			set resets { type inet_service; flags dynamic; size 1024; }
			chain input {
				type filter hook input priority 0
				tcp flags & rst == rst add @resets { tcp sport }
			}
		}
	EOF
}

teardown_file()
{
	lab_down "$BEHIND"
}

setup()
{
	GUARD_PID=
}

teardown()
{
	[ -z "$GUARD_PID" ] || stop "$GUARD_PID" KILL
}

start_filter()
{
	start_guard --method=filter "$@"
	has_text "$GUARD_LOG" '(nftables)'
}

end_guard()
{
	stop "$GUARD_PID" INT
	GUARD_PID=
	is_unguarded
}

# send_in ENDS REMOTE-PORT LOCAL-PORT: a SYN-ACK to the client's port, which nobody has asked for.
send_in()
{
	local ends
	read -r -a ends <<<"$1"
	in_server python3 "$SENDER" "${ends[1]}" "$2" "${ends[0]}" "$3" SA 7 7
}

# send_out ENDS LOCAL-PORT REMOTE-PORT: a SYN from a raw socket.
send_out()
{
	# shellcheck disable=SC2086
	set -- $1 "$2" "$3"
	in_client python3 "$SENDER" "$1" "$3" "$2" "$4" S 1000
}

is_leased()
{
	in_client nft list ruleset | grep -qE "(\. |= \{ |, )?$1 "
}

was_reset()
{
	in_server nft list set inet seen resets | grep -qw "$1"
}

# stopped: RSTs so far.
has_stopped()
{
	in_client nft list counters | grep -q "packets $1 "
}

# not_reset COUNT PORT: so many RSTs were stopped, and none has come from that port.
not_reset()
{
	wait_for 5 has_stopped "$1"
	not was_reset "$2"
}

@test "keeps what raw and packet sockets open on these ports, for a command" {
	local ends kind
	for ends in "$V4" "$V6"; do
		for kind in header tcp packet; do
			# shellcheck disable=SC2086
			is_equal "$(guarded --method=filter -p 45000-45009 -- python3 "$REPO/tests/tools/raw_client.py" \
				--mac="$SERVER_MAC" --socket=$kind --port=4500$((RANDOM % 10)) $ends 80 hello)" "answered hello"
		done
	done
	is_unguarded
}

@test "leases flows that raw sockets open, and no others" {
	local ends
	start_filter
	for ends in "$V4" "$V6"; do
		send_out "$ends" 45010 9
		wait_for 5 is_leased "${ends% *} . 45010 . ${ends#* } . 9"
	done
	send_in "$V4" 9 45010
	send_in "$V6" 9 45010
	not_reset 2 45010
	# The same port towards another one, and another port.
	send_in "$V4" 10 45010
	wait_for 5 was_reset 45010
	send_in "$V6" 9 45011
	wait_for 5 was_reset 45011
	has_stopped 2
	end_guard
}

@test "leases flows that packet sockets open" {
	start_filter
	in_client nc -z 10.0.0.2 80
	in_client python3 "$SENDER" -p eth0 10.0.0.1 45020 10.0.0.2 9 S 1000
	wait_for 5 is_leased "45020 . 10.0.0.2 . 9"
	send_in "$V4" 9 45020
	not_reset 1 45020
	end_guard
}

@test "leases ports" {
	start_filter --lease=port
	send_out "$V4" 45030 9
	wait_for 5 is_leased "10.0.0.1 . 45030"
	send_in "$V4" 11 45030
	not_reset 1 45030
	end_guard
}

# lease_ms PORT: what the lease of that flow has left; nothing: there is none.
lease_ms()
{
	in_client nft -j list ruleset | jq ".nftables[].set? // empty | select(.name == \"leases_v4\") | .elem[]?.elem |
		select(.val.concat[1] == $1) | .expires" | tail -n 1
}

has_at_least()
{
	[ "$(lease_ms "$1")" -ge "$2" ]
}

@test "renews a lease by what is sent, and ends it when nothing is" {
	start_filter --expire=3
	send_out "$V4" 45035 9
	wait_for 5 has_at_least 45035 1
	wait_for 5 not has_at_least 45035 2
	send_out "$V4" 45035 9
	wait_for 5 has_at_least 45035 2
	wait_for 6 not has_at_least 45035 0
	end_guard
}

@test "does not lease what kernel sockets send, nor stop their RSTs" {
	start_filter
	is_equal "$(echo_back 10.0.0.2 80 hello)" hello
	send_out "$V4" 45040 9
	wait_for 5 is_leased "45040 . 10.0.0.2 . 9"
	not is_leased "10.0.0.2 . 80"
	end_guard
	start_filter -p 45041-45049
	start_ready listener nsenter --net="/run/netns/$CLIENT" "$TOOLS/echo_server" 45041
	is_equal "$(printf hello | in_server timeout 5 nc -N 10.0.0.1 45041)" hello
	is_equal "$(printf hello | in_server timeout 5 nc -N fd00::1 45041)" hello
	stop "$STARTED"
	in_client python3 -c '
import socket, struct
one = socket.socket()
one.bind(("10.0.0.1", 45042))
one.connect(("10.0.0.2", 80))
one.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
'
	wait_for 5 was_reset 45042
	end_guard
}

@test "does not lease what the host forwards" {
	local i host
	join "$CLIENT" eth1 "$BEHIND" eth0
	address "$CLIENT" eth1 10.0.1.1/24 fd01::1/64
	address "$BEHIND" eth0 10.0.1.2/24 fd01::2/64
	ip -n "$BEHIND" route add default via 10.0.1.1
	ip -n "$BEHIND" route add default via fd01::1
	ip -n "$SERVER" route add 10.0.1.0/24 via 10.0.0.1
	ip -n "$SERVER" route add fd01::/64 via fd00::1
	in_client sysctl -qw net.ipv4.ip_forward=1 net.ipv6.conf.all.forwarding=1
	wait_for 5 is_running "$BEHIND" eth0
	start_filter
	for i in 1 2 3 4; do
		for host in 10.0.0.2 fd00::2; do
			is_equal "$(printf text | in_namespace "$BEHIND" timeout 10 nc -N -w 5 "$host" 80)" text
		done
	done
	# What was sent before is looked at before.
	send_out "$V4" 45045 9
	wait_for 5 is_leased "45045 . 10.0.0.2 . 9"
	end_guard
	has_text "$GUARD_LOG" 'eth0: 1 leases, 0 RSTs stopped'
}

@test "guards flows with these remotes only" {
	start_filter -p 45050-45059 -r 10.0.0.9,fd00::2
	send_in "$V6" 9 45050
	not_reset 1 45050
	send_in "$V4" 9 45051
	wait_for 5 was_reset 45051
	end_guard
}

@test "leaves nothing behind when it is killed, and its command lives on" {
	start guard ip netns exec "$CLIENT" "$NOLISTEN" guard eth0 --method=filter -- sleep 60
	GUARD_PID=$STARTED
	wait_for 10 has_text "$BATS_FILE_TMPDIR/guard.err" guarding
	local command
	wait_for 5 pgrep -P "$GUARD_PID" sleep
	command=$(pgrep -P "$GUARD_PID" sleep)
	stop "$GUARD_PID" KILL
	GUARD_PID=
	wait_for 5 is_unguarded
	kill "$command"
}

@test "needs no right to load BPF" {
	start guard ip netns exec "$CLIENT" setpriv --bounding-set=-all,+net_admin,+net_raw "$NOLISTEN" guard eth0 --method=filter
	GUARD_PID=$STARTED
	GUARD_LOG=$BATS_FILE_TMPDIR/guard.err
	wait_for 10 has_text "$GUARD_LOG" guarding
	send_out "$V4" 45060 9
	wait_for 5 is_leased "45060 . 10.0.0.2 . 9"
	send_in "$V4" 9 45060
	not_reset 1 45060
	stop "$GUARD_PID" INT
	GUARD_PID=
	has_text "$GUARD_LOG" 'eth0: 1 leases, 1 RSTs stopped'
	is_unguarded
}

@test "says how many leases had no room" {
	start_filter --max-leases=1
	send_out "$V4" 45070 9
	send_out "$V4" 45071 9
	wait_for 5 is_leased "45070 . 10.0.0.2 . 9"
	# What was sent before is looked at before.
	send_out "$V6" 45072 9
	wait_for 5 is_leased "45072 . fd00::2 . 9"
	end_guard
	has_text "$GUARD_LOG" '1 leases had no room'
}

@test "says in one line what it cannot do" {
	local words
	for words in "--nat|--nat needs BPF" "--raw=hold|--raw=hold needs BPF" "--rst=pass|another --rst needs BPF"; do
		run in_client "$NOLISTEN" guard eth0 --method=filter "${words%|*}"
		is_equal "$status ${#lines[@]}" "2 1"
		[[ $output == *"${words#*|}"* ]]
	done
	run in_client setpriv --bounding-set=-all "$NOLISTEN" guard eth0 --method=filter
	is_equal "$status $output" "1 nolisten: eth0: not permitted: nftables needs root, or CAP_NET_ADMIN"
	run in_client setpriv --bounding-set=-all,+net_admin "$NOLISTEN" guard eth0 --method=filter
	is_equal "$status ${#lines[@]}" "1 1"
	[[ $output == *"CAP_NET_RAW is needed; --port does without"* ]]
	is_unguarded
}
