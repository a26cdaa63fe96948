#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# The host's addresses and routes: what the kernel makes of them, nolisten makes of them too.
load helpers

setup()
{
	lab_up
}

teardown()
{
	lab_down
}

# greets HOST [SOURCE]: one connection to the banner.
greets()
{
	is_equal "$(in_client timeout 5 nc -w 3 ${2:+-s "$2"} "$1" 34567 </dev/null)" hello
}

@test "answers by the route that the local address has by a rule" {
	address "$CLIENT" lo 172.16.0.1/32 fd16::1/128
	ip -n "$SERVER" route add 172.16.0.0/16 via 10.0.0.1 table 7
	ip -n "$SERVER" rule add from 10.0.0.2 table 7
	ip -n "$SERVER" -6 route add fd16::/64 via fd00::1 table 7
	ip -n "$SERVER" -6 rule add from fd00::2 table 7
	start_loader --service='banner:hello'
	greets 10.0.0.2 172.16.0.1
	greets fd00::2 fd16::1
}

@test "answers from a prefix that is only routed to this host" {
	ip -n "$SERVER" route add local 192.0.2.0/24 dev lo
	ip -n "$SERVER" -6 route add local fd77::/64 dev lo
	ip -n "$CLIENT" route add 192.0.2.0/24 via 10.0.0.2
	ip -n "$CLIENT" -6 route add fd77::/64 via fd00::2
	start_loader --service='banner:hello' --address=192.0.2.0/24,fd77::/64
	greets 192.0.2.99
	greets fd77::99
}

@test "answers link-local addresses" {
	wait_for 5 has_link_local
	start_loader --service='banner:hello'
	greets "$(link_local)%eth0"
}

@test "goes on answering an address that was there twice and is removed once" {
	ip -n "$SERVER" address add 10.0.0.2/16 dev eth0
	start_loader --service='banner:hello'
	ip -n "$SERVER" address del 10.0.0.2/16 dev eth0
	ip -n "$SERVER" address del fd00::2/64 dev eth0
	wait_for 5 not is_answered fd00::2/128
	is_answered 10.0.0.2/32
	greets 10.0.0.2
}

is_answered()
{
	in_server "$NOLISTEN" status -j eth0 | jq -e --arg one "$1" '.addresses | index($one)'
}
