#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# --vlan: tagged frames, answered with their tag by every method. Needs a kernel with 802.1Q devices.
load helpers
load accept

setup()
{
	lab_up
	add_vlan 5 || skip "this kernel makes no VLAN devices (CONFIG_VLAN_8021Q)"
	add_vlan 7
}

teardown()
{
	lab_down
}

# add_vlan ID: a device on both ends, with addresses that have the ID in them.
add_vlan()
{
	local namespace end=1
	for namespace in "$CLIENT" "$SERVER"; do
		ip -n "$namespace" link add link eth0 name "eth0.$1" type vlan id "$1" 2>/dev/null || return
		ip -n "$namespace" link set "eth0.$1" up
		address "$namespace" "eth0.$1" "10.0.$1.$end/24" "fd00:$1::$end/64"
		end=2
	done
}

start_vlan_loader()
{
	start_loader "$@"
	wait_for 10 has_text "$LOADER_LOG" 'eth0: answering' || {
		cat "$LOADER_LOG" >&2
		return 1
	}
}

is_echoing()
{
	is_equal "$(echo_back "$1" 34567 "to $1")" "to $1"
}

# untagged and in VLAN 5, over both families; the kernel refuses what comes in VLAN 7
answers_vlan_5()
{
	local host
	start_vlan_loader --vlan=5 "$@"
	for host in 10.0.0.2 fd00::2 10.0.5.2 fd00:5::2; do
		is_echoing "$host"
	done
	expect_event '.event == "handed_off" and .local == "10.0.5.2:34567"'
	expect_event '.event == "handed_off" and .local == "[fd00:5::2]:34567"'
	is_equal "$(events 'select(.event == "handed_off") | .eve | "\(.dest_ip[:6]) \(.in_iface) \(.vlan)"' -r | sort -u | paste -sd ,)" \
		'10.0.0 eth0 null,10.0.5 eth0.5 [5],fd00:0 eth0 null,fd00:0 eth0.5 [5]'
	is_refused 10.0.7.2 34567
	IFACE=eth0.5 wait_for 5 has_no_flows
	run in_server ss -Hltn 'sport = :34567'
	is_equal "$output" ""
	stop_loader
	is_equal "$LOADER_STATUS" 0
	is_detached
	is_refused 10.0.5.2 34567
}

@test "auto answers a VLAN" {
	answers_vlan_5
}

@test "xdp answers a VLAN" {
	answers_vlan_5 -m xdp
}

@test "engine answers a VLAN, with several workers" {
	answers_vlan_5 -m engine --workers=2
}

@test "connect answers a VLAN" {
	answers_vlan_5 -m connect
}

@test "accept answers a VLAN, with XDP and without; or none, where the kernel cannot" {
	if ! can_accept; then
		run in_server timeout 20 "$LOADER" -m accept --vlan=5 eth0
		is_equal "$status" 1
		[[ $output == *"has no bpf_sk_assign_tcp_reqsk"* ]]
		is_detached
		return
	fi
	answers_vlan_5 -m accept
	answers_vlan_5 -m accept --xdp=none
	answers_vlan_5 -m accept --workers=2
}

@test "nfqueue answers a VLAN" {
	answers_vlan_5 -m nfqueue
}

@test "filter answers a VLAN" {
	answers_vlan_5 -m filter
}

@test "answers when tags are in the frames, in native XDP on the interface below" {
	in_client ethtool -K eth0 txvlan off >/dev/null
	answers_vlan_5 --xdp=auto
}

@test "data in the first flight is replayed to the VLAN's device" {
	start_vlan_loader -q --vlan=5 --vlan=7 -m engine
	expect "200 connections" in_client "$TOOLS/burst_client" 10.0.5.2 34567 200 100
	expect "50 connections" in_client "$TOOLS/burst_client" fd00:7::2 34567 50 10240
	is_equal "$(IFACE=eth0.5 counter handed_off)" 200
	is_equal "$(IFACE=eth0.7 counter handed_off)" 50
	is_equal "$(counter handed_off)" 0
}

@test "a killed loader takes the others with it" {
	start_vlan_loader --vlan=5,7
	kill -KILL "$LOADER_PID"
	wait_for 5 is_refused 10.0.5.2 34567
	wait_for 5 is_refused 10.0.7.2 34567
}

@test "the first interrupt leaves connections of a VLAN open, the second ends them" {
	start_vlan_loader --vlan=5 -s hold
	in_client nc -d 10.0.5.2 34567 >/dev/null 3>&- &
	STARTED=$!
	expect_event '.event == "handed_off"'
	kill -INT "$LOADER_PID"
	wait_for 5 has_text "$LOADER_LOG" '1 connection lives on'
	kill -0 "$LOADER_PID"
	kill -INT "$LOADER_PID"
	wait_for 10 is_gone "$LOADER_PID"
	wait_for 10 is_gone "$STARTED"
}

@test "a signal to each process is one signal" {
	local pid
	start_vlan_loader --vlan=5 -s hold
	in_client nc -d 10.0.5.2 34567 >/dev/null 3>&- &
	STARTED=$!
	expect_event '.event == "handed_off"'
	for pid in $(pgrep -P "$LOADER_PID") "$LOADER_PID"; do
		kill -TERM "$pid"
	done
	wait_for 5 has_text "$LOADER_LOG" '1 connection lives on'
	wait_for 5 has_text "$LOADER_LOG" 'eth0: detached'
	kill -0 "$STARTED"
	stop_loader
	wait_for 10 is_gone "$STARTED"
}

@test "link-local addresses are the VLAN's, whatever has become of the tag" {
	local address
	start_vlan_loader --vlan=5
	address=$(ip -n "$SERVER" -j -6 address show dev eth0.5 scope link | jq -r '.[].addr_info[]?.local // empty')
	is_echoing "$address%eth0.5"
	expect_event '.event == "handed_off" and (.local | startswith("[fe80"))'
	[[ $(in_server "$NOLISTEN" status eth0) != *fe80* ]]
}

@test "a VLAN that goes away leaves the others, and a status" {
	start_vlan_loader --vlan=5,7
	ip -n "$SERVER" link del eth0.5
	wait_for 5 has_text "$LOADER_LOG" 'eth0.5: the interface is gone'
	wait_for 5 has_text "$LOADER_LOG" 'eth0.5: is no longer answered'
	is_echoing 10.0.7.2
	is_echoing 10.0.0.2
	stop_loader
	is_equal "$LOADER_STATUS" 1
}

@test "starts on all of them or on none" {
	refused_loader 1 'eth0: has no device for VLAN 6: "ip link add link eth0 name eth0.6 type vlan id 6"' --vlan=5-7 eth0
	is_detached
	IFACE=eth0.7 start_loader
	refused_loader 1 'eth0: a device on top of it' eth0
	refused_loader 1 'eth0.7: another nolisten-loader' --vlan=5,7 eth0
	is_refused 10.0.5.2 34567
	is_refused 10.0.0.2 34567
	is_echoing 10.0.7.2
}

@test "SIGHUP reaches the processes of the VLANs, and ends none" {
	start_vlan_loader --vlan=5,7 -m engine
	is_echoing 10.0.5.2
	wait_for 5 eval '[ "$(count_events closed)" = 1 ]'
	mv "$EVENTS" "$EVENTS.1"
	kill -HUP "$LOADER_PID"
	wait_for 5 test -e "$EVENTS"
	is_echoing 10.0.7.2
	is_echoing 10.0.5.2
	is_echoing 10.0.0.2
	expect_event '.event == "closed" and .eve.in_iface == "eth0.7"'
	stop_loader
	is_equal "$LOADER_STATUS" 0
}
