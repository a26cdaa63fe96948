#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# The methods without BPF: nfqueue, filter, raw.
load helpers
load methods

setup()
{
	STARTED=
	lab_up
	# 10 KB leave at once with the final ACK only if the first window has room for it.
	be_patient_on_eth0 initcwnd 64
}

teardown()
{
	[ -z "$STARTED" ] || stop "$STARTED"
	lab_down
}

@test "nfqueue echoes over IPv4 and IPv6" {
	start_loader -m nfqueue
	echoes nfqueue
}

@test "filter echoes over IPv4 and IPv6" {
	start_loader -m filter
	echoes filter
}

@test "nfqueue takes data in the final ACK without a retransmission" {
	# The first window is in the queue before the hand-off begins.
	stay_on_one_processor
	start_loader -q -m nfqueue
	burst 1000 100 10.0.0.2
	burst 500 100 fd00::2
	burst 100 10240 10.0.0.2
	burst 50 61440 fd00::2
}

@test "filter takes data in the final ACK without a retransmission" {
	start_loader -q -m filter
	burst 1000 100 10.0.0.2
	burst 500 100 fd00::2
	burst 100 10240 10.0.0.2
}

@test "nfqueue and filter take data and FIN at any moment of the hand-off" {
	local method
	for method in nfqueue filter; do
		start_loader -q -m "$method"
		expect "5000 connections" in_client "$TOOLS/burst_client" 10.0.0.2 34567 5000 5 hasty
		expect "1000 connections" in_client "$TOOLS/burst_client" fd00::2 34567 1000 5 hasty
		is_equal "$(counter handoff_failed)" 0
		stop_loader
	done
}

@test "nfqueue and filter pass a stream in both directions at once" {
	local method
	for method in nfqueue filter; do
		start_loader -m "$method"
		expect "20000000 of 20000000 bytes intact" \
			in_client timeout 30 "$TOOLS/stream_client" 10.0.0.2 34567 20000000
		expect "20000000 of 20000000 bytes intact" \
			in_client timeout 30 "$TOOLS/stream_client" fd00::2 34567 20000000
		stop_loader
	done
}

# Each connection's end is heard of late, when its successor may be there already, whose SYN must not be taken for the old
# connection's: nobody would answer it, and it would be sent again.
takes_one_port_again_and_again()
{
	in_client sysctl -qw net.ipv4.tcp_tw_reuse=1
	start_loader -m "$1"
	is_equal "$(snmp "$CLIENT" TcpExtTCPSynRetrans)" 0
	expect "400 of 400 echoed" in_client python3 "$REPO/tests/tools/reuse_client.py" 10.0.0.2 34567 400
	is_equal "$(snmp "$CLIENT" TcpExtTCPSynRetrans)" 0
	wait_for 5 has_counter closed 400
	is_equal "$(counter handoff_failed)" 0
	is_equal "$(counter closed)" 400
	stop_loader
}

@test "nfqueue takes connection after connection from one port" {
	takes_one_port_again_and_again nfqueue
}

@test "filter takes connection after connection from one port" {
	takes_one_port_again_and_again filter
}

# A RST that was queued may be overtaken by the SYN that was not: TCP clears that up at once, by a challenge and a SYN more.
@test "nfqueue takes a client that resets and comes again from the same port at once" {
	takes_aborts nfqueue
}

@test "filter takes a client that resets and comes again from the same port at once" {
	takes_aborts filter
}

@test "nfqueue leaves to kernel sockets what is theirs" {
	leaves_kernel_sockets_alone nfqueue
}

@test "filter leaves to kernel sockets what is theirs" {
	leaves_kernel_sockets_alone filter
}

# Its packets are queued, as those of a socket that is being made are, and let go.
@test "nfqueue leaves to a transparent socket what is its" {
	start_ready transparent ip netns exec "$SERVER" python3 -c '
import socket
listener = socket.socket()
listener.setsockopt(socket.SOL_IP, 19, 1)  # IP_TRANSPARENT
listener.bind(("", 34567))
listener.listen()
print("ready", flush=True)
peer, _ = listener.accept()
peer.sendall(peer.recv(100).upper())'
	start_loader -m nfqueue
	is_equal "$(echo_back 10.0.0.2 34567 transparent)" TRANSPARENT
	has_counter ingress_owned 3
	is_equal "$(counter syn)" 0
	STARTED=
}

