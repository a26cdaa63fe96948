#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# As settings.bats, for what it does not repeat: other methods, odd routes, and the sockets that come of the handshakes.
load helpers
load settings
load accept

setup()
{
	settings_up
}

teardown()
{
	stop_leftover_loader
	lab_down
}

# follows_with OPTION...
follows_with()
{
	start_loader "$@"
	becomes_alike nothing
	changes "a route" set_route mtu 1300 window 20000
	changes "a sysctl" sysctl_of_server net.ipv4.tcp_sack=0
	changes "no metrics" set_route
}

@test "auto follows routes and sysctls" {
	follows_with -m auto
}

@test "filter follows routes and sysctls" {
	follows_with -m filter
}

@test "nfqueue follows routes and sysctls" {
	follows_with -m nfqueue
}

@test "several workers follow routes and sysctls" {
	follows_with -m engine --workers=2
}

# Its window is chosen before the remote's options are known, and its NOPs are others.
is_alike_but_for_windows()
{
	OURS=$(syn_acks 34567 | sed 's/win [0-9]*//; s/,nop//g')
	THEIRS=$(syn_acks "$KERNEL_PORT" | sed 's/win [0-9]*//; s/,nop//g')
	[ "$OURS" = "$THEIRS" ]
}

@test "connect has the kernel's own" {
	start_loader -m connect
	set_route advmss 900 window 20000
	sysctl_of_server net.ipv4.tcp_sack=0
	wait_for 10 is_alike_but_for_windows
	grep -q 'mss 900.*wscale 0' <<<"$THEIRS"
}

@test "metrics that were there before count from the first SYN on" {
	local method
	set_route mtu 1300 window 20000
	sysctl_of_server net.ipv4.tcp_sack=0
	for method in engine xdp; do
		start_beside $method
		is_alike
		grep -q 'win 19968 mss 1260,nop,nop,TS,nop,wscale 0' <<<"$OURS"
		stop_loader
	done
}

# No message tells of each route that goes with its link.
# Without rules of its own the kernel has both tables of IPv4 in one.
@test "a local route that covers the remote hides no metrics" {
	start_beside xdp
	becomes_alike nothing
	ip -n "$SERVER" route add local 10.0.0.0/16 dev lo
	changes metrics set_route mtu 1200
}

@test "forgets routes that have gone with the link" {
	start_beside xdp
	changes "metrics" set_route mtu 1300 window 20000
	ip -n "$SERVER" link set eth0 down
	ip -n "$SERVER" link set eth0 up
	address "$SERVER" eth0 fd00::2/64
	wait_for 5 is_running "$SERVER" eth0
	becomes_alike "routes without metrics"
	grep -q 'mss 1460' <<<"$THEIRS"
}

link_local_answers()
{
	in_client python3 "$REPO/tests/tools/syn_ack.py" "$LINK_LOCAL%eth0" "$1"
}

is_alike_over_link_local()
{
	[ "$(link_local_answers 34567)" = "$(link_local_answers "$KERNEL_PORT")" ]
}

@test "takes the link-local route of its own interface" {
	local method
	wait_for 10 has_link_local
	LINK_LOCAL=$(link_local)
	ip -n "$SERVER" link add other type veth peer name end
	ip -n "$SERVER" link set other up
	ip -n "$SERVER" -6 route replace fe80::/64 dev other proto kernel metric 1 mtu 1280
	for method in engine xdp; do
		start_beside "$method"
		ip -n "$SERVER" -6 route replace fe80::/64 dev eth0 proto kernel metric 256 mtu 1400
		wait_for 10 is_alike_over_link_local
		grep -q 'mss 1340' <<<"$(link_local_answers 34567)"
		ip -n "$SERVER" -6 route replace fe80::/64 dev eth0 proto kernel metric 256
		wait_for 10 is_alike_over_link_local
		stop_loader
	done
}

is_expired()
{
	has_event '.event == "expired"'
}

# A minute later by default.
gives_up_soon()
{
	syn_acks 34567
	wait_for 3 is_expired
}

