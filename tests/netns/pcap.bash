# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# shellcheck shell=bash
# What the tests of --pcap share. CAPTURE is the file.

pcap_up()
{
	lab_up
	LOADER_PID=
	CAPTURE=$BATS_TEST_TMPDIR/capture.pcapng
}

pcap_down()
{
	stop_leftover_loader
	lab_down
}

# read_capture FIELD...: by tshark, a packet a line, into PACKETS; the last field is the comment.
read_capture()
{
	local field fields=()
	for field in "$@" frame.comment; do
		fields+=(-e "$field")
	done
	tshark -n -r "$CAPTURE" -o tcp.check_checksum:FALSE -T fields "${fields[@]}" >"$BATS_TEST_TMPDIR/packets" \
		2>"$BATS_TEST_TMPDIR/tshark.err" || {
		cat "$BATS_TEST_TMPDIR/tshark.err" >&2
		return 1
	}
	PACKETS=$(<"$BATS_TEST_TMPDIR/packets")
}

# has_packet PATTERN...: a line of PACKETS matches all of them.
has_packet()
{
	local pattern lines=$PACKETS
	for pattern in "$@"; do
		lines=$(grep -E -- "$pattern" <<<"$lines") || {
			printf 'no packet with "%s" of "%s" among:\n%s\n' "$pattern" "$*" "$PACKETS" >&2
			return 1
		}
	done
}

# packets PATTERN: how many lines of PACKETS match.
packets()
{
	grep -cE -- "$1" <<<"$PACKETS" || :
}

# by_tcpdump [OPTION...] [FILTER]: how many packets tcpdump reads.
by_tcpdump()
{
	local text
	text=$(tcpdump -nr "$CAPTURE" "$@" 2>"$BATS_TEST_TMPDIR/tcpdump.err") || {
		cat "$BATS_TEST_TMPDIR/tcpdump.err" >&2
		return 1
	}
	grep -c . <<<"$text" || :
}

# has_captured COUNT: says the loader.
has_captured()
{
	[ "$(in_server "$NOLISTEN" status -j "${IFACE:-eth0}" | jq .capture.written)" -ge "$1" ]
}

# captured NAME: written, filtered or lost.
captured()
{
	in_server "$NOLISTEN" status -j "${IFACE:-eth0}" | jq ".capture.$1"
}
