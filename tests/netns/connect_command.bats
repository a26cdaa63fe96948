#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# nolisten connect: an active open by the engine, and then what nc does with a connection.
load helpers
load connect_command

setup_file()
{
	lab_up
	start http ip netns exec "$SERVER" python3 -m http.server --directory "$REPO/doc/examples" --bind :: 8000
	start_kernel_server 7
	start_kernel_server 2000 "220 ready"
	wait_for 5 in_client nc -z 10.0.0.2 8000
	wait_for 5 has_link_local
}

teardown_file()
{
	lab_down
}

teardown()
{
	stop_leftover_loader
	in_client nft flush ruleset
	in_server nft flush ruleset
}

get()
{
	printf 'GET /poll.c HTTP/1.0\r\n\r\n' | connect "$@" 8000
}

@test "fetches a file over IPv4 and IPv6, without a word" {
	local host
	for host in 10.0.0.2 fd00::2 "-6 $(link_local)%eth0"; do
		# shellcheck disable=SC2086
		get $host 2>"$BATS_TEST_TMPDIR/err" | sed '1,/^\r$/d' | cmp - "$REPO/doc/examples/poll.c"
		is_equal "$(<"$BATS_TEST_TMPDIR/err")" ""
	done
	wait_for 5 is_untouched
}

@test "a name has several addresses, and a port may be a service's name" {
	# python listens on :: alone, and on 127.0.0.1 by that.
	expect "Connection to localhost (" in_server "$NOLISTEN" connect -z -v localhost 8000
	expect "Connection to localhost (127.0.0.1) 8000 port [tcp] succeeded!" in_server "$NOLISTEN" connect -4zv localhost 8000
	expect "Connection to localhost (127.0.0.1) 7 port" in_server "$NOLISTEN" connect -4zv localhost echo
	expect 'host "no.such.name.invalid" port 80: ' connect no.such.name.invalid 80
	expect 'host "10.0.0.2" port nosuchservice: ' connect 10.0.0.2 nosuchservice
	expect 'host "fd00::2" port 80: Address family for hostname not supported' connect -4 fd00::2 80
}

@test "what a server says first arrives: sshd's banner, and another's" {
	local i
	dropbearkey -t ed25519 -f "$BATS_TEST_TMPDIR/key" >/dev/null
	start sshd ip netns exec "$SERVER" dropbear -F -E -P "$BATS_TEST_TMPDIR/pid" -p 2200 -r "$BATS_TEST_TMPDIR/key"
	wait_for 5 in_client nc -z 10.0.0.2 2200
	expect "SSH-2.0-dropbear" connect fd00::2 2200 -- sh -c "head -n 1 >&2"
	for i in {1..8}; do
		is_equal "$(connect 10.0.0.2 2000 -- sh -c "head -n 1 >&2" 2>&1)" "220 ready" || return
	done
	stop "$STARTED"
}

@test "10 MB arrive as they were sent, both ways at once" {
	head -c 10000000 /dev/urandom >"$BATS_TEST_TMPDIR/sent"
	tac -s x "$BATS_TEST_TMPDIR/sent" >"$BATS_TEST_TMPDIR/answered"
	start_server both '
import socket, sys, threading
server = socket.create_server(("10.0.0.2", 7001))
print("ready", flush=True)
peer = server.accept()[0]
answer = open(sys.argv[1] if len(sys.argv) > 1 else "'"$BATS_TEST_TMPDIR"'/answered", "rb").read()
def send():
    peer.sendall(answer)
    peer.shutdown(socket.SHUT_WR)
threading.Thread(target=send).start()
with open("'"$BATS_TEST_TMPDIR"'/received", "wb") as out:
    while data := peer.recv(65536):
        out.write(data)'
	connect 10.0.0.2 7001 <"$BATS_TEST_TMPDIR/sent" >"$BATS_TEST_TMPDIR/got"
	wait "$STARTED"
	cmp "$BATS_TEST_TMPDIR/sent" "$BATS_TEST_TMPDIR/received"
	cmp "$BATS_TEST_TMPDIR/answered" "$BATS_TEST_TMPDIR/got"
}

