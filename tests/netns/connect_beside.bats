#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# nolisten connect on a host where others are: loaders, firewalls, sockets; how it ends, and what it leaves.
load helpers
load connect_command
load accept

setup_file()
{
	lab_up
	start_kernel_server 7
	start_kernel_server 2000 "220 ready"
	wait_for 5 in_client nc -z 10.0.0.2 7
}

teardown_file()
{
	lab_down
}

setup()
{
	LOADER_PID=
}

teardown()
{
	stop_leftover_loader
	in_client nft flush ruleset
	in_server nft flush ruleset
}

# ends_with STATUS COMMAND...: for what it runs as COMMAND.
ends_with()
{
	local expected=$1
	shift
	status=0
	output=$(connect 10.0.0.2 7 -- "$@" 2>&1) || status=$?
	is_equal "$status" "$expected"
}

@test "COMMAND has the connection as its standard input and output, and its exit status is ours" {
	ends_with 7 sh -c 'echo hello; read -r line; [ "$line" = hello ] && exit 7'
	ends_with 0 sh -c '[ "$PROTO $TCPREMOTEIP $TCPREMOTEPORT $TCPLOCALIP" = "TCP 10.0.0.2 7 10.0.0.1" ]'
	ends_with 137 sh -c 'kill -KILL $$'
	ends_with 127 /no/such/command
	is_equal "$output" "nolisten: connect: cannot run '/no/such/command': No such file or directory"
	ends_with 126 /etc/passwd
	is_equal "$output" "nolisten: connect: cannot run '/etc/passwd': Permission denied"
	# Nothing of ours is open in it but these two.
	ends_with 0 python3 -c '
import os, stat, sys
sockets = [fd for fd in range(256) if os.path.exists("/proc/self/fd/%d" % fd) and stat.S_ISSOCK(os.fstat(fd).st_mode)]
sys.exit(sockets != [0, 1])'
}

@test "works though its standard input and output are closed" {
	is_equal "$(connect 10.0.0.2 2000 <&- 2>&1)" "220 ready"
	connect -z 10.0.0.2 7 <&- >&- 2>&-
}

# waits: its SYN has left, and it waits for an answer.
waits()
{
	[ "$(in_server nft -j list counter inet t syns | jq '.nftables[1].counter.packets')" -ge 1 ]
}

swallow_syns()
{
	in_server nft flush ruleset
	in_server nft -f - <<<'table inet t { counter syns { }; chain c { type filter hook prerouting priority 0; tcp dport 9 counter name syns drop; }; }'
}

# start_waiting [ARGUMENT...]: a connect that nobody answers; its pid is in $WAITING.
start_waiting()
{
	swallow_syns
	start waiting ip netns exec "$CLIENT" "$NOLISTEN" connect "$@"
	WAITING=$STARTED
	wait_for 5 waits
}

@test "SIGINT and SIGTERM end it as they end anybody; after SIGKILL nothing is left" {
	local signal status
	for signal in INT TERM KILL; do
		start_waiting -p 4100 10.0.0.2 9
		expect 10.0.0.1:4100 in_client ss -Htn
		kill -$signal "$WAITING"
		wait_for 5 is_gone "$WAITING"
		status=0
		wait "$WAITING" || status=$?
		is_equal "$status" $((128 + $(kill -l $signal)))
		is_equal "$(<"$BATS_FILE_TMPDIR/waiting.err")" ""
		wait_for 5 is_untouched
	done
	# The same ends again, at once.
	in_server nft flush ruleset
	says 1 "Connection refused" -p 4100 10.0.0.2 9
}

