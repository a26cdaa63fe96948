#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# Simultaneous open: hosts a and b, with a router between them that can be a stateful firewall.
load helpers

setup_file()
{
	HOST_A=$(add_namespace a)
	HOST_B=$(add_namespace b)
	ROUTER=$(add_namespace r)
	export HOST_A HOST_B ROUTER
	join "$HOST_A" eth0 "$ROUTER" eth0
	join "$HOST_B" eth0 "$ROUTER" eth1
	address "$HOST_A" eth0 10.1.0.2/24 fd01::2/64
	address "$HOST_B" eth0 10.2.0.2/24 fd02::2/64
	address "$ROUTER" eth0 10.1.0.1/24 fd01::1/64
	address "$ROUTER" eth1 10.2.0.1/24 fd02::1/64
	ip netns exec "$ROUTER" sysctl -qw net.ipv4.ip_forward=1 net.ipv6.conf.all.forwarding=1
	ip -n "$HOST_A" route add default via 10.1.0.1
	ip -n "$HOST_A" -6 route add default via fd01::1
	ip -n "$HOST_B" route add default via 10.2.0.1
	ip -n "$HOST_B" -6 route add default via fd02::1
	wait_for 5 is_running "$HOST_A" eth0
	wait_for 5 is_running "$HOST_B" eth0
}

teardown_file()
{
	remove_namespace "$HOST_A" "$HOST_B" "$ROUTER"
}

setup()
{
	V4=(10.1.0.2:5000 10.2.0.2:6000)
	V6=('[fd01::2]:5000' '[fd02::2]:6000')
}

teardown()
{
	local namespace pid
	for namespace in "$HOST_A" "$HOST_B"; do
		for pid in $(ip netns pids "$namespace"); do
			kill -KILL "$pid" 2>/dev/null || :
		done
	done
	in_router nft flush ruleset
}

in_a()
{
	ip netns exec "$HOST_A" "$@"
}

in_b()
{
	ip netns exec "$HOST_B" "$@"
}

in_router()
{
	ip netns exec "$ROUTER" "$@"
}

# start_meet HOST LOCAL REMOTE [OPTION...]: sends "from HOST" and reads to the end; pid in PID_HOST, output HOST.out.
start_meet()
{
	local host=$1 namespace=$HOST_A
	shift
	[ "$host" = a ] || namespace=$HOST_B
	ip netns exec "$namespace" "$NOLISTEN" meet "$@" >"$BATS_TEST_TMPDIR/$host.out" \
		2>"$BATS_TEST_TMPDIR/$host.err" <<<"from $host" 3>&- &
	printf -v "PID_$host" %s $!
}

# start_plain HOST LOCAL REMOTE: an ordinary program that calls connect() again and again.
start_plain()
{
	local host=$1 namespace=$HOST_A
	shift
	[ "$host" = a ] || namespace=$HOST_B
	ip netns exec "$namespace" python3 - "$host" "$@" >"$BATS_TEST_TMPDIR/$host.out" \
		2>"$BATS_TEST_TMPDIR/$host.err" 3>&- <<-'EOF' &
		import socket, sys, time
		def split(text):
		    host, port = text.rsplit(":", 1)
		    return host.strip("[]"), int(port)
		name, local, remote = sys.argv[1], split(sys.argv[2]), split(sys.argv[3])
		tries = 0
		deadline = time.monotonic() + 30
		while time.monotonic() < deadline:
		    peer = socket.socket(socket.AF_INET6 if ":" in local[0] else socket.AF_INET)
		    peer.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
		    peer.bind(local)
		    tries += 1
		    print("try", tries, file=sys.stderr, flush=True)
		    try:
		        peer.connect(remote)
		        break
		    except ConnectionError:
		        peer.close()
		        time.sleep(0.05)
		peer.sendall(b"from %s\n" % name.encode())
		peer.shutdown(socket.SHUT_WR)
		while data := peer.recv(4096):
		    sys.stdout.write(data.decode())
	EOF
	printf -v "PID_$host" %s $!
}

show()
{
	tail -n 5 "$BATS_TEST_TMPDIR"/[ab].{out,err} >&2
	return 1
}

# has_met: both sides ended well, each with the line of the other.
has_met()
{
	wait "$PID_a" && wait "$PID_b" || show || return
	is_equal "$(<"$BATS_TEST_TMPDIR/a.out")" "from b" || show || return
	is_equal "$(<"$BATS_TEST_TMPDIR/b.out")" "from a" || show
}

