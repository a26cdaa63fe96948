#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# --pin: the programs outlive the loader, and the next one takes over.

load helpers
load accept
load pin

setup()
{
	pin_up
}

teardown()
{
	pin_down
}

# restarts WAY LOADER...: each after the other, the first of which runs already.
restarts()
{
	local way=$1 LOADER
	for LOADER in "${@:2}"; do
		# shellcheck disable=SC2086
		hand_over $way --pin
	done
}

@test "restarts and upgrades under load lose no client" {
	start_pinned --pin
	load 500 5
	restarts "-m auto" "$LOADER" "$LOADER"
	restarts "-m auto --workers=2 --ring=512 --max-flows=1000" "$TOOLS/other_loader" "$LOADER"
	lost_none
	has_text "$LOADER_LOG" "took over from the last loader"
	stop_loader
}

@test "nor do they with method accept" {
	needs_accept
	start_pinned -m accept --pin
	load 300 5
	restarts "-m accept --workers=2" "$TOOLS/other_loader"
	lost_none
	stop_loader
}

@test "nor with the engine, whose clients' SYNs come again, and clsact" {
	start_pinned -m engine --tc=clsact --pin
	load 200 3
	restarts "-m engine --tc=clsact" "$LOADER"
	lost_none
	stop_loader
}

# greets_later WAY: who connects while there is no loader, and says nothing, is greeted by the next.
greets_later()
{
	# shellcheck disable=SC2086
	start_pinned $1 --pin -s "banner:first"
	kill_loader
	greeted "early"
	wait_for 5 is_connected early
	# Within three seconds it looks alive, later it does not: both times the handshake waits.
	# shellcheck disable=SC2086
	start_pinned $1 --pin -s "banner:second"
	wait_for 5 hears early second
	stop_loader
	greeted "late"
	wait_for 5 is_connected late
	# shellcheck disable=SC2086
	start_pinned $1 -s "banner:third"
	wait_for 5 hears late third
	stop_loader
	not is_pinned
	is_detached
}

has_ended()
{
	in_client ss -Htn state fin-wait-1 dport = :34567 | grep -q .
}

# answers_later WAY: who connects just after a kill, asks, and ends at once, is answered by the next loader.
answers_later()
{
	# shellcheck disable=SC2086
	start_pinned $1 --pin
	kill_loader
	start asked nsenter --net="/run/netns/$CLIENT" sh -c 'echo hello | nc -q 8 -w 8 10.0.0.2 34567'
	wait_for 2 has_ended
	# shellcheck disable=SC2086
	start_pinned $1
	wait_for 8 has_text "$BATS_FILE_TMPDIR/asked.out" hello
	stop_loader
}

@test "who connects without a loader is served by the next one, which may leave nothing" {
	greets_later "-m auto"
	greets_later "-m xdp --tc=clsact --workers=2"
	answers_later "-m auto"
}

@test "so it is with method accept" {
	needs_accept
	greets_later "-m accept"
	answers_later "-m accept"
}

@test "without a loader nothing is refused, and after its time the host is as if nothing were there" {
	start_pinned --pin=5 -p 34567,34568 -m engine
	kill_loader
	start syn in_client nc -v -w 3 10.0.0.2 34567
	wait_for 10 is_gone "$STARTED"
	[[ "$(<"$BATS_FILE_TMPDIR/syn.err")" == *"timed out"* ]]
	wait_for 10 expect refused in_client nc -v -w 1 10.0.0.2 34568
	start_pinned --pin=5
	expect hello echo_back 10.0.0.2 34567 hello
	stop_loader
}

@test "unload removes what is left, and says when there is nothing, or when a loader runs" {
	expect "eth0: nothing is pinned there" with_pins "$NOLISTEN" unload eth0
	is_equal "$status" 1
	start_pinned --pin
	expect "eth0: a loader runs, process $LOADER_PID: end it first, or use --end" with_pins "$NOLISTEN" unload eth0
	is_equal "$status" 1
	expect "eth0: unloaded" with_pins "$NOLISTEN" unload --end eth0
	is_equal "$status" 0
	wait_for 5 is_gone "$LOADER_PID"
	is_detached
	not is_pinned
	start_pinned --pin --tc=clsact
	kill_loader
	is_attached
	expect "eth0: unloaded" with_pins "$NOLISTEN" unload eth0
	is_detached
	not is_pinned
	expect "eth0: nothing is pinned there" with_pins "$NOLISTEN" unload eth0
}

# xdp_link: the id of the link that has the interface's XDP program.
xdp_link()
{
	local program
	program=$(with_pins bpftool -j net show | jq '.[0].xdp[0].id')
	with_pins bpftool -j link show | jq ".[] | select(.prog_id == $program) | .id"
}

# notices_detach OPTION...
notices_detach()
{
	start_pinned "$@"
	with_pins bpftool link detach id "$(xdp_link)"
	wait_for 3 is_gone "$LOADER_PID"
	has_text "$LOADER_LOG" "eth0: somebody has detached the XDP program"
	LOADER_STATUS=0
	wait "$LOADER_PID" || LOADER_STATUS=$?
	is_equal "$LOADER_STATUS" 1
	not is_pinned
	is_detached
}

