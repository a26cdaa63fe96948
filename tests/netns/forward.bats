#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# forward: connections are joined to others, to servers that listen.
load helpers

setup_file()
{
	"$BATS_TEST_DIRNAME/../nginx" --fetch
	lab_up
	start_ready target-1 ip netns exec "$SERVER" "$TOOLS/echo_server" 8081
	start_ready target-2 ip netns exec "$SERVER" "$TOOLS/echo_server" 8082 second
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
	[ -z "$STARTED" ] || stop "$STARTED"
	stop_leftover_loader
}

# service NAME: a counter.
service()
{
	in_server "$NOLISTEN" status -j eth0 | jq ".services.$1"
}

has_service()
{
	[ "$(service "$1")" -ge "$2" ]
}

@test "joins connections to a target, in every method" {
	for method in auto xdp engine connect accept nfqueue filter; do
		start_loader -m "$method" -s forward:127.0.0.1:8081
		is_equal "$(echo_back 10.0.0.2 34567 "hello $method")" "hello $method"
		is_equal "$(echo_back fd00::2 34567 "hello over IPv6")" "hello over IPv6"
		wait_for 5 has_event '.event == "closed"'
		stop_loader
	done
}

@test "loses nothing of what goes both ways at once" {
	for target in '127.0.0.1' '[::1]'; do
		start_loader -q -s "forward:$target:8081"
		expect "50000000 bytes intact in both directions" in_client timeout 30 "$TOOLS/stream_client" 10.0.0.2 34567 50000000
		wait_for 5 has_service forward_received_bytes 50000000
		is_equal "$(service forward_sent_bytes),$(service forward_received_bytes)" 50000000,50000000
		is_equal "$(service forward_aborted)" 0
		stop_loader
	done
}

@test "serves many one after the other, with two workers" {
	start_loader -q --workers=2 -s forward:127.0.0.1:8081
	expect "500 connections" in_client "$TOOLS/burst_client" 10.0.0.2 34567 500 2000
	wait_for 5 has_service forwarded 500
	wait_for 10 has_counter closed 500
	in_server "$NOLISTEN" status --openmetrics eth0 | grep -qx 'nolisten_services_forwarded_total{interface="eth0"} 500'
}

@test "a server that speaks first is heard" {
	start_loader -s forward:127.0.0.1:8082
	is_equal "$(banner_of 10.0.0.2 34567)" second
}

@test "targets take turns, and one that is down is passed over" {
	start_loader -s forward:127.0.0.1:8081,127.0.0.1:8082,127.0.0.1:8083
	heard=
	for _ in 1 2 3 4 5 6; do
		heard+=$(echo_back 10.0.0.2 34567 first),
	done
	# Whose turn it is with the third that is down: the next.
	is_equal "$(tr , '\n' <<<"$heard" | grep -c .)" 6
	[[ $heard == *first,second* ]]
	wait_for 5 has_service forwarded 6
	is_equal "$(service forward_failed)" 1
	[ "$(service forward_failed_over)" -ge 1 ]
}

@test "a name is its addresses" {
	start_loader -s forward:localhost:8081
	is_equal "$(echo_back 10.0.0.2 34567 hello)" hello
}

# hang COUNT: connections that say nothing.
hang()
{
	start_ready hanging ip netns exec "$CLIENT" "$BATS_TEST_DIRNAME/../tools/hang_client.py" 10.0.0.2 34567 "$1" ''
}

@test "without a target the remote is reset, and told of" {
	start_loader -s forward:127.0.0.1:8083,127.0.0.1:8084
	hang 1
	wait_for 5 has_text "$BATS_FILE_TMPDIR/hanging.out" '1 reset'
	expect_event '.event == "reset" and .reason == "no_target" and .local == "10.0.0.2:34567"'
	is_equal "$(service forward_no_target),$(service forward_failed)" 1,2
	has_text "$LOADER_LOG" 'forward: 127.0.0.1:8083: Connection refused'
	start_ready back ip netns exec "$SERVER" "$TOOLS/echo_server" 8083
	is_equal "$(echo_back 10.0.0.2 34567 hello)" hello
	has_text "$LOADER_LOG" 'forward: 127.0.0.1:8083: is there again'
	expect_event '.event == "closed"'
}

@test "a target that does not answer is waited for as long as it is told to" {
	ip -n "$SERVER" route add 10.66.0.0/24 via 10.0.0.77
	ip -n "$SERVER" neighbour add 10.0.0.77 lladdr 02:00:00:00:00:77 dev eth0
	start_loader --forward-timeout=200 -s forward:10.66.0.1:80,127.0.0.1:8081
	is_equal "$(echo_back 10.0.0.2 34567 hello)" hello
	is_equal "$(service forward_failed),$(service forward_failed_over)" 1,1
	# It comes last for a while.
	is_equal "$(echo_back 10.0.0.2 34567 again)" again
	is_equal "$(service forward_failed)" 1
}