@test "sends a SYN-ACK again as often as tcp_synack_retries says" {
	in_client nft 'add table t; add chain t o { type filter hook output priority 0; }; add rule t o tcp flags rst drop'
	start_loader -m engine
	sysctl_of_server net.ipv4.tcp_synack_retries=0
	wait_for 10 gives_up_soon
}

@test "says where it does not follow policy routing" {
	start_loader -v -m xdp
	not has_text "$LOADER_LOG" "ip rule has more"
	ip -n "$SERVER" rule add fwmark 7 table 100
	wait_for 10 has_text "$LOADER_LOG" "ip rule has more than local, main and default"
}

# hold_open ADDRESS PORT: a client that stays; the connection is up when it returns.
hold_open()
{
	local pipe=$BATS_TEST_TMPDIR/$2
	[ -p "$pipe.in" ] || mkfifo "$pipe.in"
	# What the one before was told is not this one's.
	: >"$pipe"
	ip netns exec "$CLIENT" nc "$1" "$2" <>"$pipe.in" >"$pipe" 2>&1 3>&- &
	STARTED=$!
	echo hello >"$pipe.in"
	wait_for 5 has_text "$pipe" hello
}

# agreed ADDRESS PORT: by the server's end of a connection, and the shift counts of the client's.
agreed()
{
	hold_open "$1" "$2"
	in_server ss -Htnoi state established "sport = :$2" | grep -oE '\<(ts|sack|wscale:[0-9,]+|pmtu:[0-9]+)\>'
	in_client ss -Htnoi state established "dport = :$2" | grep -oE '\<(ts|sack|wscale:[0-9,]+)\>'
	stop "$STARTED" KILL
}

# agrees_as_a_listener WORD: which is among what both have agreed to.
agrees_as_a_listener()
{
	local address ours theirs
	for address in 10.0.0.2 fd00::2; do
		ours=$(agreed "$address" 34567)
		theirs=$(agreed "$address" "$KERNEL_PORT")
		is_equal "$ours" "$theirs"
		grep -qx "$1" <<<"$ours"
	done
}

# has_cwnd_below LIMIT: a handed-off socket, which has sent one segment by then.
has_cwnd_below()
{
	hold_open 10.0.0.2 34567
	[[ $(in_server ss -Htnoi state established "sport = :34567") =~ cwnd:([0-9]+) ]]
	stop "$STARTED" KILL
	[ "${BASH_REMATCH[1]}" -lt "$1" ]
}

hands_off_what_was_agreed()
{
	start_beside "$1"
	agrees_as_a_listener sack
	not has_cwnd_below 10
	changes "no SACK" sysctl_of_server net.ipv4.tcp_sack=0
	agrees_as_a_listener ts
	changes "no window scale" sysctl_of_server net.ipv4.tcp_window_scaling=0
	agrees_as_a_listener ts
	changes "no timestamps" sysctl_of_server net.ipv4.tcp_timestamps=0
	agrees_as_a_listener pmtu:1500
	sysctl_of_server net.ipv4.tcp_sack=1 net.ipv4.tcp_window_scaling=1 net.ipv4.tcp_timestamps=1
	becomes_alike "all options"
	changes "metrics" set_route window 20000 initcwnd 4 mtu 1300
	agrees_as_a_listener "wscale:[0-9]*,0"
	has_cwnd_below 7
	changes "a limit that the window is below" set_route initrwnd 60
	agrees_as_a_listener ts
	expect "1000000 bytes intact" in_client "$TOOLS/stream_client" 10.0.0.2 34567 1000000
}

@test "a socket of engine has what was agreed, and the rest of the route's metrics" {
	hands_off_what_was_agreed engine
}

@test "a socket of xdp has what was agreed, and the rest of the route's metrics" {
	hands_off_what_was_agreed xdp
}

@test "a socket of accept has what was agreed, and the rest of the route's metrics" {
	needs_accept
	hands_off_what_was_agreed accept
}