@test "who stands in for the connection is deaf: neither end is reset by the kernel meanwhile" {
	local before flags
	start_waiting -p 4101 10.0.0.2 9
	before=$(snmp "$CLIENT" TcpOutRsts)
	# What fits nothing, from the right ends: a bare ACK, data, a RST of something else.
	for flags in A PA R F; do
		in_server python3 "$REPO/tests/tools/raw_sender.py" -d x 10.0.0.2 9 10.0.0.1 4101 $flags 5
	done
	[ -d "/proc/$WAITING" ]
	is_equal "$(snmp "$CLIENT" TcpOutRsts)" "$before"
	stop "$WAITING"
}

@test "both ends may call at the same time, and data comes right behind" {
	local here=("10.0.0.1 4200 10.0.0.2 4201" "fd00::1 4202 fd00::2 4203") ends
	for ends in "${here[@]}"; do
		read -r source port remote remote_port <<<"$ends"
		# The first SYN gets no RST, since there is nobody yet.
		in_server nft flush ruleset
		in_server nft -f - <<-EOF2
			table inet t { counter syns { }; chain c { type filter hook prerouting priority 0;
				tcp dport $remote_port tcp flags syn / syn,ack counter name syns drop; }; }
		EOF2
		echo "from client" >"$BATS_TEST_TMPDIR/typed"
		in_client timeout $((20 * PATIENCE)) "$NOLISTEN" connect -v -p "$port" "$remote" "$remote_port" <"$BATS_TEST_TMPDIR/typed" \
			>"$BATS_TEST_TMPDIR/out" 2>"$BATS_TEST_TMPDIR/err" 3>&- &
		wait_for 5 waits
		is_equal "$(in_server timeout 10 "$NOLISTEN" connect -p "$remote_port" "$source" "$port" <<<"from server")" "from client"
		wait $!
		is_equal "$(<"$BATS_TEST_TMPDIR/out")" "from server"
		has_text "$BATS_TEST_TMPDIR/err" "by simultaneous open"
	done
}

@test "calls a kernel that calls at the same time" {
	in_server nft -f - <<-'EOF2'
		table inet t { counter syns { }; chain c { type filter hook prerouting priority 0;
			tcp dport 4301 tcp flags syn / syn,ack counter name syns drop; }; }
	EOF2
	in_client timeout $((20 * PATIENCE)) "$NOLISTEN" connect -p 4300 10.0.0.2 4301 <<<"from client" >"$BATS_TEST_TMPDIR/out" 3>&- &
	wait_for 5 waits
	is_equal "$(in_server timeout 10 nc -N -p 4301 10.0.0.1 4300 <<<"from server")" "from client"
	wait $!
	is_equal "$(<"$BATS_TEST_TMPDIR/out")" "from server"
}

# beside_loader METHOD: out through an interface whose every port a loader answers.
beside_loader()
{
	local i
	LOADER_NAMESPACE=$CLIENT start_loader -q -m "$1" -p all -s banner:loader
	for i in {1..4}; do
		is_equal "$(connect 10.0.0.2 2000 </dev/null)" "220 ready" || return
		is_equal "$(connect fd00::2 2000 </dev/null)" "220 ready" || return
	done
	says 1 "Connection refused" 10.0.0.2 9
	# And in, as ever.
	is_equal "$(in_server timeout 5 nc -d 10.0.0.1 5000)" loader
	is_equal "$(in_client "$NOLISTEN" status -j eth0 | jq '(.counters + .engine) | (.no_flow // 0) + (.stray_answered // 0)')" 0
	stop_loader
}

@test "a loader may answer every port of the same interface: auto, connect" {
	beside_loader auto
	beside_loader connect
}

@test "a loader may answer every port of the same interface: accept" {
	needs_accept
	beside_loader accept
}

@test "a loader may answer every port of the same interface: filter" {
	beside_loader filter
}

@test "a guard of raw sockets leaves it alone" {
	is_equal "$(in_client timeout 20 "$NOLISTEN" guard eth0 -q -- "$NOLISTEN" connect 10.0.0.2 2000 </dev/null)" "220 ready"
}