said()
{
	grep -q "$2" "$BATS_TEST_TMPDIR/$1.err"
}

is_later_than()
{
	((${EPOCHREALTIME/./} > $1))
}

# after MS COMMAND...: that much later. The offset is what is tested, so the condition is the clock.
after()
{
	wait_for 10 is_later_than $((${EPOCHREALTIME/./} + $1 * 1000))
	shift
	"$@"
}

# meets_at OFFSET_MS LOCAL REMOTE [OPTION...]: a first, then b first.
meets_at()
{
	local offset_ms=$1 a=$2 b=$3
	shift 3
	start_meet a "$a" "$b" "$@"
	after "$offset_ms" start_meet b "$b" "$a" "$@"
	has_met || return
	start_meet b "$b" "$a" "$@"
	after "$offset_ms" start_meet a "$a" "$b" "$@"
	has_met
}

# links_of PID: the ids of its BPF links. Debian 12's bpftool does not list TCX by interface.
links_of()
{
	grep -hs ^link_id "/proc/$1"/fdinfo/* | awk '{ print $2 }'
}

# is_guarding PID: both directions.
is_guarding()
{
	[ "$(links_of "$1" | wc -l)" = 2 ]
}

has_filters()
{
	[[ $(ip netns exec "$1" tc qdisc show) == *clsact* ]]
}

# firewall: what conntrack calls INVALID, and what is neither new nor known, does not pass.
firewall()
{
	in_router nft -f - <<-'EOF'
		table inet filter {
			chain forward {
				type filter hook forward priority 0; policy drop;
				ct state invalid counter drop
				ct state established counter accept
				ct state new tcp flags & (syn | ack) == syn counter accept
				meta l4proto icmpv6 accept
			}
		}
	EOF
}

# count_handshakes: what crosses the router, by side and kind.
count_handshakes()
{
	in_router nft -f - <<-'EOF'
		table inet count {
			counter syn_a { }
			counter syn_b { }
			counter syn_ack_a { }
			counter syn_ack_b { }
			chain forward {
				type filter hook forward priority -10;
				iifname eth0 tcp flags & (syn | ack) == syn counter name syn_a
				iifname eth1 tcp flags & (syn | ack) == syn counter name syn_b
				iifname eth0 tcp flags & (syn | ack) == (syn | ack) counter name syn_ack_a
				iifname eth1 tcp flags & (syn | ack) == (syn | ack) counter name syn_ack_b
			}
		}
	EOF
}

counted()
{
	in_router nft list counter inet count "$1" | sed -n 's/.*packets \([0-9]*\).*/\1/p'
}

# has_crossed: SYN and SYN-ACK from both sides.
has_crossed()
{
	local name
	for name in syn_a syn_b syn_ack_a syn_ack_b; do
		[ "$(counted "$name")" -ge 1 ] || {
			echo "no $name" >&2
			return 1
		}
	done
}

@test "meets when both start at once, IPv4 and IPv6" {
	meets_at 0 "${V4[@]}"
	meets_at 0 "${V6[@]}"
}

@test "meets when one starts 300 ms after the other, both orders" {
	meets_at 300 "${V4[@]}"
	meets_at 300 "${V6[@]}"
}

@test "meets when one starts 3 s after the other, both orders, IPv4" {
	meets_at 3000 "${V4[@]}"
}

@test "meets when one starts 3 s after the other, both orders, IPv6" {
	meets_at 3000 "${V6[@]}"
}

@test "meets a plain peer that calls connect() again and again, run on either side" {
	local one
	for one in V4 V6; do
		local -n ends=$one
		start_plain a "${ends[0]}" "${ends[1]}"
		wait_for 5 said a "try 3"
		start_meet b "${ends[1]}" "${ends[0]}"
		has_met
		start_plain b "${ends[1]}" "${ends[0]}"
		wait_for 5 said b "try 3"
		start_meet a "${ends[0]}" "${ends[1]}"
		has_met
	done
}

@test "meets a plain peer that starts later" {
	local one
	for one in V4 V6; do
		local -n ends=$one
		start_meet a "${ends[0]}" "${ends[1]}"
		wait_for 5 is_guarding "$PID_a"
		after 300 start_plain b "${ends[1]}" "${ends[0]}"
		has_met
		start_meet b "${ends[1]}" "${ends[0]}"
		wait_for 5 is_guarding "$PID_b"
		after 300 start_plain a "${ends[0]}" "${ends[1]}"
		has_met
	done
}

