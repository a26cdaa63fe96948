#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# nolisten-loader --guard: answers connections and guards raw-socket programs on the same interface.
bats_require_minimum_version 1.5.0
load helpers
load guard

setup_file()
{
	guard_lab_up
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

# answers_too PORT: the loader's own connections, both families.
answers_too()
{
	is_equal "$(printf text | in_server timeout 10 nc -N -w 5 10.0.0.1 "$1")" text
	is_equal "$(printf text | in_server timeout 10 nc -N -w 5 fd00::1 "$1")" text
}

@test "guards what raw sockets open while it answers all ports" {
	local ends kind
	start_loader -p all
	[[ $(raw_client "$V4") != answered* ]]
	stop_loader
	start_loader -p all --guard=auto
	for ends in "$V4" "$V6"; do
		for kind in header tcp packet; do
			is_equal "$(raw_client "$ends" --socket=$kind)" "answered hello"
		done
	done
	answers_too 4000
	is_equal "$(listed 'select(.type == "guard") | "\(.for) \(.leases)"')" "nolisten-loader 6"
	stop_loader
	is_unguarded
	is_equal "$(raw_client "$V4")" reset
}

@test "leaves no qdisc behind on clsact" {
	start_loader -p 4000 --guard=auto --tc=clsact
	[[ $(in_client tc qdisc show) == *clsact* ]]
	stop_loader
	is_unguarded
}

@test "guards ports of a list, which it does not answer" {
	start_loader -p 20000-20009 --guard=20001
	expect "answering TCP port 20000,20002-20009" cat "$LOADER_LOG"
	is_equal "$(raw_client "$V4" --port=20001)" "answered hello"
	is_equal "$(raw_client "$V6" --port=20010)" reset
	answers_too 20002
}

@test "guards with methods without BPF and with method accept as well" {
	local method ports
	for method in filter nfqueue engine connect accept; do
		[ "$method" != accept ] || in_client "$LOADER" --check -m accept >/dev/null 2>&1 || continue
		ports=all
		[ "$method" != filter ] || ports=4000
		start_loader -p $ports -m "$method" --guard=auto
		is_equal "$(raw_client "$V4")" "answered hello"
		answers_too 4000
		stop_loader
	done
	is_unguarded
}

@test "runs beside a guard on the same interface, whichever comes first" {
	start_guard
	start_loader -p 4000
	is_equal "$(raw_client "$V4")" "answered hello"
	answers_too 4000
	stop "$GUARD_PID"
	is_equal "$(raw_client "$V4")" reset
	start_guard
	is_equal "$(raw_client "$V4")" "answered hello"
	answers_too 4000
	# What the loader itself sends leases nothing.
	is_equal "$(listed 'select(.type == "guard") | .leases')" 1
	stop_loader
	is_equal "$(raw_client "$V4")" "answered hello"
}

@test "lets the kernel's RSTs go and counts them, or redirects them, for guarded flows too" {
	start_loader -p 4000 --guard=auto --rst=pass
	# A raw IP socket that waits for TCP gets its segments, so the kernel answers them.
	is_equal "$(raw_client "$V4" --socket=tcp)" reset
	is_equal "$(listed 'select(.type == "guard") | .counters | "\(.rst_passed > 0) \(.rst_dropped)"')" "true 0"
	stop_loader
	ip -n "$CLIENT" link add look0 type veth peer name look1
	in_client sysctl -qw net.ipv6.conf.look0.disable_ipv6=1 net.ipv6.conf.look1.disable_ipv6=1
	ip -n "$CLIENT" link set look0 up
	ip -n "$CLIENT" link set look1 up
	wait_for 5 is_running "$CLIENT" look0
	start_loader -p 4000 --guard=auto --rst=redirect:look0
	is_equal "$(raw_client "$V4" --socket=tcp)" "answered hello"
	is_equal "$(listed 'select(.type == "guard") | .counters | "\(.rst_redirected > 0) \(.rst_dropped)"')" "true 0"
	is_equal "$(ip -n "$CLIENT" -j -s link show look1 | jq '.[0].stats64.rx.packets > 0')" true
}

@test "says what is wrong with --guard, in one line and status 2" {
	refused_loader 2 "--guard: '0': ports go from 1 to 65535" --guard=0 eth0
	refused_loader 2 "--guard: no port is left to answer: a guarded one is not" --guard=34567 eth0
}
