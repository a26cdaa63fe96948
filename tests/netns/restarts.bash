# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# shellcheck shell=bash
# What the tests and the soak of restarted applications share; needs applications.bash.

# start_successor: the application, or the next one, for port 8000; $APPLICATION.
start_successor()
{
	start_application app "$TOOLS/graceful_server" 8000 library "$BATS_TEST_TMPDIR/numbers"
}

# number WHICH: 0: of connections that applications have taken, 1: that they have served.
number()
{
	od -A n -t u8 -j $(($1 * 8)) -N 8 "$BATS_TEST_TMPDIR/numbers" | tr -d ' '
}

has_served()
{
	[ "$(number 1)" -ge "$1" ]
}

# came: connections so far, whoever makes them.
came()
{
	in_server "$NOLISTEN" status -j eth0 | jq '.counters + .engine | if .accept_child > 0 then .accept_child else .handed_off end'
}

has_come()
{
	[ "$(came)" -ge "$1" ]
}

# lost_in_hand: connections that applications have had, from the loader or from their listener, and not served: theirs to lose.
lost_in_hand()
{
	local given
	given=$(in_server "$NOLISTEN" status -j eth0 | jq '.applications.passed - .applications.returned +
		(if .counters.accept_child > 0 then .counters.accept_child - .engine.established else 0 end)')
	echo $((given - $(number 1)))
}
