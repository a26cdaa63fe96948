#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# What --dry-run finds in the way is there: the loader meets it, and the way out that is told leads out.
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

# Each test begins with no rules, and no loader.
teardown()
{
	stop_leftover_loader
	in_server nft flush ruleset
	in_server sysctl -qw net.ipv4.tcp_timestamps=1 "net.ipv4.conf.all.rp_filter=0" "net.ipv4.conf.$IFACE.rp_filter=0"
	[ ! -e "/proc/$BASHPID/net/nf_conntrack" ] || in_server sysctl -qw net.netfilter.nf_conntrack_tcp_loose=1
	remove_namespace ${CONTAINER:+"$CONTAINER"}
	CONTAINER=
}

# starts [OPTION...]
starts()
{
	start_loader -q "$@"
}

# had_to_repeat: the client, to be served.
had_to_repeat()
{
	local before
	before=$(snmp "$CLIENT" TcpRetransSegs)
	serves && [ "$(snmp "$CLIENT" TcpRetransSegs)" != "$before" ]
}

# leads_out CONDITION [OPTION...]: which is true before, and not once what was told has been run: then connections work.
leads_out()
{
	local condition=$1 way=$WAY_OUT
	shift
	starts "$@"
	"$condition"
	in_server sh -c "$way"
	wait_for 5 serves
	stop_loader
	would_run "$@"
	has_no_finding
}

@test "policy drop without an accept of the port" {
	in_server nft 'add table ip t; add chain ip t in { type filter hook input priority 0; policy drop; }; add rule ip t in tcp dport 22 accept'
	would_run -p 22
	has_no_finding
	would_run
	has_finding BLOCKS firewall "port 34567 (IPv4): what completes a handshake will be dropped by nft: table ip t chain in: policy drop; then the client believes that it is connected, and what it sends does not arrive"
	is_equal "$WAY_OUT" "nft insert rule ip t in tcp dport { 34567 } accept"
	leads_out serves_not
}

@test "policy drop, but for connections that are known: the socket makes them known" {
	in_server nft -f - <<-'EOF'
		table inet strict {
			chain in {
				type filter hook input priority 0; policy drop
				ct state established,related accept
				meta l4proto icmpv6 accept
				tcp dport 22 accept
			}
		}
	EOF
	would_run -p 22
	has_no_finding
	would_run
	has_finding may firewall "port 34567: what completes a handshake will be dropped by nft: table inet strict chain in: policy drop; then the connection stands still until its socket has sent something"
	is_equal "$WAY_OUT" "nft insert rule inet strict in tcp dport { 34567 } accept"
	leads_out had_to_repeat
	can_accept || return 0
	in_server nft delete rule inet strict in handle "$(in_server nft -a list chain inet strict in | sed -n 's/.*34567.*handle //p')"
	would_run -m accept
	has_finding BLOCKS firewall "what it sends does not arrive"
	leads_out serves_not -m accept
}

@test "a rule that takes no connection up in its middle" {
	in_server iptables -A INPUT -p tcp ! --syn -m conntrack --ctstate NEW -j DROP
	would_run
	has_finding may firewall "port 34567 (IPv4): what completes a handshake will be dropped by iptables: table filter chain INPUT: -A INPUT -p tcp"
	is_equal "$WAY_OUT" "iptables -t filter -I INPUT -p tcp -m multiport --dports 34567 -j ACCEPT"
	leads_out had_to_repeat
	# A socket of the kernel's own has sent a SYN.
	in_server iptables -D INPUT 1
	would_run
	has_finding may firewall "-m conntrack --ctstate NEW -j DROP"
	would_run -m connect
	has_no_finding
	starts -m connect
	serves
}

@test "a table of old iptables that is not there is not made by asking" {
	would_run
	run in_server cat /proc/net/ip_tables_names
	[[ $output != *filter* && $output != *mangle* ]]
}

@test "what is invalid is dropped, and connection tracking takes nothing up" {
	in_server nft 'add table ip t; add chain ip t in { type filter hook input priority 0; }; add rule ip t in ct state invalid drop'
	would_run
	has_no_finding
	in_server sysctl -qw net.netfilter.nf_conntrack_tcp_loose=0
	would_run
	has_finding BLOCKS firewall "will be dropped by nft: table ip t chain in: ct state invalid drop"
	has_finding may conntrack "nf_conntrack_tcp_loose is 0"
	is_equal "$WAY_OUT" "sysctl net.netfilter.nf_conntrack_tcp_loose=1"
	leads_out serves_not
}

