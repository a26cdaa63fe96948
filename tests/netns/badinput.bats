#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# Bad input: one clear line, exit status 2 for usage and 1 for the rest, nothing left attached.
load helpers

setup_file()
{
	lab_up
}

teardown_file()
{
	lab_down
}

teardown()
{
	stop_leftover_loader
	is_detached
}

@test "asks for an interface" {
	refused_loader 2 'which interface?'
}

@test "refuses an interface that does not exist" {
	refused_loader 1 'eth9: no such interface' eth9
}

@test "refuses two interfaces" {
	refused_loader 2 "eth1" eth0 eth1
}

@test "refuses malformed ports" {
	refused_loader 2 "--port: '0'" -p 0 eth0
	refused_loader 2 "--port: '65536'" -p 65536 eth0
	refused_loader 2 "--port: '9-3'" -p 9-3 eth0
	refused_loader 2 "--port: '80x'" -p 80x eth0
	refused_loader 2 "--port: ''" -p '' eth0
	refused_loader 2 "--port: '80,,81'" -p 80,,81 eth0
	refused_loader 2 "--port: '-1'" -p -1 eth0
	refused_loader 2 "--port: '99999999999999999999'" -p 99999999999999999999 eth0
}

@test "refuses malformed addresses" {
	refused_loader 2 "--address: '10.0.0'" -a 10.0.0 eth0
	refused_loader 2 "--address: '10.0.0.1/24'" -a 10.0.0.1/24 eth0
	refused_loader 2 "--address: '10.0.0.0/33'" -a 10.0.0.0/33 eth0
	refused_loader 2 "--address: 'fd00::/129'" -a fd00::/129 eth0
	refused_loader 2 "--address: 'a.host'" -a a.host eth0
}

@test "refuses services that do not exist" {
	refused_loader 2 "--service: 'sing'" -s sing eth0
	refused_loader 2 "--service: 'exec:'" -s exec: eth0
	refused_loader 2 "--service: 'banner:'" -s banner: eth0
}

@test "refuses other options with words or numbers that do not exist" {
	refused_loader 2 "--nosuch" --nosuch eth0
	refused_loader 2 "--method: 'magic'" -m magic eth0
	refused_loader 2 "--rst: 'keep'" --rst=keep eth0
	refused_loader 2 "--rst: 'redirect:'" --rst=redirect: eth0
	refused_loader 2 "--xdp: 'fast'" --xdp=fast eth0
	refused_loader 2 "--tc: 'fast'" --tc=fast eth0
	refused_loader 2 "--max-flows: '0'" --max-flows=0 eth0
	refused_loader 2 "--max-children: 'x'" --max-children=x eth0
	refused_loader 2 "--ring: '100'" --ring=100 eth0
	refused_loader 2 "--spin: '-1'" --spin=-1 eth0
}

@test "refuses to redirect RSTs to an interface that does not exist" {
	refused_loader 1 '--rst: eth9: no such interface' --rst=redirect:eth9 eth0
}

@test "refuses a file of events that cannot be opened" {
	refused_loader 1 '/nonexistent/events' --events=/nonexistent/events eth0
}

@test "names the capability that is missing" {
	run in_server setpriv --reuid=65534 --clear-groups "$LOADER" eth0
	is_equal "$status ${#lines[@]}" "1 1"
	[[ $output == *CAP_BPF* ]]
	run in_server setpriv --bounding-set=-net_admin --inh-caps=-net_admin "$LOADER" eth0
	is_equal "$status ${#lines[@]}" "1 1"
	[[ $output == *CAP_NET_ADMIN* ]]
}

@test "refuses native XDP where there is none" {
	refused_loader 1 'lo: cannot attach' --xdp=native lo
}

@test "lists what this host has and lacks" {
	run in_server "$LOADER" --check
	[[ $output == *"kernel BTF"* && $output == *TCP_REPAIR* && $output == *CAP_NET_ADMIN* ]]
	[ "$status" = 0 ]
	run in_server setpriv --reuid=65534 --clear-groups "$LOADER" --check
	[ "$status" = 1 ]
	[[ $output == *CAP_NET_ADMIN* ]]
}

@test "says that an interface is down, and works once it is up" {
	ip -n "$SERVER" link set eth0 down
	start_loader
	expect "eth0: is down" cat "$LOADER_LOG"
	ip -n "$SERVER" link set eth0 up
	wait_for 5 is_running "$CLIENT" eth0
	wait_for 5 is_echoing
}

is_echoing()
{
	[ "$(echo_back 10.0.0.2 34567 up)" = up ]
}

@test "refuses a second loader on the interface while the first goes on" {
	start_loader
	refused_loader 1 'eth0: another nolisten-loader' eth0
	refused_loader 1 'eth0: another nolisten-loader' -p 80 eth0
	is_equal "$(echo_back 10.0.0.2 34567 first)" first
}

@test "refuses an interface with another XDP program" {
	cat >"$BATS_TEST_TMPDIR/other.bpf.c" <<-'C'
		__attribute__((section("xdp"), used)) int other_program(void *context)
		{
			return 2;
		}
		__attribute__((section("license"), used)) char terms[] = "Dual BSD/GPL";
	C
	clang -target bpf -g -O2 -c "$BATS_TEST_TMPDIR/other.bpf.c" -o "$BATS_TEST_TMPDIR/other.bpf.o"
	in_server ip link set dev eth0 xdpgeneric obj "$BATS_TEST_TMPDIR/other.bpf.o" sec xdp
	run in_server timeout 5 "$LOADER" eth0
	in_server ip link set dev eth0 xdpgeneric off
	is_equal "$status ${#lines[@]}" "1 1"
	[[ $output == *"another XDP program"*other_program* ]]
}

@test "answers nothing without a loader to ask" {
	run in_server "$NOLISTEN" flows
	is_equal "$status ${#lines[@]}" "1 1"
	run in_server "$NOLISTEN" status eth0
	is_equal "$status ${#lines[@]}" "1 1"
	run in_server "$NOLISTEN" sing
	is_equal "$status ${#lines[@]}" "2 1"
	run in_server "$NOLISTEN"
	is_equal "$status ${#lines[@]}" "2 1"
}

@test "keeps descriptors of its own away from those that its caller has closed" {
	# shellcheck disable=SC2016
	ip netns exec "$SERVER" sh -c 'exec "$0" --events=- eth0 <&- >&- 2>&-' "$LOADER" 3>&- &
	STARTED=$!
	wait_for 5 is_attached
	for fd in 0 1 2; do
		is_equal "$(readlink "/proc/$STARTED/fd/$fd")" /dev/null
	done
	stop "$STARTED"
}
