# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# shellcheck shell=bash
# Simultaneous open: hosts a and b, with a router between them that can be a stateful firewall.

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
	in_namespace "$ROUTER" sysctl -qw net.ipv4.ip_forward=1 net.ipv6.conf.all.forwarding=1
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
	# What a killed meet leaves there is told in its manual page.
	for namespace in "$HOST_A" "$HOST_B"; do
		! has_filters "$namespace" || ip netns exec "$namespace" tc qdisc del dev eth0 clsact
	done
}

in_a()
{
	in_namespace "$HOST_A" "$@"
}

in_b()
{
	in_namespace "$HOST_B" "$@"
}

in_router()
{
	in_namespace "$ROUTER" "$@"
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

# Linux before 6.6 has no links for TC; a filter on clsact stays when its process is killed.
has_tcx()
{
	bpftool btf dump file /sys/kernel/btf/vmlinux format raw | grep -q "'BPF_TCX_EGRESS'"
}

# is_guarding PID: both directions.
is_guarding()
{
	[ "$(links_of "$1" | wc -l)" = 2 ] || [ "$(filters_of "$1")" = 2 ]
}

# filters_of PID: how many filters of meet are on the interfaces of its namespace.
filters_of()
{
	nsenter -t "$1" -n bpftool net show | grep -c ' nol_meet_'
}

has_filters()
{
	[[ $(in_namespace "$1" tc qdisc show) == *clsact* ]]
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