@test "SYN-ACKs of the engine are invalid to connection tracking" {
	in_server nft 'add table inet t; add chain inet t out { type filter hook output priority 0; }; add rule inet t out ct state invalid drop'
	would_run
	has_finding may firewall "SYN-ACKs of the engine will be dropped by nft: table inet t chain out: ct state invalid drop; then SYNs that no cookie can answer get no answer"
	starts
	serves
	stop_loader
	would_run -m engine
	has_finding BLOCKS firewall "SYN-ACKs of the engine will be dropped by nft: table inet t chain out"
	is_equal "$WAY_OUT" "nft insert rule inet t out meta mark 0x6e6f6c00 accept"
	leads_out serves_not -m engine
	if can_accept; then
		in_server nft flush chain inet t out
		in_server nft add rule inet t out ct state invalid drop
		would_run -m accept
		has_no_finding
	fi
}

@test "nothing leaves, or nothing comes in on the interface" {
	in_server nft 'add table inet t; add chain inet t out { type filter hook output priority 0; policy drop; }; add rule inet t out tcp sport 22 accept'
	would_run -m xdp
	has_finding BLOCKS firewall "what connections send will be dropped by nft: table inet t chain out: policy drop"
	is_equal "$WAY_OUT" "nft insert rule inet t out tcp sport { 34567 } accept"
	leads_out serves_not -m xdp
	in_server nft flush ruleset
	in_server nft "add table netdev n; add chain netdev n in { type filter hook ingress device \"$IFACE\" priority 0; }; add rule netdev n in tcp dport 34567 drop"
	would_run
	has_finding BLOCKS firewall "will be dropped by nft: table netdev n chain in: tcp dport 34567 drop"
}

@test "a way that lets some remotes in is not called a wall" {
	in_server nft 'add table ip t; add chain ip t in { type filter hook input priority 0; policy drop; }; add rule ip t in ip saddr 10.0.0.0/24 tcp dport 34567 accept'
	would_run
	has_finding may firewall "port 34567 (IPv4): what completes a handshake may be dropped by nft: table ip t chain in: policy drop"
	starts
	serves
}

@test "NAT beside connection tracking, for method accept" {
	needs_accept
	in_server nft 'add table ip t; add chain ip t pre { type nat hook prerouting priority 0; }'
	would_run -m accept
	has_no_finding
	in_server nft 'add rule ip t pre tcp dport 22 redirect to :2222'
	would_run
	has_no_finding
	would_run -m accept
	has_finding BLOCKS nat "port 34567 (IPv4): connection tracking and NAT are on"
	WAY_OUT=${WAY_OUT%, or method auto}
	leads_out serves_not -m accept
}

# A container behind the server whose port is published.
container_up()
{
	CONTAINER=$(add_namespace n)
	join "$SERVER" con0 "$CONTAINER" eth0
	address "$SERVER" con0 10.9.0.1/24
	address "$CONTAINER" eth0 10.9.0.2/24
	ip -n "$CONTAINER" route add default via 10.9.0.1
	in_server sysctl -qw net.ipv4.ip_forward=1
	start_ready contained nsenter --net="/run/netns/$CONTAINER" "$TOOLS/echo_server" 80
}

is_disconnected()
{
	[ -z "$(in_client ss -Htn state established dport = ":$1")" ]
}

@test "a container's port by Docker's rules: the container gets none, and loses those that it has" {
	container_up
	in_server iptables -t nat -N DOCKER
	in_server iptables -t nat -A PREROUTING -m addrtype --dst-type LOCAL -j DOCKER
	in_server iptables -t nat -A DOCKER ! -i docker0 -p tcp -m tcp --dport 8080 -j DNAT --to-destination 10.9.0.2:80
	serves 8080
	would_run -p 8000-8100
	has_finding BLOCKS nat "port 8080: connections are sent on to 10.9.0.2:80 by Docker (iptables: table nat chain DOCKER: "
	grep -q 'nolisten answers them before that: it gets none, and loses those that it has' <<<"$output"
	is_equal "$WAY_OUT" "leave port 8080 out of --port"
	mkfifo "$BATS_TEST_TMPDIR/in"
	exec {TALK}<>"$BATS_TEST_TMPDIR/in"
	nsenter --net="/run/netns/$CLIENT" nc 10.0.0.2 8080 <"$BATS_TEST_TMPDIR/in" >"$BATS_TEST_TMPDIR/out" 2>&1 3>&- &
	local client=$!
	echo before >&"$TALK"
	wait_for 5 has_text "$BATS_TEST_TMPDIR/out" before
	starts -p 8080 --service=banner:ours
	# What is replayed is sent on to the container, and its TTL ends it: nc takes the ICMP message, if that comes soon, for a connect() that has failed.
	is_equal "$(in_client timeout $((5 * PATIENCE)) bash -c 'exec 3<>/dev/tcp/10.0.0.2/8080 && cat <&3')" ours
	not is_disconnected 8080
	echo after >&"$TALK"
	wait_for 5 is_disconnected 8080
	exec {TALK}>&-
	stop "$client"
	stop_loader
	starts -p 8000-8079,8081-8100
	serves 8080
}

