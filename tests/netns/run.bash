# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# shellcheck shell=bash
# What the tests of `nolisten run` share.

run_lab_up()
{
	lab_up
	mkdir -p "$BATS_FILE_TMPDIR/www"
	echo hello >"$BATS_FILE_TMPDIR/www/index.html"
	chmod 755 "$BATS_RUN_TMPDIR" "$BATS_FILE_TMPDIR"
}

# Loaders end by themselves, soon after their last application, and take their pins with them.
run_lab_down()
{
	wait_for 10 has_no_loader
	lab_down
}

# run_ways: the options for each way that this kernel has.
run_ways()
{
	! can_accept || echo --quiet
	echo --no-parent
}

# start_run NAME [OPTION...] -- COMMAND...: in the server's namespace, in the background; its pid is in $STARTED.
start_run()
{
	start "$1" nsenter --net="/run/netns/$SERVER" "$NOLISTEN" run "${@:2}"
}

# nolisten_run [OPTION...] -- COMMAND...: until it ends.
nolisten_run()
{
	in_server timeout -k 1 $((20 * PATIENCE)) "$NOLISTEN" run "$@"
}

# is_served ADDRESS PORT: somebody answers there.
is_served()
{
	in_client nc -z -w 2 "$1" "$2"
}

# listens PORT: does any socket, by what ss says?
listens()
{
	in_server ss -Hltn "sport = :$1" | grep -q .
}

# children_of PID
children_of()
{
	ps -o pid= --ppid "$1"
}

# has_no_loader: none is left in the server's namespace.
has_no_loader()
{
	local pid
	for pid in $(ip netns pids "$SERVER"); do
		[[ $(tr '\0' ' ' <"/proc/$pid/cmdline") != *nolisten-loader* ]] || return
	done 2>/dev/null
}

# end_runs: those that a test has started, and what they have left.
end_runs()
{
	local pid
	for pid in "${RUNS[@]}"; do
		stop "$pid" TERM || stop "$pid" KILL
	done
	RUNS=()
}

# web PORT [OPTION...]: python's server under run, for both families.
web()
{
	start_run "web-$1" "${@:2}" -- python3 -m http.server --bind :: --directory "$BATS_FILE_TMPDIR/www" "$1"
	WEB=$STARTED
	RUNS+=("$WEB")
	wait_for 10 is_served 10.0.0.2 "$1" && return
	cat "$BATS_FILE_TMPDIR/web-$1".{out,err} >&2
	return 1
}

get()
{
	in_client curl -sS -m $((5 * PATIENCE)) "$@"
}