@test "a program that somebody detaches is missed within a second" {
	notices_detach
	notices_detach --pin
	start_pinned --tc=clsact --pin
	in_server tc filter del dev eth0 egress
	wait_for 3 is_gone "$LOADER_PID"
	has_text "$LOADER_LOG" "eth0: somebody has detached the guard at tc egress"
	not is_pinned
	is_detached
}

start_other()
{
	start "$1" nsenter --mount="/proc/$HOLDER/ns/mnt" --net="/run/netns/$SERVER" "$LOADER" --pin eth0
}

@test "of two loaders that take over at once one does, and the other says so in a line" {
	local one=$BATS_FILE_TMPDIR/one.err two=$BATS_FILE_TMPDIR/two.err first second
	start_pinned --pin
	kill_loader
	start_other one
	first=$STARTED
	start_other two
	second=$STARTED
	wait_for 10 eval 'has_text "$one" answering || has_text "$two" answering'
	wait_for 10 eval 'is_gone $first || is_gone $second'
	is_equal "$(cat "$one" "$two" | grep -c answering)" 1
	is_equal "$(cat "$one" "$two" | grep -c 'eth0: another nolisten-loader is on this interface')" 1
	expect hello echo_back 10.0.0.2 34567 hello
	stop "$first"
	stop "$second"
}

@test "pins of a loader in another namespace are left alone, and said" {
	local elsewhere
	start_pinned --pin
	elsewhere=$(add_namespace e)
	join "$elsewhere" eth0 "$elsewhere" peer0
	LOADER_NAMESPACE=$elsewhere run with_pins "$LOADER" --pin eth0
	ip netns del "$elsewhere"
	is_equal "$status,${#lines[@]}" 1,1
	[[ $output == *"--pin: /sys/fs/bpf/nolisten/eth0 is of a loader in another network namespace"* ]]
	expect hello echo_back 10.0.0.2 34567 hello
	hand_over --pin
	stop_loader
}

@test "whom a service's end leaves behind the next loader has" {
	start_pinned --pin -s banner:first
	kill -KILL "$(pgrep -P "$LOADER_PID" -x service-keeper)"
	wait_for 5 is_gone "$LOADER_PID"
	LOADER_STATUS=0
	wait "$LOADER_PID" || LOADER_STATUS=$?
	is_equal "$LOADER_STATUS" 1
	greeted early
	wait_for 5 is_connected early
	start_pinned -s banner:second
	wait_for 5 hears early second
	stop_loader
	is_detached
}

# was_killed_before LINK WAY: its last link was not pinned yet, and the others had its programs already.
was_killed_before()
{
	# shellcheck disable=SC2086
	start_pinned $2 --pin
	kill_loader
	with_pins rm "/sys/fs/bpf/nolisten/eth0/$1"
	start_pinned
	has_text "$LOADER_LOG" "took over from the last loader"
	expect hello echo_back 10.0.0.2 34567 hello
	stop_loader
	is_detached
	not is_pinned
}

@test "a loader that was killed while it took over is taken over as well" {
	was_killed_before link_xdp "-m auto"
	needs_accept
	was_killed_before link_tc_ingress "-m accept --xdp=generic"
	was_killed_before link_tc_ingress "-m accept"
}

syn_acks()
{
	in_client nft -j list ruleset | jq '[.. | .counter? // empty | .packets] | add'
}

waits_a_syn()
{
	[ "$(with_pins bpftool -j map dump pinned /sys/fs/bpf/nolisten/eth0/nol_stats | jq '[.. | .held_syn? // empty] | add')" -ge 1 ]
}

@test "a SYN that has waited for an answer gets it from the next loader, and each that is counted arrives" {
	in_client nft add table inet seen
	in_client nft "add chain inet seen input { type filter hook input priority 0; }"
	in_client nft "add rule inet seen input tcp flags & (syn | ack) == syn | ack counter"
	start_pinned --pin
	mkfifo "$BATS_TEST_TMPDIR/go"
	start_ready again nsenter --net="/run/netns/$CLIENT" python3 -c '
import socket, struct, sys
def connected():
    one = socket.socket()
    one.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    one.bind(("10.0.0.1", 5555))
    one.connect(("10.0.0.2", 34567))
    return one
first = connected()
print("ready", flush=True)
open(sys.argv[1]).read()
first.close()
print(connected().recv(5).decode())' "$BATS_TEST_TMPDIR/go"
	# The loader hears neither of the end nor of the next SYN, which is for it since the first connection's entry is there.
	kill -STOP "$LOADER_PID"
	: >"$BATS_TEST_TMPDIR/go"
	wait_for 2 waits_a_syn
	kill_loader
	start_pinned -s banner:hello
	wait_for 5 hears again hello
	is_equal "$(syn_acks)" $((1 + $(with_pins "$NOLISTEN" status -j eth0 | jq .counters.cookie_sent)))
	stop_loader
}

@test "without --pin, too, what a loader that was killed has pinned is the next one's, at once, and goes with it" {
	start_pinned
	kill_loader
	start_pinned
	stop_loader
	not is_pinned
}
