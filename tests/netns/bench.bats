#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# nolisten bench: that it measures, says what it could not take, and leaves nothing behind. No figure is judged.

load helpers
load accept

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

# bench [ARGUMENT...]: quick, for some seconds, output in $output (standard output) and $BATS_FILE_TMPDIR/bench.err.
bench()
{
	run marked sh -c '"$0" bench --quick --time=4 --slice=300 "$@" 2>"$BATS_FILE_TMPDIR/bench.err"' "$NOLISTEN" "$@"
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
	grep -q '>engine<' "$OUT/latency.svg"
	is_equal "$(grep -c '<svg' "$OUT/report.html")" 2
	grep -q 'SYN-ACKs at saturation' "$OUT/report.html"
	not grep gnuplot "$BATS_FILE_TMPDIR/bench.err"
}

@test "draws success against the rate of the flood" {
	bench --only=flood --methods=listen --out="$OUT"
	is_equal "$status" 0
	grep -q '<svg' "$OUT/flood.svg"
	grep -q '</svg>' "$OUT/flood.svg"
	not grep gnuplot "$BATS_FILE_TMPDIR/bench.err"
	is_equal "$(json '0 <= r["contenders"][0]["figures"]["flood.500000.success_pct"]["value"] <= 100')" True
}

@test "takes the cost of the programs, memory, bulk traffic and handshakes" {
	bench --time=12 --only=program,memory,bulk,handshake,serial,parallel --methods=listen,engine --out="$OUT"
	is_equal "$status" 0
	is_equal "$(json '[r["contenders"][1]["figures"][f]["value"] is not None for f in
		("program.ingress_ipv4_ns", "program.egress_ipv6_ns", "memory.established", "bulk.mbit_s",
		 "handshake.per_s", "serial.per_s", "parallel.per_s")]')" "[True, True, True, True, True, True, True]"
}

@test "times an empty program, as what the others' figures are off by" {
	bench --only=program --methods=engine --out="$OUT"
	is_equal "$status" 0
	is_equal "$(json '[r["contenders"][0]["figures"][f]["value"] is not None for f in
		("program.empty_ns", "program.empty_tc_ns")]')" "[True, True]"
}

@test "says what the machine is like, before it starts and in the results" {
	bench --only=connect --methods=listen --out="$OUT"
	is_equal "$status" 0
	[[ ${lines[1]} == *"system call "*" ns, wake-up "*" us, busy loop varies by "* ]]
	is_equal "$(json 'r["machine"]["syscall_ns"] > 0 and r["machine"]["wakeup_us"] > 0')" True
	# A line for each warning, in front of the first round.
	is_equal "$(json '"\n".join("nolisten: bench: warning: " + w for w in r["machine"]["warnings"])')" \
		"$(grep warning "$BATS_FILE_TMPDIR/bench.err")"
	is_equal "$(sed -n '/round 1/,$p' "$BATS_FILE_TMPDIR/bench.err" | grep -c warning)" 0
}

# On a machine that others use nobody can tell what the server alone did: then it says so.
@test "takes the server's CPU time of a connection, or says who else was there" {
	bench --only=cpu --methods=listen,engine --out="$OUT"
	is_equal "$status" 0
	json '[c["figures"]["cpu.us_per_connection"] for c in r["contenders"]]'
	is_equal "$(json '[f["value"] is not None and f["value"] > 0 or
			any(why in f["reason"] for why in ("others use", "the time was used up"))
		for f in (c["figures"]["cpu.us_per_connection"] for c in r["contenders"])]')" "[True, True]"
}

@test "takes what clients see among forged ACKs, which are answered by RSTs" {
	bench --only=strays --methods=listen,engine --out="$OUT"
	is_equal "$status" 0
	is_equal "$(json '[c["figures"][f]["value"] > 0 for c in r["contenders"]
		for f in ("strays.offered_per_s", "strays.rst_per_s", "strays.success_pct")]')" \
		"[True, True, True, True, True, True]"
}