@test "gives each connection to its service" {
	local method
	for method in nfqueue filter; do
		start_loader -m "$method" -p 1000-2000 -s 'banner:220 hello\n'
		is_equal "$(in_client timeout 5 nc -w 2 10.0.0.2 1025 </dev/null)" '220 hello'
		stop_loader
		start_loader -m "$method" -p all -s 'exec:echo $TCPLOCALPORT'
		is_equal "$(in_client timeout 5 nc -w 2 fd00::2 65535 </dev/null)" 65535
		stop_loader
	done
}

@test "answers the addresses of a prefix, and follows those of the interface" {
	local method
	ip -n "$SERVER" route add local 10.9.0.0/24 dev lo
	ip -n "$CLIENT" route add 10.9.0.0/24 via 10.0.0.2
	for method in nfqueue filter; do
		start_loader -m "$method" -a 10.9.0.0/24
		is_equal "$(echo_back 10.9.0.77 34567 prefix)" prefix
		is_refused 10.0.0.2 34567
		stop_loader
		start_loader -m "$method"
		ip -n "$SERVER" address add 10.0.0.3/24 dev eth0
		wait_for 5 is_echoed 10.0.0.3
		ip -n "$SERVER" address del 10.0.0.3/24 dev eth0
		stop_loader
	done
}

is_echoed()
{
	[ "$(echo_back "$1" 34567 x)" = x ]
}

@test "leaves the rules as they were" {
	local method before
	in_server iptables -A INPUT -p udp --dport 9 -j DROP
	in_server nft add table inet mine
	before=$(rules)
	for method in nfqueue filter raw; do
		start_loader -m "$method"
		stop_loader
		is_equal "$LOADER_STATUS" 0
		is_equal "$(rules)" "$before"
	done
}

@test "leaves another's rules in the same tables" {
	local before
	in_server iptables -t mangle -A INPUT -p udp --dport 9 -j DROP
	in_server iptables -t mangle -N theirs
	before=$(rules)
	start_loader -m nfqueue
	stop_loader
	is_equal "$(rules)" "$before"
}

@test "nfqueue does no harm when killed, and the next start removes its rules" {
	local before
	before=$(rules)
	start_loader -m nfqueue
	stop_loader KILL
	is_refused 10.0.0.2 34567
	is_refused fd00::2 34567
	start_loader -m nfqueue
	is_equal "$(echo_back 10.0.0.2 34567 again)" again
	is_equal "$(in_server iptables-save | grep -c 'INPUT.*nolisten_eth0')" 1
	stop_loader KILL
	start_loader -m filter
	is_equal "$(in_server iptables-save | grep -c nolisten_eth0 || :)" 0
	stop_loader
	is_equal "$(rules)" "$before"
}

@test "nfqueue on two interfaces leaves the rules as they were" {
	local before first
	ip -n "$SERVER" link add veth1 type veth peer name veth10
	ip -n "$SERVER" link set veth1 up
	ip -n "$SERVER" link set veth10 up
	address "$SERVER" veth1 10.1.0.2/24
	address "$SERVER" veth10 10.2.0.2/24
	before=$(rules)
	IFACE=veth10 start_loader -m nfqueue
	first=$LOADER_PID
	IFACE=veth1 start_loader -m nfqueue
	is_equal "$(grep -c 'killed process' "$LOADER_LOG" || :)" 0
	is_equal "$(in_server iptables-save | grep -c 'INPUT.*nolisten_veth')" 2
	stop "$first"
	is_equal "$(in_server iptables-save | grep -c 'INPUT.*nolisten_veth')" 1
	stop_loader
	is_equal "$(rules)" "$before"
}

@test "filter leaves nothing behind when killed" {
	local before
	before=$(rules)
	start_loader -m filter
	in_server nft list table inet nolisten_eth0 | grep -q 'flags owner'
	stop_loader KILL
	is_equal "$(rules)" "$before"
	is_refused 10.0.0.2 34567
	start_loader -m filter
	is_equal "$(echo_back 10.0.0.2 34567 again)" again
}

@test "filter drops the kernel's RSTs and counts them" {
	start_loader -m filter
	echo_back 10.0.0.2 34567 x
	wait_for 5 has_counter rst_dropped 2
	expect_event '.event == "rst_dropped" and .count >= 2'
}

