#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# --pcap: what each method has done with each packet, read back by tshark and tcpdump.
load helpers
load pcap

# tcp.flags, as tshark has them.
SYN=0x0002 RST=0x0004 ACK=0x0010 SYN_ACK=0x0012 RST_ACK=0x0014
# A connection's name.
ID='community_id=1:[A-Za-z0-9+/]{27}='

setup()
{
	pcap_up
}

teardown()
{
	pcap_down
}

# greet HOST: a connection that says something.
greet()
{
	is_equal "$(echo_back "$1" 34567 hello)" hello
}

# mac NAMESPACE
mac()
{
	ip -n "$1" -j link show eth0 | jq -r '.[0].address'
}

# An IPv4 SYN in two fragments, which ingress passes, and the kernel answers by a RST; to nobody, so that it is known where to.
send_fragments()
{
	ip -n "$SERVER" neighbour replace 10.0.0.77 lladdr 02:00:00:00:00:77 dev eth0 nud permanent
	start fragments ip netns exec "$CLIENT" "$TOOLS/fragmented_syn" eth0 34567 "$(mac "$SERVER")"
}

@test "says what became of each packet, of both families" {
	local v4 v6
	start_loader -q --pcap="$CAPTURE"
	greet 10.0.0.2
	greet fd00::2
	in_client hping3 -q -c 1 -A -s 1111 -k -p 34567 10.0.0.2 >/dev/null 2>&1
	in_client hping3 -q -c 1 -R -s 2222 -k -p 34567 10.0.0.2 >/dev/null 2>&1 || :
	wait_for 5 has_counter stray_reset 1
	send_fragments
	wait_for 5 has_counter rst_dropped 1
	stop_loader
	expect "packets captured, 0 lost" cat "$LOADER_LOG"

	read_capture eth.src ip.src ipv6.src tcp.srcport tcp.flags
	v4="$(mac "$CLIENT")"$'\t10.0.0.1\t\t'
	v6="$(mac "$CLIENT")"$'\t\tfd00::1\t'
	for from in "$v4" "$v6"; do
		has_packet "^$from" $'\t'"$SYN" 'verdict=answered reason=cookie_sent method=xdp '"$ID"'$'
		has_packet "^$from" $'\t'"$ACK" 'verdict=held reason=held_cookie method=xdp '"$ID"'$'
	done
	has_packet $'\t10.0.0.2\t' "$SYN_ACK" 'verdict=sent reason=cookie_sent method=xdp '"$ID"'$'
	has_packet $'\tfd00::2\t' "$SYN_ACK" 'verdict=sent reason=cookie_sent method=xdp '"$ID"'$'
	has_packet "^$v4"$'1111\t' 'verdict=answered reason=stray_answered method=xdp'
	has_packet "^$(mac "$SERVER")"$'\t10.0.0.2\t' "$RST" 'verdict=sent reason=stray_answered method=xdp'
	has_packet "^$v4"$'2222\t' 'verdict=dropped reason=stray_reset'
	has_packet "^$(mac "$SERVER")"$'\t10.0.0.2\t' "$RST_ACK" 'verdict=dropped reason=rst_dropped'
}

@test "is a file of nanoseconds with an interface, directions, the name that events have for a connection" {
	local flows
	start_loader -q --pcap="$CAPTURE" --events="$BATS_TEST_TMPDIR/events"
	greet 10.0.0.2
	greet 10.0.0.2
	stop_loader
	read_capture frame.interface_name frame.packet_flags_direction tcp.stream
	is_equal "$(packets '^eth0')" "$(by_tcpdump)"
	has_packet $'^eth0\t0x00000002\t' verdict=sent
	has_packet $'^eth0\t0x00000001\t' verdict=held
	# What tshark takes for a connection has one name, and no two have the same.
	flows=$(sed -E 's/^eth0\t\S+\t([0-9]+).* community_id=(.*)$/\1 \2/' <<<"$PACKETS" | sort -u)
	is_equal "$(cut -d' ' -f1 <<<"$flows" | xargs)" "0 1"
	is_equal "$(cut -d' ' -f2 <<<"$flows" | sort -u | wc -l)" 2
	is_equal "$(cut -d' ' -f2 <<<"$flows" | sort)" "$(jq -r 'select(.src_ip).community_id' "$BATS_TEST_TMPDIR/events" | sort -u)"
	expect "nanoseconds (9)" capinfos -M "$CAPTURE"
	expect "Number of stat entries = 1" capinfos -M "$CAPTURE"
	expect "link-type EN10MB" tcpdump -nr "$CAPTURE"
	is_equal "$(by_tcpdump 'tcp[tcpflags] == tcp-syn|tcp-ack')" 2
}

@test "has what the engine takes and sends" {
	start_loader -q -m engine --pcap="$CAPTURE" --pcap-what=all
	greet 10.0.0.2
	greet fd00::2
	in_client hping3 -q -c 1 -F -s 3333 -k -p 34567 10.0.0.2 >/dev/null 2>&1 || :
	wait_for 5 has_counter stray_ignored 1
	stop_loader
	read_capture eth.src eth.dst ip.src tcp.srcport tcp.flags
	has_packet $'\t10.0.0.1\t' "$SYN" 'verdict=held reason=held_syn method=engine '"$ID"'$'
	has_packet "^$(mac "$SERVER")"$'\t'"$(mac "$CLIENT")"$'\t10.0.0.2\t' "$SYN_ACK" 'verdict=sent method=engine '"$ID"'$'
	has_packet "^$(mac "$SERVER")"$'\t'"$(mac "$CLIENT")"$'\t\t' "$SYN_ACK" 'verdict=sent method=engine '"$ID"'$'
	has_packet $'\t10.0.0.1\t' "$ACK" 'verdict=held reason=held_flow method=engine'
	has_packet $'\t10.0.0.1\t' 'verdict=replayed reason=held_flow method=engine'
	has_packet $'\t3333\t' 'verdict=dropped reason=stray_ignored'
	has_packet $'\t10.0.0.1\t' 'verdict=passed reason=ingress_handed_off'
}