# A machine that is busy with other things may lose most of a crowd: then it says how many there were.
@test "takes what clients see among a crowd, and what each of it costs" {
	bench --only=crowd --methods=listen,engine --out="$OUT"
	is_equal "$status" 0
	is_equal "$(json '[f["crowd.established"]["value"] >= 1600 and f["crowd.first_byte_p50_us"]["value"] > 0 and
		f["crowd.own_bytes"]["value"] >= 0 if f["crowd.established"]["value"] else
		"of 2000 connections were established" in f["crowd.established"]["reason"]
		for f in (c["figures"] for c in r["contenders"])]')" "[True, True]"
	is_equal "$(json 'all("not taken by --quick" in c["figures"]["crowd.100000.first_byte_p50_us"]["reason"]
		for c in r["contenders"] if c["figures"]["crowd.established"]["value"])')" True
}

# What a machine that is busy with other things does not come to.
BUSY='("the time was used up", "connections were established", "came to its end in time", "was served", "were served")'

# Two round trips of 20 ms at least, whatever the machine does.
@test "takes what clients see that are far away, with and without loss" {
	bench --time=2 --slice=60 --only=delay --methods=listen,engine --out="$OUT"
	is_equal "$status" 0
	is_equal "$(json '[f["value"] >= 40000 if f["value"] else any(why in f["reason"] for why in '"$BUSY"')
		for f in (c["figures"][name] for c in r["contenders"] for name in ("delay.p50_us", "delay.lossy_p50_us"))]')" \
		"[True, True, True, True]"
}

@test "takes how the cost grows with flows, prefixes and ports" {
	bench --time=2 --slice=60 --only=growth,answered --methods=xdp-native --out="$OUT"
	is_equal "$status" 0
	is_equal "$(json '[f["value"] > 0 if f["value"] else any(why in f["reason"] for why in '"$BUSY"') for f in
		(r["contenders"][0]["figures"][name] for name in
		("growth.100.per_s", "growth.100.mib", "answered.prefixes.4096.per_s", "answered.ports.65536.per_s"))]')" \
		"[True, True, True, True]"
	not grep gnuplot "$BATS_FILE_TMPDIR/bench.err"
}

# Without a flood before.
@test "times the programs with a SYN that they answer" {
	bench --only=program --methods="xdp,engine$(can_accept && echo ,accept)" --out="$OUT"
	is_equal "$status" 0
	is_equal "$(json '{c["name"]: c["figures"]["program.syn_ns"]["value"] is not None for c in r["contenders"]
		if c["name"] != "accept"}')" "{'xdp': True, 'engine': False}"
	[[ $output == *"SYN not taken: this method does not answer in XDP"* ]]
	is_equal "$(json 'all(c["figures"][f]["value"] is not None for c in r["contenders"] if c["name"] == "accept"
		for f in ("program.syn_ns", "program.ingress_ipv4_ns", "program.ingress_ipv6_ns"))')" True
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
	bench --only=connect --methods= --peer='<i>peer':"$TOOLS/echo_server 34567" --out="$OUT"
	is_equal "$status" 0
	not grep '<i>' "$OUT/report.html" "$OUT/latency.svg"
	# As a shell takes it.
	is_equal "$(json '__import__("shlex").split(r["command"])[-2]')" "--peer=<i>peer:$TOOLS/echo_server 34567"
	is_equal "$(json 'r["contenders"][0]["figures"]["connect.p50_us"]["value"] > 0')" True
}

@test "takes a program by the library, and a server under run" {
	bench --time=12 --only=serial,requests --methods=listen,app,app-accept,run,run-descriptors --out="$OUT"
	is_equal "$status" 0
	is_equal "$(json '[c["name"] for c in r["contenders"] for f in ("serial.per_s", "requests.per_s")
		if not c["figures"][f]["value"] > 0]')" "[]"
	[[ $output == *"requests a second on 32 connections, under run to accept()"* ]]
}

echoes_here()
{
	[ "$(printf hello | in_here nc -N -w 2 ::1 34567)" = hello ]
}

