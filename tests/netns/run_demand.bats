#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# nolisten run --on-demand: a server is started by its first connection.
bats_require_minimum_version 1.5.0
load helpers
load accept
load run
load run_kept

# own_lab: where nobody else keeps a loader.
own_lab()
{
	lab_up
}

# demand OPTION... -- COMMAND...: until it waits for somebody.
demand()
{
	start_run run -i eth0 --port=8080 "$@"
	RUN=$STARTED
	RUNS+=("$RUN")
	wait_for 10 has_text "$BATS_FILE_TMPDIR/run.err" "is started by the first connection"
}

# echo_of ADDRESS [MESSAGE]
echo_of()
{
	in_client timeout 15 nc -N -w 12 "$1" 8080 <<<"${2:-hello}"
}

has_command()
{
	[ -n "$(commands)" ]
}

# commands: those of the run.
commands()
{
	local pid
	for pid in $(children_of "$RUN"); do
		[[ $(tr '\0' ' ' <"/proc/$pid/cmdline") == *nolisten-loader* ]] || echo "$pid"
	done
}

@test "the first connection starts COMMAND, and is served with all that came meanwhile" {
	demand --on-demand -- env DELAY_MS=400 "$TOOLS/graceful_server" 8080
	not has_command
	for i in 1 2 3 4 5; do
		start "client-$i" nsenter --net="/run/netns/$CLIENT" nc -N -w 10 10.0.0.2 8080
	done
	is_equal "$(echo_of 10.0.0.2 first)" first
	has_command
	is_equal "$(echo_of 10.0.0.2 second)" second
	is_equal "$(grep -c ready "$BATS_FILE_TMPDIR/run.out")" 1
	is_equal "$(in_client nstat -asz TcpExtTCPSynRetrans | awk '/SynRetrans/ { print $2 }')" 0
}

@test "COMMAND ends when it is idle, and is started again" {
	demand --on-demand=1 -- "$TOOLS/graceful_server" 8080
	is_equal "$(echo_of 10.0.0.2 one)" one
	wait_for 10 has_text "$BATS_FILE_TMPDIR/run.err" "has no connections, and is ended"
	wait_for 5 not has_command
	is_equal "$(echo_of 10.0.0.2 two)" two
	is_equal "$(grep -c ready "$BATS_FILE_TMPDIR/run.out")" 2
}

@test "an open connection keeps COMMAND" {
	demand --on-demand=1 -- "$TOOLS/graceful_server" 8080
	mkfifo "$BATS_TEST_TMPDIR/in"
	nsenter --net="/run/netns/$CLIENT" nc 10.0.0.2 8080 <>"$BATS_TEST_TMPDIR/in" >"$BATS_TEST_TMPDIR/out" 2>&1 3>&- &
	STARTED=$!
	echo first >"$BATS_TEST_TMPDIR/in"
	wait_for 5 has_text "$BATS_TEST_TMPDIR/out" first
	# Twice the time of which one would be enough.
	wait_for 5 eval '[ "$(ps -o etimes= -p "$(commands)")" -ge 3 ]'
	echo second >"$BATS_TEST_TMPDIR/in"
	wait_for 5 has_text "$BATS_TEST_TMPDIR/out" second
	stop "$STARTED"
	wait_for 10 has_text "$BATS_FILE_TMPDIR/run.err" "has no connections, and is ended"
}

@test "a command that fails is tried again less and less often, and then those who wait are reset" {
	demand --on-demand -- env FAIL=3 "$TOOLS/graceful_server" 8080
	run in_client timeout 15 nc -w 12 10.0.0.2 8080
	[[ $output != *"timed out"* ]]
	wait_for 10 has_text "$BATS_FILE_TMPDIR/run.err" "has failed 5 times in a row: connections that wait for it are reset"
	is_equal "$(grep -c "has ended, status 3" "$BATS_FILE_TMPDIR/run.err")" 5
	! is_gone "$RUN"
}

@test "a command that is not there is said at once" {
	run -127 nolisten_run -i eth0 -p 8080 --on-demand -- no-such-command
	is_equal "$output" "nolisten: run: cannot run 'no-such-command': not found"
	run nolisten_run -i eth0 -p 8080 --on-demand -- /etc/passwd
	is_equal "$status" 126
	run nolisten_run --on-demand -- true
	is_equal "$status" 2
	[[ $output == *"--on-demand: needs --port"* ]]
	run nolisten_run -i eth0 -p 8080 --no-parent --on-demand -- true
	is_equal "$status" 1
	[[ $output == *"need Linux 6.9, and no --no-parent"* ]]
	run nolisten_run -p all --on-demand -- true
	is_equal "$status" 2
	start_kernel_server 8080 kernel
	run nolisten_run -i eth0 -p 8080 --on-demand -- true
	is_equal "$status" 1
	stop "$KERNEL_SERVER" KILL
	[[ $output == *"cannot answer port 8080: "*"a kernel socket listens there"* ]]
}

