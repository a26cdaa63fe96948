#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# nolisten run: what a server sees under it, what is taken over, who it runs as, and what is refused.
bats_require_minimum_version 1.5.0
load helpers
load accept
load run

# The first one on an interface starts what answers there, and the others find it.
setup_file()
{
	run_lab_up
	start_run keeper -- sh -c 'echo ready; exec sleep infinity'
	KEEPER=$STARTED
	export KEEPER
	wait_for 15 has_text "$BATS_FILE_TMPDIR/keeper.out" ready && return
	cat "$BATS_FILE_TMPDIR/keeper.err" >&2
	return 1
}

teardown_file()
{
	stop "$KEEPER"
	run_lab_down
}

setup()
{
	RUNS=()
}

teardown()
{
	end_runs
}

seen()
{
	"$@" python3 "$REPO/tests/tools/sockets_seen.py" 2>&1
}

@test "a server sees of its sockets what it sees without" {
	local native way
	native=$(seen in_server)
	for way in $(run_ways); do
		diff <(echo "$native") <(seen nolisten_run "$way" --) || return
	done
}

@test "accepted connections cost nothing: they are served while the supervisor stands still" {
	needs_accept
	start_run echo -- "$TOOLS/echo_server" 8000
	RUNS+=("$STARTED")
	wait_for 10 is_served 10.0.0.2 8000
	kill -STOP "$STARTED"
	run echo_back 10.0.0.2 8000 text
	kill -CONT "$STARTED"
	[[ $output == *text ]]
}

@test "--port: these are taken over, the others are listened at" {
	start_run two -p 8001 -- python3 "$REPO/tests/tools/listener.py" 8001 8002
	RUNS+=("$STARTED")
	wait_for 10 is_served 10.0.0.2 8002
	wait_for 10 is_served 10.0.0.2 8001
	listens 8002
	not listens 8001
}

@test "--interface: an address of another one is listened at" {
	start_run lo -q -i eth0 -- python3 "$REPO/tests/tools/listener.py" 127.0.0.1:8001 10.0.0.2:8002
	RUNS+=("$STARTED")
	wait_for 10 is_served 10.0.0.2 8002
	listens 8001
	not listens 8002
	in_server nc -z 127.0.0.1 8001
}

@test "--user: the user and its groups, no capability, and a privileged port all the same" {
	start_run user --user=nobody -- sh -c 'id -u; id -Gn; grep CapEff /proc/self/status; exec python3 "$@"' sh \
		"$REPO/tests/tools/listener.py" 80
	RUNS+=("$STARTED")
	wait_for 10 is_served 10.0.0.2 80
	is_equal "$(head -3 "$BATS_FILE_TMPDIR/user.out" | xargs)" "65534 nogroup CapEff: 0000000000000000"
	not listens 80
}

@test "a port that a kernel socket owns is in use, as always" {
	start_kernel_server 8003
	for way in $(run_ways); do
		run nolisten_run "$way" -- python3 "$REPO/tests/tools/listener.py" 8003
		is_equal "$status" 1
		[[ $output == *"Address already in use"* ]]
	done
	stop "$KERNEL_SERVER" KILL
}

@test "MPTCP and io_uring are refused, so that programs fall back to what is asked about" {
	run nolisten_run -- python3 -c '
import ctypes, os, socket
for what in (lambda: socket.socket(socket.AF_INET, socket.SOCK_STREAM, 262), lambda: os.open("/dev/null", os.O_RDONLY)):
    try:
        what()
        print("done")
    except OSError as error:
        print(error.strerror)
libc = ctypes.CDLL(None, use_errno=True)
print(libc.syscall(425, 8, ctypes.create_string_buffer(120)), os.strerror(ctypes.get_errno()))'
	is_equal "$output" "Protocol not supported"$'\n'"done"$'\n'"-1 Function not implemented"
}

