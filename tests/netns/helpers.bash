# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# shellcheck shell=bash
#
# What the namespace tests share. A lab is two namespaces joined by a veth whose ends are both called eth0:
# the server has 10.0.0.2 and fd00::2, the client 10.0.0.1 and fd00::1. Names carry the run (NOL_RUN) and the
# test's process, so that tests/netns/sweep can remove what an interrupted run leaves behind.

REPO=$(realpath "$BATS_TEST_DIRNAME/../..")
O=${O:-$REPO/build}
OBJ=${OBJ:-$O/obj}
BIN=${BIN:-$REPO}
TOOLS=$OBJ/tests/tools
LOADER=$BIN/nolisten-loader
NOLISTEN=$BIN/nolisten
# What tests/deps installs, whatever else of these names the user's PATH has.
PATH=/usr/sbin:/usr/bin:/sbin:/bin:$PATH
# How many times longer to wait, on a machine that is emulated.
PATIENCE=${NOL_PATIENCE:-1}
export BATS_TEST_TIMEOUT=${BATS_TEST_TIMEOUT:-$((90 * PATIENCE))}
# What loses a race once has lost it, whatever the environment says.
export BATS_TEST_RETRIES=0

# --- conditions

# A descriptor on which nothing ever comes: to pause without a process for each pause.
exec {NOTHING}<> <(:)

# wait_for SECONDS COMMAND...: until it succeeds; fails, saying what never came true. Looks soon, and then less often.
wait_for()
{
	local pause_ms=5 deadline=$((${EPOCHREALTIME/./} + $1 * PATIENCE * 1000000))
	shift
	until "$@" >/dev/null 2>&1; do
		if ((${EPOCHREALTIME/./} > deadline)); then
			echo "never came true: $*" >&2
			return 1
		fi
		read -r -t "0.0$((pause_ms / 10))$((pause_ms % 10))" -u "$NOTHING" || :
		pause_ms=$((pause_ms < 25 ? pause_ms * 2 : 50))
	done
}

not()
{
	! "$@"
}

is_gone()
{
	local state
	{ read -r state <"/proc/$1/stat"; } 2>/dev/null || return 0
	state=${state##*) }
	[ "${state%% *}" = Z ]
}

# has_text FILE TEXT: as grep -qF, without a program: what is awaited is looked for often.
has_text()
{
	local text
	[ -e "$1" ] || return
	text=$(<"$1")
	[[ $text == *"$2"* ]]
}

# expect TEXT COMMAND...: its output (both streams) contains TEXT.
expect()
{
	local text=$1
	shift
	run "$@"
	if [[ $output != *"$text"* ]]; then
		printf 'expected "%s" from: %s\nstatus %s, output:\n%s\n' "$text" "$*" "$status" "$output" >&2
		return 1
	fi
}

is_equal()
{
	[ "$1" = "$2" ] || {
		printf 'expected: %s\n     got: %s\n' "$2" "$1" >&2
		return 1
	}
}

# --- namespaces

# add_namespace ROLE: prints its name.
add_namespace()
{
	local name="nol-${NOL_RUN:-$$}-$$-$1"
	ip netns add "$name" || return
	ip -n "$name" link set lo up
	echo "$name"
}

# remove_namespace NAME...: ends what lives in it first.
remove_namespace()
{
	local name pid
	for name in "$@"; do
		[ -e "/run/netns/$name" ] || continue
		for pid in $(ip netns pids "$name"); do
			kill -KILL "$pid" 2>/dev/null || :
		done
		ip netns del "$name"
	done
}

# in_namespace NAME COMMAND...: as ip netns exec, which would mount a /sys that nobody here reads.
in_namespace()
{
	nsenter --net="/run/netns/$1" "${@:2}"
}

in_server()
{
	in_namespace "$SERVER" "$@"
}

in_client()
{
	in_namespace "$CLIENT" "$@"
}

# join NAMESPACE IFNAME NAMESPACE IFNAME: a veth between them, both ends up.
join()
{
	ip -n "$1" link add "$2" type veth peer name "$4" netns "$3"
	ip -n "$1" link set "$2" up
	ip -n "$3" link set "$4" up
}

# address NAMESPACE IFNAME ADDRESS...
address()
{
	local namespace=$1 ifname=$2 one
	shift 2
	for one in "$@"; do
		case $one in
		*:*) ip -n "$namespace" address add "$one" dev "$ifname" nodad ;;
		*) ip -n "$namespace" address add "$one" dev "$ifname" ;;
		esac
	done
}

# be_patient NAMESPACE ROUTE...: retransmit only what is lost, not what a busy machine answers late. A loss still
# shows: after three seconds, as a retransmission.
be_patient()
{
	local namespace=$1 route
	shift
	in_namespace "$namespace" sysctl -qw net.ipv4.tcp_early_retrans=0
	for route in "$@"; do
		# shellcheck disable=SC2086
		ip -n "$namespace" $route rto_min 3s
	done
}

