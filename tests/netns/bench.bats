#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# nolisten bench: that it measures, says what it could not take, and leaves nothing behind. No figure is judged.

load helpers

# It makes namespaces of its own; the one that it is started in is the file's.
setup_file()
{
	export OUT=$BATS_FILE_TMPDIR/out
	HERE=$(add_namespace o)
	export HERE
}

teardown_file()
{
	remove_namespace "$HERE"
}

in_here()
{
	in_namespace "$HERE" "$@"
}

# The environment of everything that a benchmark starts has the mark, which names this file's.
marked()
{
	in_here env NOL_BENCH_MARK="$BATS_FILE_TMPDIR" "$@"
}

# bench [ARGUMENT...]: quick, output in $output (standard output) and $BATS_FILE_TMPDIR/bench.err.
bench()
{
	run marked sh -c '"$0" bench --quick --slice=300 "$@" 2>"$BATS_FILE_TMPDIR/bench.err"' "$NOLISTEN" "$@"
}

# json EXPRESSION: of results.json as r.
json()
{
	python3 -c 'import json, sys; r = json.load(open(sys.argv[1])); print(eval(sys.argv[2]))' \
		"$OUT/results.json" "$1"
}

# The interfaces that it was started among, and the programs on them.
interfaces()
{
	in_here ip -o link show | sed 's/ state .*//'
	in_here bpftool -j net show
}

# What a benchmark has opened ends with its processes: programs, maps, namespaces.
has_processes()
{
	grep -qzsx "NOL_BENCH_MARK=$BATS_FILE_TMPDIR" /proc/[0-9]*/environ
}

is_refused()
{
	local status_wanted=$1 text=$2
	shift 2
	run in_here "$NOLISTEN" bench "$@"
	is_equal "$status" "$status_wanted"
	[[ $output == *"$text"* ]]
	is_equal "${#lines[@]}" 1
}

@test "takes a figure of the kernel and of a method, and writes JSON and a plot" {
	bench --only=connect,synack --methods=listen,echo,engine --out="$OUT"
	is_equal "$status" 0
	[[ $output == *"connect(), idle"* && $output == *"SYN-ACKs at saturation"* ]]
	is_equal "$(json 'sorted(c["name"] for c in r["contenders"])')" "['echo', 'engine', 'listen']"
	is_equal "$(json 'all(c["figures"]["synack.per_s"]["value"] > 0 for c in r["contenders"])')" True
	is_equal "$(json '[len(c["distributions"]["connect"]) > 0 for c in r["contenders"] if c["name"] == "listen"]')" "[True]"
	grep -q '<svg' "$OUT/throughput.svg"
	grep -q '<svg' "$OUT/latency.svg"
}

@test "draws success against the rate of the flood" {
	bench --only=flood --methods=listen --out="$OUT"
	is_equal "$status" 0
	grep -q '<svg' "$OUT/flood.svg"
	is_equal "$(json '0 <= r["contenders"][0]["figures"]["flood.200000.success_pct"]["value"] <= 100')" True
}

@test "takes the cost of the programs, memory, bulk traffic and handshakes" {
	bench --only=program,memory,bulk,handshake,serial,parallel --methods=listen,engine --out="$OUT"
	is_equal "$status" 0
	is_equal "$(json '[r["contenders"][1]["figures"][f]["value"] is not None for f in
		("program.ingress_ipv4_ns", "program.egress_ipv6_ns", "memory.established", "bulk.mbit_s",
		 "handshake.per_s", "serial.per_s", "parallel.per_s")]')" "[True, True, True, True, True, True, True]"
}

@test "takes hand-offs against threads" {
	bench --only=handoff --methods=listen --out="$OUT"
	is_equal "$status" 0
	is_equal "$(json 'r["hand_off"]["handoff.2.per_s"]["value"] > 0')" True
}

@test "shows a figure that could not be taken with its reason, never as 0" {
	bench --only=connect --methods= --peer=silent:'sleep 60' --peer=gone:'echo no luck >&2; exit 1' --out="$OUT"
	is_equal "$status" 0
	[[ $output == *"silent "*"not taken: no connection was served within 5 s"* ]]
	[[ $output == *"gone "*"not taken: no luck"* ]]
	is_equal "$(json 'r["contenders"][0]["figures"]["connect.p50_us"]["value"]')" None
}

@test "lets a peer's program join" {
	bench --only=connect --methods= --peer=peer:"$TOOLS/echo_server 34567" --out="$OUT"
	is_equal "$status" 0
	is_equal "$(json 'r["contenders"][0]["figures"]["connect.p50_us"]["value"] > 0')" True
}

@test "goes on without gnuplot" {
	mkdir -p "$BATS_FILE_TMPDIR/bin"
	for tool in nft sh; do
		ln -sf "$(command -v $tool)" "$BATS_FILE_TMPDIR/bin/$tool"
	done
	rm -rf "$OUT"
	PATH=$BATS_FILE_TMPDIR/bin run "$NOLISTEN" bench --quick --slice=300 --only=connect --methods=listen --out="$OUT"
	is_equal "$status" 0
	[[ $output == *"gnuplot is not installed"* ]]
	[ -s "$OUT/results.json" ] && [ ! -e "$OUT/latency.svg" ]
}

@test "leaves no interface, program or process behind" {
	before=$(interfaces)
	bench --only=connect --methods=listen,echo,engine
	is_equal "$status" 0
	not has_processes
	is_equal "$(interfaces)" "$before"
}

# interrupt SIGNAL: the whole bench, once it is measuring; its exit status is in $status.
interrupt()
{
	# What the last one said must not be taken for this one's.
	rm -f "$BATS_FILE_TMPDIR"/interrupted.*
	start interrupted ip netns exec "$HERE" env NOL_BENCH_MARK="$BATS_FILE_TMPDIR" \
		"$NOLISTEN" bench --quick --only=synack,flood --methods=engine
	wait_for 10 has_text "$BATS_FILE_TMPDIR/interrupted.err" 'round 1'
	has_processes
	kill "-$1" "$STARTED"
	wait_for 10 is_gone "$STARTED"
	status=0
	wait "$STARTED" || status=$?
	wait_for 5 not has_processes
}

@test "cleans up when it is interrupted" {
	before=$(interfaces)
	interrupt INT
	is_equal "$status" 1
	grep -q interrupted "$BATS_FILE_TMPDIR/interrupted.err"
	is_equal "$(interfaces)" "$before"
}

@test "leaves nothing behind when it is killed" {
	before=$(interfaces)
	interrupt KILL
	is_equal "$status" 137
	is_equal "$(interfaces)" "$before"
}

@test "refuses what it does not understand in one line" {
	is_refused 2 "bench: --fast: no such option (see nolisten bench --help)" --fast
	is_refused 2 "bench: 'quick': not understood (see nolisten bench --help)" quick
	is_refused 2 "--only: 'speed': there is no such thing" --only=speed
	is_refused 2 "--methods: 'tcp': there is no such thing" --methods=listen,tcp
	is_refused 2 "it has to be NAME:COMMAND" --peer=nothing
	is_refused 2 "the name is taken" --peer=listen:true
	is_refused 1 "--loader: '/nonexistent': no program is there" --loader=/nonexistent
	is_refused 1 "--loader: '': no program is there" --loader=
	is_refused 1 "--loader: '/tmp': no program is there" --loader=/tmp
}

@test "lists measures and contenders" {
	run "$NOLISTEN" bench --help
	is_equal "$status" 0
	[[ $output == *synack* && $output == *SYNPROXY* && $output == *handoff* ]]
}
