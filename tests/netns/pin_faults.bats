#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# --pin where nothing can be pinned: one line, and nothing half done.

load helpers
load pin

teardown()
{
	pin_down
}

refuses()
{
	run with_pins timeout 10 "$LOADER" --pin eth0
	is_equal "$status,${#lines[@]}" 1,1
	[[ $output == *"$1"* ]]
	is_detached
}

@test "without a bpffs" {
	pin_up "mount -t tmpfs none /sys/fs/bpf"
	refuses "eth0: --pin: no bpffs on /sys/fs/bpf: mount -t bpf bpf /sys/fs/bpf"
}

@test "without the right to write there" {
	pin_up "mount -t bpf bpf /sys/fs/bpf && mount -o remount,ro,bind /sys/fs/bpf"
	refuses "eth0: --pin: cannot pin in /sys/fs/bpf/nolisten/eth0: Read-only file system"
}

@test "of a loader that cannot begin, once it has attached, nothing stays" {
	pin_up
	run with_pins setpriv --bounding-set=-setuid,-setgid --inh-caps=-setuid,-setgid timeout 10 "$LOADER" -q --pin --user=nobody eth0
	is_equal "$status" 1
	is_detached
	not is_pinned
}

@test "not in a folder that somebody else has made" {
	pin_up "mount -t bpf -o mode=1777 bpf /sys/fs/bpf && mkdir -p /sys/fs/bpf/nolisten && chown 65534 /sys/fs/bpf/nolisten"
	refuses "eth0: --pin: cannot pin in /sys/fs/bpf/nolisten/eth0: Operation not permitted"
}

@test "with a method that has no programs, or a time that is none" {
	pin_up
	refused_loader 2 "--pin: method filter has no programs: use auto or engine" -m filter --pin eth0
	refused_loader 2 "--pin" --pin=0 eth0
	expect "would run" with_pins "$LOADER" --dry-run --pin eth0
	not is_pinned
}
