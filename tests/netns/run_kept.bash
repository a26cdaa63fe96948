# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# shellcheck shell=bash
# A lab for all tests of a file, in which one `nolisten run` keeps the loader that the others share.

setup_file()
{
	needs_accept
	lab_up
	FILE_SERVER=$SERVER FILE_CLIENT=$CLIENT
	# The loader lives as long as somebody uses it: here, as long as this one.
	start keeper nsenter --net="/run/netns/$SERVER" "$NOLISTEN" run -i eth0 -- sh -c 'echo ready; exec sleep infinity'
	KEEPER=$STARTED
	wait_for 15 has_text "$BATS_FILE_TMPDIR/keeper.out" ready
	export FILE_SERVER FILE_CLIENT KEEPER
}

teardown_file()
{
	stop "$KEEPER"
	run_lab_down
}

setup()
{
	SERVER=$FILE_SERVER CLIENT=$FILE_CLIENT
	RUNS=()
}

teardown()
{
	end_runs
	[ "$SERVER" = "$FILE_SERVER" ] || run_lab_down
}