@test "filter lets a handed-off connection send its RST" {
	local before
	start_loader -m filter -s 'exec:head -c 1'
	before=$(snmp "$SERVER" TcpOutRsts)
	head -c 100000 /dev/zero | in_client timeout 10 nc -w 5 10.0.0.2 34567 || :
	wait_for 5 has_client_resets 1
}

has_client_resets()
{
	[ "$(snmp "$CLIENT" TcpEstabResets)" -ge "$1" ]
}

# The socket was made between the packet's arrival and its RST: as if that left a moment after the hand-off.
@test "filter drops a RST that was on its way when the kernel socket was made, and none of the socket's" {
	start_loader -m filter
	PYTHONPATH=$REPO/tests/tools PYTHONDONTWRITEBYTECODE=1 in_client python3 - "$SERVER" "$CLIENT" <<-'EOF'
		import socket, sys
		from segments import *

		def is_dropped(wire, flags):
		    try:
		        wire.send(flags, 1, 1)
		        return False
		    except PermissionError:
		        return True

		def is_dropped_soon(port):
		    in_namespace(sys.argv[1])
		    wire = Wire(port, 34567, REMOTE, LOCAL)
		    in_namespace(sys.argv[2])
		    client = socket.socket()
		    client.bind((LOCAL, port))
		    client.connect((REMOTE, 34567))
		    client.send(b"x")
		    assert client.recv(1) == b"x"
		    return is_dropped(wire, RST) and not is_dropped(wire, RST | ACK)

		assert any(is_dropped_soon(port) for port in range(21000, 21020))
	EOF
}

# Stopped, it hears of the end only behind what comes after.
@test "filter answers what comes behind the end of a connection before it has heard of that" {
	in_client nft 'add table t; add chain t o { type filter hook output priority 0; }
		add rule t o tcp flags & (rst | ack) == rst drop'
	start_loader -m filter -s exec:cat
	PYTHONPATH=$REPO/tests/tools PYTHONDONTWRITEBYTECODE=1 in_client python3 - "$LOADER_PID" <<-'EOF'
		import os, signal, sys
		from segments import *
		loader = int(sys.argv[1])

		def state():
		    return open(f"/proc/{loader}/stat").read().rpartition(")")[2].split()[0]

		def receive(wire, flag):
		    while not (segment := wire.receive(5)).flags & flag:
		        pass
		    return segment

		def is_answered_behind(end, port):
		    wire = Wire(34567, port)
		    wire.send(SYN, 1000)
		    ack = receive(wire, SYN).seq + 1
		    wire.send(ACK, 1001, ack, b"x")
		    while not receive(wire, ACK).data:
		        pass
		    while state() != "S": # it has given away its own descriptor
		        pass
		    os.kill(loader, signal.SIGSTOP)
		    try:
		        seq = end(wire, ack + 1)
		    finally:
		        os.kill(loader, signal.SIGCONT)
		    return receive(wire, RST).seq == seq

		def reset(wire, ack):
		    wire.send(RST | ACK, 1002, ack)
		    wire.send(ACK, 1002, ack)
		    return ack

		def finish(wire, ack):
		    wire.send(FIN | ACK, 1002, ack)
		    receive(wire, FIN)
		    wire.send(ACK, 1003, ack + 1)
		    wire.send(ACK, 1003, ack + 1, b"late")
		    return ack + 1

		for i in range(10):
		    assert is_answered_behind(reset, 21000 + i)
		    assert is_answered_behind(finish, 22000 + i)
	EOF
}

# What an unprivileged user can do in a namespace of its own: a client in a second network namespace.
own_namespace()
{
	cat <<-'END'
		ip link set lo up
		unshare -n sleep 60 &
		client=$!
		until [ "$(readlink /proc/$client/ns/net)" != "$(readlink /proc/self/ns/net)" ]; do :; done
		ip link add eth0 type veth peer name eth0 netns $client
		in_client="nsenter -n -t $client"
		ip address add 10.0.0.2/24 dev eth0
		ip -6 address add fd00::2/64 dev eth0 nodad
		$in_client ip address add 10.0.0.1/24 dev eth0
		$in_client ip -6 address add fd00::1/64 dev eth0 nodad
		ip link set eth0 up
		$in_client ip link set eth0 up
		"$LOADER" -m filter eth0 2>log &
		loader=$!
		until grep -q answering log || ! kill -0 $loader; do :; done
		printf 'four\n' | $in_client timeout 5 nc -N -w 3 10.0.0.2 34567
		printf 'six\n' | $in_client timeout 5 nc -N -w 3 fd00::2 34567
		kill $loader
		wait $loader
		echo "status $?"
		nft list ruleset
		cat log >&2
		kill $client
	END
}

