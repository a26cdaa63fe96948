# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# shellcheck shell=bash
# A container of the server's, as far as the network is concerned. What is started is in STARTS.

SENDER=$BATS_TEST_DIRNAME/../tools/raw_sender.py

# A namespace behind the server, which masquerades for it.
container_up()
{
	CONTAINER=$(add_namespace n)
	export CONTAINER
	join "$SERVER" con0 "$CONTAINER" eth0
	address "$SERVER" con0 10.9.0.1/24 fd09::1/64
	address "$CONTAINER" eth0 10.9.0.2/24 fd09::2/64
	ip -n "$CONTAINER" route add default via 10.9.0.1
	ip -n "$CONTAINER" route add default via fd09::1
	in_server sysctl -qw net.ipv4.ip_forward=1 net.ipv6.conf.all.forwarding=1
	in_server nft -f - <<-'EOF'
		table inet container_nat {
			chain postrouting {
				type nat hook postrouting priority 100
				oifname "eth0" masquerade
			}
		}
	EOF
}

# open_out HOST PORT: the container connects to the client, which sees it come from HOST; both ends stay.
open_out()
{
	start_ready echo nsenter --net="/run/netns/$CLIENT" "$TOOLS/echo_server" "$2"
	STARTS+=("$STARTED")
	talk "$CONTAINER" "${1%2}1" "$2"
}

# talk NAMESPACE REMOTE PORT: a connection whose input is $TALK, and whose output is in talk.out.
talk()
{
	mkfifo "$BATS_TEST_TMPDIR/talk.$3"
	exec {TALK}<>"$BATS_TEST_TMPDIR/talk.$3"
	: >"$BATS_FILE_TMPDIR/talk.out"
	nsenter --net="/run/netns/$1" nc "$2" "$3" <"$BATS_TEST_TMPDIR/talk.$3" >"$BATS_FILE_TMPDIR/talk.out" 2>&1 3>&- &
	STARTS+=($!)
	echo before >&"$TALK"
	wait_for 5 has_text "$BATS_FILE_TMPDIR/talk.out" before
}

# still_talks: what is said now comes back.
still_talks()
{
	echo after >&"$TALK"
	wait_for 5 has_text "$BATS_FILE_TMPDIR/talk.out" after
}

# remote_port_at NAMESPACE PORT: of the one connection to that port there.
remote_port_at()
{
	in_namespace "$1" ss -Htn | awk -v port=":$2$" '$1 == "ESTAB" && $4 ~ port { sub(/.*:/, "", $5); print $5 }'
}

has_no_connection_at()
{
	[ -z "$(remote_port_at "$@")" ]
}

# send_far LOCAL PORT REMOTE PORT: from the client, when its connection speaks next: beyond every window, but with an ACK that
# makes a RST of it one that counts.
send_far()
{
	start_ready sender nsenter --net="/run/netns/$CLIENT" python3 "$SENDER" -f -d far "$@" A 10000000
	echo during >&"$TALK"
	wait_for 5 has_text "$BATS_FILE_TMPDIR/sender.out" sent
}
