#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# nolisten top, in terminals of several types, and as text and JSON for programs.
load helpers

setup_file()
{
	lab_up
	export PYTHONPATH=$REPO/tests/tools PYTHONDONTWRITEBYTECODE=1
}

teardown_file()
{
	lab_down
}

teardown()
{
	stop_leftover_loader
	[ -z "${SECOND_PID:-}" ] || stop "$SECOND_PID"
	SECOND_PID=
	in_server ip link del dum0 2>/dev/null || :
}

# second_loader: on an interface behind eth0 in the alphabet.
second_loader()
{
	in_server ip link add veth9 type veth peer name veth8
	in_server ip link set veth9 up
	nsenter --net="/run/netns/$SERVER" "$LOADER" -q -p 99 -a 10.0.0.2 veth9 2>"$BATS_TEST_TMPDIR/second" 3>&- &
	SECOND_PID=$!
	wait_for 10 has_text "$BATS_TEST_TMPDIR/second" answering
}

remove_second()
{
	stop "$SECOND_PID"
	SECOND_PID=
	in_server ip link del veth9
}

# in_terminal: the script on standard input has a class Terminal, and the functions below.
in_terminal()
{
	in_server python3 -c "
import signal, sys
from terminal import Terminal
nolisten, loader = sys.argv[1], int(sys.argv[2])
$(cat)" "$NOLISTEN" "${LOADER_PID:-0}" "$LOADER"
}

# talk COUNT [HOST]: connections that stay as long as the process $TALKER.
talk()
{
	start_ready talker nsenter --net="/run/netns/$CLIENT" python3 -c '
import signal, socket, sys
all = [socket.create_connection((sys.argv[2], 34567)) for i in range(int(sys.argv[1]))]
for one in all:
    one.send(b"x")
    one.recv(1)
print("ready", flush=True)
signal.pause()' "$1" "${2:-10.0.0.2}"
	TALKER=$STARTED
}

@test "--once says what happened between two looks, in plain text" {
	start_loader -q -m engine
	burst 30 100
	run in_server "$NOLISTEN" top --once
	is_equal "$status" 0
	[[ ${lines[0]} == "eth0: method engine, xdp generic, guard tcx, up 0m0"*", pid $LOADER_PID, workers 1" ]]
	[[ ${lines[1]} == "answers ports 34567 with echo on 10.0.0.2/32"* ]]
	grep -qE '^SYN +0 +30 +established +0 +30$' <<<"$output"
	grep -qE '^10\.0\.0\.1 +[0-9]+ +0 +0 +100\.0%$' <<<"$output"
	[[ $output != *$'\e'* ]]
}

@test "--once -j and --batch -j are a JSON object a line, with rates" {
	start_loader -q
	talk 7
	talk_v6=$TALKER
	talk 5 fd00::2
	run in_server "$NOLISTEN" top --once -j eth0
	is_equal "$status,${#lines[@]}" 0,1
	is_equal "$(jq -r '"\(.interface) \(.pid) \(.flows) \(.sampled) \(.is_sample)"' <<<"$output")" "eth0 $LOADER_PID 12 12 false"
	is_equal "$(jq -c '[.sources[] | {source, flows, handed_off}]' <<<"$output")" \
		'[{"source":"10.0.0.1","flows":7,"handed_off":7},{"source":"fd00::/64","flows":5,"handed_off":5}]'
	is_equal "$(jq -c '[.states, .methods, .rates.handed_off.total]' <<<"$output")" '[{"handed_off":12},{"xdp":12},12]'
	jq -e '.interval_s > 0.9 and .handoff_us.p50_at_most >= 10 and .rates.syn.per_s == 0' <<<"$output"
	stop "$TALKER"
	stop "$talk_v6"
	start batch nsenter --net="/run/netns/$SERVER" "$NOLISTEN" top --batch -j -n 2
	batch=$STARTED
	wait_for 5 top_has_asked
	burst 200 10
	wait_for 10 is_gone "$batch"
	is_equal "$(wc -l <"$BATS_FILE_TMPDIR/batch.out")" 2
	jq -se 'map(.rates.established.per_s) | add > 0' "$BATS_FILE_TMPDIR/batch.out"
}