@test "ports of containers by other rules: maps, redirections, a certain address" {
	in_server nft -f - <<-'EOF'
		table inet netavark {
			map services {
				type ipv4_addr . inet_proto . inet_service : verdict
				elements = { 10.0.0.2 . tcp . 443 : goto pod, 10.0.0.77 . tcp . 444 : goto pod }
			}
			chain pod {
				meta l4proto tcp dnat ip to 10.9.0.1:8443
			}
			chain pre {
				type nat hook prerouting priority -100
				ip daddr . meta l4proto . th dport vmap @services
				tcp dport 445 redirect to :22
				tcp dport vmap { 446 : goto pod, 447-450 : accept }
				ip daddr 10.0.0.77 tcp dport 451 redirect to :22
			}
		}
	EOF
	would_run -p 440-460
	has_finding BLOCKS nat "ports 443,446: connections are sent on to 10.9.0.1:8443 by Podman (nft: table inet netavark chain pod: l4proto tcp dnat to 10.9.0.1:8443)"
	has_finding BLOCKS nat "port 445: connections are sent on to :22 by Podman"
	is_equal "$(grep -c ' nat: ' <<<"$output")" 2
	would_run -m nfqueue -p 445
	has_finding may nat "it gets them, and they are not answered"
	would_run -a fd00::2 -p 443
	has_no_finding
}

@test "the strict filter of the reverse path, and a way back elsewhere" {
	in_server sysctl -qw "net.ipv4.conf.$IFACE.rp_filter=1"
	would_run
	has_finding may rp_filter "there is no default route: what completes the handshake of a remote whose way back does not leave by $IFACE is dropped"
	in_client ip address add 10.77.0.1/32 dev eth0
	starts --service=discard
	run in_client timeout 3 nc -v -s 10.77.0.1 -w 2 -z 10.0.0.2 34567
	is_equal "$(counter handed_off)" 0 || is_equal "$(snmp "$SERVER" IPReversePathFilter)" 1
	stop_loader
	in_server ip route add default via 10.0.0.1
	would_run
	has_no_finding
	in_server ip route del default
	in_client ip address del 10.77.0.1/32 dev eth0
}

@test "a filter and a TCX program of somebody else" {
	in_server tc qdisc add dev "$IFACE" clsact
	in_server tc filter add dev "$IFACE" egress bpf da obj "$(foreign_program classifier -1)" sec classifier
	would_run
	has_finding may tc "foreign_program (id "
	grep -q 'attached (tc egress) and runs behind TCX programs' <<<"$output"
	starts
	serves
	stop_loader
	in_server tc qdisc del dev "$IFACE" clsact
	in_server "$NOLISTEN" guard "$IFACE" -p 50000 -- true
	would_run
	has_no_finding
}

@test "an interface that is down, has no address, or is a port of a bridge" {
	in_server ip link add lone0 type dummy 2>/dev/null || in_server ip link add lone0 type veth peer name lone1
	in_server sysctl -qw net.ipv6.conf.lone0.disable_ipv6=1
	IFACE=lone0 would_run
	has_finding BLOCKS link "lone0 is down: nothing arrives until it is up"
	has_finding BLOCKS address "lone0 has no address: nothing is answered until it has one"
	in_server ip link add br0 type bridge || skip "this kernel has no bridge"
	in_server ip link set lone0 master br0
	IFACE=lone0 would_run
	has_finding BLOCKS link "lone0 is a port of br0 (bridge): what arrives belongs to br0, which has the addresses"
	is_equal "$WAY_OUT" "run it on br0"
	in_server ip link del br0
	in_server ip link del lone0
}

@test "large frames where native XDP is asked for, macvlans, timestamps, descriptors" {
	in_server ip link set "$IFACE" mtu 9000
	would_run --xdp=native
	has_finding may mtu "the MTU is 9000"
	in_server ip link set "$IFACE" mtu 1500
	in_server ip link add link "$IFACE" name mv0 type macvlan
	in_server sysctl -qw net.ipv4.tcp_timestamps=0
	would_run
	has_finding note link "mv0 (macvlan) is on top of $IFACE"
	has_finding note timestamps "net.ipv4.tcp_timestamps is 0"
	in_server ip link del mv0
	run in_server prlimit --nofile=1024:1024 "$LOADER" --dry-run --max-flows=1000 "$IFACE"
	has_finding may descriptors "the hard limit is 1024, and --max-flows is 1000"
	run in_server prlimit --nofile=2048:2048 "$LOADER" --dry-run --max-flows=1000 "$IFACE"
	[[ $output != *descriptors:* ]]
}

# The last one: the table stays, and brings NAT with it.
@test "rules of old iptables too, which the others do not show" {
	in_server iptables-legacy -t nat -A PREROUTING -p tcp --dport 8080 -j DNAT --to-destination 10.9.0.2:80
	would_run -p 8080-8081
	has_finding BLOCKS nat "port 8080: connections are sent on to 10.9.0.2:80 (iptables-legacy: table nat chain PREROUTING: "
	is_equal "$WAY_OUT" "leave port 8080 out of --port"
}
