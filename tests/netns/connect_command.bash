# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# shellcheck shell=bash
# nolisten connect: from the client to ordinary servers.

# connect [OPTION...] HOST PORT [-- COMMAND...]: from the client's namespace; standard input is passed on.
connect()
{
	in_client timeout $((20 * PATIENCE)) "$NOLISTEN" connect "$@"
}

# says STATUS TEXT ARGUMENT...: connect ends with that status, and one line that contains TEXT.
says()
{
	local expected=$1 text=$2
	shift 2
	run connect "$@" </dev/null
	if [ "$status" != "$expected" ] || [[ $output != *"$text"* ]] || [ ${#lines[@]} != 1 ]; then
		printf 'expected status %s and one line with "%s", got status %s:\n%s\n' \
			"$expected" "$text" "$status" "$output" >&2
		return 1
	fi
}

# start_server NAME PYTHON: a server of the server's namespace that prints "ready"; its pid is in $STARTED.
start_server()
{
	start_ready "$1" ip netns exec "$SERVER" python3 -c "$2"
}

# start_capture FILTER: of the server's eth0, in $CAPTURE; its pid is in $CAPTURE_PID.
start_capture()
{
	CAPTURE=$BATS_TEST_TMPDIR/capture
	start capture ip netns exec "$SERVER" tcpdump -n --immediate-mode -U -i eth0 -w "$CAPTURE" "$1"
	CAPTURE_PID=$STARTED
	wait_for 5 has_text "$BATS_FILE_TMPDIR/capture.err" "listening on"
}

# captured [OPTION...]: what it has, as tcpdump prints it.
captured()
{
	tcpdump -n -t -r "$CAPTURE" "$@" 2>/dev/null
}

has_captured()
{
	[ "$(captured | wc -l)" -ge "$1" ]
}

# is_untouched: in the client's namespace there is no socket, no rule, no filter and no program of ours.
is_untouched()
{
	[ -z "$(in_client ss -Htn state all exclude time-wait; in_client ss -Hw; in_client ss -H0)" ] || return
	[ -z "$(in_client nft list ruleset)" ] && [[ $(in_client bpftool -j net show) != *\"id\"* ]] &&
		[[ $(in_client tc qdisc show) != *clsact* ]]
}
