#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# Methods xdp and auto with real clients: the SYN is answered in XDP, the rest is as with the engine.
load helpers
load accept
load sockets

setup()
{
	lab_up
	unset IFACE LOADER_NAMESPACE
}

teardown()
{
	stop_leftover_loader
	lab_down ${SECOND:+"$SECOND"}
}

# No SYN reached user space: all were answered in XDP.
is_answered_by_xdp()
{
	is_equal "$(counter held_syn)" 0
	[ "$(counter cookie_sent)" -ge "$1" ]
}

@test "answers over IPv4 and IPv6 without a SYN in user space" {
	start_loader -m xdp
	is_equal "$(echo_back 10.0.0.2 34567 'hello, world')" 'hello, world'
	is_equal "$(echo_back fd00::2 34567 'hello, world')" 'hello, world'
	is_answered_by_xdp 2
	expect_event '.event == "established" and .method == "xdp" and (has("rtt_us") | not)'
	expect_event '.event == "closed" and .method == "xdp"'
}

@test "agrees with clients of every sort of options" {
	start_loader -m xdp
	for off in tcp_timestamps tcp_sack tcp_window_scaling; do
		in_client sysctl -qw "net.ipv4.$off=0"
		is_equal "$(echo_back 10.0.0.2 34567 "without $off")" "without $off"
		is_equal "$(echo_back fd00::2 34567 "without $off")" "without $off"
	done
	is_answered_by_xdp 6
}

# is_connected ADDRESS: at both ends.
is_connected()
{
	[ -n "$(in_client ss -Htn state established dst "$1")" ] && [ -n "$(in_server ss -Htn state established src "$1")" ]
}

# agrees_without_timestamps ADDRESS
agrees_without_timestamps()
{
	local address=$1 client
	start "client $address" ip netns exec "$CLIENT" nc -d "$address" 34567
	[[ $address != *:* ]] || address="[$address]"
	wait_for 5 is_connected "$address"
	client=$(in_client ss -Htnoi state established dst "$address")
	run in_server ss -Htnoi state established src "$address"
	[[ $output == *" sack "* && $output != *" ts "* ]]
	[[ $client =~ wscale:([0-9]+),([0-9]+) ]]
	[[ $output == *" wscale:${BASH_REMATCH[2]},${BASH_REMATCH[1]} "* ]]
	[[ ${BASH_REMATCH[1]} != 0 && ${BASH_REMATCH[2]} != 0 ]]
	stop "$STARTED"
}

@test "a client without timestamps loses nothing by a cookie" {
	in_client sysctl -qw net.ipv4.tcp_timestamps=0
	for method in auto xdp; do
		start_loader -m $method
		agrees_without_timestamps 10.0.0.2
		agrees_without_timestamps fd00::2
		is_answered_by_xdp 2
		expect_event '.event == "established" and .method == "xdp"'
		stop_loader
	done
}

# takes_a_burst METHOD
takes_a_burst()
{
	be_patient_on_eth0
	start_loader -m "$1" -q
	burst 6000 100
	is_answered_by_xdp 6000
}

@test "takes data in the final ACK 6,000 times without a retransmission (xdp)" {
	takes_a_burst xdp
}

@test "takes data in the final ACK 6,000 times without a retransmission (auto)" {
	takes_a_burst auto
}

@test "takes data as the first segment when the bare ACK is lost" {
	start_loader -m xdp
	in_client nft -f - <<-'END'
		table inet lose {
			chain out {
				type filter hook output priority 0;
				tcp dport 34567 tcp flags & (syn|psh|fin|rst|ack) == ack counter drop
			}
		}
	END
	run in_client "$TOOLS/burst_client" 10.0.0.2 34567 1 100 plain
	in_client nft delete table inet lose
	[[ $output == *"1 connections"* ]]
	is_answered_by_xdp 1
}

@test "forgets nothing and keeps nothing: half-open connections cost no entry" {
	start_loader -m xdp
	in_client nft -f - <<-'END'
		table inet lose {
			chain in {
				type filter hook input priority 0;
				tcp sport 34567 drop
			}
		}
	END
	run in_client nc -z -w 1 10.0.0.2 34567
	is_answered_by_xdp 1
	has_no_flows
	is_equal "$(counter held_cookie)" 0
}