@test "crossed: SYN and SYN-ACK go both ways, IPv4 and IPv6" {
	local one
	for one in V4 V6; do
		local -n ends=$one
		in_router nft flush ruleset
		count_handshakes
		start_meet a "${ends[0]}" "${ends[1]}" --crossed
		start_meet b "${ends[1]}" "${ends[0]}" --crossed
		has_met
		said a "both SYNs crossed"
		said b "both SYNs crossed"
		has_crossed
	done
}

@test "crossed: one side is enough, with meet or a plain peer on the other" {
	count_handshakes
	start_meet a "${V4[@]}"
	wait_for 5 is_guarding "$PID_a"
	start_meet b "${V4[1]}" "${V4[0]}" --crossed
	has_met
	said b "both SYNs crossed"
	has_crossed
	in_router nft flush ruleset
	count_handshakes
	start_plain a "${V6[@]}"
	wait_for 5 said a "try 3"
	start_meet b "${V6[1]}" "${V6[0]}" --crossed
	has_met
	said b "both SYNs crossed"
	has_crossed
}

@test "meets through a firewall that drops what conntrack calls INVALID" {
	firewall
	meets_at 0 "${V4[@]}"
	meets_at 300 "${V6[@]}"
	meets_at 3000 "${V4[@]}"
	in_router nft list ruleset | grep -q 'established counter packets [1-9]'
}

@test "one-sided and crossed go through the firewall too" {
	firewall
	start_plain a "${V4[@]}"
	wait_for 5 said a "try 3"
	start_meet b "${V4[1]}" "${V4[0]}"
	has_met
	start_meet a "${V6[@]}"
	wait_for 5 is_guarding "$PID_a"
	start_plain b "${V6[1]}" "${V6[0]}"
	has_met
	start_meet a "${V4[@]}" --crossed
	after 300 start_meet b "${V4[1]}" "${V4[0]}" --crossed
	has_met
}

@test "meets over lo and link-local addresses" {
	PID_b=
	in_a "$NOLISTEN" meet 127.0.0.1:5000 127.0.0.2:5000 >"$BATS_TEST_TMPDIR/a.out" <<<"from a" 3>&- &
	PID_a=$!
	is_equal "$(in_a "$NOLISTEN" meet 127.0.0.2:5000 127.0.0.1:5000 <<<"from b")" "from a"
	wait "$PID_a"
	is_equal "$(<"$BATS_TEST_TMPDIR/a.out")" "from b"
	ip -n "$HOST_A" address add fe80::a/64 dev eth0 nodad
	ip -n "$ROUTER" address add fe80::b/64 dev eth0 nodad
	start_meet a '[fe80::a]:5000' '[fe80::b]:5000'
	wait_for 5 is_guarding "$PID_a"
	is_equal "$(in_router "$NOLISTEN" meet '[fe80::b]:5000' '[fe80::a]:5000' <<<"from b")" "from a"
	wait "$PID_a"
}

@test "carries a megabyte each way and half-closes" {
	head -c 1000000 /dev/urandom >"$BATS_TEST_TMPDIR/a.in"
	head -c 1000000 /dev/urandom >"$BATS_TEST_TMPDIR/b.in"
	in_a "$NOLISTEN" meet "${V4[@]}" <"$BATS_TEST_TMPDIR/a.in" >"$BATS_TEST_TMPDIR/a.out" 3>&- &
	in_b "$NOLISTEN" meet "${V4[1]}" "${V4[0]}" <"$BATS_TEST_TMPDIR/b.in" >"$BATS_TEST_TMPDIR/b.out"
	wait $!
	cmp "$BATS_TEST_TMPDIR/a.in" "$BATS_TEST_TMPDIR/b.out"
	cmp "$BATS_TEST_TMPDIR/b.in" "$BATS_TEST_TMPDIR/a.out"
}

@test "takes a closed standard input for one that has ended" {
	start_meet a "${V4[@]}"
	is_equal "$(in_b "$NOLISTEN" meet "${V4[1]}" "${V4[0]}" <&- 2>"$BATS_TEST_TMPDIR/b.err")" "from a"
	wait "$PID_a"
	is_equal "$(<"$BATS_TEST_TMPDIR/a.out")" ""
}

