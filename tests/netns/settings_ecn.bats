#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# ECN is agreed to where a kernel listener does it, by the method that can give it to a socket; and by no other.
load helpers
load settings
load accept

setup()
{
	settings_up
	in_client sysctl -qw net.ipv4.tcp_ecn=1
	ASKS_FOR_ECN=1
}

teardown()
{
	stop_leftover_loader
	lab_down
}

# has_ecn ADDRESS PORT: by both ends of a connection.
has_ecn()
{
	local pid namespace
	start client ip netns exec "$CLIENT" nc -d "$1" "$2"
	pid=$STARTED
	wait_for 5 is_connected "$2"
	for namespace in "$SERVER" "$CLIENT"; do
		in_namespace "$namespace" ss -Htnoi state established "( sport = :$2 or dport = :$2 )" |
			grep -oE '\<ecn\>' || echo none
	done | paste -sd ' '
	stop "$pid" KILL
}

is_connected()
{
	[ -n "$(in_server ss -Htn state established "sport = :$1")" ]
}

# agrees WORDS: on the wire and in the sockets, for both families, as a listener beside it.
agrees()
{
	local address
	becomes_alike "ECN: $1"
	if [ "$1" = "ecn ecn" ]; then
		not grep -qv 'SYN-ACK with ECE' <<<"$OURS"
	else
		not grep -q 'ECE' <<<"$OURS"
	fi
	for address in 10.0.0.2 fd00::2; do
		is_equal "$(has_ecn $address 34567)" "$1"
		is_equal "$(has_ecn $address "$KERNEL_PORT")" "$1"
	done
}

follows_ecn()
{
	needs_accept
	start_beside accept -s hold "$@"
	agrees "ecn ecn" # 2 is the kernel's default
	sysctl_of_server net.ipv4.tcp_ecn=0
	agrees "none none"
	set_route features ecn
	agrees "ecn ecn"
	set_route features ecn advmss 1000
	agrees "ecn ecn"
	set_route advmss 1000
	agrees "none none"
	sysctl_of_server net.ipv4.tcp_ecn=1
	agrees "ecn ecn"
	set_route
	agrees "ecn ecn"
}

@test "accept agrees to ECN by tcp_ecn and the route's features" {
	follows_ecn
}

@test "so does TC without XDP" {
	follows_ecn --xdp=none
}

# The SYN asks for nothing.
@test "accept agrees to no ECN that was not asked for" {
	needs_accept
	in_client sysctl -qw net.ipv4.tcp_ecn=0
	ASKS_FOR_ECN=
	set_route features ecn
	start_beside accept -s hold
	agrees "none none"
}

# A repaired socket cannot have it.
@test "xdp and engine agree to none" {
	local method address
	set_route features ecn
	for method in xdp engine; do
		start_beside $method -s hold
		not grep -q ECE <<<"$(syn_acks 34567)"
		for address in 10.0.0.2 fd00::2; do
			is_equal "$(has_ecn $address 34567)" "none none"
		done
		stop_loader
	done
}
