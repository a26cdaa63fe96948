#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# Three servers with one cookie key behind a router: see doc/fleet.md. tests/soak/fleet has many kills, and figures.
load helpers
load accept
load fleet

NEXT_KEY=101112131415161718191a1b1c1d1e1f

setup()
{
	fleet_up
}

teardown()
{
	fleet_down
}

# completes_there SYN-TO ACK-TO: over both families, with all options, and nothing of it is lost or refused for its timestamps.
completes_there()
{
	local address text
	split "$1" "$2"
	for address in 10.9.0.1 fd09::1; do
		text="from $1 to $2 over $address"
		is_equal "$(echo_back $address "$FLEET_PORT" "$text")" "$text" || return
	done
}

# Server 1 is three seconds ahead of the others.
@test "completes a handshake that another server has begun, clocks three seconds apart" {
	local methods
	for methods in "xdp auto" "accept accept"; do
		[[ $methods != *accept* ]] || can_accept || continue
		CLOCK_AHEAD=3 start_server 1 -q -m "${methods% *}"
		start_server 2 -q -m "${methods#* }"
		completes_there 1 2
		completes_there 2 1
		for n in 1 2; do
			is_equal "$(counter_of $n cookie_sent)" 2
			is_equal "$(counter_of $n 'held_cookie + .counters.accept_child')" 2
			stop_server $n
		done
	done
	for namespace in "$CLIENT" "${FLEET_SERVER[1]}" "${FLEET_SERVER[2]}"; do
		is_equal "$(snmp "$namespace" TcpExtPAWSEstab)" 0
	done
}

# reload_key N KEY...: and it says that it has them.
reload_key()
{
	local before
	before=$(grep -c 'cookies are made' "${FLEET_LOG[$1]}")
	write_key "$@"
	kill -HUP "${FLEET_PID[$1]}"
	wait_for 5 has_lines "${FLEET_LOG[$1]}" 'cookies are made' $((before + 1))
}

# has_lines FILE TEXT COUNT
has_lines()
{
	[ "$(grep -c "$2" "$1")" -ge "$3" ]
}

@test "goes over to another key without losing a handshake" {
	start_server 1 -q
	start_server 2 -q
	split 1 2
	start_clients 0 200
	serves_on 50
	for keys in "$FLEET_FIRST_KEY $NEXT_KEY" "$NEXT_KEY $FLEET_FIRST_KEY" $NEXT_KEY; do
		for n in 1 2; do
			# shellcheck disable=SC2086
			reload_key $n $keys
			serves_on 30
		done
	done
	end_clients
	clients_say '.begun == .served' || { clients . >&2; return 1; }
}

# takes_no_key N TEXT: of the file as it is, and says why in a line.
takes_no_key()
{
	local before
	before=$(wc -l <"${FLEET_LOG[$1]}")
	kill -HUP "${FLEET_PID[$1]}"
	wait_for 5 has_text "${FLEET_LOG[$1]}" "$2; the keys are as before" || return
	is_equal "$(wc -l <"${FLEET_LOG[$1]}")" $((before + 1))
}

@test "keeps its keys when there is something wrong with the file" {
	start_server 1 -q
	start_server 2 -q
	split 1 2
	write_key 2 $NEXT_KEY
	chmod 640 "${FLEET_KEY[2]}"
	takes_no_key 2 "others than its owner may use it: chmod 600 it first"
	write_key 2 $NEXT_KEY $NEXT_KEY
	takes_no_key 2 "the same key twice"
	rm "${FLEET_KEY[2]}"
	takes_no_key 2 "No such file or directory"
	is_equal "$(echo_back 10.9.0.1 "$FLEET_PORT" hello)" hello
}

# has_established N: a client at least.
has_established()
{
	[ "$(counter_of "$1" established)" -gt 0 ]
}

# has_no_idle_bucket N COUNT: it has no more buckets than there are connections that keep them.
has_no_idle_bucket()
{
	[ "$(buckets_of "$1")" -le "$2" ] && [ "$(buckets_of "6$1")" -le "$2" ]
}

@test "drains a server, and loses only what is established on one that is killed and comes again" {
	local held victims
	start_servers -q
	spread_over 1/2/3 || skip "no resilient groups of next hops here (Linux 5.12)"
	start_clients 30 100
	wait_for 10 clients_say '(.held | length) == 30'

	# Where nothing is going on new connections go elsewhere; the others stay.
	held=$(held_by 3 | jq length)
	spread_over 1,100/2,100/3,1
	wait_for 10 has_no_idle_bucket 3 "$held"
	clients_say '(.held | length) == 30 and .lost == []'

	victims=$(held_by 2)
	not is_equal "$victims" "[]"
	kill_server 2
	spread_over 1/3
	wait_for 15 clients_say "(.lost | map(.[0]) | sort) == $victims"
	serves_on 50

	revive_server 2 -q
	spread_over 1/2/3
	wait_for 15 has_established 2
	serves_on 50
	end_clients
	clients_say "(.lost | map(.[0]) | sort) == $victims and .unserved == []" || { clients . >&2; return 1; }
}