@test "can meet again at once, TIME-WAIT or not" {
	for _ in 1 2 3; do
		meets_at 0 "${V4[@]}"
	done
}

@test "hands the socket to a command, with its addresses in the environment" {
	start_meet a "${V6[@]}"
	in_b "$NOLISTEN" meet "${V6[1]}" "${V6[0]}" -- \
		sh -c 'echo "$PROTO $TCPLOCALIP $TCPLOCALPORT $TCPREMOTEIP $TCPREMOTEPORT"; read -r line; echo "got $line"' \
		2>"$BATS_TEST_TMPDIR/b.err"
	wait "$PID_a"
	is_equal "$(<"$BATS_TEST_TMPDIR/a.out")" "TCP fd02::2 6000 fd01::2 5000
got from a"
	start_meet a "${V4[@]}"
	run in_b "$NOLISTEN" meet "${V4[1]}" "${V4[0]}" -- /no/such/command
	[ "$status" = 1 ]
	[[ $output == *"cannot run '/no/such/command': No such file or directory"* ]]
}

@test "meets an ordinary listener and says so" {
	start_ready listener ip netns exec "$HOST_B" "$TOOLS/echo_server" 6000
	expect "its socket was waiting, or listens" in_a "$NOLISTEN" meet "${V4[@]}" <<<"hello"
	[ "$status" = 0 ]
	[[ $output == *hello* ]]
}

# hold_connection: two meets that stay connected; their standard inputs stay open.
hold_connection()
{
	mkfifo "$BATS_TEST_TMPDIR/open"
	in_a "$NOLISTEN" meet "${V4[@]}" <>"$BATS_TEST_TMPDIR/open" 2>"$BATS_TEST_TMPDIR/a.err" 3>&- &
	PID_a=$!
	in_b "$NOLISTEN" meet "${V4[1]}" "${V4[0]}" <>"$BATS_TEST_TMPDIR/open" 2>"$BATS_TEST_TMPDIR/b.err" 3>&- &
	PID_b=$!
	wait_for 10 said a "met 10.2"
	wait_for 10 said b "met 10.1"
}

@test "the guard is gone once connected" {
	hold_connection
	not is_guarding "$PID_a"
	is_equal "$(links_of "$PID_a")$(links_of "$PID_b")" ""
	not has_filters "$HOST_A"
	in_a ss -Htn state established | grep -q 10.2.0.2:6000
	stop "$PID_a"
	# Its FIN does not end b, which could still send: as with nc.
	stop "$PID_b"
}

@test "a reset of the connection ends it with status 1" {
	local status=0
	hold_connection
	in_a ss -K dst 10.2.0.2 >/dev/null
	wait_for 5 is_gone "$PID_b"
	wait "$PID_b" || status=$?
	is_equal "$status" 1
	said b "the connection ended"
}

@test "leaves nothing behind when killed or interrupted" {
	local signal link links before
	before=$(in_a bpftool net show)
	for signal in KILL TERM INT; do
		start_meet a "${V4[@]}" --crossed
		wait_for 5 is_guarding "$PID_a"
		links=$(links_of "$PID_a")
		kill "-$signal" "$PID_a"
		wait_for 5 is_gone "$PID_a"
		for link in $links; do
			wait_for 5 not bpftool link show id "$link"
		done
		not has_filters "$HOST_A"
		is_equal "$(in_a bpftool net show)" "$before"
		[ "$signal" = KILL ] || said a "did not meet 10.2.0.2:6000: interrupted"
	done
}

@test "other ports of the same hosts still get their RST" {
	start_meet a "${V4[@]}"
	wait_for 5 is_guarding "$PID_a"
	run in_b timeout 5 nc -v -z -w 3 -p 6000 10.1.0.2 5001
	[[ $output == *refused* ]]
	run in_b timeout 5 nc -v -z -w 3 -p 6001 10.1.0.2 5000
	[[ $output == *refused* ]]
}

