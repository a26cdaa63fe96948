#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# Method connect: a kernel socket connects back to the client, which sees an ordinary three-way handshake.
load helpers

setup_file()
{
	lab_up
	# 60 KB leave at once with the final ACK only if the first window has room for it.
	ip -n "$CLIENT" route change 10.0.0.0/24 dev eth0 initcwnd 64
	ip -n "$CLIENT" -6 route replace fd00::/64 dev eth0 proto kernel metric 256 initcwnd 64
}

teardown_file()
{
	lab_down
}

setup()
{
	STARTED= LOADER_PID=
}

teardown()
{
	in_client nft flush ruleset
	[ -z "$STARTED" ] || stop "$STARTED"
	stop_leftover_loader
	local namespace
	for namespace in "$SERVER" "$CLIENT"; do
		in_namespace "$namespace" sysctl -qw net.ipv4.tcp_timestamps=1 \
			net.ipv4.tcp_sack=1 net.ipv4.tcp_window_scaling=1 \
			net.ipv4.tcp_early_retrans=3
		ip -n "$namespace" route change 10.0.0.0/24 dev eth0 initcwnd 64
		ip -n "$namespace" -6 route replace fd00::/64 dev eth0 proto kernel metric 256 initcwnd 64
	done
}

connect_back()
{
	start_loader -m connect "$@"
}

# No answer of a busy machine is late enough to be taken for a loss; teardown ends it.
be_patient_here()
{
	be_patient_on_eth0 initcwnd 64
}

# hold_open NAME ADDRESS: a client that stays; $STARTED. The connection is up when it returns.
hold_open()
{
	mkfifo "$BATS_TEST_TMPDIR/$1.in"
	ip netns exec "$CLIENT" nc "$2" 34567 <>"$BATS_TEST_TMPDIR/$1.in" >"$BATS_TEST_TMPDIR/$1" 2>&1 3>&- &
	STARTED=$!
	echo hello >"$BATS_TEST_TMPDIR/$1.in"
	wait_for 5 has_text "$BATS_TEST_TMPDIR/$1" hello
}

# sockets NAMESPACE [FILTER...]: one line each.
sockets()
{
	local namespace=$1
	shift
	in_namespace "$namespace" ss -Htano "$@"
}

has_sockets()
{
	local count=$1
	shift
	[ "$(sockets "$@" | wc -l)" = "$count" ]
}

# map_of_loader NAME: its id; other loaders of the host have one of that name too.
map_of_loader()
{
	local id
	for id in $(awk '$1 == "map_id:" { print $2 }' "/proc/$LOADER_PID/fdinfo/"* | sort -u); do
		[ "$(bpftool -j map show id "$id" | jq -r .name)" != "$1" ] || echo "$id"
	done
}

# lose HOOK MATCH: the client loses such packets, and counts them.
lose()
{
	in_client nft add table inet lose
	in_client nft "add chain inet lose $1 { type filter hook $1 priority 0; }"
	in_client nft "add rule inet lose $1 $2 counter drop"
}

# has_lost COUNT: at least so many.
has_lost()
{
	[ "$(in_client nft -j list ruleset | jq '[.. | .counter? // empty | .packets] | add')" -ge "$1" ]
}

SYN_ACKS='tcp sport 34567 tcp flags & (syn|ack) == syn|ack'
BARE_SYNS='tcp sport 34567 tcp flags & (syn|ack) == syn'
BARE_ACKS='tcp dport 34567 tcp flags & (syn|ack|psh|fin|rst) == ack'

@test "echoes over IPv4 and IPv6, and tells of it as ever" {
	connect_back
	is_equal "$(echo_back 10.0.0.2 34567 'hello, world')" 'hello, world'
	is_equal "$(echo_back fd00::2 34567 'hello, world')" 'hello, world'
	expect "method connect" cat "$LOADER_LOG"
	for event in syn established handed_off closed; do
		expect_event ".event == \"$event\" and .method == \"connect\" and .local == \"[fd00::2]:34567\""
	done
	expect_event '.event == "established" and .rtt_us >= 0 and .rtt_us < 5000000'
	expect_event '.event == "handed_off" and .handoff_us >= 0 and .handoff_us < 5000000'
	has_one_id_a_flow
}

