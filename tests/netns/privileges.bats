#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# What the loader gives up when it has started, who has the services that talk to strangers, and what they cannot do.
load helpers

setup_file()
{
	lab_up
	# Others have to come that far.
	OPEN=$(mktemp -d /tmp/nolisten-privileges.XXXXXX)
	export OPEN
	chmod 755 "$OPEN"
	cp "$TOOLS/trespass" "$OPEN/"
	(umask 077 && echo 000102030405060708090a0b0c0d0e0f >"$OPEN/key")
}

teardown_file()
{
	lab_down
	rm -rf "$OPEN"
}

teardown()
{
	stop_leftover_loader
}

# status_of PID FIELD: of /proc/PID/status.
status_of()
{
	awk -v field="$2:" '$1 == field { print $2 }' "/proc/$1/status"
}

# has_nothing PID: no capability, none by exec, no new privileges, a filter.
has_nothing()
{
	for field in CapInh CapPrm CapEff CapBnd CapAmb; do
		is_equal "$field $(status_of "$1" $field)" "$field 0000000000000000"
	done
	is_equal "$(status_of "$1" NoNewPrivs),$(status_of "$1" Seccomp)" 1,2
}

# keeps PID CAPABILITIES: those alone, in hexadecimal. With sanitizers, which make calls of their own, there is no filter.
keeps()
{
	local seccomp=2
	! grep -q __asan_init "$LOADER" || seccomp=0
	is_equal "$(status_of "$1" CapEff),$(status_of "$1" CapPrm)" "$2,$2"
	is_equal "$(status_of "$1" CapBnd),$(status_of "$1" CapAmb)" 0000000000000000,0000000000000000
	is_equal "$(status_of "$1" NoNewPrivs),$(status_of "$1" Seccomp)" 1,$seccomp
}

# says TEXT: nc says it and ends; what it gets back.
says()
{
	printf '%s\n' "$1" | in_client timeout 5 nc -N 10.0.0.2 34567
}

@test "keeps two capabilities, in all threads, and serves" {
	start_loader --workers=2 --pcap="$BATS_TEST_TMPDIR/pcap"
	is_equal "$(echo_back 10.0.0.2 34567 hello)" hello
	for task in "/proc/$LOADER_PID/task"/*; do
		[ "$(cat "$task/comm")" = capture ] || keeps "$LOADER_PID/task/${task##*/}" 0000000000003000
	done
	is_equal "$(status_of "$LOADER_PID" Uid)" 0
	stop_loader
	is_equal "$LOADER_STATUS" 0
	! has_text "$LOADER_LOG" "refused to itself"
}

@test "becomes another user, who opens files again and may ask" {
	mkdir "$OPEN/of-daemon"
	chown daemon "$OPEN/of-daemon"
	EVENTS=$OPEN/of-daemon/events.json
	ip netns exec "$SERVER" "$LOADER" -p 80 --user=daemon --events="$EVENTS" eth0 2>"$BATS_FILE_TMPDIR/log" 3>&- &
	LOADER_PID=$!
	wait_for 10 has_text "$BATS_FILE_TMPDIR/log" answering
	is_equal "$(status_of "$LOADER_PID" Uid),$(status_of "$LOADER_PID" Gid)" "$(id -u daemon),$(id -g daemon)"
	keeps "$LOADER_PID" 0000000000003400
	is_equal "$(echo_back 10.0.0.2 80 hello)" hello
	is_equal "$(stat -c %U "$EVENTS")" daemon
	mv "$EVENTS" "$EVENTS.1"
	kill -HUP "$LOADER_PID"
	wait_for 5 test -e "$EVENTS"
	is_equal "$(echo_back 10.0.0.2 80 again)" again
	wait_for 5 test -s "$EVENTS"
	expect eth0 in_server setpriv --reuid=daemon --clear-groups "$NOLISTEN" status eth0
	expect "only root and the user that it runs as may ask" \
		in_server setpriv --reuid=nobody --clear-groups "$NOLISTEN" status eth0
	stop_loader
	is_equal "$LOADER_STATUS" 0
	is_detached
}

