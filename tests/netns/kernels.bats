#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# What tests/kernels says when it cannot boot a kernel. Booting them is a part of its own.
load helpers

setup()
{
	export O=$BATS_TEST_TMPDIR/build
	mkdir -p "$O"
}

# says STATUS TEXT SUMMARY COMMAND...: one row with TEXT, and the summary behind it.
says()
{
	local expected=$1 text=$2 summary=$3
	shift 3
	run "$@"
	printf '%s\n' "${lines[@]}"
	is_equal "$status" "$expected"
	is_equal "${#lines[@]}" 2
	[[ ${lines[0]} == *"$text"* ]]
	is_equal "${lines[1]}" "$summary"
}

@test "says that apt is missing, and skips" {
	mkdir "$BATS_TEST_TMPDIR/bin"
	for command in bash dirname realpath df tail mktemp mkdir id rm sed ip awk cat; do
		ln -s "$(command -v $command)" "$BATS_TEST_TMPDIR/bin/"
	done
	says 0 'skipped (needs apt-get)' '0 passed, 0 failed, 1 skipped' \
		env PATH="$BATS_TEST_TMPDIR/bin" bash "$REPO/tests/kernels/run" 6.1
}

@test "says that there is no space, and skips" {
	says 0 'skipped (needs 2 GB in' '0 passed, 0 failed, 1 skipped' \
		unshare -m bash -c 'mount -t tmpfs -o size=10m tmpfs "$O" && exec "$1" 6.1' sh "$REPO/tests/kernels/run"
}

@test "says that there is no network, and skips" {
	says 0 'skipped (' '0 passed, 0 failed, 1 skipped' ip netns exec "$(add_offline)" "$REPO/tests/kernels/run" 6.1
	[[ ${lines[0]} == *[Ff]ailed* || ${lines[0]} == *resolve* ]]
}

# A namespace without any network.
add_offline()
{
	add_namespace offline
}

@test "fails for an architecture that it has no machine for" {
	says 1 'FAILED (no virtual machine for mips)' '0 passed, 1 failed, 0 skipped' "$REPO/tests/kernels/run" 6.1/mips
}

@test "fails for what is no version, and goes on with the next" {
	run "$REPO/tests/kernels/run" 'six;one' 6.1/mips
	is_equal "$status" 1
	[[ ${lines[0]} == *'FAILED (not a version: six;one)'* ]]
	is_equal "${lines[2]}" '0 passed, 2 failed, 0 skipped'
}

teardown()
{
	remove_namespace "nol-${NOL_RUN:-$$}-$$-offline"
}
