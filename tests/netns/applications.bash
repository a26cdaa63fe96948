# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# shellcheck shell=bash
# What the tests of applications share.

EXAMPLES=$BATS_FILE_TMPDIR/examples

# build_examples: each from its installed files alone, as its first comment says; the library is found where it was installed.
build_examples()
{
	local root=$BATS_FILE_TMPDIR/root name
	make -s -C "$REPO" install-library DESTDIR="$root" PREFIX=/usr O="$O" OBJ="$OBJ" BIN="$BIN" >/dev/null
	export PKG_CONFIG_PATH=$root/usr/lib/pkgconfig PKG_CONFIG_SYSROOT_DIR=$root
	mkdir -p "$EXAMPLES"
	for name in poll epoll threads connect; do
		# shellcheck disable=SC2046
		cc -Wall -Wextra -Werror -O2 -pthread -o "$EXAMPLES/$name" "$REPO/doc/examples/$name.c" \
			$(pkg-config --cflags --libs nolisten) -Wl,-rpath,"$root/usr/lib" || return
	done
}

# serve_applications [OPTION...]: a loader that applications may ask for ports 8000 to 8009.
serve_applications()
{
	NOLISTEN_SOCKET=$BATS_TEST_TMPDIR/socket
	export NOLISTEN_SOCKET
	start_loader -p 8000-8009 -s "socket:$NOLISTEN_SOCKET" "$@"
}

# start_application NAME COMMAND...: waits until it has its ports; its pid is in $APPLICATION.
start_application()
{
	start_ready "$@"
	APPLICATION=$STARTED
}

# raw_application NAME PORTS WHAT: without the library.
raw_application()
{
	start_application "$1" python3 "$REPO/tests/tools/application.py" "$NOLISTEN_SOCKET" "$2" "$3"
}

# of_applications NAME: a counter.
of_applications()
{
	in_server "$NOLISTEN" status -j eth0 | jq ".applications.$1"
}

has_count()
{
	[ "$(of_applications "$1")" = "$2" ]
}

# connect_many COUNT PORT: that many clients in the background, which read until the end; their pids are in $CLIENTS.
connect_many()
{
	local i
	for ((i = 0; i < $1; i++)); do
		start "client-${#CLIENTS[@]}" ip netns exec "$CLIENT" nc -d -w 30 10.0.0.2 "$2"
		CLIENTS+=("$STARTED")
	done
}

end_clients()
{
	local pid
	for pid in "${CLIENTS[@]}"; do
		stop "$pid" KILL
	done
	CLIENTS=()
}