@test "reads the key of its user where root has no rights over files, and binds as low as the host says" {
	install -o daemon -m 600 "$OPEN/key" "$OPEN/key-of-daemon"
	in_server sysctl -qw net.ipv4.ip_unprivileged_port_start=3000
	LOADER_LOG=$BATS_TEST_TMPDIR/log
	ip netns exec "$SERVER" setpriv --bounding-set=-dac_override,-dac_read_search,-fowner "$LOADER" -p 2000 --user=daemon \
		--cookie-key="$OPEN/key-of-daemon" eth0 2>"$LOADER_LOG" 3>&- &
	LOADER_PID=$!
	wait_for 10 has_text "$LOADER_LOG" answering
	keeps "$LOADER_PID" 0000000000003400
	is_equal "$(echo_back 10.0.0.2 2000 hello)" hello
	kill -HUP "$LOADER_PID"
	wait_for 5 eval '[ "$(grep -c "cookies are made with key" "$LOADER_LOG")" = 2 ]'
	in_server sysctl -qw net.ipv4.ip_unprivileged_port_start=1024
	stop_loader
	is_equal "$LOADER_STATUS" 0
	! has_text "$LOADER_LOG" "refused to itself"
}

@test "says in one line what is wrong with a user" {
	refused_loader 2 "--user: 'no-such-user': no such user" --user=no-such-user eth0
	refused_loader 2 "--user: 'daemon:no-such-group': no such group" --user=daemon:no-such-group eth0
	refused_loader 1 "cannot open" --user=daemon --events="$OPEN/not-his" eth0
}

@test "what exec runs cannot load a program, see the key or look into the loader" {
	start_loader --cookie-key="$OPEN/key" -s "exec:read pid; $OPEN/trespass \$pid $OPEN/key /sys/fs/bpf/nolisten/eth0/nol_flows"
	is_equal "$(says "$LOADER_PID")" "load a program: EPERM
make a map: EPERM
open the key: EACCES
open a pin: EPERM
read the loader's memory: EACCES
trace the loader: EPERM
signal the loader: EPERM
make a raw socket: EPERM
make a packet socket: EPERM
make a user namespace: EPERM
become root: EPERM
uid 65534, gid 65534, core 0"
	service=$(service_pid)
	has_nothing "$service"
	has_nothing "$(ps -o ppid= "$service" | tr -d ' ')"
}

@test "exec runs as root only when it is told to, and without capabilities then" {
	start_loader --user=root -s "exec:read pid; $OPEN/trespass \$pid /nonexistent /nonexistent"
	run says "$LOADER_PID"
	[[ $output == "load a program: EPERM"*"read the loader's memory: EACCES"*"make a raw socket: EPERM"*"uid 0, gid 0,"* ]]
	has_nothing "$(service_pid)"
}

@test "the process of banner may open nothing, and holds nothing but its pairs" {
	start_loader --workers=2 --cookie-key="$OPEN/key" -s banner:hello
	is_equal "$(banner_of 10.0.0.2 34567)" hello
	service=$(service_pid)
	has_nothing "$service"
	is_equal "$(status_of "$service" Uid)" 65534
	# Beside the standard ones and a loop's own: no map, no program, no file.
	run find "/proc/$service/fd" -lname '*bpf*' -o -lname '/*key' -o -lname '*.json'
	is_equal "$output" ""
	wait_for 5 has_sockets "$service" 2
	is_equal "$(readlink "/proc/$service/fd/0" "/proc/$service/fd/1" "/proc/$service/cwd" | xargs)" "/dev/null /dev/null /"
	for signal in TERM INT HUP; do
		kill "-$signal" "$(pgrep -P "$LOADER_PID" -x service-keeper)" "$service"
	done
	is_equal "$(banner_of 10.0.0.2 34567)" hello
	is_equal "$(service_pid)" "$service"
}

@test "names the limit when the user of exec has too many processes" {
	run in_server prlimit --nproc=0:0 "$LOADER" -s exec:cat eth0
	is_equal "$status,${#lines[@]}" 1,1
	[[ $output == *"its user has 0 processes or more on this host (RLIMIT_NPROC)"* ]]
}

# has_sockets PID COUNT
has_sockets()
{
	[ "$(find "/proc/$1/fd" -lname 'socket:*' | wc -l)" = "$2" ]
}

has_another()
{
	local now
	now=$(service_pid) && [ -n "$now" ] && [ "$now" != "$1" ]
}