@test "goes through a stateful firewall, and says when one stops it" {
	in_client nft -f - <<-'EOF2'
		table inet t {
			chain in { type filter hook input priority 0; policy drop; ct state established,related accept; meta l4proto ipv6-icmp accept; iif lo accept; }
			chain out { type filter hook output priority 0; tcp dport 9 drop; ct state new accept; }
		}
	EOF2
	is_equal "$(connect 10.0.0.2 2000 </dev/null)" "220 ready"
	is_equal "$(connect fd00::2 2000 </dev/null)" "220 ready"
	says 1 "failed: Operation not permitted (a firewall's rule" 10.0.0.2 9
}

@test "source: an address of the host, or of a prefix that is routed to it" {
	ip -n "$CLIENT" route add local 10.9.0.0/24 dev lo
	ip -n "$CLIENT" -6 route add local fd09::/64 dev lo
	ip -n "$SERVER" route add 10.9.0.0/24 via 10.0.0.1
	ip -n "$SERVER" -6 route add fd09::/64 via fd00::1
	expect "From 10.9.0.5:4400" connect -zv -s 10.9.0.5:4400 10.0.0.2 7
	expect "From 10.9.0.6:" connect -zv -s 10.9.0.6 10.0.0.2 7
	expect "From [fd09::5]:4401" connect -zv -s '[fd09::5]:4401' fd00::2 7
	is_equal "$(connect -s fd09::7 fd00::2 2000 </dev/null)" "220 ready"
	expect "From 10.0.0.1:4402" connect -zv -p 4402 10.0.0.2 7
	says 1 "the source is not an address of this host" -s 10.8.0.1 10.0.0.2 7
	says 1 "has no address of the source's family" -s fd00::1 10.0.0.2 7
}

@test "a port or a connection that a socket has is left to it" {
	start holder ip netns exec "$CLIENT" nc -l 4500
	wait_for 5 in_client sh -c "ss -Htln | grep -q :4500"
	says 1 "another socket has the source port" -p 4500 10.0.0.2 7
	stop "$STARTED"
	start holder ip netns exec "$CLIENT" nc -d -p 4501 10.0.0.2 7
	wait_for 5 in_client sh -c "ss -Htn | grep -q :4501"
	run connect -z -p 4501 10.0.0.2 7
	[ "$status" = 1 ]
	[[ $output == *"another socket has the source port"* || $output == *"connected already"* ]]
	expect "ESTAB" in_client ss -Htn sport 4501
	stop "$STARTED"
	# In TIME-WAIT, and without timestamps: of these ends it is in the way, of others it is not.
	printf x | connect -p 4502 -o mss 10.0.0.2 7 >/dev/null
	says 1 "connected already, or were a minute ago" -p 4502 10.0.0.2 7
	connect -z -p 4502 10.0.0.2 2000
}

@test "leaves by the interface that is asked for" {
	join "$CLIENT" eth1 "$SERVER" eth1
	address "$CLIENT" eth1 10.5.0.11/24
	address "$SERVER" eth1 10.5.0.2/24
	ip -n "$CLIENT" route add 10.0.0.0/24 dev eth1 metric 500
	start capture ip netns exec "$SERVER" tcpdump -n --immediate-mode -U -i eth1 -w "$BATS_TEST_TMPDIR/capture" "tcp[tcpflags] == tcp-syn"
	wait_for 5 has_text "$BATS_FILE_TMPDIR/capture.err" "listening on"
	is_equal "$(connect -i eth1 10.0.0.2 2000 </dev/null)" "220 ready"
	is_equal "$(in_server timeout 10 "$NOLISTEN" connect -i lo 127.0.0.1 2000 </dev/null)" "220 ready"
	is_equal "$(in_server timeout 10 "$NOLISTEN" connect ::1 2000 </dev/null)" "220 ready"
	stop "$STARTED"
	expect "10.5.0.11." tcpdump -n -r "$BATS_TEST_TMPDIR/capture"
	ip -n "$CLIENT" link del eth1
}

