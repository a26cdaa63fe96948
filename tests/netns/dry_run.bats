#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# --dry-run says what the loader would do, changes nothing, and fails as the loader fails.
load helpers
load accept
load dry_run

setup_file()
{
	dry_lab_up
}

teardown_file()
{
	dry_lab_down
}

teardown()
{
	stop_leftover_loader
}

# fails_alike [OPTION...]: the same line and status as without --dry-run.
fails_alike()
{
	local real
	run in_server timeout -k 1 10 "$LOADER" "$@" "$IFACE"
	real="$status,$output"
	dry "$@"
	is_equal "$status,$DRY_ERROR" "$real"
	[ "$status" != 0 ] && [ -n "$DRY_ERROR" ] || return
	[ -z "$output" ] || is_equal "${lines[-1]}" "$IFACE: would not start"
}

@test "says what it would attach, answer, guard, serve and change" {
	would_run -p 80,443
	is_equal "$(section attach | head -n 2)" "method auto
xdp generic (auto: a veth)"
	[[ "$(section attach)" == *$'\n'"guard tcx egress, behind the TCX programs that are there"* || "$(section attach)" == *$'\n'"guard clsact egress"* ]]
	[[ "$(section attach)" == *"maps pinned in /sys/fs/bpf/nolisten/$IFACE"* ]]
	[[ "$(section answer)" == "addresses 10.0.0.2, fd00::2, fe80::"*"as they come and go
ports 80,443" ]]
	is_equal "$(section guard)" "RSTs the kernel's, of answered ports: dropped"
	is_equal "$(section serve | head -n 1)" "service echo"
	is_equal "$(section become)" "loader the same user, with what it needs for connections"
	[[ "$(section change)" == "sysctls none"*"@nolisten/$IFACE"* ]]
	has_no_finding
}

@test "says whom the loader and its service would become" {
	would_run -s record --user=daemon
	is_equal "$(section become)" "loader daemon, group $(id -g daemon), with what it needs for connections
service daemon, group $(id -g daemon), in a process of its own, without privileges"
	would_run -s record --privileges=keep
	is_equal "$(section become)" "loader the same user, with all privileges
service user 65534, group 65534, in a process of its own, without privileges"
}

@test "what it says is what the loader does" {
	would_run -a 10.0.0.2 -p 80,8000-8010 --xdp=native
	is_equal "$(section attach | sed -n 2p)" "xdp native (as asked)"
	guard=$(section attach | sed -n 's/^guard \([a-z]*\) .*/\1/p')
	start_loader -a 10.0.0.2 -p 80,8000-8010 --xdp=native
	expect "answering TCP port 80,8000-8010 on 10.0.0.2 with echo (method auto, xdp native, guard $guard)" cat "$LOADER_LOG"
}

run_in_many_ways()
{
	local kept=$BATS_TEST_TMPDIR/kept method
	for method in auto xdp engine connect nfqueue filter raw; do
		would_run -m "$method"
	done
	if can_accept; then
		would_run -m accept
	fi
	would_run --tc=clsact
	is_equal "$(grep -c 'guard .*clsact egress' <<<"$output")" 1
	would_run --events="$kept/events" --service="socket:$kept/socket"
	would_run --pcap="$kept/packets" --pcap-size=1
	would_run --metrics=:9555 --guard=auto --workers=2 --max-per-source=3
	would_run --metrics="unix:$kept/metrics" --service="exec:touch $kept/run"
}

@test "changes nothing, whatever the method" {
	mkdir "$BATS_TEST_TMPDIR/kept"
	changes_nothing run_in_many_ways
}

# finds_leftovers: of a loader that was killed; its heartbeat has to be old.
finds_leftovers()
{
	would_run --tc=clsact
	[[ "$(section attach)" == *"in place of the filter of a loader that was killed"*"in place of what a loader has left that was killed"* ]]
}

@test "changes nothing of what a killed loader has left, and says what becomes of it" {
	# Not as ip netns exec does it: with a /sys that has a bpffs.
	nsenter --net="/run/netns/$SERVER" "$LOADER" --tc=clsact "$IFACE" 2>"$BATS_TEST_TMPDIR/killed.log" 3>&- &
	wait_for 10 has_text "$BATS_TEST_TMPDIR/killed.log" answering
	stop $! KILL
	[ -e "/sys/fs/bpf/nolisten/$IFACE/nol_flows" ]
	changes_nothing wait_for 6 finds_leftovers
	would_run --tc=clsact
	has_no_finding
	start_loader
	stop_loader
}

fail_in_many_ways()
{
	not in_server "$LOADER" --dry-run -a 192.0.2.0/24 "$IFACE"
	not in_server "$LOADER" --dry-run --events=/nonexistent/events "$IFACE"
	not in_server "$LOADER" --dry-run --metrics="unix:$BATS_TEST_TMPDIR/kept" "$IFACE"
	not in_server "$LOADER" --dry-run --sockopt=congestion=nonesuch -m engine "$IFACE"
	not in_server prlimit --nofile=10:10 "$LOADER" --dry-run "$IFACE"
}

@test "changes nothing where it fails" {
	mkdir "$BATS_TEST_TMPDIR/kept"
	changes_nothing fail_in_many_ways
}

@test "is not in the way of a loader that runs, and says that one runs" {
	start_loader
	fails_alike
	is_equal "$DRY_ERROR" "nolisten-loader: $IFACE: another nolisten-loader is on this interface"
	serves
}

@test "names the sockets that have a port already" {
	start_ready kernel nsenter --net="/run/netns/$SERVER" "$TOOLS/echo_server" 8001
	would_run -p 8000-8009
	[[ "$(section answer)" == *"8001: echo_server (pid $STARTED) listens there, it is left to it"* ]]
	dry -j -p 8000-8009
	is_equal "$(jq -r '.interfaces[0].listeners[] | "\(.pid) \(.program)"' <<<"$output" | sort -u)" "$STARTED echo_server"
	stop "$STARTED"
}

@test "fails as the loader does: addresses, files, keys, metrics" {
	fails_alike -a 192.0.2.0/24
	fails_alike --events=/nonexistent/events
	fails_alike --events=/proc
	fails_alike --cookie-key=/nonexistent/key
	fails_alike --pcap=/nonexistent/packets
	fails_alike --pcap=/etc/hostname
	fails_alike --metrics=192.0.2.1:80
	fails_alike --rst=redirect:eth9
	fails_alike --service=socket:/nonexistent/socket
	touch "$BATS_TEST_TMPDIR/file"
	fails_alike --service="socket:$BATS_TEST_TMPDIR/file"
	fails_alike --metrics="unix:$BATS_TEST_TMPDIR/file"
	fails_alike --sockopt=congestion=nonesuch
	start_ready kernel nsenter --net="/run/netns/$SERVER" "$TOOLS/echo_server" 9555
	fails_alike --metrics=10.0.0.2:9555
	stop "$STARTED"
}

@test "fails as the loader does: another XDP program, no native XDP, no cookies" {
	in_server ip link set dev "$IFACE" xdpgeneric obj "$(foreign_program xdp)" sec xdp
	fails_alike
	has_finding BLOCKS xdp "foreign_program (id "
	is_equal "$WAY_OUT" "ip link set dev $IFACE xdp off"
	in_server ip link set dev "$IFACE" xdpgeneric off
	in_server ip link add link "$IFACE" name mv0 type macvlan
	in_server ip link set dev mv0 xdpgeneric obj "$(foreign_program xdp)" sec xdp
	fails_alike
	in_server ip link set dev mv0 xdpgeneric off
	IFACE=mv0 fails_alike --xdp=native
	IFACE=lo fails_alike --xdp=native
	in_server ip link del mv0
	in_server sysctl -qw net.ipv4.tcp_syncookies=0
	if can_accept; then
		fails_alike -m accept
	fi
	in_server sysctl -qw net.ipv4.tcp_syncookies=1
}

@test "fails as the loader does: capabilities, descriptors, memory" {
	run in_server setpriv --bounding-set=-net_admin --inh-caps=-net_admin "$LOADER" --dry-run "$IFACE"
	is_equal "$status,${#lines[@]}" 1,1
	[[ $output == *"this host lacks CAP_NET_ADMIN, needed for "* ]]
	run in_server prlimit --nofile=10:10 "$LOADER" --dry-run "$IFACE"
	is_equal "$status,${#lines[@]}" 1,1
	[[ $output == *"cannot load the programs: "*"Too many open files (ulimit -n "* ]]
}

@test "refuses what the loader refuses" {
	refused_loader 2 "--port: '0'" --dry-run -p 0 "$IFACE"
	refused_loader 2 "which interface?" --dry-run
	refused_loader 2 "--check and --dry-run: one of them" --dry-run --check "$IFACE"
	refused_loader 2 "--tc: method accept needs tcx" --dry-run -m accept --tc=clsact "$IFACE"
	refused_loader 1 "eth9: no such interface" --dry-run eth9
	run in_server sh -c "'$LOADER' --dry-run $IFACE >/dev/full"
	is_equal "$status,$output" "1,nolisten-loader: --dry-run: cannot write: No space left on device"
}

@test "tells programs the same as JSON" {
	dry -j -p 80
	is_equal "$status,${#lines[@]},$DRY_ERROR" "0,1,"
	is_equal "$(jq -r '"\(.would_run) \(.reason) \(.interfaces | length) \(.interfaces[0].interface)"' <<<"$output")" \
		"true null 1 $IFACE"
	is_equal "$(jq -r '.interfaces[0] | .answer[] | select(.what == "ports") | .how' <<<"$output")" 80
	is_equal "$(jq -r '.interfaces[0] | keys | join(" ")' <<<"$output")" \
		"answer attach become change guard in_its_way interface listeners serve"
	dry -j -a 192.0.2.0/24
	is_equal "$status,${#lines[@]}" 1,1
	is_equal "$(jq -r '"nolisten-loader: \(.reason)"' <<<"$output"),$(jq -r .would_run <<<"$output")" "$DRY_ERROR,false"
}

@test "tells of each VLAN device, or which one is missing" {
	fails_alike --vlan=7
	[[ $DRY_ERROR == *"has no device for VLAN 7"* ]]
	in_server ip link add link "$IFACE" name v7 type vlan id 7 || skip "this kernel has no VLANs"
	address "$SERVER" v7 10.7.0.2/24
	in_server ip link set v7 up
	would_run --vlan=7
	is_equal "$(grep -c '^  would attach' <<<"$output")" 2
	grep -qx v7 <<<"$output"
	grep -q 'addresses  *10.7.0.2' <<<"$output"
	would_run
	has_finding note vlan "v7 is a VLAN device on top of $IFACE"
	in_server ip link del v7
}