@test "another process goes on when the service's dies, until it dies too often" {
	start_loader -m accept -s banner:hello
	exec {held}<> <(:)
	in_client nc -d 10.0.0.2 34567 >/dev/null <&"$held" 3>&- &
	client=$!
	expect_event '.event == "established"'
	for death in 1 2 3 4 5; do
		service=$(service_pid)
		kill -KILL "$service"
		wait_for 5 has_another "$service"
		is_equal "$(banner_of 10.0.0.2 34567)" hello
	done
	wait_for 5 is_gone "$client"
	exec {held}>&-
	is_equal "$(grep -c 'the process that has the service has died (Killed): its connections are over, and another is started' "$LOADER_LOG")" 5
	kill -KILL "$(service_pid)"
	wait_for 5 has_text "$LOADER_LOG" "has died 6 times in a minute (Killed), and is given up"
	has_failed "nobody has the service any more: the loader ends"
}

# has_failed TEXT: the loader ends by itself, says why in one line, and leaves nothing.
has_failed()
{
	wait_for 5 is_gone "$LOADER_PID"
	LOADER_STATUS=0
	wait "$LOADER_PID" || LOADER_STATUS=$?
	is_equal "$LOADER_STATUS" 1
	is_equal "$(grep -c "eth0: $1" "$LOADER_LOG")" 1
	is_detached
}

# start_command: the loader and a client of its command; the command's process is $COMMAND, and what that has started $STARTED_BY_IT.
start_command()
{
	start_loader -s 'exec:sleep 1000 & echo ready $$ $!; wait'
	start_ready "client-$1" nsenter --net="/run/netns/$CLIENT" nc -d 10.0.0.2 34567
	read -r _ COMMAND STARTED_BY_IT <"$BATS_FILE_TMPDIR/client-$1.out"
}

@test "a command ends with the process that has it, and with the keeper" {
	start_command service
	service=$(service_pid)
	kill -KILL "$service"
	wait_for 5 is_gone "$COMMAND"
	wait_for 5 is_gone "$STARTED_BY_IT"
	wait_for 5 has_another "$service"
	is_equal "$(pgrep -P "$(pgrep -P "$LOADER_PID" -x service-keeper)" | wc -l)" 1
	stop_loader
	start_command keeper
	kill -KILL "$(pgrep -P "$LOADER_PID" -x service-keeper)"
	wait_for 5 is_gone "$COMMAND"
	wait_for 5 is_gone "$STARTED_BY_IT"
	has_failed "nobody has the service any more (its keeper: Killed): the loader ends"
}

@test "a command outlives a loader that was killed" {
	start_command loader
	keeper=$(pgrep -P "$LOADER_PID" -x service-keeper)
	stop "$LOADER_PID" KILL
	wait_for 5 is_gone "$keeper"
	not is_gone "$COMMAND"
	kill -HUP "$COMMAND" "$STARTED_BY_IT"
}

@test "ends as failed when somebody has killed the keeper too" {
	for workers in 1 2; do
		start_loader --workers=$workers -s banner:hello
		kill -KILL "$(pgrep -P "$LOADER_PID" -x service-keeper)"
		has_failed "nobody has the service any more (its keeper: Killed): the loader ends"
	done
}

@test "applications go on when the keeper of their fallback has been killed" {
	start_loader -s "socket:$BATS_TEST_TMPDIR/socket" --queue-time=10 --fallback=banner:hello
	is_equal "$(banner_of 10.0.0.2 34567)" hello
	kill -KILL "$(pgrep -P "$LOADER_PID" -x service-keeper)"
	wait_for 5 has_text "$LOADER_LOG" "nobody has the fallback any more (its keeper: Killed): its connections get a RST until a restart"
	run banner_of 10.0.0.2 34567
	is_equal "$output" ""
	stop_loader
	is_equal "$LOADER_STATUS" 0
}

@test "ends as failed when a command kills whatever is its user's" {
	# In a process namespace, so that it is the user's here alone.
	LOADER_LOG=$BATS_TEST_TMPDIR/log
	in_server unshare --pid --fork --kill-child "$LOADER" -s 'exec:read all; [ -z "$all" ] || kill -9 -1; echo hello' eth0 \
		2>"$LOADER_LOG" 3>&- </dev/null &
	LOADER_PID=$!
	wait_for 10 has_text "$LOADER_LOG" answering
	is_equal "$(says "")" hello
	says all >/dev/null || :
	has_failed "nobody has the service any more (its keeper: Killed): the loader ends"
}