@test "tells nginx by PROXY protocol who comes" {
	mkdir "$BATS_TEST_TMPDIR/nginx"
	cat >"$BATS_TEST_TMPDIR/nginx/conf" <<-CONF
		daemon off;
		master_process off;
		pid $BATS_TEST_TMPDIR/nginx/pid;
		error_log stderr;
		events {}
		http {
			access_log off;
			client_body_temp_path $BATS_TEST_TMPDIR/nginx;
			proxy_temp_path $BATS_TEST_TMPDIR/nginx;
			fastcgi_temp_path $BATS_TEST_TMPDIR/nginx;
			uwsgi_temp_path $BATS_TEST_TMPDIR/nginx;
			scgi_temp_path $BATS_TEST_TMPDIR/nginx;
			server {
				listen 127.0.0.1:8090 proxy_protocol;
				return 200 "\$proxy_protocol_addr \$proxy_protocol_port \$proxy_protocol_server_addr \$proxy_protocol_server_port\n";
			}
		}
	CONF
	start nginx ip netns exec "$SERVER" "$BATS_TEST_DIRNAME/../nginx" -c "$BATS_TEST_TMPDIR/nginx/conf"
	wait_for 5 in_server nc -z 127.0.0.1 8090
	for method in auto accept; do
		start_loader -m $method -p 80 --proxy-protocol -s forward:127.0.0.1:8090
		is_equal "$(in_client curl -sS --max-time 5 --local-port 45000-45100 http://10.0.0.2/ | sed 's/ 45[01][0-9][0-9] / PORT /')" \
			'10.0.0.1 PORT 10.0.0.2 80'
		is_equal "$(in_client curl -sS --max-time 5 --local-port 45000-45100 'http://[fd00::2]/' | sed 's/ 45[01][0-9][0-9] / PORT /')" \
			'fd00::1 PORT fd00::2 80'
		stop_loader
	done
}

# has_sockets COUNT: the loader.
has_sockets()
{
	[ "$(sockets_of_loader)" = "$1" ]
}

sockets_of_loader()
{
	find "/proc/$LOADER_PID/fd" -lname 'socket:*' | wc -l
}

@test "a connection that rests has two sockets and nothing else" {
	start_loader -q -s forward:127.0.0.1:8081
	before=$(sockets_of_loader)
	all=$(ls "/proc/$LOADER_PID/fd" | wc -l)
	hang 100
	wait_for 5 has_service forwarded 100
	has_sockets $((before + 200))
	# And one timer and one pipe for all.
	[ "$(ls "/proc/$LOADER_PID/fd" | wc -l)" -le $((all + 203)) ]
	stop "$STARTED"
	wait_for 5 has_sockets "$before"
	wait_for 5 has_service forward_aborted 100
}

@test "with no descriptor left a remote is reset, and those that are there go on" {
	start_loader -q -s forward:127.0.0.1:8081
	timers=$(count_timers)
	mkfifo "$BATS_TEST_TMPDIR/said"
	ip netns exec "$CLIENT" nc 10.0.0.2 34567 <"$BATS_TEST_TMPDIR/said" >"$BATS_TEST_TMPDIR/heard" 3>&- &
	STARTED=$!
	exec {said}>"$BATS_TEST_TMPDIR/said"
	wait_for 5 has_service forwarded 1
	wait_for 5 has_few_descriptors
	prlimit --pid "$LOADER_PID" --nofile=$(($(ls "/proc/$LOADER_PID/fd" | wc -l) + 1)):
	run echo_back 10.0.0.2 34567 hello
	[[ $output != *hello ]]
	# There is no pipe for it.
	echo 'still here' >&"$said"
	wait_for 5 has_text "$BATS_TEST_TMPDIR/heard" 'still here'
	prlimit --pid "$LOADER_PID" --nofile=1024:
	is_equal "$(echo_back 10.0.0.2 34567 hello)" hello
	exec {said}>&-
}

count_timers()
{
	find "/proc/$LOADER_PID/fd" -lname 'anon_inode:\[timerfd\]' | wc -l
}

# The timer of who connects is gone.
has_few_descriptors()
{
	[ "$(count_timers)" = "$timers" ]
}

@test "refuses targets that are none, and itself" {
	for spec in 80 a: a:0 :80 a:65536 a:http '[fd00::3]' a:80,; do
		refused_loader 2 "forward needs HOST:PORT" -s "forward:$spec" eth0
	done
	refused_loader 2 "an IPv6 address goes into brackets" -s forward:fd00::3:80 eth0
	refused_loader 2 "forward needs a target" -s forward: eth0
	refused_loader 2 "--proxy-protocol: goes with" --proxy-protocol eth0
	refused_loader 2 "--forward-timeout: goes with" --forward-timeout=50 eth0
	refused_loader 1 "300.1.1.1" -s forward:300.1.1.1:80 eth0
	refused_loader 1 "answered here itself" -s forward:10.0.0.2:34567 eth0
	refused_loader 1 "answered here itself" -s 'forward:127.0.0.1:8081,[fd00::2]:34567' eth0
	refused_loader 1 "answered here itself" -p all -s forward:10.0.0.2:8083 eth0
	is_detached
	# Somebody listens there: it is left to him.
	start_loader -p 34567,8082 -s forward:10.0.0.2:8082
	is_equal "$(banner_of 10.0.0.2 34567)" second
}
