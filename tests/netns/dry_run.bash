# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# shellcheck shell=bash
#
# For the tests of --dry-run: an interface whose name no other test has, since /sys/fs/bpf/nolisten is all of theirs, and
# what is said of it.

# The pins of a loader of the same name elsewhere would show. Addresses are there at once.
dry_lab_up()
{
	IFACE=dry$((BASHPID % 1000000))
	SERVER=$(add_namespace s)
	CLIENT=$(add_namespace c)
	export SERVER CLIENT IFACE
	in_server sysctl -qw net.ipv6.conf.default.accept_dad=0
	join "$SERVER" "$IFACE" "$CLIENT" eth0
	address "$SERVER" "$IFACE" 10.0.0.2/24 fd00::2/64
	address "$CLIENT" eth0 10.0.0.1/24 fd00::1/64
	wait_for 5 is_running "$SERVER" "$IFACE"
	wait_for 5 is_running "$CLIENT" eth0
	wait_for 5 has_settled
}

has_settled()
{
	[ -z "$(ip -n "$SERVER" -o address show tentative)" ] && [ -n "$(ip -n "$SERVER" -6 -o address show dev "$IFACE" scope link)" ]
}

dry_lab_down()
{
	stop_leftover_loader
	lab_down "$@"
	rm -rf "/sys/fs/bpf/nolisten/$IFACE"
}

# dry [OPTION...]: $status, $output (standard output), and standard error in $DRY_ERROR.
dry()
{
	run in_server sh -c 'exec "$@" 2>"$0"' "$BATS_TEST_TMPDIR/dry.err" "$LOADER" --dry-run "$@" "$IFACE"
	DRY_ERROR=$(<"$BATS_TEST_TMPDIR/dry.err")
}

# would_run [OPTION...]
would_run()
{
	dry "$@"
	is_equal "$status,$DRY_ERROR" "0,"
	is_equal "${lines[-1]}" "$IFACE: would run; nothing was changed"
}

# has_finding SEVERITY TOPIC TEXT: of the last dry run, and its way out in $WAY_OUT.
has_finding()
{
	local line
	line=$(grep -A1 -E "^    $1 +$2: " <<<"$output" | grep -F -A1 -- "$3") || {
		printf 'no "%s %s: ...%s" in:\n%s\n' "$1" "$2" "$3" "$output" >&2
		return 1
	}
	WAY_OUT=$(sed -n '2s/^ *-> //p' <<<"$line")
}

has_no_finding()
{
	local unlimited
	# How many descriptors the machine allows is not asked here.
	unlimited=$(grep -vE '^    may +descriptors: |LimitNOFILE' <<<"$output" | sed -n '/in its way/,/^[^ ]/p')
	if grep -qE '^    (BLOCKS|may|note) ' <<<"$unlimited"; then
		printf 'something is in its way:\n%s\n' "$output" >&2
		return 1
	fi
}

# says [OPTION...]: the lines of a section, without the spaces between the columns.
section()
{
	sed -n "/^  would $1\$/,/^  [^ ]/p" <<<"$output" | sed '1d; $d; s/^ *//; s/   */ /'
}

# host_state: all that a loader could change. What counts or ages by itself is left out.
host_state()
{
	in_server ip -d link
	in_server ip address | sed 's/valid_lft.*//'
	in_server ip route show table all
	in_server ip -6 route show table all | sed 's/expires [^ ]*//'
	in_server tc qdisc show
	in_server tc filter show dev "$IFACE" ingress 2>&1
	in_server tc filter show dev "$IFACE" egress 2>&1
	ip netns exec "$SERVER" bpftool net list 2>/dev/null | grep -A1000 '^xdp:'
	in_server nft list ruleset
	in_server iptables-nft-save | grep -v '^#' | sed 's/\[.*//'
	in_server cat /proc/net/ip_tables_names /proc/net/ip6_tables_names 2>/dev/null
	in_server sysctl -a 2>/dev/null | grep '^net\.' | grep -v conntrack_count
	in_server cat /proc/net/unix | grep -o '@nolisten.*'
	in_server ss -Hltnp
	in_server cat /proc/net/netfilter/nfnetlink_queue 2>/dev/null
	find "/sys/fs/bpf/nolisten/$IFACE" 2>/dev/null
	find "$BATS_TEST_TMPDIR/kept" -printf '%p %m %s %t\n' 2>/dev/null
	return 0
}

# changes_nothing COMMAND...: it may fail.
changes_nothing()
{
	local before after
	before=$(host_state)
	"$@" || return
	after=$(host_state)
	[ "$after" = "$before" ] || {
		echo "changed by: $*" >&2
		diff <(echo "$before") <(echo "$after") >&2
		return 1
	}
}

# serves [PORT]: what a client says comes back. It says no more, and does not close: a FIN finds its own way.
serves()
{
	# shellcheck disable=SC2016
	in_client timeout "${SERVES_SECONDS:-5}" bash -c '
		exec {talk}<>"/dev/tcp/10.0.0.2/$0" && echo hello >&"$talk" &&
			read -r answer <&"$talk" && [ "$answer" = hello ]' "${1:-34567}" 2>/dev/null
}

# Not because it is late: nothing would come later either.
serves_not()
{
	local SERVES_SECONDS=3
	not serves "$@"
}

# foreign_program SECTION: an object with a program in that section, which lets everything go; prints its path.
foreign_program()
{
	local source=$BATS_TEST_TMPDIR/foreign.bpf.c
	cat >"$source" <<-C
		__attribute__((section("$1"), used)) int foreign_program(void *context)
		{
			return ${2:-2};
		}
		__attribute__((section("license"), used)) char terms[] = "Dual BSD/GPL";
	C
	clang -target bpf -g -O2 -c "$source" -o "$BATS_TEST_TMPDIR/foreign.bpf.o"
	echo "$BATS_TEST_TMPDIR/foreign.bpf.o"
}
