# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# shellcheck shell=bash
#
# The unit under the systemd of the root, which is booted in namespaces of its own: process ids, mounts, a network with eth0 to a
# client, and a control group below the host's. For test-deb, which has set root and scratch.

UNIT=nolisten@eth0.service
SERVER=nolisten-unit-$$-s
CLIENT=nolisten-unit-$$-c
group=nolisten-unit-$$
booting=

# wait_for SECONDS COMMAND...
wait_for()
{
	local deadline=$((SECONDS + $1))
	shift
	until "$@" >/dev/null 2>&1; do
		[ "$SECONDS" -lt "$deadline" ] || { echo "never came true: $*"; return 1; }
		read -rt 0.1 <> <(:) || :
	done
}

# managed COMMAND...: where systemd is.
managed()
{
	nsenter -t "$(pgrep -P "$booting")" -m -p -n -r -w "$@"
}

# in_group COMMAND...: instead of this shell, in a mount namespace that has the control groups, in one of its own.
# shellcheck disable=SC2016
in_group()
{
	exec unshare --mount --propagation=private -- bash -ec '
		mount -t cgroup2 cgroup2 "$1"
		mkdir -p "$1/$2"
		echo $$ >"$1/$2/cgroup.procs"
		shift 2
		exec "$@"' in_group "$scratch/groups" "$group" "$@"
}

# Why systemd cannot be booted here; nothing if it can.
missing_for_systemd()
{
	mkdir -p "$scratch/groups"
	[ -x "$root/lib/systemd/systemd" ] || echo "there is no systemd in there"
	(in_group true) 2>/dev/null || echo "this host has no control groups of version 2 to give"
}

# shellcheck disable=SC2016
boot()
{
	ip netns add "$SERVER" && ip netns add "$CLIENT" || return
	ip -n "$SERVER" link add eth0 type veth peer name eth0 netns "$CLIENT"
	ip -n "$SERVER" address add 10.0.0.2/24 dev eth0
	ip -n "$CLIENT" address add 10.0.0.1/24 dev eth0
	ip -n "$SERVER" link set eth0 up
	ip -n "$CLIENT" link set eth0 up
	systemd-machine-id-setup --root="$root"
	in_group nsenter --net="/run/netns/$SERVER" unshare --mount --pid --uts --ipc --cgroup --fork --kill-child \
		--propagation=private -- bash -ec '
		root=$1
		mount --bind "$root" "$root"
		cd "$root"
		mount -t proc proc "$root/proc"
		mount -t sysfs sysfs "$root/sys"
		mount -t cgroup2 cgroup2 "$root/sys/fs/cgroup"
		mount -t bpf bpf "$root/sys/fs/bpf"
		mount -t tmpfs -o mode=755 tmpfs "$root/run"
		exec env -i container=other PATH=/usr/sbin:/usr/bin:/sbin:/bin chroot "$root" \
			/lib/systemd/systemd --system --log-target=console --show-status=0 --unit=basic.target' \
		boot "$root" >"$scratch/boot.log" 2>&1 </dev/null &
	booting=$!
	wait_for 60 managed systemctl is-active basic.target || { tail -n 20 "$scratch/boot.log"; return 1; }
}

# Also after half of it.
end_boot()
{
	[ -z "$booting" ] || { kill -KILL "$(pgrep -P "$booting")"; wait "$booting"; } 2>/dev/null
	booting=
	ip netns del "$SERVER" 2>/dev/null
	ip netns del "$CLIENT" 2>/dev/null
	# shellcheck disable=SC2016
	unshare --mount --propagation=private -- bash -c '
		mount -t cgroup2 cgroup2 "$1" && find "$1/$2" -depth -type d -exec rmdir {} \;' end "$scratch/groups" "$group" 2>/dev/null
	return 0
}

configure()
{
	printf '%s\n' "$@" >"$root/etc/nolisten/eth0.conf"
}

# greets PORT: a client is told hello there.
greets()
{
	[ "$(nsenter --net="/run/netns/$CLIENT" nc -w 3 10.0.0.2 "$1" </dev/null)" = hello ]
}

has_property()
{
	[[ $(managed systemctl show -p "$1" --value "$UNIT") == $2 ]]
}

loader_pid()
{
	managed systemctl show -p MainPID --value "$UNIT"
}

# another_runs PID: than that one, and is ready.
another_runs()
{
	has_property ActiveState active && [ "$(loader_pid)" != "$1" ]
}

unit_starts()
{
	configure 'port = 80' 'service = banner:hello' 'events = /var/log/nolisten/eth0.json' 'metrics = unix:/run/nolisten/metrics'
	managed systemctl start "$UNIT" || { managed journalctl --no-pager -u "$UNIT"; return 1; }
	has_property StatusText 'answering TCP port 80 on 10.0.0.2*' && greets 80 || return
	# What it may write it can: events, pinned maps, sockets.
	[ -s "$root/var/log/nolisten/eth0.json" ] && managed test -e /sys/fs/bpf/nolisten/eth0/nol_flows -a -S /run/nolisten/metrics || return
	managed grep -q 'Seccomp:	2' "/proc/$(loader_pid)/status"
}

unit_reloads()
{
	local pid
	pid=$(loader_pid)
	configure 'port = 81' 'service = banner:hello'
	managed systemctl reload "$UNIT" || return
	wait_for 10 has_property StatusText 'answering TCP port 81 on*' && greets 81 && [ "$(loader_pid)" = "$pid" ] || return
	configure 'port = 81' 'ring = 7'
	managed systemctl reload "$UNIT"
	wait_for 10 has_property StatusText 'as before, since /etc/nolisten/eth0.conf:2: --ring: *' && greets 81
}

# One that stands still is replaced; one whose configuration is wrong is not tried again and again.
unit_is_watched()
{
	local pid
	pid=$(loader_pid)
	configure 'port = 82' 'service = banner:hello'
	managed kill -STOP "$pid"
	wait_for 60 another_runs "$pid" && greets 82 || return
	configure 'prot = 80'
	! managed systemctl restart "$UNIT" && has_property Result exit-code && has_property ActiveState failed || return
	managed systemctl reset-failed "$UNIT"
}

# What runs goes on with the new one.
upgrade_under_systemd()
{
	local pid
	configure 'port = 80' 'service = banner:hello'
	managed systemctl start "$UNIT" && pid=$(loader_pid) || return
	managed bash -c 'dpkg -i /var/newer/*.deb' && another_runs "$pid" && greets 80
}

removal_stops_the_unit()
{
	managed dpkg -r libnolisten-dev nolisten libnolisten0 && has_property ActiveState inactive || return
	! managed test -e /usr/sbin/nolisten-loader && ! managed pgrep nolisten-loader
}