@test "filter runs in an unprivileged user namespace" {
	unshare -Urn true 2>/dev/null || skip "no user namespaces here"
	local directory=$BATS_TEST_TMPDIR
	chmod 777 "$directory"
	cd "$directory"
	own_namespace >script
	cp "$LOADER" loader
	LOADER=./loader timeout 30 setpriv --reuid=65534 --regid=65534 --clear-groups \
		unshare -Urn --kill-child bash script >out 2>err 3>&- || :
	is_equal "$(cat out)" $'four\nsix\nstatus 0'
}

@test "raw says that the kernel will win, and tells by how much it did" {
	start_loader -m raw
	grep -q 'the kernel will win' "$LOADER_LOG"
	is_refused 10.0.0.2 34567
	is_refused fd00::2 34567
	expect_event '.event == "reset" and .reason == "kernel_rst" and .first_by_us >= 1
		and .local == "10.0.0.2:34567" and .method == "raw"'
	expect_event '.event == "reset" and .reason == "kernel_rst" and .local == "[fd00::2]:34567"'
	wait_for 5 has_no_flows
}

@test "the kernel refuses NF_STOLEN, and the packet stays in the queue" {
	in_server iptables -t mangle -A PREROUTING -i eth0 -p tcp --dport 34567 -j NFQUEUE --queue-num 7
	start_ready stolen ip netns exec "$SERVER" "$TOOLS/nfq_stolen" 7
	in_client timeout 5 nc -w 1 10.0.0.2 34567 </dev/null || :
	wait_for 5 grep -q 'NF_STOLEN: Invalid argument, [1-9][0-9]* waiting' "$BATS_FILE_TMPDIR/stolen.out"
}

@test "nfqueue takes another queue when its number is in use" {
	start_ready first ip netns exec "$SERVER" "$TOOLS/nfq_stolen" 28160
	start_loader -m nfqueue
	grep -q 'queue 28161' "$LOADER_LOG"
	is_equal "$(echo_back 10.0.0.2 34567 x)" x
}

# Programs that say that they cannot, ahead of the real ones.
without_iptables()
{
	local name
	mkdir "$BATS_TEST_TMPDIR/bin"
	for name in iptables-restore ip6tables-restore iptables-legacy-restore ip6tables-legacy-restore; do
		printf '#!/bin/sh\necho "NFQUEUE: no such target" >&2\nexit 1\n' >"$BATS_TEST_TMPDIR/bin/$name"
		chmod +x "$BATS_TEST_TMPDIR/bin/$name"
	done
	PATH=$BATS_TEST_TMPDIR/bin:$PATH
}

@test "says what is missing when packets cannot be queued" {
	in_server nft add table inet probe
	if in_server nft 'add chain inet probe c; add rule inet probe c queue num 1' 2>/dev/null; then
		skip "nftables can queue here"
	fi
	without_iptables
	refused_loader 1 'NFQUEUE: no such target' -m nfqueue eth0
	refused_loader 1 'CONFIG_NFT_QUEUE' -m nfqueue eth0
}

@test "says that nothing of it is permitted" {
	run ip netns exec "$SERVER" setpriv --bounding-set=-all --inh-caps=-all "$LOADER" -m filter eth0
	is_equal "$status" 1
	[[ $output == *"lacks CAP_NET_ADMIN"* ]]
	is_equal "${#lines[@]}" 1
}

@test "refuses what a method without a guard cannot do" {
	refused_loader 2 'has no guard' -m filter --rst=pass eth0
	refused_loader 2 'not one of' -m queue eth0
}

@test "nfqueue counts what a full queue had no room for" {
	start_loader -q -m nfqueue -p all
	kill -STOP "$LOADER_PID"
	in_client timeout 60 nmap -n -Pn -sS --max-retries 0 --min-rate 50000 --max-rtt-timeout 50ms \
		-p 1-12000 10.0.0.2 >/dev/null
	kill -CONT "$LOADER_PID"
	wait_for 10 has_counter lost_ring_full 1
	expect_event '.event == "lost" and .reason == "ring_full" and .count >= 1'
	wait_for 10 is_echoed 10.0.0.2
}
