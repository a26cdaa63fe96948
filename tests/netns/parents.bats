#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# Method accept: endpoints with listeners of their own, which applications offer.
load helpers
load accept
load applications

setup()
{
	accept_up
	NOLISTEN_SOCKET=@parents
	export NOLISTEN_SOCKET
	OFFERERS=()
	CLIENTS=()
}

teardown()
{
	local i
	for i in "${!OFFERERS[@]}"; do
		kill -KILL "${OFFERERS[i]}" 2>/dev/null || :
	done
	end_clients
	accept_down
}

# serve_offers [OPTION...]: a loader that applications may offer listeners to.
serve_offers()
{
	accept --xdp=none -p 8000-8009 -s "socket:$NOLISTEN_SOCKET" "$@"
}

# offerer NAME PORTS: an application; its commands go to descriptor ${NAME}_IN.
offerer()
{
	mkfifo "$BATS_TEST_TMPDIR/$1"
	ip netns exec "$SERVER" python3 "$REPO/tests/tools/offer.py" "$OBJ/lib/libnolisten.so.0" "$NOLISTEN_SOCKET" "$2" \
		<>"$BATS_TEST_TMPDIR/$1" >"$BATS_TEST_TMPDIR/$1.out" 2>"$BATS_TEST_TMPDIR/$1.err" 3>&- &
	STARTED=$!
	OFFERERS+=("$STARTED")
	wait_for 5 has_text "$BATS_TEST_TMPDIR/$1.out" ready
}

has_lines()
{
	[ "$(wc -l <"$1")" = "$2" ]
}

# say NAME COMMAND...: to that application; prints its answer.
say()
{
	local out=$BATS_TEST_TMPDIR/$1.out lines
	lines=$(wc -l <"$out")
	echo "${*:2}" >"$BATS_TEST_TMPDIR/$1"
	wait_for 5 has_lines "$out" $((lines + 1))
	tail -n 1 "$out"
}

# agrees NAME COMMAND...: the answer is 0.
agrees()
{
	is_equal "$(say "$@")" 0
}

# opening_is_refused PORTS WHY: an application that asks for these.
opening_is_refused()
{
	run in_server timeout 5 python3 "$REPO/tests/tools/offer.py" "$OBJ/lib/libnolisten.so.0" "$NOLISTEN_SOCKET" "$1"
	[ "$status" = 1 ] && [[ $output == *"$2"* ]]
}

# is_lent_again: connections come, and the loader does not see them.
is_lent_again()
{
	local before
	before=$(of_applications passed)
	[ "$(banner_of 10.0.0.2 8000)" = passed ] && [ "$(of_applications passed)" = "$before" ]
}

@test "each endpoint's own listener gets its connections, and nothing else is answered" {
	address "$SERVER" eth0 10.0.0.3/24 fd00::3/64
	serve_offers
	offerer app none
	agrees app offer one 6 10.0.0.2 8000
	agrees app offer any 6 :: 8001
	agrees app offer four 4 0.0.0.0 8002
	agrees app offer six 6only :: 8003
	agrees app offer exact 6 fd00::3 8001
	is_equal "$(banner_of 10.0.0.2 8000)" one
	is_equal "$(banner_of 10.0.0.3 8001)" any
	is_equal "$(banner_of fd00::2 8001)" any
	is_equal "$(banner_of fd00::3 8001)" exact
	is_equal "$(banner_of 10.0.0.3 8002)" four
	is_equal "$(banner_of fd00::2 8003)" six
	is_refused 10.0.0.3 8000
	is_refused fd00::2 8000
	is_refused fd00::2 8002
	is_refused 10.0.0.2 8003
	is_refused 10.0.0.2 8004
	is_equal "$(in_server ss -Hltn 'sport >= 8000 and sport <= 8009')" ''
	is_equal "$(say app taken)" 0
}

@test "XDP answers for endpoints as TC does" {
	address "$SERVER" eth0 10.0.0.3/24
	accept --xdp=generic -p 8000-8009 -s "socket:$NOLISTEN_SOCKET"
	offerer app none
	agrees app offer one 6 10.0.0.2 8000
	is_equal "$(banner_of 10.0.0.2 8000)" one
	is_refused 10.0.0.3 8000
}

@test "listeners of one endpoint share its connections, and one that goes leaves them to the others" {
	serve_offers
	offerer app none
	agrees app offer first 6 :: 8000
	agrees app offer second 6 :: 8000
	for ((i = 0; i < 40; i++)); do
		banner_of 10.0.0.2 8000
	done >"$BATS_TEST_TMPDIR/banners"
	is_equal "$(sort -u "$BATS_TEST_TMPDIR/banners" | xargs)" "first second"
	agrees app close first
	for ((i = 0; i < 10; i++)); do
		is_equal "$(banner_of 10.0.0.2 8000)" second
	done
	is_equal "$(counter accept_failed)" 0
}

@test "sockets with SO_REUSEPORT at one hidden address share them too" {
	serve_offers
	offerer app none
	agrees app share first 6 :: 8000
	agrees app share second 6 :: 8000
	for ((i = 0; i < 40; i++)); do
		banner_of 10.0.0.2 8000
	done >"$BATS_TEST_TMPDIR/banners"
	is_equal "$(sort "$BATS_TEST_TMPDIR/banners" | uniq -c | wc -l)" 2
	is_equal "$(counter accept_failed)" 0
}

@test "connections to a listener that was closed are refused, also without a word" {
	serve_offers
	offerer app none
	agrees app offer one 6 :: 8000
	agrees app offer two 6 :: 8001
	is_equal "$(banner_of 10.0.0.2 8000)" one
	agrees app close one
	agrees app withdraw two
	is_refused 10.0.0.2 8001
	wait_for 5 is_refused 10.0.0.2 8000
	agrees app offer again 6 :: 8000
	is_equal "$(banner_of 10.0.0.2 8000)" again
}

