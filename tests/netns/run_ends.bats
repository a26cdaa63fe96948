#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# nolisten run: how it begins, with a data plane of its own, how it ends, and that nothing is left.
bats_require_minimum_version 1.5.0
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
}

teardown()
{
	end_runs
	wait_for 10 has_no_loader
}

@test "python's http.server: served on every interface, and nobody listens" {
	local way
	for way in $(run_ways); do
		web 8000 "$way"
		is_equal "$(get http://10.0.0.2:8000/)$(get 'http://[fd00::2]:8000/')" hellohello
		is_equal "$(in_server curl -sS -m 5 http://127.0.0.1:8000/)" hello
		not listens 8000
		is_refused 10.0.0.2 8001
		end_runs
		is_refused 10.0.0.2 8000
		wait_for 5 has_no_loader
		wait_for 5 is_detached
	done
}

@test "COMMAND dies: its port is refused, and nothing is left" {
	web 8000
	kill -KILL "$(children_of "$WEB" | xargs -n 1 | tail -1)"
	wait_for 5 is_gone "$WEB"
	status=0
	wait "$WEB" || status=$?
	is_equal "$status" 137
	is_refused 10.0.0.2 8000
	wait_for 5 has_no_loader
	wait_for 5 is_detached
}

@test "the supervisor is killed: COMMAND is told to end, and nothing is left" {
	local way command
	for way in $(run_ways); do
		web 8000 "$way"
		command=$(pgrep -P "$WEB" -f http.server)
		stop "$WEB" KILL
		wait_for 5 is_gone "$command"
		wait_for 5 has_no_loader
		is_refused 10.0.0.2 8000
		RUNS=()
	done
}

# kill_loaders: of the server's namespace, and waits for their end.
kill_loaders()
{
	local pid
	for pid in $(ip netns pids "$SERVER"); do
		[[ $(tr '\0' ' ' <"/proc/$pid/cmdline") == *nolisten-loader* ]] || continue
		kill -KILL "$pid"
		wait_for 5 is_gone "$pid"
	done
}

serves_both()
{
	[ "$(get http://10.0.0.2:8000/ 'http://[fd00::2]:8000/')" = hello$'\n'hello ]
}

@test "what answers is killed: it is started again, and answers all that it did" {
	web 8000 "$(run_ways | head -1)"
	kill_loaders
	wait_for 15 serves_both
}