# be_patient_on_eth0 [ROUTE-OPTION...]: both ends of the lab.
be_patient_on_eth0()
{
	local namespace
	for namespace in "$SERVER" "$CLIENT"; do
		be_patient "$namespace" "route change 10.0.0.0/24 dev eth0 $*" \
			"-6 route replace fd00::/64 dev eth0 proto kernel metric 256 $*"
	done
}

is_running()
{
	ip -n "$1" link show "$2" | grep -q LOWER_UP
}

lab_up()
{
	SERVER=$(add_namespace s)
	CLIENT=$(add_namespace c)
	export SERVER CLIENT
	join "$SERVER" eth0 "$CLIENT" eth0
	address "$SERVER" eth0 10.0.0.2/24 fd00::2/64
	address "$CLIENT" eth0 10.0.0.1/24 fd00::1/64
	wait_for 5 is_running "$SERVER" eth0
	wait_for 5 is_running "$CLIENT" eth0
}

# link_local: the server's address on eth0.
link_local()
{
	ip -n "$SERVER" -6 -o address show dev eth0 scope link -tentative | sed 's/.*inet6 //; s,/.*,,'
}

has_link_local()
{
	[ -n "$(link_local)" ] && [ -n "$(ip -n "$CLIENT" -6 -o address show dev eth0 scope link -tentative)" ]
}

lab_down()
{
	remove_namespace ${SERVER:+"$SERVER"} ${CLIENT:+"$CLIENT"} "$@"
}

# --- programs in the background

# start NAME COMMAND...: in the background, output in $BATS_FILE_TMPDIR/NAME.{out,err}; its pid is in $STARTED.
start()
{
	local out=$BATS_FILE_TMPDIR/$1.out err=$BATS_FILE_TMPDIR/$1.err
	shift
	# What one of that name said before must not be taken for this one's.
	: >"$out" >"$err"
	"$@" >"$out" 2>"$err" 3>&- </dev/null &
	STARTED=$!
}

# start_ready NAME COMMAND...: the same, and waits until it prints "ready".
start_ready()
{
	start "$@"
	wait_for 5 has_text "$BATS_FILE_TMPDIR/$1.out" ready
}

# stop PID [SIGNAL]: ends one of our own.
stop()
{
	kill "-${2:-TERM}" "$1" 2>/dev/null || return 0
	wait_for 10 is_gone "$1"
	wait "$1" 2>/dev/null || :
}

# start_kernel_server PORT [BANNER]: an ordinary listening server in the server's namespace.
start_kernel_server()
{
	start_ready "kernel-$1" ip netns exec "$SERVER" "$TOOLS/echo_server" "$@"
	KERNEL_SERVER=$STARTED
}

# --- the loader

# start_loader_unready [OPTION...]: in the background on $IFACE (eth0); LOADER_PID, LOADER_LOG, EVENTS.
start_loader_unready()
{
	LOADER_LOG=$(mktemp "$BATS_FILE_TMPDIR/loader.XXXXXX")
	EVENTS=$LOADER_LOG.json
	: >"$EVENTS"
	ip netns exec "${LOADER_NAMESPACE:-$SERVER}" "$LOADER" --events="$EVENTS" "$@" "${IFACE:-eth0}" \
		>"$LOADER_LOG.out" 2>"$LOADER_LOG" 3>&- </dev/null &
	LOADER_PID=$!
	export LOADER_PID LOADER_LOG EVENTS
}

is_answering_or_gone()
{
	has_text "$LOADER_LOG" answering || is_gone "$LOADER_PID"
}

# start_loader [OPTION...]: waits until it answers; shows what it said if it does not.
start_loader()
{
	start_loader_unready "$@"
	wait_for 10 is_answering_or_gone && ! is_gone "$LOADER_PID" && return
	cat "$LOADER_LOG" >&2
	return 1
}

# service_pid: the process that has exec, banner or record: the loader's child is its keeper.
service_pid()
{
	pgrep -P "$(pgrep -P "$LOADER_PID" -x service-keeper)"
}

# stop_loader [SIGNAL]: waits for its end; the exit status is in $LOADER_STATUS.
stop_loader()
{
	LOADER_STATUS=0
	kill "-${1:-TERM}" "$LOADER_PID"
	wait_for 15 is_gone "$LOADER_PID"
	wait "$LOADER_PID" 2>/dev/null || LOADER_STATUS=$?
}

# For setup and teardown of files whose tests start a loader each.
stop_leftover_loader()
{
	[ -z "${LOADER_PID:-}" ] || is_gone "$LOADER_PID" || stop "$LOADER_PID" KILL
}

