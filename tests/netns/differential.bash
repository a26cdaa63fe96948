# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# shellcheck shell=bash
#
# A lab of three namespaces: a client that is no kernel's, nolisten behind its nolisten0, a kernel listener
# behind its kernel0, both with the same addresses.

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
	in_namespace "$1" ethtool -K eth0 tso off gso off gro off >/dev/null
	wait_for 5 is_running "$1" eth0
	wait_for 5 is_running "$CLIENT" "$2"
}

know_client()
{
	ip -n "$1" neighbour replace 10.0.0.77 lladdr "$2" dev eth0 nud permanent
	ip -n "$1" neighbour replace fd00::77 lladdr "$2" dev eth0 nud permanent
}

differential_up()
{
	CLIENT=$(add_namespace c)
	SERVER=$(add_namespace n)
	KERNEL=$(add_namespace k)
	export CLIENT SERVER KERNEL
	# Addresses on the client's ends would have its kernel answer.
	in_namespace "$CLIENT" sysctl -qw net.ipv6.conf.default.disable_ipv6=1
	prepare_peer "$SERVER" nolisten0
	prepare_peer "$KERNEL" kernel0
	start_ready kernel-echo ip netns exec "$KERNEL" "$TOOLS/echo_server" 34567
	start_ready kernel-banner ip netns exec "$KERNEL" "$TOOLS/echo_server" 34569 $'hi\n'
}

# differ_both GROUP [PORT [NAME...]]: over both families at once, each into a file of its own.
differ_both()
{
	local family pids=() group=$1 port=${2:-34567}
	shift $(($# < 2 ? $# : 2))
	for family in 4 6; do
		in_client "$TOOLS/differ" $family "$group" kernel0 nolisten0 "$port" "$@" \
			>"$BATS_TEST_TMPDIR/differ.$family" 3>&- &
		pids+=($!)
	done
	wait "${pids[@]}" || :
}

# compare GROUP [PORT [NAME...]]: what differs is shown. Cases of these names may differ.
compare()
{
	local family failed=0 out
	differ_both "$@"
	for family in 4 6; do
		out=$BATS_TEST_TMPDIR/differ.$family
		grep -q '^ok' "$out" && grep -q '^1\.\.' "$out" && ! grep -q '^not ok' "$out" || failed=1
		echo "IPv$family: $(grep -c '^ok' "$out") alike, $(grep -c '^not ok' "$out") not"
		grep -A 5 '^not ok' "$out" || :
	done
	return $failed
}

# compare_but GROUP PORT CASE...: these cases, and no others, get something else than differ expects.
compare_but()
{
	local out=$BATS_TEST_TMPDIR/differ group=$1 port=$2
	shift 2
	differ_both "$group" "$port"
	grep -q '^1\.\.' "$out.4" && grep -q '^1\.\.' "$out.6" || return
	cat "$out.4" "$out.6" >"$out"
	is_equal "$(sed -n 's/^not ok [0-9]* - //p' "$out" | sort -u)" "$(printf '%s\n' "$@" | sort -u)" || {
		grep -A 5 '^not ok' "$out" >&2
		return 1
	}
}
