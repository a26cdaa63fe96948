#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# Method accept and its host: the parent that nobody can reach, its queue, the kernel's settings, devices.
load helpers
load accept

setup()
{
	accept_up
}

teardown()
{
	accept_down
}

@test "one socket listens, where nobody can reach it, and is named at the start" {
	local where
	accept
	where=$(parent)
	[[ $where == \[100::*\]:* ]]
	grep -qF "listens on $where, where nobody can reach it" "$LOADER_LOG"
	is_equal "$(in_server ss -Hltn 'sport = :34567')" ""
	is_equal "$(in_server "$NOLISTEN" status -j | jq -c .parents)" "[\"$where\"]"
	expect "  listens on   $where" in_server "$NOLISTEN" status
}

@test "as many as there may be workers are named at the start" {
	local where
	accept --workers=64
	is_equal "$(parent | wc -l)" 64
	grep -qF ", where nobody can reach it)" "$LOADER_LOG"
	for where in $(parent); do
		grep -qF " $where," "$LOADER_LOG"
	done
}

# connects_to NAMESPACE ENDPOINT: what becomes of a connect() there.
connects_to()
{
	in_namespace "$1" python3 - "$2" <<-'EOF'
		import socket, sys
		host, port = sys.argv[1][1:].rsplit("]:", 1)
		with socket.socket(socket.AF_INET6) as client:
		    client.settimeout(1.5)
		    try:
		        client.connect((host, int(port)))
		        print("connected")
		    except OSError as error:
		        print(type(error).__name__)
	EOF
}

@test "not even a host that takes the parent's address for its own lets anybody reach it" {
	accept
	is_equal "$(connects_to "$SERVER" "$(parent)")" OSError
	ip -n "$SERVER" route add local 100::/64 dev lo
	ip -n "$CLIENT" route add 100::/64 via fd00::2
	is_equal "$(connects_to "$SERVER" "$(parent)")" TimeoutError
	is_equal "$(connects_to "$CLIENT" "$(parent)")" TimeoutError
	is_equal "$(echo_back fd00::2 34567 still)" still
	is_equal "$(echo_back 10.0.0.2 34567 still)" still
}

@test "a full queue loses no connection: what was dropped comes again" {
	in_server sysctl -qw net.core.somaxconn=4
	accept
	kill -STOP "$LOADER_PID"
	in_client timeout 60 "$TOOLS/crowd_client" 10.0.0.2 34567 20 >"$BATS_TEST_TMPDIR/crowd" 2>&1 3>&- &
	STARTED=$!
	wait_for 10 has_overflows
	kill -CONT "$LOADER_PID"
	wait_for 30 has_text "$BATS_TEST_TMPDIR/crowd" "20 connections at once"
	expect_event '.event == "lost" and .reason == "queue_full" and .count >= 1'
}

has_overflows()
{
	[ "$(snmp "$SERVER" TcpExtListenOverflows)" -ge 1 ]
}

# What was not taken is not left to wait for ever.
@test "connections in the queue are reset when it is killed" {
	accept
	kill -STOP "$LOADER_PID"
	mkfifo "$BATS_TEST_TMPDIR/in"
	ip netns exec "$CLIENT" nc 10.0.0.2 34567 <>"$BATS_TEST_TMPDIR/in" >/dev/null 2>&1 3>&- &
	STARTED=$!
	wait_for 5 has_queued
	stop "$LOADER_PID" KILL
	wait_for 5 is_gone "$STARTED"
	is_equal "$(snmp "$CLIENT" TcpEstabResets)" 1
}

has_queued()
{
	[ "$(in_server ss -Hltn | awk '{ print $2 }')" = 1 ]
}