@test "ends when the server does, though more might be typed" {
	start_server closing '
import socket
server = socket.create_server(("10.0.0.2", 7002))
print("ready", flush=True)
peer = server.accept()[0]
peer.recv(100)
peer.sendall(b"bye\n")'
	mkfifo "$BATS_TEST_TMPDIR/in"
	exec {typed}<>"$BATS_TEST_TMPDIR/in"
	echo hello >&"$typed"
	is_equal "$(connect 10.0.0.2 7002 <&"$typed")" bye
}

@test "is refused, hears nothing, is reset: in nc's words" {
	says 1 "connect to 10.0.0.2 port 9 (tcp) failed: Connection refused" 10.0.0.2 9
	says 1 "connect to fd00::2 port 9 (tcp) failed: Connection refused" fd00::2 9
	in_server nft -f - <<<'table inet t { chain c { type filter hook input priority 0; tcp dport 9 drop; }; }'
	connect --retries=0 fd00::2 9 2>"$BATS_TEST_TMPDIR/err" 3>&- &
	says 1 "connect to 10.0.0.2 port 9 (tcp) failed: Connection timed out" -w 1 10.0.0.2 9
	status=0
	wait $! || status=$?
	is_equal "$status,$(<"$BATS_TEST_TMPDIR/err")" "1,nolisten: connect to fd00::2 port 9 (tcp) failed: Connection timed out"
	start_server reset '
import socket, struct
server = socket.create_server(("10.0.0.2", 7003))
server.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
print("ready", flush=True)
server.accept()[0].close()'
	says 1 "connection to 10.0.0.2 port 7003: Connection reset by peer" 10.0.0.2 7003
	wait_for 5 is_untouched
}

@test "an ICMP error ends it with its name" {
	in_server nft -f - <<-'EOF2'
		table inet t { chain c { type filter hook input priority 0;
			tcp dport 21 reject with icmpx type admin-prohibited
			tcp dport 22 reject with icmp type host-unreachable
			tcp dport 23 reject with icmpx type port-unreachable
		}; }
	EOF2
	says 1 "failed: No route to host (ICMP administratively prohibited, from 10.0.0.2)" 10.0.0.2 21
	says 1 "failed: Permission denied (ICMP administratively prohibited, from fd00::2)" fd00::2 21
	says 1 "failed: No route to host (ICMP host unreachable, from 10.0.0.2)" 10.0.0.2 22
	says 1 "failed: Connection refused (ICMP port unreachable, from fd00::2)" fd00::2 23
	# Here it is our own host that says so.
	in_client sysctl -qw net.ipv4.neigh.eth0.retrans_time_ms=50 net.ipv6.neigh.eth0.retrans_time_ms=50
	says 1 "failed: No route to host (ICMP host unreachable, from 10.0.0.1)" 10.0.0.77 80
	says 1 "failed: No route to host (ICMP address unreachable, from fd00::1)" fd00::77 80
	says 1 "failed: Network is unreachable" 192.0.2.1 80
	says 1 "failed: Network is unreachable" 10.0.0.255 80
	says 1 "failed: Network is unreachable" 224.0.0.1 80
}

@test "of several addresses the next is tried" {
	# localhost is ::1 first, where nobody listens.
	start_server v4 '
import socket
server = socket.create_server(("127.0.0.1", 7004))
print("ready", flush=True)
server.accept()[0].sendall(b"v4\n")'
	run in_server "$NOLISTEN" connect localhost 7004 </dev/null
	is_equal "$status,${lines[-1]}" 0,v4
}

