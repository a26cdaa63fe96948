#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# nolisten run --socket: a loader answers that runs already, and goes on.
load helpers
load accept
load run

setup_file()
{
	run_lab_up
}

teardown_file()
{
	run_lab_down
}

setup()
{
	RUNS=()
	LOADER_PID=
	AT=$BATS_TEST_TMPDIR/socket
}

teardown()
{
	end_runs
	stop_leftover_loader
}

# at_loader NAME COMMAND...: until it is ready.
at_loader()
{
	start_run "$1" --socket="$AT" -- "${@:2}"
	RUNS+=("$STARTED")
	wait_for 10 has_text "$BATS_FILE_TMPDIR/$1.out" ready
}

# serves_both METHOD: two commands, one after the other, at a loader of that method.
serves_both()
{
	start_loader -q -m "$1" -p 8080-8081 -s "socket:$AT"
	for i in 1 2; do
		at_loader "run-$i" "$TOOLS/echo_server" 8080
		is_equal "$(echo_back 10.0.0.2 8080 hello)" hello
		is_equal "$(echo_back fd00::2 8080 hello)" hello
		not listens 8080
		end_runs
		is_refused 10.0.0.2 8080
	done
	not is_gone "$LOADER_PID"
	stop_loader
}

@test "the loader of auto puts connections in, that of accept queues them" {
	serves_both auto
	! can_accept || serves_both accept
}

@test "what the loader does not answer COMMAND is told of, and what it has is not another's" {
	start_loader -q -p 8080-8081 -s "socket:$AT"
	at_loader first "$TOOLS/echo_server" 8080
	run nolisten_run --socket="$AT" -- "$TOOLS/echo_server" 8080
	is_equal "$status" 1
	[[ $output == *"Address already in use"* ]]
	run nolisten_run --socket="$AT" -- "$TOOLS/echo_server" 9999
	[ "$status" = 1 ]
	is_equal "$(echo_back 10.0.0.2 8080 unharmed)" unharmed
}

@test "a loader that ends takes its ports with it, and COMMAND is left" {
	start_loader -q -p 8080 -s "socket:$AT"
	at_loader run "$TOOLS/echo_server" 8080
	stop_loader
	wait_for 5 has_text "$BATS_FILE_TMPDIR/run.err" "$AT"
	is_refused 10.0.0.2 8080
	not is_gone "${RUNS[0]}"
}
