#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# explain tells what this kernel did. Golden stories are in golden/, with times, ports and sequence numbers masked.
load helpers

GOLDEN=$BATS_TEST_DIRNAME/golden

setup_file()
{
	lab_up
	bpftool btf dump file /sys/kernel/btf/vmlinux format raw >"$BATS_FILE_TMPDIR/btf"
}

teardown_file()
{
	lab_down
}

setup()
{
	STARTED=
}

teardown()
{
	[ -z "$STARTED" ] || stop "$STARTED" KILL
	stop_leftover_loader
}

# knows NAME: the running kernel has a type or enumerator of that name.
knows()
{
	grep -q "'$1'" "$BATS_FILE_TMPDIR/btf"
}

# Times, ports and numbers; and the function of a drop, since compilers inline as they like.
mask()
{
	sed -E 's/ in [a-z0-9_.]+\(\)/ in F()/; s/(\[[0-9]+\]) +-?[0-9.]+ us/\1 T us/; s/^ *-?[0-9]+\.[0-9]  /T /; s/(seq|ack|win) [0-9]+/\1 N/g' |
		sed -E 's/:[0-9]{5}\b/:PORT/g; s/-{2,}/--/g; s/ {2,}/ /g'
}

# golden NAME: that story, as this kernel can tell it.
golden()
{
	local untold='^$-'
	# Linux before 6.10 says neither that it sends a RST for want of a socket, nor why.
	knows SK_RST_REASON_NO_SOCKET ||
		untold+='|(us|[|]) (no established socket has|no socket listens on|the kernel answers with a RST)'
	# Before 6.3 it does not say who gets a copy.
	knows btf_trace_sk_data_ready || untold+='|(us|[|]) .* gets a copy'
	grep -vE "$untold" "$GOLDEN/$1"
}

# same_story NAME: standard input, masked, is that golden story.
same_story()
{
	mask >"$BATS_TEST_TMPDIR/story"
	golden "$1" | diff -u - "$BATS_TEST_TMPDIR/story" >&2
}

# Does the client, refused already, refuse a late SYN-ACK too? That is a matter of chance: a kernel that preempts may
# answer while connect() still holds its socket, which then takes the SYN-ACK without a word.
without_late_rst()
{
	awk '/--> RST seq/ { is_late = 1 } / us / && is_late { next } 1'
}

# play SCENE [OPTION]: what it tells is in $TOLD; once for all tests.
play()
{
	TOLD=$BATS_FILE_TMPDIR/told-$1${2:-}
	[ -e "$TOLD" ] && return
	"$NOLISTEN" explain --demo="$1" ${2:+"$2"} >"$BATS_TEST_TMPDIR/told"
	mv "$BATS_TEST_TMPDIR/told" "$TOLD"
}

# play_all: every scene, in the server's namespace, whose interfaces before and after are in $TOLD.before and .after.
play_all()
{
	TOLD=$BATS_FILE_TMPDIR/told-all
	[ -e "$TOLD" ] && return
	in_server ip -br link >"$TOLD.before"
	in_server "$NOLISTEN" explain --demo >"$BATS_TEST_TMPDIR/told"
	in_server ip -br link >"$TOLD.after"
	mv "$BATS_TEST_TMPDIR/told" "$TOLD"
}

# tells_late SCENE: of an answer that comes after the kernel's.
tells_late()
{
	play "$1"
	without_late_rst <"$TOLD" | grep -v "a tap) gets a copy" | same_story "$1"
}

# tells SCENE [GOLDEN [OPTION]]
tells()
{
	play "$1" ${3:+"$3"}
	same_story "${2:-$1}" <"$TOLD"
}

