# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# shellcheck shell=bash
#
# A fleet, for fleet.bats and tests/soak/fleet: three servers behind a router, which all have 10.9.0.1 and fd09::1 on lo. The
# router spreads connections by addresses and ports over a resilient group of next hops, or sends them where it is told.
#
#  client 10.1.0.1 ── 10.1.0.254 router 10.2.N.254 ── 10.2.N.1 server N (1, 2, 3); IPv6: fd01::1, fd01::ff, fd02:N::ff, fd02:N::1

FLEET_ADDRESSES=10.9.0.1,fd09::1
FLEET_PORT=34567
FLEET_BUCKETS=256
FLEET_IDLE_S=2 # a bucket without packets for so long may go to another server
FLEET_FIRST_KEY=000102030405060708090a0b0c0d0e0f
declare -gA FLEET_SERVER=() FLEET_PID=() FLEET_LOG=() FLEET_KEY=()

in_router()
{
	in_namespace "$ROUTER" "$@"
}

# add_member ROLE: a namespace whose link-local addresses need not be waited for. Its name is in $MEMBER.
add_member()
{
	MEMBER=$(add_namespace "$1") && in_namespace "$MEMBER" sysctl -qw net.ipv6.conf.default.accept_dad=0
}

# routed NAMESPACE GATEWAY-V4 GATEWAY-V6
routed()
{
	ip -n "$1" route add default via "$2"
	ip -n "$1" -6 route add default via "$3"
}

fleet_up()
{
	local n server
	add_member r && ROUTER=$MEMBER
	add_member c && CLIENT=$MEMBER
	in_router sysctl -qw net.ipv4.ip_forward=1 net.ipv6.conf.all.forwarding=1 \
		net.ipv4.fib_multipath_hash_policy=1 net.ipv6.fib_multipath_hash_policy=1
	in_client sysctl -qw net.ipv4.ip_local_port_range='1024 65535'
	join "$ROUTER" in "$CLIENT" eth0
	address "$ROUTER" in 10.1.0.254/24 fd01::ff/64
	address "$CLIENT" eth0 10.1.0.1/24 fd01::1/64
	routed "$CLIENT" 10.1.0.254 fd01::ff
	for n in 1 2 3; do
		add_member "$n" && server=$MEMBER
		FLEET_SERVER[$n]=$server
		join "$ROUTER" "to$n" "$server" eth0
		address "$ROUTER" "to$n" "10.2.$n.254/24" "fd02:$n::ff/64"
		address "$server" eth0 "10.2.$n.1/24" "fd02:$n::1/64"
		address "$server" lo 10.9.0.1/32 fd09::1/128
		routed "$server" "10.2.$n.254" "fd02:$n::ff"
		ip -n "$ROUTER" nexthop add id "$n" via "10.2.$n.1" dev "to$n"
		ip -n "$ROUTER" nexthop add id "6$n" via "fd02:$n::1" dev "to$n"
		ip -n "$ROUTER" route add 10.9.0.1 nhid "$n" table "10$n"
		ip -n "$ROUTER" -6 route add fd09::1 nhid "6$n" table "10$n"
		ip -n "$ROUTER" rule add fwmark "$n" table "10$n"
		ip -n "$ROUTER" -6 rule add fwmark "$n" table "10$n"
	done
}

fleet_down()
{
	local n
	for n in "${!FLEET_PID[@]}"; do
		stop "${FLEET_PID[$n]}" KILL
	done
	FLEET_PID=()
	remove_namespace ${ROUTER:+"$ROUTER"} ${CLIENT:+"$CLIENT"} "${FLEET_SERVER[@]}"
}

# write_key N KEY...: the first one makes cookies.
write_key()
{
	FLEET_KEY[$1]=$BATS_TEST_TMPDIR/key-$1
	(umask 077 && printf '%s\n' "${@:2}" >"${FLEET_KEY[$1]}.new")
	mv "${FLEET_KEY[$1]}.new" "${FLEET_KEY[$1]}"
}