@test "an endpoint is one application's only, and no kernel socket's" {
	start_kernel_server 8009 kernel
	serve_offers
	offerer app none
	offerer other none
	agrees app offer any 6 :: 8000
	agrees app offer four 4 0.0.0.0 8001
	is_equal "$(say other offer x 6 10.0.0.2 8000)" "10.0.0.2:8000: another application has it"
	is_equal "$(say other offer x 6 :: 8009)" "[::]:8009: a kernel socket listens there"
	is_equal "$(say other offer x 6 :: 9000)" "[::]:9000: the loader does not answer it (--port)"
	agrees other offer six 6only :: 8001
	is_equal "$(banner_of 10.0.0.2 8001),$(banner_of fd00::2 8001),$(banner_of 10.0.0.2 8000)" four,six,any
	opening_is_refused 8000 "another application has it"
	kill -KILL "${OFFERERS[0]}"
	wait_for 5 is_refused 10.0.0.2 8000
	agrees other offer any 6 :: 8000
	is_equal "$(banner_of 10.0.0.2 8000)" any
}

@test "what is no listener is refused, and says why" {
	serve_offers
	offerer app none
	is_equal "$(say app offer x 4 :: 8000)" "the listener: an IPv4 socket can have no IPv6"
	is_equal "$(say app strange bound)" "the listener: it does not listen"
	is_equal "$(say app strange unix)" "the listener: no TCP socket"
	is_equal "$(say app strange udp)" "the listener: no TCP socket"
	is_equal "$(say app strange file)" "the listener: no TCP socket"
	is_equal "$(say app strange any)" "the listener: it listens at no single address"
	agrees app offer one 6 10.0.0.2 8000
	is_equal "$(banner_of 10.0.0.2 8000)" one
}

@test "only method accept has listeners of others" {
	start_loader -m engine -p 8000-8009 -s "socket:$NOLISTEN_SOCKET"
	offerer app none
	is_equal "$(say app offer x 6 :: 8000)" "only method accept has listeners of others"
}

@test "where sources are counted the loader accepts by itself" {
	serve_offers --max-per-source=1
	offerer app none
	is_equal "$(say app offer x 6 :: 8000)" "--max-per-source counts what the loader accepts"
}

@test "a full queue of an endpoint is counted, and those that waited are served" {
	serve_offers
	offerer app none
	agrees app offer slow 6 :: 8000 1
	for i in 1 2 3 4; do
		start "speaker-$i" in_client timeout 30 nc -N 10.0.0.2 8000
		CLIENTS+=("$STARTED")
	done
	wait_for 5 has_counter lost_queue_full 1
	agrees app serve slow
	for pid in "${CLIENTS[@]}"; do
		wait_for 10 is_gone "$pid"
	done
	is_equal "$(cat "$BATS_FILE_TMPDIR"/speaker-?.out | xargs)" "slow slow slow slow"
	CLIENTS=()
}

@test "the addresses that an application asks for are all that is answered" {
	address "$SERVER" eth0 10.0.0.3/24
	for method in accept auto; do
		start_loader -m "$method" -p 8000-8009 -s "socket:$NOLISTEN_SOCKET"
		offerer "$method" 8000,8001@10.0.0.2
		is_equal "$(banner_of 10.0.0.2 8001)" passed
		is_refused 10.0.0.3 8001
		is_refused fd00::2 8001
		offerer "more-$method" 8001@10.0.0.3
		is_equal "$(banner_of 10.0.0.3 8001)" passed
		is_equal "$(say "more-$method" taken),$(say "$method" taken)" 1,1
		stop_loader
	done
}

@test "an application that is alone again gets the loader's listener again" {
	serve_offers
	offerer app 8000
	is_equal "$(banner_of 10.0.0.2 8000)" passed
	before=$(of_applications passed)
	offerer other 8001
	is_equal "$(banner_of 10.0.0.2 8000)" passed
	wait_for 5 has_count passed $((before + 1))
	kill -KILL "${OFFERERS[1]}"
	offerer third 8001
	stop "${OFFERERS[2]}" KILL
	wait_for 30 is_lent_again
}

@test "addresses of the host's other interfaces are answered with --address=host" {
	join "$SERVER" eth1 "$CLIENT" eth1
	address "$SERVER" lo 10.9.0.1/32
	ip -n "$CLIENT" route add 10.9.0.0/24 via 10.0.0.2
	serve_offers --address=host
	offerer app none
	agrees app offer any 6 :: 8000
	is_equal "$(banner_of 10.9.0.1 8000)" any
	address "$SERVER" eth1 10.9.0.2/32
	wait_for 5 has_text "$LOADER_LOG" "answering 10.9.0.2 as well"
	is_equal "$(banner_of 10.9.0.2 8000)" any
	ip -n "$SERVER" address del 10.9.0.2/32 dev eth1
	wait_for 5 has_text "$LOADER_LOG" "no longer answering 10.9.0.2"
	refused_loader 2 "host does not go with others" --address=host --address=10.0.0.2 eth0
}

@test "a transient loader ends with its last application, and nothing stays attached" {
	serve_offers -s "socket:$NOLISTEN_SOCKET,transient"
	offerer app none
	offerer other none
	agrees app offer any 6 :: 8000
	kill -KILL "${OFFERERS[0]}"
	wait_for 5 is_refused 10.0.0.2 8000
	agrees other offer any 6 :: 8000
	is_equal "$(banner_of 10.0.0.2 8000)" any
	kill -KILL "${OFFERERS[1]}"
	wait_for 5 is_gone "$LOADER_PID"
	is_detached
	LOADER_PID=
}