@test "for want of descriptors it refuses, says so, and goes on" {
	LOADER_LOG=$BATS_FILE_TMPDIR/few EVENTS=$BATS_FILE_TMPDIR/few.json
	: >"$EVENTS"
	ip netns exec "$SERVER" bash -c 'ulimit -n 128; exec "$@"' - "$LOADER" --events="$EVENTS" -m accept -s hold eth0 \
		2>"$LOADER_LOG" >/dev/null 3>&- </dev/null &
	LOADER_PID=$!
	wait_for 10 has_text "$LOADER_LOG" answering
	in_client python3 - ip netns exec "$SERVER" "$NOLISTEN" status -j <<-'EOF'
		import json, socket, subprocess, sys
		def connect():
		    try:
		        return socket.create_connection(("10.0.0.2", 34567), 5)
		    except ConnectionResetError:
		        return None

		def is_reset(client):
		    try:
		        client.settimeout(0.02)
		        return not client.recv(1)
		    except (ConnectionResetError, AttributeError):
		        return True
		    except TimeoutError:
		        return False

		# The 120th has been dealt with once it is reset: those before it as well.
		clients = [connect() for _ in range(120)]
		while not is_reset(clients[-1]):
		    pass
		assert 0 < sum(map(is_reset, clients)) < 120
		# The operator still gets an answer.
		status = json.loads(subprocess.run(sys.argv[1:], stdout=subprocess.PIPE, check=True, timeout=5).stdout)
		assert 0 < status["connections"] < 120, status
	EOF
	expect_event '.event == "reset" and .reason == "no_descriptors"'
	wait_for 5 has_no_flows
	in_client timeout 5 python3 -c '
import socket
socket.create_connection(("10.0.0.2", 34567), 5).close()'
	wait_for 5 has_no_flows
}

@test "says that the kernel takes no cookies, at the start and later" {
	in_server sysctl -qw net.ipv4.tcp_syncookies=0
	refused_loader 1 'method accept needs net.ipv4.tcp_syncookies=1' -m accept eth0
	in_server sysctl -qw net.ipv4.tcp_syncookies=1
	accept
	in_server sysctl -qw net.ipv4.tcp_syncookies=0
	wait_for 5 has_text "$LOADER_LOG" 'tcp_syncookies is 0 now'
	in_server sysctl -qw net.ipv4.tcp_syncookies=2
	is_equal "$(echo_back 10.0.0.2 34567 again)" again
}

@test "passes a firewall that drops what is invalid, unless connection tracking is strict: which is said" {
	in_server nft 'add table t; add chain t i { type filter hook input priority 0; }; add rule t i ct state invalid drop'
	accept
	is_equal "$(echo_back 10.0.0.2 34567 loose)" loose
	not grep -q tcp_loose "$LOADER_LOG"
	stop_loader
	in_server sysctl -qw net.netfilter.nf_conntrack_tcp_loose=0
	accept
	grep -q 'nf_conntrack_tcp_loose is 0' "$LOADER_LOG"
	is_equal "$(timeout 2 in_client nc -N -w 1 10.0.0.2 34567 <<<strict || :)" ""
	is_equal "$(counter accept_child)" "$(counter cookie_sent)"
}

@test "answers all ports, prefixes, and the addresses that come and go" {
	ip -n "$SERVER" route add local 10.9.0.0/24 dev lo
	ip -n "$CLIENT" route add 10.9.0.0/24 via 10.0.0.2
	accept -p all -a 10.9.0.0/24
	is_equal "$(echo_back 10.9.0.77 1 prefix)" prefix
	is_equal "$(echo_back 10.9.0.255 65535 prefix)" prefix
	is_refused 10.0.0.2 34567
	stop_loader
	accept
	ip -n "$SERVER" address add 10.0.0.3/24 dev eth0
	wait_for 5 is_echoed 10.0.0.3
	ip -n "$SERVER" address del 10.0.0.3/24 dev eth0
	is_equal "$(echo_back 10.0.0.2 34567 still)" still
}

is_echoed()
{
	[ "$(echo_back "$1" 34567 x)" = x ]
}

@test "works on lo, for a process on the same host" {
	IFACE=lo accept -q
	for host in 127.0.0.1 ::1; do
		expect "500 connections, 500 with data" in_server "$TOOLS/burst_client" $host 34567 500 100
	done
	is_equal "$(IFACE=lo counter accept_child)" 1000
	stop_loader
	IFACE=lo accept -q --xdp=none
	for host in 127.0.0.1 ::1; do
		expect "500 connections, 500 with data" in_server "$TOOLS/burst_client" $host 34567 500 100
	done
}

@test "works on a tun device, with and without XDP" {
	local mode
	start_ready tun_peer "$TOOLS/tun_peer" "$SERVER" "$CLIENT" tun0
	for namespace in "$SERVER" "$CLIENT"; do
		ip -n "$namespace" link set tun0 up
	done
	address "$SERVER" tun0 10.2.0.2/24 fd02::2/64
	address "$CLIENT" tun0 10.2.0.1/24 fd02::1/64
	for mode in auto none; do
		IFACE=tun0 accept -q --xdp=$mode
		for host in 10.2.0.2 fd02::2; do
			expect "300 connections, 300 with data" in_client "$TOOLS/burst_client" $host 34567 300 100
		done
		is_equal "$(IFACE=tun0 counter accept_child)" 600
		stop_loader
	done
	stop "$STARTED"
}