@test "is the server that listens alone, for others to measure" {
	in_here ip link set lo up
	start served in_here "$NOLISTEN" bench --serve=34567
	wait_for 5 echoes_here
	is_refused 1 "bench: --serve: port 34567: Address already in use" --serve=34567
	is_refused 2 "--serve: measures nothing" --serve=34567 --quick
	stop "$STARTED"
}

@test "goes on without gnuplot" {
	mkdir -p "$BATS_FILE_TMPDIR/bin"
	for tool in nft sh; do
		ln -sf "$(command -v $tool)" "$BATS_FILE_TMPDIR/bin/$tool"
	done
	rm -rf "$OUT"
	PATH=$BATS_FILE_TMPDIR/bin run "$NOLISTEN" bench --quick --time=4 --slice=300 --only=connect --methods=listen --out="$OUT"
	is_equal "$status" 0
	[[ $output == *"gnuplot is not installed"* ]]
	[ -s "$OUT/results.json" ] && [ ! -e "$OUT/latency.svg" ]
	grep -q '</html>' "$OUT/report.html"
	not grep '<figure' "$OUT/report.html"
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

# results NAME VALUE...: a results.json, whose one contender took a connection per VALUE microseconds.
results()
{
	local IFS=,
	echo "{\"conditions\": \"here\", \"contenders\": [{\"name\": \"auto\", \"figures\": {
		\"serial.p50_us\": {\"value\": 1, \"rounds\": [null,${*:2}]},
		\"only.${1}_us\": {\"value\": 1, \"rounds\": [1]},
		\"serial.p99_us\": {\"value\": null, \"reason\": \"too few\"}}}]}" >"$BATS_TEST_TMPDIR/$1.json"
}

# changes OLD NEW: the lines of figures, without the columns' width.
changes()
{
	(cd "$BATS_TEST_TMPDIR" && "$NOLISTEN" bench --compare "$1.json" "$2.json") | sed -n 's/  */ /g; s/^ \(serial\|only\)/\1/p'
}

@test "compares two results, and says what is better" {
	results slow 20 20 20 20 20 20
	results fast 10 10 10 10 10 10
	results few 10 10 10
	is_equal "$(changes slow fast)" "serial.p50_us 20.00 10.00 0.500x [0.500, 0.500] better"
	is_equal "$(changes fast slow)" "serial.p50_us 10.00 20.00 2.000x [2.000, 2.000] worse"
	is_equal "$(changes fast fast | head -n 1)" "serial.p50_us 10.00 10.00 1.000x [1.000, 1.000] no change"
	is_equal "$(changes slow few)" "serial.p50_us 20.00 10.00 0.500x too few rounds"
}

@test "compares what a benchmark has written" {
	bench --only=connect --methods=listen --out="$OUT"
	is_equal "$status" 0
	run "$NOLISTEN" bench --compare "$OUT/results.json" "$OUT/results.json"
	is_equal "$status" 0
	[[ $output == *"connect.p50_us "*"1.000x"* && $output != *better* && $output != *worse* ]]
}

@test "refuses to compare what is no results.json in one line" {
	cd "$BATS_TEST_TMPDIR"
	results good 1 2 3
	echo '{"contenders": 1}' >other.json
	echo 'nothing' >text.json
	is_refused 1 "bench: gone.json: No such file or directory" --compare gone.json good.json
	is_refused 1 "bench: gone.json: No such file or directory" --compare good.json gone.json
	is_refused 1 "bench: text.json: not JSON" --compare good.json text.json
	is_refused 1 "bench: other.json: no results.json of nolisten bench" --compare other.json good.json
	is_refused 2 "--compare: with what? usage: nolisten bench" --compare good.json
	is_refused 2 "--compare: needs an argument, OLD" --compare
	is_refused 2 "--compare: measures nothing" --compare good.json good.json --quick
	is_refused 2 "one too many" --compare good.json good.json good.json
}

@test "lists measures and contenders" {
	run "$NOLISTEN" bench --help
	is_equal "$status" 0
	[[ $output == *synack* && $output == *SYNPROXY* && $output == *handoff* ]]
}