@test "says what it lacks when it is short of descriptors" {
	local limit
	for limit in 8 10 12 14; do
		run in_client prlimit --nofile=$limit "$NOLISTEN" connect -z 10.0.0.2 7
		[ "$status" = 1 ] && [ ${#lines[@]} = 1 ] && [[ $output == *"Too many open files" ]] || {
			echo "$limit: status $status, $output"
			return 1
		}
	done
}

@test "works where nobody is root: in a user namespace" {
	run timeout $((10 * PATIENCE)) setpriv --reuid=65534 --regid=65534 --clear-groups --inh-caps=-all unshare -Urn sh -c '
		ip link set lo up || exit 77
		echo hello | timeout 9 nc -N -l 7000 &
		until ss -Htln | grep -q :7000; do :; done
		"$0" connect 127.0.0.1 7000' "$NOLISTEN" </dev/null
	[ "$status" != 77 ] || skip "no user namespaces here"
	is_equal "$status,$output" "0,hello"
}

@test "needs two capabilities, no more, and says so" {
	run in_client setpriv --reuid=65534 --regid=65534 --clear-groups --inh-caps=+net_raw,+net_admin \
		--ambient-caps=+net_raw,+net_admin "$NOLISTEN" connect 10.0.0.2 2000 </dev/null
	is_equal "$status,$output" "0,220 ready"
	run in_client setpriv --reuid=65534 --regid=65534 --clear-groups --inh-caps=-all "$NOLISTEN" connect 10.0.0.2 2000
	is_equal "$status,$output" "1,nolisten: cannot open a packet socket: Operation not permitted"
}

@test "a mistake is one line, and nothing happens" {
	says 2 "usage: nolisten connect"
	says 2 "usage: nolisten connect" 10.0.0.2
	says 2 "usage: nolisten connect" 10.0.0.2 7 --
	says 2 "'8': one too many" 10.0.0.2 7 8
	says 2 "--mss: '0': a number from 1 to 65535 is needed" --mss=0 10.0.0.2 7
	says 2 "--window: '65536'" --window=65536 10.0.0.2 7
	says 2 "--wscale: '15'" --wscale=15 10.0.0.2 7
	says 2 "--ttl: '256'" --ttl=256 10.0.0.2 7
	says 2 "--options: 'mss,foo': not a list of mss, sok, ts, nop, ws, eol, nor none" -o mss,foo 10.0.0.2 7
	says 2 "--options: 'ws,ws': mss, sok, ts and ws can be there once" -o ws,ws 10.0.0.2 7
	says 2 "behind eol there is nothing but eol" -o eol,mss 10.0.0.2 7
	says 2 "options have room for 40 bytes" -o "ts$(printf ',nop%.0s' {1..31})" 10.0.0.2 7
	says 2 "--mss: --options has no mss" -o ts --mss=1000 10.0.0.2 7
	says 2 "--wscale: --options has no ws" -o none --wscale=1 10.0.0.2 7
	says 2 "--source: '10.0.0': not ADDR or ADDR:PORT" -s 10.0.0 10.0.0.2 7
	says 2 "--source: '224.0.0.1': not the address of one host" -s 224.0.0.1 10.0.0.2 7
	says 2 "--source: that is an IPv4 address" -6 -s 10.0.0.1 fd00::2 7
	says 2 "--source-port: --source has a port already" -p 1 -s 10.0.0.1:2 10.0.0.2 7
	says 2 "--interface: 'eth9': no such interface" -i eth9 10.0.0.2 7
	says 2 "'65616': a port from 1 to 65535 or the name of a service is needed" 10.0.0.2 65616
	says 2 "'0': a port from 1" 10.0.0.2 0
	says 2 "either --ipv4 or --ipv6" -46 10.0.0.2 7
	says 2 "--zero: nothing is done with the connection" -z 10.0.0.2 7 -- true
	is_untouched
}
