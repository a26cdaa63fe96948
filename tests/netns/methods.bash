# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# shellcheck shell=bash
# What the tests of the methods without BPF share.

# Everything that a rule could be left in.
rules()
{
	in_server nft list ruleset 2>/dev/null
	in_server iptables-save 2>/dev/null | grep -v '^#'
	in_server ip6tables-save 2>/dev/null | grep -v '^#' || :
}

# Echo over both families, and the same words for it as with any other method.
echoes()
{
	is_equal "$(echo_back 10.0.0.2 34567 'hello, world')" 'hello, world'
	is_equal "$(echo_back fd00::2 34567 'hello, world')" 'hello, world'
	for event in syn established handed_off closed; do
		expect_event ".event == \"$event\" and .method == \"$1\" and .local == \"10.0.0.2:34567\""
		expect_event ".event == \"$event\" and .method == \"$1\" and .local == \"[fd00::2]:34567\""
	done
	has_one_id_a_flow
	run in_server ss -Hltn
	is_equal "$output" ""
}

# leaves_kernel_sockets_alone METHOD: a listener on an answered port, and a closed port that is not answered.
leaves_kernel_sockets_alone()
{
	local answered
	start_kernel_server 34569 $'kernel\n'
	start_loader -m "$1" -p 34567,34569
	answered=$(banner_of 10.0.0.2 34569)
	is_equal "$answered" kernel
	answered=$(banner_of fd00::2 34569)
	is_equal "$answered" kernel
	is_refused 10.0.0.2 9
	is_refused fd00::2 9
	is_equal "$(echo_back 10.0.0.2 34567 still)" still
	is_equal "$(counter syn)" 1
	stop "$KERNEL_SERVER"
}
