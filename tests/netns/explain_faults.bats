#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# explain, used wrongly or where it cannot work.
load helpers

# refused STATUS TEXT ARGUMENT...
refused()
{
	local expected=$1 text=$2
	shift 2
	run "$NOLISTEN" explain "$@"
	is_equal "$status" "$expected"
	is_equal "${#lines[@]}" 1
	[[ $output == *"$text"* ]]
}

@test "refuses wrong usage with one line and status 2" {
	refused 2 'usage: nolisten explain IFACE'
	refused 2 'usage: nolisten explain IFACE' lo eth0
	refused 2 "--port: '0': a number from 1 to 65535 is needed" lo --port 0
	refused 2 "--port: '65536': a number from 1 to 65535 is needed" lo --port 65536
	refused 2 "--remote: '10.0.0': not an IPv4 or IPv6 address" lo --remote 10.0.0
	refused 2 '--port: needs an argument' lo --port
	refused 2 '--what: no such option' lo --what
	refused 2 'exclude each other' lo -j --draw
	refused 2 "--rst goes with neither --draw nor --demo" lo --rst --draw
	refused 2 "usage: nolisten explain IFACE" --rst
	refused 2 "--demo: 'nothing': no such scene" --demo=nothing
}

@test "says that there is no such interface" {
	refused 1 'none0: no such interface' none0
	refused 1 'none0: no such interface' --rst none0
}

@test "says what it needs when it may not load programs" {
	run setpriv --reuid 65534 --regid 65534 --clear-groups "$NOLISTEN" explain lo
	is_equal "$status" 1
	[[ $output == *"cannot load the trace programs"* ]]
	is_equal "${#lines[@]}" 1
	run setpriv --reuid 65534 --regid 65534 --clear-groups "$NOLISTEN" explain --demo
	is_equal "$status" 1
	is_equal "$output" "nolisten: cannot make a network namespace: Operation not permitted"
}