@test "has what method connect turns" {
	start_loader -q -m connect --pcap="$CAPTURE"
	greet 10.0.0.2
	stop_loader
	read_capture ip.src tcp.flags
	has_packet '^10.0.0.1' "$SYN" 'verdict=held reason=held_syn method=connect'
	has_packet '^10.0.0.2' "$SYN_ACK" 'verdict=sent reason=back_syn_ack method=connect'
	has_packet '^10.0.0.2' 'verdict=dropped reason=back_first_ack method=connect'
}

@test "has what method accept answers, in TC and in XDP" {
	grep -q -m 1 ' bpf_sk_assign_tcp_reqsk$' /proc/kallsyms || skip "no bpf_sk_assign_tcp_reqsk() here (Linux 6.9)"
	local mode
	for mode in none generic; do
		start_loader -q -m accept --xdp=$mode --pcap="$CAPTURE"
		greet 10.0.0.2
		greet fd00::2
		stop_loader
		read_capture eth.src ip.src ipv6.src tcp.flags
		has_packet $'\t10.0.0.1\t' "$SYN" 'verdict=answered reason=cookie_sent method=accept '"$ID"'$'
		has_packet $'\tfd00::1\t' "$SYN" 'verdict=answered reason=cookie_sent method=accept '"$ID"'$'
		has_packet "^$(mac "$SERVER")"$'\t10.0.0.2\t' "$SYN_ACK" 'verdict=sent reason=cookie_sent method=accept '"$ID"'$'
		has_packet "^$(mac "$CLIENT")"$'\t10.0.0.1\t' "$ACK" 'verdict=accepted reason=accept_child method=accept '"$ID"'$'
		has_packet $'\tfd00::1\t' "$ACK" 'verdict=accepted reason=accept_child method=accept '"$ID"'$'
	done
}

@test "has what methods without BPF take and send, from the IP header on" {
	local method verdict
	for method in nfqueue:held filter:copied; do
		verdict=${method#*:} method=${method%:*}
		start_loader -q -m "$method" --pcap="$CAPTURE"
		greet 10.0.0.2
		greet fd00::2
		stop_loader
		expect "link-type RAW" tcpdump -nr "$CAPTURE"
		read_capture ip.src ipv6.src tcp.flags
		has_packet '^10.0.0.1' "$SYN" "verdict=$verdict reason=held_syn method=$method $ID\$"
		has_packet '^10.0.0.2' "$SYN_ACK" "verdict=sent method=$method $ID\$"
		has_packet $'^\tfd00::2' "$SYN_ACK" "verdict=sent method=$method $ID\$"
	done
}

@test "knows that a tun device has no link header" {
	start_ready tun_peer "$TOOLS/tun_peer" "$SERVER" "$CLIENT" tun0
	for namespace in "$SERVER" "$CLIENT"; do
		ip -n "$namespace" link set tun0 up
	done
	address "$SERVER" tun0 10.2.0.2/24 fd02::2/64
	address "$CLIENT" tun0 10.2.0.1/24 fd02::1/64
	IFACE=tun0 start_loader -q --pcap="$CAPTURE" --pcap-filter="tcp port 34567"
	greet 10.2.0.2
	greet fd02::2
	stop_loader
	stop "$STARTED"
	expect "link-type RAW" tcpdump -nr "$CAPTURE"
	read_capture frame.interface_name ip.src ipv6.src tcp.flags
	has_packet $'^tun0\t10.2.0.1\t' "$SYN" 'verdict=answered reason=cookie_sent method=xdp '"$ID"'$'
	has_packet $'^tun0\t\tfd02::2\t' "$SYN_ACK" 'verdict=sent reason=cookie_sent method=xdp '"$ID"'$'
	has_packet $'^tun0\t\tfd02::1\t' 'verdict=held reason=held_cookie'
}

@test "takes what the filter lets through, and the verdicts that are asked for" {
	start_loader -q --pcap="$CAPTURE" --pcap-filter="src host 10.0.0.1 and tcp[tcpflags] == tcp-syn"
	greet 10.0.0.2
	greet fd00::2
	wait_for 5 has_captured 1
	expect "captured" in_server "$NOLISTEN" status eth0
	stop_loader
	is_equal "$(by_tcpdump)" 1
	is_equal "$(by_tcpdump 'tcp[tcpflags] == tcp-syn and dst port 34567')" 1

	start_loader -q --pcap="$CAPTURE" --pcap-what=held,dropped --pcap-snaplen=54
	greet 10.0.0.2
	stop_loader
	read_capture frame.cap_len
	is_equal "$(packets 'verdict=held')" "$(packets '^54')"
	is_equal "$(packets 'verdict=(answered|sent)')" 0
}

@test "has the packets of all workers" {
	start_loader -q --workers=2 --pcap="$CAPTURE"
	burst 300 100
	wait_for 10 has_counter handed_off 300
	stop_loader
	read_capture tcp.srcport
	is_equal "$(packets 'verdict=answered reason=cookie_sent')" 300
	is_equal "$(packets 'verdict=held reason=held_cookie')" 300
	is_equal "$(sed 's/.* community_id=//' <<<"$PACKETS" | sort -u | wc -l)" 300
}
