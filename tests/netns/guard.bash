# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# shellcheck shell=bash
# nolisten guard: raw-socket clients on the client's side, a kernel's echo server on port 80 on the other.

V4="10.0.0.1 10.0.0.2"
V6="fd00::1 fd00::2"

guard_lab_up()
{
	lab_up
	start_kernel_server 80
	SERVER_MAC=$(ip -n "$SERVER" -j link show eth0 | jq -r '.[0].address')
	export SERVER_MAC
}

# raw_client ENDS [OPTION...]: what it says of its connection; ENDS: "LOCAL REMOTE".
raw_client()
{
	local ends=$1
	shift
	# shellcheck disable=SC2086
	in_client timeout $((20 * PATIENCE)) python3 "$REPO/tests/tools/raw_client.py" --mac="$SERVER_MAC" "$@" $ends "${RAW_PORT:-80}" hello
}

# guarded [OPTION...] -- COMMAND...: under a guard on the client's eth0.
guarded()
{
	in_client "$NOLISTEN" guard eth0 -q "$@"
}

# guarded_client ENDS [OPTION...]: the raw client, under a guard.
guarded_client()
{
	local ends=$1
	shift
	# shellcheck disable=SC2086
	guarded -- timeout $((20 * PATIENCE)) python3 "$REPO/tests/tools/raw_client.py" --mac="$SERVER_MAC" "$@" $ends "${RAW_PORT:-80}" hello
}

# start_guard [OPTION...]: in the background on the client's eth0; GUARD_PID, GUARD_LOG.
start_guard()
{
	start guard ip netns exec "$CLIENT" "$NOLISTEN" guard eth0 "$@"
	GUARD_PID=$STARTED
	GUARD_LOG=$BATS_FILE_TMPDIR/guard.err
	export GUARD_PID GUARD_LOG
	wait_for 10 has_text "$GUARD_LOG" guarding
}

# listed FILTER: what --list -j of the client's guards has for a jq filter, a line each.
listed()
{
	in_client "$NOLISTEN" guard --list -j | jq -r "$1"
}

# links_of PID: the ids of its BPF links. Debian 12's bpftool does not list TCX by interface.
links_of()
{
	grep -hs ^link_id "/proc/$1"/fdinfo/* | awk '{ print $2 }'
}

# are_gone ID...: these links.
are_gone()
{
	local id
	for id in "$@"; do
		! bpftool link show id "$id" || return
	done
}

# is_unguarded: no filter and no rule is in the client's namespace.
is_unguarded()
{
	[[ $(in_client tc qdisc show) != *clsact* ]] && [ -z "$(in_client nft list ruleset)" ] &&
		[[ $(in_client iptables-save) != *-A* ]]
}

# Linux before 6.6 has no links for TC; a filter on clsact stays when its process is killed, and lets everything go.
has_tcx()
{
	bpftool btf dump file /sys/kernel/btf/vmlinux format raw | grep -q "'BPF_TCX_EGRESS'"
}
