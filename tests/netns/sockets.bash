# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# shellcheck shell=bash
# What ss tells of the sockets that a hand-off has made.

# knows_its_rtt ADDRESS: the server's socket does, and has sent nothing that could have told it since the handshake.
knows_its_rtt()
{
	run in_server ss -Htnoi state established src "$1" sport = :34567
	[[ $output =~ \ rtt:[0-9] && $output != *bytes_sent:* && $output != *bytes_received:* ]]
}

# tells_its_rtt ADDRESS: a client connects and says nothing.
tells_its_rtt()
{
	local address=$1
	start "silent $address" ip netns exec "$CLIENT" nc -d "$address" 34567
	# ss wants brackets around an IPv6 address.
	[[ $address != *:* ]] || address="[$address]"
	wait_for 5 knows_its_rtt "$address"
	stop "$STARTED" TERM
}
