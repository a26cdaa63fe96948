#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# What make install puts there works there, without the tree and without PATH.
load helpers

setup_file()
{
	export ROOT="$BATS_FILE_TMPDIR/a root"
	make -s -C "$REPO" install DESTDIR="$ROOT" PREFIX=/usr O="$O" OBJ="$OBJ" BIN="$BIN" >/dev/null
}

# installed ARGUMENT...: the installed nolisten, which finds nothing of ours in PATH, nor where it runs.
installed()
{
	cd "$BATS_TEST_TMPDIR" && "$ROOT/usr/bin/nolisten" "$@"
}

@test "installs both programs, every manual page and the completions" {
	local page name program
	[ -x "$ROOT/usr/bin/nolisten" ] && [ -x "$ROOT/usr/sbin/nolisten-loader" ]
	for page in "$REPO"/doc/*.scd; do
		name=$(basename "$page" .scd)
		[ -s "$ROOT/usr/share/man/man${name##*.}/$name" ]
	done
	for program in bin/nolisten sbin/nolisten-loader; do
		"$ROOT/usr/$program" --completion | cmp - "$ROOT/usr/share/bash-completion/completions/${program##*/}"
		"$ROOT/usr/$program" --completion=zsh | cmp - "$ROOT/usr/share/zsh/site-functions/_${program##*/}"
	done
	set -- "$REPO"/doc/*.scd
	is_equal "$(find "$ROOT" -type f | wc -l)" $(($# + 12))
}

@test "installs a unit whose sandbox is tight, and in which the loader runs" {
	local unit=$ROOT/usr/lib/systemd/system/nolisten@.service here=$BATS_TEST_TMPDIR/unit caps
	has_text "$unit" "ExecStart=/usr/sbin/nolisten-loader --config=/etc/nolisten/%i.conf %i"
	mkdir -p "$here"
	sed "s,=/usr/sbin/,=$BIN/," "$unit" >"$here/nolisten@.service"
	if command -v systemd-analyze >/dev/null; then
		systemd-analyze verify --man=no "$here/nolisten@eth0.service"
		expect "exposure level" systemd-analyze security --offline=yes --threshold=25 "$here/nolisten@.service"
		is_equal "$status" 0
	fi
	caps=$(sed -n 's/^CapabilityBoundingSet=//p' "$unit" | sed 's/CAP_/+/g; s/ /,/g' | tr '[:upper:]' '[:lower:]')
	lab_up
	printf '%s\n' 'port = 80' 'service = exec:id -u' >"$here/eth0.conf"
	LOADER=$BATS_TEST_TMPDIR/confined
	printf '#!/bin/sh\nexec setpriv --no-new-privs --bounding-set=-all,%s "%s" "$@"\n' "$caps" "$BIN/nolisten-loader" >"$LOADER"
	chmod +x "$LOADER"
	start_loader --config="$here/eth0.conf"
	is_equal "$(awk '/^CapEff/ { print $2 }' "/proc/$LOADER_PID/status")" 0000000000003400
	is_equal "$(banner_of 10.0.0.2 80)" 65534
	stop_loader
	lab_down
}

@test "the manual pages name no page of ours that is not there" {
	local page
	for page in $(grep -oh '\*nolisten[a-z-]*\*([138])' "$REPO"/doc/*.scd | sort -u | tr -d '*()'); do
		[ -s "$ROOT/usr/share/man/man${page: -1}/${page%?}.${page: -1}" ]
	done
}

@test "an installed nolisten plays scenes without and with a loader" {
	run installed explain --demo=closed-port
	is_equal "$status" 0
	[[ $output == *"nobody listens"* ]]
	run installed explain --demo=engine
	is_equal "$status" 0
	[[ $output != *Skipped* && $output == *"put back by nolisten"* ]]
}

@test "an installed nolisten measures a method" {
	run installed bench --quick --only=connect --methods=listen,engine
	is_equal "$status" 0
	[[ $output == *"connect(), idle"* && $output != *"not taken"* ]]
}

@test "an installed loader runs, and the installed nolisten asks it" {
	lab_up
	LOADER="$ROOT/usr/sbin/nolisten-loader" start_loader
	is_equal "$(echo_back 10.0.0.2 34567 hello)" hello
	expect "eth0: pid $LOADER_PID" in_server "$ROOT/usr/bin/nolisten" status
	stop_loader
	lab_down
}

@test "finds the loader in PATH, and says where it looked" {
	local alone=$BATS_TEST_TMPDIR/alone/bin reason
	mkdir -p "$alone"
	cp "$ROOT/usr/bin/nolisten" "$alone"
	PATH=$ROOT/usr/sbin:$PATH run "$alone/nolisten" explain --demo=engine
	is_equal "$status" 0
	[[ $output != *Skipped* ]]
	reason="there is no nolisten-loader in $alone, ${alone%/*}/sbin or PATH"
	run "$alone/nolisten" bench --quick --only=connect --methods=listen,engine
	is_equal "$status" 1
	is_equal "$output" "nolisten: bench: $reason; --loader=PATH names another"
	run "$alone/nolisten" bench --quick --only=connect --methods=listen
	is_equal "$status" 0
}

@test "takes no folder and no file that cannot be run for the loader" {
	local alone=$BATS_TEST_TMPDIR/alone/bin
	mkdir -p "$alone/nolisten-loader" "$BATS_TEST_TMPDIR/alone/sbin"
	cp "$ROOT/usr/bin/nolisten" "$alone"
	touch "$BATS_TEST_TMPDIR/alone/sbin/nolisten-loader"
	run "$alone/nolisten" explain --demo=engine
	is_equal "$status ${#lines[@]}" "1 1"
	[[ $output == *"there is no nolisten-loader in $alone, "* ]]
}
