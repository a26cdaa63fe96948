# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# shellcheck shell=bash
#
# kill -9 of the loader at random moments under load, for faults.bats and tests/soak/kill; needs crowds and accept. RANDOM has to be seeded. The load
# goes to port 34567 all the time; port 34568 is answered too, and a listener of the host has it, with a connection
# that must outlast everything.

# What a round starts the loader with.
KILL_WAYS=('-m auto' '-m xdp' '-m engine' '-m accept' '-m auto --workers=2' '-m auto -s exec:cat'
	'-m engine --workers=2' '-m engine --tc=clsact')
KILL_LONGEST_MS=1500
KILL_LAST=

# keep NAME PORT: a connection to an echo: write to the descriptor ${KEPT[NAME]}, what comes back is in the file NAME.
declare -gA KEPT=() KEEPER=()
keep()
{
	local name=$1 pipe=$BATS_TEST_TMPDIR/keep-$1 fd
	rm -f "$pipe"
	: >"$BATS_FILE_TMPDIR/kept-$name.out"
	mkfifo "$pipe"
	exec {fd}<>"$pipe"
	KEPT[$name]=$fd
	ip netns exec "$CLIENT" nc 10.0.0.2 "$2" <"$pipe" >"$BATS_FILE_TMPDIR/kept-$name.out" 2>&1 3>&- &
	KEEPER[$name]=$!
	goes_on "$name"
}

# goes_on NAME: the kept connection echoes.
goes_on()
{
	local text="$1 $RANDOM$RANDOM"
	echo "$text" >&"${KEPT[$1]}"
	wait_for 5 has_text "$BATS_FILE_TMPDIR/kept-$1.out" "$text"
}

let_go()
{
	local fd=${KEPT[$1]}
	exec {fd}>&-
	stop "${KEEPER[$1]}"
	unset "KEPT[$1]" "KEEPER[$1]"
}

kills_up()
{
	lab_up
	start_kernel_server 34568
	keep host 34568
	many_sources
	start_churn 8
}

kills_down()
{
	lab_down
}

# pause MS
pause()
{
	read -r -t "$(($1 / 1000)).$(printf '%03d' $(($1 % 1000)))" -u "$NOTHING" || :
}

has_no_xdp()
{
	[[ $(in_server ip link show) != *xdp* ]]
}

# is_clean OPTION...: nothing is attached; on clsact the filter stays, which holds nothing any more.
is_clean()
{
	case $* in
	*clsact*) wait_for 10 has_no_xdp && wait_for 5 is_refused 10.0.0.2 34567 ;;
	*) wait_for 10 is_detached || { in_server bpftool net show >&2; return 1; } ;;
	esac
}

# Of the loader nothing lives on but what it has started, until its connections end.
only_the_server_lives()
{
	[ "$(ip netns pids "$SERVER")" = "$KERNEL_SERVER" ]
}

# kill_once OPTION...: a round. The moment is somewhere from the first instruction on, or while it is answering.
kill_once()
{
	local is_early=$((RANDOM % 3 == 0)) moment_ms=$((RANDOM % KILL_LONGEST_MS)) has_child=
	# What a round on clsact has left is removed by the next start, if that gets so far.
	[[ $KILL_LAST != *clsact* ]] || is_early=0
	KILL_LAST=$*
	start_loader_unready -q -p 34567,34568 "$@"
	if [ $is_early = 0 ]; then
		wait_for 10 is_answering_or_gone && not is_gone "$LOADER_PID" || return
		[[ $* != *exec:* ]] || { keep child 34567 && has_child=1; } || return
	fi
	pause "$moment_ms"
	not is_gone "$LOADER_PID" || return
	stop "$LOADER_PID" KILL
	is_clean "$@" && is_refused 10.0.0.2 34567 && is_refused fd00::2 34567 && goes_on host || return
	[ -z "$has_child" ] || { goes_on child && let_go child; } || return
	wait_for 10 only_the_server_lives
}

# kill_rounds COUNT: the ways in turn; says in which round and of what it failed.
kill_rounds()
{
	local round way
	for ((round = 0; round < $1; round++)); do
		way=${KILL_WAYS[round % ${#KILL_WAYS[@]}]}
		[[ $way != *accept* ]] || can_accept || continue
		# shellcheck disable=SC2086
		kill_once $way || {
			echo "round $round: $way" >&2
			cat "$LOADER_LOG" >&2
			return 1
		}
	done
}

# The next start works, and no client was left without an answer: what a killed loader was handing over ends with a RST.
kills_are_over()
{
	start_loader -q && is_equal "$(echo_back 10.0.0.2 34567 after)" after &&
		is_equal "$(echo_back fd00::2 34567 after)" after && goes_on host && end_churn && stop_loader
}