@test "echoes over link-local addresses" {
	connect_back
	run in_server ip -j address show dev eth0
	local address
	address=$(jq -r '.[0].addr_info[] | select(.scope == "link") | .local' <<<"$output")
	is_equal "$(echo_back "$address%eth0" 34567 'hello, link')" 'hello, link'
}

@test "answers on lo" {
	IFACE=lo connect_back
	is_equal "$(printf 'hello, me' | in_server timeout 10 nc -N -w 5 127.0.0.1 34567)" 'hello, me'
	is_equal "$(printf 'hello, me' | in_server timeout 10 nc -N -w 5 ::1 34567)" 'hello, me'
}

@test "answers a process on the same host when it runs on lo" {
	IFACE=lo connect_back -a 10.0.0.2,fd00::2
	expect "100 connections, 100 with data" in_server "$TOOLS/burst_client" 10.0.0.2 34567 100 100
	expect "100 connections, 0 with data" in_server "$TOOLS/burst_client" fd00::2 34567 100 100 plain
}

@test "works on native XDP, and on clsact" {
	be_patient_here
	connect_back --xdp=native
	burst 200 100
	expect "200 connections" in_client "$TOOLS/burst_client" fd00::2 34567 200 64 plain
	has_counter back_ack 200
	stop_loader KILL
	connect_back --tc=clsact
	burst 200 100
	expect "200 connections" in_client "$TOOLS/burst_client" fd00::2 34567 200 64 plain
	# A filter on clsact outlives a killed loader.
	stop_loader
}

@test "works on a tun device" {
	start_ready tun_peer "$TOOLS/tun_peer" "$SERVER" "$CLIENT" tun0
	ip -n "$SERVER" link set tun0 up
	ip -n "$CLIENT" link set tun0 up
	address "$SERVER" tun0 10.2.0.2/24 fd02::2/64
	address "$CLIENT" tun0 10.2.0.1/24 fd02::1/64
	IFACE=tun0 connect_back
	for host in 10.2.0.2 fd02::2; do
		expect "200 connections, 200 with data" in_client "$TOOLS/burst_client" $host 34567 200 100
		expect "200 connections, 0 with data" in_client "$TOOLS/burst_client" $host 34567 200 64 plain
	done
	IFACE=tun0 has_counter back_ack 400
}

@test "shows no listening socket, and no trace of its own on an established one" {
	connect_back
	hold_open client 10.0.0.2
	is_equal "$(in_server ss -Hltn)" ""
	has_sockets 1 "$SERVER" state established
	# Bound to no interface: ss would show 10.0.0.2%eth0.
	[[ $(sockets "$SERVER" state established) == *" 10.0.0.2:34567 "* ]]
}

# agreed NAMESPACE: what its only established socket says of options.
agreed()
{
	local line word all=
	line=$(in_namespace "$1" ss -Htnoi state established | tail -n 1)
	for word in ts sack wscale; do
		[[ " $line" != *" $word"[\ :]* ]] || all+=" $word"
	done
	echo "$all"
}

# agree_over NAME ADDRESS EXPECTED: both ends say so of a connection, and it carries data.
agree_over()
{
	hold_open "$1" "$2"
	is_equal "$(agreed "$SERVER")" "$3"
	is_equal "$(agreed "$CLIENT")" "$3"
	stop "$STARTED"
	wait_for 5 has_sockets 0 "$SERVER" state established
}

# agree_on NAMESPACE: every combination of options that the stack there may want.
agree_on()
{
	local bits expected
	for bits in {0..7}; do
		expected=
		[ $((bits & 1)) = 0 ] || expected+=" ts"
		[ $((bits & 2)) = 0 ] || expected+=" sack"
		[ $((bits & 4)) = 0 ] || expected+=" wscale"
		in_namespace "$1" sysctl -qw net.ipv4.tcp_timestamps=$((bits & 1)) \
			net.ipv4.tcp_sack=$((bits >> 1 & 1)) net.ipv4.tcp_window_scaling=$((bits >> 2))
		agree_over "v4-$bits" 10.0.0.2 "$expected"
		agree_over "v6-$bits" fd00::2 "$expected"
	done
}

@test "agrees on what the client offers, in every combination" {
	connect_back
	agree_on "$CLIENT"
}

