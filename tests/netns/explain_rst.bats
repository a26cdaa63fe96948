#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# explain --rst: whose RSTs these are, and what cures them.
load helpers
load container

setup_file()
{
	lab_up
	container_up
	bpftool btf dump file /sys/kernel/btf/vmlinux format raw | grep -q "'sk_rst_reason'" &&
		touch "$BATS_FILE_TMPDIR/has_reasons"
	start_kernel_server 7000
}

teardown_file()
{
	lab_down "$CONTAINER"
}

setup()
{
	WATCHER=
	STARTS=()
}

teardown()
{
	local pid
	for pid in $WATCHER "${STARTS[@]}"; do
		stop "$pid" KILL
	done
	stop_leftover_loader
}

# Linux before 6.10 tells of no RST that no socket has asked for.
needs_reasons()
{
	[ -e "$BATS_FILE_TMPDIR/has_reasons" ] || skip "this kernel does not say why it sends RSTs"
}

# watch NAMESPACE [OPTION...]: STORY is what it tells.
watch()
{
	STORY=$BATS_FILE_TMPDIR/rst.out
	start rst ip netns exec "$1" "$NOLISTEN" explain --rst eth0 "${@:2}"
	WATCHER=$STARTED
	wait_for 10 has_text "$BATS_FILE_TMPDIR/rst.err" 'watching RSTs'
}

end_watch()
{
	STATUS=0
	kill -INT "$WATCHER"
	wait_for 10 is_gone "$WATCHER"
	wait "$WATCHER" || STATUS=$?
	WATCHER=
	is_equal "$STATUS" 0
}

# has_account FILTER: an object for which the jq expression is true.
has_account()
{
	[ -n "$(jq -c "select($1)" "$STORY")" ]
}

expect_account()
{
	wait_for 5 has_account "$1" && return
	cat "$STORY" >&2
	return 1
}

knock()
{
	in_client nc -z -w 2 "$@" || :
}

# send_from NAMESPACE ARGUMENT...: and stay. The sender's pid is in SENDER_PID.
send_from()
{
	start_ready sender nsenter --net="/run/netns/$1" python3 "$SENDER" -w "${@:2}"
	SENDER_PID=$STARTED
}

@test "tells of a closed port, in words, over IPv4" {
	watch "$SERVER"
	knock -p 40001 10.0.0.2 81
	wait_for 5 has_text "$STORY" cure:
	end_watch
	sed -E 's/(seq|ack|win) [0-9]+/\1 N/g; s/ \(NO_SOCKET\)//' "$STORY" | diff -u - <(
		cat <<-'EOF'
			[1] RST-ACK seq N ack N win N from 10.0.0.2:81 to 10.0.0.1:40001 left
			[1]   cause:   SYN seq N win N from 10.0.0.1:40001
			[1]   missing: no socket listens on 10.0.0.2:81
			[1]   behind:  nobody: the port is closed (inferred)
			[1]   cure:    start what should listen on port 81, or: nolisten-loader -p 81 eth0
		EOF
	) >&2
	has_text "$BATS_FILE_TMPDIR/rst.err" 'eth0: 1 RSTs left, 0 were stopped'
}

@test "tells of a closed port over IPv6, as JSON" {
	watch "$SERVER" -j
	knock -p 40002 fd00::2 82
	expect_account '.behind == "no_listener" and .local == "[fd00::2]:82" and .remote == "[fd00::1]:40002"
		and .left and .cause.flags == "S" and .flags == "R." and .in_iface == "eth0"'
	end_watch
}

@test "names the program that sends through a raw socket, and the guard for it" {
	local family
	for family in "10.0.0.1 10.0.0.2" "fd00::1 fd00::2"; do
		# shellcheck disable=SC2086
		set -- $family
		watch "$CLIENT" -j
		send_from "$CLIENT" "$1" 40003 "$2" 7000 S 1000
		expect_account ".behind == \"raw_socket\" and .pid == $SENDER_PID and .program == \"python3\" and
			.cause.flags == \"S.\" and .cause.ack == 1001 and .left and
			.cure == \"nolisten guard --pid=$SENDER_PID -p 40003 eth0\""
		stop "$SENDER_PID"
		end_watch
	done
}

@test "names the program that sends through a packet socket" {
	in_client nc -z 10.0.0.2 7000
	watch "$CLIENT" -j
	send_from "$CLIENT" -p eth0 10.0.0.1 40004 10.0.0.2 7000 S 1000
	expect_account ".behind == \"raw_socket\" and .pid == $SENDER_PID and (.who | contains(\"packet socket\"))"
	stop "$SENDER_PID"
	end_watch
}

@test "does not name a program that has ended, or that sends on other ports" {
	watch "$CLIENT" -j
	send_from "$CLIENT" 10.0.0.1 40005 10.0.0.2 7000 S 1000
	expect_account '.pid'
	stop "$SENDER_PID"
	# Its connection is half-open there: this is answered once more.
	in_namespace "$SERVER" python3 "$SENDER" 10.0.0.2 7000 10.0.0.1 40005 A 7 7
	expect_account '.behind == "raw_socket" and (has("pid") | not) and .cure == "nolisten guard -p 40005 eth0 -- COMMAND"'
	in_namespace "$SERVER" python3 "$SENDER" 10.0.0.2 7000 10.0.0.1 40006 A 7 7
	expect_account '.remote == "10.0.0.2:7000" and .local == "10.0.0.1:40006" and .behind == "unknown"
		and (.missing | contains("no socket has this connection"))'
	end_watch
}

