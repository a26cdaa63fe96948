#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# Method connect: the socket's own ACK of the handshake is not sent, and so the next ones are not late.
load helpers

setup_file()
{
	lab_up
	start_ready hold ip netns exec "$SERVER" "$TOOLS/echo_server" 35000
	start_loader -m connect
	in_client nft 'add table inet watch'
	in_client nft 'add chain inet watch input { type filter hook input priority 0; }'
	in_client nft "add rule inet watch input $BARE_ACKS counter"
}

teardown_file()
{
	lab_down
}

BARE_ACKS='tcp sport 34567 tcp flags & (syn|ack|psh|fin|rst) == ack'

bare_acks()
{
	in_client nft -j list ruleset | jq '[.. | .counter? // empty | .packets] | add'
}

# idle_client ADDRESS PORT: connected, it says nothing; $STARTED.
idle_client()
{
	start "client-$2" ip netns exec "$CLIENT" nc -d "$1" "$2"
	wait_for 5 has_connection "$2"
}

has_connection()
{
	[ -n "$(connection "$1")" ]
}

# connection PORT: its congestion window, slow start threshold and delayed ACKs, as ss tells them at the server.
connection()
{
	in_server ss -Htnoi state established sport = ":$1" | grep -o ' \(cwnd\|ssthresh\|ato\|rcvmss\|advmss\|mss\):[0-9]*' | sort
}

# A delayed ACK would have an interval of its own (ato), and a packet that is dropped is a sign of congestion.
idles_as_an_accepted_one()
{
	local before
	before=$(counter back_first_ack)
	idle_client "$1" 34567
	local ours=$STARTED
	wait_for 5 has_counter back_first_ack $((before + 1))
	idle_client "$1" 35000
	is_equal "$(connection 34567)" "$(connection 35000)"
	[[ $(connection 34567) != *ato* ]]
	stop "$ours"
	stop "$STARTED"
	wait_for 5 not has_connection 34567
	wait_for 5 not has_connection 35000
}

@test "a connection on which nobody speaks is as one that was accepted" {
	idles_as_an_accepted_one 10.0.0.2
	idles_as_an_accepted_one fd00::2
}

# The service ends when it is told to: until then there is no FIN that the ACK could go with.
@test "acknowledges the first FIN, and nothing before it" {
	local before
	stop_loader
	mkfifo "$BATS_TEST_TMPDIR/go"
	start_loader -m connect --user=root -s "exec:cat >/dev/null; cat '$BATS_TEST_TMPDIR/go'"
	before=$(bare_acks)
	start client ip netns exec "$CLIENT" nc -N 10.0.0.2 34567
	wait_for 5 has_acked $((before + 1))
	is_equal "$(bare_acks)" $((before + 1))
	in_server ss -Htn state close-wait | grep -q 34567
	echo >"$BATS_TEST_TMPDIR/go"
	wait_for 5 is_gone "$STARTED"
	is_equal "$(counter back_first_ack)" 1
}

has_acked()
{
	[ "$(bare_acks)" -ge "$1" ]
}
