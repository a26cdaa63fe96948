#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# A handed-off connection is an ordinary socket: the same connections over the same link, with delay, loss and reordering, to a
# kernel listener and to nolisten, method by method. tests/likeness/known.py has what cannot be the same, and why.
load helpers
load likeness

setup_file()
{
	export WORLDS=$BATS_FILE_TMPDIR/worlds
	mkdir "$WORLDS"
	play_worlds listen again engine xdp auto connect accept nfqueue filter
}

teardown_file()
{
	local name
	for name in /run/netns/nol-"${NOL_RUN:-$$}"-"$$"-*; do
		[ ! -e "$name" ] || remove_namespace "${name##*/}"
	done
}

@test "a listener is like a listener" {
	for stage in handshake data wire; do
		is_like_a_listener again $stage
	done
}

@test "engine: after the handshake TCP_INFO is that of a listener's child" {
	is_like_a_listener engine handshake
}

@test "engine: after the first data TCP_INFO is that of a listener's child" {
	is_like_a_listener engine data
}

@test "engine: delay, loss and reordering are answered as by a listener's child" {
	is_like_a_listener engine wire
}

@test "engine: what is known to differ still does" {
	is_like_a_listener engine known
}

@test "xdp: after the handshake TCP_INFO is that of a listener's child" {
	is_like_a_listener xdp handshake
}

@test "xdp: after the first data TCP_INFO is that of a listener's child" {
	is_like_a_listener xdp data
}

@test "xdp: delay, loss and reordering are answered as by a listener's child" {
	is_like_a_listener xdp wire
}

@test "xdp: what is known to differ still does" {
	is_like_a_listener xdp known
}

@test "auto: after the handshake TCP_INFO is that of a listener's child" {
	is_like_a_listener auto handshake
}

@test "auto: after the first data TCP_INFO is that of a listener's child" {
	is_like_a_listener auto data
}

@test "auto: delay, loss and reordering are answered as by a listener's child" {
	is_like_a_listener auto wire
}

@test "auto: what is known to differ still does" {
	is_like_a_listener auto known
}

@test "connect: after the handshake TCP_INFO is that of a listener's child" {
	is_like_a_listener connect handshake
}

@test "connect: after the first data TCP_INFO is that of a listener's child" {
	is_like_a_listener connect data
}

@test "connect: delay, loss and reordering are answered as by a listener's child" {
	is_like_a_listener connect wire
}

@test "connect: what is known to differ still does" {
	is_like_a_listener connect known
}

@test "accept: after the handshake TCP_INFO is that of a listener's child" {
	is_like_a_listener accept handshake
}

@test "accept: after the first data TCP_INFO is that of a listener's child" {
	is_like_a_listener accept data
}

@test "accept: delay, loss and reordering are answered as by a listener's child" {
	is_like_a_listener accept wire
}

@test "accept: what is known to differ still does" {
	is_like_a_listener accept known
}

@test "nfqueue: after the handshake TCP_INFO is that of a listener's child" {
	is_like_a_listener nfqueue handshake
}

@test "nfqueue: after the first data TCP_INFO is that of a listener's child" {
	is_like_a_listener nfqueue data
}

@test "nfqueue: delay, loss and reordering are answered as by a listener's child" {
	is_like_a_listener nfqueue wire
}

@test "nfqueue: what is known to differ still does" {
	is_like_a_listener nfqueue known
}

@test "filter: after the handshake TCP_INFO is that of a listener's child" {
	is_like_a_listener filter handshake
}

@test "filter: after the first data TCP_INFO is that of a listener's child" {
	is_like_a_listener filter data
}

@test "filter: delay, loss and reordering are answered as by a listener's child" {
	is_like_a_listener filter wire
}

@test "filter: what is known to differ still does" {
	is_like_a_listener filter known
}

@test "doc/ways.md names what is known to differ, and nothing else" {
	is_equal "$(sed -n '/^| what | methods | when | why |$/,/^$/p' "$REPO/doc/ways.md" | sed '/^$/d')" \
		"$(python3 -B "$LIKENESS/compare.py" --table)"
}
