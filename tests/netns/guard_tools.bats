#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# nolisten guard and the tools for which it was made, each without it and with it.
load helpers
load guard
load raw_tools

setup_file()
{
	tools_lab_up
	dropbearkey -t ed25519 -f "$BATS_FILE_TMPDIR/key" | grep ^ssh- >"$BATS_FILE_TMPDIR/key.pub"
	start_sshd "$SERVER" && export SSHD_REMOTE=$STARTED
	start_sshd "$CLIENT" && export SSHD_LOCAL=$STARTED
}

# start_sshd NAMESPACE: on port 2200, for the key of this test, which only it finds in root's home.
start_sshd()
{
	start "sshd-$1" ip netns exec "$1" unshare -m sh -c '
		mount -t tmpfs -o mode=700 tmpfs /root && mkdir -m 700 /root/.ssh && cp "$0.pub" /root/.ssh/authorized_keys &&
		exec dropbear -F -E -R -s -p 2200 -P /root/pid -r "$0"' "$BATS_FILE_TMPDIR/key"
	wait_for 10 listens "$1" 2200
}

listens()
{
	in_namespace "$1" ss -Hltn "sport = :$2" | grep -q .
}

# by_ssh in_client|in_server ADDRESS: in which network namespace one is there.
by_ssh()
{
	"$1" env HOME="$BATS_TEST_TMPDIR" timeout $((20 * PATIENCE)) dbclient -y -y -i "$BATS_FILE_TMPDIR/key" -p 2200 "root@$2" readlink /proc/self/ns/net 2>/dev/null
}

teardown_file()
{
	lab_down
}

setup()
{
	LOADER_NAMESPACE=$CLIENT
}

teardown()
{
	stop_leftover_loader
	[ -z "${GUARD_PID:-}" ] || is_gone "$GUARD_PID" || stop "$GUARD_PID" KILL
}

guards_are()
{
	[ "$(listed 'select(.type == "guard") | .type' | wc -l)" = "$1" ]
}