# refused_loader STATUS TEXT [ARGUMENT...]: ends at once with that status and one line that contains TEXT.
refused_loader()
{
	local expected=$1 text=$2
	shift 2
	run in_server timeout -k 1 $((10 * PATIENCE)) "$LOADER" "$@"
	if [ "$status" != "$expected" ] || [[ $output != *"$text"* ]] || [ ${#lines[@]} != 1 ]; then
		printf 'expected status %s and one line with "%s", got status %s:\n%s\n' \
			"$expected" "$text" "$status" "$output" >&2
		return 1
	fi
}

# is_attached / is_detached [IFACE]: by what bpftool and ip show in the server's namespace.
is_detached()
{
	local nets
	nets=$(in_server bpftool -j net show) || return
	[[ $nets != *nol_* && $nets != *\"id\"* ]] && [[ $(in_server ip link show) != *xdp* ]]
}

is_attached()
{
	! is_detached
}

# --- what the loader says

source "${BASH_SOURCE[0]%/*}/events.bash"

# counter NAME: of the status of the loader in the server's namespace.
counter()
{
	in_server "$NOLISTEN" status -j "${IFACE:-eth0}" | jq "(.counters + .engine).$1 // 0"
}

# has_counter NAME MINIMUM
has_counter()
{
	[ "$(counter "$1")" -ge "$2" ]
}

flows()
{
	in_server "$NOLISTEN" flows -j "${IFACE:-eth0}"
}

has_no_flows()
{
	local all
	all=$(flows) && [ -z "$all" ]
}

# --- what the kernel says

# snmp NAMESPACE NAME: a counter of nstat, such as TcpRetransSegs or TcpOutRsts.
snmp()
{
	in_namespace "$1" nstat -asz "$2" | awk -v name="$2" '$1 == name { print $2 }'
}

# retransmissions: of both namespaces together.
retransmissions()
{
	echo $(($(snmp "$SERVER" TcpRetransSegs) + $(snmp "$CLIENT" TcpRetransSegs)))
}

# lost_packets: where packets have gone: on a link, in a queue of a processor (of all namespaces), and how the loader counts.
lost_packets()
{
	local namespace
	for namespace in "$SERVER" "$CLIENT"; do
		echo "$namespace: $(ip -n "$namespace" -s -j link show dev eth0 | jq -c '.[0].stats64')"
	done
	echo "/proc/net/softnet_stat: $(awk '{ print "dropped 0x" $2 }' /proc/net/softnet_stat | xargs)"
	in_server "$NOLISTEN" status -j "${IFACE:-eth0}" |
		jq -c '.counters + .engine | with_entries(select(.value | . > 0))'
}

# sent_again: what each end has, and for which reason.
sent_again()
{
	local namespace
	lost_packets
	for namespace in "$SERVER" "$CLIENT"; do
		echo "$namespace: $(in_namespace "$namespace" nstat -as | awk '
			$1 ~ /^TcpRetransSegs$|^TcpExtTCP(.*(Retrans|Recovery|Undo|Spurious|Probe|DSACK).*|Timeouts)$/ {
				print $1, $2 }' | xargs)"
	done
}

# sends_nothing_twice COMMAND...: while it runs neither end retransmits. They have to be patient.
sends_nothing_twice()
{
	local before
	before=$(retransmissions)
	"$@" && is_equal "$(retransmissions)" "$before" || {
		sent_again >&2
		return 1
	}
}

# burst COUNT BYTES [HOST]: connections with data in the final ACK, nothing sent twice.
burst()
{
	sends_nothing_twice expect "$1 connections, $1 with data in the final ACK, $2 bytes" \
		in_client "$TOOLS/burst_client" "${3:-10.0.0.2}" 34567 "$1" "$2"
}

# stay_on_one_processor: this test and what it starts. What two processors have queued may overtake each other, before a
# kernel listener too; of what one has queued nothing may.
stay_on_one_processor()
{
	taskset -cp 0 "$BASHPID" >/dev/null
}

# takes_aborts METHOD: clients that reset at once, and come again from the same port while the hand-off is going on. Each is
# served. A SYN that meets the old socket on another CPU may have to be sent again; handoff_test shows that others need not.
takes_aborts()
{
	in_client sysctl -qw net.ipv4.ip_local_port_range="40001 40001"
	start_loader -q -m "$1"
	# What one processor sends stays in its order: a RST that overtook the final ACK would end the handshake.
	expect "2000 connections" in_client taskset -c 0 "$TOOLS/burst_client" 10.0.0.2 34567 2000 5 abort
	wait_for 15 has_no_flows
	is_equal "$(counter established),$(counter closed)" 2000,2000 || {
		lost_packets >&2
		return 1
	}
	stop_loader
}

# echo_back ADDRESS PORT TEXT: what nc gets back.
echo_back()
{
	printf '%s' "$3" | in_client timeout $((10 * PATIENCE)) nc -v -N -w $((5 * PATIENCE)) "$1" "$2"
}

# banner_of ADDRESS PORT: what nc is told by a server that speaks first.
banner_of()
{
	in_client timeout $((5 * PATIENCE)) nc -w $((2 * PATIENCE)) "$1" "$2" </dev/null
}

# is_refused ADDRESS PORT: by a RST, that is at once.
is_refused()
{
	run in_client timeout $((3 * PATIENCE)) nc -v -z -w $((2 * PATIENCE)) "$1" "$2"
	[ "$status" = 1 ] && [[ $output == *refused* ]] || {
		printf 'not refused: status %s, %s\n' "$status" "$output" >&2
		return 1
	}
}
