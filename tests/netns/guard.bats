#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# RSTs: ours stay in, everything else goes out as ever; other services do not notice.
load helpers

setup()
{
	lab_up
	# Where the answers to the fragmented SYN go; the client's kernel does not own that address.
	ip -n "$SERVER" neighbour replace 10.0.0.77 lladdr 02:00:00:00:00:77 dev eth0 nud permanent
}

teardown()
{
	lab_down
}

# What the client sees after a SYN in fragments, which the kernel answers.
fragmented_syn()
{
	in_client "$TOOLS/fragmented_syn" eth0 "$1" \
		"$(ip -n "$SERVER" -j link show eth0 | jq -r '.[0].address')"
}

@test "refuses closed ports at once, as ever" {
	start_loader
	is_refused 10.0.0.2 9
	is_refused fd00::2 9
	is_equal "$(fragmented_syn 9)" RST
	has_counter rst_not_ours 2
}

@test "keeps in the RST that a fragmented SYN causes" {
	is_equal "$(fragmented_syn 34567)" RST
	start_loader
	is_equal "$(fragmented_syn 34567)" silent
	has_counter rst_dropped 1
	expect_event '.event == "rst_dropped" and .count >= 1'
}

@test "redirects RSTs to another interface to be looked at" {
	ip -n "$SERVER" link add look0 type veth peer name look1
	in_server sysctl -qw net.ipv6.conf.look0.disable_ipv6=1 net.ipv6.conf.look1.disable_ipv6=1
	ip -n "$SERVER" link set look0 up
	ip -n "$SERVER" link set look1 up
	wait_for 5 is_running "$SERVER" look0
	start_loader --rst=redirect:look0
	is_equal "$(fragmented_syn 34567)" silent
	has_counter rst_redirected 1
	is_equal "$(ip -n "$SERVER" -j -s link show look1 | jq '.[0].stats64.rx.packets')" 1
}

@test "only counts RSTs with --rst=pass" {
	start_loader --rst=pass
	is_equal "$(fragmented_syn 34567)" RST
	has_counter rst_passed 1
}

@test "lets a handed-off connection send its RST" {
	start_loader -s 'exec:head -c 1'
	# More than the command reads: closing it with data unread is a RST.
	run in_client bash -c 'head -c 500000 /dev/zero | timeout 10 nc -N 10.0.0.2 34567 | wc -c'
	wait_for 5 has_counter rst_handed_off 1
	is_equal "$(counter rst_dropped)" 0
}

@test "leaves a kernel listener on another port alone" {
	start_kernel_server 8080
	start_loader
	expect "100 connections, 100 with data" in_client "$TOOLS/burst_client" 10.0.0.2 8080 100 100
	expect "100 connections, 100 with data" in_client "$TOOLS/burst_client" fd00::2 8080 100 100
	is_equal "$(counter held_syn)" 0
}

@test "warns of a kernel listener on an answered port and leaves the port to it" {
	start_kernel_server 8080 kernel
	start_loader -p 8080,34567
	expect "port 8080" cat "$LOADER_LOG"
	is_equal "$(in_client timeout 5 nc -d 10.0.0.2 8080)" kernel
	is_equal "$(echo_back 10.0.0.2 34567 nolisten)" nolisten
}

@test "leaves a port to a kernel listener that comes later" {
	start_loader -p 8080
	is_equal "$(echo_back 10.0.0.2 8080 nolisten)" nolisten
	start_kernel_server 8080 kernel
	is_equal "$(in_client timeout 5 nc -d 10.0.0.2 8080)" kernel
	stop "$KERNEL_SERVER" KILL
	is_equal "$(echo_back 10.0.0.2 8080 again)" again
}

@test "works with clsact" {
	start_loader --tc=clsact
	expect nol_tc_egress in_server tc filter show dev eth0 egress
	is_equal "$(fragmented_syn 34567)" silent
	is_equal "$(echo_back 10.0.0.2 34567 hello)" hello
	stop_loader
	is_equal "$(in_server tc filter show dev eth0 egress)" ""
	is_refused 10.0.0.2 34567
}

filters_are()
{
	[ "$(in_server tc filter show dev eth0 egress | grep -c nol_tc_egress)" = "$1" ]
}

@test "fails open with clsact when it is killed, and takes the filter over again" {
	start_loader --tc=clsact
	stop "$LOADER_PID" KILL
	filters_are 1
	wait_for 8 is_refused 10.0.0.2 34567
	start_loader --tc=clsact
	filters_are 1
	is_equal "$(echo_back 10.0.0.2 34567 hello)" hello
	is_equal "$(fragmented_syn 34567)" silent
	stop_loader
	filters_are 0
}