# tells_method METHOD: its scene, each line once and without plain segments. How many of those come before the
# hand-off, and are held, refused or put back, is a matter of chance; and whether one comes while the new socket is
# still deaf (SOCKET_FILTER), or twice (TCP_OLD_DATA).
tells_method()
{
	play "$1"
	mask <"$TOLD" | awk '!/ ACK seq/ && !/the ACK is dropped: (SOCKET_FILTER|TCP_OLD_DATA)/ &&
		!/a tap\) gets a copy/ && !seen[$0]++' |
		same_story "$1"
}

# Without BPF it takes what not every kernel has; which is told.
skip_what_is_skipped()
{
	local reason
	play "$1"
	reason=$(grep '^Skipped: ' "$TOLD") || return 0
	skip "${reason#Skipped: }"
}

# watch NAMESPACE [OPTION...]: explain $INTERFACE (eth0) there; STORY is what it tells.
watch()
{
	local namespace=$1
	shift
	STORY=$BATS_FILE_TMPDIR/explain.out
	start explain ip netns exec "$namespace" "$NOLISTEN" explain "${INTERFACE:-eth0}" "$@"
	wait_for 10 has_text "$BATS_FILE_TMPDIR/explain.err" watching
}

# end_watch [SIGNAL]: the exit status is in STATUS.
end_watch()
{
	STATUS=0
	kill "-${1:-INT}" "$STARTED"
	wait_for 10 is_gone "$STARTED"
	wait "$STARTED" || STATUS=$?
	STARTED=
}

knock()
{
	in_client nc -z -w 2 "$@" || :
}

# --- the demonstration

@test "tells of a SYN to a closed port" {
	tells closed-port
}

@test "draws a SYN to a closed port" {
	tells closed-port closed-port-drawn --draw
}

@test "tells of a raw-socket handshake killed by the kernel" {
	tells_late raw-socket
}

@test "tells of a handshake by the engine" {
	tells_method engine
}

@test "tells of a handshake by XDP, whose SYN-ACK cannot be seen" {
	tells_method xdp
}

@test "tells of a handshake through a netfilter queue" {
	skip_what_is_skipped nfqueue
	tells_method nfqueue
}

@test "tells of a handshake whose RSTs nftables drops" {
	skip_what_is_skipped filter
	tells_method filter
}

@test "tells of a handshake by nolisten that the kernel's RST ends" {
	tells_late raw
}

@test "tells of a socket that connects back, and of both packets that are rewritten for it" {
	tells_method connect
}

@test "tells of a socket that the kernel makes of a cookie, and for whom" {
	skip_what_is_skipped accept
	tells_method accept
}

@test "tells of a packet put back by nolisten, whichever way it takes" {
	local method
	for method in engine xdp nfqueue filter; do
		play "$method"
		grep -q -e 'put back by nolisten' -e 'Skipped: ' "$TOLD"
	done
}

@test "asks the question and gives the answer when it plays every scene" {
	play_all
	[[ $(head -n 1 "$TOLD") == "Can TCP connect when nobody listens?"* ]]
	grep -q '^11. simultaneous: ' "$TOLD"
	grep -q 'So it can\.' "$TOLD"
}

@test "tells of a self-connect" {
	tells self-connect
}

@test "tells of a simultaneous open" {
	tells simultaneous
}

@test "tells every scene as JSON" {
	"$NOLISTEN" explain --demo -j >"$BATS_TEST_TMPDIR/out"
	jq -es 'length > 40 and all(.[]; has("time") and has("us") and has("step") and has("text"))' \
		"$BATS_TEST_TMPDIR/out"
}

@test "skips the loader's scenes with a line each where there is none, and refuses to play one alone" {
	local copy=$BATS_TEST_TMPDIR/bin/nolisten
	mkdir "$BATS_TEST_TMPDIR/bin"
	cp "$NOLISTEN" "$copy"
	run "$copy" explain --demo
	is_equal "$status" 0
	is_equal "$(grep -c "^Skipped: there is no nolisten-loader in $BATS_TEST_TMPDIR/bin, $BATS_TEST_TMPDIR/sbin or PATH\.$" <<<"$output")" 7
	run "$copy" explain --demo=engine
	is_equal "$status ${#lines[@]}" "1 1"
	is_equal "$output" "nolisten: explain: engine: there is no nolisten-loader in $BATS_TEST_TMPDIR/bin, $BATS_TEST_TMPDIR/sbin or PATH"
	run "$copy" explain --demo=closed-port
	is_equal "$status" 0
}