@test "the exit status is COMMAND's, and as with env: 127, 126, 128 and the signal" {
	run nolisten_run -- sh -c 'exit 3'
	is_equal "$status" 3
	run -127 nolisten_run -- /nonexistent/command
	is_equal "$status $output" "127 nolisten: run: cannot run '/nonexistent/command': not found"
	echo text >"$BATS_TEST_TMPDIR/plain"
	run nolisten_run -- "$BATS_TEST_TMPDIR/plain"
	is_equal "$status $output" "126 nolisten: run: cannot run '$BATS_TEST_TMPDIR/plain': Permission denied"
	run nolisten_run -- sh -c 'kill -KILL $$'
	is_equal "$status" 137
}

@test "a signal is passed on, and what it does is COMMAND's affair" {
	start_run signal -- sh -c 'trap "exit 5" HUP; echo ready; while :; do sleep 0.05; done'
	wait_for 10 has_text "$BATS_FILE_TMPDIR/signal.out" ready
	kill -HUP "$STARTED"
	wait_for 5 is_gone "$STARTED"
	status=0
	wait "$STARTED" || status=$?
	is_equal "$status" 5
}

@test "a daemon: goes on while it has its sockets, and passes signals on to it" {
	start_run daemon -- sh -c 'setsid python3 "$0" 8004 & exit 0' "$REPO/tests/tools/listener.py"
	RUNS+=("$STARTED")
	wait_for 10 is_served 10.0.0.2 8004
	wait_for 5 has_text "$BATS_FILE_TMPDIR/daemon.err" "'sh' has ended, what it has started goes on"
	is_served 10.0.0.2 8004
	kill -TERM "$STARTED"
	wait_for 5 is_gone "$STARTED"
	status=0
	wait "$STARTED" || status=$?
	is_equal "$status" 0
	is_refused 10.0.0.2 8004
}

@test "a listener that is closed is refused, COMMAND goes on" {
	start_run closes -- python3 -c '
import socket, sys, time
one = socket.create_server(("", 8005))
print("listening", flush=True)
one.accept()
one.close()
print("closed", flush=True)
time.sleep(60)'
	RUNS+=("$STARTED")
	wait_for 10 is_served 10.0.0.2 8005
	wait_for 5 has_text "$BATS_FILE_TMPDIR/closes.out" closed
	wait_for 5 is_refused 10.0.0.2 8005
	not is_gone "$STARTED"
}

@test "two at once share what answers, and one port has one server" {
	web 8000
	local first=$WEB
	run nolisten_run -q -- python3 "$REPO/tests/tools/listener.py" 8000
	[[ $output == *"Address already in use"* ]]
	web 8001
	stop "$first"
	is_refused 10.0.0.2 8000
	is_equal "$(get http://10.0.0.2:8001/)" hello
}

# refused_run STATUS TEXT [ARGUMENT...]: one line, and nothing left.
refused_run()
{
	run nolisten_run "${@:3}"
	if [ "$status" != "$1" ] || [[ $output != *"$2"* ]] || [ ${#lines[@]} != 1 ]; then
		printf 'expected status %s and one line with "%s", got status %s:\n%s\n' "$1" "$2" "$status" "$output" >&2
		return 1
	fi
}

@test "says what is wrong, in a line, and starts nothing" {
	refused_run 2 "usage: nolisten run"
	refused_run 2 "usage: nolisten run" --
	refused_run 2 "'eth0': not understood" eth0 -- true
	refused_run 2 "'touch': a command needs -- in front of it" touch "$BATS_TEST_TMPDIR/started"
	refused_run 2 "--user: 'nobody-of-that-name': no such user" --user=nobody-of-that-name -- true
	refused_run 2 "--port: '80x'" -p 80x -- true
	refused_run 2 "--interface: 'eth0,,lo'" -i eth0,,lo -- true
	refused_run 1 "no such interface" -i eth9 -- touch "$BATS_TEST_TMPDIR/started"
	refused_run 1 "No such file or directory" --no-parent --socket="$BATS_TEST_TMPDIR/none" -- touch "$BATS_TEST_TMPDIR/started"
	refused_run 1 "another supervisor does" -- "$NOLISTEN" run -q -- touch "$BATS_TEST_TMPDIR/started"
	run nolisten_run -- true
	is_equal "$status $output" "0 "
	[ ! -e "$BATS_TEST_TMPDIR/started" ]
}
