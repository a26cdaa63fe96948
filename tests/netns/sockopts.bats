#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# --sockopt: a connection has the options that it would have inherited from a listener with them, and the SYN-ACK says
# what that listener's would.
load helpers
load differential
load accept

# Each of the names, with a value that no socket has by itself.
ALL="congestion=reno maxseg=1300 rcvbuf=40000 sndbuf=50000 window-clamp=30000 mark=77 tos=72 nodelay=1
	notsent-lowat=12345 linger2=17 keepidle=77 keepintvl=7 keepcnt=4 keepalive=1 user-timeout=9000"

setup()
{
	LOADER_PID= KERNEL=
}

teardown()
{
	stop_leftover_loader
	lab_down ${KERNEL:+"$KERNEL"}
}

# with_options OPTION...: the loader's command line for them, in ARGUMENTS.
with_options()
{
	local option
	ARGUMENTS=()
	for option in $1; do
		ARGUMENTS+=("--sockopt=$option")
	done
}

# accepted FAMILY OPTIONS: starts a listener with these on port 3500FAMILY.
start_listener()
{
	start_ready "listener-$1" env LISTENER_SOCKOPTS="${2//[$'\n\t']/ }" \
		ip netns exec "$SERVER" "$TOOLS/sockopts_of" "$1" "3500$1"
}

# inherits METHOD: every option of both, as getsockopt() tells them on an accepted socket and on a handed-off one.
inherits()
{
	local address family expected
	with_options "$ALL"
	start_loader -m "$1" --user=root -s "exec:$TOOLS/sockopts_of" "${ARGUMENTS[@]}"
	for address in 10.0.0.2 fd00::2; do
		family=$([[ $address == *:* ]] && echo 6 || echo 4)
		expected=$(banner_of $address "3500$family")
		[[ $expected == *"mark 77"* ]]
		[[ $expected == *"congestion reno"* ]]
		is_equal "$(banner_of $address 34567)" "$expected"
	done
	stop_loader
}

@test "a handed-off socket has what an accepted one inherits, by every method" {
	lab_up
	start_listener 4 "$ALL"
	start_listener 6 "$ALL"
	for method in engine xdp connect nfqueue filter $(can_accept && echo accept); do
		echo "method $method"
		inherits $method
	done
}

# lab_with OPTIONS [SYNCOOKIES]: two namespaces to compare, the kernel's listener with these options.
lab_with()
{
	export LISTENER_SOCKOPTS=$1
	differential_up
	unset LISTENER_SOCKOPTS
	in_namespace "$KERNEL" sysctl -qw net.ipv4.tcp_syncookies="${2:-0}"
}

# answers_as METHOD OPTIONS SYNCOOKIES [CASE...]: SYN-ACK and segments are those of a listener with these options.
answers_as()
{
	local method=$1 options=$2
	# A lab for each: no case meets a connection of the last one.
	lab_with "$options" "$3"
	shift 3
	with_options "$options"
	start_loader -m "$method" "${ARGUMENTS[@]}"
	echo "options $options"
	compare sockopts 34567 "$@"
	stop "$LOADER_PID" KILL
	lab_down "$KERNEL"
}

OPTIONS=("maxseg=700" "rcvbuf=20000" "rcvbuf=300000" "window-clamp=30000" "window-clamp=200000"
	"rcvbuf=20000 window-clamp=9000 maxseg=1000")

@test "method engine answers as a listener with these options" {
	for options in "${OPTIONS[@]}"; do
		answers_as engine "$options" 0
	done
}

# The small MSS fits into no cookie for IPv6, and into a class for IPv4. A cookie does not tell an MSS that was assumed from one that was
# said, which alone a limit is for.
@test "method xdp answers as a listener with these options" {
	local may_differ
	for options in "${OPTIONS[@]}"; do
		may_differ=("small MSS")
		[[ $options != *maxseg* ]] || may_differ+=("SYN without options")
		answers_as xdp "$options" 0 "${may_differ[@]}"
	done
}

@test "a final ACK without data waits for data, as a listener with defer-accept does it" {
	lab_with defer-accept=30
	start_loader -m engine --sockopt defer-accept=30
	compare defer
}

# A listener with cookies does not wait: there is nothing to compare with.
@test "a cookie in a final ACK without data waits for data too" {
	lab_up
	start_loader -m xdp --sockopt defer-accept=30
	start client ip netns exec "$CLIENT" nc -d 10.0.0.2 34567
	wait_for 5 has_counter segment_deferred 1
	is_equal "$(counter established)" 0
	is_equal "$(echo_back 10.0.0.2 34567 'hello, world')" 'hello, world'
	is_equal "$(echo_back fd00::2 34567 'hello, world')" 'hello, world'
	has_counter handed_off 2
	is_equal "$(in_server ss -Htn state established)" ""
}

# sends_at_most ADDRESS SIZE: by what the kernel's socket says, without the 12 bytes that timestamps take.
sends_at_most()
{
	grep -qx "maxseg $(($2 - 12))" <<<"$(banner_of "$1" 34567)"
}

@test "no limit of the MSS is below what the kernel takes with a cookie (accept)" {
	needs_accept
	lab_up
	start_loader -m accept --user=root -s "exec:$TOOLS/sockopts_of" --sockopt maxseg=700
	sends_at_most 10.0.0.2 700
	sends_at_most fd00::2 1220
	stop_loader
	start_loader -m accept --user=root -s "exec:$TOOLS/sockopts_of" --sockopt maxseg=400
	sends_at_most 10.0.0.2 536
	sends_at_most fd00::2 1220
}

# The parent is a socket of IPv6, and gives each family its own.
@test "what accept's sockets send has the TOS and the traffic class" {
	needs_accept
	lab_up
	in_client nft 'add table inet t; add chain inet t i { type filter hook input priority 0; }
		add rule inet t i tcp sport 34567 tcp flags & (syn | psh) == psh ip dscp 18 counter
		add rule inet t i tcp sport 34567 tcp flags & (syn | psh) == psh ip6 dscp 18 counter'
	start_loader -m accept --sockopt tos=72
	is_equal "$(echo_back 10.0.0.2 34567 four)" four
	is_equal "$(echo_back fd00::2 34567 six)" six
	is_equal "$(in_client nft -j list ruleset | jq -c '[.. | .counter? // empty | .packets]')" '[1,1]'
}

# There is no timer: the cookie waits with the remote until it sends data.
@test "no socket is made of a final ACK without data (accept)" {
	needs_accept
	lab_up
	start_loader -m accept --sockopt defer-accept=1
	start client ip netns exec "$CLIENT" nc -d 10.0.0.2 34567
	wait_for 5 has_counter accept_deferred 1
	is_equal "$(in_server ss -Htn state established)" ""
	is_equal "$(echo_back 10.0.0.2 34567 'hello, world')" 'hello, world'
	is_equal "$(echo_back fd00::2 34567 'hello, world')" 'hello, world'
	is_equal "$(counter accept_child),$(counter established)" 2,2
	is_equal "$(counter accept_deferred)" 3
}

@test "a socket that the kernel answers by cannot wait for data" {
	lab_up
	refused_loader 2 "without defer-accept" -m connect --sockopt defer-accept=1 eth0
}

@test "an option that the kernel does not take is found out at the start" {
	lab_up
	refused_loader 1 "'congestion=foo': the kernel has no such congestion control" --sockopt congestion=foo eth0
	refused_loader 2 "'foo=1': no such option, one of: congestion, maxseg" --sockopt foo=1 eth0
	refused_loader 2 "a number from 88 to 32767 is needed" --sockopt maxseg=1 eth0
	is_detached
}