@test "leaves nothing behind after the demonstration" {
	play_all
	diff -u "$TOLD.before" "$TOLD.after" >&2
}

@test "ends the demonstration cleanly on Ctrl-C, its processes included" {
	start demo setsid "$NOLISTEN" explain --demo
	wait_for 10 grep -q '^3. engine' "$BATS_FILE_TMPDIR/demo.out"
	local session=$STARTED
	end_watch
	is_equal "$STATUS" 0
	wait_for 5 not pgrep -s "$session"
}

@test "names every scene in its help and its manual page" {
	local scene scenes
	play_all
	scenes=$(sed -n 's/^[0-9]*\. \([a-z-]*\): .*/\1/p' "$TOLD")
	is_equal "$(wc -w <<<"$scenes")" 11
	for scene in $scenes; do
		expect "$scene" "$NOLISTEN" explain --help
		expect "*$scene*" cat "$REPO/doc/nolisten-explain.1.scd"
	done
}

# --- live

@test "tells of a SYN to a closed port over IPv6" {
	watch "$SERVER"
	knock fd00::2 81
	wait_for 5 has_text "$STORY" 'SYN is dropped: NO_SOCKET in tcp_v6_rcv()'
	grep -q '^\[1\] \[fd00::2\]:81 here, \[fd00::1\]:' "$STORY"
	grep -q ', by the kernel$' "$STORY"
	! knows SK_RST_REASON_NO_SOCKET || grep -q 'no socket listens on \[fd00::2\]:81 (inferred)' "$STORY"
	end_watch
}

@test "tells the state of a socket from its first moment to its last" {
	watch "$CLIENT"
	knock 10.0.0.2 82
	wait_for 5 has_text "$STORY" 'SYN_SENT -> CLOSE'
	grep -q 'CLOSE -> SYN_SENT' "$STORY"
	grep -q 'the RST is accepted in SYN_SENT' "$STORY"
	grep -q 'the application is told: Connection refused' "$STORY"
	end_watch
}

@test "tells of the port that is asked for only" {
	watch "$SERVER" --port 84
	knock 10.0.0.2 83
	knock 10.0.0.2 84
	wait_for 5 has_text "$STORY" 'RST'
	end_watch
	not grep -q ':83' "$STORY"
}

@test "tells of the remote address that is asked for only" {
	watch "$SERVER" --remote fd00::1
	knock 10.0.0.2 85
	knock fd00::2 86
	wait_for 5 has_text "$STORY" 'RST'
	end_watch
	not grep -q '10\.0\.0\.2' "$STORY"
}

@test "tells of the same port used again as of another connection" {
	watch "$SERVER"
	knock -p 40404 10.0.0.2 90
	knock -p 40404 10.0.0.2 90
	wait_for 5 grep -q '^\[2\] .* SYN seq' "$STORY"
	is_equal "$(grep -c 'here, 10.0.0.1:40404 there' "$STORY")" 2
	end_watch
}

@test "tells of its own namespace only" {
	watch "$SERVER"
	knock 10.0.0.2 87
	wait_for 5 has_text "$STORY" 'RST'
	end_watch
	not grep -q '10\.0\.0\.1:[0-9]* here' "$STORY"
}

@test "tells what a running loader does" {
	start_loader -m engine
	watch "$SERVER"
	grep -q 'nolisten-loader runs here' "$BATS_FILE_TMPDIR/explain.err"
	is_equal "$(echo_back 10.0.0.2 34567 hello)" hello
	wait_for 5 has_text "$STORY" 'the flow is HANDED_OFF'
	grep -q 'nolisten holds it in XDP' "$STORY"
	grep -q 'SYN-ACK .*, by nolisten' "$STORY"
	end_watch
	stop_loader
}

