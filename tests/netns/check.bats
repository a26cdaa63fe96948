#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# --check says yes where the loader runs and no where it does not. Where it does not: without CAP_PERFMON the verifier
# of many a kernel takes none of our programs; with few descriptors they cannot all be loaded.
load helpers
load accept

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
	is_detached
}

check()
{
	run in_server "$LOADER" --check "$@"
}

# check_untrusted [OPTION...]: by a verifier that does not trust us; standard error is in $BATS_TEST_TMPDIR/err.
check_untrusted()
{
	# shellcheck disable=SC2016
	run in_server setpriv --bounding-set=-perfmon,-sys_admin --inh-caps=-perfmon,-sys_admin \
		sh -c 'exec "$@" 2>"$0"' "$BATS_TEST_TMPDIR/err" "$LOADER" --check "$@"
}

# needs_rejection: some verifiers take the programs even so.
needs_rejection()
{
	check_untrusted
	[[ $output == *"FAILED   nolisten, plain"*"rejected by the verifier"* ]] ||
		skip "this kernel's verifier takes the programs without CAP_PERFMON"
}

last_line()
{
	echo "${lines[-1]}"
}

@test "loads every object here, and says yes" {
	check
	is_equal "$status" 0
	is_equal "$(last_line)" "this host can run nolisten"
	[[ $output != *FAILED* && $output != *MISSING* ]]
	for name in "nolisten, plain" "nolisten, connect" "nolisten, workers" "nolisten, loopback" \
		"nolisten, no link header" cwnd trace resets meet self bench; do
		grep -q "^ok  *$name " <<<"$output"
	done
}

@test "loads for an interface what these options would load" {
	check -m connect eth0
	is_equal "$status" 0
	grep -q "^ok  *nolisten, eth0 " <<<"$output"
	is_equal "$(last_line)" "this host can run method connect"
	check -m filter eth0
	is_equal "$status" 0
	is_equal "$(last_line)" "this host can run method filter"
}

@test "says no where the verifier takes nothing, and in one line each which program and why" {
	needs_rejection
	is_equal "$status" 1
	is_equal "$(grep -c "^FAILED  *nolisten, .*: nol_[a-z_]* is rejected by the verifier: R[0-9] " <<<"$output")" 5
	is_equal "$(grep -c "^absent  *\(trace\|resets\|meet\|self\|bench\)  *nolisten .*: " <<<"$output")" 5
	[[ $output == *"method connect (use engine): nol_"* ]]
	is_equal "$(last_line)" "this host cannot run methods with BPF; nfqueue, filter and raw do without"
	is_equal "${#lines[@]}" "$(in_server "$LOADER" --check | wc -l)"
	[ ! -s "$BATS_TEST_TMPDIR/err" ]
}

@test "shows the end of the verifier's log with -v" {
	needs_rejection
	check_untrusted -v
	is_equal "$status" 1
	grep -A20 "^FAILED  *nolisten, plain" <<<"$output" | grep -q "^         | processed [0-9]* insns"
	[ "$(grep -c '^         | ' <<<"$output")" -le $((13 * 20)) ]
}

@test "asks nothing of the verifier for methods without BPF" {
	needs_rejection
	check_untrusted -m filter
	is_equal "$status" 0
	[[ $output == *"ok       nfnetlink "* ]]
	[[ $output == *"absent   nolisten, plain"* ]]
	is_equal "$(last_line)" "this host can run method filter"
}

@test "tells programs the same as JSON, one object on standard output" {
	run bash -c 'ip netns exec "$0" "$1" --check -j 2>"$2"' "$SERVER" "$LOADER" "$BATS_TEST_TMPDIR/err"
	is_equal "$status ${#lines[@]}" "0 1"
	[ ! -s "$BATS_TEST_TMPDIR/err" ]
	is_equal "$(jq -r '"\(.kernel) \(.machine)"' <<<"$output")" "$(uname -r) $(uname -m)"
	is_equal "$(jq -c '.can_run' <<<"$output")" '{"with_bpf":true,"without_bpf":true}'
	jq -e '[.features[] | has("name") and has("needed_for") and (.required | type == "boolean")
		and (.present | type == "boolean")] | length > 10 and all' <<<"$output"
	local accepts=true/null
	can_accept || accepts="false/this kernel has no bpf_sk_assign_tcp_reqsk (Linux 6.9)"
	is_equal "$(jq -r '[.loads[] | "\(.object)/\(.variant)/\(.required)/\(.ok)/\(.reason)"] | join(" ")' \
		<<<"$output")" "nolisten/plain/true/true/null nolisten/connect/true/true/null \
nolisten/accept/false/$accepts nolisten/workers/true/true/null nolisten/loopback/true/true/null nolisten/no link header/true/true/null \
nolisten/tarpit/false/true/null nolisten/capture/false/true/null nolisten/capture connect/false/true/null nolisten/capture accept/false/$accepts \
cwnd//false/true/null trace//false/true/null resets//false/true/null meet//false/true/null lease//false/true/null self//false/true/null bench//false/true/null"
}

@test "JSON has the reasons, and with -v the logs" {
	needs_rejection
	check_untrusted -j
	is_equal "$status ${#lines[@]}" "1 1"
	is_equal "$(jq -c '.can_run' <<<"$output")" '{"with_bpf":false,"without_bpf":true}'
	jq -e '.loads[0] | .required and (.ok | not) and (.reason | test("^nol_[a-z_]+ is rejected"))
		and (has("log") | not)' <<<"$output"
	check_untrusted -jv
	jq -e '.loads[0].log | length > 1 and length <= 20 and (.[-1] | test("^processed"))' <<<"$output"
}

@test "is not fooled by the capabilities that root of a user namespace has" {
	run in_server unshare -Ur "$LOADER" --check
	is_equal "$status" 1
	[[ $output == *"MISSING  CAP_BPF and CAP_PERFMON"* && $output == *"not permitted: bpf() needs root"* ]]
}

@test "says no, as the loader does, where there are too few descriptors" {
	run in_server prlimit --nofile=10:10 "$LOADER" --check
	is_equal "$status" 1
	[[ $output == *"FAILED   nolisten, plain"*"Too many open files"* ]]
	run in_server prlimit --nofile=10:10 "$LOADER" eth0
	is_equal "$status ${#lines[@]}" "1 1"
	[[ $output == *"eth0: cannot load the programs: nol_"*" cannot be made: Too many open files (ulimit -n "* ]]
}

@test "refuses what makes no sense, and says when it cannot write" {
	refused_loader 2 "--json: goes with --check" -j eth0
	refused_loader 2 "--check: takes no argument" --check=json
	refused_loader 2 "--json: takes no argument" --check --json=yes
	refused_loader 1 "eth9: no such interface" --check eth9
	for option in -q -j; do
		run in_server sh -c "'$LOADER' --check $option >/dev/full"
		is_equal "$status" 1
		is_equal "$output" "nolisten-loader: --check: cannot write: No space left on device"
	done
}

@test "attaches nothing, and disturbs no loader that runs" {
	start_loader
	check eth0
	is_equal "$status" 0
	is_equal "$(echo_back 10.0.0.2 34567 hello)" hello
	stop_loader
}
