#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# nolisten run with Debian's servers, unmodified, and their own clients: all at once, each by a run of its own.
load helpers
load accept
load run

setup_file()
{
	local way
	SERVERS=$("$REPO/tests/servers") || skip "Debian's servers cannot be fetched"
	export SERVERS
	# The one server of Debian's in Go that is linked statically and small: Go 1.19, which makes no MPTCP listeners yet.
	GO=$("$REPO/tests/unpacked" scep scep)/usr/bin/scepserver || skip "scepserver cannot be fetched"
	export GO
	LD_LIBRARY_PATH=$(echo "$SERVERS"/usr/lib/*-linux-gnu)
	export LD_LIBRARY_PATH
	PATH=$SERVERS/usr/sbin:$SERVERS/usr/bin:$PATH
	run_lab_up
	# As a rule the kernel has parents; what follows is told apart by its port.
	way=$(run_ways | head -1)
	start_all "$way"
}

teardown_file()
{
	local pid
	for pid in ${ALL_RUNS:-}; do
		kill -TERM "$pid" 2>/dev/null || :
	done
	for pid in ${ALL_RUNS:-}; do
		wait_for 10 is_gone "$pid" || kill -KILL "$pid"
	done
	run_lab_down
}

setup()
{
	PATH=$SERVERS/usr/sbin:$SERVERS/usr/bin:$PATH
}

# under NAME WAY COMMAND...
under()
{
	start_run "$1" "$2" -- "${@:3}"
	ALL_RUNS+=" $STARTED"
}

# nginx_conf NAME LISTEN...: two workers.
nginx_conf()
{
	local dir=$BATS_FILE_TMPDIR/$1 listen
	mkdir -p "$dir"
	{
		echo "daemon off; user root; worker_processes 2; error_log stderr; pid $dir/pid; events {}"
		echo "http { access_log off; client_body_temp_path $dir; proxy_temp_path $dir; fastcgi_temp_path $dir;"
		echo "uwsgi_temp_path $dir; scgi_temp_path $dir; server {"
		for listen in "${@:2}"; do
			echo "listen $listen;"
		done
		# Who has served it, and what it believes of its own end.
		echo "location = /who { return 200 '\$pid \$server_addr \$server_port \$remote_addr\\n'; }"
		echo "location / { root $BATS_FILE_TMPDIR/www; } } }"
	} >"$dir/conf"
	echo "$dir/conf"
}

sshd_up()
{
	local dir=$BATS_FILE_TMPDIR/sshd
	mkdir -p "$dir/run"
	ssh-keygen -q -t ed25519 -N '' -f "$dir/host"
	ssh-keygen -q -t ed25519 -N '' -f "$dir/key"
	cp "$dir/key.pub" "$dir/authorized"
	cat /etc/passwd - >"$dir/passwd" <<<'sshd:x:64999:65534::/run/sshd:/usr/sbin/nologin'
	cat >"$dir/conf" <<-END
		Port 2022
		HostKey $dir/host
		AuthorizedKeysFile $dir/authorized
		PermitRootLogin yes
		StrictModes no
		PasswordAuthentication no
		UsePAM no
		PidFile none
	END
	# Its user and its folder are in a mount namespace of its own.
	under sshd "$1" unshare --mount sh -c "mount --bind $dir/passwd /etc/passwd && mount -t tmpfs none /run &&
		mkdir /run/sshd && exec $SERVERS/usr/sbin/sshd -D -e -f $dir/conf"
}

haproxy_up()
{
	cat >"$BATS_FILE_TMPDIR/haproxy.cfg" <<-END
		global
		  nbthread 2
		defaults
		  mode http
		  timeout connect 5s
		  timeout client 5s
		  timeout server 5s
		frontend web
		  bind :::8400 v4v6
		  default_backend web
		backend web
		  server nginx 10.0.0.2:8100
	END
	under haproxy "$1" haproxy -db -f "$BATS_FILE_TMPDIR/haproxy.cfg"
}

start_all()
{
	local way=$1 depot=$BATS_FILE_TMPDIR/depot
	ALL_RUNS=
	"$GO" ca -init -depot "$depot" -keySize 1024 >&2
	under nginx "$way" nginx -e stderr -c "$(nginx_conf nginx 8100 '[::]:8100')"
	under reuseport "$way" nginx -e stderr -c "$(nginx_conf reuseport '8200 reuseport' '[::]:8200 reuseport')"
	under redis "$way" redis-server --port 8300 --save '' --protected-mode no --bind '* -::*'
	haproxy_up "$way"
	under node "$way" node -e 'require("http").createServer((request, response) => response.end("node\n")).listen(8500)'
	under go "$way" prometheus-node-exporter --web.listen-address=:8600 --log.level=error
	under go-static "$way" "$GO" -depot "$depot" -port 8900
	under go-static-put --no-parent "$GO" -depot "$depot" -port 8910
	sshd_up "$way"
	under nginx-put --no-parent nginx -e stderr -c "$(nginx_conf nginx-put 8700 '[::]:8700')"
	under redis-put --no-parent redis-server --port 8800 --save '' --protected-mode no --bind '* -::*'
	export ALL_RUNS
}

# both_families PATH PORT: what each gets there.
both_families()
{
	local host
	for host in 10.0.0.2 '[fd00::2]'; do
		in_client curl -sS -m 10 "http://$host:$2$1"
	done
}

# needs NAME PORT: is it there by now? Shows what it said if it is not, and that no socket listens at the port.
needs()
{
	wait_for 10 is_served 10.0.0.2 "$2" && not listens "$2" && return
	cat "$BATS_FILE_TMPDIR/$1".{out,err} >&2
	return 1
}

@test "nginx: files, and what it believes of its own address" {
	needs nginx 8100
	is_equal "$(both_families / 8100)" hello$'\n'hello
	is_equal "$(both_families /who 8100 | cut -d' ' -f 2-)" "10.0.0.2 8100 10.0.0.1"$'\n'"fd00::2 8100 fd00::1"
}

@test "nginx: ab, new connections and kept ones, none fails" {
	local kept
	needs nginx 8100
	for kept in '' -k; do
		# shellcheck disable=SC2086
		run in_client ab -q $kept -n 3000 -c 16 http://10.0.0.2:8100/index.html
		[[ $output == *"Complete requests:      3000"*"Failed requests:        0"* ]]
	done
}

@test "nginx with reuseport: each worker has a share of the connections, in both families" {
	local host
	needs reuseport 8200
	for host in 10.0.0.2 '[fd00::2]'; do
		is_equal "$(for i in {1..40}; do
			in_client curl -sS -m 10 "http://$host:8200/who"
		done | cut -d' ' -f1 | sort -u | wc -l)" 2
	done
}

@test "nginx is reloaded: new workers, the same listeners" {
	local before
	needs nginx 8100
	before=$(both_families /who 8100 | cut -d' ' -f1)
	kill -HUP "$(<"$BATS_FILE_TMPDIR/nginx/pid")"
	has_other_worker()
	{
		[[ $before != *$(in_client curl -sS -m 10 http://10.0.0.2:8100/who | cut -d' ' -f1)* ]]
	}
	wait_for 10 has_other_worker
	is_equal "$(both_families / 8100)" hello$'\n'hello
}

@test "redis: redis-benchmark, and a pipeline of its own client" {
	needs redis 8300
	run in_client redis-benchmark -h 10.0.0.2 -p 8300 -q -n 2000 -c 20 -t set,get
	[[ $output == *SET*"requests per second"*GET*"requests per second"* ]]
	is_equal "$(in_client redis-cli -h fd00::2 -p 8300 incr counted)" 1
}

@test "haproxy: from both families to a server under run" {
	needs haproxy 8400
	is_equal "$(both_families / 8400)" hello$'\n'hello
}

@test "node: a socket of both families" {
	needs node 8500
	is_equal "$(both_families / 8500)" node$'\n'node
}

@test "Go's net/http" {
	needs go 8600
	[ "$(both_families /metrics 8600 | grep -c '^go_info')" = 2 ]
}

# serves_as_go PORT: to curl in both families, and to ab.
serves_as_go()
{
	is_equal "$(both_families '/scep?operation=GetCACaps' "$1" | grep -c POSTPKIOperation)" 2
	run in_client ab -q -n 500 -c 8 "http://10.0.0.2:$1/scep?operation=GetCACaps"
	[[ $output == *"Complete requests:      500"*"Failed requests:        0"* ]]
}

@test "Go's net/http, statically linked" {
	is_equal "$(readelf -l "$GO" | grep -c INTERP)" 0
	needs go-static 8900
	serves_as_go 8900
	needs go-static-put 8910
	serves_as_go 8910
}

@test "sshd: ssh logs in and runs a command" {
	needs sshd 2022
	for host in 10.0.0.2 fd00::2; do
		is_equal "$(in_client ssh -F none -i "$BATS_FILE_TMPDIR/sshd/key" -p 2022 -o StrictHostKeyChecking=no \
			-o UserKnownHostsFile=/dev/null -o LogLevel=ERROR "root@$host" 'echo $SSH_CONNECTION' | cut -d' ' -f 3,4)" \
			"$host 2022"
	done
}

@test "sockets put in: nginx" {
	needs nginx-put 8700
	is_equal "$(both_families / 8700)" hello$'\n'hello
	run in_client ab -q -n 500 -c 8 http://10.0.0.2:8700/index.html
	[[ $output == *"Complete requests:      500"*"Failed requests:        0"* ]]
}

@test "sockets put in: redis" {
	needs redis-put 8800
	run in_client redis-benchmark -h 10.0.0.2 -p 8800 -q -n 500 -c 10 -t get
	[[ $output == *GET*"requests per second"* ]]
	is_equal "$(in_client redis-cli -h fd00::2 -p 8800 incr counted)" 1
}