@test "agrees on what the server's stack offers, in every combination" {
	connect_back
	agree_on "$SERVER"
}

@test "agrees with the client's smaller MSS" {
	connect_back
	ip -n "$CLIENT" route change 10.0.0.0/24 dev eth0 initcwnd 64 advmss 700
	hold_open client 10.0.0.2
	run in_server ss -Htnoi state established
	ip -n "$CLIENT" route change 10.0.0.0/24 dev eth0 initcwnd 64
	expect " mss:688 " echo "$output"
}

@test "loses nothing of data in the final ACK, and sends nothing twice" {
	stay_on_one_processor
	be_patient_here
	connect_back
	burst 3000 100
	burst 1000 100 fd00::2
	burst 100 10240
	burst 50 10240 fd00::2
	burst 100 61440
	burst 50 61440 fd00::2
}

@test "sends nothing twice when the final ACK goes alone" {
	be_patient_here
	connect_back
	for host in 10.0.0.2 fd00::2; do
		sends_nothing_twice expect "1000 connections, 0 with data" \
			in_client "$TOOLS/burst_client" $host 34567 1000 64 plain
	done
	has_counter back_ack 2000
	has_counter back_syn_ack 2000
}

@test "takes data and FIN at any moment of the hand-off" {
	be_patient_here
	connect_back
	sends_nothing_twice expect "2000 connections" \
		in_client "$TOOLS/burst_client" 10.0.0.2 34567 2000 5 hasty
	sends_nothing_twice expect "1000 connections" \
		in_client "$TOOLS/burst_client" fd00::2 34567 1000 5 hasty
}

@test "takes connections that end by a RST" {
	connect_back
	expect "500 connections" in_client "$TOOLS/burst_client" 10.0.0.2 34567 500 64 reset
	wait_for 10 has_sockets 0 "$SERVER" exclude time-wait
}

@test "makes whole checksums where the devices make none" {
	for namespace in "$SERVER" "$CLIENT"; do
		in_namespace "$namespace" ethtool -K eth0 tx off rx off tso off gso off >/dev/null
	done
	be_patient_here
	connect_back
	burst 200 100
	burst 200 100 fd00::2
	expect "200 connections, 0 with data" in_client "$TOOLS/burst_client" 10.0.0.2 34567 200 64 plain
	is_equal "$(snmp "$CLIENT" TcpInCsumErrors),$(snmp "$SERVER" TcpInCsumErrors)" 0,0
	for namespace in "$SERVER" "$CLIENT"; do
		in_namespace "$namespace" ethtool -K eth0 tx on rx on tso on gso on >/dev/null
	done
}

@test "serves a thousand connections at once" {
	connect_back
	expect "1000 connections at once" in_client "$TOOLS/crowd_client" fd00::2 34567 1000
}

@test "takes 10,000 connections in a row that leave TIME-WAIT sockets" {
	be_patient_here
	connect_back -q -s 'banner:hello\r\n'
	sends_nothing_twice expect "10000 connections, 70000 bytes" \
		in_client "$TOOLS/banner_client" 10.0.0.2 34567 10000
	[ "$(sockets "$SERVER" state time-wait | wc -l)" -gt 1000 ]
	has_counter handed_off 10000
}

@test "takes up a connection over the TIME-WAIT socket of the last one" {
	connect_back -s 'banner:hello\r\n'
	for _ in 1 2 3; do
		is_equal "$(in_client timeout 10 nc -p 40001 -w 5 10.0.0.2 34567 </dev/null)" $'hello\r'
	done
	has_counter held_time_wait 2
}

@test "is not troubled by lost SYN-ACKs" {
	connect_back
	lose input "$SYN_ACKS"
	start client ip netns exec "$CLIENT" timeout 20 "$TOOLS/burst_client" 10.0.0.2 34567 1 100
	wait_for 5 has_lost 2
	in_client nft flush ruleset
	wait_for 10 has_text "$BATS_FILE_TMPDIR/client.out" "1 connections"
	wait_for 5 has_counter handed_off 1
	is_equal "$(counter syn)" 1
}