@test "works on native XDP, and TC answers until a neighbour has confirmed that replies arrive" {
	be_patient_on_eth0
	accept -q --xdp=native
	expect "xdp native" cat "$LOADER_LOG"
	burst 1000 100
	burst 100 10240 fd00::2
}

@test "TC answers as long as XDP is another's" {
	command -v clang >/dev/null || skip "no clang to make another program"
	cat >"$BATS_TEST_TMPDIR/other.bpf.c" <<-'EOF'
		__attribute__((section("xdp"), used)) int other_program(void *context) { return 2; }
		__attribute__((section("license"), used)) char terms[] = "GPL";
	EOF
	clang -O2 -target bpf -c "$BATS_TEST_TMPDIR/other.bpf.c" -o "$BATS_TEST_TMPDIR/other.bpf.o"
	in_server ip link set dev eth0 xdpgeneric obj "$BATS_TEST_TMPDIR/other.bpf.o" sec xdp
	accept
	expect "xdp standby" cat "$LOADER_LOG"
	is_equal "$(echo_back 10.0.0.2 34567 hello)" hello
	flood
	wait_for 5 has_text "$LOADER_LOG" 'no place in XDP during this flood'
	is_xdp_mode none
	is_equal "$(echo_back 10.0.0.2 34567 hello)" hello
	in_server ip link set dev eth0 xdpgeneric off
	wait_for 5 is_xdp_mode generic
	end_flood
	wait_for 20 is_xdp_mode standby
}

xdp_mode()
{
	in_server "$NOLISTEN" status -j | jq -r .xdp
}

is_xdp_mode()
{
	is_equal "$(xdp_mode)" "$1"
}

# flood: twice as many SYNs as it takes for one, until it is ended.
flood()
{
	start flood ip netns exec "$CLIENT" "$TOOLS/stray_flood" eth0 "$(in_server cat /sys/class/net/eth0/address)" 34567 40000 S
}

end_flood()
{
	stop "$STARTED"
	STARTED=
}

@test "generic XDP is attached while there is a flood" {
	accept
	is_xdp_mode standby
	burst 100 100
	flood
	wait_for 5 is_xdp_mode generic
	is_attached
	burst 100 100
	burst 100 100 fd00::2
	end_flood
	wait_for 20 is_xdp_mode standby
	is_detached
	burst 100 100
	stop_loader
	is_equal "$LOADER_STATUS" 0
}

uptime()
{
	in_server "$NOLISTEN" status -j | jq '.uptime_s | floor'
}

has_run()
{
	[ "$(uptime)" -ge "$1" ]
}

# What it answered then, nobody would complete.
@test "generic XDP stays away once the loader has left, whatever the flood" {
	accept -s hold
	start client ip netns exec "$CLIENT" nc -d 10.0.0.2 34567
	expect_event '.event == "handed_off"'
	local client_pid=$STARTED
	flood
	wait_for 5 is_xdp_mode generic
	kill -INT "$LOADER_PID"
	wait_for 5 has_text "$LOADER_LOG" '1 connection lives on'
	is_detached
	# It looks at the rate once a second.
	wait_for 10 has_run $(($(uptime) + 3))
	is_detached
	is_xdp_mode standby
	end_flood
	stop "$client_pid"
	stop_loader TERM
}

@test "TC answers without any XDP, tagged with VLAN 0 and with a checksum that the device is to make" {
	be_patient_on_eth0
	accept -q --xdp=none
	expect "xdp none" cat "$LOADER_LOG"
	burst 1000 100
	burst 1000 100 fd00::2
	in_server ethtool -K eth0 tx off rx off gro off >/dev/null
	in_client ethtool -K eth0 tx off rx off gro off >/dev/null
	burst 200 100
}

@test "refuses what does not go with it" {
	refused_loader 2 'only method accept does without' --xdp=none eth0
	refused_loader 2 'method accept needs tcx' -m accept --tc=clsact eth0
}

@test "--check says whether this kernel has what it takes" {
	run in_server "$LOADER" --check -m accept
	is_equal "$status" 0
	[[ $output == *"this host can run method accept"* ]]
}
