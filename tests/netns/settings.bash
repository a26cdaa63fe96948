# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# shellcheck shell=bash
#
# The same SYNs to a kernel listener and to nolisten, beside each other on one interface: do their SYN-ACKs say the same?

settings_up()
{
	lab_up
	in_server sysctl -qw net.ipv4.tcp_max_syn_backlog=1024
	KERNEL_PORT=35000
	start_kernel_server $KERNEL_PORT
}

# start_beside METHOD [OPTION...]: the kernel listener sends no cookies: ours carry every option, and its own do not.
start_beside()
{
	start_loader -m "$@"
}

# syn_acks PORT: of both families.
syn_acks()
{
	local address
	for address in 10.0.0.2 fd00::2; do
		in_client python3 "$REPO/tests/tools/syn_ack.py" ${ASKS_FOR_ECN:+-e} "$address" "$1"
	done
}

# is_alike: the answers of both are in $OURS and $THEIRS.
is_alike()
{
	OURS=$(syn_acks 34567)
	THEIRS=$(syn_acks "$KERNEL_PORT")
	[ "$OURS" = "$THEIRS" ]
}

# becomes_alike WHAT: with the next look at the host, a second later at most; and all of it are SYN-ACKs.
becomes_alike()
{
	wait_for 10 is_alike && ! grep -v ': SYN-ACK' <<<"$THEIRS" || {
		printf 'after %s\n' "$*" >&2
		diff <(echo "$THEIRS") <(echo "$OURS") >&2
		return 1
	}
}

# changes WHAT COMMAND...: what the kernel says is something else afterwards, and what we say is the same again.
changes()
{
	local what=$1 before=$THEIRS
	shift
	"$@"
	becomes_alike "$what"
	[ "$THEIRS" != "$before" ] || {
		echo "$what changes nothing" >&2
		return 1
	}
}

# is_seen WHAT: whatever was changed has been looked at by then, since something else that came later shows.
is_seen()
{
	changes "$1, without SACK" sysctl_of_server net.ipv4.tcp_sack=0
	changes "$1, with SACK" sysctl_of_server net.ipv4.tcp_sack=1
}

# keeps WHAT COMMAND...: both say the same as before.
keeps()
{
	local what=$1 before=$THEIRS
	shift
	"$@"
	is_seen "$what"
	is_equal "$THEIRS" "$before"
}

# A listener has the buffer of the moment in which it was made.
restart_kernel_server()
{
	KERNEL_PORT=$((KERNEL_PORT + 1))
	start_kernel_server $KERNEL_PORT
}

sysctl_of_server()
{
	in_server sysctl -qw "$@"
}

set_rmem()
{
	sysctl_of_server net.ipv4.tcp_rmem="$1"
	restart_kernel_server
}

# set_route METRIC...: to the client, of both families.
set_route()
{
	ip -n "$SERVER" route change 10.0.0.0/24 dev eth0 "$@"
	ip -n "$SERVER" -6 route replace fd00::/64 dev eth0 proto kernel metric 256 "$@"
}

# --- what is followed, by METHOD

# follows_sysctls METHOD [OPTION...]
follows_sysctls()
{
	local option old
	start_beside "$@"
	becomes_alike nothing
	for option in tcp_timestamps=0 tcp_sack=0 tcp_window_scaling=0 tcp_workaround_signed_windows=1; do
		old=$(in_server sysctl -n net.ipv4.${option%=*})
		changes "$option" sysctl_of_server net.ipv4.$option
		changes "$option back" sysctl_of_server net.ipv4.${option%=*}="$old"
	done
	is_answered_by "$1"
}

follows_tcp_rmem()
{
	local rmem
	start_beside "$1"
	becomes_alike nothing
	for rmem in "4096 262144 33554432" "4096 133120 6291456" "4096 40000 6291456" "4096 4096 6291456" \
		"4096 16777216 4096" "4096 87380 268435456"; do
		changes "tcp_rmem $rmem" set_rmem "$rmem"
	done
	is_answered_by "$1"
}

