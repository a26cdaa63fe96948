#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# nolisten guard: what raw sockets open is not reset, and nothing else changes.
bats_require_minimum_version 1.5.0
load helpers
load guard

setup_file()
{
	guard_lab_up
}

teardown_file()
{
	lab_down
}

teardown()
{
	[ -z "${GUARD_PID:-}" ] || is_gone "$GUARD_PID" || stop "$GUARD_PID" KILL
	[ -z "${SECOND_PID:-}" ] || is_gone "$SECOND_PID" || stop "$SECOND_PID" KILL
}

@test "keeps the kernel from resetting what raw and packet sockets open" {
	local ends kind
	for ends in "$V4" "$V6"; do
		is_equal "$(raw_client "$ends")" reset
		for kind in header tcp packet; do
			is_equal "$(guarded_client "$ends" --socket=$kind)" "answered hello"
		done
	done
	is_equal "$(guarded_client "$V4" --socket=last)" "answered hello"
	is_unguarded
}


@test "leaves what the kernel's sockets have alone, on a guarded port too" {
	start_guard -p all
	start_ready listener ip netns exec "$CLIENT" "$TOOLS/echo_server" 8080 banner
	is_equal "$(in_server timeout 5 nc -d 10.0.0.1 8080)" banner
	is_equal "$(echo_back 10.0.0.2 80 text)" text
	is_equal "$(echo_back fd00::2 80 text)" text
	is_equal "$(listed '"\(.counters.in_ended) \(.counters.in_owned > 10)"')" "0 true"
	stop "$STARTED"
	stop "$GUARD_PID"
	is_unguarded
}

@test "lets everybody else's RSTs go" {
	start_guard
	# A program speaks from a port of its own; the kernel refuses on the others.
	is_equal "$(raw_client "$V4" --port=20001)" "answered hello"
	run in_server timeout $((20 * PATIENCE)) nc -v -z -w $((15 * PATIENCE)) 10.0.0.1 20002
	[[ $output == *refused* ]]
	run in_server timeout $((20 * PATIENCE)) nc -v -z -w $((15 * PATIENCE)) 10.0.0.1 20001
	[[ $output == *refused* ]]
	# A SYN that was sent again has a RST of its own.
	is_equal "$(listed 'select(.type == "guard") | .counters | "\(.rst_dropped) \(.rst_not_ours >= 2)"')" "0 true"
	stop "$GUARD_PID"
}

@test "takes its command's exit status, and passes signals on" {
	local status=0
	guarded -- sh -c 'exit 7' || status=$?
	is_equal "$status" 7
	run -127 guarded -- /nonexistent/command
	is_equal "$status $output" "127 nolisten: guard: cannot run '/nonexistent/command': not found"
	: >"$BATS_TEST_TMPDIR/plain"
	run guarded -- "$BATS_TEST_TMPDIR/plain"
	is_equal "$status $output" "126 nolisten: guard: cannot run '$BATS_TEST_TMPDIR/plain': Permission denied"
	printf 'printf "%%s|" "$@"; exit 8\n' >"$BATS_TEST_TMPDIR/script"
	chmod +x "$BATS_TEST_TMPDIR/script"
	run guarded -- "$BATS_TEST_TMPDIR/script" one "t w o"
	is_equal "$status $output" "8 one|t w o|"
	PATH=$BATS_TEST_TMPDIR:$PATH run guarded -- script three
	is_equal "$status $output" "8 three|"
	run guarded -- sh -c 'kill -9 $$'
	is_equal "$status" 137
	run in_client env --ignore-signal=CHLD "$NOLISTEN" guard eth0 -q -- sh -c 'exit 7'
	is_equal "$status" 7
	start_ready command ip netns exec "$CLIENT" "$NOLISTEN" guard eth0 -- python3 -c '
import signal, sys
signal.signal(signal.SIGTERM, lambda *_: sys.exit(3))
print("ready", flush=True)
signal.pause()'
	GUARD_PID=$STARTED
	kill -TERM "$GUARD_PID"
	wait_for 5 is_gone "$GUARD_PID"
	status=0
	wait "$GUARD_PID" || status=$?
	is_equal "$status" 3
	is_unguarded
}

@test "leaves nothing behind when the guard, its command or both are killed" {
	local victims victim links
	has_tcx || skip "no TCX"
	for victims in guard command "guard command"; do
		start_ready command ip netns exec "$CLIENT" "$NOLISTEN" guard eth0 -- python3 -c '
import os, signal
print("ready", os.getpid(), flush=True)
signal.pause()'
		GUARD_PID=$STARTED
		COMMAND_PID=$(awk '{ print $2 }' "$BATS_FILE_TMPDIR/command.out")
		mapfile -t links < <(links_of "$GUARD_PID")
		is_equal "${#links[@]}" 2
		for victim in $victims; do
			[ "$victim" = guard ] && kill -KILL "$GUARD_PID" || kill -KILL "$COMMAND_PID"
		done
		wait_for 5 is_gone "$GUARD_PID"
		wait_for 5 are_gone "${links[@]}"
		is_unguarded
		is_gone "$COMMAND_PID" || stop "$COMMAND_PID" KILL
	done
}

@test "passes the terminal's signals on to a command that has left its process group" {
	run in_client timeout 20 python3 -c '
import os, sys
pid, terminal = os.forkpty()
if not pid:
    os.execvp(sys.argv[1], sys.argv[1:])
text = b""
while b"ready" not in text:
    text += os.read(terminal, 1024)
os.write(terminal, b"\3")
print(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))
' "$NOLISTEN" guard eth0 -q -- setsid sh -c 'echo ready; exec sleep 30'
	is_equal "$output" 130
	is_unguarded
}

@test "lists a guard whatever its command is called" {
	local name=$BATS_TEST_TMPDIR/ääääääää
	ln -s "$(type -P sleep)" "$name"
	start_guard -- "$name" 60
	is_equal "$(listed .for)" "???????????????"
	stop "$GUARD_PID" TERM
}

@test "ends with the process that --pid names" {
	start_ready process python3 -c 'import signal; print("ready", flush=True); signal.pause()'
	local process=$STARTED
	start_guard --pid="$process"
	is_equal "$(raw_client "$V4")" "answered hello"
	stop "$process"
	wait_for 5 is_gone "$GUARD_PID"
	is_unguarded
}

@test "shows the leases of several guards at a time, and a port is guarded until the last of them ends" {
	start_guard -p 20001
	SECOND_PID=$GUARD_PID
	start_guard --lease=port
	is_equal "$(raw_client "$V4" --port=20001)" "answered hello"
	is_equal "$(listed 'select(.type == "guard") | "\(.mode) \(.ports) \(.leases)"' | sort | xargs)" "leased ports null 1 ports 20001 0"
	is_equal "$(listed 'select(.type == "lease") | "\(.local) \(.remote) \(.sender) \(.out)"')" "10.0.0.1:20001 * raw 3"
	[[ $(in_client "$NOLISTEN" guard --list) == *"1 of 131072 leases"* ]]
	[[ $(in_client bpftool map dump name nol_leases) == *'"sender": "NOL_SENDER_RAW"'* ]]
	stop "$SECOND_PID"
	is_equal "$(raw_client "$V4" --port=20001)" "answered hello"
	stop "$GUARD_PID"
	is_equal "$(raw_client "$V4" --port=20001)" reset
}
