# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# shellcheck shell=bash
#
# Worlds that are compared: each a client and a server joined by a relay, and something that answers: a listener, or nolisten.
# tests/likeness plays the same connections in each, and compares.

LIKENESS=$REPO/tests/likeness

# prepare_end NAMESPACE ADDRESS...: nothing is remembered from one connection to the next, and no ACK waits for a timer of 1 ms.
prepare_end()
{
	local namespace=$1
	shift
	in_namespace "$namespace" sysctl -qw net.ipv4.tcp_no_metrics_save=1 net.ipv4.tcp_comp_sack_nr=0 \
		net.ipv4.tcp_congestion_control=reno
	ip -n "$namespace" link set tun0 txqueuelen 10000 up
	address "$namespace" tun0 "$@"
}

# be_prompt PRIORITY PID: what is measured is not to wait for a processor. Where that is not allowed, more is measured again.
be_prompt()
{
	chrt -r -p "$1" "$2" 2>/dev/null || :
}

# play_world NAME: listen and again, listeners, or a method. Leaves $WORLDS/NAME.json.
play_world()
{
	local name=$1 folder=$WORLDS/$1 hand=() relay
	mkdir "$folder"
	mkfifo "$folder/commands"
	CLIENT=$(add_namespace "$name-c")
	SERVER=$(add_namespace "$name-s")
	"$TOOLS/relay" "$CLIENT" "$SERVER" tun0 500 <>"$folder/commands" >"$folder/log" 3>&- &
	relay=$!
	wait_for 5 has_text "$folder/log" ready
	prepare_end "$CLIENT" 10.2.0.1/24 fd02::1/64
	prepare_end "$SERVER" 10.2.0.2/24 fd02::2/64
	case $name in
	listen | again) ;;
	*)
		IFACE=tun0 start_loader -q -m "$name" --max-children=1000 --user=root -s "exec:exec $TOOLS/hand_over $folder/hand"
		be_prompt 2 "$LOADER_PID"
		hand=("$folder/hand" "$EVENTS")
		;;
	esac
	be_prompt 1 "$BASHPID"
	python3 -B "$LIKENESS/run.py" "$CLIENT" "$SERVER" "$folder/commands" "$folder/log" "$WORLDS/$name.json" "${hand[@]}"
	stop_leftover_loader
	stop "$relay"
	remove_namespace "$SERVER" "$CLIENT"
}

# play_worlds NAME...: three at a time; they mostly wait. What each has said is in $WORLDS/NAME.out.
play_worlds()
{
	local name
	for name in "$@"; do
		[ "$(jobs -pr | wc -l)" -lt 3 ] || wait -n || :
		(play_world "$name") >"$WORLDS/$name.out" 2>&1 3>&- </dev/null &
	done
	wait
}

# is_like_a_listener NAME STAGE
is_like_a_listener()
{
	if [ ! -e "$WORLDS/$1.json" ]; then
		cat "$WORLDS/$1.out"
		return 1
	fi
	python3 -B "$LIKENESS/compare.py" "$WORLDS" "$1" "$2"
}