# goes_both_ways SERVER CLIENT: curl and ssh from this host; ssh and nc to it, where the loader echoes on port 4000.
goes_both_ways()
{
	in_client curl -sf --max-time $((20 * PATIENCE)) "http://$1:8080/file" | cmp - "$BATS_FILE_TMPDIR/www/file"
	is_equal "$(by_ssh in_client "${1//[][]/}")" "$(readlink "/proc/$SSHD_REMOTE/ns/net")"
	is_equal "$(by_ssh in_server "$2")" "$(readlink "/proc/$SSHD_LOCAL/ns/net")"
	is_equal "$(printf text | in_server timeout $((20 * PATIENCE)) nc -N "$2" 4000)" text
}

@test "masscan gets every banner of a thousand, IPv4 and IPv6 at once; two guards, a loader, curl and ssh beside each other" {
	local rsts banners
	rsts=$(rsts_out 1000 1999)
	is_equal "$(masscan_banners 4 0)" 0
	[ $(($(rsts_out 1000 1999) - rsts)) -ge 900 ]
	start_loader -q -p 4000
	guard_with
	masscan_banners 4 3 >"$BATS_TEST_TMPDIR/banners" 3>&- &
	banners=$!
	masscan_banners 6 3 >"$BATS_TEST_TMPDIR/banners6" 3>&- &
	banners="$banners $!"
	wait_for 10 guards_are 2
	goes_both_ways 10.0.0.2 10.0.0.1
	goes_both_ways '[fd00::2]' fd00::1
	# shellcheck disable=SC2086
	wait $banners
	is_equal "$(cat "$BATS_TEST_TMPDIR/banners" "$BATS_TEST_TMPDIR/banners6" | xargs)" "1000 1000"
	stop_loader
}

@test "zmap's SYN-ACKs become connections of the program behind it" {
	is_equal "$(zmap_banners)" 0
	guard_with
	is_equal "$(zmap_banners)" 64
}

@test "scapy's own handshake and HTTP request get the file" {
	local family rsts
	for family in 4 6; do
		without_guard
		not scapy_gets $family 30001
		guard_with
		rsts=$(rsts_out 8080)
		scapy_gets $family 30002
		is_equal "$(rsts_out 8080)" "$rsts"
	done
}

# Where nothing holds them back RSTs leave; a guard that has ended holds back none, so they are counted before that.
@test "hping3 sees every SYN-ACK, and no RST leaves" {
	local rsts
	rsts=$(rsts_out 1500)
	hping3_starts
	wait_for 20 hping3_has_seen 10
	stop "$STARTED"
	[ $(($(rsts_out 1500) - rsts)) -ge 10 ]
	guard_with
	rsts=$(rsts_out 1500)
	hping3_starts
	GUARD_PID=$STARTED
	wait_for 20 hping3_has_seen 10
	is_equal "$(rsts_out 1500)" "$rsts"
	stop "$GUARD_PID"
}

@test "nmap -sS and -sA say the same with a guard, by flow and by port" {
	local family scan plain
	for family in 4 6; do
		for scan in -sS -sA; do
			without_guard
			plain=$(nmap_states $family $scan)
			[[ $plain == *995/tcp* || $plain == *ports* ]]
			guard_with
			is_equal "$(nmap_states $family $scan)" "$plain"
			guard_with --lease=port
			is_equal "$(nmap_states $family $scan)" "$plain"
		done
	done
}

# is_own_tcp WAY GUARD-OPTION...: both families, without a guard and with it.
is_own_tcp()
{
	local way=$1 family rsts
	shift
	for family in 4 6; do
		without_guard
		is_equal "$(own_tcp $family "$way" from=40001 2>&1 | head -n 1)" "port 40001: reset by the remote after 0 bytes"
		guard_with "$@"
		rsts=$(rsts_out 7000)
		is_equal "$(own_tcp $family "$way" from=40002 bytes=1000000 lose=100)" \
			"1 of 1 connections, 1000000 bytes intact in both directions"
		is_equal "$(own_tcp $family "$way" from=40010 bytes=100 connections=50)" \
			"50 of 50 connections, 5000 bytes intact in both directions"
		is_equal "$(rsts_out 7000)" "$rsts"
	done
}

@test "a TCP in user space is served by raw and packet sockets, past the queueing discipline by --port" {
	is_own_tcp raw
	is_own_tcp packet
	is_own_tcp packet --lease=port
	is_own_tcp bypass -p 40002-40059
}

# Such a socket is seen within a second; until then it misses what comes, and sends its SYN again.
@test "a TCP in user space is served by packet sockets for one protocol" {
	local family rsts
	guard_with
	for family in 4 6; do
		rsts=$(rsts_out 7000)
		is_equal "$(own_tcp $family packet from=40060 bytes=100000 protocols=1)" "1 of 1 connections, 100000 bytes intact in both directions"
		is_equal "$(rsts_out 7000)" "$rsts"
	done
}

# wire_of NAMESPACE NAME: tcpdump's lines of what the server sends on port 7000, without the time, in NAME.out.
wire_of()
{
	start "$2" ip netns exec "$1" tcpdump -i eth0 -n -t -l -S -B 16384 tcp and src port 7000
	wait_for 10 has_text "$BATS_FILE_TMPDIR/$2.err" listening
}

# What two processors send may change places by the way.
is_seen_by_both()
{
	grep -q 'Flags \[F' "$BATS_FILE_TMPDIR/sent.out" &&
		diff <(sort "$BATS_FILE_TMPDIR/sent.out") <(sort "$BATS_FILE_TMPDIR/seen.out")
}

@test "tcpdump beside it sees every segment that the server sends, where they end and where they go on" {
	local way tcpdumps
	guard_with
	for way in packet raw; do
		wire_of "$SERVER" sent
		tcpdumps=$STARTED
		wire_of "$CLIENT" seen
		tcpdumps="$tcpdumps $STARTED"
		is_equal "$(own_tcp 4 $way from=40100 bytes=200000)" "1 of 1 connections, 200000 bytes intact in both directions"
		wait_for 10 is_seen_by_both || {
			is_seen_by_both >&2
			tail -n 3 "$BATS_FILE_TMPDIR"/se[en]*.err >&2
			return 1
		}
		for STARTED in $tcpdumps; do
			stop "$STARTED"
		done
	done
}

# host_state: filters, programs, rules; the links of a guard are gone if nothing is guarded.
host_state()
{
	in_client tc qdisc show
	in_client tc filter show dev eth0 ingress
	in_client tc filter show dev eth0 egress
	in_client bpftool net
	in_client nft -s list ruleset
	in_client iptables-save | sed '/^#/d; s/\[.*//'
	in_client ip6tables-save | sed '/^#/d; s/\[.*//'
}

is_busy()
{
	[ "$(listed 'select(.type == "lease") | .in')" -ge 10 ]
}

@test "kill -9 of the tool, of the guard and of both leaves tc, nft and iptables as they were, and other rules alone" {
	local victims before tool guard port=40200
	has_tcx || skip "no TCX"
	in_client iptables -A OUTPUT -p udp --dport 9 -j ACCEPT
	before=$(host_state)
	[[ $before == *"-A OUTPUT"* ]]
	for victims in tool guard "tool guard"; do
		start guard ip netns exec "$CLIENT" "$NOLISTEN" guard eth0 -q -- \
			"$TOOLS/own_tcp" packet eth0 "$SERVER_MAC" 10.0.0.1 10.0.0.2 7000 from=$((port += 10)) bytes=100000000000
		guard=$STARTED
		GUARD_PID=$guard
		wait_for 10 is_busy
		tool=$(pgrep -P "$guard" -x own_tcp) || {
			cat "$BATS_FILE_TMPDIR/guard.err" >&2
			return 1
		}
		for victim in $victims; do
			kill -KILL "${!victim}"
		done
		wait_for 10 is_gone "$guard"
		is_gone "$tool" || stop "$tool" KILL
		is_equal "$(host_state)" "$before"
		is_equal "$(own_tcp 4 packet from=$((port + 1)) 2>&1 | head -n 1)" "port $((port + 1)): reset by the remote after 0 bytes"
	done
	in_client iptables -D OUTPUT -p udp --dport 9 -j ACCEPT
}

@test "a leased port with a listener and connections of the kernel's keeps working" {
	local rsts
	start_guard --lease=port
	is_equal "$(own_tcp 4 raw from=40300)" "1 of 1 connections, 1000 bytes intact in both directions"
	is_equal "$(listed 'select(.type == "lease") | .local')" 10.0.0.1:40300
	start_ready listener ip netns exec "$CLIENT" "$TOOLS/echo_server" 40300
	is_equal "$(printf text | in_server timeout 20 nc -N 10.0.0.1 40300)" text
	stop "$STARTED"
	rsts=$(rsts_out 7000)
	is_equal "$(printf text | in_client timeout 20 nc -N -p 40300 10.0.0.2 7000)" text
	is_equal "$(rsts_out 7000)" "$rsts"
	stop "$GUARD_PID"
}