# start_server N [OPTION...]: its clock is CLOCK_AHEAD (0) seconds ahead.
start_server()
{
	local n=$1 preload=(env)
	[ -z "${CLOCK_AHEAD:-}" ] || preload=(env "LD_PRELOAD=$TOOLS/shifted_clock.so" "SHIFTED_S=$CLOCK_AHEAD"
		"ASAN_OPTIONS=${ASAN_OPTIONS:+$ASAN_OPTIONS:}verify_asan_link_order=0")
	[ -n "${FLEET_KEY[$n]:-}" ] || write_key "$n" $FLEET_FIRST_KEY
	FLEET_LOG[$n]=$(mktemp "$BATS_TEST_TMPDIR/server-$n.XXXXXX")
	ip netns exec "${FLEET_SERVER[$n]}" "${preload[@]}" "$LOADER" -a $FLEET_ADDRESSES -p $FLEET_PORT \
		--cookie-key="${FLEET_KEY[$n]}" "${@:2}" eth0 2>"${FLEET_LOG[$n]}" >"${FLEET_LOG[$n]}.out" 3>&- </dev/null &
	FLEET_PID[$n]=$!
	LOADER_LOG=${FLEET_LOG[$n]} LOADER_PID=$!
	wait_for 10 is_answering_or_gone && ! is_gone "$LOADER_PID" && return
	cat "$LOADER_LOG" >&2
	return 1
}

start_servers()
{
	local n
	for n in 1 2 3; do
		start_server "$n" "$@" || return
	done
}

# stop_server N [SIGNAL]
stop_server()
{
	stop "${FLEET_PID[$1]}" "${2:-TERM}"
	unset "FLEET_PID[$1]"
}

# counter_of N NAME
counter_of()
{
	SERVER=${FLEET_SERVER[$1]} counter "$2"
}

# spread_over N[,WEIGHT]/...: the router's group. FLEET_GROUP: resilient or mpath.
spread_over()
{
	local kind=(type resilient buckets "$FLEET_BUCKETS" idle_timer "$FLEET_IDLE_S")
	[ "${FLEET_GROUP:-resilient}" = resilient ] || kind=()
	ip -n "$ROUTER" nexthop replace id 10 group "$1" "${kind[@]}" &&
		ip -n "$ROUTER" nexthop replace id 60 group "6${1//\//\/6}" "${kind[@]}" &&
		ip -n "$ROUTER" route replace 10.9.0.1 nhid 10 &&
		ip -n "$ROUTER" -6 route replace fd09::1 nhid 60
}

# buckets_of N: how many of both groups are this server's.
buckets_of()
{
	ip -n "$ROUTER" nexthop bucket show nhid "$1" | wc -l
}

# split SYN-TO OTHERS-TO: every SYN to one server, all that follows to another.
split()
{
	in_router nft -f - <<-END
		table inet split
		delete table inet split
		table inet split {
			chain prerouting {
				type filter hook prerouting priority mangle;
				iifname in tcp dport $FLEET_PORT meta mark set $2
				iifname in tcp dport $FLEET_PORT tcp flags & (syn|ack) == syn meta mark set $1
			}
		}
	END
}

# cut_off N: nothing gets there or comes from there any more, as when a machine has lost its power.
cut_off()
{
	in_router nft "table inet cut { chain forward { type filter hook forward priority 0; iifname to$1 drop; oifname to$1 drop; }; }"
}

# kill_server N: with its power; nothing is left of its connections.
kill_server()
{
	cut_off "$1"
	stop_server "$1" KILL
	in_namespace "${FLEET_SERVER[$1]}" ss -tK state all "( sport = :$FLEET_PORT )" >"$BATS_TEST_TMPDIR/killed"
}

# revive_server N [OPTION...]
revive_server()
{
	in_router nft delete table inet cut
	start_server "$@"
}

# --- the clients

# start_clients HELD RATE
start_clients()
{
	start clients ip netns exec "$CLIENT" python3 "$REPO/tests/tools/fleet_client.py" $FLEET_PORT "$1" "$2" 10.9.0.1 fd09::1
	CLIENTS=$STARTED
}

# clients FILTER: of the last line that is complete.
clients()
{
	grep '}$' "$BATS_FILE_TMPDIR/clients.out" | tail -n 1 | jq -c "$1"
}

# clients_say FILTER
clients_say()
{
	[ "$(clients "$1")" = true ]
}

# serves_on COUNT [SECONDS]: so many more clients, from now on.
serves_on()
{
	local before
	before=$(clients .served)
	wait_for "${2:-10}" clients_say ".served >= $((before + $1))"
}

end_clients()
{
	kill -TERM "$CLIENTS"
	wait_for 60 is_gone "$CLIENTS"
	cat "$BATS_FILE_TMPDIR/clients.err" >&2
	clients_say .over
}

# held_by N: the local ports of connections that stay, as its sockets have them, sorted. JSON.
held_by()
{
	in_namespace "${FLEET_SERVER[$1]}" ss -Htn state established "( sport = :$FLEET_PORT )" |
		awk '{ sub(/.*:/, "", $4); print $4 }' | jq -cs --argjson held "$(clients .held)" \
		'. as $here | [$held[] | select(. as $port | $here | index($port))] | sort'
}