@test "tells a forged cookie and answers it with a RST" {
	start_kernel_server 34567
	mkfifo "$BATS_TEST_TMPDIR/in"
	ip netns exec "$CLIENT" nc 10.0.0.2 34567 <>"$BATS_TEST_TMPDIR/in" >"$BATS_TEST_TMPDIR/out" 2>&1 3>&- &
	local client=$!
	echo hello >"$BATS_TEST_TMPDIR/in"
	wait_for 5 has_text "$BATS_TEST_TMPDIR/out" hello
	# The server's end goes without a word: what the client sends next belongs to nothing.
	in_server nft 'table inet lose { chain out { type filter hook output priority 0; tcp sport 34567 drop; }; }'
	in_server ss -K state established '( sport = :34567 )'
	stop "$KERNEL_SERVER"
	in_server nft delete table inet lose
	start_loader -m xdp
	echo again >"$BATS_TEST_TMPDIR/in"
	wait_for 5 is_gone "$client"
	has_counter cookie_forged 1
}

# guess_cookies: final ACKs that acknowledge nothing of ours, many, from a port that nobody has.
guess_cookies()
{
	start guess env PYTHONPATH="$REPO/tests/tools" PYTHONDONTWRITEBYTECODE=1 ip netns exec "$CLIENT" python3 -c '
from segments import *
wire = Wire(34567, 9)
while True:
    for i in range(100):
        wire.send(ACK, 1001, i * 4 + 1)
    time.sleep(0.005)'
}

@test "while somebody guesses cookies a client without timestamps gets an MSS only, and others lose nothing" {
	local method
	in_client nft 'add table t; add chain t o { type filter hook output priority 0; }
		add rule t o tcp sport 9 tcp flags rst drop'
	for method in xdp accept; do
		[ $method = xdp ] || can_accept || continue
		start_loader -q -m $method
		guess_cookies
		wait_for 15 has_text "$LOADER_LOG" 'somebody guesses cookies'
		in_client sysctl -qw net.ipv4.tcp_timestamps=0
		is_equal "$(agreed 10.0.0.2)" ""
		in_client sysctl -qw net.ipv4.tcp_timestamps=1
		is_equal "$(agreed 10.0.0.2)" "ts sack wscale"
		stop "$STARTED"
		stop_loader
	done
}

# agreed HOST: on what, as the client's socket has it.
agreed()
{
	local client words
	mkfifo "$BATS_TEST_TMPDIR/agreed.in" 2>/dev/null || :
	ip netns exec "$CLIENT" nc "$1" 34567 <>"$BATS_TEST_TMPDIR/agreed.in" >"$BATS_TEST_TMPDIR/agreed" 2>&1 3>&- &
	client=$!
	echo hello >"$BATS_TEST_TMPDIR/agreed.in"
	wait_for 5 has_text "$BATS_TEST_TMPDIR/agreed" hello
	words=$(in_client ss -Htnoi state established dport = :34567 | grep -oE '\b(ts|sack|wscale)\b' | xargs)
	stop "$client"
	rm "$BATS_TEST_TMPDIR/agreed"
	echo "$words"
}

# takes_a_cookie_of_another METHOD COUNTER: of what the cookie becomes.
takes_a_cookie_of_another()
{
	(umask 077 && echo 000102030405060708090a0b0c0d0e0f >"$BATS_TEST_TMPDIR/key")
	start_loader -m "$1" --cookie-key="$BATS_TEST_TMPDIR/key"
	# The final ACK is kept back until another loader has taken the place of the one that answered.
	in_client nft -f - <<-'END'
		table inet lose {
			chain out {
				type filter hook output priority 0;
				tcp dport 34567 tcp flags & (syn|rst|ack) == ack counter drop
			}
		}
	END
	ip netns exec "$CLIENT" nc -N -w 10 10.0.0.2 34567 <<<moved >"$BATS_TEST_TMPDIR/out" 3>&- &
	local client=$!
	wait_for 5 has_counter cookie_sent 1
	stop_loader KILL
	start_loader -m "$1" --cookie-key="$BATS_TEST_TMPDIR/key"
	in_client nft delete table inet lose
	wait_for 15 is_gone "$client"
	is_equal "$(<"$BATS_TEST_TMPDIR/out")" moved
	is_equal "$(counter cookie_sent)" 0
	is_equal "$(counter "$2")" 1
	stop_loader
}

@test "accepts a cookie that another machine with the same key has sent" {
	takes_a_cookie_of_another xdp held_cookie
}

