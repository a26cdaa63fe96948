# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# shellcheck shell=bash
#
# What the field's own tools do from an address that this host has, for guard_tools.bats and tests/soak/guard. They run on the
# client's side, under the command in UNDER (none: without a guard); ordinary servers are on the other.

LOCAL_4=10.0.0.1 LOCAL_6=fd00::1 REMOTE_4=10.0.0.2 REMOTE_6=fd00::2
UNDER=()

# guard_with [OPTION...]: what follows runs under a guard.
guard_with()
{
	UNDER=("$NOLISTEN" guard eth0 -q "$@" --)
}

without_guard()
{
	UNDER=()
}

# tool COMMAND...: on the client's side, within a minute.
tool()
{
	in_client "${UNDER[@]}" timeout $((60 * PATIENCE)) "$@" </dev/null
}

# Banners on ports 1000 to 1999, on 10.9.0.0/26 as well; an echo on 7000; HTTP on 8080.
tools_lab_up()
{
	local namespace www=$BATS_FILE_TMPDIR/www
	lab_up
	SERVER_MAC=$(ip -n "$SERVER" -j link show eth0 | jq -r '.[0].address')
	export SERVER_MAC
	# libpcap makes its ring of frames as large as packets can be; of 64 KiB, as with offloads, only thirty have room in masscan's.
	for namespace in "$SERVER" "$CLIENT"; do
		in_namespace "$namespace" ethtool -K eth0 tso off gso off gro off >/dev/null
	done
	ip -n "$SERVER" route add local 10.9.0.0/26 dev lo
	ip -n "$CLIENT" route add 10.9.0.0/16 via 10.0.0.2
	in_server nft -f - <<-'RULES'
		table inet seen {
			set rsts {
				type inet_service
				flags dynamic
			}
			chain in {
				type filter hook prerouting priority -300
				tcp flags & rst == rst add @rsts { tcp dport counter }
			}
		}
	RULES
	mkdir "$www"
	head -c 20000 /dev/urandom | base64 >"$www/file"
	start_ready banners ip netns exec "$SERVER" python3 "$REPO/tests/tools/banner_server.py" 1000 1000 $'SSH-2.0-banner\r\n' 10.0.0.1
	start_kernel_server 7000
	start http ip netns exec "$SERVER" python3 -m http.server --bind :: --directory "$www" 8080
	wait_for 10 in_client curl -sfo /dev/null "http://10.0.0.2:8080/file"
}

# rsts_out FIRST [LAST]: how many have come to these ports of the server.
rsts_out()
{
	in_server nft -j list set inet seen rsts | jq --argjson first "$1" --argjson last "${2:-$1}" \
		'[.nftables[] | .set // empty | .elem // [] | .[].elem | select(.val >= $first and .val <= $last).counter.packets] | add // 0'
}

# handshakes: how many the server has completed.
handshakes()
{
	snmp "$SERVER" TcpPassiveOpens
}

# masscan_banners FAMILY SECONDS: how many of the thousand; SECONDS: to wait for them.
masscan_banners()
{
	local local=LOCAL_$1 remote=REMOTE_$1 out=$BATS_TEST_TMPDIR/masscan.$1
	tool masscan --range "${!remote}" -p 1000-1999 --banners --rate 5000 --wait "$2" -e eth0 --source-ip "${!local}" \
		--router-mac "$SERVER_MAC" --router-mac-ipv6 "$SERVER_MAC" -oL "$out" >"$out.log" 2>&1 || cat "$out.log" >&2
	grep -c ^banner "$out" || :
}

# zmap_banners: how many of 64 hosts tell it to the program behind zmap. zmap knows IPv4 alone.
zmap_banners()
{
	# shellcheck disable=SC2016
	tool bash -c 'zmap -q -v 0 -p 1000 10.9.0.0/26 -b /dev/null -i eth0 -G "$1" -c 1 -f saddr,sport,dport,seqnum,acknum |
		tee "$3.syn_acks" | python3 "$2/tests/tools/zmap_follow.py" eth0' zmap "$SERVER_MAC" "$REPO" "$BATS_TEST_TMPDIR/zmap" \
		>"$BATS_TEST_TMPDIR/zmap.banners"
	sort -u "$BATS_TEST_TMPDIR/zmap.banners" | grep -c SSH-2.0-banner || :
}

# scapy_gets FAMILY LOCAL-PORT: the server's file, whole.
scapy_gets()
{
	local remote=REMOTE_$1
	tool python3 "$REPO/tests/tools/scapy_http.py" eth0 "${!remote}" 8080 "$2" file >"$BATS_TEST_TMPDIR/scapy" &&
		cmp "$BATS_TEST_TMPDIR/scapy" "$BATS_FILE_TMPDIR/www/file"
}

# hping3_starts: fifty SYNs a second, until it is stopped. hping3 knows IPv4 alone.
hping3_starts()
{
	start hping3 ip netns exec "$CLIENT" "${UNDER[@]}" stdbuf -oL hping3 -S -p 1500 -c 1000 -i u20000 10.0.0.2
}

# hping3_has_seen COUNT: SYN-ACKs.
hping3_has_seen()
{
	[ "$(grep -c 'flags=SA' "$BATS_FILE_TMPDIR/hping3.out")" -ge "$1" ]
}

# nmap_states FAMILY OPTION...: of ports 995 to 1004, five of which are closed.
nmap_states()
{
	local remote=REMOTE_$1 option=
	[ "$1" = 4 ] || option=-6
	# shellcheck disable=SC2086
	tool nmap $option -n -Pn -p 995-1004 "${@:2}" "${!remote}" | grep -E '^[0-9]+/tcp|ports' | awk '{ print $1, $2 }' | xargs
}

# own_tcp FAMILY WAY [OPTION...]: what it says at the end, of its connections to the echo.
own_tcp()
{
	local local=LOCAL_$1 remote=REMOTE_$1 way=$2
	shift 2
	tool "$TOOLS/own_tcp" "$way" eth0 "$SERVER_MAC" "${!local}" "${!remote}" 7000 "$@" || :
}