@test "is not troubled by lost final ACKs" {
	connect_back -s 'banner:hello\r\n'
	lose output "$BARE_ACKS"
	start client ip netns exec "$CLIENT" timeout 20 "$TOOLS/banner_client" fd00::2 34567 1
	wait_for 5 has_lost 2
	in_client nft flush ruleset
	wait_for 10 has_text "$BATS_FILE_TMPDIR/client.out" "1 connections, 7 bytes"
	is_equal "$(counter syn),$(counter handed_off)" 1,1
}

@test "takes data whose ACK before it was lost" {
	connect_back
	lose output "$BARE_ACKS"
	start client ip netns exec "$CLIENT" timeout 20 "$TOOLS/burst_client" 10.0.0.2 34567 1 100 plain
	wait_for 5 has_counter handed_off 1
	in_client nft flush ruleset
	wait_for 10 has_text "$BATS_FILE_TMPDIR/client.out" "1 connections"
}

@test "bounds half-open sockets, and gives them up" {
	connect_back --max-flows=4
	lose input "$SYN_ACKS"
	start clients ip netns exec "$CLIENT" timeout 3 "$TOOLS/crowd_client" 10.0.0.2 34567 20
	wait_for 5 has_counter table_full 10
	has_sockets 4 "$SERVER" state syn-sent
	wait_for 15 has_counter expired 4
	wait_for 5 has_sockets 0 "$SERVER" exclude time-wait
	wait_for 5 has_no_flows
	is_equal "$(bpftool -j map dump id "$(map_of_loader nol_backs)")" '[]'
}

@test "gives up a half-open connection that is reset" {
	connect_back
	lose input "$SYN_ACKS"
	in_client nft "add chain inet lose output { type filter hook output priority 0; }"
	# The client gives up: its RST answers the next SYN-ACK, which is let in again.
	start client ip netns exec "$CLIENT" timeout 1 "$TOOLS/crowd_client" 10.0.0.2 34567 1
	wait_for 5 has_sockets 1 "$SERVER" state syn-sent
	wait_for 5 is_gone "$STARTED"
	in_client nft flush ruleset
	wait_for 5 has_counter reset 1
	has_sockets 0 "$SERVER" exclude time-wait
}

@test "lets no bare SYN out when it goes away, whatever is half-open" {
	connect_back
	lose input "$SYN_ACKS"
	in_client nft "add rule inet lose input $BARE_SYNS counter accept"
	start client ip netns exec "$CLIENT" timeout 20 "$TOOLS/crowd_client" 10.0.0.2 34567 3
	wait_for 5 has_sockets 3 "$SERVER" state syn-sent
	stop_loader
	is_equal "$LOADER_STATUS" 0
	has_sockets 0 "$SERVER" exclude time-wait
	is_detached
	is_equal "$(in_client nft list ruleset | grep -c 'counter packets 0 .*accept')" 1
}

@test "leaves nothing behind when it is killed" {
	connect_back
	hold_open client 10.0.0.2
	lose input "$SYN_ACKS"
	in_client nft "add rule inet lose input $BARE_SYNS counter accept"
	start client ip netns exec "$CLIENT" timeout 20 "$TOOLS/crowd_client" fd00::2 34567 3
	wait_for 5 has_sockets 3 "$SERVER" state syn-sent
	stop_loader KILL
	wait_for 5 is_detached
	has_sockets 0 "$SERVER" state syn-sent
	is_equal "$(in_client nft list ruleset | grep -c 'counter packets 0 .*accept')" 1
	# The host behaves as if it had never run.
	in_client nft flush ruleset
	wait_for 5 is_refused 10.0.0.2 34567
}

@test "leaves a port with a listener to it, and connections of the host too" {
	start_kernel_server 8000
	connect_back -p 8000,8001
	is_equal "$(echo_back 10.0.0.2 8000 'hello, kernel')" 'hello, kernel'
	is_equal "$(counter syn)" 0
	# From an answered port outwards: an ordinary SYN, which nothing turns.
	stop "$KERNEL_SERVER"
	STARTED=
	start_ready listener ip netns exec "$CLIENT" "$TOOLS/echo_server" 9999
	is_equal "$(printf 'hello, out' | in_server timeout 10 nc -N -w 5 -p 8001 10.0.0.1 9999)" 'hello, out'
	is_equal "$(counter back_syn_ack)" 0
}