# The first look has been had: the process waits for the second.
top_has_asked()
{
	[[ $(cat "/proc/$batch/wchan") == *poll* ]]
}

@test "sources are as --source-prefix has them, and sorted as asked" {
	start_loader -q --source-prefix=24,56
	talk 3
	run in_server "$NOLISTEN" top --once -j
	is_equal "$(jq -r '.sources[0].source' <<<"$output")" 10.0.0.0/24
	stop "$TALKER"
}

@test "each of several loaders has its lines; one that goes is no reason to end" {
	start_loader -q
	second_loader
	run in_server "$NOLISTEN" top --once
	is_equal "$(grep -c '^eth0: method\|^veth9: method' <<<"$output")" 2
	start batch nsenter --net="/run/netns/$SERVER" "$NOLISTEN" top --batch -j -n 3
	batch=$STARTED
	wait_for 5 has_text "$BATS_FILE_TMPDIR/batch.out" veth9
	remove_second
	wait_for 10 is_gone "$batch"
	is_equal "$(jq -r .interface "$BATS_FILE_TMPDIR/batch.out" | grep -c eth0)" 3
	[ "$(grep -c 'veth9: no loader runs on it' "$BATS_FILE_TMPDIR/batch.err")" -le 1 ]
}

@test "without a loader it is one line, and exit status 1" {
	for way in --once --batch ""; do
		# shellcheck disable=SC2086
		run in_server "$NOLISTEN" top $way
		is_equal "$status,$output" "1,nolisten: no loader runs in this network namespace"
		# shellcheck disable=SC2086
		run in_server "$NOLISTEN" top $way eth0
		is_equal "$status,$output" "1,nolisten: eth0: no loader runs on it in this network namespace"
	done
}

@test "what a stranger says in a loader's name is not asked for" {
	start_ready stranger nsenter --net="/run/netns/$SERVER" setpriv --reuid=nobody --clear-groups python3 -c '
import signal, socket
with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as one:
    one.bind(b"\0nolisten/aaa")
    one.listen(5)
    print("ready", flush=True)
    signal.pause()'
	local stranger=$STARTED
	run in_server "$NOLISTEN" top --once
	is_equal "$status,$output" "1,nolisten: no loader runs in this network namespace"
	start_loader -q
	run in_server timeout 20 "$NOLISTEN" top --once -j
	is_equal "$status,${#lines[@]}" 0,1
	is_equal "$(jq -r .interface <<<"$output")" eth0
	stop "$stranger"
}

@test "refuses what makes no sense, and says when it cannot write" {
	start_loader -q
	for bad in "-j" "-n 3" "--once --batch" "-d 0" "-d 1x" "-s colour" "eth0 eth1"; do
		# shellcheck disable=SC2086
		run in_server "$NOLISTEN" top $bad
		is_equal "$status,${#lines[@]}" 2,1
	done
	run in_server sh -c "'$NOLISTEN' top --once >/dev/full"
	is_equal "$status,$output" "1,nolisten: top: cannot write: No space left on device"
	run in_server "$NOLISTEN" top </dev/null
	is_equal "$status,$output" "1,nolisten: top: this is no terminal: use --once or --batch"
	run in_server setpriv --reuid=65534 --clear-groups "$NOLISTEN" top --once eth0
	is_equal "$status,$output" "1,nolisten: eth0: the loader answers: only root and the user that it runs as may ask"
}

@test "shows the same in terminals of several types, and leaves them as they were" {
	start_loader -q
	talk 3
	in_terminal <<-'EOF'
		for term in "xterm", "screen", "linux", "vt100":
		    terminal = Terminal([nolisten, "top"], term)
		    terminal.wait_for("eth0: method auto", "established", "SOURCE", "10.0.0.1", "100.0%", "q quit")
		    assert all(len(line) <= 80 for line in terminal.text().split("\n"))
		    assert terminal.colours == (term != "vt100"), term
		    terminal.send("q")
		    assert terminal.wait_for_end() == 0
		    assert terminal.is_restored(), term
		terminal = Terminal([nolisten, "top"], "xterm", environment={"NO_COLOR": "1"})
		terminal.wait_for("10.0.0.1")
		terminal.send("q")
		assert terminal.wait_for_end() == 0 and not terminal.colours
		terminal = Terminal([nolisten, "top"], "no-such-terminal")
		assert terminal.wait_for_end() == 1
		assert "no-such-terminal is not known" in terminal.text(), terminal.text()
		assert terminal.is_restored()
	EOF
	stop "$TALKER"
}

