# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# shellcheck shell=bash
#
# What the tests of --pin share. Each has a bpffs of its own, in a mount namespace that a process keeps: ip netns exec would hide it, and
# a new one at each start have nothing of the last.

pin_up()
{
	LOADER_PID=
	lab_up
	start_ready holder unshare -m sh -c "${1:-mount -t bpf bpf /sys/fs/bpf} && echo ready && exec sleep infinity"
	HOLDER=$STARTED
}

pin_down()
{
	stop_leftover_loader
	lab_down "$@"
	stop "$HOLDER" KILL
}

# with_pins COMMAND...: in the server's namespace, where the bpffs is.
with_pins()
{
	nsenter --mount="/proc/$HOLDER/ns/mnt" --net="/run/netns/${LOADER_NAMESPACE:-$SERVER}" "$@"
}

# start_pinned [OPTION...]: the loader that is $LOADER; as start_loader.
start_pinned()
{
	LOADER_LOG=$(mktemp "$BATS_FILE_TMPDIR/loader.XXXXXX")
	nsenter --mount="/proc/$HOLDER/ns/mnt" --net="/run/netns/$SERVER" "$LOADER" -q "$@" eth0 >"$LOADER_LOG.out" 2>"$LOADER_LOG" 3>&- </dev/null &
	LOADER_PID=$!
	export LOADER_PID LOADER_LOG
	wait_for 10 is_answering_or_gone && ! is_gone "$LOADER_PID" && return
	cat "$LOADER_LOG" >&2
	return 1
}

# hand_over [OPTION...]: the loader leaves, and the next one comes, while the old one may still have connections.
hand_over()
{
	kill "$LOADER_PID"
	wait_for 10 has_text "$LOADER_LOG" "answers go on"
	start_pinned "$@"
}

kill_loader()
{
	stop "$LOADER_PID" KILL
}

is_pinned()
{
	with_pins test -e /sys/fs/bpf/nolisten/eth0
}

# load RATE SECONDS: clients of an echo from now on; what became of them is in $LOAD once $LOAD_PID has ended.
load()
{
	LOAD=$BATS_FILE_TMPDIR/load.json
	nsenter --net="/run/netns/$CLIENT" "$TOOLS/steady_client" 10.0.0.2 34567 "$1" "$2" 4000 >"$LOAD" 3>&- &
	LOAD_PID=$!
}

lost_none()
{
	wait "$LOAD_PID"
	is_equal "$(jq -c '[.clients - .served, .error]' "$LOAD")" '[0,""]' || {
		cat "$LOAD" "$LOADER_LOG" >&2
		return 1
	}
}

# greeted NAME: what a client hears that says nothing, in the background; it is in $BATS_FILE_TMPDIR/NAME.out.
greeted()
{
	start "$1" nsenter --net="/run/netns/$CLIENT" timeout $((20 * PATIENCE)) nc -v -d 10.0.0.2 34567
}

is_connected()
{
	has_text "$BATS_FILE_TMPDIR/$1.err" succeeded
}

hears()
{
	has_text "$BATS_FILE_TMPDIR/$1.out" "$2"
}