@test "SIGTERM ends it, waiting or not, and kill -9 leaves nothing attached" {
	own_lab
	demand --on-demand -- "$TOOLS/graceful_server" 8080
	kill "$RUN"
	wait_for 5 is_gone "$RUN"
	wait_for 5 has_no_loader
	demand --on-demand -- "$TOOLS/graceful_server" 8080
	is_equal "$(echo_of 10.0.0.2)" hello
	stop "$RUN"
	wait_for 5 has_no_loader
	demand --on-demand -- "$TOOLS/graceful_server" 8080
	is_equal "$(echo_of 10.0.0.2)" hello
	kill -KILL "$RUN"
	wait_for 5 has_no_loader
	is_detached
	is_refused 10.0.0.2 8080
}

# servers_up: Debian's, unpacked.
servers_up()
{
	SERVERS=$("$REPO/tests/servers") || skip "Debian's servers cannot be fetched"
	LD_LIBRARY_PATH=$(echo "$SERVERS"/usr/lib/*-linux-gnu)
	export LD_LIBRARY_PATH
	PATH=$SERVERS/usr/sbin:$SERVERS/usr/bin:$PATH
}

# page ADDRESS: of the server's site.
page()
{
	in_client curl -sS -m 20 "http://$1:8080/index.html"
}

@test "python is started on demand, and sees who its clients are" {
	mkdir "$BATS_TEST_TMPDIR/site"
	echo "a page" >"$BATS_TEST_TMPDIR/site/index.html"
	demand --on-demand -- python3 -m http.server -d "$BATS_TEST_TMPDIR/site" 8080
	is_equal "$(page 10.0.0.2)" "a page"
	wait_for 5 has_text "$BATS_FILE_TMPDIR/run.err" "10.0.0.1 - - "
	# It has IPv4 alone.
	wait_for 10 is_refused fd00::2 8080
	is_equal "$(page 10.0.0.2)" "a page"
}

@test "a server of one address gets those that come to this one, and the others are refused" {
	address "$SERVER" eth0 10.0.0.3/24
	demand --on-demand -- python3 -c '
import socket
sock = socket.create_server(("10.0.0.3", 8080))
while True:
    one = sock.accept()[0]
    one.sendall(b"only here\n")
    one.close()
'
	start other nsenter --net="/run/netns/$CLIENT" nc -d -w 15 10.0.0.2 8080
	is_equal "$(banner_of 10.0.0.3 8080)" "only here"
	wait_for 10 is_gone "$STARTED"
	is_equal "$(cat "$BATS_FILE_TMPDIR/other.out")" ""
	wait_for 5 is_refused 10.0.0.2 8080
}

@test "node, with one socket for both families, is started on demand" {
	demand --on-demand -- node -e 'require("http").createServer((request, response) => response.end("node\n")).listen(8080)'
	is_equal "$(page 10.0.0.2),$(page '[fd00::2]')" node,node
}

@test "redis is started on demand, and redis-cli is the first" {
	servers_up
	demand --on-demand -- redis-server --port 8080 --save '' --protected-mode no --bind '* -::*'
	is_equal "$(in_client redis-cli -h 10.0.0.2 -p 8080 ping)" PONG
	is_equal "$(in_client redis-cli -h fd00::2 -p 8080 ping)" PONG
}

@test "nginx is started on demand, ends when it is idle, and comes again" {
	local dir=$BATS_TEST_TMPDIR
	servers_up
	cat >"$dir/conf" <<-EOT
	daemon off; user root; worker_processes 2; error_log stderr; pid $dir/pid; events {}
	http {
		access_log off; client_body_temp_path $dir; proxy_temp_path $dir; fastcgi_temp_path $dir;
		uwsgi_temp_path $dir; scgi_temp_path $dir;
		server { listen 8080; listen [::]:8080; location / { return 200 "nginx\n"; } }
	}
	EOT
	demand --on-demand=1 --stop-signal=QUIT -- nginx -e stderr -c "$dir/conf"
	is_equal "$(page '[fd00::2]'),$(page 10.0.0.2)" nginx,nginx
	wait_for 10 has_text "$BATS_FILE_TMPDIR/run.err" "has no connections, and is ended"
	wait_for 10 not has_command
	is_equal "$(page 10.0.0.2),$(page '[fd00::2]')" nginx,nginx
}

@test "listeners are passed as sd_listen_fds has them" {
	demand -p 8081 --on-demand --listen-fds -- python3 -c '
import os, socket
assert os.environ["LISTEN_PID"] == str(os.getpid())
names = os.environ["LISTEN_FDNAMES"].split(":")
socks = [socket.socket(fileno=3 + i) for i in range(int(os.environ["LISTEN_FDS"]))]
print(names, [s.getsockname()[:2] for s in socks], flush=True)
while True:
    for sock in socks:
        sock.setblocking(False)
        try:
            one = sock.accept()[0]
        except BlockingIOError:
            continue
        one.sendall(b"port %d\n" % sock.getsockname()[1])
        one.close()
'
	is_equal "$(banner_of 10.0.0.2 8081)" "port 8081"
	is_equal "$(banner_of fd00::2 8080)" "port 8080"
	has_text "$BATS_FILE_TMPDIR/run.out" "['8080', '8081'] [('::', 8080), ('::', 8081)]"
}
