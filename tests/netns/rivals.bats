#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# What has a claim to the same 4-tuple: sockets of this host, the connection before, a packet that looks replayed.
load helpers
load accept

setup()
{
	lab_up
	export PYTHONPATH=$REPO/tests/tools PYTHONDONTWRITEBYTECODE=1
}

teardown()
{
	lab_down
}

# The client's kernel knows nothing of segments sent by hand.
mute_client()
{
	in_client nft 'add table t; add chain t o { type filter hook output priority 0; }; add rule t o tcp flags rst drop'
}

# reuse HOST COUNT: connections to the banner one after the other, all from one port; prints what each got.
reuse()
{
	in_client python3 - "$1" "$2" <<-'EOF'
		import socket, sys
		family, kind, proto, _, peer = socket.getaddrinfo(sys.argv[1], 34567, type=socket.SOCK_STREAM)[0]
		for i in range(int(sys.argv[2])):
		    s = socket.socket(family, kind)
		    s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
		    s.settimeout(5)
		    s.bind(("", 40001))
		    s.connect(peer)
		    print(s.makefile().read())
		    s.close()
	EOF
}

# meets_a_rival METHOD
meets_a_rival()
{
	mute_client
	start_loader -m "$1"
	in_client python3 - "$SERVER" <<-'EOF'
		import socket, sys
		from segments import *
		wire = Wire(34567, 5000)
		wire.send(SYN, 1000)
		answer = wire.receive(5)
		assert answer.flags == SYN | ACK
		in_namespace(sys.argv[1])
		rival = socket.socket()
		rival.bind((REMOTE, 34567))
		rival.setblocking(False)
		assert rival.connect_ex((LOCAL, 5000)) == 115
		wire.send(ACK, 1001, answer.seq + 1)
		while not (answer := wire.receive(5)).flags & RST:
		    pass
		assert rival.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR) == 0
	EOF
}

@test "leaves to a program of this host the 4-tuple that it takes in mid-handshake" {
	meets_a_rival engine
	expect_event '.event == "reset" and .reason == "handoff_failed"'
}

@test "so does method accept, which has no socket by then" {
	needs_accept
	meets_a_rival accept
	is_equal "$(counter accept_child),$(counter accept_failed)" 0,0
}

@test "takes a client that resets and comes again from the same port at once (auto)" {
	takes_aborts auto
}

@test "takes a client that resets and comes again from the same port at once (engine)" {
	takes_aborts engine
}

@test "takes a client that resets and comes again from the same port at once (connect)" {
	takes_aborts connect
}

@test "takes a client that resets and comes again from the same port at once (accept)" {
	needs_accept
	takes_aborts accept
}

@test "replaces a TIME-WAIT socket of link-local addresses, which is bound to its interface" {
	in_client sysctl -qw net.ipv4.tcp_timestamps=0
	start_loader -m engine --service='banner:hello'
	wait_for 5 has_link_local
	is_equal "$(reuse "$(link_local)%eth0" 3 | grep -c hello)" 3
}

# never_goes_back METHOD
never_goes_back()
{
	start_loader -m "$1"
	in_client python3 - <<-'EOF'
		import socket
		from segments import *

		def tsval(segment):
		    options = segment.options
		    while options[0] != 8:
		        options = options[1 if options[0] == 1 else options[1]:]
		    return int.from_bytes(options[2:6], "big")

		for port in range(21000, 21040):
		    wire = Wire(34567, port)
		    client = socket.socket()
		    client.bind((LOCAL, port))
		    client.connect((REMOTE, 34567))
		    client.send(b"x")
		    assert client.recv(1) == b"x"
		    first = wire.receive(5)
		    assert first.flags & SYN
		    while not first.data:
		        then = wire.receive(5)
		        assert (tsval(then) - tsval(first)) % 2**32 < 2**31, (tsval(first), tsval(then))
		        first = then
		    client.close()
	EOF
}

@test "never sends a TSval below that of its SYN-ACK (engine)" {
	never_goes_back engine
}

@test "never sends a TSval below that of its SYN-ACK (xdp)" {
	never_goes_back xdp
}

@test "never sends a TSval below that of its SYN-ACK (accept)" {
	needs_accept
	never_goes_back accept
}

@test "tells the end of every connection of a port that is used again at once" {
	start_loader -m engine --service='banner:hello'
	is_equal "$(reuse 10.0.0.2 200 | grep -c hello)" 200
	wait_for 5 has_told_all 200
	is_equal "$(events .event -r | grep -v syn | paste -sd ' ' - | sed 's/established handed_off closed *//g')" ""
	has_one_id_a_flow
}

# Each connection is closed before the next one is established.
has_told_all()
{
	[ "$(count_events closed)" = "$1" ]
}
