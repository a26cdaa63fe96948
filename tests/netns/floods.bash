# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# shellcheck shell=bash
# A lab in which live frames can be a flood, for floods.bats and tests/soak/floods; needs crowds.

flood_lab_up()
{
	local end
	lab_up && many_sources || return
	for end in "$SERVER" "$CLIENT"; do
		join "$end" spare0 "$end" spare1
	done
	in_server ethtool -K eth0 gro on
	ip -n "$SERVER" route add 10.9.0.0/16 via 10.0.0.1
	ip -n "$SERVER" -6 route add fd09::/16 via fd00::1
	# Neighbours are known: a flood is not to ask for them.
	know "$SERVER" "$CLIENT" 10.0.0.1 fd00::1
	know "$CLIENT" "$SERVER" 10.0.0.2 fd00::2
}

# know WHO WHOM ADDRESS...
know()
{
	local who=$1 mac address
	mac=$(ip -n "$2" -j link show eth0 | jq -r '.[0].address')
	shift 2
	for address in "$@"; do
		ip -n "$who" neighbour replace "$address" lladdr "$mac" dev eth0 nud permanent
	done
}

# start_flood spoofed|one RATE KIND...: as stray_flood, on the first processor.
start_flood()
{
	local options=(-l) mac rate=$2
	[ "$1" = spoofed ] || options+=(-o)
	shift 2
	mac=$(ip -n "$SERVER" -j link show eth0 | jq -r '.[0].address')
	start flood ip netns exec "$CLIENT" taskset -c 0 "$TOOLS/stray_flood" "${options[@]}" eth0 "$mac" 34567 "$rate" "$@"
	FLOOD=$STARTED
}

# end_flood: and what it has opened is reset.
end_flood()
{
	kill -TERM "$FLOOD"
	wait_for 120 is_gone "$FLOOD"
}
