#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# Simultaneous open: the guard while it lasts, the end of it, and what cannot be.
load helpers
load meet

@test "the guard is gone once connected" {
	hold_connection
	not is_guarding "$PID_a"
	is_equal "$(links_of "$PID_a")$(links_of "$PID_b")" ""
	not has_filters "$HOST_A"
	in_a ss -Htn state established | grep -q 10.2.0.2:6000
	stop "$PID_a"
	# Its FIN does not end b, which could still send: as with nc.
	stop "$PID_b"
}

@test "a reset of the connection ends it with status 1" {
	local status=0
	hold_connection
	in_a ss -K dst 10.2.0.2 >/dev/null
	wait_for 5 is_gone "$PID_b"
	wait "$PID_b" || status=$?
	is_equal "$status" 1
	said b "the connection ended"
}

@test "leaves nothing behind when killed or interrupted" {
	local signal link links before
	before=$(in_a bpftool net show)
	for signal in KILL TERM INT; do
		start_meet a "${V4[@]}" --crossed
		wait_for 5 is_guarding "$PID_a"
		links=$(links_of "$PID_a")
		kill "-$signal" "$PID_a"
		wait_for 5 is_gone "$PID_a"
		for link in $links; do
			wait_for 5 not bpftool link show id "$link"
		done
		[ "$signal" != KILL ] || has_tcx || continue
		not has_filters "$HOST_A"
		is_equal "$(in_a bpftool net show)" "$before"
		[ "$signal" = KILL ] || said a "did not meet 10.2.0.2:6000: interrupted"
	done
}

@test "other ports of the same hosts still get their RST" {
	start_meet a "${V4[@]}"
	wait_for 5 is_guarding "$PID_a"
	run in_b timeout 5 nc -v -z -w 3 -p 6000 10.1.0.2 5001
	[[ $output == *refused* ]]
	run in_b timeout 5 nc -v -z -w 3 -p 6001 10.1.0.2 5000
	[[ $output == *refused* ]]
}

# refused STATUS TEXT ARGUMENT...: one line that contains TEXT, and no filter is left.
refused()
{
	local expected=$1 text=$2
	shift 2
	run in_a timeout -k 1 15 "$NOLISTEN" meet "$@"
	if [ "$status" != "$expected" ] || [[ $output != *"$text"* ]] || [ ${#lines[@]} != 1 ]; then
		printf 'expected status %s and one line with "%s", got status %s:\n%s\n' \
			"$expected" "$text" "$status" "$output" >&2
		return 1
	fi
	not has_filters "$HOST_A"
}

@test "says what is wrong with its arguments, in one line and status 2" {
	refused 2 "usage: nolisten meet LOCAL:PORT REMOTE:PORT"
	refused 2 "usage: nolisten meet" 10.1.0.2:5000
	refused 2 "'cat': one too many, and a command needs -- in front of it" 10.1.0.2:5000 10.2.0.2:6000 cat
	refused 2 "usage: nolisten meet" 10.1.0.2:5000 10.2.0.2:6000 --
	refused 2 "'10.1.0.2': not ADDR:PORT" 10.1.0.2 10.2.0.2:6000
	refused 2 "'fd02::2:6000': not ADDR:PORT" '[fd01::2]:5000' fd02::2:6000
	refused 2 "'10.2.0.2:0': not ADDR:PORT" 10.1.0.2:5000 10.2.0.2:0
	refused 2 "'10.2.0.2:65536': not ADDR:PORT" 10.1.0.2:5000 10.2.0.2:65536
	refused 2 "'0.0.0.0:5000': not the address of one host" 0.0.0.0:5000 10.2.0.2:6000
	refused 2 "'[ff02::1]:6000': not the address of one host" '[fd01::2]:5000' '[ff02::1]:6000'
	refused 2 "'255.255.255.255:6000': not the address of one host" 10.1.0.2:5000 255.255.255.255:6000
	refused 2 "one end is IPv4 and the other IPv6" 10.1.0.2:5000 '[fd02::2]:6000'
	refused 2 "that is nolisten self" 10.1.0.2:5000 10.1.0.2:5000
	refused 2 "--timeout: '0': a number from 1 to 86400 is needed" "${V4[@]}" --timeout 0
	refused 2 "--timeout: '1s': a number from 1 to 86400 is needed" "${V4[@]}" --timeout=1s
	refused 2 "--timeout: needs an argument, S" "${V4[@]}" --timeout
	refused 2 "--frob: no such option (see nolisten meet --help)" "${V4[@]}" --frob
}

@test "says why it did not meet, in one line and status 1" {
	refused 1 "did not meet 10.2.0.2:6000 within 1 s: refused: nobody connects from there" "${V4[@]}" --timeout 1
	refused 1 "did not meet [fd02::2]:6000 within 1 s: refused: nobody connects from there" "${V6[@]}" --timeout 1
	refused 1 "10.1.0.255:5000: cannot bind: a broadcast address" 10.1.0.255:5000 10.2.0.2:6000
	refused 1 "the remote end has a broadcast address" 10.1.0.2:5000 10.1.0.255:6000
	in_router nft 'add table inet silence; add chain inet silence f { type filter hook forward priority 0; policy drop; }'
	refused 1 "within 1 s: no answer at all" "${V4[@]}" --timeout 1
	refused 1 "within 5 s: no route to host" 10.1.0.2:5000 10.1.0.77:6000 --timeout 5
	in_router nft flush ruleset
	in_router nft 'add table inet wall; add chain inet wall f { type filter hook forward priority 0; }; add rule inet wall f meta l4proto tcp reject with icmpx port-unreachable'
	refused 1 "refused by a packet filter (ICMP)" "${V4[@]}" --timeout 1
}

@test "says why it cannot even begin, in one line and status 1" {
	refused 1 "10.9.9.9:5000: cannot bind: not an address of this host" 10.9.9.9:5000 10.2.0.2:6000
	start_ready listener ip netns exec "$HOST_A" "$TOOLS/echo_server" 5000
	refused 1 "10.1.0.2:5000: cannot bind: another socket has the port" "${V4[@]}"
	stop "$STARTED"
	ip -n "$HOST_A" -6 route del default
	refused 1 "no route to the remote address" "${V6[@]}"
	ip -n "$HOST_A" -6 route add default via fd01::1
	run in_a setpriv --reuid=65534 --clear-groups "$NOLISTEN" meet "${V4[@]}"
	[ "$status" = 1 ]
	[ ${#lines[@]} = 1 ]
	[[ $output == *"not permitted: bpf() needs root"* ]]
}

@test "says that the two ends are connected already" {
	hold_connection
	run in_a "$NOLISTEN" meet "${V4[@]}"
	[ "$status" = 1 ]
	[[ $output == *"10.1.0.2:5000 and 10.2.0.2:6000 are connected already"* ]]
}