@test "tells of the guard that drops a RST" {
	start_loader -m engine
	watch "$SERVER"
	# Fragments are not held: TCP sees the SYN, and answers. That address has no host behind it.
	ip -n "$SERVER" neighbour replace 10.0.0.77 lladdr 02:00:00:00:00:77 dev eth0 nud permanent
	in_client "$TOOLS/fragmented_syn" eth0 34567 \
		"$(ip -n "$SERVER" -j link show eth0 | jq -r '.[0].address')"
	wait_for 5 has_text "$STORY" "nolisten's guard at TC egress drops the RST"
	end_watch
	stop_loader
}

@test "tells of the RST that netfilter keeps in, and of what comes back through lo, over IPv6" {
	start_loader -m filter
	watch "$SERVER"
	is_equal "$(echo_back fd00::2 34567 hello)" hello
	wait_for 5 has_text "$STORY" 'netfilter drops the RST-ACK: it does not get out'
	wait_for 5 has_text "$STORY" 'put back by nolisten'
	end_watch
	stop_loader
}

@test "does not tell of a RST that is dropped on its way to another interface" {
	watch "$SERVER"
	in_server nft add table inet other
	in_server nft add chain inet other output '{ type filter hook output priority 0; }'
	in_server nft add rule inet other output oifname lo tcp flags rst drop
	in_server nc -z -w 1 127.0.0.1 92 || :
	knock 10.0.0.2 93
	wait_for 5 has_text "$STORY" ':93 here'
	end_watch
	in_server nft delete table inet other
	not grep -q '127.0.0.1' "$STORY"
}

@test "says how many steps were lost when it cannot keep up" {
	watch "$SERVER"
	kill -STOP "$STARTED"
	in_client python3 - <<-'PY'
		import socket
		for i in range(3000):
		    s = socket.socket()
		    s.connect_ex(("10.0.0.2", 88))
		    s.close()
	PY
	kill -CONT "$STARTED"
	wait_for 30 has_text "$BATS_FILE_TMPDIR/explain.err" 'steps lost (the ring was full)'
	end_watch
	is_equal "$STATUS" 0
}

@test "tells of packets without a link header" {
	start_ready tun "$TOOLS/tun_peer" "$SERVER" "$CLIENT" tun0
	local peer=$STARTED
	ip -n "$SERVER" link set tun0 up
	ip -n "$CLIENT" link set tun0 up
	address "$SERVER" tun0 10.1.0.2/24
	address "$CLIENT" tun0 10.1.0.1/24
	INTERFACE=tun0 watch "$SERVER"
	knock 10.1.0.2 91
	wait_for 5 has_text "$STORY" 'SYN is dropped: NO_SOCKET in tcp_v4_rcv()'
	end_watch
	stop "$peer"
}

@test "says what native XDP hides" {
	start_loader -m engine --xdp=native
	watch "$SERVER"
	grep -q 'native XDP program drops, holds or sends back is not seen' "$BATS_FILE_TMPDIR/explain.err"
	is_equal "$(echo_back 10.0.0.2 34567 hello)" hello
	wait_for 5 grep -q 'SYN-ACK .*, by nolisten' "$STORY"
	end_watch
	stop_loader
}

@test "ends cleanly on Ctrl-C and SIGTERM" {
	local signal
	for signal in INT TERM; do
		watch "$SERVER"
		end_watch "$signal"
		is_equal "$STATUS" 0
	done
}

@test "draws what is not yet drawn when it ends" {
	watch "$SERVER" --draw
	knock 10.0.0.2 89
	end_watch
	grep -q '|--- SYN seq' "$STORY"
	grep -q '|<--- RST-ACK seq' "$STORY"
}