@test "the SYN says what was asked for, byte for byte" {
	local text
	start_capture "tcp[tcpflags] == tcp-syn and dst port 7 or (ip6[6] = 6 and ip6[53] = 2)"
	connect -z -o mss,nop,ws,nop,nop,sok --mss=1300 --window=8192 --wscale=5 --ttl=128 -p 4001 10.0.0.2 7
	connect -z -o none --window=0 --ttl=1 -p 4002 10.0.0.2 7
	connect -z -o ts,sok,eol,eol -p 4003 10.0.0.2 7
	connect -z -p 4004 10.0.0.2 7
	in_client nc -z -p 4005 10.0.0.2 7
	connect -z -o sok,mss --mss=1 --window=1024 --ttl=255 -p 4006 fd00::2 7
	connect -z -p 4007 fd00::2 7
	in_client nc -z -p 4008 fd00::2 7
	wait_for 5 has_captured 8
	stop "$CAPTURE_PID"
	text=$(captured -v | sed 's/TS val [0-9]*/TS val T/')
	expect "ttl 128," echo "$text"
	expect "win 8192, options [mss 1300,nop,wscale 5,nop,nop,sackOK], length 0" grep -F .4001 <<<"$text"
	expect "win 0, length 0" grep -F .4002 <<<"$text"
	expect "ttl 1," echo "$text"
	expect "win 64240, options [TS val T ecr 0,sackOK,eol], length 0" grep -F .4003 <<<"$text"
	expect "(hlim 255, next-header TCP (6) payload length: 28) fd00::1.4006 > fd00::2.7: Flags [S]" echo "$text"
	expect "win 1024, options [sackOK,mss 1,eol], length 0" grep -F .4006 <<<"$text"
	# Without a wish it is what the kernel's own would be.
	is_equal "$(grep -F .4004 <<<"$text" | sed 's/.*win/win/')" "$(grep -F .4005 <<<"$text" | sed 's/.*win/win/')"
	is_equal "$(grep -F .4007 <<<"$text" | sed 's/.*win/win/')" "$(grep -F .4008 <<<"$text" | sed 's/.*win/win/')"
}

@test "the route's metrics and the host's settings show in the SYN" {
	local text
	start_capture "tcp[tcpflags] == tcp-syn"
	ip -n "$CLIENT" route add 10.0.0.2/32 dev eth0 advmss 800 window 20000
	in_client sysctl -qw net.ipv4.tcp_timestamps=0
	connect -z -p 4011 10.0.0.2 7
	in_client nc -z -p 4012 10.0.0.2 7
	in_client sysctl -qw net.ipv4.tcp_timestamps=1
	ip -n "$CLIENT" route del 10.0.0.2/32
	wait_for 5 has_captured 2
	stop "$CAPTURE_PID"
	text=$(captured)
	expect "mss 800" grep -F .4011 <<<"$text"
	is_equal "$(grep -F .4011 <<<"$text" | sed 's/.*win/win/')" "$(grep -F .4012 <<<"$text" | sed 's/.*win/win/')"
}

@test "a connection of the smallest window, and of no options, carries all the same" {
	local layout
	for layout in none mss ts,mss; do
		get --window=0 -o $layout 10.0.0.2 | sed '1,/^\r$/d' | cmp - "$REPO/doc/examples/poll.c"
	done
	get --mss=100 --wscale=14 --window=1 10.0.0.2 | sed '1,/^\r$/d' | cmp - "$REPO/doc/examples/poll.c"
}

@test "it is a socket as any, which has learnt the round trip time" {
	run connect 10.0.0.2 7 --ttl=77 -- sh -c "ss -Htino dst 10.0.0.2 >&2"
	[[ $output == *ESTAB* && $output =~ rto:(2[0-9][0-9]|3[0-9][0-9])\ rtt: && $output == *"mss:1448"* ]]
	[[ $output == *" ts sack "* && $output == *advmss:1448* ]]
	run connect fd00::2 7 -- sh -c "ss -Htino dst [fd00::2] >&2"
	[[ $output =~ rto:(2[0-9][0-9]|3[0-9][0-9])\ rtt: && $output == *"mss:1428"* ]]
}
