#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# Native XDP on a real driver: two virtio_net cards with several queues, joined back to back outside of the machine.
load ../netns/helpers

setup_file()
{
	[ -n "${NOL_CARDS:-}" ] || return 0
	SERVER=$(add_namespace s)
	CLIENT=$(add_namespace c)
	export SERVER CLIENT
	take_card "$SERVER" "${NOL_CARDS% *}" 10.0.0.2/24 fd00::2/64
	take_card "$CLIENT" "${NOL_CARDS#* }" 10.0.0.1/24 fd00::1/64
}

teardown_file()
{
	[ -z "${SERVER:-}" ] || lab_down
}

setup()
{
	[ -n "${NOL_CARDS:-}" ] || skip "needs two network cards to play with, which a virtual machine of tests/kernels has"
	LOADER_PID=
}

teardown()
{
	stop_leftover_loader
}

# take_card NAMESPACE CARD ADDRESS...: it is eth0 there.
take_card()
{
	local namespace=$1 card=$2
	shift 2
	ip link set "$card" down
	ip link set "$card" netns "$namespace" name eth0
	in_namespace "$namespace" ethtool -L eth0 combined 2
	ip -n "$namespace" link set eth0 up
	address "$namespace" eth0 "$@"
	wait_for 10 is_running "$namespace" eth0
}

start_native()
{
	start_loader --xdp=native "$@"
	expect "xdp native" cat "$LOADER_LOG"
}

@test "the cards are of virtio_net and have two queues" {
	expect "driver: virtio_net" in_server ethtool -i eth0
	expect "Combined:	2" in_server ethtool -l eth0
}

@test "auto takes native XDP where the driver has it" {
	start_loader
	expect "xdp native" cat "$LOADER_LOG"
	is_equal "$(echo_back 10.0.0.2 34567 'over IPv4')" 'over IPv4'
	is_equal "$(echo_back fd00::2 34567 'over IPv6')" 'over IPv6'
	stop_loader INT
	wait_for 5 is_detached
}

@test "what XDP answers leaves the card" {
	start_native -q -m xdp
	for host in 10.0.0.2 fd00::2; do
		expect "200 connections, 200 with data" in_client "$TOOLS/burst_client" $host 34567 200 100
	done
	has_counter cookie_sent 400
	is_equal "$(counter lost_ring_full)" 0
}

@test "a neighbour confirms that the replies arrive" {
	start_native
	wait_for 10 has_text "$LOADER_LOG" "confirmed that XDP's replies arrive"
}

@test "each method answers, with one worker and with two" {
	local method workers
	for method in xdp engine auto; do
		for workers in 1 2; do
			start_native -q -m $method --workers=$workers
			expect "50 connections, 50 with data" in_client "$TOOLS/burst_client" 10.0.0.2 34567 50 100
			expect "50 connections, 50 with data" in_client "$TOOLS/burst_client" fd00::2 34567 50 100
			stop_loader
		done
	done
	start_native -q -m connect
	expect "50 connections, 50 with data" in_client "$TOOLS/burst_client" 10.0.0.2 34567 50 100
	expect "50 connections, 50 with data" in_client "$TOOLS/burst_client" fd00::2 34567 50 100
}

@test "bulk passes, of ours and of others" {
	start_kernel_server 34569
	start_native -q
	for port in 34567 34569; do
		expect "5000000 of 5000000 bytes intact" \
			in_client timeout 60 "$TOOLS/stream_client" 10.0.0.2 $port 5000000
		expect "5000000 of 5000000 bytes intact" \
			in_client timeout 60 "$TOOLS/stream_client" fd00::2 $port 5000000
	done
	stop "$KERNEL_SERVER"
}

@test "packets of several queues are held and answered" {
	start_native -q -m engine --workers=2
	expect "300 connections at once" in_client timeout 60 "$TOOLS/crowd_client" 10.0.0.2 34567 300
	is_equal "$(counter lost_ring_full)" 0
}

@test "a flood of SYNs is held, and a connection is made all the same" {
	start_native -q -m xdp
	in_client python3 - <<-'PY'
		import socket, struct

		def words(data):
		    return sum(struct.unpack("!%dH" % (len(data) // 2), data))

		def syn(port):
		    tcp = struct.pack("!HHIIBBHHH", port, 34567, port, 0, 5 << 4, 2, 64240, 0, 0)
		    total = words(socket.inet_aton("10.0.0.99") + socket.inet_aton("10.0.0.2")) + 6 + len(tcp) + words(tcp)
		    total = (total & 0xffff) + (total >> 16)
		    check = ~((total & 0xffff) + (total >> 16)) & 0xffff
		    ip = struct.pack("!BBHHHBBH4s4s", 0x45, 0, 0, 0, 0, 64, 6, 0,
		                     socket.inet_aton("10.0.0.99"), socket.inet_aton("10.0.0.2"))
		    return ip + tcp[:16] + struct.pack("!H", check) + tcp[18:]

		s = socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_RAW)
		for port in range(1024, 21024):
		    s.sendto(syn(port), ("10.0.0.2", 0))
	PY
	wait_for 20 has_counter cookie_sent 15000
	is_equal "$(echo_back 10.0.0.2 34567 'still here')" 'still here'
	run in_server ss -Htan state syn-recv
	is_equal "$output" ""
}

@test "kill -9 leaves the card as it was" {
	start_native
	stop_loader KILL
	wait_for 10 is_refused 10.0.0.2 34567
	[[ $(in_server ip link show eth0) != *xdp* ]]
}
