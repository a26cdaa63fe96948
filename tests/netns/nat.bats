#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# NAT and connection tracking on the server, as containers bring them: what method accept says of that, and what nolisten run does.
load helpers
load accept
load run

UNTRACKED='table inet untracked { chain pre { type filter hook prerouting priority raw; tcp dport { 34567 } notrack; }; }'

setup()
{
	RUNS=()
	needs_accept
	run_lab_up
	in_server nft 'table inet nat { chain post { type nat hook postrouting priority srcnat; oifname "docker0" masquerade; }; }
		table inet tracks { chain in { type filter hook input priority filter; ct state established accept; }; }' ||
		skip "this kernel has no NAT"
}

teardown()
{
	end_runs
	stop_leftover_loader
	run_lab_down
}

@test "method accept says that it resets, and the rule that it names cures it" {
	local way
	start_loader -m accept
	way=$(sed -n "s/.* connection tracking and NAT are on.* or nft '\(.*\)'$/\1/p" "$LOADER_LOG")
	is_equal "$way" "$UNTRACKED"
	not echo_back 10.0.0.2 34567 hello
	not echo_back fd00::2 34567 hello
	in_server nft "$way"
	is_equal "$(echo_back 10.0.0.2 34567 hello)" hello
	is_equal "$(echo_back fd00::2 34567 hello)" hello
	stop_loader
	start_loader -m accept
	not grep "NAT" "$LOADER_LOG"
}

@test "method auto has no such trouble" {
	start_loader -m auto
	is_equal "$(echo_back 10.0.0.2 34567 hello)" hello
	is_equal "$(echo_back fd00::2 34567 hello)" hello
	not grep "NAT" "$LOADER_LOG"
}

@test "nolisten run puts connections into the program, and says so" {
	start_run web -p 34567 -- python3 -m http.server --directory "$BATS_FILE_TMPDIR/www" --bind :: 34567
	RUNS+=("$STARTED")
	wait_for 15 is_served 10.0.0.2 34567
	is_equal "$(in_client curl -sS -m 5 http://10.0.0.2:34567/)" hello
	is_equal "$(in_client curl -sS -m 5 'http://[fd00::2]:34567/')" hello
	is_equal "$(grep -c 'NAT is on here' "$BATS_FILE_TMPDIR/web.err")" 1
	run nolisten_run --restart -p 34567 -- true
	is_equal "$status" 1
	is_equal "$output" "nolisten: run: --on-demand, --restart and --listen-fds need no NAT, or a rule: nft '$UNTRACKED'"
}

@test "nolisten run has the quick way for ports that are not tracked" {
	in_server nft "$UNTRACKED"
	start_run web -p 34567 -- python3 -m http.server --directory "$BATS_FILE_TMPDIR/www" --bind :: 34567
	RUNS+=("$STARTED")
	wait_for 15 is_served 10.0.0.2 34567
	is_equal "$(in_client curl -sS -m 5 'http://[fd00::2]:34567/')" hello
	not grep NAT "$BATS_FILE_TMPDIR/web.err"
}