# refused STATUS TEXT ARGUMENT...: one line that contains TEXT, and no filter is left.
refused()
{
	local expected=$1 text=$2
	shift 2
	run in_a timeout -k 1 15 "$NOLISTEN" meet "$@"
	if [ "$status" != "$expected" ] || [[ $output != *"$text"* ]] || [ ${#lines[@]} != 1 ]; then
		printf 'expected status %s and one line with "%s", got status %s:\n%s\n' \
			"$expected" "$text" "$status" "$output" >&2
		return 1
	fi
	not has_filters "$HOST_A"
}

@test "says what is wrong with its arguments, in one line and status 2" {
	refused 2 "usage: nolisten meet LOCAL:PORT REMOTE:PORT"
	refused 2 "usage: nolisten meet" 10.1.0.2:5000
	refused 2 "usage: nolisten meet" 10.1.0.2:5000 10.2.0.2:6000 cat
	refused 2 "usage: nolisten meet" 10.1.0.2:5000 10.2.0.2:6000 --
	refused 2 "'10.1.0.2': not ADDR:PORT" 10.1.0.2 10.2.0.2:6000
	refused 2 "'fd02::2:6000': not ADDR:PORT" '[fd01::2]:5000' fd02::2:6000
	refused 2 "'10.2.0.2:0': not ADDR:PORT" 10.1.0.2:5000 10.2.0.2:0
	refused 2 "'10.2.0.2:65536': not ADDR:PORT" 10.1.0.2:5000 10.2.0.2:65536
	refused 2 "'0.0.0.0:5000': not the address of one host" 0.0.0.0:5000 10.2.0.2:6000
	refused 2 "'[ff02::1]:6000': not the address of one host" '[fd01::2]:5000' '[ff02::1]:6000'
	refused 2 "'255.255.255.255:6000': not the address of one host" 10.1.0.2:5000 255.255.255.255:6000
	refused 2 "one end is IPv4 and the other IPv6" 10.1.0.2:5000 '[fd02::2]:6000'
	refused 2 "that is nolisten self" 10.1.0.2:5000 10.1.0.2:5000
	refused 2 "'0': not a number of seconds" "${V4[@]}" --timeout 0
	refused 2 "'1s': not a number of seconds" "${V4[@]}" --timeout=1s
	refused 2 "'--timeout': needs an argument" "${V4[@]}" --timeout
	refused 2 "'--frob': no such option" "${V4[@]}" --frob
}

@test "says why it did not meet, in one line and status 1" {
	refused 1 "did not meet 10.2.0.2:6000 within 1 s: refused: nobody connects from there" "${V4[@]}" --timeout 1
	refused 1 "did not meet [fd02::2]:6000 within 1 s: refused: nobody connects from there" "${V6[@]}" --timeout 1
	refused 1 "10.1.0.255:5000: cannot bind: a broadcast address" 10.1.0.255:5000 10.2.0.2:6000
	refused 1 "the remote end has a broadcast address" 10.1.0.2:5000 10.1.0.255:6000
	in_router nft 'add table inet silence; add chain inet silence f { type filter hook forward priority 0; policy drop; }'
	refused 1 "within 1 s: no answer at all" "${V4[@]}" --timeout 1
	refused 1 "within 5 s: no route to host" 10.1.0.2:5000 10.1.0.77:6000 --timeout 5
	in_router nft flush ruleset
	in_router nft 'add table inet wall; add chain inet wall f { type filter hook forward priority 0; }; add rule inet wall f meta l4proto tcp reject with icmpx port-unreachable'
	refused 1 "refused by a packet filter (ICMP)" "${V4[@]}" --timeout 1
}

@test "says why it cannot even begin, in one line and status 1" {
	refused 1 "10.9.9.9:5000: cannot bind: not an address of this host" 10.9.9.9:5000 10.2.0.2:6000
	start_ready listener ip netns exec "$HOST_A" "$TOOLS/echo_server" 5000
	refused 1 "10.1.0.2:5000: cannot bind: another socket has the port" "${V4[@]}"
	stop "$STARTED"
	ip -n "$HOST_A" -6 route del default
	refused 1 "no route to the remote address" "${V6[@]}"
	ip -n "$HOST_A" -6 route add default via fd01::1
	run in_a setpriv --reuid=65534 --clear-groups "$NOLISTEN" meet "${V4[@]}"
	[ "$status" = 1 ]
	[ ${#lines[@]} = 1 ]
	[[ $output == *"not permitted: bpf() needs root"* ]]
}

@test "says that the two ends are connected already" {
	hold_connection
	run in_a "$NOLISTEN" meet "${V4[@]}"
	[ "$status" = 1 ]
	[[ $output == *"10.1.0.2:5000 and 10.2.0.2:6000 are connected already"* ]]
}
