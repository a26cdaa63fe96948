#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# What a program that uses libnolisten finds installed.
load helpers

setup_file()
{
	export ROOT="$BATS_FILE_TMPDIR/a root"
	make -s -C "$REPO" install-library DESTDIR="$ROOT" PREFIX=/usr O="$O" OBJ="$OBJ" BIN="$BIN" >/dev/null
	export PKG_CONFIG_PATH="$ROOT/usr/lib/pkgconfig"
}

# defined FILE OPTION...: the names that it defines for others.
defined()
{
	nm --defined-only --extern-only "${@:2}" "$1" | awk 'NF == 3 && $2 != "A" { print $3 }' | sed 's/@.*//' | sort
}

@test "the header is C++ and strict C, alone" {
	local include='#include <nolisten.h>'
	for language in "c++ -std=c++98" "c++ -std=c++20" "c -std=c99" "c -std=gnu11"; do
		# shellcheck disable=SC2086
		clang -x $language -Wall -Wextra -Wpedantic -Werror -isystem /usr/include -fsyntax-only \
			-I"$ROOT/usr/include" - <<<"$include
			struct nolisten_connection c; int f(struct nolisten *n) { return nolisten_accept(n, &c); }"
	done
}

@test "both libraries define what the header declares, and nothing else" {
	local declared
	declared=$(sed -n 's/^\(int\|void\|const char\) \**\(nolisten_[a-z_]*\)(.*/\2/p' "$ROOT/usr/include/nolisten.h" | sort)
	is_equal "$(defined "$ROOT/usr/lib/libnolisten.so.0" --dynamic)" "$declared"
	is_equal "$(defined "$ROOT/usr/lib/libnolisten.a")" "$declared"
	is_equal "$(nm --dynamic --defined-only "$ROOT/usr/lib/libnolisten.so" | grep -c '@@NOLISTEN_0')" "$(wc -l <<<"$declared")"
	expect "[libnolisten.so.0]" readelf -d "$ROOT/usr/lib/libnolisten.so"
}

@test "pkg-config knows it, and the static one links alone" {
	is_equal "$(pkg-config --libs nolisten | xargs)" "-lnolisten"
	is_equal "$(pkg-config --modversion nolisten)" "$("$NOLISTEN" --version | awk '{ print $2 }')"
	cc -o "$BATS_TEST_TMPDIR/poll" -I"$ROOT/usr/include" "$REPO/doc/examples/poll.c" "$ROOT/usr/lib/libnolisten.a" -pthread
	run env NOLISTEN_SOCKET=/nowhere "$BATS_TEST_TMPDIR/poll"
	is_equal "$status,$output" "1,poll: /nowhere: No such file or directory"
}

@test "each example has less than 80 lines" {
	local file
	for file in "$REPO"/doc/examples/*.c; do
		[ "$(wc -l <"$file")" -lt 80 ]
	done
}

# programs_of GUIDE FOLDER: what stands in its blocks of C, each in a file of the name that its first line has.
programs_of()
{
	awk -v folder="$2" '/^```c$/ { is_in = 1; name = ""; next } /^```$/ { is_in = 0 }
		is_in && !name { name = folder "/" $2; sub(/:$/, "", name) }
		is_in { print > name }' "$1"
}

@test "the guide's programs are whole, and do what it says" {
	local folder=$BATS_TEST_TMPDIR name
	programs_of "$REPO/doc/library.md" "$folder"
	is_equal "$(cd "$folder" && echo *.c)" "fingerprint.c hello.c"
	for name in fingerprint hello; do
		cc -Wall -Wextra -Werror -o "$folder/$name" -I"$ROOT/usr/include" "$folder/$name.c" "$ROOT/usr/lib/libnolisten.a" -pthread
	done
	lab_up
	export NOLISTEN_SOCKET=$folder/socket
	start_loader -q -m engine -p 8000-8999 -s "socket:$NOLISTEN_SOCKET,connect=yes"
	start hello "$folder/hello"
	wait_for 5 is_answered
	is_equal "$(in_client timeout 5 nc -d fd00::2 8000)" hello
	in_client "$TOOLS/echo_server" 7 >"$folder/out" 3>&- &
	wait_for 5 has_text "$folder/out" ready
	is_equal "$("$folder/fingerprint" 10.0.0.1 7)" "TTL 64, window 64240, MSS 1460"
	run "$folder/fingerprint" 10.0.0.1 9
	is_equal "$status,$output" "1,fingerprint: Connection refused"
	stop "$STARTED"
	stop_loader
	lab_down
}

is_answered()
{
	[[ $(in_server "$NOLISTEN" status -j eth0 | jq -r .ports) == *8000* ]]
}
