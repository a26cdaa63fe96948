#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# nolisten run --restart: connections wait for the next one. A hundred restarts beside other ways: tests/soak/restart.
load helpers
load accept
load run
load run_kept

# own_lab: where nobody else keeps a loader.
own_lab()
{
	lab_up
}

# restarted OPTION... -- COMMAND...: until it is ready.
restarted()
{
	start_run run -i eth0 "$@"
	RUN=$STARTED
	RUNS+=("$RUN")
	wait_for 10 has_text "$BATS_FILE_TMPDIR/run.out" ready
}

has_ready()
{
	[ "$(grep -c ready "$BATS_FILE_TMPDIR/run.out")" -ge "$1" ]
}

echo_of()
{
	in_client timeout 15 nc -N -w 12 "$1" 8080 <<<"${2:-hello}"
}

# command: its process.
command_pid()
{
	local pid
	for pid in $(children_of "$RUN"); do
		[[ $(tr '\0' ' ' <"/proc/$pid/cmdline") == *nolisten-loader* ]] || echo "$pid"
	done
}

@test "restarts under load lose no connection" {
	restarted --restart -- "$TOOLS/graceful_server" 8080
	start client nsenter --net="/run/netns/$CLIENT" "$TOOLS/steady_client" 10.0.0.2 8080 200 3 4000
	client=$STARTED
	for i in 1 2 3 4 5; do
		kill -HUP "$RUN"
		wait_for 10 has_ready $((i + 1))
	done
	wait_for 15 is_gone "$client"
	is_equal "$(jq '.clients - .served' "$BATS_FILE_TMPDIR/client.out")" 0
	[ "$(jq .clients "$BATS_FILE_TMPDIR/client.out")" -ge 500 ]
}

@test "connections wait while COMMAND takes its time to start" {
	restarted --restart -- env DELAY_MS=500 "$TOOLS/graceful_server" 8080
	is_equal "$(echo_of 10.0.0.2)" hello
	kill -HUP "$RUN"
	wait_for 5 has_text "$BATS_FILE_TMPDIR/run.err" "is started again"
	for i in 1 2 3; do
		is_equal "$(echo_of 10.0.0.2 "message $i")" "message $i"
	done
	has_ready 2
}

@test "a server that is killed is started again, and its connections are served" {
	restarted --restart=on-failure -- "$TOOLS/graceful_server" 8080
	kill -KILL "$(command_pid)"
	is_equal "$(echo_of 10.0.0.2)" hello
	has_ready 2
	has_text "$BATS_FILE_TMPDIR/run.err" "has ended, status 137"
	kill "$(command_pid)"
	wait_for 10 is_gone "$RUN"
}

@test "a server that fails again and again is given up, with its status" {
	run nolisten_run -i eth0 --restart -- sh -c 'exit 5'
	is_equal "$status" 5
	[[ $output == *"has failed 5 times in a row"* ]]
	run nolisten_run -i eth0 --restart=on-failure -- true
	is_equal "$status" 0
	run nolisten_run -i eth0 --restart=sometimes -- true
	is_equal "$status" 2
}

@test "SIGTERM ends COMMAND and all of it" {
	own_lab
	restarted --restart -- "$TOOLS/graceful_server" 8080
	stop "$RUN"
	wait_for 5 has_no_loader
	is_detached
	is_refused 10.0.0.2 8080
}

@test "a data plane that is killed is started again, and what COMMAND listens on is answered again" {
	own_lab
	restarted --restart -- "$TOOLS/graceful_server" 8080
	is_equal "$(echo_of 10.0.0.2)" hello
	for pid in $(children_of "$RUN"); do
		[[ $(tr '\0' ' ' <"/proc/$pid/cmdline") != *"-- eth0 "* ]] || kill -KILL "$pid"
	done
	wait_for 5 has_text "$BATS_FILE_TMPDIR/run.err" "eth0: its loader has gone"
	wait_for 15 has_text "$BATS_FILE_TMPDIR/run.err" "eth0: is answered again"
	is_equal "$(echo_of 10.0.0.2)" hello
}

@test "two servers share the loaders, and the second goes on when the first has ended" {
	own_lab
	restarted -- "$TOOLS/graceful_server" 8080
	first=$RUN
	start_run second -i eth0 -- "$TOOLS/graceful_server" 8081
	RUNS+=("$STARTED")
	wait_for 10 has_text "$BATS_FILE_TMPDIR/second.out" ready
	is_equal "$(echo_of 10.0.0.2)" hello
	kill -KILL "$first"
	wait_for 5 is_refused 10.0.0.2 8080
	is_equal "$(in_client timeout 9 nc -N -w 5 10.0.0.2 8081 <<<other)" other
	run nolisten_run -i eth0 -- "$TOOLS/graceful_server" 8081
	is_equal "$status" 1
}

@test "many that are started at once share one loader" {
	own_lab
	for i in 1 2 3 4 5; do
		start_run "many-$i" -i eth0 -- sh -c 'echo ready; exec sleep infinity'
		RUNS+=("$STARTED")
	done
	for i in 1 2 3 4 5; do
		wait_for 20 has_text "$BATS_FILE_TMPDIR/many-$i.out" ready
	done
	is_equal "$(for pid in $(ip netns pids "$SERVER"); do tr '\0' ' ' <"/proc/$pid/cmdline"; echo; done | grep -c '^[^ ]*nolisten-loader ')" 1
}

@test "a loader that is somebody else's is said, with the way out" {
	own_lab
	start_loader
	run nolisten_run -i eth0 -- true
	is_equal "$status" 1
	[[ $output == *"eth0: another nolisten-loader is on this interface"* && $output == *"--socket=PATH"* ]]
	stop_loader
	run nolisten_run -i eth0 -- true
	is_equal "$status,$output" 0,
}