@test "tells of a RST that the program sends itself" {
	watch "$CLIENT" -j
	send_from "$CLIENT" 10.0.0.1 40007 10.0.0.2 7001 R 1000
	expect_account ".flags == \"R\" and .pid == $SENDER_PID and (.who | contains(\"itself\")) and (has(\"cause\") | not)"
	stop "$SENDER_PID"
	end_watch
}

@test "names the container whose connection is reset by a segment that conntrack finds INVALID" {
	local host remote port=7100
	for host in 10.0.0.2 fd00::2; do
		remote=${host%2}1
		open_out "$host" "$port"
		watch "$SERVER" -j
		send_far "$remote" "$port" "$host" "$(remote_port_at "$CLIENT" "$port")"
		expect_account '.behind == "nat" and (.owner | test("^(10.9.0.2|.fd09::2.):[0-9]+$")) and .left
			and .cure == "nolisten guard --nat eth0" and .cause.len == 3'
		end_watch
		port=$((port + 1))
	done
}

@test "tells of a RST that a rule of netfilter stops" {
	in_server nft add table inet other
	in_server nft add chain inet other output '{ type filter hook output priority 0; }'
	in_server nft add rule inet other output tcp flags rst drop
	watch "$SERVER" -j
	in_client nc -z -w 1 10.0.0.2 83 || :
	in_client nc -z -w 1 fd00::2 83 || :
	expect_account '(.left | not) and .local == "10.0.0.2:83" and .stopped_by == "a rule of netfilter" and .behind == "no_listener"'
	expect_account '(.left | not) and .local == "[fd00::2]:83" and .stopped_by == "a rule of netfilter" and .behind == "no_listener"'
	in_server nft delete table inet other
	end_watch
}

@test "tells of a RST that a guard at TC egress stops" {
	start_loader -m engine
	watch "$SERVER" -j
	# Fragments are not held: TCP sees the SYN, and answers. That address has no host behind it.
	ip -n "$SERVER" neighbour replace 10.0.0.77 lladdr 02:00:00:00:00:77 dev eth0 nud permanent
	in_client "$TOOLS/fragmented_syn" eth0 34567 \
		"$(ip -n "$SERVER" -j link show eth0 | jq -r '.[0].address')"
	expect_account '(.left | not) and .local == "10.0.0.2:34567" and (.stopped_by | contains("TC egress"))'
	end_watch
	stop_loader
}

@test "tells of a RST that was not to be, since a guard has ended its segment" {
	start guard ip netns exec "$CLIENT" "$NOLISTEN" guard eth0 --raw=hold
	STARTS+=("$STARTED")
	wait_for 10 has_text "$BATS_FILE_TMPDIR/guard.err" guarding
	watch "$CLIENT" -j
	send_from "$CLIENT" fd00::1 40010 fd00::2 7000 S 1000
	expect_account ".prevented and (.left | not) and .pid == $SENDER_PID and .cause.flags == \"S.\" and
		(.stopped_by | contains(\"TC ingress\")) and (has(\"cure\") | not) and (has(\"flags\") | not)"
	stop "$SENDER_PID"
	end_watch
}

@test "tells of a rule that rejects with a RST" {
	needs_reasons
	in_server nft add table inet other
	in_server nft add chain inet other input '{ type filter hook input priority 0; }'
	in_server nft add rule inet other input tcp dport 84 reject with tcp reset
	watch "$SERVER" -j
	knock 10.0.0.2 84
	knock fd00::2 84
	expect_account '.behind == "firewall_reject" and .local == "10.0.0.2:84" and .inferred'
	expect_account '.behind == "firewall_reject" and .local == "[fd00::2]:84"'
	in_server nft delete table inet other
	end_watch
}

@test "tells of a socket that is closed with data unread, and who does that" {
	watch "$SERVER" -j
	start_ready closer nsenter --net="/run/netns/$SERVER" python3 -c '
import socket
listener = socket.create_server(("10.0.0.2", 7200))
print("ready", flush=True)
one = listener.accept()[0]
one.recv(1)
one.close()
'
	in_client sh -c 'printf unread | nc -w 2 10.0.0.2 7200' || :
	expect_account '.behind == "socket" and .local == "10.0.0.2:7200" and (.missing | contains("own socket"))'
	if bpftool btf dump file /sys/kernel/btf/vmlinux format raw | grep -q "'SK_RST_REASON_TCP_ABORT_ON_CLOSE'"; then
		has_account ".pid == $STARTED and .program == \"python3\" and .cure == \"read what has come before close()\""
	fi
	end_watch
}

@test "tells of the port or the remote that is asked for only" {
	watch "$SERVER" -j --port 85
	knock 10.0.0.2 86
	knock 10.0.0.2 85
	expect_account '.local == "10.0.0.2:85"'
	end_watch
	not has_account '.local == "10.0.0.2:86"'
	watch "$SERVER" -j --remote fd00::1
	knock 10.0.0.2 85
	knock fd00::2 85
	expect_account '.local == "[fd00::2]:85"'
	end_watch
	is_equal "$(wc -l <"$STORY")" 1
}
