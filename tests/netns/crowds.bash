# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# shellcheck shell=bash
# What the tests with many clients share.

# many_sources: the client has all of 10.77.0.0/16, and no port of it waits long in TIME-WAIT.
many_sources()
{
	ip -n "$CLIENT" route add local 10.77.0.0/16 dev lo
	ip -n "$SERVER" route add 10.77.0.0/16 via 10.0.0.1
	in_client sysctl -qw net.ipv4.tcp_tw_reuse=1 net.ipv4.ip_local_port_range='1024 65535'
}

# start_churn AT_ONCE [COUNT [SECONDS]]: as churn_client, from many sources.
start_churn()
{
	start_ready churn ip netns exec "$CLIENT" "$TOOLS/churn_client" 10.0.0.2 34567 "${2:-0}" "${3:-0}" "$1" 10.77.0.1
	CHURN=$STARTED
}

churn_summary()
{
	tail -n 1 "$BATS_FILE_TMPDIR/churn.out"
}

# churn_has_had COUNT WHAT: as the summary names it.
churn_has_had()
{
	[[ $(churn_summary) =~ (^|\ )$1\ $2(,|$) ]]
}

# end_churn: nobody was left without an answer.
end_churn()
{
	kill -TERM "$CHURN"
	wait_for 30 is_gone "$CHURN" && churn_summary || return
	sort "$BATS_FILE_TMPDIR/churn.err" | uniq -c
	churn_has_had 0 silent && not churn_has_had 0 served
}