@test "so does method accept" {
	needs_accept
	takes_a_cookie_of_another accept accept_child
}

@test "refuses a key file that others can read" {
	echo 000102030405060708090a0b0c0d0e0f >"$BATS_TEST_TMPDIR/key"
	chmod 644 "$BATS_TEST_TMPDIR/key"
	refused_loader 1 "others than its owner" --cookie-key="$BATS_TEST_TMPDIR/key" eth0
	refused_loader 1 "No such file" --cookie-key="$BATS_TEST_TMPDIR/none" eth0
}

@test "lets the engine answer where native replies do not arrive" {
	start_loader --xdp=native
	grep -q "engine answers until a neighbour confirms" "$LOADER_LOG"
	is_equal "$(echo_back 10.0.0.2 34567 hello)" hello
	is_equal "$(echo_back fd00::2 34567 hello)" hello
	is_equal "$(counter cookie_sent)" 0
	expect_event '.event == "established" and .method == "engine"'
}

@test "answers natively once a neighbour has confirmed that replies arrive" {
	# A native program of the peer's own makes XDP_TX work on veth; the loader's is one.
	IFACE=eth0 LOADER_NAMESPACE=$CLIENT start_loader --xdp=native -p 9
	local peer=$LOADER_PID
	start_loader --xdp=native
	wait_for 10 has_text "$LOADER_LOG" "neighbour has confirmed"
	wait_for 5 is_answering_natively
	stop "$peer"
}

is_answering_natively()
{
	local before
	before=$(counter cookie_sent)
	[ "$(echo_back 10.0.0.2 34567 hello)" = hello ] && has_counter cookie_sent $((before + 1))
}

@test "answers on lo" {
	IFACE=lo start_loader -m xdp -a 10.0.0.2,fd00::2
	is_equal "$(printf hello | in_server timeout 10 nc -N -w 5 10.0.0.2 34567)" hello
	is_equal "$(printf hello | in_server timeout 10 nc -N -w 5 fd00::2 34567)" hello
	IFACE=lo is_answered_by_xdp 2
}

# tells_at_least MS: the server's socket has this RTT or more, and less than a second more.
tells_at_least()
{
	local rtt
	rtt=$(in_server ss -Htnoi state established src 10.1.0.2 | sed -n 's/.* rtt:\([0-9]*\).*/\1/p')
	[ -n "$rtt" ] && [ "$rtt" -ge "$1" ] && [ "$rtt" -lt $(($1 + 1000)) ]
}

# Each of its packets takes 25 ms: not shorter by more than the clocks' own millisecond, however busy the machine.
@test "a cookie tells the socket its RTT to the millisecond" {
	start_ready tun "$TOOLS/tun_peer" "$SERVER" "$CLIENT" tun0 25
	local tun=$STARTED
	for namespace in "$SERVER" "$CLIENT"; do
		in_namespace "$namespace" sysctl -qw net.ipv6.conf.tun0.disable_ipv6=1
		ip -n "$namespace" link set tun0 up
	done
	address "$SERVER" tun0 10.1.0.2/24
	address "$CLIENT" tun0 10.1.0.1/24
	IFACE=tun0 start_loader -m xdp
	start client ip netns exec "$CLIENT" nc -d 10.1.0.2 34567
	wait_for 5 tells_at_least 49
	IFACE=tun0 is_answered_by_xdp 1
	stop "$STARTED"
	stop "$LOADER_PID"
	stop "$tun"
}

@test "answers on a device without link headers" {
	start_ready tun "$TOOLS/tun_peer" "$SERVER" "$CLIENT" tun0
	local tun=$STARTED
	for namespace in "$SERVER" "$CLIENT"; do
		ip -n "$namespace" link set tun0 up
	done
	address "$SERVER" tun0 10.1.0.2/24
	address "$CLIENT" tun0 10.1.0.1/24
	IFACE=tun0 start_loader -m xdp
	is_equal "$(echo_back 10.1.0.2 34567 hello)" hello
	IFACE=tun0 is_answered_by_xdp 1
	stop "$LOADER_PID"
	stop "$tun"
}

@test "never answers a port that a kernel socket owns" {
	start_kernel_server 34567
	start_loader -m xdp
	is_equal "$(echo_back 10.0.0.2 34567 hello)" hello
	is_equal "$(counter cookie_sent)" 0
	stop "$KERNEL_SERVER"
}
