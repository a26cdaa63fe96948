#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# Methods xdp and auto with real clients: the SYN is answered in XDP, the rest is as with the engine.
load helpers

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

@test "auto leaves a client without timestamps to the engine" {
	start_loader
	in_client sysctl -qw net.ipv4.tcp_timestamps=0
	is_equal "$(echo_back 10.0.0.2 34567 hello)" hello
	is_equal "$(counter held_syn)" 1
	expect_event '.event == "syn" and .method == "engine"'
	expect_event '.event == "established" and .method == "engine" and .rtt_us >= 0'
	in_client sysctl -qw net.ipv4.tcp_timestamps=1
	is_equal "$(echo_back 10.0.0.2 34567 hello)" hello
	is_equal "$(counter held_syn)" 1
	expect_event '.event == "established" and .method == "xdp"'
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

@test "accepts a cookie that another machine with the same key has sent" {
	(umask 077 && echo 000102030405060708090a0b0c0d0e0f >"$BATS_TEST_TMPDIR/key")
	start_loader -m xdp --cookie-key="$BATS_TEST_TMPDIR/key"
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
	start_loader -m xdp --cookie-key="$BATS_TEST_TMPDIR/key"
	in_client nft delete table inet lose
	wait_for 15 is_gone "$client"
	is_equal "$(<"$BATS_TEST_TMPDIR/out")" moved
	is_equal "$(counter cookie_sent)" 0
	is_equal "$(counter held_cookie)" 1
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
