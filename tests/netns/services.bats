#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# What a connection gets, on which ports and addresses.
load helpers

setup_file()
{
	lab_up
}

teardown_file()
{
	lab_down
}

teardown()
{
	stop_leftover_loader
}

@test "banner sends its text and closes" {
	start_loader -s 'banner:220 hello\r\n'
	is_equal "$(in_client timeout 5 nc -d 10.0.0.2 34567 | od -An -c | tr -s ' ')" ' 2 2 0 h e l l o \r \n'
}

@test "banner's text survives what the client sends" {
	start_loader -s 'banner:220 hello\r\n'
	run in_client bash -c 'head -c 1000000 /dev/zero | timeout 10 nc -N 10.0.0.2 34567'
	[[ $output == "220 hello"* ]]
}

@test "discard reads all and says nothing" {
	start_loader -s discard
	run in_client bash -c 'head -c 3000000 /dev/zero | timeout 10 nc -N 10.0.0.2 34567 | wc -c'
	is_equal "$output" 0
	wait_for 5 has_event '.event == "closed"'
}

@test "hold keeps the connection and closes when the client does" {
	start_loader -s hold
	ip netns exec "$CLIENT" nc -d 10.0.0.2 34567 >/dev/null 2>&1 3>&- &
	client=$!
	expect_event '.event == "handed_off"'
	[ -n "$(in_server ss -Htn state established)" ]
	stop "$client"
	wait_for 5 has_event '.event == "closed"'
}

@test "exec gives the connection to a command" {
	start_loader -s 'exec:tr a-z A-Z'
	is_equal "$(echo_back 10.0.0.2 34567 'hello, command')" 'HELLO, COMMAND'
}

@test "exec tells the command who talks to it" {
	start_loader -s 'exec:echo $PROTO $TCPLOCALIP $TCPLOCALPORT $TCPREMOTEIP $TCPREMOTEPORT'
	is_equal "$(in_client timeout 5 nc -d -p 50001 10.0.0.2 34567)" 'TCP 10.0.0.2 34567 10.0.0.1 50001'
	is_equal "$(in_client timeout 5 nc -d -p 50001 fd00::2 34567)" 'TCP fd00::2 34567 fd00::1 50001'
}

@test "exec serves HTTP to curl over IPv4 and IPv6" {
	cat >"$BATS_TEST_TMPDIR/http" <<-'SH'
		while read -r line && [ "${#line}" -gt 1 ]; do :; done
		printf 'HTTP/1.0 200 OK\r\nContent-Length: 6\r\n\r\nhello\n'
	SH
	start_loader -p 80 --user=root -s "exec:sh $BATS_TEST_TMPDIR/http"
	is_equal "$(in_client curl -sS --max-time 5 http://10.0.0.2/)" hello
	is_equal "$(in_client curl -sS --max-time 5 'http://[fd00::2]/')" hello
}

# Of the process that has the service.
children()
{
	ps --no-headers -o stat --ppid "$(service_pid)"
}

has_no_children()
{
	[ -z "$(children)" ]
}

@test "exec reaps its children" {
	start_loader -s 'exec:cat'
	expect "200 connections" in_client "$TOOLS/burst_client" 10.0.0.2 34567 200 100
	wait_for 5 has_no_children
}

@test "exec runs no more children than --max-children" {
	start_loader -s 'exec:cat' --max-children=2
	for i in 1 2; do
		ip netns exec "$CLIENT" nc -d 10.0.0.2 34567 >/dev/null 2>&1 3>&- &
		eval "client$i=$!"
		wait_for 5 has_children "$i"
	done
	# Closed at once.
	is_equal "$(in_client timeout 5 nc -d 10.0.0.2 34567)" ""
	has_children 2
	stop "$client1"
	stop "$client2"
	wait_for 5 has_no_children
	is_equal "$(echo_back 10.0.0.2 34567 again)" again
}

has_children()
{
	[ "$(children | wc -l)" = "$1" ]
}

@test "answers lists and ranges of ports, and no other" {
	start_loader -p 80,443,8000-8002
	for port in 80 443 8000 8001 8002; do
		is_equal "$(echo_back 10.0.0.2 $port "port $port")" "port $port"
	done
	for port in 79 81 444 7999 8003 34567; do
		is_refused 10.0.0.2 $port
	done
}

@test "answers all ports" {
	start_loader -p all
	for port in 1 22 34567 65535; do
		is_equal "$(echo_back 10.0.0.2 $port "port $port")" "port $port"
	done
}

@test "answers on the addresses that it is told, and no other" {
	start_loader -a fd00::2
	is_equal "$(echo_back fd00::2 34567 hello)" hello
	is_refused 10.0.0.2 34567
}

@test "answers on addresses that the interface gets and loses" {
	start_loader
	address "$SERVER" eth0 10.0.0.3/24
	wait_for 5 is_echoing 10.0.0.3
	ip -n "$SERVER" address del 10.0.0.3/24 dev eth0
	wait_for 5 not_listed 10.0.0.3
}

is_echoing()
{
	[ "$(echo_back "$1" 34567 hello)" = hello ]
}

not_listed()
{
	! in_server "$NOLISTEN" status -j | jq -r '.addresses[]' | grep -q "^$1/"
}

@test "answers on a whole prefix that is routed to this host" {
	ip -n "$SERVER" route add local 10.9.0.0/24 dev lo
	ip -n "$SERVER" -6 route add local fd09::/64 dev lo
	ip -n "$CLIENT" route add 10.9.0.0/24 via 10.0.0.2
	ip -n "$CLIENT" -6 route add fd09::/64 via fd00::2
	start_loader -a 10.9.0.0/24,fd09::/64
	for host in 10.9.0.1 10.9.0.77 10.9.0.254 fd09::1 fd09::abcd; do
		is_equal "$(echo_back $host 34567 "hello $host")" "hello $host"
	done
	is_refused 10.0.0.2 34567
	expect_event '.event == "handed_off" and .local == "10.9.0.77:34567"'
}

@test "says what is missing for a prefix that is not local" {
	refused_loader 1 'ip route add local 10.8.0.0/24' -a 10.8.0.0/24 eth0
}
