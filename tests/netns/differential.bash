# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# shellcheck shell=bash
# A kernel listener and nolisten side by side, for tools/differ. DIFFER_METHOD: the loader's, unless it is auto.

# prepare_peer NAMESPACE IFNAME: behind that interface of the client, with the address that differ talks to.
prepare_peer()
{
	join "$1" eth0 "$CLIENT" "$2"
	ip -n "$1" link set eth0 down
	ip -n "$1" link set eth0 address 02:00:00:00:00:02
	ip -n "$1" link set eth0 up
	address "$1" eth0 10.0.0.2/24 fd00::2/64
	know_client "$1" "$(ip -n "$CLIENT" -j link show "$2" | jq -r '.[0].address')"
	# Segments come as they go on a real wire, one by one.
	ip netns exec "$1" ethtool -K eth0 tso off gso off gro off >/dev/null
	wait_for 5 is_running "$1" eth0
	wait_for 5 is_running "$CLIENT" "$2"
}

know_client()
{
	ip -n "$1" neighbour replace 10.0.0.77 lladdr "$2" dev eth0 nud permanent
	ip -n "$1" neighbour replace fd00::77 lladdr "$2" dev eth0 nud permanent
}

setup_file()
{
	CLIENT=$(add_namespace c)
	SERVER=$(add_namespace n)
	KERNEL=$(add_namespace k)
	export CLIENT SERVER KERNEL
	# Addresses on the client's ends would have its kernel answer.
	ip netns exec "$CLIENT" sysctl -qw net.ipv6.conf.default.disable_ipv6=1
	prepare_peer "$SERVER" nolisten0
	prepare_peer "$KERNEL" kernel0
	start_ready kernel-echo ip netns exec "$KERNEL" "$TOOLS/echo_server" 34567
	start_ready kernel-banner ip netns exec "$KERNEL" "$TOOLS/echo_server" 34569 $'hi\n'
	start_loader ${DIFFER_METHOD:+-m "$DIFFER_METHOD"}
}

teardown_file()
{
	lab_down "$KERNEL"
}

# compare GROUP [PORT]: over both families; what differs is shown.
compare()
{
	local family failed=0 out=$BATS_TEST_TMPDIR/differ
	for family in 4 6; do
		in_client "$TOOLS/differ" $family "$1" kernel0 nolisten0 "${2:-34567}" >"$out" || failed=1
		echo "IPv$family: $(grep -c '^ok' "$out") alike, $(grep -c '^not ok' "$out") not"
		grep -A 5 '^not ok' "$out" || :
	done
	return $failed
}
