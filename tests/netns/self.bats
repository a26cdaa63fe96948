#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# A socket that connects to itself, on purpose and by accident.
load helpers

setup_file()
{
	lab_up
	address "$SERVER" eth0 fe80::2/64
}

teardown_file()
{
	lab_down
}

teardown()
{
	[ -z "${WATCH_PID:-}" ] || stop "$WATCH_PID" KILL
}

# refused STATUS TEXT ARGUMENT...: one line that contains TEXT.
refused()
{
	local expected=$1 text=$2
	shift 2
	run in_server timeout -k 1 10 "$NOLISTEN" self "$@"
	if [ "$status" != "$expected" ] || [[ $output != *"$text"* ]] || [ ${#lines[@]} != 1 ]; then
		printf 'expected status %s and one line with "%s", got status %s:\n%s\n' \
			"$expected" "$text" "$status" "$output" >&2
		return 1
	fi
}

# start_watch [OPTION...]: until it says that it watches; WATCH_PID, WATCH_OUT.
start_watch()
{
	start watch ip netns exec "$SERVER" "$NOLISTEN" self --watch "$@"
	WATCH_PID=$STARTED
	WATCH_OUT=$BATS_FILE_TMPDIR/watch.out
	wait_for 10 has_text "$BATS_FILE_TMPDIR/watch.err" watching
}

has_no_sockets()
{
	[ -z "$(in_server ss -Htan)" ]
}

@test "connects to itself on every own address and leaves no socket behind" {
	local addr
	for addr in 127.0.0.1 127.9.9.9 10.0.0.2; do
		expect "ESTAB  $addr:5000  $addr:5000" in_server "$NOLISTEN" self "$addr" 5000
		[ "$status" = 0 ]
		[[ $output == *"read them back: hello, self"* ]]
	done
	for addr in ::1 fd00::2 fe80::2; do
		expect "ESTAB  [$addr]:5000  [$addr]:5000" in_server "$NOLISTEN" self "$addr" 5000
		[ "$status" = 0 ]
	done
	has_no_sockets
}

@test "reads back the message it is given, however long" {
	local long
	long=$(head -c 100000 /dev/zero | tr '\0' x)
	expect "sent 100000 bytes to itself and read them back: $long" \
		in_server "$NOLISTEN" self 127.0.0.1 5000 --message "$long"
	expect "sent 0 bytes" in_server "$NOLISTEN" self 127.0.0.1 5000 --message ''
}

@test "can be repeated at once" {
	for _ in 1 2 3 4 5; do
		in_server "$NOLISTEN" self ::1 5000
	done
}

@test "says what is wrong with its arguments, in one line and status 2" {
	refused 2 "usage: nolisten self ADDR PORT"
	refused 2 "usage: nolisten self ADDR PORT" 127.0.0.1
	refused 2 "usage: nolisten self ADDR PORT" 127.0.0.1 80 90
	refused 2 "usage: nolisten self ADDR PORT" 127.0.0.1 80 --all
	refused 2 "usage: nolisten self ADDR PORT" --watch 127.0.0.1 80
	refused 2 "'localhost': not an IPv4 or IPv6 address" localhost 80
	refused 2 "'0.0.0.0': not the address of one host" 0.0.0.0 80
	refused 2 "'255.255.255.255': not the address of one host" 255.255.255.255 80
	refused 2 "'::ffff:255.255.255.255': not the address of one host" ::ffff:255.255.255.255 80
	refused 2 "'224.0.0.1': not the address of one host" 224.0.0.1 80
	refused 2 "'::': not the address of one host" :: 80
	refused 2 "'ff02::1': not the address of one host" ff02::1 80
	for port in 0 65536 -1 80x ''; do
		refused 2 "'$port': a number from 1 to 65535 is needed" -- 127.0.0.1 "$port"
	done
	refused 2 "--frob: no such option (see nolisten self --help)" --frob
	refused 2 "--message: needs an argument, TEXT" 127.0.0.1 80 --message
}

@test "says why it cannot bind, in one line and status 1" {
	local addr
	refused 1 "10.9.9.9:5000: cannot bind: not an address of this host" 10.9.9.9 5000
	refused 1 "[fe80::9]:5000: cannot bind: not an address of this host" fe80::9 5000
	for addr in 10.0.0.255 127.255.255.255; do
		refused 1 "$addr:5000: cannot bind: a broadcast address: TCP connects single hosts" "$addr" 5000
	done
	for addr in 10.0.0.0 0.0.0.1 240.0.0.1 255.255.255.254; do
		refused 1 "$addr:5000: cannot bind: not an address of this host" "$addr" 5000
	done
	start_kernel_server 5010
	refused 1 "127.0.0.1:5010: cannot bind: another socket has the port" 127.0.0.1 5010
	stop "$KERNEL_SERVER"
	run in_server setpriv --reuid=65534 --clear-groups "$NOLISTEN" self 127.0.0.1 80
	[ "$status" = 1 ]
	[[ $output == *"CAP_NET_BIND_SERVICE"* ]]
}

@test "says that nothing came back when the packets are dropped" {
	ip -n "$SERVER" link set lo down
	refused 1 "127.0.0.1:5000: cannot connect to itself: timed out" 127.0.0.1 5000
	ip -n "$SERVER" link set lo up
}

@test "watch warns of a retry loop that hits itself, with process, pid and port" {
	in_server sysctl -qw net.ipv4.ip_local_port_range="33000 33015"
	start_watch
	in_server python3 - >"$BATS_TEST_TMPDIR/pid" <<-'EOF'
		import os, socket
		for attempt in range(100000):
		    try:
		        socket.create_connection(("127.0.0.1", 33000))
		        print(os.getpid())
		        break
		    except ConnectionRefusedError:
		        pass
	EOF
	wait_for 5 grep -q "127.0.0.1:33000 connected to itself: process python3, pid $(<"$BATS_TEST_TMPDIR/pid")\$" "$WATCH_OUT"
}

@test "watch sees IPv4, IPv6 and IPv4 on an IPv6 socket, and no ordinary connection" {
	start_watch
	start_kernel_server 5020
	printf 'x' | in_server timeout 5 nc -N -w 2 127.0.0.1 5020
	in_server "$NOLISTEN" self 127.0.0.1 5001
	in_server "$NOLISTEN" self fd00::2 5002
	in_server python3 -c "import socket
s = socket.socket(socket.AF_INET6)
s.bind(('::ffff:127.0.0.1', 5003))
s.connect(('::ffff:127.0.0.1', 5003))"
	wait_for 5 grep -q 127.0.0.1:5003 "$WATCH_OUT"
	grep -q '127.0.0.1:5001 connected to itself: process nolisten' "$WATCH_OUT"
	grep -q '\[fd00::2\]:5002 connected to itself: process nolisten' "$WATCH_OUT"
	is_equal "$(wc -l <"$WATCH_OUT")" 3
	stop "$KERNEL_SERVER"
}

@test "watch sees only its own network namespace unless asked for all" {
	local other
	other=$(add_namespace o)
	start_watch
	ip netns exec "$other" "$NOLISTEN" self 127.0.0.1 5031
	in_server "$NOLISTEN" self 127.0.0.1 5032
	wait_for 5 has_text "$WATCH_OUT" :5032
	not grep -q :5031 "$WATCH_OUT"
	stop "$WATCH_PID"
	start_watch --all
	ip netns exec "$other" "$NOLISTEN" self 127.0.0.1 5033
	wait_for 5 grep -q ":5033 .*, network namespace $(in_namespace "$other" stat -Lc %i /proc/self/ns/net)" "$WATCH_OUT"
	remove_namespace "$other"
}

# programs_of PID: the ids of the BPF programs that it holds.
programs_of()
{
	grep -hs ^prog_id "/proc/$1"/fdinfo/* | awk '{ print $2 }'
}

@test "watch ends on SIGINT and SIGTERM with status 0 and leaves no program, killed or not" {
	local signal status program
	for signal in INT TERM KILL; do
		start_watch
		program=$(programs_of "$WATCH_PID" | head -n 1)
		bpftool prog show id "$program" | grep -q nol_self_watch
		# What a shell starts in the background ignores SIGINT, and has to end nevertheless.
		kill "-$signal" "$WATCH_PID"
		wait_for 5 is_gone "$WATCH_PID"
		status=0
		wait "$WATCH_PID" || status=$?
		[ "$signal" = KILL ] || is_equal "$status" 0
		wait_for 5 not bpftool prog show id "$program"
	done
}

@test "watch says what it lacks when bpf() is not permitted" {
	run in_server setpriv --reuid=65534 --clear-groups "$NOLISTEN" self --watch
	[ "$status" = 1 ]
	[ ${#lines[@]} = 1 ]
	[[ $output == *"not permitted: bpf() needs root"* ]]
}