# Linux 6.6 has left it behind.
follows_adv_win_scale()
{
	start_beside "$1"
	becomes_alike nothing
	set_rmem "4096 60000 6291456"
	is_seen "a smaller buffer"
	for scale in 2 -2 0; do
		sysctl_of_server net.ipv4.tcp_adv_win_scale=$scale
		restart_kernel_server
		is_seen "tcp_adv_win_scale $scale"
	done
}

# follows_metrics METHOD [OPTION...]
follows_metrics()
{
	local metrics
	start_beside "$@"
	becomes_alike nothing
	while read -r metrics; do
		# shellcheck disable=SC2086
		changes "route $metrics" set_route $metrics
	done <<-END
		mtu 1200
		mtu lock 1300
		mtu 9000
		advmss 800
		window 20000
		window 65535
		window 1000000
		initrwnd 10
		initrwnd 60 advmss 1000
		mtu 1200 window 20000 initrwnd 10
	END
	changes "no metrics" set_route
	keeps "features ecn" set_route features ecn
	keeps "initcwnd" set_route initcwnd 4 quickack 1
	is_answered_by "$1"
}

# Of prefixes that lie in each other, the longest, with metrics or without.
follows_prefixes()
{
	start_beside "$1"
	becomes_alike nothing
	changes "a route to the host" add_host_route advmss 900
	keeps "metrics of the network" set_route advmss 800
	changes "a route to the host without metrics" replace_host_route
	changes "no route to the host" delete_host_route
	keeps "another default route" add_default_route advmss 700
	changes "none to the network" delete_network_route
	changes "the metrics of the default route" replace_default_route window 30000
	is_answered_by "$1"
}

add_host_route()
{
	ip -n "$SERVER" route add 10.0.0.1 dev eth0 "$@"
	ip -n "$SERVER" -6 route add fd00::1 dev eth0 "$@"
}

replace_host_route()
{
	ip -n "$SERVER" route replace 10.0.0.1 dev eth0 "$@"
	ip -n "$SERVER" -6 route replace fd00::1 dev eth0 "$@"
}

delete_host_route()
{
	ip -n "$SERVER" route del 10.0.0.1 dev eth0
	ip -n "$SERVER" -6 route del fd00::1 dev eth0
}

add_default_route()
{
	ip -n "$SERVER" route add default dev eth0 "$@"
	ip -n "$SERVER" -6 route add default dev eth0 "$@"
}

replace_default_route()
{
	ip -n "$SERVER" route replace default dev eth0 "$@"
	ip -n "$SERVER" -6 route replace default dev eth0 "$@"
}

delete_network_route()
{
	ip -n "$SERVER" route del 10.0.0.0/24 dev eth0
	ip -n "$SERVER" -6 route del fd00::/64 dev eth0
}

set_mtu()
{
	ip -n "$SERVER" link set eth0 mtu "$1"
}

follows_mtus()
{
	start_beside "$1"
	becomes_alike nothing
	changes "an MTU of 1400" set_mtu 1400
	changes "an MTU for IPv6" sysctl_of_server net.ipv6.conf.eth0.mtu=1300
	changes "a least MSS" sysctl_of_server net.ipv4.route.min_adv_mss=1390 net.ipv6.route.min_adv_mss=1390
	changes "an MTU of 9000" set_mtu 9000
	is_answered_by "$1"
}

# is_answered_by METHOD: no SYN of these has gone another way.
is_answered_by()
{
	case $1 in
	xdp | accept) is_equal "$(counter held_syn)" 0 && [ "$(counter cookie_sent)" -ge 20 ] ;;
	engine) is_equal "$(counter cookie_sent)" 0 && [ "$(counter held_syn)" -ge 20 ] ;;
	esac
}
