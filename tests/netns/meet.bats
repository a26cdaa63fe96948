#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# Simultaneous open: who meets whom, through what, and what goes over the connection.
load helpers
load meet

@test "meets when both start at once, IPv4 and IPv6" {
	meets_at 0 "${V4[@]}"
	meets_at 0 "${V6[@]}"
}

@test "meets when one starts 300 ms after the other, both orders" {
	meets_at 300 "${V4[@]}"
	meets_at 300 "${V6[@]}"
}

@test "meets when one starts 3 s after the other, both orders, IPv4" {
	meets_at 3000 "${V4[@]}"
}

@test "meets when one starts 3 s after the other, both orders, IPv6" {
	meets_at 3000 "${V6[@]}"
}

@test "meets a plain peer that calls connect() again and again, run on either side" {
	local one
	for one in V4 V6; do
		local -n ends=$one
		start_plain a "${ends[0]}" "${ends[1]}"
		wait_for 5 said a "try 3"
		start_meet b "${ends[1]}" "${ends[0]}"
		has_met
		start_plain b "${ends[1]}" "${ends[0]}"
		wait_for 5 said b "try 3"
		start_meet a "${ends[0]}" "${ends[1]}"
		has_met
	done
}

@test "meets a plain peer that starts later" {
	local one
	for one in V4 V6; do
		local -n ends=$one
		start_meet a "${ends[0]}" "${ends[1]}"
		wait_for 5 is_guarding "$PID_a"
		after 300 start_plain b "${ends[1]}" "${ends[0]}"
		has_met
		start_meet b "${ends[1]}" "${ends[0]}"
		wait_for 5 is_guarding "$PID_b"
		after 300 start_plain a "${ends[0]}" "${ends[1]}"
		has_met
	done
}

@test "crossed: SYN and SYN-ACK go both ways, IPv4 and IPv6" {
	local one
	for one in V4 V6; do
		local -n ends=$one
		in_router nft flush ruleset
		count_handshakes
		start_meet a "${ends[0]}" "${ends[1]}" --crossed
		start_meet b "${ends[1]}" "${ends[0]}" --crossed
		has_met
		said a "both SYNs crossed"
		said b "both SYNs crossed"
		has_crossed
	done
}

@test "crossed: one side is enough, with meet or a plain peer on the other" {
	count_handshakes
	start_meet a "${V4[@]}"
	wait_for 5 is_guarding "$PID_a"
	start_meet b "${V4[1]}" "${V4[0]}" --crossed
	has_met
	said b "both SYNs crossed"
	has_crossed
	in_router nft flush ruleset
	count_handshakes
	start_plain a "${V6[@]}"
	wait_for 5 said a "try 3"
	start_meet b "${V6[1]}" "${V6[0]}" --crossed
	has_met
	said b "both SYNs crossed"
	has_crossed
}

@test "meets through a firewall that drops what conntrack calls INVALID" {
	firewall
	meets_at 0 "${V4[@]}"
	meets_at 300 "${V6[@]}"
	meets_at 3000 "${V4[@]}"
	in_router nft list ruleset | grep -q 'established counter packets [1-9]'
}

@test "one-sided and crossed go through the firewall too" {
	firewall
	start_plain a "${V4[@]}"
	wait_for 5 said a "try 3"
	start_meet b "${V4[1]}" "${V4[0]}"
	has_met
	start_meet a "${V6[@]}"
	wait_for 5 is_guarding "$PID_a"
	start_plain b "${V6[1]}" "${V6[0]}"
	has_met
	start_meet a "${V4[@]}" --crossed
	after 300 start_meet b "${V4[1]}" "${V4[0]}" --crossed
	has_met
}

@test "meets over lo and link-local addresses" {
	PID_b=
	in_a "$NOLISTEN" meet 127.0.0.1:5000 127.0.0.2:5000 >"$BATS_TEST_TMPDIR/a.out" <<<"from a" 3>&- &
	PID_a=$!
	is_equal "$(in_a "$NOLISTEN" meet 127.0.0.2:5000 127.0.0.1:5000 <<<"from b")" "from a"
	wait "$PID_a"
	is_equal "$(<"$BATS_TEST_TMPDIR/a.out")" "from b"
	ip -n "$HOST_A" address add fe80::a/64 dev eth0 nodad
	ip -n "$ROUTER" address add fe80::b/64 dev eth0 nodad
	start_meet a '[fe80::a]:5000' '[fe80::b]:5000'
	wait_for 5 is_guarding "$PID_a"
	is_equal "$(in_router "$NOLISTEN" meet '[fe80::b]:5000' '[fe80::a]:5000' <<<"from b")" "from a"
	wait "$PID_a"
}

@test "carries a megabyte each way and half-closes" {
	head -c 1000000 /dev/urandom >"$BATS_TEST_TMPDIR/a.in"
	head -c 1000000 /dev/urandom >"$BATS_TEST_TMPDIR/b.in"
	in_a "$NOLISTEN" meet "${V4[@]}" <"$BATS_TEST_TMPDIR/a.in" >"$BATS_TEST_TMPDIR/a.out" 3>&- &
	in_b "$NOLISTEN" meet "${V4[1]}" "${V4[0]}" <"$BATS_TEST_TMPDIR/b.in" >"$BATS_TEST_TMPDIR/b.out"
	wait $!
	cmp "$BATS_TEST_TMPDIR/a.in" "$BATS_TEST_TMPDIR/b.out"
	cmp "$BATS_TEST_TMPDIR/b.in" "$BATS_TEST_TMPDIR/a.out"
}

@test "takes a closed standard input for one that has ended" {
	start_meet a "${V4[@]}"
	is_equal "$(in_b "$NOLISTEN" meet "${V4[1]}" "${V4[0]}" <&- 2>"$BATS_TEST_TMPDIR/b.err")" "from a"
	wait "$PID_a"
	is_equal "$(<"$BATS_TEST_TMPDIR/a.out")" ""
}

@test "can meet again at once, TIME-WAIT or not" {
	for _ in 1 2 3; do
		meets_at 0 "${V4[@]}"
	done
}

@test "hands the socket to a command, with its addresses in the environment" {
	start_meet a "${V6[@]}"
	in_b "$NOLISTEN" meet "${V6[1]}" "${V6[0]}" -- \
		sh -c 'echo "$PROTO $TCPLOCALIP $TCPLOCALPORT $TCPREMOTEIP $TCPREMOTEPORT"; read -r line; echo "got $line"' \
		2>"$BATS_TEST_TMPDIR/b.err"
	wait "$PID_a"
	is_equal "$(<"$BATS_TEST_TMPDIR/a.out")" "TCP fd02::2 6000 fd01::2 5000
got from a"
	start_meet a "${V4[@]}"
	run in_b "$NOLISTEN" meet "${V4[1]}" "${V4[0]}" -- /no/such/command
	[ "$status" = 1 ]
	[[ $output == *"cannot run '/no/such/command': No such file or directory"* ]]
}

@test "meets an ordinary listener and says so" {
	start_ready listener ip netns exec "$HOST_B" "$TOOLS/echo_server" 6000
	expect "its socket was waiting, or listens" in_a "$NOLISTEN" meet "${V4[@]}" <<<"hello"
	[ "$status" = 0 ]
	[[ $output == *hello* ]]
}