@test "obeys its keys: sort, pause, help, the size of the terminal" {
	start_loader -q
	talk 3
	in_terminal <<-'EOF'
		terminal = Terminal([nolisten, "top"])
		terminal.wait_for("FLOWS*")
		terminal.send("h")
		terminal.wait_for("HALF-OPEN*")
		terminal.send("o")
		terminal.wait_for("HANDED-OFF*")
		terminal.send("s")
		terminal.wait_for("SOURCE*")
		terminal.send("?")
		terminal.wait_for("sort sources", "a sample of a larger table")
		terminal.send("?p")
		terminal.wait_for("PAUSED", "10.0.0.1")
		terminal.send("p")
		terminal.wait_until(lambda text: "PAUSED" not in text)
		for rows, columns in (50, 132), (10, 40), (1, 1), (3, 20), (24, 80):
		    terminal.resize(rows, columns)
		    if rows >= 24:
		        terminal.wait_for("SOURCE*", "10.0.0.1", "q quit")
		terminal.send("\x1b[A\x1b[5~xyz")
		terminal.wait_for("SOURCE*")
		terminal.kill(signal.SIGTERM)
		assert terminal.wait_for_end() == 0
		assert terminal.is_restored()
	EOF
	stop "$TALKER"
}

@test "leaves the terminal as it was, whatever ends it" {
	start_loader -q
	in_terminal <<-'EOF'
		for number in signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT, signal.SIGSEGV, signal.SIGABRT:
		    terminal = Terminal([nolisten, "top"])
		    terminal.wait_for("eth0: method")
		    terminal.kill(number)
		    status = terminal.wait_for_end()
		    assert status == (-number if number in (signal.SIGSEGV, signal.SIGABRT) else 0), (number, status)
		    assert terminal.is_restored(), number
		terminal = Terminal([nolisten, "top"])
		terminal.wait_for("eth0: method")
		terminal.send("\x03")
		assert terminal.wait_for_end() == 0 and terminal.is_restored()
	EOF
}

@test "waits for a loader that goes away, and does not hang on one that stands still" {
	start_loader -q
	in_terminal <<-'EOF'
		import os, subprocess
		terminal = Terminal([nolisten, "top", "eth0"])
		terminal.wait_for("eth0: method")
		os.kill(loader, signal.SIGSTOP)
		terminal.send("?")
		terminal.wait_for("sort sources", seconds=3)
		terminal.send("?")
		terminal.wait_for("eth0: the loader does not answer; waiting for one", seconds=15)
		os.kill(loader, signal.SIGCONT)
		terminal.wait_for("eth0: method")
		os.kill(loader, signal.SIGKILL)
		terminal.wait_for("eth0: no loader runs on it in this network namespace; waiting for one")
		again = subprocess.Popen([sys.argv[3], "-q", "eth0"], stderr=subprocess.DEVNULL)
		terminal.wait_for("eth0: method")
		again.terminate()
		terminal.wait_for("waiting for one")
		terminal.send("q")
		assert terminal.wait_for_end() == 0 and terminal.is_restored()
	EOF
}

@test "goes from one loader to the other" {
	start_loader -q
	second_loader
	in_terminal <<-'EOF'
		terminal = Terminal([nolisten, "top"])
		terminal.wait_for("eth0: method", "ports 34567")
		terminal.send(">")
		terminal.wait_for("veth9: method", "ports 99")
		terminal.send("\x1bOC")
		terminal.wait_for("eth0: method", "ports 34567")
		terminal.send("\x1bOD")
		terminal.wait_for("veth9: method")
		terminal.send("q")
		assert terminal.wait_for_end() == 0
	EOF
	remove_second
}
