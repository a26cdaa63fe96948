#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# A little of tests/soak/fuzz: it counts, goes on where it was, and keeps what crashes.

setup()
{
	bats_require_minimum_version 1.5.0
	built=$(realpath "${O:-build}")/fuzz/tcpopt_fuzz
	export O=$BATS_TEST_TMPDIR FUZZ_SLICE=1
	mkdir "$O/fuzz"
}

# runs_of OUTPUT: that the row of tcpopt tells.
runs_of()
{
	awk '$1 == "tcpopt" { print $2 }' <<<"$1"
}

# crashing: a target that crashes with every input while there is a file.
crashing()
{
	: >"$O/is-wrong"
	cat >"$O/fuzz/wrong_fuzz" <<-'END'
		#!/bin/bash
		for last; do
			[[ $last != -artifact_prefix=* ]] || prefix=${last#*=}
		done
		[ -e "$O/is-wrong" ] || printf '#1\tINITED\nstat::number_of_executed_units: 100000\n'
		[ -e "$O/is-wrong" ] || exit 0
		echo bad >"${prefix}crash-1"
		exit 77
	END
	chmod +x "$O/fuzz/wrong_fuzz"
}

@test "makes as many runs as asked for and no more the next time" {
	ln -s "$built" "$O/fuzz"
	run -0 tests/soak/fuzz 3000
	[ "${lines[-1]}" = passed ]
	[ "$(runs_of "$output")" -ge 3000 ]
	first=$output
	run -0 tests/soak/fuzz 3000 tcpopt
	[ "$output" = "$first" ]
}

@test "goes on where it was interrupted" {
	ln -s "$built" "$O/fuzz"
	tests/soak/fuzz 100000000000 >"$O/rows" &
	soak=$!
	for ((i = 0; i < 600; i++)); do
		[ ! -e "$O/fuzz/soak/tcpopt/done" ] || break
		sleep 0.05
	done
	kill "$soak"
	status=0
	wait "$soak" || status=$?
	[ "$status" = 143 ]
	made=$(runs_of "$(<"$O/rows")")
	[ "$made" -gt 0 ]
	run -0 tests/soak/fuzz $((made + 1000))
	[ "$(runs_of "$output")" -ge $((made + 1000)) ]
	[ "$(runs_of "$output")" -lt $((2 * made + 1000000)) ]
}

@test "fails and keeps the input of a crash and tries it first the next time" {
	crashing
	run -1 tests/soak/fuzz 1000 wrong
	[ "$(<"$O/fuzz/soak/wrong/crashes/crash-1")" = bad ]
	run -1 tests/soak/fuzz 1000 wrong
	rm "$O/is-wrong"
	run -0 tests/soak/fuzz 1000 wrong
	[ ! -e "$O/fuzz/soak/wrong/crashes/crash-1" ]
	[ -e "$O/fuzz/soak/wrong/corpus/crash-1" ]
}

# pretend BODY: a target that does that.
pretend()
{
	printf '#!/bin/bash\n%s\n' "$1" >"$O/fuzz/wrong_fuzz"
	chmod +x "$O/fuzz/wrong_fuzz"
}

@test "a target that is killed has crashed, and one whose slices end before they begin is told of" {
	pretend 'printf "#1\tINITED\n#7\tNEW\n"; kill -KILL $$'
	run -1 tests/soak/fuzz 1000 wrong
	[[ $output = *"wrong: crashed, exit status 137"* ]]
	[ "$(awk '$1 == "wrong" { print $2 }' <<<"$output")" -ge 6 ]
	rm -r "$O/fuzz/soak"
	pretend 'printf "#9\tINITED\nstat::number_of_executed_units: 9\n"'
	run -1 tests/soak/fuzz 1000 wrong
	[[ $output = *"wrong: no slice of 1 s gets beyond its corpus: FUZZ_SLICE may be longer"* ]]
}

@test "the rest is made however small it is" {
	ln -s "$built" "$O/fuzz"
	run -0 tests/soak/fuzz 3000
	made=$(runs_of "$output")
	run -0 tests/soak/fuzz $((made + 1))
	[ "$(runs_of "$output")" -gt "$made" ]
}

@test "says which targets there are" {
	crashing
	run -2 tests/soak/fuzz 10 nothing
	[[ "$output" = *"'nothing': no such target"*"there are wrong"* ]]
	run -2 tests/soak/fuzz many
	[[ "$output" = *"'many': how many runs?"* ]]
}
